//! AlertRule: one Grafana-managed alert rule.

mod notification;
mod record;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Duration;
use super::reference::{At, DatasourceRef, DeletionPolicy};
use super::schema;

pub use notification::NotificationSettings;
pub use record::Record;

/// An alert rule that Grafana evaluates.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "AlertRule",
    plural = "alertrules",
    shortname = "arule",
    category = "alerting",
    namespaced,
    status = "AlertRuleStatus",
    derive = "PartialEq",
    doc = "An alert rule that Grafana evaluates, with its sync status and its live state.",
    printcolumn(name = "Severity", type_ = "string", json_path = ".spec.severity"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Folder", type_ = "string", json_path = ".status.folder", priority = 1),
    printcolumn(name = "Group", type_ = "string", json_path = ".status.group", priority = 1),
    printcolumn(name = "For", type_ = "string", json_path = ".spec.for", priority = 1),
    printcolumn(
        name = "Since",
        type_ = "date",
        json_path = ".status.stateSince",
        priority = 1
    ),
    printcolumn(name = "UID", type_ = "string", json_path = ".status.uid", priority = 1),
    printcolumn(
        name = "Error",
        type_ = "string",
        json_path = ".status.stateMessage",
        priority = 1
    ),
    printcolumn(name = "Drift", type_ = "string", json_path = ".status.drift", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    selectable = ".spec.instance",
    selectable = ".spec.severity",
    selectable = ".status.state"
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.query) != has(self.data)")
        .message("give exactly one of query (what Prometheus calls expr) and data"),
    validation = Rule::new("has(self.record) || has(self.data) == has(self.condition)")
        .message("data and condition belong together: condition names the refId in data that decides"),
    validation = Rule::new("!has(self.record) || has(self.data) == has(self.record.from)")
        .message("data and record.from belong together: from names the refId in data whose values are written"),
    validation = Rule::new("!has(self.record) || !has(self.data) || !has(self.record.from) || self.data.exists(q, q.refId == self.record.from)")
        .message("record.from must be the refId of one entry of data")
        .field_path(".record.from"),
    validation = Rule::new("!has(self.record) || !(has(self.condition) || has(self.__for__) || has(self.keepFiringFor) || has(self.severity) || has(self.annotations) || has(self.noDataState) || has(self.execErrState) || has(self.missingSeriesEvalsToResolve) || has(self.panelRef) || has(self.notificationSettings) || has(self.debugQueries))")
        .message("a recording rule has no alerts: record goes without condition, for, keepFiringFor, severity, annotations, noDataState, execErrState, missingSeriesEvalsToResolve, panelRef, notificationSettings and debugQueries")
        .field_path(".record"),
    validation = Rule::new("!has(self.data) || !has(self.condition) || self.data.exists(q, q.refId == self.condition)")
        .message("condition must be the refId of one entry of data")
        .field_path(".condition"),
    validation = Rule::new("!has(self.data) || !has(self.datasource)")
        .message("datasource goes with query; entries of data carry their own datasourceUid")
        .field_path(".datasource"),
    validation = Rule::new("!has(self.folder) || !has(self.folderUID)")
        .message("give folder or folderUID, not both"),
    validation = Rule::new("!has(self.severity) || !has(self.labels) || !('severity' in self.labels)")
        .message("severity is given twice: in severity and in labels")
        .field_path(".labels"),
    validation = Rule::new("has(self.uid) == has(oldSelf.uid) && (!has(self.uid) || self.uid == oldSelf.uid)")
        .message("uid is immutable: delete the resource and create it anew")
)]
pub struct AlertRuleSpec {
    /// The GrafanaInstance that evaluates the rule. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// The GrafanaInstances that evaluate the rule, at most 16, where there are several, instead of `instance`. A name may be added, and one that is taken out is cleaned up there as `deletionPolicy` says. Default: the one that `instance` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253)))]
    pub instances: Option<Vec<String>>,
    /// What happens to the rule in Grafana when this resource is deleted: `Delete` removes it first (default, or as the instance says), `Orphan`
    /// leaves it there, where it belongs to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// `true` leaves Grafana as it is, whatever changes here, until it is unset; `paused` stops the evaluation instead. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The rule's title, which becomes the label `alertname`. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub title: Option<String>,
    /// The rule's uid in Grafana. Default: derived from owner, namespace and name. One that is derived from another resource can't be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    #[x_kube(
        validation = Rule::new("self.matches('^[A-Za-z0-9_-]+$')")
            .message("a uid consists of letters, digits, dashes and underscores")
    )]
    pub uid: Option<String>,
    /// A LogQL or PromQL query (what Prometheus calls `expr`) with its comparison, as people write it: `sum(rate({app="shop"} |= "error" [5m])) > 1`.
    /// A comparison with a number becomes a condition of its own, with Prometheus' meaning of NaN and infinities; any other query fires for every sample that it returns.
    /// Default: none; it or `data` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 65536))]
    pub query: Option<String>,
    /// Grafana's own query model, instead of `query`: queries and expressions, taken verbatim. Default: none; it or `query` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["refId".into()]))]
    pub data: Option<Vec<DataQuery>>,
    /// The refId in `data` whose value decides whether the rule fires, for example `B`. Default: none; `data` needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub condition: Option<String>,
    /// The data source that `query` is sent to. Default: the instance's `defaultDatasource`, else Grafana's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasource: Option<DatasourceRef>,
    /// How long the condition must hold before the alert fires, for example `5m`. Default: `0s`.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub for_: Option<Duration>,
    /// How long the alert keeps firing after the condition has ended (Grafana 12.0 or newer). Default: `0s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_firing_for: Option<Duration>,
    /// How often the rule's group is evaluated: a multiple of 10 s, or of the server's `min_interval` where that is shorter. Default: `1m`, or the server's
    /// `min_interval` where that is longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("self.matches('[1-9]')")
            .message("must be more than 0: a multiple of 10s, such as 1m; to stop the evaluation write paused: true")
    )]
    pub interval: Option<Duration>,
    /// Becomes the label `severity`, for example `critical`, `high`, `warning` or `info`. Default: none, no label is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub severity: Option<String>,
    /// Labels of every alert of this rule, for example `team: web`; policies and silences match on them. Grafana's templates work, and `{{ $value }}` is the number; but a label that changes with the value ends the alert and begins another whenever it does. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 4096}))]
    #[x_kube(
        validation = Rule::new("self.all(k, k.matches('^[a-zA-Z_][a-zA-Z0-9_]*$'))")
            .message("a label name consists of letters, digits and underscores and doesn't start with a digit"),
        validation = Rule::new("self.all(k, !k.startsWith('__'))")
            .message("label names that begin with __ are reserved"),
        validation = Rule::new("!('alertname' in self)")
            .message("alertname is the rule's title, whatever its labels say: write title, or leave it to the resource's name")
    )]
    pub labels: BTreeMap<String, String>,
    /// Annotations of every alert: `summary`, `description`, `runbook_url` and others. Grafana's templates work; `{{ $value }}` is the number. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 64, "additionalProperties" = {"type": "string", "maxLength": 32768}))]
    pub annotations: BTreeMap<String, String>,
    /// The folder's title in Grafana; it is created if missing. `/` separates nested folders (Grafana 11.0 or newer), `\/` is a slash within a title. Default: the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    #[x_kube(
        validation = Rule::new(r"!self.matches(r'\s$|\s/|(^|[^\\])/([\s/]|$)')")
            .message("no title in a folder's path is empty, or has spaces at its ends: a/b is b within a; write \\/ for a slash within a title")
    )]
    pub folder: Option<String>,
    /// The uid of an existing folder, instead of `folder`. Default: the folder is found by its title.
    #[serde(default, rename = "folderUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    #[x_kube(
        validation = Rule::new("self.matches('^[A-Za-z0-9_-]+$')")
            .message("a uid consists of letters, digits, dashes and underscores")
    )]
    pub folder_uid: Option<String>,
    /// The rule group, whose rules are evaluated at one interval. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    #[x_kube(
        validation = Rule::new("!self.contains('/') && !self.contains('\\\\')")
            .message("a group's name holds no / and no \\, because Grafana's API takes it as part of a path"),
        validation = Rule::new("!(self in ['.', '..'])")
            .message("a group's name can't be . or .., which Grafana's API takes as a way through its paths")
    )]
    pub group: Option<String>,
    /// The state while the query returns nothing: `OK` (default), `NoData` (an alert `DatasourceNoData`), `Alerting` (the alert fires) or `KeepLast`
    /// (as it was; Grafana 10.4 or newer). `OK` suits logs, where nothing is good news. A metric whose target has vanished returns nothing either:
    /// for metrics take `NoData`, or have a rule with `absent(...)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_data_state: Option<NoDataState>,
    /// The state while the query fails: `Error` (default; an alert `DatasourceError`), `Alerting` (the alert fires), `OK` (nothing is wrong) or
    /// `KeepLast` (as it was; Grafana 10.4 or newer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_err_state: Option<ExecErrState>,
    /// After how many evaluations without its series an alert is resolved (Grafana 12.0 or newer). Default: Grafana's own, 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub missing_series_evals_to_resolve: Option<i32>,
    /// `true` stops the evaluation in Grafana, which resolves the rule's alerts; `suspend` leaves Grafana as it is instead. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
    /// `true` leaves the rule editable in Grafana, for everybody who may edit rules there; what they change is put right at the next resync, unless
    /// `suspend` is set. Default: `false`, Grafana locks it as provisioned. A change to `true` makes the rule anew under its uid, which forgets
    /// the state of its alerts: Grafana unlocks no rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub editable: Option<bool>,
    /// The panel of a dashboard that belongs to the rule; notifications link to it. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel_ref: Option<PanelRef>,
    /// Makes the rule a recording rule: the values that its query returns, after a comparison if it has one, are written as a metric with the rule's
    /// labels, and there are no alerts (Grafana 12.0 or newer, or 11.2 with the feature toggle `grafanaManagedRecordingRules`; where recording
    /// rules are switched off in Grafana's settings, it writes nothing). Default: none, the rule alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
    /// A contact point for the alerts of this rule alone, past the policy tree (Grafana 11.0 or newer, or 10.4 with the feature toggle
    /// `alertingSimplifiedRouting`), or another policy tree. Default: none, the alerts go by the default policy tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_settings: Option<NotificationSettings>,
    /// Queries for whoever is paged: each becomes an annotation that holds a link into Grafana Explore. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub debug_queries: Vec<DebugQuery>,
}

