//! What a rule should have for whoever gets its alerts.

use std::collections::BTreeSet;

use super::super::finding::{
    FOR_ZERO, Finding, NO_COMPARISON, NO_DESCRIPTION, NO_RUNBOOK, NO_SEVERITY, NO_SUMMARY, Part,
    SINGLE_EVENT, UNKNOWN_SEVERITY,
};
use super::super::path::Path;
use crate::api::alert_rule::AlertRuleSpec;
use crate::domain::rule::query::{self, Always, Comparison, Obstacle, Split};

/// The severities that the documentation speaks of.
const KNOWN: [&str; 4] = ["critical", "high", "warning", "info"];

/// Those for which somebody is called.
const CALLING: [&str; 2] = ["critical", "high"];

/// Functions that count events.
const COUNTING: [&str; 6] = ["count_over_time", "increase", "rate", "irate", "delta", "changes"];

/// The severity of a rule, and where it is written.
fn severity_of(spec: &AlertRuleSpec) -> Option<(&str, Path)> {
    let own = spec
        .severity
        .as_deref()
        .map(|text| (text, Path::parse("spec.severity")));
    own.or_else(|| {
        let label = spec.labels.get("severity")?;
        Some((label.as_str(), Path::parse("spec.labels.severity")))
    })
}

/// Whether somebody is called for a rule.
pub(super) fn is_calling(spec: &AlertRuleSpec) -> bool {
    severity_of(spec).is_some_and(|(severity, _)| CALLING.contains(&severity))
}

pub(super) fn check(at: usize, spec: &AlertRuleSpec) -> Vec<Finding> {
    if spec.record.is_some() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut say = |rule, path: &str, message: String| {
        found.push(Finding::new(rule, at, Path::parse(path), message).at(Part::Key));
    };
    let has = |names: &[&str]| names.iter().any(|name| spec.annotations.contains_key(*name));
    let severity = severity_of(spec).map(|(severity, _)| severity);
    match severity {
        None => say(
            &NO_SEVERITY,
            "spec",
            format!(
                "the rule has no severity, so no route can tell how urgent it is: one of {}",
                KNOWN.join(", ")
            ),
        ),
        Some(severity) if CALLING.contains(&severity) && !has(&["runbook_url", "runbook"]) => say(
            &NO_RUNBOOK,
            "spec.annotations",
            format!(
                "the rule is {severity} and has no runbook_url: whoever is called doesn't know what to do"
            ),
        ),
        Some(_) => {}
    }
    if !has(&["summary"]) {
        let message = "the rule has no summary: notifications have nothing to say in their first line";
        say(&NO_SUMMARY, "spec.annotations", message.to_owned());
    }
    if !has(&["description", "message"]) {
        let message = "the rule has no description of what is wrong and whom it hurts";
        say(&NO_DESCRIPTION, "spec.annotations", message.to_owned());
    }
    let waits = spec.for_.as_ref().and_then(|text| text.checked().ok());
    if is_calling(spec) && waits.is_none_or(|length| length.is_zero()) && spec.data.is_none() {
        let message = "the rule calls somebody at its first bad evaluation: a for of some minutes leaves out what passes by itself";
        say(&FOR_ZERO, "spec.for", message.to_owned());
    }
    if let Some(byte) = spec.query.as_deref().and_then(single) {
        let message = "the rule fires for a single event: alert on how many there are, or on their share, unless each one must be looked at";
        let finding = Finding::new(&SINGLE_EVENT, at, Path::parse("spec.query"), message);
        found.push(finding.at(Part::Byte(byte)));
    }
    if let Some(always) = spec.query.as_deref().and_then(query::always) {
        let (byte, message) = match always {
            Always::Uncompared => (
                0,
                "the query compares nothing, so the rule fires as soon as there is a sample, whatever its value: compare it, as in \"… > 5\"",
            ),
            Always::Bool(byte) => (
                byte,
                "with bool the comparison yields 0 where it doesn't hold, and the rule fires for any sample, 0 too: leave bool out",
            ),
        };
        let finding = Finding::new(&NO_COMPARISON, at, Path::parse("spec.query"), message);
        found.push(finding.at(Part::Byte(byte)));
    }
    found
}

/// A severity that is none of those that there are.
pub(super) fn severity(at: usize, spec: &AlertRuleSpec, routed: &BTreeSet<String>) -> Option<Finding> {
    let (severity, path) = severity_of(spec)?;
    let is_known = KNOWN.contains(&severity) || severity.contains("{{") || routed.contains(severity);
    if is_known || spec.record.is_some() {
        return None;
    }
    let near = super::super::near::nearest(severity, KNOWN);
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    let message = format!(
        "{severity} is none of {}, and no route here matches it{near}",
        KNOWN.join(", ")
    );
    Some(Finding::new(&UNKNOWN_SEVERITY, at, path, message))
}

/// Where a query compares with what one event reaches.
fn single(text: &str) -> Option<usize> {
    let (query, is_one) = match query::split(text).ok()? {
        Split::Comparison { query, op, threshold } => {
            let is_one = match op {
                Comparison::Gt | Comparison::Ne => threshold == 0.0,
                Comparison::Ge => threshold > 0.0 && threshold <= 1.0,
                Comparison::Eq => (threshold - 1.0).abs() < f64::EPSILON,
                Comparison::Lt | Comparison::Le => false,
            };
            (query, is_one)
        }
        // Loki has no sample where it has counted nothing.
        Split::Whole(query, Obstacle::NoComparison) => (query, query.contains("count_over_time")),
        Split::Whole(..) => return None,
    };
    let counts = COUNTING.iter().any(|function| query.contains(function));
    // A share of something isn't an event.
    let is_share = query.contains('/') && !query.contains("|=") && !query.contains("|~");
    (is_one && counts && !is_share).then(|| {
        let end = text.find(query).map_or(0, |start| start + query.len());
        let rest = text.get(end..).unwrap_or_default();
        let behind = end + (rest.len() - rest.trim_start().len());
        if behind < text.len() { behind } else { 0 }
    })
}
