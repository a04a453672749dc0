//! MaintenancePolicy: checks it, and says how many workloads it looks after and what that covers.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::{Resource, ResourceExt};

use super::workload::Error;

use crate::api::condition::{self, Reason};
use crate::api::maintenance_policy::WorkloadKind;
use crate::api::{DEFAULT_INSTANCE, MaintenancePolicy};
use crate::cluster::status;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::domain::maintenance;
use crate::domain::maintenance::coverage::{self, CronRun};
use crate::domain::maintenance::migration::JobFacts;

/// One pass over one MaintenancePolicy.
pub async fn reconcile(object: Arc<MaintenancePolicy>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.is_ready() {
        return Ok(Action::await_change());
    }
    let mut next = object.status.clone().unwrap_or_default();
    let looked_after = looked_after(&object, &context);
    let instance = object.spec.instance.as_deref().unwrap_or(DEFAULT_INSTANCE);
    let mut warnings = Vec::new();
    let (reason, message) = match maintenance::of_policy(&object) {
        Err(refusal) => (refusal.reason, refusal.message),
        Ok(_) if object.spec.suspend.unwrap_or(false) => (
            Reason::Suspended,
            "spec.suspend is set: no more silences are opened".to_owned(),
        ),
        Ok(_) if !context.instance_exists(instance) => (
            Reason::DependencyMissing,
            format!(
                "GrafanaInstance {instance} is not there; create it in namespace {}, or set spec.instance",
                context.namespace
            ),
        ),
        Ok(maintenance) => {
            warnings = maintenance::warnings(&maintenance.lease);
            warnings.extend(coverage::warnings(
                &looked_after.cron_runs,
                maintenance.lease.linger,
            ));
            (
                Reason::Synced,
                "silences are opened when the workloads roll out or run".to_owned(),
            )
        }
    };
    let message = warnings
        .iter()
        .fold(message, |text, warning| format!("{text}. Warning: {warning}"));
    let ready = |conditions| condition::ready(conditions).map(|ready| ready.message.clone());
    let is_news = object
        .status
        .as_ref()
        .and_then(|status| ready(&status.conditions))
        .as_ref()
        != Some(&message);
    next.workloads = i64::try_from(looked_after.count).ok();
    next.observed_generation = object.metadata.generation;
    condition::report(
        &mut next.conditions,
        reason,
        &message,
        object.metadata.generation,
        context.now(),
    );
    if status::differs(object.status.as_ref(), &next) {
        status::apply(&context.client, &*object, &next).await?;
        context.metrics.kubernetes_write("MaintenancePolicy", "status");
    }
    if is_news && !warnings.is_empty() {
        let about = object.object_ref(&());
        context
            .event(&about, EventType::Warning, reason.as_str(), "Reconcile", &message)
            .await;
    }
    Ok(Action::await_change())
}

/// The workloads that a policy selects.
struct LookedAfter {
    /// How many. The runs of a CronJob count as one, so that not every run changes the status.
    count: usize,
    /// The known runs of every `CronJob`.
    cron_runs: Vec<CronRun>,
}

fn looked_after(policy: &MaintenancePolicy, context: &Context) -> LookedAfter {
    let namespace = By::Namespace(policy.namespace().unwrap_or_default());
    let mut deployments = context.stores.deployments.by(&namespace);
    deployments.retain(|d| maintenance::selects(&policy.spec, WorkloadKind::Deployment, d.labels()));
    let mut jobs = context.stores.jobs.by(&namespace);
    jobs.retain(|j| maintenance::selects(&policy.spec, WorkloadKind::Job, j.labels()));
    let mut cron_jobs = BTreeSet::new();
    let mut others = 0;
    let mut cron_runs = Vec::new();
    for job in &jobs {
        let Some(cron_job) = cron_job(job) else {
            others += 1;
            continue;
        };
        let facts = JobFacts::of(job);
        if let Some(began) = facts.started {
            let ended = facts
                .end
                .and_then(|end| Some((end.at?, end.condition == "Complete")));
            cron_runs.push(CronRun {
                cron_job: cron_job.clone(),
                began,
                ended,
            });
        }
        cron_jobs.insert(cron_job);
    }
    LookedAfter {
        count: deployments.len() + others + cron_jobs.len(),
        cron_runs,
    }
}

fn cron_job(job: &Job) -> Option<String> {
    let owner = job
        .owner_references()
        .iter()
        .find(|owner| owner.kind == "CronJob");
    owner.map(|owner| owner.name.clone())
}
