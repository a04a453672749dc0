//! Texts that the parsers of the domain can't read, each with the very place.

use std::collections::BTreeSet;

use serde_json::Value;

use super::finding::{DURATION, Finding, Level, MATCHER, Part, REFERENCE, TEMPLATE, byte_at};
use super::near::nearest;
use super::object::{Object, Typed};
use super::path::Path;
use crate::api::duration::{self, Duration};
use crate::api::matcher::{self, Matcher, MatcherText};
use crate::domain::notification::named::text::{defined, is_grafanas, template};
use crate::domain::rule::template::{TemplateError, calls};
use crate::grafana::model::Template;

/// What is wrong with a text that should be a duration.
pub(super) fn of_duration(at: usize, path: Path, text: &str) -> Finding {
    let problem = Duration::parse(text).err();
    let said = problem.map_or_else(|| duration::SYNTAX.to_owned(), |problem| problem.to_string());
    Finding::new(&DURATION, at, path, said)
}

/// What is wrong with a text that should be a matcher.
pub(super) fn of_matcher(at: usize, path: Path, text: &str) -> Finding {
    let Err(problem) = Matcher::parse(text) else {
        return Finding::new(&MATCHER, at, path, matcher::SYNTAX);
    };
    let byte = problem.position().map(|position| {
        let before = text.char_indices().nth(position.saturating_sub(1));
        before.map_or(text.len(), |(byte, _)| byte)
    });
    let finding = Finding::new(&MATCHER, at, path, problem.to_string());
    match byte {
        Some(byte) => finding.at(Part::Byte(byte)),
        None => finding,
    }
}

/// The matchers of a list that can't be read.
pub(super) fn of_matchers(at: usize, list: &Path, matchers: &[MatcherText], found: &mut Vec<Finding>) {
    for (i, text) in matchers.iter().enumerate() {
        if Matcher::parse(text.as_str()).is_err() {
            found.push(of_matcher(at, list.index(i), text.as_str()));
        }
    }
}

/// What was said of a template.
pub(super) fn of_template(
    at: usize,
    path: Path,
    text: &str,
    read: Result<(), TemplateError>,
) -> Option<Finding> {
    let error = read.err()?;
    let byte = byte_at(text, error.line, error.column);
    Some(Finding::new(&TEMPLATE, at, path, error.problem.to_string()).at(Part::Byte(byte)))
}

/// Templates that contact points and other templates call and nobody defines: Grafana fails with the notification, or leaves it empty. It is told only where the namespace has
/// templates among what is looked at; of a text from elsewhere it isn't known what it defines.
pub(super) fn uncalled(objects: &[Object], all: &[Object]) -> Vec<Finding> {
    let groups: Option<Vec<(&str, Template)>> = all
        .iter()
        .filter_map(|object| match &object.typed {
            Some(Typed::NotificationTemplate(template)) => Some((object, &template.spec)),
            _ => None,
        })
        .map(|(object, spec)| {
            let called = spec.name.as_deref().unwrap_or(&object.name);
            let group = template(spec.template.as_deref()?, called, "spec.template").ok()?;
            Some((object.namespace.as_str(), group))
        })
        .collect();
    let Some(groups) = groups else {
        return Vec::new();
    };
    let known: BTreeSet<&str> = groups.iter().flat_map(|(_, group)| defined(group)).collect();
    let has_some = |object: &Object| groups.iter().any(|(namespace, _)| *namespace == object.namespace);
    let mut found = Vec::new();
    for (at, object) in objects.iter().enumerate().filter(|(_, object)| has_some(object)) {
        let spec = match &object.typed {
            Some(Typed::ContactPoint(_) | Typed::NotificationTemplate(_)) => object.spec(),
            _ => continue,
        };
        each(spec, &Path::parse("spec"), &mut |path, text| {
            for name in calls(text) {
                if known.contains(name) || is_grafanas(name) {
                    continue;
                }
                let near = nearest(name, known.iter().copied());
                let near = near.map_or_else(String::new, |near| format!("; there is {near:?}"));
                let message = format!("no NotificationTemplate here defines the template {name:?}{near}");
                found.push(Finding::new(&REFERENCE, at, path.clone(), message).of(Level::Warning));
            }
        });
    }
    found
}

/// Shows each text that is a template, with its path.
fn each(value: &Value, path: &Path, show: &mut dyn FnMut(&Path, &str)) {
    match value {
        Value::String(text) if text.contains("{{") => show(path, text),
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| each(value, &path.field(key), show)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(i, item)| each(item, &path.index(i), show)),
        _ => {}
    }
}
