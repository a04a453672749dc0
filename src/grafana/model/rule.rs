//! Alert rules.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// One alert rule, as it is wished or as it was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertRule {
    /// Identity within the organisation, at most 40 characters of `[A-Za-z0-9_-]`.
    pub uid: String,
    /// Folder that holds the rule.
    pub folder_uid: String,
    /// Name of the rule's group within its folder. `None` for one that was made without, by `/apis`, and that can't get any: it is
    /// evaluated by itself.
    pub group: Option<String>,
    /// Time between evaluations, in whole seconds; that of the group, if it has one.
    pub interval: Duration,
    /// Becomes the label `alertname`.
    pub title: String,
    /// The `refId` that decides.
    pub condition: String,
    /// Queries and expressions, in any order.
    pub data: Vec<Query>,
    /// `NoData`, `Alerting`, `OK`, or from 10.4 on `KeepLast`.
    pub no_data_state: String,
    /// `Error`, `Alerting`, `OK`, or from 10.4 on `KeepLast`.
    pub exec_err_state: String,
    /// How long the condition must hold before the alert fires, as a Prometheus duration.
    pub r#for: String,
    /// How long the alert goes on firing after the condition ceased; 12.0 and later.
    pub keep_firing_for: Option<String>,
    /// Evaluations without a series before its alert resolves; 12.0 and later, where unset means 2.
    pub missing_series_evals_to_resolve: Option<i64>,
    /// Templated texts.
    pub annotations: BTreeMap<String, String>,
    /// Labels added to every alert of the rule.
    pub labels: BTreeMap<String, String>,
    /// Not evaluated while true.
    pub is_paused: bool,
    /// A contact point for this rule alone, past the policy tree, or another tree; 10.4 and later.
    pub notification_settings: Option<NotificationSettings>,
    /// What a recording rule writes, which doesn't alert: it has no condition, no states and no time to wait.
    pub record: Option<Record>,
    /// Who provisioned it, or is to have: `api` locks it, and `None`, nobody, leaves it editable. Grafana lets none be taken away.
    pub provenance: Option<String>,
}

/// What a recording rule writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Name of the metric.
    pub metric: String,
    /// The `refId` whose values are written.
    pub from: String,
    /// Uid of the data source that is written to. Before 12.0 it stands in Grafana's settings.
    pub target: Option<String>,
}

/// Where the alerts of one rule go, past the policy tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotificationSettings {
    /// Name of the contact point; empty where the alerts go through a policy tree of the rule's own.
    pub receiver: String,
    /// Labels to group by; empty inherits the root policy's.
    pub group_by: Vec<String>,
    /// Prometheus duration; unset inherits the root policy's.
    pub group_wait: Option<String>,
    /// Prometheus duration; unset inherits the root policy's.
    pub group_interval: Option<String>,
    /// Prometheus duration; unset inherits the root policy's.
    pub repeat_interval: Option<String>,
    /// Names of intervals in which nothing is sent.
    pub mute_time_intervals: Vec<String>,
    /// Names of the only intervals in which something is sent; 12.1 and later.
    pub active_time_intervals: Vec<String>,
    /// Name of a policy tree beside the default one, in the place of all else; 13.2 and later, or 13.0 by a feature toggle.
    pub policy: Option<String>,
}

/// What stands for a data source in a node that is an expression.
pub const EXPRESSION: &str = "__expr__";

/// What it was called once. Grafana takes it still, and `/apis` doesn't say which of the two it was.
const OLD_EXPRESSION: &str = "-100";

/// One query or expression of a rule.
#[derive(Debug, Clone, Default, PartialEq)]
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

impl Query {
    /// Whether it is an expression, which Grafana works out itself.
    pub fn is_expression(&self) -> bool {
        matches!(self.datasource_uid.as_str(), EXPRESSION | OLD_EXPRESSION)
    }
}

/// A span of time before now, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RelativeTimeRange {
    /// Seconds before now at which it begins.
    pub from: i64,
    /// Seconds before now at which it ends.
    pub to: i64,
}
