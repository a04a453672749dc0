//! Workloads that roll out and run when a test wants them to, and the silences that they get.

use alertwright::api::Silence;
use alertwright_testbed::wait::{self, Seen};
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::silences::id;
use crate::world::{SOON, World};

/// Why a generated silence ended, once it has.
pub const OUTCOME: &str = "alerting.letsrevel.io/maintenance-outcome";

/// A Deployment `name` with the label `app` of the same value. What `spec` has replaces the default.
pub fn deployment(name: &str, annotations: &Value, spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": name}, "annotations": annotations},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template(name, "1", &json!({}))},
    });
    merge(&mut object["spec"], spec);
    object
}

/// A workload of another kind in apps/v1, made as a Deployment is; `replicas` is null where the kind has none.
pub fn of_kind(kind: &str, name: &str, annotations: &Value, spec: &Value, replicas: &Value) -> Value {
    let mut object = deployment(name, annotations, spec);
    object["kind"] = json!(kind);
    match (replicas, object["spec"].as_object_mut()) {
        (Value::Null, Some(spec)) => drop(spec.remove("replicas")),
        (replicas, _) => object["spec"]["replicas"] = replicas.clone(),
    }
    if kind == "StatefulSet" {
        object["spec"]["serviceName"] = json!(name);
    }
    object
}

/// A Job `name` with the label `app` of the same value.
pub fn job(name: &str, annotations: &Value, spec: &Value) -> Value {
    let mut pod = template(name, "1", &json!({}));
    pod["spec"]["restartPolicy"] = json!("Never");
    let mut object = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "labels": {"app": name}, "annotations": annotations},
        "spec": {"template": pod, "backoffLimit": 0},
    });
    merge(&mut object["spec"], spec);
    object
}

