//! The real passes and the real poller, against an API server and a Grafana in this process: no sockets, no waiting.

mod alone;
mod anything;
mod cost;
mod cut_off;
mod grafana;
mod health;
mod imports;
mod kube;
mod left_edges_tests;
mod left_tests;
mod looks;
mod metrics;
mod ownership;
mod refused;
mod resend;
mod versions;

use std::sync::Arc;
use std::time::Duration;

use ::kube::runtime::watcher::Event;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use super::connection::Instance;
use super::context::{Context, Operator, Writers};
use super::instance::{self, poller};
use super::news;
use crate::api::{
    ANNOTATION_RESEND, AlertRule, ContactPoint, FINALIZER, GrafanaInstance, NotificationPolicy,
    NotificationTemplate, Silence, TimeInterval,
};
use crate::cluster::identity::Identity;
use crate::controller::engine::by::Indexed;
use crate::controller::engine::health::Health;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::readiness::Readiness;
use crate::controller::engine::store::Writer;
use crate::controller::engine::trigger::Receivers;
use crate::domain::ownership::{Owner, Owners};
use crate::metrics::Metrics;
use grafana::{Does, Double, Point};
use kube::ApiServer;

/// The operator's own namespace.
const HOME: &str = "alertwright-system";

/// A query that needs Grafana's default data source.
const QUERY: &str = r#"sum(rate({a="b"}[5m])) > 1"#;

/// One Grafana, one API server, and what the operator knows.
struct World {
    context: Arc<Context>,
    /// Boxed, for every test's future holds a world.
    writers: Box<Writers>,
    receivers: Receivers,
    server: ApiServer,
    grafana: Double,
    /// What reads the Grafana that was connected last.
    poller: Option<JoinHandle<()>>,
}

impl World {
    fn new() -> Self {
        Self::over(ApiServer::default(), Double::new())
    }

    /// An operator that knows nothing yet of these two, and has listed all there is.
    fn over(server: ApiServer, grafana: Double) -> Self {
        let world = Self::starting(server, grafana);
        world.context.set_ready();
        world
    }

    /// The same, which has listed nothing yet.
    fn starting(server: ApiServer, grafana: Double) -> Self {
        let operator = Operator {
            namespace: HOME.to_owned(),
            owner: Owner::parse("own").unwrap(),
            watch_secrets: true,
            watched: Vec::new(),
            term: Arc::default(),
            metrics: Arc::new(Metrics::new()),
            readiness: Arc::new(Readiness::waiting("tests")),
        };
        let (context, writers, receivers) = operator.context(server.client());
        Self {
            context: Arc::new(context),
            writers: Box::new(writers),
            receivers,
            server,
            grafana,
            poller: None,
        }
    }

    /// The same after a restart of the operator: the instance has been read anew, and no watch has told anything.
    async fn restarted(self) -> Self {
        let mut world = Self::over(self.server.clone(), self.grafana.clone());
        self.instance().stop.cancel();
        world.connect_and_read().await;
        world
    }

    /// A world whose instance `default` has been read. Nothing is read again by itself within a test.
    async fn connected() -> Self {
        let mut world = Self::new();
        world.connect_and_read().await;
        world
    }

    async fn connect_and_read(&mut self) {
        let instance = self.connect(json!({})).await;
        until("the first read", || {
            !matches!(instance.health(), Health::Starting)
        })
        .await;
    }

