//! What nobody refuses, and yet is probably not what was meant, or bad for whoever is called at night.

mod braces;
mod integrations;
mod intervals;
mod policies;
mod rules;
mod silences;

use std::collections::BTreeSet;

use super::finding::{Finding, LINT_DISABLE, UNUSED_CONTACT_POINT, rule};
use super::near::nearest;
use super::object::{ANNOTATION_DISABLE, Object, Typed};
use super::options::Options;
use super::path::Path;
use super::{finding, references};

/// What there is to be said of one resource by itself.
pub(super) fn each(at: usize, object: &Object, options: &Options) -> Vec<Finding> {
    let mut found = braces::check(at, &object.value);
    found.extend(disabled(at, object));
    match &object.typed {
        Some(Typed::AlertRule(alert)) => {
            found.extend(rules::check(at, &alert.spec));
            found.extend(intervals::check(at, &alert.spec));
        }
        Some(Typed::ContactPoint(point)) => found.extend(integrations::check(at, &point.spec)),
        Some(Typed::NotificationPolicy(policy)) => found.extend(policies::unreachable(at, &policy.spec)),
        Some(Typed::Silence(silence)) => {
            found.extend(silences::check(at, silence, &object.namespace, options.now));
        }
        _ => {}
    }
    found
}

/// What there is to be said of several together.
pub(super) fn across(objects: &[Object]) -> Vec<Finding> {
    let severities = policies::severities(objects);
    let all = policies::all(objects);
    let mut found = unused(objects);
    for (at, object) in objects.iter().enumerate() {
        if let Some(Typed::AlertRule(alert)) = &object.typed {
            found.extend(rules::severity(at, &alert.spec, &severities));
            found.extend(policies::default_only(at, object, &alert.spec, &all));
        }
    }
    found
}

/// Rules that are switched off and that there aren't.
fn disabled(at: usize, object: &Object) -> Vec<Finding> {
    let unknown = object
        .disabled()
        .filter(|name| *name != "all" && rule(name).is_none());
    unknown
        .map(|name| {
            let names = finding::RULES.iter().map(|rule| rule.name);
            let near =
                nearest(name, names).map_or_else(String::new, |near| format!("; did you mean {near}?"));
            let path = Path::parse("metadata.annotations").field(ANNOTATION_DISABLE);
            Finding::new(&LINT_DISABLE, at, path, format!("there is no rule {name}{near}"))
        })
        .collect()
}

/// Contact points that nothing refers to, where there is a policy that could.
fn unused(objects: &[Object]) -> Vec<Finding> {
    let policies = objects
        .iter()
        .filter(|object| object.kind == "NotificationPolicy");
    let instances: BTreeSet<&str> = policies.flat_map(Object::instances).collect();
    let mut used = BTreeSet::new();
    for object in objects {
        for reference in references::of(object) {
            let namespace = reference.namespace.unwrap_or_else(|| object.namespace.clone());
            used.insert((reference.kind, namespace, reference.name));
        }
    }
    let points = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| object.kind == "ContactPoint");
    points
        .filter(|(_, point)| {
            let key = ("ContactPoint", point.namespace.clone(), point.name.clone());
            let is_shared = point.annotation(crate::api::ANNOTATION_SHARED_WITH).is_some();
            let has_policy = point
                .instances()
                .iter()
                .any(|instance| instances.contains(instance));
            has_policy && !is_shared && !used.contains(&key)
        })
        .map(|(at, point)| {
            let message = format!(
                "nothing refers to ContactPoint {}: no policy here and no rule",
                point.name
            );
            Finding::new(&UNUSED_CONTACT_POINT, at, Path::parse("metadata.name"), message)
        })
        .collect()
}
