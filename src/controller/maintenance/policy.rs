//! MaintenancePolicy: checks it, and says how many workloads it looks after and what that covers.

use std::sync::Arc;

use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::{Resource, ResourceExt};

use super::argo;
use super::workload::Error;

use crate::api::MaintenancePolicy;
use crate::api::condition::{self, Reason};
use crate::cluster::status;
use crate::controller::context::Context;
use crate::controller::engine::managed::names;
use crate::domain::maintenance;
use crate::domain::maintenance::selected::Selected;
use crate::telemetry::spans;

/// One pass over one MaintenancePolicy.
pub async fn reconcile(object: Arc<MaintenancePolicy>, context: Arc<Context>) -> Result<Action, Error> {
    if !context.is_ready() {
        return Ok(Action::await_change());
    }
    let mut next = object.status.clone().unwrap_or_default();
    let (workloads, of_workloads) = looked_after(&object, &context);
    let mut named = names(object.spec.instance.as_deref(), object.spec.instances.as_deref());
    named.retain(|name| !context.instance_exists(name));
    let mut warnings = Vec::new();
    let (reason, message) = match maintenance::of_policy(&object) {
        Err(refusal) => (refusal.reason, refusal.message),
        Ok(_) if object.spec.suspend.unwrap_or(false) => (
            Reason::Suspended,
            "spec.suspend is set: no more silences are opened".to_owned(),
        ),
        Ok(_) if !named.is_empty() => (Reason::DependencyMissing, missing(&object, &named, &context)),
        Ok(maintenance) => {
            warnings = maintenance::warnings(&maintenance.lease);
            warnings.extend(of_workloads);
            warnings.extend(argo::missing(&object, &context));
            (
                Reason::Synced,
                "silences are opened when the workloads roll out or run".to_owned(),
            )
        }
    };
    spans::reason(reason.as_str());
    let message = warnings
        .iter()
        .fold(message, |text, warning| format!("{text}. Warning: {warning}"));
    let before = object
        .status
        .as_ref()
        .and_then(|status| condition::ready(&status.conditions));
    let is_other = before.is_none_or(|ready| ready.reason != reason.as_str());
    let is_news = is_other || !warnings.is_empty() && before.is_some_and(|ready| ready.message != message);
    next.workloads = i64::try_from(workloads).ok();
    next.observed_generation = object.metadata.generation;
    condition::report(
        &mut next.conditions,
        reason,
        &message,
        object.metadata.generation,
        context.now(),
    );
    if status::differs(object.status.as_ref(), &next) {
        status::apply(&context.client, &*object, &next, None).await?;
    }
    if is_news {
        let is_well = (reason.is_ready() || reason == Reason::Suspended) && warnings.is_empty();
        let type_ = if is_well {
            EventType::Normal
        } else {
            EventType::Warning
        };
        let about = object.object_ref(&());
        context
            .event(&about, type_, reason.as_str(), "Reconcile", &message)
            .await;
    }
    Ok(Action::await_change())
}

/// That a GrafanaInstance isn't there, and what can be done. Where there are several, silences open in the other ones all the same.
fn missing(policy: &MaintenancePolicy, named: &[&str], context: &Context) -> String {
    let or = match &policy.spec.instances {
        Some(_) => "take it out of spec.instances",
        None => "set spec.instance",
    };
    let home = &context.namespace;
    let each = named
        .iter()
        .map(|name| format!("GrafanaInstance {name} is not there; create it in namespace {home}, or {or}"));
    each.collect::<Vec<_>>().join(". ")
}

/// How many workloads the policy looks after, and what there is to be said of them.
fn looked_after(policy: &MaintenancePolicy, context: &Context) -> (usize, Vec<String>) {
    let key = (policy.namespace().unwrap_or_default(), policy.name_any());
    let selected = context.workloads.selected.lock();
    let told = |selected: &Selected| (selected.count(), selected.warnings().cloned().collect());
    selected.get(&key).map(told).unwrap_or_default()
}
