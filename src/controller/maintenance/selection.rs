//! Which workloads each policy looks after, kept as the watches tell.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

use super::rolling::Rolling;
use crate::api::MaintenancePolicy;
use crate::api::maintenance_policy::WorkloadKind;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, named};
use crate::domain::maintenance;
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, StatefulSet};
use crate::domain::maintenance::selected::Selected;
use crate::domain::maintenance::window::Lease;
use crate::domain::maintenance::workload::policy_name;
use crate::domain::maintenance::workload::template::Subject;

/// A policy that comes or asks for something else looks for its workloads anew.
pub fn policy(event: &Event<MaintenancePolicy>, context: &Context) {
    match event {
        Event::Apply(policy) => look(policy, context),
        Event::Delete(policy) => drop(context.workloads.selected.lock().remove(&key(policy))),
        Event::InitDone => all_anew(context),
        Event::Init | Event::InitApply(_) => {}
    }
}

/// A policy that has something else to say after a workload that rolls out came, changed or went gets a pass.
pub fn rolling<K: Rolling>(event: &Event<K>, before: Option<&K>, context: &Context) {
    let (object, is_there) = match event {
        Event::Apply(object) => (object, true),
        Event::Delete(object) => (object, false),
        Event::InitDone => return all_anew(context),
        Event::Init | Event::InitApply(_) => return,
    };
    for policy in policies(object, before, context) {
        let is_selected = is_there && selects(&policy, K::KIND, object);
        note(&policy, context, |selected| {
            selected.note_rolling(K::KIND, &name(&policy, object), is_selected)
        });
    }
}

/// The same of a Job.
pub fn job(event: &Event<Job>, before: Option<&Job>, context: &Context) {
    let (job, is_there) = match event {
        Event::Apply(job) => (job, true),
        Event::Delete(job) => (job, false),
        Event::InitDone => return all_anew(context),
        Event::Init | Event::InitApply(_) => return,
    };
    for policy in policies(job, before, context) {
        let is_selected = is_there && selects(&policy, WorkloadKind::Job, job);
        note(&policy, context, |selected| {
            selected.note_job(&name(&policy, job), is_selected.then_some(job))
        });
    }
}

/// The policies that a workload concerns: those of its namespace, and the one of another that it names or has named.
fn policies<K: Resource>(object: &K, before: Option<&K>, context: &Context) -> Vec<Arc<MaintenancePolicy>> {
    let namespace = object.namespace().unwrap_or_default();
    let named: BTreeSet<_> = [Some(object), before]
        .into_iter()
        .flatten()
        .filter_map(named_by)
        .collect();
    let store = &context.stores.maintenance;
    let elsewhere = named.iter().filter(|(place, _)| *place != namespace);
    let elsewhere = elsewhere.filter_map(|(place, name)| store.get(&ObjectRef::new(name).within(place)));
    let mut all: Vec<_> = elsewhere.collect();
    all.extend(store.by(&By::Namespace(namespace)));
    all
}

/// Namespace and name of the policy that a workload names.
fn named_by<K: Resource>(object: &K) -> Option<(String, String)> {
    let policy = policy_name(object.annotations()).ok().flatten()?;
    Some((policy.namespace, policy.name))
}

/// Whether a policy looks after a workload, of its own namespace or one that names it.
fn selects<K: Resource<DynamicType = ()>>(
    policy: &MaintenancePolicy,
    kind: WorkloadKind,
    object: &K,
) -> bool {
    let is_asked = object.namespace() == policy.namespace() || named_by(object) == Some(key(policy));
    is_asked && maintenance::selects(&policy.spec, &Subject::of(kind, object))
}

/// What a workload is called among those of a policy: one of another namespace by that too.
fn name<K: Resource>(policy: &MaintenancePolicy, object: &K) -> String {
    match object.namespace() {
        Some(namespace) if policy.namespace().as_ref() != Some(&namespace) => {
            format!("{namespace}/{}", object.name_any())
        }
        _ => object.name_any(),
    }
}

fn note(policy: &MaintenancePolicy, context: &Context, note: impl FnOnce(&mut Selected) -> bool) {
    let (namespace, name) = key(policy);
    let mut selected = context.workloads.selected.lock();
    let is_news = selected
        .get_mut(&(namespace.clone(), name.clone()))
        .is_some_and(note);
    if is_news {
        context.triggers.maintenance.one(&namespace, &name);
    }
}

fn all_anew(context: &Context) {
    context.workloads.selected.lock().clear();
    for policy in context.stores.maintenance.all() {
        look(&policy, context);
    }
}

fn look(policy: &MaintenancePolicy, context: &Context) {
    if maintenance::names(&policy.spec, WorkloadKind::Rollout) {
        context.workloads.rollouts.want();
    }
    let lease =
        maintenance::of_policy(policy).map_or_else(|_| Lease::default(), |maintenance| maintenance.lease);
    let mut selected = Selected::new(lease.linger);
    let (namespace, own) = key(policy);
    let places = [
        By::Namespace(namespace.clone()),
        By::Policy(named(&namespace, &own)),
    ];
    for place in places {
        look_among::<Deployment>(policy, &place, &mut selected, context);
        look_among::<StatefulSet>(policy, &place, &mut selected, context);
        look_among::<DaemonSet>(policy, &place, &mut selected, context);
        look_among::<Rollout>(policy, &place, &mut selected, context);
        for job in context.stores.jobs.by(&place) {
            let is_selected = selects(policy, WorkloadKind::Job, &*job);
            selected.note_job(&name(policy, &*job), is_selected.then_some(&*job));
        }
    }
    context
        .workloads
        .selected
        .lock()
        .insert((namespace, own), selected);
}

fn look_among<K: Rolling>(
    policy: &MaintenancePolicy,
    place: &By,
    selected: &mut Selected,
    context: &Context,
) {
    for object in K::store(context).by(place) {
        let is_selected = selects(policy, K::KIND, &*object);
        selected.note_rolling(K::KIND, &name(policy, &*object), is_selected);
    }
}

fn key(policy: &MaintenancePolicy) -> (String, String) {
    (policy.namespace().unwrap_or_default(), policy.name_any())
}