fn template(name: &str, version: &str, selector: &Value) -> Value {
    json!({
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": format!("example.com/app:{version}")}], "nodeSelector": selector},
    })
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// The node label without which the pods of this test's held workloads find no node.
pub fn held(w: &World) -> Value {
    json!({"template": {"spec": {"nodeSelector": {w.ns.as_str(): "go"}}}})
}

/// Lets the pods of held workloads find their node.
pub async fn let_go(w: &World) {
    let label = format!("{}=go", w.ns);
    w.plane
        .kubectl(["label", "nodes", "--all", "--overwrite", &label])
        .await
        .ok();
}

/// Starts a rollout of a workload of any kind by another image.
pub async fn roll_of(w: &World, kind: &str, name: &str, version: &str) {
    patch(w, kind, name, version, &json!({})).await;
}

/// Starts a rollout by another image, and changes more of the Deployment's spec.
pub async fn roll(w: &World, name: &str, version: &str, more: &Value) {
    patch(w, "deployment", name, version, more).await;
}

/// Starts a rollout of a custom resource by another image.
pub async fn roll_by_merge(w: &World, kind: &str, name: &str, version: &str) {
    let image = json!([{"name": "main", "image": format!("example.com/app:{version}")}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": image}}}}).to_string();
    w.plane
        .kubectl(["patch", kind, name, "-n", &w.ns, "--type=merge", "-p", &patch])
        .await
        .ok();
}

async fn patch(w: &World, kind: &str, name: &str, version: &str, more: &Value) {
    let image = json!([{"name": "main", "image": format!("example.com/app:{version}")}]);
    let mut patch = json!({"spec": {"template": {"spec": {"containers": image}}}});
    merge(&mut patch["spec"], more);
    let patch = patch.to_string();
    w.plane
        .kubectl(["patch", kind, name, "-n", &w.ns, "--type=strategic", "-p", &patch])
        .await
        .ok();
}

/// Annotations that ask for a silence of the whole namespace with a lease and a linger of so many seconds.
pub fn asking(lease: &str, linger: &str) -> Value {
    json!({
        "alerting.letsrevel.io/silence": "namespace",
        "alerting.letsrevel.io/silence-lease": lease,
        "alerting.letsrevel.io/silence-linger": linger,
    })
}

/// The Silences whose owner is this workload, oldest first.
pub async fn silences_of(w: &World, workload: &str) -> Vec<Silence> {
    let all = w.api::<Silence>().await.list(&ListParams::default()).await;
    let mut owned: Vec<Silence> = all
        .map(|list| list.items)
        .unwrap_or_default()
        .into_iter()
        .filter(|silence| {
            silence
                .owner_references()
                .iter()
                .any(|owner| owner.name == workload)
        })
        .collect();
    owned.sort_by_key(|silence| silence.creation_timestamp().map(|time| time.0));
    owned
}

/// Waits until the workload has a silence without an outcome that Grafana has made active, and returns it.
pub async fn silenced(w: &World, workload: &str) -> Silence {
    wait::until(&format!("{workload} is silenced"), SOON, async || {
        let active = w.grafana.active_silences().await;
        let silences = silences_of(w, workload).await;
        let found = silences.iter().find(|silence| {
            let known = silence.status.as_ref().and_then(|status| status.id.clone());
            !silence.annotations().contains_key(OUTCOME)
                && known.is_some_and(|known| active.iter().any(|s| s["id"] == known.as_str()))
        });
        found.cloned().map_or_else(|| wait::not_yet(&silences), Seen::Yes)
    })
    .await
}

/// Waits until the silence has this outcome, and returns it.
pub async fn ended(w: &World, name: &str, outcome: &str) -> Silence {
    let api = w.api::<Silence>().await;
    wait::until(&format!("Silence {name} has {outcome}"), 2 * SOON, async || {
        let seen = api.get(name).await.ok();
        let has = seen
            .as_ref()
            .and_then(|silence| silence.annotations().get(OUTCOME).cloned());
        match seen {
            Some(silence) if has.as_deref() == Some(outcome) => Seen::Yes(silence),
            other => wait::not_yet(other),
        }
    })
    .await
}

/// Waits until the workload's first rollout is over and its silence too, and returns that.
pub async fn settled(w: &World, workload: &str) -> Silence {
    let name = wait::until(&format!("{workload} has a silence"), SOON, async || {
        silences_of(w, workload).await.first().map(ResourceExt::name_any)
    })
    .await;
    ended(w, &name, "Succeeded").await;
    over(w, &name).await
}

/// Waits until a silence has expired, also in Grafana if that ever had it, and returns it.
pub async fn over(w: &World, name: &str) -> Silence {
    let silence = w.reason::<Silence>(name, "Expired").await;
    // One that was over before Grafana could be told has no id, and nothing to end there.
    if let Some(id) = silence.status.as_ref().and_then(|status| status.id.as_deref()) {
        crate::silences::becomes(w, id, "expired").await;
    }
    silence
}

/// Waits until a Silence is another one in Grafana than it was, and returns it.
pub async fn lives_again(w: &World, before: &Silence) -> Silence {
    let api = w.api::<Silence>().await;
    let what = format!("Silence {} lives again", before.name_any());
    wait::until(&what, SOON, async || {
        let now = api.get(&before.name_any()).await.ok()?;
        let known = now.status.as_ref()?.id.clone()?;
        (known != id(before)).then_some(now)
    })
    .await
}

/// Our events about a workload.
async fn own_events(w: &World, kind: &str, name: &str) -> Vec<Value> {
    let args = ["get", "events.events.k8s.io", "-n", &w.ns, "-o", "json"];
    let events = w.plane.kubectl(args).await.ok();
    let events: Value = serde_json::from_str(&events).expect("JSON");
    let mut items = events["items"].as_array().cloned().unwrap_or_default();
    items.retain(|event| {
        event["reportingController"] != "deployment-controller"
            && event["regarding"]["kind"] == kind
            && event["regarding"]["name"] == name
    });
    items
}

fn text(event: &Value, field: &str) -> Option<String> {
    event[field].as_str().map(str::to_owned)
}

/// The reasons of our events about a workload.
pub async fn events(w: &World, kind: &str, name: &str) -> Vec<String> {
    let events = own_events(w, kind, name).await;
    events.iter().filter_map(|event| text(event, "reason")).collect()
}

/// What our events with a reason say about a workload.
pub async fn notes(w: &World, kind: &str, name: &str, reason: &str) -> Vec<String> {
    let mut events = own_events(w, kind, name).await;
    events.retain(|event| event["reason"] == reason);
    events.iter().filter_map(|event| text(event, "note")).collect()
}

/// Waits for an event about a workload.
pub async fn told(w: &World, kind: &str, name: &str, reason: &str) {
    wait::until(
        &format!("{kind} {name} has the event {reason}"),
        SOON,
        async || {
            let seen = events(w, kind, name).await;
            if seen.iter().any(|own| own == reason) {
                Seen::Yes(())
            } else {
                wait::not_yet(seen)
            }
        },
    )
    .await;
}

/// Who has written to a workload.
pub async fn writers(w: &World, resource: &str, name: &str) -> String {
    let args = [
        "get",
        resource,
        name,
        "-n",
        &w.ns,
        "-o",
        "jsonpath={.metadata.managedFields[*].manager}",
    ];
    w.plane.kubectl(args).await.ok()
}

/// How often the operator has written a Silence's specification, in its present life.
pub async fn applied(w: &World) -> f64 {
    let series = "alertwright_kubernetes_writes_total{resource=\"silences\",verb=\"apply\"}";
    w.operator.metric(series).await.unwrap_or_default()
}
