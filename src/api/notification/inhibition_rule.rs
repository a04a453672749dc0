//! InhibitionRule: alerts that nobody is told of while others fire.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::super::matcher::MatcherText;
use super::super::reference::{At, DeletionPolicy};
use super::super::schema;

/// An inhibition rule in Grafana.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "InhibitionRule",
    plural = "inhibitionrules",
    shortname = "irule",
    category = "alerting",
    namespaced,
    status = "InhibitionRuleStatus",
    derive = "PartialEq",
    doc = "Alerts in Grafana that nobody is told of while others fire; Grafana has inhibition rules since 13.0.",
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
        name = "Grafana Name",
        type_ = "string",
        json_path = ".status.name",
        priority = 1
    ),
    printcolumn(name = "Drift", type_ = "string", json_path = ".status.drift", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    selectable = ".spec.instance"
)]
#[serde(rename_all = "camelCase")]
pub struct InhibitionRuleSpec {
    /// The GrafanaInstance that holds it. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// The GrafanaInstances that hold it, at most 16, where there are several, instead of `instance`. A name may be added, and one that is taken out is cleaned up there as `deletionPolicy` says. Default: the one that `instance` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253)))]
    pub instances: Option<Vec<String>>,
    /// What happens in Grafana when this resource is deleted: `Delete` (default, or as the instance says) removes it, `Orphan` leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// `true` leaves Grafana as it is, whatever changes here, until it is unset. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The name in Grafana, which takes at most 40 characters: small letters, digits, `-` and `.`. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    #[x_kube(validation = Rule::new(r"self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')")
        .message("Grafana takes small letters, digits, - and . in the name of an inhibition rule, and letters or digits at its ends"))]
    pub name: Option<String>,
    /// Alertmanager matchers, all of which must hold: while an alert fires that they match, the rule holds. `alertname="NodeDown"`.
    #[schemars(length(min = 1, max = 32))]
    pub source_matchers: Vec<MatcherText>,
    /// Alertmanager matchers, all of which must hold: of alerts that they match nobody is told meanwhile. Where the namespace is bound to its own
    /// alerts, of those of its own AlertRules alone.
    #[schemars(length(min = 1, max = 32))]
    pub target_matchers: Vec<MatcherText>,
    /// Labels that must have the same value in both alerts; a label that is missing is one with an empty value. Default: none, so one alert that the
    /// source matchers match is enough for all that the target matchers match.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32), inner(length(min = 1, max = 190)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub equal: Vec<String>,
}

/// What became of the inhibition rule.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct InhibitionRuleStatus {
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
    /// Its name in Grafana.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Fingerprint of what was stored in Grafana last. It tells a change that is made there from another specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
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
