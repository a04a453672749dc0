//! One rule, and one group, as an AlertRule has them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::source::{Group, Rule, Source};
use crate::api::PrometheusRuleImport;
use crate::api::alert_rule::{AlertRuleSpec, Record};
use crate::api::duration;
use crate::domain::rule::template::{self, Unknown};
use crate::domain::version::Version;

/// The schema's limits of an AlertRule: what is beyond them would be refused by the API server.
const LONGEST_TITLE: usize = 190;
const LONGEST_QUERY: usize = 65_536;
const LONGEST_LABEL: usize = 4096;
const LONGEST_ANNOTATION: usize = 32_768;
const MOST_TEXTS: usize = 64;
const LONGEST_SEVERITY: usize = 63;

/// A rule as an AlertRule has it, without its place.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) spec: AlertRuleSpec,
    /// What is otherwise than in Prometheus.
    pub(super) losses: Vec<String>,
    /// What it has as it is written, and Grafana shows otherwise.
    pub(super) remarks: Vec<String>,
}

/// Fields of groups and rules that change nothing of which alerts there are.
const WITHOUT_EFFECT: [&str; 3] = ["concurrency", "debug", "update_entries_limit"];

/// The interval of a group, and what of it isn't carried over; or why none of its rules can be.
pub(super) fn group(
    group: &Group,
    base: Duration,
) -> Result<(Option<duration::Duration>, Vec<String>), String> {
    if let Some(kind) = group.others.get("type").and_then(Value::as_str)
        && !matches!(kind, "" | "prometheus")
    {
        return Err(format!(
            "its group is of type {kind:?}, whose expressions aren't PromQL"
        ));
    }
    let mut losses = Vec::new();
    let interval = interval(group, base, &mut losses)?;
    for (field, value) in &group.others {
        losses.extend(loss_of_group(field, value));
    }
    Ok((interval, losses))
}

fn interval(
    group: &Group,
    base: Duration,
    losses: &mut Vec<String>,
) -> Result<Option<duration::Duration>, String> {
    let Some(text) = group.interval.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let asked = read(text).map_err(|problem| format!("its group's interval: {problem}"))?;
    if asked.is_zero() {
        return Ok(None);
    }
    let rounds = asked.as_nanos().div_ceil(base.as_nanos().max(1));
    let rounded = base.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX));
    if rounded == asked {
        return duration::Duration::parse(text)
            .map(Some)
            .map_err(|e| e.to_string());
    }
    let rounded = duration::Duration::from(rounded);
    losses.push(format!(
        "interval: {text} is {rounded} here, for Grafana evaluates at multiples of {}",
        duration::format(base)
    ));
    Ok(Some(rounded))
}

/// What a field of a group means that isn't carried over; `None` where it means nothing.
fn loss_of_group(field: &str, value: &Value) -> Option<String> {
    let is_nothing = match value {
        Value::Null => true,
        Value::Bool(is_set) => !is_set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || read(text).is_ok_and(|length| length.is_zero()),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    };
    if is_nothing || WITHOUT_EFFECT.contains(&field) {
        return None;
    }
    let short = match value {
        Value::String(text) => format!(": {text}"),
        Value::Number(number) => format!(": {number}"),
        _ => String::new(),
    };
    let meaning = match field {
        "type" => return None,
        // The only other one is what Grafana does too: a query that is answered in part fails.
        "partial_response_strategy"
            if value
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case("abort")) =>
        {
            return None;
        }
        "partial_response_strategy" => "the data source decides what a partial answer is",
        "limit" => "Grafana keeps all alerts of a rule, however many they are",
        "query_offset" | "eval_delay" => "the query is asked as of now; write an offset into the expression",
        "eval_offset" | "eval_alignment" => {
            "Grafana decides itself when within its interval a group is evaluated"
        }
        "tenant" | "params" | "headers" | "extra_filter_labels" => {
            "what the data source is asked with is set in Grafana's data source; choose one by spec.datasource"
        }
        "notifier_headers" => "notifications are sent by Grafana's contact points",
        _ => "Grafana has nothing like it",
    };
    Some(format!("{field}{short} is not carried over: {meaning}"))
}

