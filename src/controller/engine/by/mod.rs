//! What objects are found by, besides their names: each kind says which of these it is found by.

mod key;
mod references;

use std::collections::BTreeSet;
use std::fmt::Debug;

use kube::{Resource, ResourceExt};

pub use self::key::{By, Labelled, Named, Near, labelled, named};
use self::references::{of_rule, refers_to, refers_to_interval};
use super::managed::{Managed, names};
use crate::api::grafana_instance;
use crate::api::silence::EXPIRED;
use crate::api::{
    ANNOTATION_ADOPT, AlertRule, ContactPoint, GrafanaInstance, InhibitionRule, MaintenancePolicy,
    NotificationPolicy, NotificationTemplate, PrometheusRuleImport, Silence, SilenceStatus, TimeInterval,
    condition,
};
use crate::cluster::prometheus::{PrometheusRule, VmRule};
use crate::domain::import::selection::{self, Namespaces};
use crate::domain::maintenance::generated::workload_of;
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, StatefulSet};
use crate::domain::maintenance::workload::policy_name;
use crate::domain::notification::contact_point;
use crate::domain::notification::policy;
use crate::grafana::model::TreeName;

/// A kind whose objects are found by more than their name.
pub trait Indexed: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static {
    /// What this object is found by. It depends on nothing but the object.
    fn found_by(&self) -> Vec<By>;

    /// The objects that are found in its place, if it stands for several: what a resource is in each of its Grafanas.
    fn parts(&self) -> Vec<Self> {
        Vec::new()
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

impl Indexed for AlertRule {
    fn found_by(&self) -> Vec<By> {
        let mut found_by = managed(self);
        // What records has no alerts that a silence could cover.
        if self.spec.record.is_none() {
            found_by.push(By::Rules {
                instance: self.instance().to_owned(),
                namespace: self.ns().to_owned(),
            });
        }
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
        found_by.extend(of_rule(self));
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
        found_by.extend(self.unread().map(|_| By::Unread));
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
        if self.is_deleting() {
            found_by.push(By::Deleting(self.instance().to_owned()));
        }
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
        let workload = workload_of(self).map(str::to_owned);
        found_by.extend(workload.map(By::Workload));
        let instance = || self.instance().to_owned();
        let status = self.status.as_ref();
        match (
            status.and_then(|status| status.id.clone()),
            self.annotation(ANNOTATION_ADOPT),
        ) {
            (Some(id), _) => found_by.push(By::Stored {
                instance: instance(),
                id,
            }),
            (None, Some(asked)) => found_by.push(By::Adopting {
                instance: instance(),
                asked: asked.to_owned(),
            }),
            (None, None) => {}
        }
        let covers_none = |status: &SilenceStatus| {
            status.matches_rules == Some(0) && status.state.as_deref() != Some(EXPIRED)
        };
        if status.is_some_and(covers_none) {
            found_by.extend(near(self).into_iter().map(|near| By::CoversNone {
                instance: instance(),
                near,
            }));
        }
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

/// Where the rules are that a Silence may cover.
fn near(silence: &Silence) -> Vec<Near> {
    let selector = silence.spec.alert_rules.as_ref();
    let Some(selector) = selector.filter(|selector| selector.all != Some(true)) else {
        return vec![Near::Namespace(silence.ns().to_owned())];
    };
    let names = selector.names.iter();
    let names = names.map(|name| Near::Rule(named(silence.ns(), name)));
    let first = selector.match_labels.iter().next();
    let first = first.map(|label| Near::Label(labelled(silence.ns(), label)));
    names.chain(first).collect()
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
        let named = names(self.spec.instance.as_deref(), self.spec.instances.as_deref());
        let mut found_by = vec![By::Namespace(self.namespace().unwrap_or_default())];
        found_by.extend(named.into_iter().map(|name| By::Instance(name.to_owned())));
        found_by
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
        found_by.push(By::Namespace(self.namespace().unwrap_or_default()));
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
