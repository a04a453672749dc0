//! Telling the controllers which resources to look at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::Stream;
use futures::stream::unfold;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource, ResourceExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::by::{By, Indexed};
use super::store::Store;
use crate::api::{
    AlertRule, ContactPoint, GrafanaInstance, InhibitionRule, MaintenancePolicy, NotificationPolicy,
    NotificationTemplate, PrometheusRuleImport, Silence, TimeInterval,
};
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, StatefulSet};

/// The sending end for one kind.
pub struct Trigger<K: Resource<DynamicType = ()>> {
    sender: UnboundedSender<ObjectRef<K>>,
    /// From when on it asks. Before, every resource has its first pass ahead, which sees what there is by then.
    begins: Option<Arc<AtomicBool>>,
}

impl<K: Resource<DynamicType = ()>> Clone for Trigger<K> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            begins: self.begins.clone(),
        }
    }
}

impl<K: Resource<DynamicType = ()>> Trigger<K> {
    /// Asks for a pass over one resource.
    pub fn one(&self, namespace: &str, name: &str) {
        self.ask(ObjectRef::new(name).within(namespace));
    }

    fn ask(&self, resource: ObjectRef<K>) {
        if self
            .begins
            .as_ref()
            .is_none_or(|begins| begins.load(Ordering::SeqCst))
        {
            // The receiver is gone only while the process ends.
            let _ = self.sender.send(resource);
        }
    }
}

impl<K: Indexed> Trigger<K> {
    /// Asks for a pass over every resource that is found by this.
    pub fn all_by(&self, store: &Store<K>, key: &By) {
        for name in store.names(key) {
            self.ask(name);
        }
    }

    /// Asks for a pass over every resource that is for an instance.
    pub fn all_of(&self, store: &Store<K>, instance: &str) {
        self.all_by(store, &By::Instance(instance.to_owned()));
    }

    /// Asks for a pass over every resource.
    pub fn all(&self, store: &Store<K>) {
        for object in store.all() {
            self.one(&object.namespace().unwrap_or_default(), &object.name_any());
        }
    }
}

/// The sending ends for all kinds.
pub struct Triggers {
    /// AlertRules.
    pub rules: Trigger<AlertRule>,
    /// ContactPoints.
    pub contact_points: Trigger<ContactPoint>,
    /// NotificationPolicies.
    pub policies: Trigger<NotificationPolicy>,
    /// TimeIntervals.
    pub time_intervals: Trigger<TimeInterval>,
    /// NotificationTemplates.
    pub templates: Trigger<NotificationTemplate>,
    /// InhibitionRules.
    pub inhibition_rules: Trigger<InhibitionRule>,
    /// Silences.
    pub silences: Trigger<Silence>,
    /// GrafanaInstances.
    pub instances: Trigger<GrafanaInstance>,
    /// MaintenancePolicies.
    pub maintenance: Trigger<MaintenancePolicy>,
    /// Deployments.
    pub deployments: Trigger<Deployment>,
    /// StatefulSets.
    pub stateful_sets: Trigger<StatefulSet>,
    /// DaemonSets.
    pub daemon_sets: Trigger<DaemonSet>,
    /// Rollouts of Argo Rollouts.
    pub rollouts: Trigger<Rollout>,
    /// Jobs.
    pub jobs: Trigger<Job>,
    /// PrometheusRuleImports.
    pub imports: Trigger<PrometheusRuleImport>,
}