/// The group in Grafana: named by its object too, for groups of the same name in several objects are several groups.
pub(super) fn group_name(with_namespace: bool, source: &Source<'_>, group: &str) -> String {
    let namespace = if with_namespace {
        format!("{} ", source.namespace)
    } else {
        String::new()
    };
    let wished = format!("{namespace}{}: {group}", source.name);
    // Grafana's API takes it as part of a path, and the schema for no more than 190 characters.
    let allowed: String = wished
        .chars()
        .map(|c| if matches!(c, '/' | '\\') { '-' } else { c })
        .collect();
    if allowed == wished && allowed.chars().count() <= LONGEST_TITLE {
        return allowed;
    }
    let digest: Vec<u8> = Sha256::digest(&wished).iter().copied().take(5).collect();
    let hash = data_encoding::BASE32_DNSSEC.encode(&digest);
    let cut: String = allowed.chars().take(LONGEST_TITLE - hash.len() - 1).collect();
    format!("{cut} {hash}")
}

/// A rule as an AlertRule has it, or why it can't be carried over.
pub(super) fn rule(
    import: &PrometheusRuleImport,
    group: &Group,
    rule: &Rule,
    version: Version,
) -> Result<Carried, String> {
    let title = match (&rule.alert, &rule.record) {
        (Some(alert), None) if !alert.is_empty() => alert.clone(),
        (None, Some(metric)) if !metric.is_empty() => return record(import, group, rule, metric, version),
        _ => return Err("it has to have either alert or record".into()),
    };
    at_most(&title, LONGEST_TITLE, "its name")?;
    let query = rule.expr.text();
    at_most(&query, LONGEST_QUERY, "expr")?;
    let mut losses = Vec::new();
    let (labels, severity) = labels(import, group, rule)?;
    let annotations = annotations(rule)?;
    for (key, text) in &labels {
        losses.extend(unknown(&format!("labels.{key}"), text));
    }
    let remarks = annotations.iter();
    let remarks = remarks.flat_map(|(key, text)| unknown(&format!("annotations.{key}"), text));
    let remarks = remarks.collect();
    for (field, value) in &rule.others {
        losses.extend(loss_of_group(field, value));
    }
    let keeps = length(rule.keep_firing_for.as_deref(), "keep_firing_for")?;
    let can_keep = version >= Version::KEEP_FIRING_FOR;
    if let Some(keeps) = keeps.as_ref().filter(|_| !can_keep) {
        losses.push(format!(
            "keep_firing_for: {keeps} is not carried over: it needs Grafana {} or newer, and this one is {version}",
            Version::KEEP_FIRING_FOR
        ));
    }
    let spec = &import.spec;
    Ok(Carried {
        spec: AlertRuleSpec {
            instance: spec.instance.clone(),
            instances: spec.instances.clone(),
            deletion_policy: spec.deletion_policy,
            title: Some(title),
            query: Some(query),
            datasource: spec.datasource.clone(),
            for_: length(rule.pending.as_deref(), "for")?,
            keep_firing_for: keeps.filter(|_| can_keep),
            severity,
            labels,
            annotations,
            folder: spec.folder.clone(),
            folder_uid: spec.folder_uid.clone(),
            no_data_state: spec.no_data_state,
            exec_err_state: spec.exec_err_state,
            // Prometheus resolves an alert as soon as its series is gone.
            missing_series_evals_to_resolve: can_keep.then_some(1),
            ..AlertRuleSpec::default()
        },
        losses,
        remarks,
    })
}

/// What a text uses that Grafana doesn't have. What is made of the answer to a query goes with it.
fn unknown(field: &str, text: &str) -> Vec<String> {
    let all = template::unknown(text);
    let is_query = |unknown: &Unknown, is_asking: bool| match unknown {
        Unknown::Query(name) => (name == "query") == is_asking,
        _ => false,
    };
    let asks = all.iter().any(|unknown| is_query(unknown, true));
    let all = all.iter().filter(|unknown| !(asks && is_query(unknown, false)));
    all.map(|unknown| format!("{field}: {unknown}")).collect()
}

