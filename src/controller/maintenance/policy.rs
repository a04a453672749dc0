//! MaintenancePolicy: checks it and says how many workloads it looks after.

use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::controller::Action;

use super::workload::Error;
use crate::api::MaintenancePolicy;
use crate::api::condition::{self, Reason};
use crate::api::maintenance_policy::WorkloadKind;
use crate::cluster::status;
use crate::controller::context::Context;
use crate::domain::maintenance;

/// One pass over one MaintenancePolicy.
pub async fn reconcile(object: Arc<MaintenancePolicy>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.is_ready() {
        return Ok(Action::await_change());
    }
    let mut next = object.status.clone().unwrap_or_default();
    let (reason, message) = match maintenance::of_policy(&object) {
        Err(refusal) => (refusal.reason, refusal.message),
        Ok(_) if object.spec.suspend.unwrap_or(false) => (
            Reason::Suspended,
            "spec.suspend is set: no more silences are opened".to_owned(),
        ),
        Ok(_) => (
            Reason::Synced,
            "silences are opened when the workloads roll out or run".to_owned(),
        ),
    };
    next.workloads = i64::try_from(count(&object, &context)).ok();
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
    Ok(Action::await_change())
}

fn count(policy: &MaintenancePolicy, context: &Context) -> usize {
    let namespace = policy.namespace();
    let stores = &context.stores;
    let deployments = stores.deployments.state_filter(|d| {
        d.namespace() == namespace && maintenance::selects(&policy.spec, WorkloadKind::Deployment, d.labels())
    });
    let jobs = stores.jobs.state_filter(|j| {
        j.namespace() == namespace && maintenance::selects(&policy.spec, WorkloadKind::Job, j.labels())
    });
    deployments.len() + jobs.len()
}
