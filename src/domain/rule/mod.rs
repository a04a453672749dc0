//! AlertRule → the rule that Grafana should hold.

mod data;
pub mod decision;
#[cfg(feature = "cli")]
pub mod evaluation;
pub mod folder;
pub mod identity;
pub mod query;
pub mod record;
pub mod states;
mod surroundings;
pub mod template;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api::alert_rule::{AlertRuleSpec, ExecErrState, NoDataState};
use crate::api::condition::Reason;
use crate::api::duration;
use crate::api::reference::DatasourceRef;
use crate::domain::ownership::Owner;
use crate::domain::refusal::Refusal;
use crate::domain::version::{Version, too_new};
use crate::grafana::api::Provenance;
use crate::grafana::model::AlertRule;
use crate::grafana::wire::{DataSource, Toggles};

pub use data::{About, Doubt, doubts, logs_of_metrics, refuse_other_language, unknown_sources};
pub use surroundings::Surroundings;

/// The interval of rules that name none, and of groups that are made by their first rule, unless the server's shortest is longer.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// What Grafana's scheduler wakes up at (`BaseInterval`); intervals are multiples of it. A server whose shortest interval is shorter has
/// been built or set to wake up that often.
const BASE_INTERVAL: Duration = Duration::from_secs(10);

/// How many characters titles and groups have in Grafana at most.
const LONGEST_NAME: usize = 190;

/// The rule that Grafana should hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The rule as it is sent, once it is told its folder.
    pub rule: AlertRule,
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

/// The interval of a group that is made by its first rule, on a server with this shortest interval.
pub fn default_interval(min_interval: Duration) -> Duration {
    DEFAULT_INTERVAL.max(min_interval)
}

/// What intervals are multiples of, on a server with this shortest interval.
pub fn base_interval(min_interval: Duration) -> Duration {
    if min_interval.is_zero() {
        BASE_INTERVAL
    } else {
        BASE_INTERVAL.min(min_interval)
    }
}

/// The interval that the specification asks for.
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

/// Who is to have provisioned the rule: nobody, where it is editable.
fn provenance(spec: &AlertRuleSpec) -> Provenance {
    if spec.editable.unwrap_or(false) {
        Provenance::None
    } else {
        Provenance::Api
    }
}

/// Works out the rule that Grafana should hold, or why it can't be.
pub fn wish(spec: &AlertRuleSpec, around: &Surroundings<'_>) -> Result<Wish, Refusal> {
    refuse_what_is_too_new(spec, around.version, around.toggles)?;
    let mut warnings = Vec::new();
    let interval = checked_interval(spec, around.min_interval, &mut warnings)?;
    if let Some(source) = around.source {
        refuse_other_language(spec, source)?;
        warnings.extend(logs_of_metrics(spec, source));
    }
    let rule = AlertRule {
        interval,
        ..rule(spec, around, &mut warnings)?
    };
    Ok(Wish { rule, warnings })
}

/// Fails where the specification is wrong whatever the Grafana is: its version, its intervals and its data sources aren't known.
pub fn check(
    spec: &AlertRuleSpec,
    owner: &Owner,
    (namespace, name): (&str, &str),
    folder_prefix: &str,
) -> Result<(), Refusal> {
    interval(spec)?;
    if let Some(path) = folder_path(spec, namespace, folder_prefix) {
        folder::titles(&path)?;
    }
    labels(spec, owner, (namespace, name), &BTreeMap::new())?;
    match spec.datasource.as_ref().and_then(of_type) {
        Some(source) => refuse_other_language(spec, &source),
        None => Ok(()),
    }
}

/// A data source that is named by its type, as far as it is known by that.
fn of_type(reference: &DatasourceRef) -> Option<DataSource> {
    Some(DataSource {
        r#type: reference.type_.clone()?,
        ..DataSource::default()
    })
}