/// A recording rule as an AlertRule has it: with the labels of its group and its own alone, for what the import adds would make it another series.
fn record(
    import: &PrometheusRuleImport,
    group: &Group,
    rule: &Rule,
    metric: &str,
    version: Version,
) -> Result<Carried, String> {
    let Some(recording) = &import.spec.recording_rules else {
        return Err(
            "it records a series, which spec.recordingRules would carry over; without it have the data source's own rules record, or an AlertRule with record"
                .into(),
        );
    };
    if version < Version::RECORDING_RULES {
        return Err(format!(
            "it records a series, which needs Grafana {} or newer, and this one is {version}",
            Version::RECORDING_RULES
        ));
    }
    at_most(metric, LONGEST_TITLE, "its name")?;
    let query = rule.expr.text();
    at_most(&query, LONGEST_QUERY, "expr")?;
    let mut labels = group.labels.clone();
    labels.extend(rule.labels.clone());
    check_labels(&labels)?;
    let others = rule.others.iter();
    let losses = others.filter_map(|(field, value)| loss_of_group(field, value));
    let spec = &import.spec;
    Ok(Carried {
        spec: AlertRuleSpec {
            instance: spec.instance.clone(),
            instances: spec.instances.clone(),
            deletion_policy: spec.deletion_policy,
            title: Some(metric.to_owned()),
            query: Some(query),
            datasource: spec.datasource.clone(),
            record: Some(Record {
                metric: metric.to_owned(),
                from: None,
                target_datasource: recording.target_datasource.clone(),
            }),
            labels,
            folder: spec.folder.clone(),
            folder_uid: spec.folder_uid.clone(),
            ..AlertRuleSpec::default()
        },
        losses: losses.collect(),
        remarks: Vec::new(),
    })
}

/// Labels and severity: the import's, then the group's, then the rule's own. A label without a value takes that of the series away, as in Prometheus, and `alertname` is
/// the alert's name, whatever a rule says.
fn labels(
    import: &PrometheusRuleImport,
    group: &Group,
    rule: &Rule,
) -> Result<(BTreeMap<String, String>, Option<String>), String> {
    let mut labels = import.spec.labels.clone();
    labels.extend(group.labels.clone());
    labels.extend(rule.labels.clone());
    labels.remove("alertname");
    let mapping = import.spec.severity_mapping.clone().unwrap_or_default();
    let label = mapping.label.as_deref().unwrap_or("severity");
    let said = |label: &str| labels.get(label).filter(|text| !text.is_empty()).cloned();
    let severity = match said(label) {
        Some(own) => Some(mapping.map.get(&own).cloned().unwrap_or(own)),
        None => mapping.otherwise.or_else(|| said("severity")),
    };
    let severity_label = labels.remove("severity");
    let severity = match severity {
        // The field can't be empty.
        None => {
            labels.extend(severity_label.map(|empty| ("severity".to_owned(), empty)));
            None
        }
        // The field holds no more.
        Some(long) if long.chars().count() > LONGEST_SEVERITY => {
            labels.insert("severity".to_owned(), long);
            None
        }
        other => other,
    };
    check_labels(&labels)?;
    Ok((labels, severity))
}

fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), String> {
    if labels.len() > MOST_TEXTS {
        return Err(format!(
            "it has {} labels; {MOST_TEXTS} are the most",
            labels.len()
        ));
    }
    for (key, text) in labels {
        if !is_label_name(key) {
            return Err(format!(
                "labels.{key}: a label of Grafana's alerts consists of letters, digits and underscores and begins neither with a digit nor with __"
            ));
        }
        at_most(text, LONGEST_LABEL, &format!("labels.{key}"))?;
    }
    Ok(())
}

fn annotations(rule: &Rule) -> Result<BTreeMap<String, String>, String> {
    if rule.annotations.len() > MOST_TEXTS {
        return Err(format!(
            "it has {} annotations; {MOST_TEXTS} are the most",
            rule.annotations.len()
        ));
    }
    for (key, text) in &rule.annotations {
        at_most(text, LONGEST_ANNOTATION, &format!("annotations.{key}"))?;
    }
    Ok(rule.annotations.clone())
}

fn is_label_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.starts_with("__")
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(is_part)
}

fn at_most(text: &str, longest: usize, what: &str) -> Result<(), String> {
    let is = text.chars().count();
    if is > longest {
        return Err(format!("{what} has {is} characters; {longest} are the most"));
    }
    Ok(())
}

/// A length of time that may be left out.
fn length(text: Option<&str>, field: &str) -> Result<Option<duration::Duration>, String> {
    let text = text.filter(|text| !text.is_empty());
    text.map(|text| duration::Duration::parse(text).map_err(|problem| format!("{field}: {problem}")))
        .transpose()
}

fn read(text: &str) -> Result<Duration, duration::InvalidDuration> {
    duration::Duration::parse(text)?.checked()
}

#[cfg(test)]
#[path = "carry_tests.rs"]
mod tests;
