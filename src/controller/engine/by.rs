//! What objects are found by, besides their names: each kind says which of these it is found by.

use std::collections::BTreeSet;
use std::fmt::Debug;

use kube::{Resource, ResourceExt};

use super::managed::Managed;
use crate::api::grafana_instance;
use crate::api::{
    AlertRule, ContactPoint, DEFAULT_INSTANCE, GrafanaInstance, InhibitionRule, MaintenancePolicy,
    NotificationPolicy, NotificationTemplate, PrometheusRuleImport, Silence, TimeInterval, condition,
};
use crate::cluster::prometheus::{PrometheusRule, VmRule};
use crate::domain::import::selection::{self, Namespaces};
use crate::domain::maintenance::generated::LABEL_WORKLOAD;
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, StatefulSet};
use crate::domain::maintenance::workload::policy_name;
use crate::domain::notification::contact_point;
use crate::domain::notification::interval::Interval;
use crate::domain::notification::policy;
use crate::domain::notification::receiver::Target;
use crate::domain::notification::settings;
use crate::grafana::model::TreeName;

/// Something that objects are found by. Instances, namespaces, uids and labels are given as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum By {
    /// Those for a GrafanaInstance: AlertRules, ContactPoints, NotificationPolicies, Silences, MaintenancePolicies.
    Instance(String),
    /// Those for a GrafanaInstance that are in sync, and those that aren't: the same kinds but for MaintenancePolicies.
    Synced(String, bool),
    /// Those for a GrafanaInstance that aren't in sync, by the reason that their condition `Ready` has: the same kinds.
    Waiting(String, String),
    /// Those for a GrafanaInstance that somebody has changed in Grafana, where that is only told of: the same kinds.
    Drifted(String),
    /// Those of a namespace: MaintenancePolicies, workloads, PrometheusRules, VMRules.
    Namespace(String),
    /// Workloads of any namespace that name this MaintenancePolicy.
    Policy(Named),
    /// AlertRules for an instance in a namespace.
    Rules {
        /// The GrafanaInstance.
        instance: String,
        /// The namespace.
        namespace: String,
    },
    /// AlertRules of a namespace that carry a label.
    Label(Labelled),
    /// AlertRules of a PrometheusRuleImport, by its uid.
    Owner(String),
    /// PrometheusRuleImports that read a namespace by its name.
    Reader(String),
    /// PrometheusRuleImports that read every namespace.
    ReaderOfAll,
    /// AlertRules for an instance in a folder: the one that they name by its uid, or the one that they were last in.
    Folder {
        /// The GrafanaInstance.
        instance: String,
        /// The folder's uid.
        uid: String,
    },
    /// AlertRules for an instance of which no folder is known yet.
    Unplaced(String),
    /// Silences that select the AlertRules of a namespace by labels, this one first. So each of them is found once.
    Selector(Labelled),
    /// Silences that select an AlertRule by name.
    Selected(Named),
    /// ContactPoints and GrafanaInstances that refer to a Secret.
    Secret(Named),
    /// ContactPoints, NotificationTemplates and GrafanaInstances that refer to a ConfigMap.
    ConfigMap(Named),
    /// ContactPoints for an instance that refer to any Secret.
    ReadsSecrets(String),
    /// ContactPoints for any instance that ask for this name in Grafana.
    GrafanaName(String),
    /// ContactPoints, TimeIntervals and NotificationPolicies for an instance that are being deleted.
    Deleting(String),
    /// NotificationPolicies and AlertRules that refer to a ContactPoint.
    Receiver(Named),
    /// NotificationPolicies and AlertRules for an instance that refer to a contact point by its name in Grafana.
    GrafanaReceiver {
        /// The GrafanaInstance.
        instance: String,
        /// The name in Grafana.
        name: String,
    },
    /// NotificationPolicies that are branches of one.
    Branch(Named),
    /// NotificationPolicies and AlertRules that refer to a TimeInterval.
    Interval(Named),
    /// NotificationPolicies and AlertRules for an instance that refer to a time interval by its name in Grafana.
    GrafanaInterval {
        /// The GrafanaInstance.
        instance: String,
        /// The name in Grafana.
        name: String,
    },
    /// AlertRules for an instance that refer to any time interval.
    Timed(String),
    /// Silences that a workload has, by its uid.
    Workload(String),
    /// Silences for an instance by their id in Grafana, and AlertRules by the uid that their status tells.
    Stored {
        /// The GrafanaInstance.
        instance: String,
        /// The id or uid in Grafana.
        id: String,
    },
}

/// Another object, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Named {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Named {
    /// `namespace/name`, as messages name it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// A label of objects of a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Labelled {
    /// The namespace.
    pub namespace: String,
    /// The label.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// A kind whose objects are found by more than their name.
pub trait Indexed: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static {
    /// What this object is found by. It depends on nothing but the object.
    fn found_by(&self) -> Vec<By>;

