//! Which workloads each policy looks after, kept as the watches tell.

use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::watcher::Event;

use super::rolling::Rolling;
use crate::api::MaintenancePolicy;
use crate::api::maintenance_policy::WorkloadKind;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::domain::maintenance;
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, StatefulSet};
use crate::domain::maintenance::selected::Selected;
use crate::domain::maintenance::window::Lease;
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
pub fn rolling<K: Rolling>(event: &Event<K>, context: &Context) {
    let (object, is_there) = match event {
        Event::Apply(object) => (object, true),
        Event::Delete(object) => (object, false),
        Event::InitDone => return all_anew(context),
        Event::Init | Event::InitApply(_) => return,
    };
    for policy in policies(&object.namespace().unwrap_or_default(), context) {
        let is_selected = is_there && maintenance::selects(&policy.spec, &Subject::of(K::KIND, object));
        note(&policy, context, |selected| {
            selected.note_rolling(K::KIND, &object.name_any(), is_selected)
        });
    }
}

/// The same of a Job.
pub fn job(event: &Event<Job>, context: &Context) {
    let (job, is_there) = match event {
        Event::Apply(job) => (job, true),
        Event::Delete(job) => (job, false),
        Event::InitDone => return all_anew(context),
        Event::Init | Event::InitApply(_) => return,
    };
    for policy in policies(&job.namespace().unwrap_or_default(), context) {
        let is_selected =
            is_there && maintenance::selects(&policy.spec, &Subject::of(WorkloadKind::Job, job));
        note(&policy, context, |selected| {
            selected.note_job(&job.name_any(), is_selected.then_some(job))
        });
    }
}

fn policies(namespace: &str, context: &Context) -> Vec<Arc<MaintenancePolicy>> {
    let namespace = By::Namespace(namespace.to_owned());
    context.stores.maintenance.by(&namespace)
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
    let (namespace, name) = key(policy);
    let place = By::Namespace(namespace.clone());
    look_among::<Deployment>(policy, &place, &mut selected, context);
    look_among::<StatefulSet>(policy, &place, &mut selected, context);
    look_among::<DaemonSet>(policy, &place, &mut selected, context);
    look_among::<Rollout>(policy, &place, &mut selected, context);
    for job in context.stores.jobs.by(&place) {
        let is_selected = maintenance::selects(&policy.spec, &Subject::of(WorkloadKind::Job, &*job));
        selected.note_job(&job.name_any(), is_selected.then_some(&*job));
    }
    context
        .workloads
        .selected
        .lock()
        .insert((namespace, name), selected);
}

fn look_among<K: Rolling>(
    policy: &MaintenancePolicy,
    place: &By,
    selected: &mut Selected,
    context: &Context,
) {
    for object in K::store(context).by(place) {
        let is_selected = maintenance::selects(&policy.spec, &Subject::of(K::KIND, &*object));
        selected.note_rolling(K::KIND, &object.name_any(), is_selected);
    }
}

fn key(policy: &MaintenancePolicy) -> (String, String) {
    (policy.namespace().unwrap_or_default(), policy.name_any())
}
