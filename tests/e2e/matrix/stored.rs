//! An upgrade: an operator starts on what a former build has stored in the cluster and in Grafana, and finds nothing to write.
//!
//! `stored.json` is what that build left: resources with their statuses, what it remembered, and its writes to Grafana, which are sent again here.
//! `STORE_WITH=/path/to/alertwright cargo test --test e2e stored` writes it with another build.

use std::path::PathBuf;

use alertwright::api::{FIELD_MANAGER, GrafanaInstance};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::grafana::Version;
use alertwright_testbed::operator::{self, Operator};
use alertwright_testbed::{ControlPlane, Grafana, Loki, Proxy, any_release, apply, grafana, http, wait};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use reqwest::Method;
use serde_json::{Value, json};

use super::PATIENCE;
use super::scenario::{self, RESOURCES, Scenario};
use crate::addresses::BULK_READ;
use crate::world;

/// What is remembered is found by Grafana's address, so that is the same each time; the way there is a proxy.
const ADDRESS: &str = "http://grafana.stored";
const HOME: &str = "stored-home";
const NS: &str = "stored-team";

/// Headers that say what a write means.
const HEADERS: [&str; 2] = ["content-type", "x-disable-provenance"];

/// A cluster with the types, a Grafana, and the way to it.
struct Place {
    plane: &'static ControlPlane,
    grafana: Grafana,
    token: String,
    proxy: Proxy,
    kubeconfig: PathBuf,
}

impl Place {
    async fn new() -> Self {
        let plane = ControlPlane::start().await.expect("a control plane of our own");
        let plane: &'static ControlPlane = Box::leak(Box::new(plane));
        world::install_crds_anew(plane).await;
        for namespace in [HOME, NS] {
            plane.kubectl(["create", "namespace", namespace]).await.ok();
        }
        let options = grafana::Options {
            version: Version::CURRENT,
            ..grafana::Options::default()
        };
        let grafana = Grafana::start(options).await.expect("grafana starts");
        grafana
            .add_loki_datasource(Loki::shared().await, "loki", "Loki", true)
            .await;
        let proxy = Proxy::start(grafana.url()).await;
        // What is sent again may name no version of what it finds.
        proxy.only("/api/");
        let kubeconfig = plane.operator_account(HOME, Watch::Namespaces(&[NS])).await;
        let token = grafana.token_with_role("Admin").await;
        let more = json!({"proxyURL": proxy.url(), "ruleAPI": "Provisioning"});
        world::connect(plane, HOME, ADDRESS, &token, more).await;
        Self {
            plane,
            grafana,
            token,
            proxy,
            kubeconfig,
        }
    }

    async fn operator(&self, binary: &str) -> Operator {
        let options = operator::Options::new(binary, &self.kubeconfig).args([
            "--operator-namespace",
            HOME,
            "--watch-namespaces",
            NS,
            "--owner-id",
            "stored",
        ]);
        options.start().await.expect("the operator starts")
    }

    async fn api(&self, kind: &str, plural: &str) -> Api<DynamicObject> {
        scenario::api(&self.plane.admin().await, NS, kind, plural)
    }

    async fn instance(&self) -> Api<GrafanaInstance> {
        Api::namespaced(self.plane.admin().await, HOME)
    }

    async fn resyncs(&self, count: usize) {
        wait::until("Grafana is read again and again", PATIENCE, async || {
            (self.proxy.requests().of("GET", BULK_READ).len() >= count).then_some(())
        })
        .await;
    }

    fn scenario(&self) -> Scenario<'_> {
        Scenario::of(self.plane, NS, &self.grafana)
    }
}

fn file() -> PathBuf {
    world::root().join("tests/e2e/matrix/stored.json")
}

