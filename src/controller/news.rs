//! What each watch tells the controllers of other kinds.

use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use kube::runtime::reflector::Store;
use kube::runtime::watcher::Event;
use kube::{Client, Resource, ResourceExt};
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::instance;
use super::maintenance::watched;
use crate::api::{AlertRule, ContactPoint, GrafanaInstance, MaintenancePolicy, NotificationPolicy, Silence};
use crate::controller::engine::claim::Claiming;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::watch::secrets;
use crate::domain::notification::contact_point;

/// Lets a watch tell its news.
pub(super) fn tell<K: Resource + 'static>(
    context: &Arc<Context>,
    about: fn(&Event<K>, &Context),
) -> impl Fn(&Event<K>) + Send + 'static {
    let context = context.clone();
    move |event| about(event, &context)
}

/// Notes what a resource claims; returns those for whom the answer may have changed.
fn claim<K: Claiming>(event: &Event<K>, store: &Store<K>, context: &Context) -> Vec<(String, String)> {
    let affected = match event {
        Event::Apply(object) | Event::InitApply(object) => context.claims.note(object, &context.owner),
        Event::Delete(object) => context.claims.forget(object),
        Event::Init => Vec::new(),
        // What vanished while the watch was down left no event.
        Event::InitDone => context.claims.keep_only(store),
    };
    affected
        .into_iter()
        .map(|claimant| (claimant.namespace, claimant.name))
        .collect()
}

/// Silences may cover a rule that comes, goes, or changes its labels.
pub(super) fn about_rule(event: &Event<AlertRule>, context: &Context) {
    for (namespace, name) in claim(event, &context.stores.rules, context) {
        context.triggers.rules.one(&namespace, &name);
    }
    let rule = match event {
        Event::Apply(rule) | Event::Delete(rule) => rule,
        Event::InitApply(_) | Event::Init | Event::InitDone => return,
    };
    // A status that changes every few seconds is no news to a silence that names its rules. Labels may be gone, which this
    // event doesn't tell, so a silence that selects by labels always looks; where nothing has changed that costs no call.
    let is_status_only = matches!(event, Event::Apply(_)) && rule.status.is_some();
    let selects = |s: &Silence| {
        let selector = s.spec.alert_rules.as_ref().filter(|_| s.ns() == rule.ns());
        selector.is_some_and(|selector| {
            // One that covers nothing may have been looked at before the rules of its namespace could be seen.
            let covers = s.status.as_ref().and_then(|status| status.matches_rules);
            !selector.match_labels.is_empty()
                || covers.unwrap_or(0) == 0
                || (!is_status_only && selector.names.iter().any(|name| name == rule.id()))
        })
    };
    for silence in context.stores.silences.state_filter(selects) {
        context.triggers.silences.one(silence.ns(), silence.id());
    }
}

/// A policy waits for its contact points.
pub(super) fn about_contact_point(event: &Event<ContactPoint>, context: &Context) {
    for (namespace, name) in claim(event, &context.stores.contact_points, context) {
        context.triggers.contact_points.one(&namespace, &name);
    }
    if let Event::Apply(contact_point) | Event::Delete(contact_point) = event {
        context
            .triggers
            .policies
            .all_of(&context.stores.policies, contact_point.instance());
    }
}

pub(super) fn about_policy(event: &Event<NotificationPolicy>, context: &Context) {
    for (namespace, name) in claim(event, &context.stores.policies, context) {
        context.triggers.policies.one(&namespace, &name);
    }
}

pub(super) fn about_instance(event: &Event<GrafanaInstance>, context: &Context) {
    if let Event::Apply(instance) | Event::InitApply(instance) | Event::Delete(instance) = event {
        watched::instance(&instance.name_any(), context);
    }
    match event {
        Event::Delete(instance) => instance::disconnect(&instance.name_any(), context),
        Event::InitDone => {
            let names: Vec<String> = context.running.read().keys().cloned().collect();
            for name in names.iter().filter(|name| !context.instance_exists(name)) {
                instance::disconnect(name, context);
            }
        }
        Event::Apply(_) | Event::Init | Event::InitApply(_) => {}
    }
}

/// The workloads of the namespace may get or lose a silence.
pub(super) fn about_maintenance(event: &Event<MaintenancePolicy>, context: &Context) {
    let (Event::Apply(policy) | Event::Delete(policy)) = event else {
        return;
    };
    let namespace = policy.namespace();
    for workload in context
        .stores
        .deployments
        .state_filter(|d| d.namespace() == namespace)
    {
        context
            .triggers
            .deployments
            .one(&workload.namespace().unwrap_or_default(), &workload.name_any());
    }
    for workload in context.stores.jobs.state_filter(|j| j.namespace() == namespace) {
        context
            .triggers
            .jobs
            .one(&workload.namespace().unwrap_or_default(), &workload.name_any());
    }
}

pub(super) fn about_deployment(event: &Event<Deployment>, context: &Context) {
    watched::deployment(event, context);
    about_workload(event, context);
}

pub(super) fn about_job(event: &Event<Job>, context: &Context) {
    watched::job(event, context);
    about_workload(event, context);
}

/// The policies that look after workloads count them, so they are told when one comes or goes.
pub(super) fn about_workload<K: Resource>(event: &Event<K>, context: &Context) {
    let workload = match event {
        Event::Delete(workload) => workload,
        Event::Apply(workload) if workload.meta().generation == Some(1) => workload,
        _ => return,
    };
    let namespace = workload.meta().namespace.clone();
    for policy in context
        .stores
        .maintenance
        .state_filter(|p| p.namespace() == namespace)
    {
        context
            .triggers
            .maintenance
            .one(&policy.namespace().unwrap_or_default(), &policy.name_any());
    }
}

/// Sends whoever refers to a Secret on a pass when it changes.
pub(super) async fn secret_changes(
    client: Client,
    context: Arc<Context>,
    mut namespaces: Vec<String>,
    stop: CancellationToken,
) {
    if !context.watch_secrets {
        return;
    }
    if !namespaces.is_empty() && !namespaces.contains(&context.namespace) {
        namespaces.push(context.namespace.clone());
    }
    let mut is_listed = false;
    let changes = secrets(&client, &namespaces, &context.unwatched).take_until(stop.cancelled_owned());
    let mut changes = std::pin::pin!(changes);
    while let Some(event) = changes.next().await {
        match event {
            Event::Apply(secret) | Event::Delete(secret) => secret_changed(&secret, &context),
            // A change may hide in a second listing; the first one has no news.
            Event::InitApply(secret) if is_listed => secret_changed(&secret, &context),
            Event::InitDone => is_listed = true,
            Event::InitApply(_) | Event::Init => {}
        }
    }
}

fn secret_changed<S: Resource>(secret: &S, context: &Context) {
    let namespace = secret.meta().namespace.as_deref().unwrap_or_default();
    let name = secret.meta().name.as_deref().unwrap_or_default();
    let refers = |c: &ContactPoint| {
        c.ns() == namespace
            && contact_point::secret_refs(&c.spec)
                .iter()
                .any(|reference| reference.name == name)
    };
    for contact_point in context.stores.contact_points.state_filter(refers) {
        context
            .triggers
            .contact_points
            .one(contact_point.ns(), contact_point.id());
    }
    if namespace == context.namespace {
        let refers = |i: &GrafanaInstance| {
            instance::references(&i.spec)
                .iter()
                .any(|reference| reference.name == name)
        };
        for instance in context.stores.instances.state_filter(refers) {
            context.triggers.instances.one(namespace, &instance.name_any());
        }
    }
}
