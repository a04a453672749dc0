//! Routes: those that get no alert, and what they say of rules.

use std::collections::{BTreeMap, BTreeSet};

use super::super::finding::{DEFAULT_ONLY, Finding, UNREACHABLE_ROUTE};
use super::super::object::{Object, Typed};
use super::super::path::Path;
use super::rules::is_calling;
use crate::api::alert_rule::AlertRuleSpec;
use crate::api::matcher::{MatchOp, Matcher, MatcherText};
use crate::api::notification::policy::{NotificationPolicySpec, Route};

/// Routes that no alert ever gets to.
pub(super) fn unreachable(at: usize, spec: &NotificationPolicySpec) -> Vec<Finding> {
    let mut found = Vec::new();
    let own = read(&spec.matchers).unwrap_or_default();
    walk(at, &spec.routes, &Path::parse("spec"), &own, &mut found);
    found
}

fn read(texts: &[MatcherText]) -> Option<Vec<Matcher>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}

fn walk(at: usize, routes: &[Route], above: &Path, inherited: &[Matcher], found: &mut Vec<Finding>) {
    // Those before that let nothing of what they match go on.
    let mut taken: Vec<(usize, Vec<Matcher>)> = Vec::new();
    for (i, route) in routes.iter().enumerate() {
        let path = above.field("routes").index(i);
        let Some(own) = read(&route.matchers) else {
            continue;
        };
        let all: Vec<Matcher> = inherited.iter().chain(&own).cloned().collect();
        if let Some((one, other)) = contradiction(&all) {
            let message = format!("routes[{i}] never gets an alert: none can match {one} and {other}");
            found.push(Finding::new(&UNREACHABLE_ROUTE, at, path, message));
            continue;
        }
        let before = taken
            .iter()
            .find(|(_, takes)| takes.iter().all(|matcher| is_implied(matcher, &all)));
        if let Some((before, takes)) = before {
            let what = match takes.as_slice() {
                [] => "everything".to_owned(),
                some => {
                    let texts: Vec<String> = some.iter().map(ToString::to_string).collect();
                    format!("all of {}", texts.join(", "))
                }
            };
            let message = format!(
                "routes[{i}] never gets an alert: routes[{before}] takes {what} and doesn't continue"
            );
            found.push(Finding::new(&UNREACHABLE_ROUTE, at, path, message));
            continue;
        }
        walk(at, &route.routes, &path, &all, found);
        if !route.continue_.unwrap_or(false) {
            taken.push((i, own));
        }
    }
}

/// Two matchers that no label fulfils both.
fn contradiction(all: &[Matcher]) -> Option<(&Matcher, &Matcher)> {
    let fixed = all.iter().filter(|matcher| matcher.op == MatchOp::Equal);
    fixed
        .flat_map(|fixed| all.iter().map(move |other| (fixed, other)))
        .find(|(fixed, other)| {
            fixed.label == other.label && matches_value(other, &fixed.value) == Some(false)
        })
}

/// Whether whatever fulfils all of these fulfils this one too, as far as that can be told.
fn is_implied(matcher: &Matcher, by: &[Matcher]) -> bool {
    by.iter()
        .filter(|other| other.label == matcher.label)
        .any(|other| {
            other == matcher
                || other.op == MatchOp::Equal && matches_value(matcher, &other.value) == Some(true)
        })
        || is_always(matcher)
}

/// Whether every alert is matched.
fn is_always(matcher: &Matcher) -> bool {
    matcher.op == MatchOp::Regex && matcher.value == ".*"
}

fn matches_value(matcher: &Matcher, value: &str) -> Option<bool> {
    matcher.matches(&BTreeMap::from([(matcher.label.clone(), value.to_owned())]))
}

/// The severities that any policy or silence names.
pub(super) fn severities(objects: &[Object]) -> BTreeSet<String> {
    fn of(texts: &[MatcherText], all: &mut BTreeSet<String>) {
        for matcher in texts.iter().filter_map(|text| text.parse().ok()) {
            if matcher.label == "severity" {
                all.extend(matcher.value.split('|').map(str::to_owned));
            }
        }
    }
    fn walk(routes: &[Route], all: &mut BTreeSet<String>) {
        for route in routes {
            of(&route.matchers, all);
            walk(&route.routes, all);
        }
    }
    let mut all = BTreeSet::new();
    for object in objects {
        if let Some(Typed::NotificationPolicy(policy)) = &object.typed {
            of(&policy.spec.matchers, &mut all);
            walk(&policy.spec.routes, &mut all);
        }
    }
    all
}

/// Every NotificationPolicy, with the resource that it is in.
pub(super) fn all(objects: &[Object]) -> Vec<(&Object, &NotificationPolicySpec)> {
    let policies = objects.iter().filter_map(|object| match &object.typed {
        Some(Typed::NotificationPolicy(policy)) => Some((object, &policy.spec)),
        _ => None,
    });
    policies.collect()
}

/// Says of a rule for which somebody is called that no route takes its alerts, where the one tree that is there has routes.
pub(super) fn default_only(
    at: usize,
    object: &Object,
    spec: &AlertRuleSpec,
    policies: &[(&Object, &NotificationPolicySpec)],
) -> Option<Finding> {
    if !is_calling(spec) || spec.record.is_some() || spec.notification_settings.is_some() {
        return None;
    }
    let instances = object.instances();
    let own = policies
        .iter()
        .filter(|(policy, _)| policy.instances() == instances)
        .map(|(_, spec)| *spec);
    // What goes to a tree with a name, and what to the default one, isn't looked at.
    let (roots, branches): (Vec<_>, Vec<_>) = own.partition(|spec| spec.parent_ref.is_none());
    let [root] = roots.as_slice() else { return None };
    if root.tree.is_some() || root.routes.is_empty() || !branches.is_empty() {
        return None;
    }
    let mut labels: BTreeMap<String, String> = spec.labels.clone();
    labels.extend(
        spec.severity
            .clone()
            .map(|severity| ("severity".to_owned(), severity)),
    );
    // A label that the rule doesn't set may come from its query, and one with a template may be anything.
    let is_out = |matcher: &Matcher| {
        let fixed = labels.get(&matcher.label).filter(|value| !value.contains("{{"));
        fixed.is_some_and(|value| matches_value(matcher, value) == Some(false))
    };
    let may_take = |route: &Route| read(&route.matchers).is_none_or(|matchers| !matchers.iter().any(is_out));
    if root.routes.iter().any(may_take) {
        return None;
    }
    let default = root.receiver.as_deref().unwrap_or("its default");
    let message = format!("no route takes the alerts of this rule: {default} alone gets them");
    Some(Finding::new(
        &DEFAULT_ONLY,
        at,
        Path::parse("spec.severity"),
        message,
    ))
}