/// One query or expression of Grafana's own model.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct DataQuery {
    /// Name of the node, unique within the rule; expressions refer to it.
    #[schemars(length(min = 1, max = 64))]
    pub ref_id: String,
    /// Grafana's query type, for example `instant`. Default: none, as the data source takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub query_type: Option<String>,
    /// The data source's uid, or `__expr__` for an expression.
    #[schemars(length(min = 1, max = 190))]
    pub datasource_uid: String,
    /// The time range, in seconds before the evaluation. Default: the last 600 seconds (expressions: none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_time_range: Option<RelativeTimeRange>,
    /// The query model as Grafana stores it, nested at most 64 levels deep.
    #[schemars(schema_with = "schema::free_form_object")]
    pub model: serde_json::Value,
}

/// A time range that ends before the evaluation.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RelativeTimeRange {
    /// Start, in seconds before the evaluation.
    #[schemars(range(min = 0))]
    pub from: i64,
    /// End, in seconds before the evaluation. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub to: Option<i64>,
}

/// What an alert is while the query returns nothing.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[allow(clippy::upper_case_acronyms, reason = "Grafana writes it so")]
pub enum NoDataState {
    /// An alert `DatasourceNoData`.
    NoData,
    /// The alert fires.
    Alerting,
    /// Nothing is wrong.
    #[default]
    OK,
    /// As it was before.
    KeepLast,
}