    /// The objects that are found in its place, if it stands for several: what a resource is in each of its Grafanas.
    fn parts(&self) -> Vec<Self> {
        Vec::new()
    }
}

/// Of an object by namespace and name.
pub fn named(namespace: &str, name: &str) -> Named {
    Named {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// Of a label in a namespace.
pub fn labelled(namespace: &str, (label, value): (&String, &String)) -> Labelled {
    Labelled {
        namespace: namespace.to_owned(),
        label: label.clone(),
        value: value.clone(),
    }
}

fn managed<K: Managed>(object: &K) -> Vec<By> {
    let conditions = object.status().map_or(&[][..], |status| K::conditions(status));
    let is_synced = condition::is_ready(conditions, object.meta().generation);
    let ready = condition::ready(conditions).filter(|_| !is_synced);
    let waits = ready.map(|ready| ready.reason.clone());
    let mut found_by = Vec::new();
    for instance in object.instances() {
        found_by.push(By::Instance(instance.clone()));
        found_by.push(By::Synced(instance.clone(), is_synced));
        if object.is_drifted() {
            found_by.push(By::Drifted(instance.clone()));
        }
        found_by.extend(waits.clone().map(|reason| By::Waiting(instance, reason)));
    }
    found_by
}

fn refers_to<K: Managed>(object: &K, target: Target) -> By {
    match target {
        Target::ContactPoint { namespace, name } => By::Receiver(Named {
            namespace: namespace.unwrap_or_else(|| object.ns().to_owned()),
            name,
        }),
        Target::Grafana { name } => By::GrafanaReceiver {
            instance: object.instance().to_owned(),
            name,
        },
    }
}

fn refers_to_interval<K: Managed>(object: &K, interval: Interval) -> By {
    match interval {
        Interval::Resource { namespace, name } => By::Interval(Named {
            namespace: namespace.unwrap_or_else(|| object.ns().to_owned()),
            name,
        }),
        Interval::Grafana { name } => By::GrafanaInterval {
            instance: object.instance().to_owned(),
            name,
        },
    }
}

impl Indexed for AlertRule {
    fn found_by(&self) -> Vec<By> {
        let mut found_by = managed(self);
        found_by.push(By::Rules {
            instance: self.instance().to_owned(),
            namespace: self.ns().to_owned(),
        });
        let labels = self.labels().iter();
        found_by.extend(labels.map(|label| By::Label(labelled(self.ns(), label))));
        let owners = self.owner_references().iter();
        let imports = owners.filter(|owner| owner.kind == PrometheusRuleImport::KIND);
        found_by.extend(imports.map(|owner| By::Owner(owner.uid.clone())));
        let uid = self.status.as_ref().and_then(|status| status.uid.clone());
        found_by.extend(uid.map(|id| By::Stored {
            instance: self.instance().to_owned(),
            id,
        }));
        let last = self.status.as_ref().and_then(|status| status.folder_uid.as_ref());
        let folders: BTreeSet<_> = [self.spec.folder_uid.as_ref(), last]
            .into_iter()
            .flatten()
            .collect();
        if folders.is_empty() {
            found_by.push(By::Unplaced(self.instance().to_owned()));
        }
        found_by.extend(folders.into_iter().map(|uid| By::Folder {
            instance: self.instance().to_owned(),
            uid: uid.clone(),
        }));
        found_by.extend(settings::target(&self.spec).map(|target| refers_to(self, target)));
        let intervals = settings::intervals(&self.spec);
        if !intervals.is_empty() {
            found_by.push(By::Timed(self.instance().to_owned()));
        }
        let intervals = intervals.into_iter();
        found_by.extend(intervals.map(|interval| refers_to_interval(self, interval)));
        found_by
    }

    fn parts(&self) -> Vec<Self> {
        self.projections()
    }
}

impl Indexed for ContactPoint {
    fn found_by(&self) -> Vec<By> {
        let mut found_by = managed(self);
        let (secrets, texts) = contact_point::references(&self.spec);
        let texts = texts.into_iter();
        found_by.extend(texts.map(|texts| By::ConfigMap(named(self.ns(), &texts.name))));
        if !secrets.is_empty() {
            found_by.push(By::ReadsSecrets(self.instance().to_owned()));
        }
        let secrets = secrets.into_iter();
        found_by.extend(secrets.map(|secret| By::Secret(named(self.ns(), &secret.name))));
        found_by.push(By::GrafanaName(
            contact_point::name(&self.spec, self.id()).to_owned(),
        ));
        if self.is_deleting() {
            found_by.push(By::Deleting(self.instance().to_owned()));
        }
        found_by
    }

    fn parts(&self) -> Vec<Self> {
        self.projections()
    }
}

impl Indexed for NotificationPolicy {
    fn found_by(&self) -> Vec<By> {
        let mut found_by = managed(self);
        let targets = policy::targets(&self.spec).into_iter();
        found_by.extend(targets.map(|target| refers_to(self, target)));
        let intervals = policy::intervals(&self.spec).into_iter();
        found_by.extend(intervals.map(|interval| refers_to_interval(self, interval)));
        found_by.extend(self.root().map(By::Branch));
        if self.is_deleting() {
            found_by.push(By::Deleting(self.instance().to_owned()));
        }
        found_by
    }

    fn parts(&self) -> Vec<Self> {
        self.projections()
    }
}

impl NotificationPolicy {
    /// The root that a branch names.
    pub fn root(&self) -> Option<Named> {
        let parent = self.spec.parent_ref.as_ref()?;
        let namespace = parent.namespace.as_deref().unwrap_or(self.ns());
        Some(named(namespace, &parent.name))
    }
}

impl NotificationPolicy {
    /// The policy tree that a root writes.
    pub fn tree(&self) -> TreeName {
        self.spec.tree.clone().map(TreeName).unwrap_or_default()
    }
}

impl Indexed for TimeInterval {
    fn found_by(&self) -> Vec<By> {
        let mut found_by = managed(self);
        if self.is_deleting() {
            found_by.push(By::Deleting(self.instance().to_owned()));
        }
        found_by
    }

    fn parts(&self) -> Vec<Self> {
        self.projections()
    }
}

impl Indexed for NotificationTemplate {
    fn found_by(&self) -> Vec<By> {
        let mut found_by = managed(self);
        let texts = self.spec.template_from.iter();
        let texts = texts.map(|from| By::ConfigMap(named(self.ns(), &from.config_map_key_ref.name)));
        found_by.extend(texts);
        found_by
    }

    fn parts(&self) -> Vec<Self> {
        self.projections()
    }
}

impl Indexed for InhibitionRule {
    fn found_by(&self) -> Vec<By> {
        managed(self)
    }

    fn parts(&self) -> Vec<Self> {
        self.projections()
    }
}

impl Indexed for Silence {
    fn found_by(&self) -> Vec<By> {
        let mut found_by = managed(self);
        let workload = self.labels().get(LABEL_WORKLOAD).cloned();
        found_by.extend(workload.map(By::Workload));
        let id = self.status.as_ref().and_then(|status| status.id.clone());
        found_by.extend(id.map(|id| By::Stored {
            instance: self.instance().to_owned(),
            id,
        }));
        if let Some(selector) = &self.spec.alert_rules {
            let names = selector.names.iter();
            found_by.extend(names.map(|name| By::Selected(named(self.ns(), name))));
            let first = selector.match_labels.iter().next();
            found_by.extend(first.map(|label| By::Selector(labelled(self.ns(), label))));
        }
        found_by
    }

    fn parts(&self) -> Vec<Self> {
        self.projections()
    }
}

impl Indexed for GrafanaInstance {
    fn found_by(&self) -> Vec<By> {
        let namespace = self.namespace().unwrap_or_default();
        let (secrets, texts) = grafana_instance::references(&self.spec);
        let secrets = secrets
            .into_iter()
            .map(|secret| By::Secret(named(&namespace, &secret.name)));
        let texts = texts
            .into_iter()
            .map(|texts| By::ConfigMap(named(&namespace, &texts.name)));
        secrets.chain(texts).collect()
    }
}

impl Indexed for MaintenancePolicy {
    fn found_by(&self) -> Vec<By> {
        let instance = self.spec.instance.as_deref().unwrap_or(DEFAULT_INSTANCE);
        vec![
            By::Namespace(self.namespace().unwrap_or_default()),
            By::Instance(instance.to_owned()),
        ]
    }
}

fn workload<K: Resource>(object: &K) -> Vec<By> {
    let policy = policy_name(object.annotations()).ok().flatten();
    let policy = policy.map(|policy| By::Policy(named(&policy.namespace, &policy.name)));
    let mut found_by = vec![By::Namespace(object.namespace().unwrap_or_default())];
    found_by.extend(policy);
    found_by
}

macro_rules! workloads {
    ($($kind:ty),*) => {$(
        impl Indexed for $kind {
            fn found_by(&self) -> Vec<By> {
                workload(self)
            }
        }
    )*};
}

workloads!(Deployment, StatefulSet, DaemonSet, Rollout, Job);

impl Indexed for PrometheusRuleImport {
    fn found_by(&self) -> Vec<By> {
        let mut found_by = managed(self);
        match selection::namespaces(self) {
            Namespaces::All => found_by.push(By::ReaderOfAll),
            Namespaces::Named(names) => found_by.extend(names.into_iter().map(By::Reader)),
        }
        found_by
    }
}

impl Indexed for PrometheusRule {
    fn found_by(&self) -> Vec<By> {
        vec![By::Namespace(self.namespace().unwrap_or_default())]
    }
}

impl Indexed for VmRule {
    fn found_by(&self) -> Vec<By> {
        vec![By::Namespace(self.namespace().unwrap_or_default())]
    }
}
