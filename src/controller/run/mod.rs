//! Starting every controller, or rehearsing what their passes would do.

pub(in crate::controller) mod listed;
#[cfg(feature = "cli")]
pub mod rehearsal;

use std::sync::Arc;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use kube::core::object::HasSpec;
use kube::runtime::Controller;
use kube::runtime::controller::{Action, Config, Error as ControllerError};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher;
use kube::{Client, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::api::{PrometheusRuleImport, Silence};
use crate::cluster::client::WORKLOAD_WATCH;
use crate::cluster::prometheus::{PrometheusRule, RuleSource, VmRule};
use crate::controller::alert_rule::import;
use crate::controller::context::{Context, Writers};
use crate::controller::engine::by::Indexed;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::{Store, Writer};
use crate::controller::engine::trigger::{Receivers, stream};
use crate::controller::engine::watch::{
    Watched, guarded, left_out, optional, pruned, readable, reflect, reflect_ours,
};
use crate::controller::instance;
use crate::controller::maintenance::rolling::{self, Rolling};
use crate::controller::maintenance::{argo, policy, workload};
use crate::controller::news::texts::{config_map_changes, secret_changes};
use crate::controller::news::{
    about_contact_point, about_inhibition_rule, about_instance, about_job, about_maintenance, about_policy,
    about_rolling, about_rule, about_silence, about_template, about_time_interval, namespace_changes, tell,
};
use crate::controller::pass::{self, Reconcile};
use crate::deadline::{Late, waiting, within};
use crate::domain::maintenance::rollout::argo::Rollout;
use crate::telemetry::spans;

/// How many passes over one kind run at the same time, where they don't wait for a seat among those of their Grafana.
const CONCURRENCY: u16 = 16;
/// As many as there are: each waits for its seat.
const ALL: u16 = 0;

/// How long a pass may work in all, calls to the API server included. What it waits for others isn't in it.
const PASS: Duration = Duration::from_secs(60);
/// How soon a pass that took too long is tried again.
const LATE: Duration = Duration::from_secs(5);

/// Runs every controller until `stop`; passes under way are finished. `attentive` is the client for watches of workloads and of what
/// silences them.
pub async fn all(
    context: Arc<Context>,
    attentive: &Client,
    writers: Writers,
    receivers: Receivers,
    namespaces: &[String],
    stop: CancellationToken,
) {
    let client = &context.client;
    let unwatched = &context.unwatched;
    let home = std::slice::from_ref(&context.namespace);
    let start = Start {
        context: context.clone(),
        stop: stop.clone(),
    };
    let rules = start.watched(namespaces, writers.rules, about_rule);
    let contact_points = start.watched(namespaces, writers.contact_points, about_contact_point);
    let policies = start.watched(namespaces, writers.policies, about_policy);
    let time_intervals = start.watched(namespaces, writers.time_intervals, about_time_interval);
    let templates = start.watched(namespaces, writers.templates, about_template);
    let inhibition_rules = start.watched(namespaces, writers.inhibition_rules, about_inhibition_rule);
    let silences = reflect_ours(
        guarded::<Silence>(attentive, namespaces, unwatched, Some(WORKLOAD_WATCH), readable),
        writers.silences,
        context.echoes.clone(),
        tell(&context, about_silence),
    );
    let instances = reflect(
        guarded(client, home, unwatched, None, left_out),
        writers.instances,
        tell(&context, about_instance),
    );
    let maintenance_policies = reflect(
        guarded(attentive, namespaces, unwatched, Some(WORKLOAD_WATCH), left_out),
        writers.maintenance,
        tell(&context, about_maintenance),
    );
    let deployments = start.watched_rolling(attentive, namespaces, writers.deployments);
    let stateful_sets = start.watched_rolling(attentive, namespaces, writers.stateful_sets);
    let daemon_sets = start.watched_rolling(attentive, namespaces, writers.daemon_sets);
    let rollouts = argo::watch(&context, attentive, namespaces, writers.rollouts);
    let jobs = reflect(
        pruned(attentive, namespaces, unwatched, rolling::prune),
        writers.jobs,
        tell(&context, about_job),
    );
    let stores = &context.stores;
    tokio::join!(
        start.kind(rules, &stores.rules, receivers.rules),
        start.kind(contact_points, &stores.contact_points, receivers.contact_points),
        start.kind(policies, &stores.policies, receivers.policies),
        start.kind(time_intervals, &stores.time_intervals, receivers.time_intervals),
        start.kind(templates, &stores.templates, receivers.templates),
        start.kind(
            inhibition_rules,
            &stores.inhibition_rules,
            receivers.inhibition_rules
        ),
        start.kind(silences, &stores.silences, receivers.silences),
        start.controller(
            instances,
            &stores.instances,
            receivers.instances,
            CONCURRENCY,
            instance::reconcile,
            instance::after_error
        ),
        start.controller(
            maintenance_policies,
            &stores.maintenance,
            receivers.maintenance,
            CONCURRENCY,
            policy::reconcile,
            |object, error, _| {
                warn!(
                    name = object.name_any(),
                    error = crate::cluster::answer::chain(error),
                    "pass failed"
                );
                Action::requeue(Duration::from_secs(5))
            }
        ),
        start.rolling(deployments, receivers.deployments),
        start.rolling(stateful_sets, receivers.stateful_sets),
        start.rolling(daemon_sets, receivers.daemon_sets),
        start.rollouts(rollouts, receivers.rollouts),
        start.controller(
            jobs,
            &stores.jobs,
            receivers.jobs,
            CONCURRENCY,
            workload::job,
            workload::after_error
        ),
        start.imports(
            namespaces,
            (writers.imports, writers.prometheus_rules, writers.vm_rules),
            receivers.imports
        ),
        secret_changes(client.clone(), context.clone(), namespaces.to_vec(), stop.clone()),
        config_map_changes(client.clone(), context.clone(), namespaces.to_vec(), stop.clone()),
        namespace_changes(client.clone(), context.clone(), stop.clone()),
        listed::when_listed(context.clone(), stop.clone()),
    );
}

struct Start {
    context: Arc<Context>,
    stop: CancellationToken,
}

impl Start {
    async fn kind<K: Reconcile + Indexed>(
        &self,
        objects: impl Stream<Item = watcher::Result<K>> + Send + 'static,
        store: &Store<K>,
        receiver: UnboundedReceiver<ObjectRef<K>>,
    ) {
        self.controller(objects, store, receiver, ALL, when_ready, pass::after_error)
            .await;
    }

    /// Imports, and what they read.
    async fn imports(
        &self,
        namespaces: &[String],
        writers: (
            Writer<PrometheusRuleImport>,
            Writer<PrometheusRule>,
            Writer<VmRule>,
        ),
        receiver: UnboundedReceiver<ObjectRef<PrometheusRuleImport>>,
    ) {
        let context = &self.context;
        let watch = guarded(&context.client, namespaces, &context.unwatched, None, readable);
        let news = tell(context, import::news::import);
        let imports = reflect_ours(watch, writers.0, context.echoes.clone(), news);
        let store = &context.stores.imports;
        tokio::join!(
            self.controller(
                imports,
                store,
                receiver,
                CONCURRENCY,
                pass::without_finalizer,
                pass::after_error
            ),
            self.sources(namespaces, writers.1),
            self.sources(namespaces, writers.2),
        );
    }

    /// Follows a kind of others that holds rules, once there is an import to read them.
    async fn sources<K: RuleSource + Watched + Indexed>(&self, namespaces: &[String], writer: Writer<K>) {
        let follow = async {
            self.context.sources.wanted().await;
            let (client, unwatched) = (&self.context.client, &self.context.unwatched);
            let events = optional(client, namespaces, unwatched, None, |_| ());
            let followed = reflect(events, writer, tell(&self.context, import::news::source));
            followed.for_each(|_| async {}).await;
        };
        tokio::select! {
            () = follow => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Rollouts of Argo Rollouts, which need not be installed.
    async fn rollouts(
        &self,
        watch: impl Future<Output = BoxStream<'static, watcher::Result<Rollout>>>,
        receiver: UnboundedReceiver<ObjectRef<Rollout>>,
    ) {
        tokio::select! {
            rollouts = watch => self.rolling(rollouts, receiver).await,
            () = self.stop.cancelled() => {}
        }
    }

    /// A kind of ours, and who is told of it.
    fn watched<K>(
        &self,
        namespaces: &[String],
        writer: Writer<K>,
        about: fn(&watcher::Event<K>, Option<&K>, &Context),
    ) -> BoxStream<'static, watcher::Result<K>>
    where
        K: Watched + Indexed + Managed + HasSpec<Spec: Default + Serialize>,
    {
        let Context {
            client,
            unwatched,
            echoes,
            ..
        } = &*self.context;
        let events = guarded(client, namespaces, unwatched, None, readable);
        reflect_ours(events, writer, echoes.clone(), tell(&self.context, about)).boxed()
    }

    fn watched_rolling<K: Rolling + Watched>(
        &self,
        client: &Client,
        namespaces: &[String],
        writer: Writer<K>,
    ) -> BoxStream<'static, watcher::Result<K>> {
        let events = pruned(client, namespaces, &self.context.unwatched, rolling::prune);
        reflect(events, writer, tell(&self.context, about_rolling)).boxed()
    }

    async fn rolling<K: Rolling + DeserializeOwned>(
        &self,
        objects: impl Stream<Item = watcher::Result<K>> + Send + 'static,
        receiver: UnboundedReceiver<ObjectRef<K>>,
    ) {
        let store = K::store(&self.context);
        self.controller(
            objects,
            store,
            receiver,
            CONCURRENCY,
            workload::rolling,
            workload::after_error,
        )
        .await;
    }

    async fn controller<K, E, F>(
        &self,
        objects: impl Stream<Item = watcher::Result<K>> + Send + 'static,
        store: &Store<K>,
        receiver: UnboundedReceiver<ObjectRef<K>>,
        passes: u16,
        reconcile: fn(Arc<K>, Arc<Context>) -> F,
        after_error: fn(Arc<K>, &E, Arc<Context>) -> Action,
    ) where
        K: Indexed + DeserializeOwned,
        E: std::error::Error + Send + 'static,
        F: Future<Output = Result<Action, E>> + Send + 'static,
    {
        Controller::for_stream(objects, store.as_reflected().clone())
            .with_config(Config::default().concurrency(passes))
            .reconcile_on(stream(receiver))
            .graceful_shutdown_on(self.stop.clone().cancelled_owned())
            .run(
                move |object, context| told(object.clone(), in_time(reconcile(object, context))),
                move |object, error, context| match error {
                    Ended::Failed(error) => after_error(object, error, context),
                    Ended::Late => {
                        warn!(
                            kind = %K::kind(&()),
                            namespace = object.namespace(),
                            name = object.name_any(),
                            "pass failed: {error}"
                        );
                        Action::requeue(LATE)
                    }
                },
                self.context.clone(),
            )
            .for_each(|result| async {
                match result {
                    Ok(_)
                    | Err(ControllerError::ObjectNotFound(_) | ControllerError::ReconcilerFailed(..)) => {}
                    Err(error) => {
                        warn!(kind = %K::kind(&()), error = crate::cluster::answer::chain(&error), "watch failed");
                    }
                }
            })
            .await;
    }
}

/// A pass over a resource that decides by what there is of other kinds, which is seen only when all have been listed.
pub(in crate::controller) async fn when_ready<K: Reconcile>(
    object: Arc<K>,
    context: Arc<Context>,
) -> Result<Action, pass::Error> {
    waiting(context.begins.cancelled()).await;
    pass::run(object, context).await
}

/// How a pass ended that did not end well.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended<E: std::error::Error + 'static> {
    #[error(transparent)]
    Failed(E),
    #[error("not done within {} s", PASS.as_secs())]
    Late,
}

/// A pass that hangs would keep its object from being looked at ever again.
pub(super) async fn in_time<E: std::error::Error + 'static>(
    pass: impl Future<Output = Result<Action, E>>,
) -> Result<Action, Ended<E>> {
    match within(PASS, pass).await {
        Ok(result) => result.map_err(Ended::Failed),
        Err(Late) => Err(Ended::Late),
    }
}

