//! Rollouts of Argo Rollouts: watched where they are installed when the operator starts, and from when a policy names them.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::runtime::watcher::{self, Event};
use kube::{Client, Resource, ResourceExt};
use tracing::debug;

use super::{rolling, selection, watched};
use crate::api::MaintenancePolicy;
use crate::api::maintenance_policy::WorkloadKind;
use crate::cluster::answer::{chain, is_missing};
use crate::cluster::client::WORKLOAD_WATCH;
use crate::controller::context::Context;
use crate::controller::engine::store::Writer;
use crate::controller::engine::watch::{optional, reflect};
use crate::domain::maintenance;
use crate::domain::maintenance::rollout::argo::Rollout;

/// The Rollouts, from when they are to be watched.
pub async fn watch(
    context: &Arc<Context>,
    client: &Client,
    namespaces: &[String],
    writer: Writer<Rollout>,
) -> BoxStream<'static, watcher::Result<Rollout>> {
    asked_for(context).await;
    let (lasts, unwatched) = (Some(WORKLOAD_WATCH), &context.unwatched);
    let events = optional(client, namespaces, unwatched, lasts, rolling::prune);
    let context = context.clone();
    reflect(events, writer, move |event, before| {
        about(event, before, &context);
    })
    .boxed()
}

/// Waits until Rollouts are to be watched. Where their type isn't there at the start, nobody looks for it before a policy asks.
async fn asked_for(context: &Context) {
    let version = Rollout::api_version(&());
    match context.client.list_api_group_resources(&version).await {
        Ok(served)
            if served
                .resources
                .iter()
                .any(|kind| kind.name == Rollout::plural(&())) => {}
        Err(error) if !is_missing(&error) => {
            debug!(error = chain(&error), "cannot see whether there are Rollouts");
        }
        Ok(_) | Err(_) => context.workloads.rollouts.wanted().await,
    }
}

/// What the watch of Rollouts tells. Policies that name them say whether they are there.
pub fn about(event: &Event<Rollout>, before: Option<&Rollout>, context: &Context) {
    watched::rolling(event, context);
    selection::rolling(event, before, context);
    if matches!(event, Event::InitDone) {
        for policy in context.stores.maintenance.all() {
            if maintenance::names(&policy.spec, WorkloadKind::Rollout) {
                let namespace = policy.namespace().unwrap_or_default();
                context.triggers.maintenance.one(&namespace, &policy.name_any());
            }
        }
    }
}

/// What to say of a policy that names Rollouts where there can't be any.
pub fn missing(policy: &MaintenancePolicy, context: &Context) -> Option<String> {
    let named = policy
        .spec
        .targets
        .iter()
        .position(|target| target.kind == WorkloadKind::Rollout)?;
    let kind = WorkloadKind::Rollout.as_str();
    let namespace = policy.namespace().unwrap_or_default();
    (!context.unwatched.sees(kind, &namespace)).then(|| {
        format!(
            "spec.targets[{named}].kind is {kind}, but {} isn't installed or may not be watched; it is looked for again every half a minute",
            format_args!("{}.{}", Rollout::plural(&()), Rollout::group(&()))
        )
    })
}
