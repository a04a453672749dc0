//! PrometheusRuleImport: rules that others wrote for Prometheus, evaluated by Grafana.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alert_rule::{ExecErrState, NoDataState};
use super::reference::{DatasourceRef, DeletionPolicy};
use super::schema;

/// Keeps an AlertRule for each alert of PrometheusRules and VMRules.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "PrometheusRuleImport",
    plural = "prometheusruleimports",
    shortname = "pimport",
    category = "alerting",
    namespaced,
    status = "PrometheusRuleImportStatus",
    derive = "PartialEq",
    doc = "Keeps an AlertRule for each alert of the PrometheusRules and VMRules that it selects, which are only read.",
    printcolumn(name = "Sources", type_ = "integer", json_path = ".status.sources"),
    printcolumn(name = "Rules", type_ = "integer", json_path = ".status.rules"),
    printcolumn(name = "Skipped", type_ = "integer", json_path = ".status.skipped"),
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
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    selectable = ".spec.instance"
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.folder) || !has(self.folderUID)")
        .message("give folder or folderUID, not both")
)]
pub struct PrometheusRuleImportSpec {
    /// The GrafanaInstance that evaluates the rules. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// The GrafanaInstances that evaluate the rules, at most 16, where there are several, instead of `instance`: the AlertRules have the same. A name may be added, and one that is taken out is cleaned up there as `deletionPolicy` says. Default: the one that `instance` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253)))]
    pub instances: Option<Vec<String>>,
    /// The `deletionPolicy` of the AlertRules: what happens to a rule in Grafana when its alert is gone from its source, or this resource is
    /// deleted. `Delete` removes it (default, or as the instance says), `Orphan` leaves it there, where it belongs to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// `true` leaves the AlertRules as they are, whatever changes in the sources, until it is unset. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The kinds that are read. Where both are, a VMRule of the same namespace and name as a PrometheusRule is taken for its copy, which
    /// VictoriaMetrics' operator makes, and left out. Default: both, `PrometheusRule` and `VMRule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub kinds: Option<Vec<SourceKind>>,
    /// Labels of the objects that are read, for example `matchLabels: {release: monitoring}`. Default: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    /// The namespaces whose objects are read. Others than its own only a namespace may name that is among the instance's
    /// `unrestrictedNamespaces`, or the operator's own. The AlertRules are in the import's namespace in any case. Default: its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<SourceNamespaces>,
    /// The data source that the expressions are sent to. Default: the instance's `defaultDatasource`, else Grafana's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasource: Option<DatasourceRef>,
    /// The folder of the rules, by its title in Grafana; it is created if missing. `/` separates nested folders (Grafana 11.0 or newer), `\/` is a slash within a title. Default: the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub folder: Option<String>,
    /// The uid of an existing folder, instead of `folder`. Default: the folder is found by its title.
    #[serde(default, rename = "folderUID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    #[x_kube(
        validation = Rule::new("self.matches('^[A-Za-z0-9_-]+$')")
            .message("a uid consists of letters, digits, dashes and underscores")
    )]
    pub folder_uid: Option<String>,
    /// Labels added to every rule, for example `team: web`. A rule's own label of the same name wins. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 16, "additionalProperties" = {"type": "string", "maxLength": 4096}))]
    #[x_kube(
        validation = Rule::new("self.all(k, k.matches('^[a-zA-Z_][a-zA-Z0-9_]*$') && !k.startsWith('__'))")
            .message("a label name consists of letters, digits and underscores and begins neither with a digit nor with __, which is reserved")
    )]
    pub labels: BTreeMap<String, String>,
    /// How the severity of a rule is read. Default: the rule's label `severity`, as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_mapping: Option<SeverityMapping>,
    /// Alerts that are left out, by their names, for example `Watchdog`. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 256), inner(length(min = 1, max = 190)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub exclude_alerts: Vec<String>,
    /// Carries recording rules over too, from Grafana 12.0 on, and says where they write. Where the data source's own rules record them they would be
    /// written twice. Default: they are skipped, and named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording_rules: Option<RecordingRules>,
    /// The `noDataState` of the AlertRules: `OK` (default, as in Prometheus, where an expression that returns nothing is no alert), `NoData`, `Alerting`
    /// or `KeepLast`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_data_state: Option<NoDataState>,
    /// The `execErrState` of the AlertRules: `Error` (default, an alert `DatasourceError`; Prometheus itself only counts failures in a metric),
    /// `Alerting`, `OK` or `KeepLast`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_err_state: Option<ExecErrState>,
}

/// How recording rules are carried over.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RecordingRules {
    /// The data source that is written to, a Prometheus that takes remote writes. Default: the one that the expressions are sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_datasource: Option<DatasourceRef>,
}

/// Kinds of objects that hold rules for Prometheus.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[schemars(transform = schema::values_only)]
pub enum SourceKind {
    /// monitoring.coreos.com/v1 PrometheusRule.
    PrometheusRule,
    /// operator.victoriametrics.com/v1beta1 VMRule.
    VMRule,
}

impl SourceKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::PrometheusRule, Self::VMRule];

    /// The kind as Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PrometheusRule => "PrometheusRule",
            Self::VMRule => "VMRule",
        }
    }
}

/// Namespaces that are read.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.names) != (has(self.all) && self.all)")
        .message("give names, or all: true")
)]
pub struct SourceNamespaces {
    /// The namespaces by name; there are no wildcards. Its own counts only if it is among them. Default: none, then `all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256), inner(length(min = 1, max = 63)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("self.all(n, n.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))")
            .message("each is the name of one namespace, of lower-case letters, digits and dashes; there are no wildcards")
    )]
    pub names: Option<Vec<String>>,
    /// `true` reads every namespace that the operator watches. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
}

/// How the severity of a rule is read.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SeverityMapping {
    /// The label of the rule that holds it; it stays among the labels too, unless it is `severity`. Default: `severity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub label: Option<String>,
    /// What its values mean here, for example `page: critical`. A value that isn't named stays as it is. Default: none is named.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 32, "additionalProperties" = {"type": "string", "minLength": 1, "maxLength": 63}))]
    pub map: BTreeMap<String, String>,
    /// The severity of rules without that label. Default: none.
    #[serde(default, rename = "default", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub otherwise: Option<String>,
}

/// What became of the import.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusRuleImportStatus {
    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of the annotation `alerting.letsrevel.io/reconcile-at` that was handled last: a pass has compared all AlertRules for it, or found what is wrong with the resource. A request stands while that can't be seen, and while the resource is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Ready, and while they hold Reconciling and Stalled. Ready means that the AlertRules are as the sources say; whether Grafana has them they say themselves.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// How many objects are selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<i64>,
    /// How many AlertRules the import has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<i64>,
    /// How many rules have none, because they can't be carried over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<i64>,
    /// The first of these, and why.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub skipped_rules: Vec<Remark>,
    /// How many rules and groups are carried over with something in them that Grafana doesn't have or means otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub different: Option<i64>,
    /// The first of these, and what it is.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub differences: Vec<Remark>,
}

/// What there is to be said of a rule or of a group.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub struct Remark {
    /// Kind, namespace and name of the object that it is in, for example `PrometheusRule monitoring/web`.
    pub source: String,
    /// Its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The name of the alert or of the recorded series; absent where the whole group is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What there is to be said, and the cure.
    pub message: String,
}
