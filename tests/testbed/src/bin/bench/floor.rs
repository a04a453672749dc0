//! The least time that Grafana and the API server need, whoever asks: a bare client sends the operator's writes again, to
//! another Grafana and for copies of the resources.

use std::time::{Duration, Instant};

use alertwright_testbed::{
    Grafana, Loki, Proxy,
    grafana::Version,
    http,
    proxy::{Call, Calls},
};
use futures::{StreamExt, stream};
use kube::{
    Api,
    api::{DynamicObject, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    tracker::{KINDS, resource},
    world::{World, start_grafana},
};

/// As many connections as the operator has.
const CONNECTIONS: usize = 8;
/// As many calls of the API server at a time as keep it busy.
const AT_ONCE: usize = 32;

/// A Grafana that nobody else writes to, behind a proxy too, with what the operator's has.
pub(crate) struct Floor {
    // What the proxy leads to.
    _grafana: Grafana,
    proxy: Proxy,
    token: String,
    client: reqwest::Client,
}

impl Floor {
    /// Starts it, with nothing in it but the data source.
    pub(crate) async fn start(loki: &Loki, version: Version) -> Self {
        let grafana = start_grafana(version).await;
        grafana.add_loki_datasource(loki, "loki", "Loki", true).await;
        let token = grafana.token().await;
        let client = http::builder()
            .pool_max_idle_per_host(CONNECTIONS)
            .build()
            .expect("a plain client");
        Self {
            proxy: Proxy::start(grafana.url()).await,
            _grafana: grafana,
            token,
            client,
        }
    }

    /// Sends the writes of a first sync again: how long they take on as many connections as may be in flight there.
    pub(crate) async fn first_sync(&self, sent: &Calls) -> Duration {
        let writes = sent.writes();
        let (rules, others): (Vec<_>, Vec<_>) = writes.0.iter().partition(|call| call.rules_written() > 0);
        let begun = Instant::now();
        // Folders, and the one document of contact points and tree, whose writers lose each other's work.
        for call in others {
            self.send(call).await;
        }
        stream::iter(rules)
            .for_each_concurrent(CONNECTIONS, async |call| {
                self.send(call).await;
            })
            .await;
        begun.elapsed()
    }

    /// Sends several calls again, on as many connections as may be: how long they take.
    pub(crate) async fn all(&self, calls: &Calls) -> Duration {
        let begun = Instant::now();
        stream::iter(&calls.0)
            .for_each_concurrent(CONNECTIONS, async |call| {
                self.send(call).await;
            })
            .await;
        begun.elapsed()
    }

    /// Sends a call again: how long its answer takes.
    pub(crate) async fn send(&self, call: &Call) -> Duration {
        let request = self
            .client
            .request(call.method.clone(), format!("{}{}", self.proxy.url(), call.path))
            .bearer_auth(&self.token)
            .header("Content-Type", "application/json");
        let begun = Instant::now();
        let answer = request
            .body(call.body.clone())
            .send()
            .await
            .expect("an answer of Grafana");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer of Grafana");
        let took = begun.elapsed();
        let (method, path) = (&call.method, &call.path);
        assert!(status.is_success(), "{method} {path}: {status}: {text}");
        took
    }
}

/// What can't be avoided in Kubernetes: a finalizer and a status for each resource of the world, by a bare client, on copies
/// that nobody watches.
pub(crate) async fn kubernetes(world: &World, namespace: &str) -> Duration {
    let mut copies = Vec::new();
    for (kind, plural) in KINDS {
        let resource = resource(kind, plural);
        let from: Api<DynamicObject> =
            Api::namespaced_with(world.client.clone(), &world.namespace, &resource);
        let to: Api<DynamicObject> = Api::namespaced_with(world.client.clone(), namespace, &resource);
        let listed = from
            .list(&ListParams::default())
            .await
            .expect("a list of our kinds");
        for object in listed.items {
            let name = object.metadata.name.clone().unwrap_or_default();
            let part = |part: &str| object.data.get(part).cloned().unwrap_or(Value::Null);
            let copy = json!({
                "apiVersion": crate::fleet::API_VERSION, "kind": kind,
                "metadata": {"name": name, "namespace": namespace}, "spec": part("spec"),
            });
            let status = json!({
                "apiVersion": crate::fleet::API_VERSION, "kind": kind,
                "metadata": {"name": name}, "status": part("status"),
            });
            copies.push((to.clone(), name, copy, status));
        }
    }
    stream::iter(&copies)
        .for_each_concurrent(AT_ONCE, async |(_, _, copy, _)| {
            world.apply(copy).await;
        })
        .await;
    let finalizer = json!({"metadata": {"finalizers": ["bench.example.com/bare"]}});
    let begun = Instant::now();
    stream::iter(&copies)
        .for_each_concurrent(AT_ONCE, async |(api, name, _, status)| {
            let patched = api
                .patch(name, &PatchParams::default(), &Patch::Merge(&finalizer))
                .await;
            patched.expect("a finalizer");
            let applied = api
                .patch_status(
                    name,
                    &PatchParams::apply("bench-bare").force(),
                    &Patch::Apply(status),
                )
                .await;
            applied.expect("a status");
        })
        .await;
    let took = begun.elapsed();
    let none = json!({"metadata": {"finalizers": null}});
    stream::iter(&copies)
        .for_each_concurrent(AT_ONCE, async |(api, name, _, _)| {
            let freed = api
                .patch(name, &PatchParams::default(), &Patch::Merge(&none))
                .await;
            freed.expect("no finalizer");
        })
        .await;
    took
}
