//! MaintenancePolicy: which workloads get maintenance silences, and how.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector};
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::{Duration, MORE_THAN_0, MORE_THAN_0_SAID};
use super::matcher::MatcherText;
use super::schema;
use super::silence::AlertRuleSelector;

/// Silences alerts while workloads of this namespace roll out or run.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "MaintenancePolicy",
    plural = "maintenancepolicies",
    shortname = "mpolicy",
    category = "alerting",
    namespaced,
    status = "MaintenancePolicyStatus",
    derive = "PartialEq",
    doc = "Silences alerts while Deployments, StatefulSets, DaemonSets and Rollouts of this namespace roll out and Jobs run, and no longer.",
    printcolumn(name = "Workloads", type_ = "integer", json_path = ".status.workloads"),
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
pub struct MaintenancePolicySpec {
    /// The GrafanaInstance that holds the silences. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// The GrafanaInstances that hold the silences, at most 16, where there are several, instead of `instance`. It may be changed: what is open stays where it is, and the next silence opens in those that are named then. Default: the one that `instance` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253)))]
    pub instances: Option<Vec<String>>,
    /// `true` opens no more silences. Those that are open end with their lease. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The workloads of this namespace that the policy looks after; one entry that matches is enough.
    #[schemars(length(min = 1, max = 64))]
    pub targets: Vec<MaintenanceTarget>,
    /// What is silenced and for how long. Default: every AlertRule of the namespace, for as long as its fields say by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<MaintenanceSilence>,
}

/// Workloads of one kind.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceTarget {
    /// `Deployment`, `StatefulSet`, `DaemonSet` or `Rollout`, of Argo Rollouts where that is installed (while a rollout is under way), `Job` (while it runs, also those of a CronJob), or `CronJob` (only those).
    pub kind: WorkloadKind,
    /// Labels of the workloads; for `CronJob` those of the Jobs, from its `jobTemplate`. Default: all of that kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
}

/// Kinds of workloads that are watched.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[schemars(transform = schema::values_only)]
pub enum WorkloadKind {
    /// apps/v1 Deployment.
    Deployment,
    /// apps/v1 StatefulSet.
    StatefulSet,
    /// apps/v1 DaemonSet.
    DaemonSet,
    /// argoproj.io/v1alpha1 Rollout.
    Rollout,
    /// batch/v1 Job, whoever has made it.
    Job,
    /// batch/v1 Job that a CronJob has made.
    CronJob,
}

impl WorkloadKind {
    /// The kind as Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Rollout => "Rollout",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }
}

/// A text each of whose `{{ }}` holds a word of the workload. What such a word is, `domain/maintenance/workload/template` says.
const WORDS: &str = r"^([^{]|\{[^{]|\{\{\s*[.](name|namespace|cronJob|labels[.][^\s}]+)\s*\}\})*\{?$";

/// The silence that is opened for a workload.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MaintenanceSilence {
    /// The AlertRules of this namespace that are silenced. Default: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_rules: Option<AlertRuleSelector>,
    /// Narrows it to alerts with these labels, for example `severity!="critical"`. In a value `{{ .labels.app }}` stands for the workload's label `app`,
    /// `{{ .name }}`, `{{ .namespace }}` and `{{ .cronJob }}` for what they say; a workload without it gets no silence. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 64))]
    #[x_kube(
        validation = Rule::new(format!("self.all(matcher, matcher.matches(r'{WORDS}'))"))
            .message("between {{ and }} stands .name, .namespace, .cronJob or .labels.KEY, such as {{ .labels.app.kubernetes.io/name }}, and nothing else")
    )]
    pub matchers: Vec<MatcherText>,
    /// The silence ends this soon unless progress is seen; it is extended at half that time. At least `5s`. Default: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(
        validation = Rule::new("self.matches('(^|[a-z])0*([1-9][0-9]*(y|w|d|h|m)([0-9]|$)|([5-9]|[1-9][0-9]+)s|([5-9][0-9]{3}|[1-9][0-9]{4,})ms)')")
            .message("must be at least 5s: it is extended at half of that, which takes a moment")
    )]
    pub lease: Option<Duration>,
    /// How long it stays after success, for late evaluations. Default: `2m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linger: Option<Duration>,
    /// `true` keeps it for `linger` also after a Job that failed, for example a load test, whose failure says nothing of what it has loaded. A rollout
    /// that fails is heard at once in any case. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linger_after_failure: Option<bool>,
    /// It is never extended past this, which is more than 0. Default: `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(MORE_THAN_0).message(MORE_THAN_0_SAID))]
    pub max_duration: Option<Duration>,
}

/// What became of the policy.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct MaintenancePolicyStatus {
    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, and while they hold Reconciling and Stalled.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// How many workloads the policy selects: of its namespace, and of others that name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workloads: Option<i64>,
}
