//! NotificationTemplate: texts that contact points use by name.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::super::reference::{At, DeletionPolicy, TextFrom};
use super::super::schema;

/// A group of notification templates in Grafana.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "NotificationTemplate",
    plural = "notificationtemplates",
    shortname = "ntemplate",
    category = "alerting",
    namespaced,
    status = "NotificationTemplateStatus",
    derive = "PartialEq",
    doc = "A group of notification templates in Grafana: texts that contact points use by name.",
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
#[x_kube(
    validation = Rule::new("has(self.template) != has(self.templateFrom)")
        .message("give exactly one of template and templateFrom")
)]
pub struct NotificationTemplateSpec {
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
    /// The group's name in Grafana. Contact points don't use it but the names that the text defines. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    #[x_kube(
        validation = Rule::new("!(self in ['.', '..'])")
            .message("a name can't be . or .., which Grafana's API takes as a way through its paths"),
        validation = Rule::new(r"!self.matches(r'[\x22\x5c\r\n]')")
            .message("a name holds no quote, no backslash and no line break: a text that defines nothing is a template of that name")
    )]
    pub name: Option<String>,
    /// The text, in Go's template language: `{{ define "slack.title" }}...{{ end }}`, once or more often. A text that defines nothing is one template of the group's name. A name that another resource, or somebody in Grafana, defines already is refused, and Grafana's own (`default.title`, `__subject`) are for the namespaces in `spec.unrestrictedNamespaces` of the GrafanaInstance. Default: none, then `templateFrom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 262_144))]
    pub template: Option<String>,
    /// Where the text is read from: what Helm or another tool would take for its own stays whole there. Default: none, then `template`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_from: Option<TextFrom>,
}

/// What became of the templates.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NotificationTemplateStatus {
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
    /// The group's name in Grafana.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Fingerprint of what was stored in Grafana last. It tells a change that is made there from another text.
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
