//! The custom resources: what users write.
//!
//! Group `alerting.letsrevel.io`, version `v1alpha1`. This module is types, their schema and the small languages that
//! appear in their fields (durations, matchers). It knows nothing of the rest of the crate; the field documentation is
//! what users read in `kubectl explain`.

#![expect(
    unreachable_pub,
    reason = "KubeSchema repeats each type, as public as it is, within the body of a function"
)]
#![expect(
    clippy::duplicated_attributes,
    reason = "every printcolumn and every validation has parts of the same names"
)]

pub mod alert_rule;
pub mod condition;
pub mod contact_point;
pub mod duration;
mod go_regex;
pub mod grafana_instance;
pub mod maintenance_policy;
pub mod matcher;
mod not_yet;
pub mod notification;
pub mod prometheus_rule_import;
pub mod reference;
pub mod schema;
pub mod silence;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use alert_rule::{AlertRule, AlertRuleSpec, AlertRuleStatus};
pub use contact_point::{ContactPoint, ContactPointSpec, ContactPointStatus};
pub use grafana_instance::{GrafanaInstance, GrafanaInstanceSpec, GrafanaInstanceStatus};
pub use maintenance_policy::{MaintenancePolicy, MaintenancePolicySpec, MaintenancePolicyStatus};
pub use notification::inhibition_rule::{InhibitionRule, InhibitionRuleSpec, InhibitionRuleStatus};
pub use notification::policy::{NotificationPolicy, NotificationPolicySpec, NotificationPolicyStatus};
pub use notification::template::{
    NotificationTemplate, NotificationTemplateSpec, NotificationTemplateStatus,
};
pub use notification::time_interval::{TimeInterval, TimeIntervalSpec, TimeIntervalStatus};
pub use prometheus_rule_import::{
    PrometheusRuleImport, PrometheusRuleImportSpec, PrometheusRuleImportStatus,
};
pub use silence::{Silence, SilenceSpec, SilenceStatus};

/// The API group of every custom resource.
pub const GROUP: &str = "alerting.letsrevel.io";

/// The finalizer that keeps a resource until what it made in Grafana is gone.
pub const FINALIZER: &str = "alerting.letsrevel.io/cleanup";

/// The name under which the operator writes to the API server.
pub const FIELD_MANAGER: &str = "alertwright";

/// The name under which it writes the AlertRules of a PrometheusRuleImport. What it doesn't set in them is left to whoever does.
pub const IMPORT_FIELD_MANAGER: &str = "alertwright-import";

/// Label of an AlertRule: the PrometheusRuleImport that it is from, shortened where it is longer than a label may be.
pub const LABEL_IMPORT: &str = "alerting.letsrevel.io/import";

/// Label of such an AlertRule: the name of its alert, where that can be a label's value.
pub const LABEL_ALERT: &str = "alerting.letsrevel.io/alert";

/// Annotation of such an AlertRule: kind, namespace and name of the object that it is from, and its group.
pub const ANNOTATION_SOURCE: &str = "alerting.letsrevel.io/source";

/// Annotation of such an AlertRule: fingerprint of what the import asked for last. What it asks for no longer is told by it.
pub const ANNOTATION_IMPORTED: &str = "alerting.letsrevel.io/imported";

/// The GrafanaInstance that is used where `spec.instance` is unset.
pub const DEFAULT_INSTANCE: &str = "default";

/// Annotation: `"true"` takes over an object of the same name that somebody else made in Grafana.
pub const ANNOTATION_ADOPT: &str = "alerting.letsrevel.io/adopt";

/// Annotation: any new value sends a contact point again, secrets included; on a GrafanaInstance all contact points in that Grafana, as far
/// as it hides something of them.
pub const ANNOTATION_RESEND: &str = "alerting.letsrevel.io/resend";

/// Annotation: any new value, best a time, asks for a pass now, which reads what it is about in Grafana anew; the status says when it was handled.
pub const ANNOTATION_RECONCILE: &str = "alerting.letsrevel.io/reconcile-at";

/// Annotation on a ContactPoint, a TimeInterval or a root NotificationPolicy: the namespaces (comma separated, or `*`) whose resources may refer to it.
pub const ANNOTATION_SHARED_WITH: &str = "alerting.letsrevel.io/shared-with";

/// A kind, and what makes its CustomResourceDefinition.
type Kind = (&'static str, fn() -> CustomResourceDefinition);

/// Every kind, in the order in which they are installed, with what makes its CustomResourceDefinition.
const KINDS: [Kind; 10] = [
    ("AlertRule", AlertRule::crd),
    ("ContactPoint", ContactPoint::crd),
    ("GrafanaInstance", GrafanaInstance::crd),
    ("InhibitionRule", InhibitionRule::crd),
    ("MaintenancePolicy", MaintenancePolicy::crd),
    ("NotificationPolicy", NotificationPolicy::crd),
    ("NotificationTemplate", NotificationTemplate::crd),
    ("PrometheusRuleImport", PrometheusRuleImport::crd),
    ("Silence", Silence::crd),
    ("TimeInterval", TimeInterval::crd),
];

/// The names of all kinds.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, _)| *kind)
}

/// The CustomResourceDefinition of a kind. It takes a while to make: whoever needs one kind doesn't make all.
pub fn crd(kind: &str) -> Option<CustomResourceDefinition> {
    let (_, make) = KINDS.iter().find(|(known, _)| *known == kind)?;
    let mut crd = make();
    schema::finish(&mut crd);
    Some(crd)
}

/// Every CustomResourceDefinition, in the order in which they are installed.
pub fn crds() -> Vec<CustomResourceDefinition> {
    kinds().filter_map(crd).collect()
}
