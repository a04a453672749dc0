//! How many resources of each kind are in which state, kept in step with what the watches tell.

use std::collections::HashMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::runtime::watcher::Event;

use super::context::Context;
use crate::api::condition::{self, Reason};
use crate::api::{GrafanaInstance, MaintenancePolicy};
use crate::controller::engine::by::Indexed;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::metrics::Metrics;

/// Counts what a watch tells of a kind, for the metrics.
pub(super) fn count<K: Managed + Indexed>(
    event: &Event<K>,
    before: Option<&K>,
    store: &Store<K>,
    context: &Context,
) {
    let reason_of = |object: &K| object.status().map_or("", |status| reason(K::conditions(status)));
    let told = Told { event, before, store };
    told.count(K::KIND, reason_of, &context.metrics);
}

/// Counts MaintenancePolicies.
pub(super) fn count_maintenance(
    event: &Event<MaintenancePolicy>,
    before: Option<&MaintenancePolicy>,
    context: &Context,
) {
    let store = &context.stores.maintenance;
    let reason_of = |object: &MaintenancePolicy| {
        object
            .status
            .as_ref()
            .map_or("", |status| reason(&status.conditions))
    };
    Told { event, before, store }.count("MaintenancePolicy", reason_of, &context.metrics);
}

/// Counts GrafanaInstances.
pub(super) fn count_instances(
    event: &Event<GrafanaInstance>,
    before: Option<&GrafanaInstance>,
    context: &Context,
) {
    let store = &context.stores.instances;
    let reason_of = |object: &GrafanaInstance| {
        object
            .status
            .as_ref()
            .map_or("", |status| reason(&status.conditions))
    };
    Told { event, before, store }.count("GrafanaInstance", reason_of, &context.metrics);
}

struct Told<'a, K: Indexed> {
    event: &'a Event<K>,
    before: Option<&'a K>,
    store: &'a Store<K>,
}

impl<K: Indexed> Told<'_, K> {
    fn count(&self, kind: &'static str, reason_of: impl Fn(&K) -> &'static str, metrics: &Metrics) {
        match self.event {
            Event::Apply(object) => {
                metrics.resource(kind, self.before.map(&reason_of), Some(reason_of(object)));
            }
            // One that wasn't known was never counted.
            Event::Delete(_) => metrics.resource(kind, self.before.map(&reason_of), None),
            Event::InitDone => {
                let mut counts: HashMap<&str, i64> = HashMap::new();
                for object in self.store.all() {
                    *counts.entry(reason_of(&*object)).or_default() += 1;
                }
                for reason in Reason::ALL.map(Reason::as_str).into_iter().chain([""]) {
                    let count = counts.get(reason).copied().unwrap_or_default();
                    metrics.set_resources(kind, reason, count);
                }
            }
            Event::Init | Event::InitApply(_) => {}
        }
    }
}

/// The reason of `Ready`. One that isn't ours is none, so that nobody can make series.
fn reason(conditions: &[Condition]) -> &'static str {
    let ready = condition::ready(conditions);
    let known = ready.and_then(|ready| Reason::ALL.into_iter().find(|own| own.as_str() == ready.reason));
    known.map_or("", Reason::as_str)
}