/// Lets a build make everything, and keeps what it has stored.
async fn store(binary: &str) {
    let place = Place::new().await;
    let operator = place.operator(binary).await;
    place.scenario().apply(false).await;
    place.scenario().settle().await;
    place.resyncs(2).await;
    drop(operator);
    let mut resources = Vec::new();
    for (kind, plural, name) in RESOURCES {
        let object = place
            .api(kind, plural)
            .await
            .get(name)
            .await
            .expect("it is there");
        let object = serde_json::to_value(object).expect("JSON");
        resources.push(json!({
            "apiVersion": object["apiVersion"], "kind": kind,
            "metadata": {"name": name, "finalizers": object["metadata"]["finalizers"], "annotations": object["metadata"]["annotations"]},
            "spec": object["spec"], "status": object["status"],
        }));
    }
    let instance = place.instance().await.get("default").await.expect("it is there");
    let secrets = ["get", "secrets", "-n", HOME, "-o", "json"];
    let secrets: Value =
        serde_json::from_str(&place.plane.kubectl(secrets).await.ok()).expect("a list of Secrets");
    let remembered: Vec<Value> = secrets["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|secret| secret["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("alertwright-")))
        .map(|secret| {
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": secret["type"], "data": secret["data"],
                "metadata": {"name": secret["metadata"]["name"], "labels": secret["metadata"]["labels"], "annotations": secret["metadata"]["annotations"]},
            })
        })
        .collect();
    let writes = place.proxy.requests().writes().0;
    let writes = writes.iter().map(|call| {
        let headers = HEADERS.iter().filter_map(|name| {
            let value = call.headers.get(*name)?.to_str().ok()?;
            Some(((*name).to_owned(), json!(value)))
        });
        let headers: serde_json::Map<_, _> = headers.collect();
        json!({"method": call.method.as_str(), "path": call.path, "headers": headers, "body": call.json()})
    });
    let stored = json!({
        "resources": resources, "instance": instance.status, "remembered": remembered, "writes": writes.collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&stored).expect("JSON");
    std::fs::write(file(), text + "\n").expect("the file");
}

impl Place {
    /// Makes what was stored be there, as if a former build had just been stopped.
    async fn restore(&self, stored: &Value) {
        let list = |name: &str| stored[name].as_array().cloned().unwrap_or_default();
        for write in list("writes") {
            let text = |name: &str| write[name].as_str().expect("a text");
            let method = Method::from_bytes(text("method").as_bytes()).expect("a method");
            let mut request = http::client()
                .request(method, self.grafana.url() + text("path"))
                .bearer_auth(&self.token)
                .body(write["body"].to_string());
            for (name, value) in write["headers"].as_object().into_iter().flatten() {
                request = request.header(name, value.as_str().unwrap_or_default());
            }
            let answer = request.send().await.expect("an answer");
            assert!(answer.status().is_success(), "{write}: {}", answer.status());
        }
        for secret in list("remembered") {
            self.plane.apply(&secret.to_string(), HOME).await;
        }
        // What they refer to comes with them.
        let secret = scenario::resources(false).remove(0);
        self.plane.apply(&secret.to_string(), NS).await;
        // By whom the operator writes them, so that they are its own.
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let status = |kind: &Value, name: &str, status: &Value| json!({"apiVersion": scenario::VERSION, "kind": kind, "metadata": {"name": name}, "status": status});
        let told = status(&json!("GrafanaInstance"), "default", &stored["instance"]);
        let instances = self.instance().await;
        let patched = instances
            .patch_status("default", &params, &Patch::Apply(&told))
            .await;
        patched.expect("a status");
        for object in list("resources") {
            let mut wished = object.clone();
            wished.as_object_mut().and_then(|object| object.remove("status"));
            self.plane.apply(&wished.to_string(), NS).await;
            let named = |wanted: &&(&str, &str, &str)| {
                object["kind"] == wanted.0 && object["metadata"]["name"] == wanted.2
            };
            let (kind, plural, name) = RESOURCES.iter().find(named).expect("a resource of the scenario");
            let api = self.api(kind, plural).await;
            let told = status(&object["kind"], name, &object["status"]);
            let patched = api.patch_status(name, &params, &Patch::Apply(&told)).await;
            patched.expect("a status");
        }
    }
}

#[apply(any_release)]
async fn an_upgrade_finds_what_a_former_build_has_stored_and_writes_nothing_to_grafana() {
    if let Ok(binary) = std::env::var("STORE_WITH") {
        store(&binary).await;
    }
    let place = Place::new().await;
    let stored = std::fs::read_to_string(file()).expect("what was stored");
    let stored: Value = serde_json::from_str(&stored).expect("JSON");
    place.restore(&stored).await;
    let operator = place.operator(env!("CARGO_BIN_EXE_alertwright")).await;
    place.resyncs(4).await;
    place.scenario().settle().await;
    let writes = place.proxy.reset().writes();
    assert!(writes.is_empty(), "{writes}\n{}", operator.log());
    // What was changed and deleted then is so in Grafana, and nothing of it stays.
    place.scenario().apply(true).await;
    place.scenario().settle().await;
    assert!(place.grafana.contact_point("team").await.len() == 2);
    place.scenario().gone().await;
    let rules = place.grafana.rules().await;
    assert!(rules.is_empty(), "{rules:?}");
    assert!(place.grafana.contact_point("team").await.is_empty());
    assert!(place.grafana.mute_timings().await.is_empty());
    assert!(place.grafana.active_silences().await.is_empty());
}
