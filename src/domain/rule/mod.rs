//! AlertRule → the rule that Grafana should hold.

mod data;
pub mod decision;
pub mod query;
pub mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::alert_rule::{AlertRuleSpec, DebugQuery, ExecErrState, NoDataState};
use crate::api::condition::Reason;
use crate::api::duration;
use crate::domain::links;
use crate::domain::ownership::{LABEL, Owner};
use crate::domain::refusal::Refusal;
use crate::domain::version::Version;
use crate::grafana::wire::{AlertRule, DataSource};
use data::Data;

/// The interval of rules that name none.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// What a rule depends on besides its own specification.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Whose rule it is.
    pub owner: &'a Owner,
    /// Namespace of the resource.
    pub namespace: &'a str,
    /// Name of the resource.
    pub name: &'a str,
    /// Labels that the instance adds to every rule.
    pub labels: &'a BTreeMap<String, String>,
    /// The folder's uid.
    pub folder_uid: &'a str,
    /// The data source that `query` and `debugQueries` are for; `None` where the rule needs none.
    pub source: Option<&'a DataSource>,
    /// Grafana's address for people.
    pub external_url: &'a str,
    /// Grafana's version.
    pub version: Version,
    /// What intervals must be a multiple of.
    pub base_interval: Duration,
}

/// The rule that Grafana should hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The rule as it is sent.
    pub rule: AlertRule,
    /// The interval of its group.
    pub interval: Duration,
    /// What a person should know though nothing is wrong.
    pub warnings: Vec<String>,
}

/// The title: `spec.title`, or the resource's name.
pub fn title<'a>(spec: &'a AlertRuleSpec, name: &'a str) -> &'a str {
    spec.title.as_deref().unwrap_or(name)
}

/// The group: `spec.group`, or the resource's name.
pub fn group<'a>(spec: &'a AlertRuleSpec, name: &'a str) -> &'a str {
    spec.group.as_deref().unwrap_or(name)
}

/// The folder's title path with the instance's prefix; `None` where the rule names a folder by uid.
pub fn folder_path(spec: &AlertRuleSpec, namespace: &str, prefix: &str) -> Option<String> {
    spec.folder_uid
        .is_none()
        .then(|| format!("{prefix}{}", spec.folder.as_deref().unwrap_or(namespace)))
}

/// The interval of the rule's group.
pub fn interval(spec: &AlertRuleSpec) -> Result<Duration, Refusal> {
    match &spec.interval {
        None => Ok(DEFAULT_INTERVAL),
        Some(text) => text.checked().map_err(|e| Refusal::invalid("spec.interval", e)),
    }
}

/// Whether the rule needs a data source of its own: for its query, or for its debug queries.
pub fn needs_source(spec: &AlertRuleSpec) -> bool {
    spec.query.is_some() || !spec.debug_queries.is_empty()
}

/// Works out the rule that Grafana should hold, or why it can't be.
pub fn wish(spec: &AlertRuleSpec, around: &Surroundings<'_>) -> Result<Wish, Refusal> {
    refuse_what_is_too_new(spec, around.version)?;
    let interval = checked_interval(spec, around.base_interval)?;
    let data = data::data(spec, around.source)?;
    let mut warnings = Vec::new();
    let (annotations, labels) = (
        annotations(spec, around, &data)?,
        labels(spec, around, &mut warnings),
    );
    let pending = |text: Option<&duration::Duration>, field: &str| {
        text.map_or(Ok(Duration::ZERO), |text| {
            text.checked().map_err(|e| Refusal::invalid(field, e))
        })
    };
    let rule = AlertRule {
        uid: uid(spec, around),
        folder_uid: around.folder_uid.to_owned(),
        rule_group: group(spec, around.name).to_owned(),
        title: title(spec, around.name).to_owned(),
        condition: data.condition,
        data: data.queries,
        no_data_state: no_data_state(spec.no_data_state.unwrap_or_default()).to_owned(),
        exec_err_state: exec_err_state(spec.exec_err_state.unwrap_or_default()).to_owned(),
        r#for: duration::format(pending(spec.for_.as_ref(), "spec.for")?),
        keep_firing_for: spec
            .keep_firing_for
            .as_ref()
            .map(|text| pending(Some(text), "spec.keepFiringFor").map(duration::format))
            .transpose()?,
        missing_series_evals_to_resolve: spec.missing_series_evals_to_resolve.map(i64::from),
        annotations,
        labels,
        is_paused: spec.paused.unwrap_or(false),
        notification_settings: None,
        provenance: None,
    };
    Ok(Wish {
        rule,
        interval,
        warnings,
    })
}

