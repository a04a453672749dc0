//! What a rule says, as an object of `rules.alerting.grafana.app`: `v1beta1`, and `v0alpha1` as 13.0 and later have it.
//!
//! Durations are read as Go prints them (`10m0s`) and as Prometheus does (`10m`), and written as Prometheus reads them. The names of fields are those of
//! `apps/alerting/rules/kinds` in Grafana's source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::notification::Notification;
use crate::grafana::api::DEFAULT_INTERVAL;
use crate::grafana::digest;
use crate::grafana::error::{Error, Result};
use crate::grafana::model::{AlertRule, EXPRESSION, Query, Record, RelativeTimeRange};
use crate::grafana::wire::null_as_default;

/// The state that everything else spells `OK`.
const OK: &str = "Ok";

/// The annotations by which a rule belongs to a panel. The object says so once more in a field of its own, which other clients look at.
const DASHBOARD: &str = "__dashboardUid__";
const PANEL: &str = "__panelId__";

/// The spec of an alert rule or, with a metric, of a recording rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Spec {
    title: String,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_false")]
    paused: bool,
    trigger: Trigger,
    /// By `refId`. One of them is the source: it decides.
    #[serde(deserialize_with = "null_as_default")]
    expressions: BTreeMap<String, Expression>,
    #[serde(deserialize_with = "null_as_default")]
    labels: BTreeMap<String, String>,
    /// A recording rule has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<BTreeMap<String, String>>,
    /// Zero is refused, and left out in answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_series_evals_to_resolve: Option<i64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    no_data_state: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    exec_err_state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification_settings: Option<Notification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panel_ref: Option<PanelRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    #[serde(rename = "targetDatasourceUID", skip_serializing_if = "Option::is_none")]
    target_datasource_uid: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Trigger {
    interval: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Expression {
    #[serde(skip_serializing_if = "String::is_empty")]
    query_type: String,
    /// Left out where both ends are now.
    #[serde(skip_serializing_if = "Option::is_none")]
    relative_time_range: Option<Range>,
    /// A data source. Expressions have none.
    #[serde(rename = "datasourceUID", skip_serializing_if = "String::is_empty")]
    datasource_uid: String,
    model: Value,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "is_false")]
    source: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Range {
    from: String,
    to: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct PanelRef {
    #[serde(rename = "dashboardUID")]
    dashboard_uid: String,
    #[serde(rename = "panelID")]
    panel_id: i64,
}

impl Spec {
    /// A rule as it is sent. Two nodes of one name have no words here, and the last would be the only one.
    pub(super) fn of(rule: &AlertRule) -> Result<Self> {
        let mut expressions = BTreeMap::new();
        for node in &rule.data {
            let record = rule.record.as_ref();
            let source = record.map_or(&rule.condition, |record| &record.from);
            let is_source = node.ref_id == *source;
            if expressions
                .insert(node.ref_id.clone(), Expression::of(node, is_source))
                .is_some()
            {
                let name = &node.ref_id;
                return Err(Error::Configuration(format!(
                    "data: two nodes have the refId {name}; give each a name of its own"
                )));
            }
        }
        Ok(Self {
            title: rule.title.clone(),
            paused: rule.is_paused,
            trigger: Trigger {
                interval: seconds(rule.interval.as_secs()),
            },
            expressions,
            labels: rule.labels.clone(),
            annotations: rule.record.is_none().then(|| rule.annotations.clone()),
            r#for: some_time(&rule.r#for),
            keep_firing_for: rule.keep_firing_for.as_deref().and_then(some_time),
            missing_series_evals_to_resolve: rule.missing_series_evals_to_resolve,
            no_data_state: spelled(&rule.no_data_state, ("OK", OK)),
            exec_err_state: spelled(&rule.exec_err_state, ("OK", OK)),
            notification_settings: rule.notification_settings.as_ref().map(Notification::of),
            panel_ref: PanelRef::of(&rule.annotations),
            metric: rule.record.as_ref().map(|record| record.metric.clone()),
            target_datasource_uid: rule.record.as_ref().and_then(|record| record.target.clone()),
        })
    }

    /// The rule that was read; where it is stands in the metadata.
    pub(super) fn rule(self) -> AlertRule {
        let source = self.expressions.iter().find(|(_, node)| node.source);
        let condition = source.map(|(name, _)| name.clone()).unwrap_or_default();
        let mut annotations = self.annotations.unwrap_or_default();
        if let Some(panel) = self.panel_ref {
            let id = panel.panel_id.to_string();
            for (name, value) in [(DASHBOARD, panel.dashboard_uid), (PANEL, id)] {
                annotations.entry(name.to_owned()).or_insert(value);
            }
        }
        let target = self.target_datasource_uid.filter(|uid| !uid.is_empty());
        let record = self.metric.map(|metric| Record {
            metric,
            from: condition.clone(),
            target,
        });
        let nodes = self.expressions.into_iter();
        AlertRule {
            title: self.title,
            interval: digest::duration(&self.trigger.interval).unwrap_or(DEFAULT_INTERVAL),
            // The provisioning API shows none of a recording rule.
            condition: if record.is_some() {
                String::new()
            } else {
                condition
            },
            data: nodes.map(|(name, node)| node.query(name)).collect(),
            no_data_state: spelled(&self.no_data_state, (OK, "OK")),
            exec_err_state: spelled(&self.exec_err_state, (OK, "OK")),
            r#for: self.r#for.unwrap_or_default(),
            keep_firing_for: self.keep_firing_for,
            missing_series_evals_to_resolve: self.missing_series_evals_to_resolve,
            annotations,
            labels: self.labels,
            is_paused: self.paused,
            notification_settings: self.notification_settings.map(Notification::settings),
            record,
            ..AlertRule::default()
        }
    }

    /// Whether it is that of a recording rule.
    pub(super) fn records(&self) -> bool {
        self.metric.is_some()
    }

    /// The same with another interval, in whole seconds.
    pub(super) fn every(mut self, interval: std::time::Duration) -> Self {
        self.trigger.interval = seconds(interval.as_secs());
        self
    }
}

impl Expression {
    fn of(node: &Query, source: bool) -> Self {
        let RelativeTimeRange { from, to } = node.relative_time_range;
        Self {
            query_type: node.query_type.clone(),
            relative_time_range: (from != 0 || to != 0).then(|| Range {
                from: seconds(from),
                to: seconds(to),
            }),
            datasource_uid: if node.is_expression() {
                String::new()
            } else {
                node.datasource_uid.clone()
            },
            model: node.model.clone(),
            source,
        }
    }

    fn query(self, ref_id: String) -> Query {
        let range = self.relative_time_range.unwrap_or_default();
        Query {
            ref_id,
            query_type: self.query_type,
            relative_time_range: RelativeTimeRange {
                from: whole_seconds(&range.from),
                to: whole_seconds(&range.to),
            },
            datasource_uid: if self.datasource_uid.is_empty() {
                EXPRESSION.to_owned()
            } else {
                self.datasource_uid
            },
            model: self.model,
        }
    }
}

impl PanelRef {
    /// The panel that annotations name, if they do and this field can say it.
    fn of(annotations: &BTreeMap<String, String>) -> Option<Self> {
        let (dashboard, panel) = (annotations.get(DASHBOARD)?, annotations.get(PANEL)?);
        let is_uid = !dashboard.is_empty()
            && dashboard
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let panel_id: i64 = panel.parse().ok()?;
        // A number that would come back in other digits is left to its annotation.
        (is_uid && panel_id > 0 && panel_id.to_string() == *panel).then(|| Self {
            dashboard_uid: dashboard.clone(),
            panel_id,
        })
    }
}

fn seconds(count: impl std::fmt::Display) -> String {
    format!("{count}s")
}

fn whole_seconds(text: &str) -> i64 {
    let duration = digest::duration(text).unwrap_or_default();
    duration.as_secs().try_into().unwrap_or(i64::MAX)
}

/// A duration that isn't nothing.
fn some_time(text: &str) -> Option<String> {
    let is_nothing = text.is_empty() || digest::duration(text).is_some_and(|duration| duration.is_zero());
    (!is_nothing).then(|| text.to_owned())
}

fn spelled(state: &str, (one, other): (&str, &str)) -> String {
    if state == one { other } else { state }.to_owned()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests;
