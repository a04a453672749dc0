//! What is remembered of Jobs: one may be deleted right after its success, and its silence still gets its linger.

use jiff::Timestamp;
use kube::api::ListParams;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};

use super::workload::wanted;
use crate::api::Silence;
use crate::api::maintenance_policy::WorkloadKind;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::managed::Managed;
use crate::domain::maintenance::generated::workload_of;
use crate::domain::maintenance::lease;
use crate::domain::maintenance::migration::{self, Job, JobFacts};
use crate::domain::maintenance::window::{Lease, Window};

/// Remembers a Job's last phase. An object that a watch reports as deleted may lack the deletion timestamp.
pub fn remember(job: &Job, is_deleted: bool, context: &Context) {
    let Some(uid) = job.uid() else { return };
    let Ok(Some(maintenance)) = wanted(job, WorkloadKind::Job, context) else {
        return;
    };
    let facts = JobFacts::of(job);
    let phase = migration::observe(&JobFacts {
        deleting: facts.deleting || is_deleted,
        ..facts
    });
    context
        .workloads
        .jobs
        .lock()
        .insert(uid, (phase, maintenance.lease));
}

/// Forgets a Job that is gone, once no Silence of it can come to its end any more.
pub fn forget(uid: &str, context: &Context) {
    let is_written = !context.workloads.written_of(uid).is_empty();
    if !is_written && !has_silence(uid, context) {
        context.workloads.jobs.lock().remove(uid);
    }
}

/// Whether a workload of this uid has a Silence.
pub fn has_silence(uid: &str, context: &Context) -> bool {
    context.stores.silences.count(&By::Workload(uid.to_owned())) > 0
}

/// Whether a Job of this uid is there and not on its way out.
pub fn is_there(silence: &Silence, uid: &str, context: &Context) -> bool {
    silence
        .owner_references()
        .iter()
        .filter_map(|owner| {
            let job = ObjectRef::<Job>::new(&owner.name).within(silence.ns());
            context.stores.jobs.get(&job)
        })
        .any(|job| job.uid().as_deref() == Some(uid) && job.metadata.deletion_timestamp.is_none())
}

/// Until when the silence of a Job that succeeded and was deleted stays in Grafana. None for every other silence: one that a
/// person deletes ends.
pub async fn linger_of(silence: &Silence, context: &Context) -> Result<Option<Timestamp>, kube::Error> {
    let owners = silence.owner_references();
    let owner = owners.iter().find(|owner| owner.kind == "Job");
    let (Some(uid), Some(owner)) = (workload_of(silence), owner) else {
        return Ok(None);
    };
    let Some(until) = Window::of(silence).and_then(|window| lingers(&window, uid, context)) else {
        return Ok(None);
    };
    // The watch may not have told yet that the Job is gone.
    if is_there(silence, uid, context) && is_really_there(silence.ns(), &owner.name, uid, context).await? {
        return Ok(None);
    }
    Ok(Some(until))
}

fn lingers(window: &Window, uid: &str, context: &Context) -> Option<Timestamp> {
    let jobs = context.workloads.jobs.lock();
    let (phase, lease) = match jobs.get(uid) {
        Some((phase, lease)) => (Some(phase), *lease),
        None => (None, Lease::default()),
    };
    lease::outlives_job(&lease, phase, window, context.now())
}

async fn is_really_there(namespace: &str, name: &str, uid: &str, context: &Context) -> kube::Result<bool> {
    let api: Api<Job> = Api::namespaced(context.client.clone(), namespace);
    let only = ListParams::default().fields(&format!("metadata.name={name}"));
    let found = api.list_metadata(&only).await?;
    Ok(found
        .items
        .iter()
        .any(|job| job.uid().as_deref() == Some(uid) && job.metadata.deletion_timestamp.is_none()))
}