/// The receiving ends for all kinds.
pub struct Receivers {
    /// AlertRules.
    pub rules: UnboundedReceiver<ObjectRef<AlertRule>>,
    /// ContactPoints.
    pub contact_points: UnboundedReceiver<ObjectRef<ContactPoint>>,
    /// NotificationPolicies.
    pub policies: UnboundedReceiver<ObjectRef<NotificationPolicy>>,
    /// TimeIntervals.
    pub time_intervals: UnboundedReceiver<ObjectRef<TimeInterval>>,
    /// NotificationTemplates.
    pub templates: UnboundedReceiver<ObjectRef<NotificationTemplate>>,
    /// InhibitionRules.
    pub inhibition_rules: UnboundedReceiver<ObjectRef<InhibitionRule>>,
    /// Silences.
    pub silences: UnboundedReceiver<ObjectRef<Silence>>,
    /// GrafanaInstances.
    pub instances: UnboundedReceiver<ObjectRef<GrafanaInstance>>,
    /// MaintenancePolicies.
    pub maintenance: UnboundedReceiver<ObjectRef<MaintenancePolicy>>,
    /// Deployments.
    pub deployments: UnboundedReceiver<ObjectRef<Deployment>>,
    /// StatefulSets.
    pub stateful_sets: UnboundedReceiver<ObjectRef<StatefulSet>>,
    /// DaemonSets.
    pub daemon_sets: UnboundedReceiver<ObjectRef<DaemonSet>>,
    /// Rollouts of Argo Rollouts.
    pub rollouts: UnboundedReceiver<ObjectRef<Rollout>>,
    /// Jobs.
    pub jobs: UnboundedReceiver<ObjectRef<Job>>,
    /// PrometheusRuleImports.
    pub imports: UnboundedReceiver<ObjectRef<PrometheusRuleImport>>,
}

/// Both ends for all kinds. `ready`: whether passes over resources that have an object in Grafana have begun.
pub fn triggers(ready: &Arc<AtomicBool>) -> (Triggers, Receivers) {
    fn made<K: Resource<DynamicType = ()>>(
        begins: Option<&Arc<AtomicBool>>,
    ) -> (Trigger<K>, UnboundedReceiver<ObjectRef<K>>) {
        let (sender, receiver) = unbounded_channel();
        let begins = begins.cloned();
        (Trigger { sender, begins }, receiver)
    }
    fn channel<K: Resource<DynamicType = ()>>() -> (Trigger<K>, UnboundedReceiver<ObjectRef<K>>) {
        made(None)
    }
    let (rules, rules_receiver) = made(Some(ready));
    let (contact_points, contact_points_receiver) = made(Some(ready));
    let (policies, policies_receiver) = made(Some(ready));
    let (time_intervals, time_intervals_receiver) = made(Some(ready));
    let (templates, templates_receiver) = made(Some(ready));
    let (inhibition_rules, inhibition_rules_receiver) = made(Some(ready));
    let (silences, silences_receiver) = made(Some(ready));
    let (instances, instances_receiver) = channel();
    let (maintenance, maintenance_receiver) = channel();
    let (deployments, deployments_receiver) = channel();
    let (stateful_sets, stateful_sets_receiver) = channel();
    let (daemon_sets, daemon_sets_receiver) = channel();
    let (rollouts, rollouts_receiver) = channel();
    let (jobs, jobs_receiver) = channel();
    let (imports, imports_receiver) = channel();
    (
        Triggers {
            rules,
            contact_points,
            policies,
            time_intervals,
            templates,
            inhibition_rules,
            silences,
            instances,
            maintenance,
            deployments,
            stateful_sets,
            daemon_sets,
            rollouts,
            jobs,
            imports,
        },
        Receivers {
            rules: rules_receiver,
            contact_points: contact_points_receiver,
            policies: policies_receiver,
            time_intervals: time_intervals_receiver,
            templates: templates_receiver,
            inhibition_rules: inhibition_rules_receiver,
            silences: silences_receiver,
            instances: instances_receiver,
            maintenance: maintenance_receiver,
            deployments: deployments_receiver,
            stateful_sets: stateful_sets_receiver,
            daemon_sets: daemon_sets_receiver,
            rollouts: rollouts_receiver,
            jobs: jobs_receiver,
            imports: imports_receiver,
        },
    )
}

/// A receiving end as a stream.
pub fn stream<T: Send + 'static>(receiver: UnboundedReceiver<T>) -> impl Stream<Item = T> + Send + 'static {
    unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|item| (item, receiver))
    })
}
