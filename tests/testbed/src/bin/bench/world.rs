//! The servers, and the operator on them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use alertwright_testbed::{
    ControlPlane, Grafana, Loki, Operator, Proxy,
    control_plane::Watch,
    grafana::{self, Version},
    operator,
    proxy::{Call, Calls},
};
use futures::{StreamExt, stream};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    fleet::{self, Fleet},
    tracker::{self, Tracker},
};

/// How often the proxy is looked at while a call is awaited.
const LOOK: Duration = Duration::from_millis(1);

/// What all sets share.
pub(crate) struct Plane {
    control: ControlPlane,
    loki: Loki,
    binary: PathBuf,
}

impl Plane {
    /// Starts the control plane and Loki, and installs our kinds.
    pub(crate) async fn start(binary: &Path) -> Self {
        eprintln!("starting the control plane and Loki");
        let control = ControlPlane::start().await.expect("the control plane starts");
        let loki = Loki::start().await.expect("Loki starts");
        let crds = Command::new(binary).arg("crds").output();
        let crds = crds.unwrap_or_else(|error| panic!("cannot run {}: {error}", binary.display()));
        control
            .apply(&String::from_utf8_lossy(&crds.stdout), "default")
            .await;
        Self {
            control,
            loki,
            binary: binary.to_owned(),
        }
    }

    /// A namespace that no operator watches.
    pub(crate) async fn namespace(&self) -> String {
        self.control.namespace("bare").await
    }

    /// Its Loki.
    pub(crate) fn loki(&self) -> &Loki {
        &self.loki
    }
}

/// One set of resources in a namespace of its own, with a Grafana of its own.
pub(crate) struct World {
    /// The client of whoever applies resources.
    pub(crate) client: Client,
    /// The operator's own namespace.
    home: String,
    /// The namespace of the resources.
    pub(crate) namespace: String,
    /// Their Grafana.
    pub(crate) grafana: Grafana,
    /// What the operator reaches it through.
    pub(crate) proxy: Proxy,
    /// The namespaces of branches.
    pub(crate) teams: Vec<String>,
    binary: PathBuf,
    kubeconfig: PathBuf,
    operator: Option<Operator>,
}