/// Tells of a pass in a trace.
fn told<K: Indexed, E: std::error::Error + 'static>(
    object: Arc<K>,
    pass: impl Future<Output = Result<Action, Ended<E>>>,
) -> impl Future<Output = Result<Action, Ended<E>>> {
    let over = move || spans::Over {
        kind: K::kind(&()).into_owned(),
        namespace: object.namespace(),
        name: object.name_any(),
    };
    let outcome = |result: &Result<Action, Ended<E>>| match result {
        Ok(_) => "done",
        Err(Ended::Failed(_)) => "failed",
        Err(Ended::Late) => "late",
    };
    spans::pass(over, outcome, pass)
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::future::pending;
    use std::pin::pin;

    use futures::{FutureExt, poll};

    use super::*;
    use crate::deadline::time;

    #[tokio::test]
    async fn a_pass_that_hangs_is_given_up_and_its_object_looked_at_again() {
        let mut pass = pin!(in_time(pending::<Result<Action, fmt::Error>>()));
        assert!(poll!(pass.as_mut()).is_pending());
        time::pass(PASS * 9 / 10);
        assert!(poll!(pass.as_mut()).is_pending());
        time::pass(PASS / 10);
        let ended = pass.now_or_never().expect("it hangs no longer");
        assert!(matches!(ended, Err(Ended::Late)), "{ended:?}");
    }
}
