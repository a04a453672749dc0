//! How many resources of each kind are in which state, kept in step with what the watches tell.

use std::collections::{BTreeMap, HashMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;
use kube::runtime::watcher::Event;
use tracing::warn;

use super::context::{Context, Stores};
use crate::api::condition::{self, Reason};
use crate::api::{GrafanaInstance, MaintenancePolicy, Silence, silence};
use crate::controller::engine::by::Indexed;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::domain::maintenance::generated;
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

/// Counts Silences, and those of them that are active.
pub(super) fn count_silences(event: &Event<Silence>, before: Option<&Silence>, context: &Context) {
    count(event, before, &context.stores.silences, context);
    count_active(event, before, context);
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

/// Counts Silences that are active, by what they were made for.
fn count_active(event: &Event<Silence>, before: Option<&Silence>, context: &Context) {
    let metrics = &context.metrics;
    let tell = |silence: Option<&Silence>, more| {
        if let Some(source) = silence.and_then(source) {
            metrics.silence(source, more);
        }
    };
    match event {
        Event::Apply(silence) => {
            tell(before, -1);
            tell(Some(silence), 1);
        }
        Event::Delete(_) => tell(before, -1),
        Event::InitDone => {
            let all = context.stores.silences.all();
            for known in [WORKLOAD, BY_HAND] {
                let count = all
                    .iter()
                    .filter(|silence| source(silence) == Some(known))
                    .count();
                metrics.set_silences(known, i64::try_from(count).unwrap_or(i64::MAX));
            }
        }
        Event::Init | Event::InitApply(_) => {}
    }
}

/// A silence that a rollout or a Job has.
const WORKLOAD: &str = "workload";
/// A silence that somebody has written.
const BY_HAND: &str = "by_hand";

/// What an active silence was made for; nothing of one that isn't active.
fn source(silence: &Silence) -> Option<&'static str> {
    let state = silence.status.as_ref()?.state.as_deref()?;
    let made_for = if generated::workload_of(silence).is_some() {
        WORKLOAD
    } else {
        BY_HAND
    };
    (state == silence::ACTIVE).then_some(made_for)
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

/// How many names of those that aren't well are logged.
const NAMED: usize = 10;

/// Logs which resources weren't well when this process began: of what goes on as it was nothing is said otherwise.
pub(super) fn log_standing(stores: &Stores) {
    for one in standing(stores) {
        warn!(
            kind = one.kind,
            reason = one.reason,
            resources = one.names.len(),
            names = one.named(),
            "not well since before this start"
        );
    }
}

/// Resources of one kind that aren't well, for one reason.
#[derive(Debug, PartialEq, Eq)]
struct Standing {
    kind: &'static str,
    reason: &'static str,
    names: Vec<String>,
}

impl Standing {
    /// The first names, and how many others there are.
    fn named(&self) -> String {
        let first: Vec<_> = self.names.iter().take(NAMED).map(String::as_str).collect();
        match self.names.len() - first.len() {
            0 => first.join(", "),
            others => format!("{} and {others} more", first.join(", ")),
        }
    }
}

fn standing(stores: &Stores) -> Vec<Standing> {
    let mut all = Vec::new();
    managed(&stores.rules, &mut all);
    managed(&stores.contact_points, &mut all);
    managed(&stores.policies, &mut all);
    managed(&stores.time_intervals, &mut all);
    managed(&stores.templates, &mut all);
    managed(&stores.inhibition_rules, &mut all);
    managed(&stores.silences, &mut all);
    managed(&stores.imports, &mut all);
    let conditions = |object: &MaintenancePolicy| object.status.as_ref().map(|s| s.conditions.clone());
    unwell("MaintenancePolicy", &stores.maintenance, conditions, &mut all);
    let conditions = |object: &GrafanaInstance| object.status.as_ref().map(|s| s.conditions.clone());
    unwell("GrafanaInstance", &stores.instances, conditions, &mut all);
    all
}

fn managed<K: Managed + Indexed>(store: &Store<K>, all: &mut Vec<Standing>) {
    let conditions = |object: &K| object.status().map(|status| K::conditions(status).clone());
    unwell(K::KIND, store, conditions, all);
}

fn unwell<K: Indexed>(
    kind: &'static str,
    store: &Store<K>,
    conditions: impl Fn(&K) -> Option<Vec<Condition>>,
    all: &mut Vec<Standing>,
) {
    let mut by_reason: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for object in store.all() {
        let known = conditions(&object).and_then(|conditions| known_reason(&conditions));
        if let Some(reason) = known.filter(|reason| !reason.is_ready() && *reason != Reason::Suspended) {
            let name = format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any());
            by_reason.entry(reason.as_str()).or_default().push(name);
        }
    }
    for (reason, mut names) in by_reason {
        names.sort_unstable();
        all.push(Standing { kind, reason, names });
    }
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
    known_reason(conditions).map_or("", Reason::as_str)
}

fn known_reason(conditions: &[Condition]) -> Option<Reason> {
    Reason::of(&condition::ready(conditions)?.reason)
}

#[cfg(test)]
mod tests {
    use kube::runtime::watcher::Event;
    use serde_json::{from_value, json};

    use super::*;
    use crate::api::AlertRule;
    use crate::controller::context::stores;

    #[test]
    fn what_was_not_well_before_is_named_by_kind_and_reason_and_what_is_well_is_not() {
        let (stores, mut writers) = stores();
        let object = |kind: &str, name: &str, reason: &str| {
            json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name, "namespace": "shop"},
                "spec": {"query": "up < 1", "url": "http://grafana", "auth": {}, "targets": []},
                "status": {"conditions": [{"type": "Ready", "status": "False", "reason": reason, "message": "m", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
            })
        };
        let reasons = [
            "Synced",
            "Invalid",
            "Suspended",
            "Unavailable",
            "Invalid",
            "",
            "Expired",
        ];
        for (i, reason) in reasons.into_iter().enumerate() {
            let rule: AlertRule = from_value(object("AlertRule", &format!("r{i}"), reason)).unwrap();
            writers.rules.apply(&Event::Apply(rule));
        }
        let instance = from_value(object("GrafanaInstance", "default", "Unauthorized")).unwrap();
        writers.instances.apply(&Event::Apply(instance));
        let found: Vec<_> = standing(&stores)
            .iter()
            .map(|one| (one.kind, one.reason, one.named()))
            .collect();
        let expected = [
            ("AlertRule", "Invalid", "shop/r1, shop/r4"),
            ("AlertRule", "Unavailable", "shop/r3"),
            ("GrafanaInstance", "Unauthorized", "shop/default"),
        ];
        assert_eq!(
            found,
            expected.map(|(kind, reason, names)| (kind, reason, names.to_owned()))
        );
        let many = Standing {
            kind: "AlertRule",
            reason: "Invalid",
            names: (0..3000).map(|i| format!("shop/{i}")).collect(),
        };
        assert!(many.named().ends_with("shop/9 and 2990 more"), "{}", many.named());
    }
}