/// The labels that a rule gives its alerts, with those that its instance adds; or why the rule can't be, whatever the Grafana is.
pub fn labels(
    spec: &AlertRuleSpec,
    owner: &Owner,
    (namespace, name): (&str, &str),
    of_instance: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Refusal> {
    // Of a query only the language depends on the source, and that both have the same comparisons.
    let known = |reference: Option<&DatasourceRef>| {
        reference.and_then(of_type).unwrap_or_else(|| DataSource {
            r#type: "prometheus".to_owned(),
            ..DataSource::default()
        })
    };
    let source = known(spec.datasource.as_ref());
    let target = spec
        .record
        .as_ref()
        .map(|record| known(record.target_datasource.as_ref()));
    let around = Surroundings {
        owner,
        uid: "",
        namespace,
        name,
        labels: of_instance,
        source: Some(&source),
        target: target.as_ref(),
        notification: None,
        external_url: "",
        version: Version::SAME_TITLES,
        toggles: Toggles::default(),
        min_interval: Duration::ZERO,
    };
    rule(spec, &around, &mut Vec::new()).map(|rule| rule.labels)
}

/// The rule, without its interval.
fn rule(
    spec: &AlertRuleSpec,
    around: &Surroundings<'_>,
    warnings: &mut Vec<String>,
) -> Result<AlertRule, Refusal> {
    let data = data::data(spec, around.source)?;
    let annotations = text::annotations(spec, around, &data, warnings)?;
    let labels = text::labels(spec, around, &data, warnings)?;
    let pending = |text: Option<&duration::Duration>, field: &str| {
        text.map_or(Ok(Duration::ZERO), |text| {
            text.checked().map_err(|e| Refusal::invalid(field, e))
        })
    };
    let record = record::record(spec, around)?;
    check_names(spec, around.name)?;
    // A recording rule has no alerts, and Grafana clears what would say something of them.
    let of_alerts = |text: &str| record.as_ref().map_or(text, |_| "").to_owned();
    Ok(AlertRule {
        uid: around.uid.to_owned(),
        folder_uid: String::new(),
        group: Some(group(spec, around.name).to_owned()),
        interval: Duration::ZERO,
        title: title(spec, around.name).to_owned(),
        condition: data.condition,
        data: data.queries,
        no_data_state: of_alerts(no_data_state(spec.no_data_state.unwrap_or_default())),
        exec_err_state: of_alerts(exec_err_state(spec.exec_err_state.unwrap_or_default())),
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
        notification_settings: around.notification.cloned(),
        record,
        provenance: provenance(spec).name().map(str::to_owned),
    })
}

/// Fails where the resource's name stands for a title or a group, and is longer than these can be: of those that are given the schema says it.
fn check_names(spec: &AlertRuleSpec, name: &str) -> Result<(), Refusal> {
    let is = name.chars().count();
    for (field, given) in [("spec.title", &spec.title), ("spec.group", &spec.group)] {
        if given.is_none() && is > LONGEST_NAME {
            return Err(Refusal::invalid(
                field,
                format!(
                    "it is the resource's name where it is left out, which has {is} characters, and Grafana takes no more than {LONGEST_NAME}: give a shorter one"
                ),
            ));
        }
    }
    Ok(())
}

/// Fails where a Grafana of that version, with these feature toggles, doesn't have what the rule asks for.
pub fn refuse_what_is_too_new(
    spec: &AlertRuleSpec,
    version: Version,
    toggles: Toggles,
) -> Result<(), Refusal> {
    refuse_fields(spec, version)?;
    record::refuse_what_is_too_new(spec, version, toggles)
}

fn refuse_fields(spec: &AlertRuleSpec, version: Version) -> Result<(), Refusal> {
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
    let used = wanted
        .into_iter()
        .filter(|(_, used, since)| *used && version < *since);
    let fields: Vec<_> = used.map(|(field, _, since)| (field.to_owned(), since)).collect();
    match too_new(&fields, version) {
        None => Ok(()),
        Some(message) => Err(Refusal::new(Reason::Unsupported, message)),
    }
}

/// The interval that the rule will have: a shorter one than its shortest Grafana raises by itself.
fn checked_interval(
    spec: &AlertRuleSpec,
    min: Duration,
    warnings: &mut Vec<String>,
) -> Result<Duration, Refusal> {
    let interval = interval(spec)?;
    let base = base_interval(min);
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
    if interval < min && spec.interval.is_some() {
        warnings.push(format!(
            "spec.interval: {} is shorter than {min}, the shortest that this Grafana evaluates at (min_interval), so it is {min}",
            duration::format(interval),
            min = duration::format(min)
        ));
    }
    Ok(interval.max(min))
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
