//! Maintenance silences: a Silence for each rollout of a Deployment and each run of a Job that asks for one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::{Api, Resource, ResourceExt};
use tracing::{info, warn};

use crate::api::maintenance_policy::WorkloadKind;
use crate::api::silence::SilenceSpec;
use crate::api::{FIELD_MANAGER, FINALIZER, MaintenancePolicy, Silence, duration};
use crate::cluster::answer::chain;
use crate::controller::context::Context;
use crate::controller::engine::managed::Managed;
use crate::domain::maintenance::generated::{self, LABEL_WORKLOAD};
use crate::domain::maintenance::lease::{self, Change, Step};
use crate::domain::maintenance::migration::{self, JobFacts};
use crate::domain::maintenance::phase::Phase;
use crate::domain::maintenance::rollout::{self, DeploymentFacts};
use crate::domain::maintenance::window::{Outcome, Window};
use crate::domain::maintenance::{self, Maintenance};

/// How long an ended silence stays to be looked at.
const HISTORY: Duration = Duration::from_secs(3600);
/// How long a pass waits until everything has been listed.
const NOT_YET: Duration = Duration::from_millis(200);
/// How long a failed pass waits.
const RETRY: Duration = Duration::from_secs(1);

/// An error that ended a pass.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the maintenance silence")]
pub struct Error(#[from] kube::Error);

/// When to try again after an error.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that the controller asks for"
)]
pub fn after_error<K: Resource<DynamicType = ()>>(object: Arc<K>, error: &Error, _: Arc<Context>) -> Action {
    warn!(kind = %K::kind(&()), name = object.name_any(), error = chain(error), "pass failed");
    Action::requeue(RETRY)
}

/// One pass over a Deployment.
pub async fn deployment(object: Arc<Deployment>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.is_ready() {
        return Ok(Action::requeue(NOT_YET));
    }
    let facts = DeploymentFacts::of(&object);
    let uid = object.uid().unwrap_or_default();
    let phase = {
        let mut settled = context.workloads.settled.lock();
        let phase = rollout::observe(&facts, settled.get(&uid));
        if let Some(now_settled) = facts.settled() {
            settled.insert(uid, now_settled);
        }
        phase
    };
    look_after(&*object, WorkloadKind::Deployment, &phase, &context).await
}

/// One pass over a Job.
pub async fn job(object: Arc<Job>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.is_ready() {
        return Ok(Action::requeue(NOT_YET));
    }
    let phase = migration::observe(&JobFacts::of(&object));
    look_after(&*object, WorkloadKind::Job, &phase, &context).await
}

