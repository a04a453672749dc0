//! What becomes known of the Secrets and ConfigMaps that resources refer to.

use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::runtime::watcher::Event;
use kube::{Client, Resource};
use tokio_util::sync::CancellationToken;

use crate::controller::context::Context;
use crate::controller::engine::by::{By, Named, named};
use crate::controller::engine::watch::{Events, versions};

/// Sends whoever refers to a Secret on a pass when it changes.
pub(in crate::controller) async fn secret_changes(
    client: Client,
    context: Arc<Context>,
    mut namespaces: Vec<String>,
    stop: CancellationToken,
) {
    if !context.watch_secrets {
        return;
    }
    add_home(&mut namespaces, &context);
    // Helm's are many and large.
    let but = "type!=helm.sh/release.v1";
    let changes = versions::<Secret>(&client, &namespaces, &context.unwatched, but);
    each(changes, stop, |secret| secret_changed(secret, &context)).await;
}

/// Sends whoever refers to a ConfigMap on a pass when it changes.
pub(in crate::controller) async fn config_map_changes(
    client: Client,
    context: Arc<Context>,
    mut namespaces: Vec<String>,
    stop: CancellationToken,
) {
    add_home(&mut namespaces, &context);
    // Kubernetes writes this one into each namespace.
    let but = "metadata.name!=kube-root-ca.crt";
    let changes = versions::<ConfigMap>(&client, &namespaces, &context.unwatched, but);
    each(changes, stop, |texts| config_map_changed(texts, &context)).await;
}

/// GrafanaInstances refer to what is in the operator's own namespace, wherever resources are watched.
fn add_home(namespaces: &mut Vec<String>, context: &Context) {
    if !namespaces.is_empty() && !namespaces.contains(&context.namespace) {
        namespaces.push(context.namespace.clone());
    }
}

/// Hands over what has changed since the first listing.
async fn each<K>(changes: Events<K>, stop: CancellationToken, about: impl Fn(&K)) {
    let mut is_listed = false;
    let changes = changes.take_until(stop.cancelled_owned());
    let mut changes = std::pin::pin!(changes);
    while let Some(event) = changes.next().await {
        match event {
            Event::Apply(object) | Event::Delete(object) => about(&object),
            // A change may hide in a second listing; the first one has no news.
            Event::InitApply(object) if is_listed => about(&object),
            Event::InitDone => is_listed = true,
            Event::InitApply(_) | Event::Init => {}
        }
    }
}

pub(in crate::controller) fn secret_changed<S: Resource>(secret: &S, context: &Context) {
    let (triggers, stores) = (&context.triggers, &context.stores);
    let refers = By::Secret(name_of(secret));
    triggers.contact_points.all_by(&stores.contact_points, &refers);
    triggers.instances.all_by(&stores.instances, &refers);
}

pub(in crate::controller) fn config_map_changed<S: Resource>(texts: &S, context: &Context) {
    let refers = By::ConfigMap(name_of(texts));
    let (triggers, stores) = (&context.triggers, &context.stores);
    triggers.contact_points.all_by(&stores.contact_points, &refers);
    triggers.templates.all_by(&stores.templates, &refers);
    triggers.instances.all_by(&stores.instances, &refers);
}

fn name_of<K: Resource>(object: &K) -> Named {
    let meta = object.meta();
    named(
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref().unwrap_or_default(),
    )
}