    /// Makes the Secret that the instance `default` logs in with. Without it only the connection of the tests themselves is there.
    fn give_token(&self) {
        let token = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": HOME}, "data": {"token": "eA=="},
        });
        self.server
            .set(&format!("/api/v1/namespaces/{HOME}/secrets/token"), token);
    }

    /// Declares the instance `default` and connects it; the poller runs.
    async fn connect(&mut self, more: Value) -> Arc<Instance> {
        self.connect_as("default", more, None).await
    }

    /// The same, with a value of the annotation to send again.
    async fn connect_annotated(&mut self, more: Value, resend: Option<&str>) -> Arc<Instance> {
        self.connect_as("default", more, resend).await
    }

    /// The same with an instance of another name.
    async fn connect_as(&mut self, name: &str, more: Value, resend: Option<&str>) -> Arc<Instance> {
        let mut spec = json!({
            "url": "http://grafana", "auth": {"token": {"secretKeyRef": {"name": "token", "key": "token"}}},
            "resyncInterval": "1h", "stateInterval": "1h",
        });
        for (key, value) in more.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let declared = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance",
            "metadata": {
                "name": name, "namespace": HOME, "uid": format!("uid-{name}"), "generation": 1, "annotations": annotations(resend),
            },
            "spec": spec,
        });
        self.server
            .set(&path("grafanainstances", HOME, name), declared.clone());
        let declared: GrafanaInstance = serde_json::from_value(declared).unwrap();
        let (spec, url) = (declared.spec.clone(), spec["url"].clone());
        see(
            &self.context,
            &mut self.writers.instances,
            declared.clone(),
            news::about_instance,
        );
        let values = instance::read_references(&spec, &self.context.client, HOME).await;
        let fingerprint = instance::fingerprint(&declared, &values.unwrap_or_default());
        let owners = Owners::new(self.context.owner.clone(), &spec.previous_owner_ids);
        let instance = Arc::new(Instance::new(
            name.to_owned(),
            spec,
            fingerprint,
            self.grafana.client(),
            owners,
            self.context
                .rights
                .of(Identity::new(url.as_str().unwrap(), None).url()),
            HOME.to_owned(),
        ));
        self.context
            .running
            .write()
            .insert(name.to_owned(), instance.clone());
        self.poller = Some(tokio::spawn(poller::run(instance.clone(), self.context.clone())));
        instance
    }

    /// Has everything read now.
    async fn poll(&self) {
        poller::poll_all(&self.instance(), &self.context, false).await;
    }

    /// The instance that is connected.
    fn instance(&self) -> Arc<Instance> {
        self.context.running.read()["default"].clone()
    }

    fn rule(&mut self, name: &str, spec: Value) -> AlertRule {
        let rule = made(&self.server, "alertrules", name, spec);
        see(&self.context, &mut self.writers.rules, rule, news::about_rule)
    }

    fn contact_point(&mut self, name: &str, spec: Value) -> ContactPoint {
        let point = made(&self.server, "contactpoints", name, spec);
        see(
            &self.context,
            &mut self.writers.contact_points,
            point,
            news::about_contact_point,
        )
    }

    fn policy(&mut self, name: &str, spec: Value) -> NotificationPolicy {
        let policy = made(&self.server, "notificationpolicies", name, spec);
        see(
            &self.context,
            &mut self.writers.policies,
            policy,
            news::about_policy,
        )
    }

    fn silence(&mut self, name: &str, spec: Value) -> Silence {
        let silence = made(&self.server, "silences", name, spec);
        see(
            &self.context,
            &mut self.writers.silences,
            silence,
            news::about_silence,
        )
    }

    fn time_interval(&mut self, name: &str, spec: Value) -> TimeInterval {
        let interval = made(&self.server, "timeintervals", name, spec);
        see(
            &self.context,
            &mut self.writers.time_intervals,
            interval,
            news::about_time_interval,
        )
    }

    fn template(&mut self, name: &str, spec: Value) -> NotificationTemplate {
        let template = made(&self.server, "notificationtemplates", name, spec);
        see(
            &self.context,
            &mut self.writers.templates,
            template,
            news::about_template,
        )
    }
}

/// Those of a GrafanaInstance that asks to send again by this value.
fn annotations(resend: Option<&str>) -> Value {
    resend.map_or_else(|| json!({}), |value| json!({ANNOTATION_RESEND: value}))
}

fn path(plural: &str, namespace: &str, name: &str) -> String {
    format!("/apis/alerting.letsrevel.io/v1alpha1/namespaces/{namespace}/{plural}/{name}")
}

/// Makes a resource of namespace `revel`, with its finalizer.
fn made<K: Managed + DeserializeOwned>(server: &ApiServer, plural: &str, name: &str, spec: Value) -> K {
    let mut object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": K::KIND,
        "metadata": {
            "name": name, "namespace": "revel", "uid": format!("uid-{name}"), "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER],
        },
    });
    object["spec"] = spec;
    server.set(&path(plural, "revel", name), object.clone());
    serde_json::from_value(object).unwrap()
}

/// What a watch tells of an object of this kind.
type About<K> = fn(&Event<K>, Option<&K>, &Context);

/// Lets the watch tell of an object as it is now.
fn see<K: Indexed>(context: &Context, writer: &mut Writer<K>, object: K, about: About<K>) -> K {
    let event = Event::Apply(object.clone());
    let before = writer.apply(&event);
    about(&event, before.as_deref(), context);
    object
}

/// How many passes were asked for.
fn drain<T>(receiver: &mut UnboundedReceiver<T>) -> usize {
    let mut count = 0;
    while receiver.try_recv().is_ok() {
        count += 1;
    }
    count
}

/// Waits for a condition.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(20), waiting).await;
    assert!(in_time.is_ok(), "waited in vain for {what}");
}