/// Remembers a Job's last phase: it may be deleted right after its success, and its silence still gets its linger.
///
/// An object that a watch reports as deleted may lack the deletion timestamp.
pub fn remember_job(job: &Job, is_deleted: bool, context: &Context) {
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

/// Forgets a workload that is gone.
pub fn forget(uid: &str, context: &Context) {
    context.workloads.settled.lock().remove(uid);
    context
        .workloads
        .written
        .lock()
        .retain(|(workload, _), _| workload != uid);
}

/// Until when the silence of a Job that succeeded and was deleted stays in Grafana.
pub fn linger_of(silence: &Silence, context: &Context) -> Option<Timestamp> {
    let uid = silence.labels().get(LABEL_WORKLOAD)?;
    let window = window(silence)?;
    let jobs = context.workloads.jobs.lock();
    let (phase, lease) = match jobs.get(uid) {
        Some((phase, lease)) => (Some(phase), *lease),
        None => (None, crate::domain::maintenance::window::Lease::default()),
    };
    lease::outlives_job(&lease, phase, &window, context.now())
}

fn wanted<K: Resource<DynamicType = ()>>(
    object: &K,
    kind: WorkloadKind,
    context: &Context,
) -> Result<Option<Maintenance>, crate::domain::refusal::Refusal> {
    let namespace = object.namespace().unwrap_or_default();
    let policies = context
        .stores
        .maintenance
        .state_filter(|p| p.namespace().as_deref() == Some(namespace.as_str()));
    let policies: Vec<&MaintenancePolicy> = policies.iter().map(AsRef::as_ref).collect();
    maintenance::wanted(kind, object.labels(), object.annotations(), &policies)
}

/// The window that a generated silence stands for.
fn window(silence: &Silence) -> Option<Window> {
    let ends = silence.spec.ends_at.as_ref()?.0;
    Window::from_annotations(silence.annotations(), ends).ok()
}

/// The windows of a workload: as the store has them, but for those that were written later than what the store shows.
fn windows(uid: &str, stored: impl Iterator<Item = Window>, context: &Context) -> Vec<Window> {
    let mut written = context.workloads.written.lock();
    let mut windows: BTreeMap<String, Window> = stored
        .map(|window| (window.run.revision.clone(), window))
        .collect();
    written.retain(|(workload, revision), window| {
        if workload != uid || windows.get(revision) == Some(window) {
            return workload != uid;
        }
        windows.insert(revision.clone(), window.clone());
        true
    });
    windows.into_values().collect()
}

async fn look_after<K>(
    object: &K,
    kind: WorkloadKind,
    phase: &Phase,
    context: &Context,
) -> Result<Action, Error>
where
    K: Resource<DynamicType = ()>,
{
    let uid = object.uid().unwrap_or_default();
    let namespace = object.namespace().unwrap_or_default();
    let maintenance = match wanted(object, kind, context) {
        Ok(Some(maintenance)) => maintenance,
        Ok(None) => return Ok(Action::await_change()),
        Err(refusal) => {
            let about = object.object_ref(&());
            context
                .event(
                    &about,
                    EventType::Warning,
                    "InvalidMaintenance",
                    "Silence",
                    &refusal.message,
                )
                .await;
            return Ok(Action::await_change());
        }
    };
    let generated = context.stores.silences.state_filter(|silence| {
        silence.ns() == namespace
            && silence.labels().get(LABEL_WORKLOAD) == Some(&uid)
            && !silence.is_deleting()
    });
    let windows = windows(
        &uid,
        generated.iter().filter_map(|silence| window(silence)),
        context,
    );
    let plan = lease::decide(&maintenance.lease, phase, &windows, context.now());
    for step in &plan.steps {
        write(object, kind, &maintenance, step, context).await?;
    }
    Ok(plan.recheck.map_or_else(Action::await_change, Action::requeue))
}

async fn write<K>(
    object: &K,
    kind: WorkloadKind,
    maintenance: &Maintenance,
    step: &Step,
    context: &Context,
) -> Result<(), Error>
where
    K: Resource<DynamicType = ()>,
{
    let namespace = object.namespace().unwrap_or_default();
    let silence = silence(object, kind, maintenance, &step.window);
    let name = silence.name_any();
    let api: Api<Silence> = Api::namespaced(context.client.clone(), &namespace);
    api.patch(
        &name,
        &PatchParams::apply(FIELD_MANAGER).force(),
        &Patch::Apply(&silence),
    )
    .await?;
    context.metrics.kubernetes_write("Silence", "apply");
    let key = (object.uid().unwrap_or_default(), step.window.run.revision.clone());
    context.workloads.written.lock().insert(key, step.window.clone());
    info!(kind = kind.as_str(), namespace, name = object.name_any(), silence = name, change = ?step.change,
        until = %step.window.ends, "maintenance silence written");
    if let Some((type_, reason, note)) = told(&step.change, &step.window, maintenance, &name) {
        context
            .event(&object.object_ref(&()), type_, reason, "Silence", &note)
            .await;
    }
    Ok(())
}

/// The generated Silence. It copies no labels and no annotations of the workload: a tool that tracks the workload by them
/// would take the silence for its own and remove it.
fn silence<K>(object: &K, kind: WorkloadKind, maintenance: &Maintenance, window: &Window) -> Silence
where
    K: Resource<DynamicType = ()>,
{
    let workload = object.name_any();
    let what = match kind {
        WorkloadKind::Deployment => "rollout of Deployment",
        WorkloadKind::Job => "run of Job",
    };
    Silence {
        metadata: ObjectMeta {
            name: Some(generated::silence_name(
                kind.as_str(),
                &workload,
                &window.run.revision,
            )),
            namespace: object.namespace(),
            labels: Some(BTreeMap::from([
                (LABEL_WORKLOAD.to_owned(), object.uid().unwrap_or_default()),
                (
                    "app.kubernetes.io/managed-by".to_owned(),
                    FIELD_MANAGER.to_owned(),
                ),
            ])),
            annotations: Some(window.to_annotations()),
            finalizers: Some(vec![FINALIZER.to_owned()]),
            owner_references: Some(vec![OwnerReference {
                api_version: K::api_version(&()).into_owned(),
                kind: K::kind(&()).into_owned(),
                name: workload.clone(),
                uid: object.uid().unwrap_or_default(),
                ..OwnerReference::default()
            }]),
            ..ObjectMeta::default()
        },
        spec: SilenceSpec {
            instance: maintenance.instance.clone(),
            matchers: maintenance.matchers.clone(),
            alert_rules: Some(maintenance.alert_rules.clone()),
            starts_at: Some(Time(window.opened)),
            ends_at: Some(Time(window.ends)),
            comment: Some(format!(
                "Maintenance: {what} {}/{workload}",
                object.namespace().unwrap_or_default()
            )),
            ttl_after_expiry: Some(duration::Duration::from(HISTORY)),
            ..SilenceSpec::default()
        },
        status: None,
    }
}

/// The event on the workload that tells of a change; an extension is no news.
fn told(
    change: &Change,
    window: &Window,
    maintenance: &Maintenance,
    name: &str,
) -> Option<(EventType, &'static str, String)> {
    let covered = match &maintenance.alert_rules {
        selector if selector.all == Some(true) => "all AlertRules of the namespace".to_owned(),
        selector if !selector.names.is_empty() => format!("AlertRules {}", selector.names.join(", ")),
        _ => "AlertRules with the labels it asks for".to_owned(),
    };
    let source = &maintenance.source;
    let ends = window.ends;
    Some(match change {
        Change::Opened => (
            EventType::Normal,
            "SilenceOpened",
            format!(
                "Silence {name} covers {covered}, as {source} says; it ends with the work, and at {ends} unless progress is seen"
            ),
        ),
        Change::Extended => return None,
        Change::Shortened => (
            EventType::Normal,
            "SilenceShortened",
            format!("Silence {name} ends at {ends}: nothing is under way"),
        ),
        Change::Ended(Outcome::Succeeded) => (
            EventType::Normal,
            "SilenceLingers",
            format!(
                "Silence {name} ends at {ends}: the work succeeded, and late evaluations are covered until then"
            ),
        ),
        Change::Ended(Outcome::Failed) => (
            EventType::Warning,
            "SilenceExpired",
            format!("Silence {name} has been expired: the work failed or is stuck, and alerts notify again"),
        ),
        Change::Ended(Outcome::Gone) => (
            EventType::Normal,
            "SilenceExpired",
            format!("Silence {name} has been expired: the workload was deleted"),
        ),
        Change::Ended(Outcome::Superseded) => (
            EventType::Normal,
            "SilenceSuperseded",
            format!("Silence {name} has been expired: another run has its own"),
        ),
        Change::Ended(Outcome::Lapsed) => (
            EventType::Warning,
            "SilenceLapsed",
            format!("Silence {name} ended: no progress was seen for as long as its lease"),
        ),
        Change::Ended(Outcome::Overran) => (
            EventType::Warning,
            "SilenceLapsed",
            format!("Silence {name} ended: it has reached maxDuration"),
        ),
    })
}