impl World {
    /// Starts a Grafana and applies the resources. The operator isn't started yet, and the GrafanaInstance isn't [declared](Self::declare).
    pub(crate) async fn prepare(plane: &Plane, fleet: &Fleet, version: Version) -> Self {
        eprintln!("{fleet}");
        let control = &plane.control;
        let (home, namespace) = (control.namespace("op").await, control.namespace("bench").await);
        let grafana = start_grafana(version).await;
        grafana
            .add_loki_datasource(&plane.loki, "loki", "Loki", true)
            .await;
        let proxy = Proxy::start(grafana.url()).await;
        let mut teams = Vec::new();
        for _ in 0..fleet.branches {
            teams.push(control.namespace("team").await);
        }
        let watch = if teams.is_empty() {
            Watch::Namespaces(&[&namespace])
        } else {
            Watch::All
        };
        let kubeconfig = control.operator_account(&home, watch).await;
        let client = control.admin().await;
        let world = Self {
            client,
            home,
            namespace,
            grafana,
            proxy,
            teams,
            binary: plane.binary.clone(),
            kubeconfig,
            operator: None,
        };
        let token = world.grafana.token().await;
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "grafana"}, "stringData": {"token": token},
        });
        apply(&world.client, &world.home, &secret).await;
        let branches = world
            .teams
            .iter()
            .map(|team| fleet::branch(team, &world.namespace, 0));
        let objects = fleet.objects().into_iter().chain(branches).collect();
        world.apply_all(objects).await;
        world
    }

    /// Begins to follow its resources.
    pub(crate) async fn tracker(&self) -> Tracker {
        let namespace = self.teams.is_empty().then_some(self.namespace.as_str());
        Tracker::start(&self.client, namespace).await
    }

    /// An operator of it, not started.
    pub(crate) fn options(&self) -> operator::Options {
        let home = self.home.as_str();
        let options = operator::Options::new(&self.binary, &self.kubeconfig).args([
            "--operator-namespace",
            home,
            "--owner-id",
            home,
        ]);
        if self.teams.is_empty() {
            options.args(["--watch-namespaces", &self.namespace])
        } else {
            options
        }
    }

    /// Declares the GrafanaInstance, with this in its specification.
    pub(crate) async fn declare(&self, more: Value) {
        let mut instance = json!({
            "apiVersion": crate::fleet::API_VERSION, "kind": "GrafanaInstance", "metadata": {"name": "default"},
            "spec": {
                "url": self.proxy.url(),
                "auth": {"token": {"secretKeyRef": {"name": "grafana", "key": "token"}}},
            },
        });
        if let (Some(spec), Value::Object(more)) = (instance.pointer_mut("/spec"), more)
            && let Some(spec) = spec.as_object_mut()
        {
            spec.extend(more);
        }
        apply(&self.client, &self.home, &instance).await;
    }

    /// Starts the operator for the first time.
    pub(crate) async fn start_operator(&mut self) {
        self.operator = Some(self.options().start().await.expect("the operator starts"));
    }

    /// Ends the operator, and has another one in its place.
    pub(crate) async fn replace_operator(&mut self, other: Operator) {
        if let Some(mut operator) = self.operator.replace(other) {
            operator.terminate().await;
        }
    }

    /// The operator.
    pub(crate) fn operator(&self) -> &Operator {
        self.operator.as_ref().expect("a started operator")
    }

    /// Kills the operator and starts it again.
    pub(crate) async fn restart_operator(&mut self) {
        let operator = self.operator.as_mut().expect("a started operator");
        operator.restart().await.expect("the operator starts again");
    }

    /// Applies one object, to the namespace that it names or to the one of the resources, and gives its generation.
    pub(crate) async fn apply(&self, object: &Value) -> i64 {
        let own = object.pointer("/metadata/namespace").and_then(Value::as_str);
        apply(&self.client, own.unwrap_or(&self.namespace), object).await
    }

    /// Applies many objects, eight at a time.
    pub(crate) async fn apply_all(&self, objects: Vec<Value>) {
        stream::iter(objects)
            .for_each_concurrent(8, async |object| {
                self.apply(&object).await;
            })
            .await;
    }

    /// Waits for a successful call through the proxy, counted from its last reset.
    pub(crate) async fn call(&self, method: &str, path: &str, patience: Duration) -> Call {
        let begun = Instant::now();
        loop {
            let calls = self.proxy.requests().of(method, path);
            if let Some(call) = calls.0.into_iter().find(is_done) {
                return call;
            }
            assert!(
                begun.elapsed() < patience,
                "not within {patience:?}: {method} {path}\n{}",
                self.operator()
                    .log()
                    .lines()
                    .rev()
                    .take(10)
                    .collect::<Vec<_>>()
                    .join("\n")
            );
            sleep(LOOK).await;
        }
    }

    /// Waits until it has listed all rules so often since the last reset and what is read with them is there too, and gives all calls.
    pub(crate) async fn resyncs(&self, times: usize, patience: Duration) -> Calls {
        let begun = Instant::now();
        while self.proxy.requests().rule_lists() < times {
            assert!(
                begun.elapsed() < patience,
                "no {times} resyncs within {patience:?}"
            );
            sleep(LOOK).await;
        }
        self.quiet(Duration::from_secs(1)).await
    }

    /// Waits until the operator has asked Grafana for nothing for so long, and gives all calls since the last reset.
    pub(crate) async fn quiet(&self, time: Duration) -> Calls {
        let begun = Instant::now();
        loop {
            let calls = self.proxy.requests();
            let ends = calls.0.iter().map(|call| call.at + call.took);
            let left = time.saturating_sub(ends.fold(begun, Instant::max).elapsed());
            if left.is_zero() {
                return calls;
            }
            sleep(left).await;
        }
    }

    /// The sum of a counter of the operator over all series that have the label.
    pub(crate) async fn count(&self, name: &str, label: &str) -> f64 {
        count(self.operator(), name, label).await
    }
}

/// The sum of a counter of an operator over all series that have the label.
pub(crate) async fn count(operator: &Operator, name: &str, label: &str) -> f64 {
    let metrics = operator.metrics().await;
    let series = metrics
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(label));
    series
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
        // An empty sum would be -0.
        .fold(0.0, |sum, value| sum + value)
}

/// The double, or a container of `GRAFANA_IMAGE`, that evaluates rules as often as a Grafana does where nobody has changed it.
pub(crate) async fn start_grafana(version: Version) -> Grafana {
    let source = grafana::Source::of_ones_own().expect("a Grafana of one's own");
    let options = grafana::Options {
        source: Some(source),
        version,
        interval: Duration::from_secs(10),
        ..grafana::Options::default()
    };
    Grafana::start(options).await.expect("Grafana starts")
}

fn is_done(call: &Call) -> bool {
    call.status.is_some_and(|status| (200..300).contains(&status))
}

async fn apply(client: &Client, namespace: &str, object: &Value) -> i64 {
    let text = |pointer| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (kind, name) = (text("/kind"), text("/metadata/name"));
    let resource = match kind {
        "AlertRule" => tracker::resource(kind, "alertrules"),
        "ContactPoint" => tracker::resource(kind, "contactpoints"),
        "NotificationPolicy" => tracker::resource(kind, "notificationpolicies"),
        "GrafanaInstance" => tracker::resource(kind, "grafanainstances"),
        "Silence" => tracker::resource(kind, "silences"),
        "Secret" => ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&()),
        "Deployment" => ApiResource::erase::<k8s_openapi::api::apps::v1::Deployment>(&()),
        "Job" => ApiResource::erase::<k8s_openapi::api::batch::v1::Job>(&()),
        other => panic!("{other} isn't among the kinds of the benchmark"),
    };
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let applied = api
        .patch(name, &PatchParams::apply("bench").force(), &Patch::Apply(object))
        .await;
    let applied = applied.unwrap_or_else(|error| panic!("cannot apply {kind} {name}: {error}"));
    applied.metadata.generation.unwrap_or_default()
}
