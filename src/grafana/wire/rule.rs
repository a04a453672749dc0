//! Alert rules and their groups, in the form of the provisioning API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::null_as_default;

/// One alert rule (`ProvisionedAlertRule`). Fields that an old Grafana does not know are left out while they are `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AlertRule {
    /// Identity within the organisation, at most 40 characters of `[A-Za-z0-9_-]`.
    pub uid: String,
    /// Folder that holds the rule.
    #[serde(rename = "folderUID")]
    pub folder_uid: String,
    /// Name of the rule's group within its folder.
    pub rule_group: String,
    /// Becomes the label `alertname`.
    pub title: String,
    /// The `refId` that decides.
    pub condition: String,
    /// Queries and expressions.
    #[serde(deserialize_with = "null_as_default")]
    pub data: Vec<Query>,
    /// `NoData`, `Alerting`, `OK`, or from 10.4 on `KeepLast`.
    pub no_data_state: String,
    /// `Error`, `Alerting`, `OK`, or from 10.4 on `KeepLast`.
    pub exec_err_state: String,
    /// How long the condition must hold before the alert fires, as a Prometheus duration.
    pub r#for: String,
    /// How long the alert goes on firing after the condition ceased; 12.0 and later.
    #[serde(rename = "keep_firing_for", skip_serializing_if = "Option::is_none")]
    pub keep_firing_for: Option<String>,
    /// Evaluations without a series before its alert resolves; 12.0 and later, where unset means 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing_series_evals_to_resolve: Option<i64>,
    /// Templated texts.
    #[serde(deserialize_with = "null_as_default")]
    pub annotations: BTreeMap<String, String>,
    /// Labels added to every alert of the rule.
    #[serde(deserialize_with = "null_as_default")]
    pub labels: BTreeMap<String, String>,
    /// Not evaluated while true.
    pub is_paused: bool,
    /// A contact point for this rule alone, past the policy tree; 10.4 and later.
    #[serde(rename = "notification_settings", skip_serializing_if = "Option::is_none")]
    pub notification_settings: Option<NotificationSettings>,
    /// What a recording rule writes, which doesn't alert; only read.
    #[serde(skip_serializing)]
    pub record: Option<Record>,
    /// Who provisioned it; only read. `None` means nobody.
    #[serde(skip_serializing)]
    pub provenance: Option<String>,
}

/// What a recording rule writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Name of the metric.
    pub metric: String,
}

/// Where the alerts of one rule go, past the policy tree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotificationSettings {
    /// Name of the contact point.
    pub receiver: String,
    /// Labels to group by; empty inherits the root policy's.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// Prometheus duration; unset inherits the root policy's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<String>,
    /// Prometheus duration; unset inherits the root policy's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_interval: Option<String>,
    /// Prometheus duration; unset inherits the root policy's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_interval: Option<String>,
    /// Names of intervals in which nothing is sent.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<String>,
    /// Names of the only intervals in which something is sent; 12.1 and later.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub active_time_intervals: Vec<String>,
}

/// One query or expression of a rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Query {
    /// Name by which conditions and expressions refer to it.
    pub ref_id: String,
    /// Overwritten by Grafana with the model's `queryType` where that is set.
    pub query_type: String,
    /// The time the query looks at, before now.
    pub relative_time_range: RelativeTimeRange,
    /// A data source, or `__expr__` for an expression.
    pub datasource_uid: String,
    /// What the data source is asked.
    pub model: Value,
}

/// A span of time before now, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RelativeTimeRange {
    /// Seconds before now at which it begins.
    pub from: i64,
    /// Seconds before now at which it ends.
    pub to: i64,
}

/// A rule group as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleGroup {
    /// Name within the folder.
    pub title: String,
    /// Folder that holds the group.
    #[serde(rename = "folderUid")]
    pub folder_uid: String,
    /// Seconds between evaluations.
    pub interval: u64,
    /// Every rule of the group. Empty in a write means that the rules stay as they are.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<AlertRule>,
}
