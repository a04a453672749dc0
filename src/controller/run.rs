//! Starting every controller.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use kube::runtime::controller::{Action, Config, Error as ControllerError};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::runtime::{Controller, reflector};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::context::{Context, Stores, Writers};
use super::instance;
use super::maintenance::{policy, workload};
use super::news::{
    about_contact_point, about_deployment, about_instance, about_job, about_maintenance, about_policy,
    about_rule, secret_changes, tell,
};
use super::pass::{self, Reconcile};
use crate::api::{AlertRule, ContactPoint, GrafanaInstance, NotificationPolicy, Silence};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::trigger::{Receivers, stream};
use crate::controller::engine::watch::{guarded, pruned, reflect};
use crate::domain::maintenance::rollout;

/// How many passes over one kind run at the same time.
const CONCURRENCY: u16 = 16;

/// Runs every controller until `stop`; passes under way are finished.
pub async fn all(
    context: Arc<Context>,
    writers: Writers,
    receivers: Receivers,
    namespaces: &[String],
    stop: CancellationToken,
) {
    let client = &context.client;
    let home = std::slice::from_ref(&context.namespace);
    let start = Start {
        context: context.clone(),
        stop: stop.clone(),
    };
    let rules = reflect(
        guarded::<AlertRule>(client, namespaces),
        writers.rules,
        tell(&context, about_rule),
    );
    let contact_points = reflect(
        guarded::<ContactPoint>(client, namespaces),
        writers.contact_points,
        tell(&context, about_contact_point),
    );
    let policies = reflect(
        guarded::<NotificationPolicy>(client, namespaces),
        writers.policies,
        tell(&context, about_policy),
    );
    let silences = reflect(guarded::<Silence>(client, namespaces), writers.silences, |_| {});
    let instances = reflect(
        guarded::<GrafanaInstance>(client, home),
        writers.instances,
        tell(&context, about_instance),
    );
    let maintenance_policies = reflect(
        guarded(client, namespaces),
        writers.maintenance,
        tell(&context, about_maintenance),
    );
    let deployments = reflect(
        pruned(client, namespaces, prune_deployment),
        writers.deployments,
        tell(&context, about_deployment),
    );
    let jobs = reflect(
        pruned(client, namespaces, prune_job),
        writers.jobs,
        tell(&context, about_job),
    );
    let stores = &context.stores;
    tokio::join!(
        start.kind(rules, &stores.rules, receivers.rules),
        start.kind(contact_points, &stores.contact_points, receivers.contact_points),
        start.kind(policies, &stores.policies, receivers.policies),
        start.kind(silences, &stores.silences, receivers.silences),
        start.controller(
            instances,
            &stores.instances,
            receivers.instances,
            instance::reconcile,
            instance::after_error
        ),
        start.controller(
            maintenance_policies,
            &stores.maintenance,
            receivers.maintenance,
            policy::reconcile,
            |object, error, _| {
                warn!(
                    name = object.name_any(),
                    error = crate::controller::engine::failure::chain(error),
                    "pass failed"
                );
                Action::requeue(Duration::from_secs(5))
            }
        ),
        start.controller(
            deployments,
            &stores.deployments,
            receivers.deployments,
            workload::deployment,
            workload::after_error
        ),
        start.controller(
            jobs,
            &stores.jobs,
            receivers.jobs,
            workload::job,
            workload::after_error
        ),
        secret_changes(client.clone(), context.clone(), namespaces.to_vec(), stop.clone()),
        when_listed(context.clone()),
    );
}

struct Start {
    context: Arc<Context>,
    stop: CancellationToken,
}

impl Start {
    async fn kind<K: Reconcile>(
        &self,
        objects: impl Stream<Item = watcher::Result<K>> + Send + 'static,
        store: &reflector::Store<K>,
        receiver: tokio::sync::mpsc::UnboundedReceiver<ObjectRef<K>>,
    ) {
        self.controller(objects, store, receiver, pass::run, pass::after_error)
            .await;
    }

    async fn controller<K, E, F>(
        &self,
        objects: impl Stream<Item = watcher::Result<K>> + Send + 'static,
        store: &reflector::Store<K>,
        receiver: tokio::sync::mpsc::UnboundedReceiver<ObjectRef<K>>,
        reconcile: fn(Arc<K>, Arc<Context>) -> F,
        after_error: fn(Arc<K>, &E, Arc<Context>) -> Action,
    ) where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
        E: std::error::Error + Send + 'static,
        F: Future<Output = Result<Action, E>> + Send + 'static,
    {
        Controller::for_stream(objects, store.clone())
            .with_config(Config::default().concurrency(CONCURRENCY))
            .reconcile_on(stream(receiver))
            .graceful_shutdown_on(self.stop.clone().cancelled_owned())
            .run(reconcile, after_error, self.context.clone())
            .for_each(|result| async {
                match result {
                    Ok(_)
                    | Err(ControllerError::ObjectNotFound(_) | ControllerError::ReconcilerFailed(..)) => {}
                    Err(error) => {
                        warn!(kind = %K::kind(&()), error = crate::controller::engine::failure::chain(&error), "watch failed");
                    }
                }
            })
            .await;
    }
}

/// Nothing is decided before every kind has been listed once; then everything is looked at.
async fn when_listed(context: Arc<Context>) {
    let Stores {
        rules,
        contact_points,
        policies,
        silences,
        instances,
        maintenance,
        deployments,
        jobs,
    } = &context.stores;
    let ready = tokio::try_join!(
        rules.wait_until_ready(),
        contact_points.wait_until_ready(),
        policies.wait_until_ready(),
        silences.wait_until_ready(),
        instances.wait_until_ready(),
        maintenance.wait_until_ready(),
        deployments.wait_until_ready(),
        jobs.wait_until_ready(),
    );
    if ready.is_err() {
        return;
    }
    debug!("every kind has been listed");
    context.set_ready();
    let triggers = &context.triggers;
    rules
        .state()
        .iter()
        .for_each(|o| triggers.rules.one(o.ns(), o.id()));
    contact_points
        .state()
        .iter()
        .for_each(|o| triggers.contact_points.one(o.ns(), o.id()));
    policies
        .state()
        .iter()
        .for_each(|o| triggers.policies.one(o.ns(), o.id()));
    silences
        .state()
        .iter()
        .for_each(|o| triggers.silences.one(o.ns(), o.id()));
    for instance in instances.state() {
        triggers.instances.one(&context.namespace, &instance.name_any());
    }
    for policy in maintenance.state() {
        triggers
            .maintenance
            .one(&policy.namespace().unwrap_or_default(), &policy.name_any());
    }
}

/// A Deployment is looked at for its status and whether its template has changed; the template itself is large.
fn prune_deployment(deployment: &mut Deployment) {
    deployment.managed_fields_mut().clear();
    deployment
        .annotations_mut()
        .remove("kubectl.kubernetes.io/last-applied-configuration");
    let hash = rollout::template_hash(deployment);
    if let Some(spec) = &mut deployment.spec {
        spec.template = k8s_openapi::api::core::v1::PodTemplateSpec::default();
        spec.template.metadata.get_or_insert_default().name = Some(hash);
    }
}

fn prune_job(job: &mut Job) {
    job.managed_fields_mut().clear();
    job.annotations_mut()
        .remove("kubectl.kubernetes.io/last-applied-configuration");
    if let Some(spec) = &mut job.spec {
        spec.template = k8s_openapi::api::core::v1::PodTemplateSpec::default();
    }
}