/// The rule's uid: given by hand, or derived.
pub fn uid(spec: &AlertRuleSpec, around: &Surroundings<'_>) -> String {
    spec.uid
        .clone()
        .unwrap_or_else(|| around.owner.rule_uid(around.namespace, around.name))
}

fn refuse_what_is_too_new(spec: &AlertRuleSpec, version: Version) -> Result<(), Refusal> {
    let keep_last = Version::KEEP_LAST;
    let wanted = [
        (
            "spec.noDataState: KeepLast",
            spec.no_data_state == Some(NoDataState::KeepLast),
            keep_last,
        ),
        (
            "spec.execErrState: KeepLast",
            spec.exec_err_state == Some(ExecErrState::KeepLast),
            keep_last,
        ),
        (
            "spec.keepFiringFor",
            spec.keep_firing_for.is_some(),
            Version::KEEP_FIRING_FOR,
        ),
        (
            "spec.missingSeriesEvalsToResolve",
            spec.missing_series_evals_to_resolve.is_some(),
            Version::KEEP_FIRING_FOR,
        ),
    ];
    match wanted
        .into_iter()
        .find(|(_, used, since)| *used && version < *since)
    {
        None => Ok(()),
        Some((field, _, since)) => Err(Refusal::new(
            Reason::Unsupported,
            format!(
                "{field} needs Grafana {since} or newer; this one is {version}. Remove the field or upgrade Grafana"
            ),
        )),
    }
}

fn checked_interval(spec: &AlertRuleSpec, base: Duration) -> Result<Duration, Refusal> {
    let interval = interval(spec)?;
    let base = if base.is_zero() {
        Duration::from_secs(10)
    } else {
        base
    };
    if interval.is_zero() || interval.as_nanos() % base.as_nanos() != 0 {
        return Err(Refusal::invalid(
            "spec.interval",
            format!(
                "{} is not a multiple of {}, the interval that this Grafana evaluates rules at",
                duration::format(interval),
                duration::format(base)
            ),
        ));
    }
    Ok(interval)
}

fn annotations(
    spec: &AlertRuleSpec,
    around: &Surroundings<'_>,
    data: &Data,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut annotations = BTreeMap::new();
    for (key, text) in &spec.annotations {
        let text = match &data.value {
            Some(value) => template::rewrite_annotation(text, value)
                .map_err(|e| Refusal::invalid(&format!("spec.annotations[{key}]"), e))?
                .into_owned(),
            None => text.clone(),
        };
        annotations.insert(key.clone(), text);
    }
    if let Some(dashboard) = &spec.dashboard {
        annotations.insert("__dashboardUid__".into(), dashboard.uid.clone());
        annotations.insert("__panelId__".into(), dashboard.panel_id.to_string());
    }
    if let Some(source) = around.source {
        for (i, query) in spec.debug_queries.iter().enumerate() {
            let key = annotation_key(query);
            if annotations.contains_key(&key) {
                return Err(Refusal::invalid(
                    &format!("spec.debugQueries[{i}].name"),
                    format!("makes the annotation {key}, which there is already; choose another name"),
                ));
            }
            annotations.insert(key, links::explore(around.external_url, source, &query.query));
        }
    }
    Ok(annotations)
}

/// `debug_` and the query's name, in the letters that an annotation's name may have.
fn annotation_key(query: &DebugQuery) -> String {
    let name: String = query
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("debug_{name}")
}

fn labels(
    spec: &AlertRuleSpec,
    around: &Surroundings<'_>,
    warnings: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut labels = around.labels.clone();
    labels.extend(
        spec.labels
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    if let Some(severity) = &spec.severity {
        labels.insert("severity".into(), severity.clone());
    }
    labels.insert(
        LABEL.to_owned(),
        around.owner.label(around.namespace, around.name),
    );
    warnings.extend(labels.iter().filter(|(_, text)| template::mentions_value(text)).map(|(key, _)| {
        format!("spec.labels[{key}] holds the value: every evaluation makes a new alert. Use an annotation")
    }));
    labels
}

fn no_data_state(state: NoDataState) -> &'static str {
    match state {
        NoDataState::NoData => "NoData",
        NoDataState::Alerting => "Alerting",
        NoDataState::OK => "OK",
        NoDataState::KeepLast => "KeepLast",
    }
}

fn exec_err_state(state: ExecErrState) -> &'static str {
    match state {
        ExecErrState::Error => "Error",
        ExecErrState::Alerting => "Alerting",
        ExecErrState::OK => "OK",
        ExecErrState::KeepLast => "KeepLast",
    }
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
