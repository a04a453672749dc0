//! What the operator itself would say of a resource: its own parsers and decisions are asked, so that neither refuses what the other takes.

mod policy;
mod version;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::finding::{
    EXPRESSION, Finding, LEASE, Level, Part, QUERY, REFUSED, Rule, SECRET_IN_CLEAR, UNKNOWN_WORD,
    VALUE_IN_LABEL, byte_at,
};
use super::mistakes;
use super::near::nearest;
use super::object::{Object, Typed};
use super::options::Options;
use super::path::Path;
use super::texts::{of_matchers, of_template};
use crate::api::alert_rule::AlertRuleSpec;
use crate::api::{ContactPointSpec, TimeIntervalSpec};
use crate::domain::maintenance;
use crate::domain::notification::contact_point;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::refusal::Refusal;
use crate::domain::rule::{self, About, query, template};
use crate::domain::version::Version;

/// Whoever the operator is. What is found doesn't depend on it.
const OWNER: &str = "check";

/// The first Grafana of whose templates not all functions are known.
const TOO_NEW: Version = Version::new(13, 4, 0);

/// What the operator would say of a resource, besides what was found already.
pub(super) fn check(at: usize, object: &Object, options: &Options, known: &[Finding]) -> Vec<Finding> {
    let Some(typed) = &object.typed else {
        return Vec::new();
    };
    let mut found = parsed(at, object, typed, options);
    if let (Typed::TimeInterval(interval), Some(zones)) = (typed, &options.zones) {
        of_zones(at, &interval.spec, zones, &mut found);
    }
    found.extend(version::check(at, object, typed, options));
    if let Err(refusal) = refusal(object, typed, options.now) {
        let (path, message) = split(&refusal);
        // Its own words for what is wrong there are no better.
        let is_known = |finding: &Finding| {
            finding.level == Level::Error && (finding.path.is_within(&path) || path.is_within(&finding.path))
        };
        if !known.iter().chain(&found).any(is_known) {
            found.push(Finding::new(&REFUSED, at, path, message));
        }
    }
    found.retain(|finding| {
        let is_same = |other: &Finding| other.rule == finding.rule && other.path == finding.path;
        !known.iter().any(is_same)
    });
    found
}

/// The field that a refusal names, and the rest of its words.
pub(super) fn split(refusal: &Refusal) -> (Path, String) {
    let is_path = |text: &str| {
        text.starts_with("spec") && !text.contains(' ') || text.starts_with("metadata") && !text.contains(' ')
    };
    match refusal.message.split_once(": ") {
        Some((field, problem)) if is_path(field) => (Path::parse(field), problem.to_owned()),
        _ => (Path::parse("spec"), refusal.message.clone()),
    }
}

/// The first thing for which the operator refuses a resource, whatever else there is.
fn refusal(object: &Object, typed: &Typed, now: Timestamp) -> Result<(), Refusal> {
    // One that isn't written down will be known when it is applied.
    let namespace = if object.namespace.is_empty() {
        "default"
    } else {
        object.namespace.as_str()
    };
    let id = (namespace, object.name.as_str());
    let Some(owner) = Owner::parse(OWNER) else {
        return Ok(());
    };
    let owners = Owners::new(owner, &[]);
    match typed {
        Typed::AlertRule(rule) => mistakes::of_rule(&rule.spec, &owners, id, ""),
        Typed::ContactPoint(point) => mistakes::of_contact_point(&point.spec, &owners, id),
        Typed::GrafanaInstance(instance) => mistakes::of_instance(&instance.spec),
        Typed::InhibitionRule(rule) => mistakes::of_inhibition_rule(&rule.spec, &object.name),
        Typed::MaintenancePolicy(policy) => maintenance::of_policy(policy).map(drop),
        Typed::NotificationPolicy(policy) => mistakes::of_policy(&policy.spec),
        Typed::NotificationTemplate(template) => mistakes::of_template(&template.spec, &object.name),
        Typed::PrometheusRuleImport(import) => mistakes::of_import(import),
        Typed::Silence(silence) => mistakes::of_silence(&silence.spec, &owners, id, now),
        Typed::TimeInterval(_) => Ok(()),
    }
}

/// What the parsers say of the texts in a resource, of each by itself.
fn parsed(at: usize, object: &Object, typed: &Typed, options: &Options) -> Vec<Finding> {
    let mut found = Vec::new();
    match typed {
        Typed::AlertRule(rule) => of_rule(at, &rule.spec, &mut found),
        Typed::ContactPoint(point) => {
            of_texts(at, &point.spec, &mut found);
            let told = contact_point::unknown_words(&point.spec);
            found.extend(told.iter().map(|told| warning(&UNKNOWN_WORD, at, told)));
            let told = contact_point::secrets_in_the_clear(&point.spec);
            found.extend(told.iter().map(|told| warning(&SECRET_IN_CLEAR, at, told)));
        }
        Typed::NotificationPolicy(policy) => policy::check(at, &policy.spec, &mut found),
        Typed::NotificationTemplate(template) => {
            let text = template.spec.template.as_deref().unwrap_or_default();
            found.extend(of_template(
                at,
                Path::parse("spec.template"),
                text,
                template::check(text),
            ));
            let unknown = template::unknown_to_notifications(text).into_iter();
            // Grafana reads it when it is stored, and refuses it then. One that is newer may have more functions.
            let is_newer = |version: Version| version >= TOO_NEW;
            let level = if options.version_of(object).is_some_and(is_newer) {
                Level::Warning
            } else {
                Level::Error
            };
            found.extend(unknown.map(|unknown| {
                let path = Path::parse("spec.template");
                Finding::new(&UNKNOWN_WORD, at, path, unknown.to_string()).of(level)
            }));
        }
        Typed::Silence(silence) => of_matchers(
            at,
            &Path::parse("spec.matchers"),
            &silence.spec.matchers,
            &mut found,
        ),
        Typed::InhibitionRule(rule) => {
            let spec = Path::parse("spec");
            of_matchers(
                at,
                &spec.field("sourceMatchers"),
                &rule.spec.source_matchers,
                &mut found,
            );
            of_matchers(
                at,
                &spec.field("targetMatchers"),
                &rule.spec.target_matchers,
                &mut found,
            );
        }
        Typed::MaintenancePolicy(policy) => {
            if let Ok(maintenance) = maintenance::of_policy(policy) {
                let told = maintenance::warnings(&maintenance.lease);
                found.extend(told.iter().map(|told| warning(&LEASE, at, told)));
            }
        }
        Typed::GrafanaInstance(_) | Typed::PrometheusRuleImport(_) | Typed::TimeInterval(_) => {}
    }
    found
}

