//! Who is sent on a pass by what has changed elsewhere.

use super::Context;
use crate::api::NotificationPolicy;
use crate::controller::engine::by::{By, named};
use crate::controller::engine::claim::Claiming;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::engine::trigger::Trigger;

impl Context {
    /// Notes which organisation a Grafana has told an instance, and what its resources claim there.
    pub fn recognised(&self, instance: &str, organisation: Option<i64>) {
        if self.claims.set_organisation(instance, organisation) {
            self.claim_anew(instance);
        }
    }

    /// Notes what the resources of an instance claim, where that depends on what has changed in it.
    pub fn claim_anew(&self, instance: &str) {
        let (stores, triggers) = (&self.stores, &self.triggers);
        self.claim_anew_of(instance, &stores.rules, &triggers.rules);
        self.claim_anew_of(instance, &stores.contact_points, &triggers.contact_points);
        self.claim_anew_of(instance, &stores.policies, &triggers.policies);
        self.claim_anew_of(instance, &stores.time_intervals, &triggers.time_intervals);
        self.claim_anew_of(instance, &stores.templates, &triggers.templates);
        self.claim_anew_of(instance, &stores.inhibition_rules, &triggers.inhibition_rules);
        self.claim_anew_of(instance, &stores.silences, &triggers.silences);
    }

    fn claim_anew_of<K: Claiming>(&self, instance: &str, store: &Store<K>, trigger: &Trigger<K>) {
        for object in store.by(&By::Instance(instance.to_owned())) {
            // Of one that is for several Grafanas it is what it is in this one: it claims as before in the others.
            for other in self.claims.note(&*object) {
                trigger.one(&other.namespace, &other.name);
            }
        }
    }

    /// Sends those on a pass who refer to a time interval in this way.
    pub fn tell_those_at_times(&self, interval: &By) {
        self.triggers.policies.all_by(&self.stores.policies, interval);
        self.triggers.rules.all_by(&self.stores.rules, interval);
    }

    /// Sends those rules on a pass that refer to a policy tree: to that of this NotificationPolicy, or by one of its names in Grafana.
    pub fn tell_those_of_tree(&self, policy: &NotificationPolicy) {
        let by_resource = By::Tree(named(policy.ns(), policy.id()));
        self.triggers.rules.all_by(&self.stores.rules, &by_resource);
        for instance in policy.instances() {
            let name = policy.tree().0;
            let by_name = By::GrafanaTree { instance, name };
            self.triggers.rules.all_by(&self.stores.rules, &by_name);
        }
    }

    /// Sends those templates on a pass whose deletion waits: a contact point or another template calls something no more.
    pub fn tell_deleted_templates(&self, instance: &str) {
        let waiting = By::Deleting(instance.to_owned());
        let (trigger, store) = (&self.triggers.templates, &self.stores.templates);
        trigger.all_by(store, &waiting);
    }

    /// Sends those contact points, time intervals and policies on a pass whose deletion waits: somebody has let go of one.
    pub fn tell_waiting(&self, instance: &str) {
        let waiting = By::Deleting(instance.to_owned());
        let (triggers, stores) = (&self.triggers, &self.stores);
        triggers.contact_points.all_by(&stores.contact_points, &waiting);
        triggers.time_intervals.all_by(&stores.time_intervals, &waiting);
        triggers.policies.all_by(&stores.policies, &waiting);
    }
}