/// What an alert is while the query fails.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[schemars(transform = schema::values_only)]
#[allow(clippy::upper_case_acronyms, reason = "Grafana writes it so")]
pub enum ExecErrState {
    /// An alert `DatasourceError`.
    #[default]
    Error,
    /// The alert fires.
    Alerting,
    /// Nothing is wrong.
    OK,
    /// As it was before.
    KeepLast,
}

/// A panel of a dashboard, as Grafana names its own.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct PanelRef {
    /// The dashboard's uid, as its address in Grafana has it behind `/d/`.
    #[serde(rename = "dashboardUID")]
    #[schemars(length(min = 1, max = 40))]
    pub dashboard_uid: String,
    /// The panel's number, as the address of the panel has it in `viewPanel`.
    #[serde(rename = "panelID")]
    #[schemars(range(min = 1))]
    pub panel_id: i64,
}

/// A query to look further with.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct DebugQuery {
    /// Short name; the annotation is called `debug_` and this name in lower case, with `_` for whatever isn't a letter or digit.
    #[schemars(length(min = 1, max = 63))]
    pub name: String,
    /// The query that Explore opens with, in the language of the rule's data source.
    #[schemars(length(min = 1, max = 8192))]
    pub query: String,
}

/// What became of the rule.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct AlertRuleStatus {
    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of the annotation `alerting.letsrevel.io/reconcile-at` that was handled last: a pass has read Grafana for it, or found what is wrong with the resource. A request stands while Grafana can't be asked, and while the resource is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Ready, and while they hold Reconciling and Stalled.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The rule's uid in Grafana.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Title of the folder it is stored in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The uid of that folder.
    #[serde(default, rename = "folderUID", skip_serializing_if = "Option::is_none")]
    pub folder_uid: Option<String>,
    /// The group it is stored in; absent for a rule that was made without one, which can't get any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Where to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The most severe state among its alerts: Normal, Pending, Firing, NoData, Error, Recovering, or Paused. Absent while
    /// Grafana hasn't evaluated it yet, and where somebody has deleted it there and `driftPolicy: Report` leaves that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why the state is Error, in Grafana's words, without times and ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_message: Option<String>,
    /// Since when the operator has seen that state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_since: Option<Time>,
    /// Fingerprint of what was stored in Grafana last. It tells a change that is made there from another specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// The last difference that was found in Grafana and corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_drift: Option<Drift>,
    /// What of it somebody has changed in Grafana, where the instance's `driftPolicy: Report` leaves that; `deleted` where it is gone from there.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub drift: Vec<String>,
    /// What became of it in each of its GrafanaInstances, where there are several, and in one that it leaves.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::list_of_statuses")]
    pub instances: Vec<At<Self>>,
}

/// A difference that somebody made in Grafana and the operator took back.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// The fields that differed; `deleted` where the whole rule was gone.
    pub fields: Vec<String>,
    /// When it was corrected.
    pub corrected_at: Time,
}
