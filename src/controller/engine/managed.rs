//! What the resources that have an object in Grafana have in common.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Resource;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::api::reference::DeletionPolicy;
use crate::api::{
    ANNOTATION_SHARED_WITH, AlertRule, ContactPoint, DEFAULT_INSTANCE, InhibitionRule, NotificationPolicy,
    NotificationTemplate, PrometheusRuleImport, Silence, TimeInterval,
};
use crate::api::{
    AlertRuleStatus, ContactPointStatus, InhibitionRuleStatus, NotificationPolicyStatus,
    NotificationTemplateStatus, PrometheusRuleImportStatus, SilenceStatus, TimeIntervalStatus,
};
use crate::grafana::mirror::Part;

/// A resource that has an object in Grafana.
pub trait Managed:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Its status.
    type Status: Serialize + Clone + PartialEq + Default + Debug + Send + Sync;

    /// The kind, as Kubernetes writes it.
    const KIND: &'static str;

    /// What must have been read of Grafana for a pass over it. Data sources are asked for only by rules that have one.
    const NEEDS: &'static [Part];

    /// What must have been read of Grafana for its clean-up.
    const NEEDS_TO_LEAVE: &'static [Part];

    /// The status that was last seen.
    fn status(&self) -> Option<&Self::Status>;
    /// Its conditions.
    fn conditions(status: &Self::Status) -> &Vec<Condition>;
    /// Its conditions and observed generation, to be changed.
    fn observed(status: &mut Self::Status) -> (&mut Option<i64>, &mut Vec<Condition>);
    /// What of it somebody has changed in Grafana, to be changed.
    fn drift(_: &mut Self::Status) -> Option<&mut Vec<String>> {
        None
    }
    /// Whether somebody has changed it in Grafana, and that is only told of.
    fn is_drifted(&self) -> bool {
        false
    }
    /// The GrafanaInstance that it is for; the first one where there are several.
    fn instance(&self) -> &str;
    /// The GrafanaInstances that it is for, of which it may leave some.
    fn instances(&self) -> Vec<String> {
        let parts = self.projections();
        if parts.is_empty() {
            return vec![self.instance().to_owned()];
        }
        parts.iter().map(|part| part.instance().to_owned()).collect()
    }
    /// What it is in each Grafana, where there are several: to all but the pass over it a resource for several Grafanas is as many resources for
    /// one. Nothing where it is for one alone, and stands for itself.
    fn projections(&self) -> Vec<Self> {
        Vec::new()
    }
    /// Whether Grafana is to be left as it is.
    fn is_suspended(&self) -> bool;
    /// What happens in Grafana when it is deleted, if it says so itself.
    fn deletion_policy(&self) -> Option<DeletionPolicy>;

    /// Its namespace; every kind has one.
    fn ns(&self) -> &str {
        self.meta().namespace.as_deref().unwrap_or_default()
    }

    /// Its name.
    fn id(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Whether it is being deleted.
    fn is_deleting(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }

    /// Whether its owner shares it with a namespace.
    fn is_shared_with(&self, namespace: &str) -> bool {
        let list = self.annotation(ANNOTATION_SHARED_WITH).unwrap_or_default();
        list.split(',')
            .map(str::trim)
            .any(|entry| entry == "*" || !entry.is_empty() && entry == namespace)
    }

    /// The value of an annotation.
    fn annotation(&self, key: &str) -> Option<&str> {
        self.meta().annotations.as_ref()?.get(key).map(String::as_str)
    }
}

macro_rules! managed {
    ($kind:ident, $status:ident, needs $needs:expr, to leave $needs_to_leave:expr $(, $drifts:ident)?) => {
        impl Managed for $kind {
            type Status = $status;
            const KIND: &'static str = stringify!($kind);
            const NEEDS: &'static [Part] = &$needs;
            const NEEDS_TO_LEAVE: &'static [Part] = &$needs_to_leave;

            fn status(&self) -> Option<&Self::Status> {
                self.status.as_ref()
            }
            fn conditions(status: &Self::Status) -> &Vec<Condition> {
                &status.conditions
            }
            fn observed(status: &mut Self::Status) -> (&mut Option<i64>, &mut Vec<Condition>) {
                (&mut status.observed_generation, &mut status.conditions)
            }
            $(
                fn drift(status: &mut Self::Status) -> Option<&mut Vec<String>> {
                    Some(&mut status.$drifts)
                }
                fn is_drifted(&self) -> bool {
                    self.status.as_ref().is_some_and(|status| !status.$drifts.is_empty())
                }
            )?
            fn instance(&self) -> &str {
                self.spec.instance.as_deref().unwrap_or(DEFAULT_INSTANCE)
            }
            fn is_suspended(&self) -> bool {
                self.spec.suspend.unwrap_or(false)
            }
            fn deletion_policy(&self) -> Option<DeletionPolicy> {
                self.spec.deletion_policy
            }
        }
    };
}

managed!(AlertRule, AlertRuleStatus,
    needs [Part::Settings, Part::Folders, Part::Rules], to leave [Part::Rules], drift);
managed!(ContactPoint, ContactPointStatus,
    needs [Part::ContactPoints], to leave [Part::ContactPoints, Part::Policy], drift);
managed!(NotificationPolicy, NotificationPolicyStatus,
    needs [Part::ContactPoints, Part::Policy], to leave [Part::Policy], drift);
managed!(TimeInterval, TimeIntervalStatus,
    needs [Part::TimeIntervals], to leave [Part::TimeIntervals, Part::Policy, Part::Rules], drift);
managed!(NotificationTemplate, NotificationTemplateStatus,
    needs [Part::Templates], to leave [Part::Templates], drift);
managed!(InhibitionRule, InhibitionRuleStatus,
    needs [Part::Settings, Part::InhibitionRules], to leave [Part::InhibitionRules], drift);
managed!(Silence, SilenceStatus, needs [Part::Silences], to leave [Part::Silences], drift);
// What it makes is AlertRules, which need more.
managed!(PrometheusRuleImport, PrometheusRuleImportStatus, needs [], to leave []);
