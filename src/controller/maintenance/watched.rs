//! What the watches tell of workloads and of their Silences.

use std::collections::HashSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use kube::runtime::watcher::Event;

use super::jobs;
use super::rolling::{Rolling, is_there};
use crate::api::Silence;
use crate::controller::context::Context;
use crate::controller::engine::by::Indexed;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::domain::maintenance::generated::{LABEL_WORKLOAD, workload_of};
use crate::domain::maintenance::migration::Job;
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::domain::maintenance::rollout::{DaemonSet, Deployment, StatefulSet};

/// Forgets what is gone.
pub fn rolling<K: Rolling>(event: &Event<K>, context: &Context) {
    match event {
        Event::Delete(object) => context.workloads.forget(&object.uid().unwrap_or_default()),
        Event::InitDone => {
            let stores = &context.stores;
            let mut there = uids(&stores.deployments);
            there.extend(uids(&stores.stateful_sets));
            there.extend(uids(&stores.daemon_sets));
            there.extend(uids(&stores.rollouts));
            context.workloads.keep_rolling(|uid| there.contains(uid));
        }
        Event::Apply(_) | Event::Init | Event::InitApply(_) => {}
    }
}

/// Remembers a Job's last word, and forgets what is gone.
pub fn job(event: &Event<Job>, context: &Context) {
    match event {
        Event::Apply(job) | Event::InitApply(job) => jobs::remember(job, false, context),
        Event::Delete(job) => {
            let uid = job.uid().unwrap_or_default();
            jobs::remember(job, true, context);
            context.workloads.forget(&uid);
            jobs::forget(&uid, context);
        }
        Event::InitDone => keep_jobs(context),
        Event::Init => {}
    }
}

/// The policies that name a GrafanaInstance say whether it is there.
pub fn instance(name: &str, context: &Context) {
    context
        .triggers
        .maintenance
        .all_of(&context.stores.maintenance, name);
}

/// A generated Silence that comes into force, changes or goes sends its workload on a pass.
pub fn silence(event: &Event<Silence>, _: Option<&Silence>, context: &Context) {
    match event {
        Event::Apply(silence) | Event::InitApply(silence) => send(silence, context),
        Event::Delete(silence) => gone(silence, context),
        Event::InitDone => {
            let silences = context.stores.silences.all();
            let version = |silence: &Silence| silence.metadata.resource_version.as_ref()?.parse().ok();
            let latest = silences.iter().filter_map(|silence| version(silence)).max();
            let there: HashSet<_> = silences.iter().filter_map(|silence| silence.uid()).collect();
            let is_there = |written: &Silence| written.uid().is_some_and(|uid| there.contains(&uid));
            let vanished = context
                .workloads
                .keep_silences(is_there, latest.unwrap_or_default());
            for silence in vanished {
                gone(&silence, context);
            }
            keep_jobs(context);
        }
        Event::Init => {}
    }
}

fn gone(silence: &Silence, context: &Context) {
    // Also what somebody has taken its owner off.
    let Some(uid) = silence.labels().get(LABEL_WORKLOAD) else {
        return;
    };
    // A workload of the same name may wait until it is gone.
    send(silence, context);
    let key = (uid.clone(), silence.name_any());
    let written = context.workloads.written.lock().get(&key).cloned();
    // Another one of the same name may have been written already.
    if written.is_some_and(|own| own.stored.uid() != silence.uid()) {
        return;
    }
    context.workloads.forget_silence(&key);
    // What belongs to an earlier workload of the name too was going already when it was written onto.
    let is_its_own = silence.owner_references().iter().all(|owner| owner.uid == *uid);
    if is_its_own && has_workload(silence, uid, context) {
        context.workloads.deleted.lock().insert(key, silence.clone());
    } else {
        jobs::forget(uid, context);
    }
}

fn has_workload(silence: &Silence, uid: &str, context: &Context) -> bool {
    let is_there = |owner: &OwnerReference| {
        let (namespace, name) = (silence.ns(), owner.name.as_str());
        match owner.kind.as_str() {
            "Deployment" => is_there::<Deployment>(namespace, name, uid, context),
            "StatefulSet" => is_there::<StatefulSet>(namespace, name, uid, context),
            "DaemonSet" => is_there::<DaemonSet>(namespace, name, uid, context),
            "Rollout" => is_there::<Rollout>(namespace, name, uid, context),
            _ => false,
        }
    };
    silence.owner_references().iter().any(is_there) || jobs::is_there(silence, uid, context)
}

fn send(silence: &Silence, context: &Context) {
    if workload_of(silence).is_none() {
        return;
    }
    for owner in silence.owner_references() {
        match owner.kind.as_str() {
            "Deployment" => Deployment::trigger(context).one(silence.ns(), &owner.name),
            "StatefulSet" => StatefulSet::trigger(context).one(silence.ns(), &owner.name),
            "DaemonSet" => DaemonSet::trigger(context).one(silence.ns(), &owner.name),
            "Rollout" => Rollout::trigger(context).one(silence.ns(), &owner.name),
            "Job" => context.triggers.jobs.one(silence.ns(), &owner.name),
            _ => {}
        }
    }
}

fn keep_jobs(context: &Context) {
    if !context.is_ready() {
        return;
    }
    let uids = uids(&context.stores.jobs);
    context
        .workloads
        .keep_jobs(|uid| uids.contains(uid) || jobs::has_silence(uid, context));
}

fn uids<K: Indexed>(store: &Store<K>) -> HashSet<String> {
    store.all().iter().filter_map(|object| object.uid()).collect()
}