/// What the operator says in words that begin with the field.
fn warning(rule: &'static Rule, at: usize, told: &str) -> Finding {
    let (path, message) = split(&Refusal::missing(told));
    let (path, message) = match told.split_once(' ') {
        Some((field, rest)) if path == Path::parse("spec") && field.starts_with("spec.") => {
            (Path::parse(field.trim_end_matches(':')), rest.to_owned())
        }
        _ => (path, message),
    };
    Finding::new(rule, at, path, message)
}

/// The time zones that aren't among those that there are. Grafana's own may be others, so this is a warning.
fn of_zones(at: usize, spec: &TimeIntervalSpec, zones: &BTreeSet<String>, found: &mut Vec<Finding>) {
    for (i, period) in spec.time_intervals.iter().enumerate() {
        let Some(location) = period.location.as_deref() else {
            continue;
        };
        // What Go knows without a database.
        if matches!(location, "UTC" | "Local") || zones.contains(location) {
            continue;
        }
        let near = nearest(location, zones.iter().map(String::as_str));
        let near = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
        let path = Path::parse(&format!("spec.timeIntervals[{i}].location"));
        let message = format!("there is no time zone {location:?} on this machine{near}");
        found.push(Finding::new(&UNKNOWN_WORD, at, path, message));
    }
}

/// Each text of an integration that is a template.
fn of_texts(at: usize, spec: &ContactPointSpec, found: &mut Vec<Finding>) {
    fn walk(value: &Value, path: &Path, at: usize, found: &mut Vec<Finding>) {
        match value {
            Value::String(text) if text.contains("{{") => {
                found.extend(of_template(at, path.clone(), text, template::check(text)));
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    walk(value, &path.field(key), at, found);
                }
            }
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    walk(item, &path.index(i), at, found);
                }
            }
            _ => {}
        }
    }
    let integrations = serde_json::to_value(&spec.integrations).unwrap_or_default();
    walk(&integrations, &Path::parse("spec.integrations"), at, found);
}

/// What the operator warns of too, and leaves as it is written.
fn of_data(at: usize, spec: &AlertRuleSpec, found: &mut Vec<Finding>) {
    for doubt in rule::doubts(spec, &[]) {
        let path = Path::parse(&doubt.field);
        let (kind, place) = match doubt.about {
            About::Query(place) => (&QUERY, place),
            About::Expression => (&EXPRESSION, None),
        };
        let finding = Finding::new(kind, at, path, doubt.message).of(Level::Warning);
        let within = place.and_then(|(line, column)| {
            let entry = spec.data.as_ref()?.get(doubt.entry)?;
            Some(byte_at(entry.model.get("expr")?.as_str()?, line, column))
        });
        found.push(match within {
            Some(byte) => finding.at(Part::Byte(byte)),
            None => finding,
        });
    }
}

fn of_rule(at: usize, spec: &AlertRuleSpec, found: &mut Vec<Finding>) {
    if let Some(Err(error)) = spec.query.as_deref().map(query::split) {
        let text = spec.query.as_deref().unwrap_or_default();
        let byte = byte_at(text, error.line, error.column);
        let finding = Finding::new(&QUERY, at, Path::parse("spec.query"), error.problem.to_string());
        found.push(finding.at(Part::Byte(byte)));
    }
    of_data(at, spec, found);
    let annotations = Path::parse("spec.annotations");
    let labels = Path::parse("spec.labels");
    let texts = spec
        .annotations
        .iter()
        .map(|(key, text)| (annotations.field(key), text));
    let of_labels = spec.labels.iter().map(|(key, text)| (labels.field(key), text));
    let severity = spec
        .severity
        .iter()
        .map(|text| (Path::parse("spec.severity"), text));
    let of_labels: Vec<_> = of_labels.chain(severity).collect();
    for (path, text) in texts.chain(of_labels.iter().cloned()) {
        let read = if spec.query.is_some() && spec.record.is_none() {
            // The value's node is called so in each rule that has a comparison.
            template::rewrite(text, "B").map(drop)
        } else {
            template::check(text)
        };
        let is_verbatim = spec.query.is_none();
        let finding = of_template(at, path.clone(), text, read);
        // Such a text Grafana shows as it is written.
        found.extend(finding.map(|finding| {
            if is_verbatim {
                finding.of(Level::Warning)
            } else {
                finding
            }
        }));
        let unknown = template::unknown(text);
        found.extend(
            unknown
                .iter()
                .map(|unknown| Finding::new(&UNKNOWN_WORD, at, path.clone(), unknown.to_string())),
        );
    }
    for (path, text) in of_labels {
        if template::mentions_value(text) {
            let message = "this label holds the value: whenever it changes, the alert ends and a new one begins; use an annotation, or a rule for each severity";
            found.push(Finding::new(&VALUE_IN_LABEL, at, path, message));
        }
    }
}
