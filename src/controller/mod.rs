//! The controllers: one room per kind, each resolve, decide, apply, report.

pub mod alert_rule;
pub mod connection;
pub mod context;
pub mod engine;
pub mod instance;
pub mod maintenance;
mod news;
pub mod notification;
pub mod pass;
pub mod run;
pub mod silence;

use std::sync::Arc;

use kube::runtime::events::EventType;

use connection::Instance;
use context::Context;
use engine::failure::Failure;
use engine::managed::Managed;

/// The Grafana that an object of a deleted resource is to be removed from; `None` if there is nothing left to remove it from,
/// which is said in an event.
async fn leaving<K: Managed>(object: &K, context: &Context) -> Result<Option<Arc<Instance>>, Failure> {
    if !context.is_ready() {
        return Err(Failure::not_yet());
    }
    let name = object.instance();
    let running = context.running.read().get(name).cloned();
    let Some(instance) = running else {
        if context.instance_exists(name)
            && object.deletion_policy() != Some(crate::api::reference::DeletionPolicy::Orphan)
        {
            return Err(context.unconnected(name));
        }
        let note =
            format!("GrafanaInstance {name} is gone, so what this resource made in Grafana stays there");
        context
            .event(
                &object.object_ref(&()),
                EventType::Warning,
                "LeftBehind",
                "Delete",
                &note,
            )
            .await;
        return Ok(None);
    };
    if object.deletion_policy() == Some(crate::api::reference::DeletionPolicy::Orphan) {
        return Ok(Some(instance));
    }
    instance.check()?;
    Ok(Some(instance))
}
