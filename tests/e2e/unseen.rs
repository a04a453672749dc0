//! What may not be listed is not taken for gone: nothing that depends on it is touched until it can be seen.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy, Silence};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::{any_release, apply, wait};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::silences::A_WHILE;
use crate::workloads::{deployment, held, silenced};
use crate::world::{self, Reported, SOON, World};

/// A world whose operator watches a second namespace too.
async fn world() -> (World, String) {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let other = w.plane.namespace("other").await;
    w.kubeconfig = w
        .plane
        .operator_account(&w.home, Watch::Namespaces(&[&w.ns, &other]))
        .await;
    start(&mut w, &other).await;
    (w, other)
}

async fn start(w: &mut World, other: &str) {
    let both = format!("{},{other}", w.ns);
    w.operator = world::operator(&w.home, &both, &w.kubeconfig)
        .start()
        .await
        .expect("it becomes ready");
}

/// Waits until a resource has this reason again: a watch that was refused is tried again with growing delays.
async fn recovers<K: Reported>(w: &World, name: &str, reason: &str) {
    let api = w.api::<K>().await;
    wait::until(&format!("{name} is {reason} again"), SOON * 3, async || {
        let conditions = api.get(name).await.ok()?.conditions();
        let ready = conditions
            .into_iter()
            .find(|condition| condition.type_ == "Ready")?;
        (ready.reason == reason).then_some(())
    })
    .await;
}

async fn read(w: &World, args: &[&str]) -> Value {
    let text = w.plane.kubectl([args, &["-o", "json"]].concat()).await.ok();
    serde_json::from_str(&text).expect("JSON")
}

/// Starts the operator anew with all its rights in a namespace but those on one kind. Returns what gives them back.
async fn blind(w: &mut World, other: &str, namespace: &str, resource: &str) -> String {
    w.operator.terminate().await;
    let bindings = read(w, &["get", "rolebindings", "-n", namespace]).await;
    let binding = bindings["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|binding| binding["subjects"][0]["namespace"] == w.home.as_str())
        .expect("the operator has rights here")
        .clone();
    let role = binding["roleRef"]["name"].as_str().expect("a role's name");
    let mut rules = read(w, &["get", "clusterrole", role]).await["rules"].take();
    for rule in rules.as_array_mut().into_iter().flatten() {
        if let Some(resources) = rule["resources"].as_array_mut() {
            resources.retain(|own| own != resource);
        }
    }
    rules
        .as_array_mut()
        .expect("rules")
        .retain(|rule| rule["resources"].as_array().is_some_and(|all| !all.is_empty()));
    let group = "rbac.authorization.k8s.io";
    let narrow = json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": {"name": "narrow"}, "rules": rules});
    let bound = json!({
        "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": {"name": "narrow"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "narrow"}, "subjects": binding["subjects"],
    });
    for object in [narrow, bound] {
        w.plane.apply(&object.to_string(), namespace).await;
    }
    let name = binding["metadata"]["name"].as_str().expect("a name");
    w.plane
        .kubectl(["delete", "rolebinding", name, "-n", namespace])
        .await
        .ok();
    let list = ["auth", "can-i", "list", resource, "-n", namespace, "--as"];
    let account = format!("system:serviceaccount:{}:alertwright", w.home);
    wait::until("the right is gone", SOON, async || {
        let answer = w
            .plane
            .kubectl(list.iter().copied().chain([account.as_str()]))
            .await;
        (!answer.success).then_some(())
    })
    .await;
    start(w, other).await;
    let mut again = binding.clone();
    again["metadata"] = json!({"name": name});
    again.to_string()
}

#[apply(any_release)]
async fn a_silence_goes_on_while_the_rules_that_it_names_cannot_be_seen() {
    let (mut w, other) = world().await;
    let (ns, query) = (w.ns.clone(), "sum(count_over_time({app=\"a\"} [5m])) > 1");
    w.put("AlertRule", "one", json!({"query": query})).await;
    w.synced::<AlertRule>("one").await;
    w.put(
        "Silence",
        "s",
        json!({"alertRules": {"names": ["one"]}, "duration": "1h"}),
    )
    .await;
    w.synced::<Silence>("s").await;
    let before = w.grafana.active_silences().await;
    assert_eq!(before.len(), 1, "{before:?}");
    let rights = blind(&mut w, &other, &ns, "alertrules").await;
    w.reason::<Silence>("s", "Unavailable").await;
    let message = w.message::<Silence>("s").await;
    assert!(message.contains("may not list every AlertRule"), "{message}");
    assert_eq!(w.grafana.active_silences().await, before);
    w.plane.apply(&rights, &ns).await;
    recovers::<Silence>(&w, "s", "Synced").await;
    assert_eq!(w.grafana.active_silences().await, before);
}

#[apply(any_release)]
async fn a_rollouts_silence_is_not_withdrawn_while_the_policy_that_asks_for_it_cannot_be_seen() {
    let (mut w, other) = world().await;
    let ns = w.ns.clone();
    let spec = json!({"targets": [{"kind": "Deployment"}], "silence": {"lease": "600s", "linger": "2s"}});
    w.put("MaintenancePolicy", "all", spec).await;
    w.apply(&deployment("web", &json!({}), &held(&w)).to_string())
        .await;
    let opened = silenced(&w, "web").await;
    blind(&mut w, &other, &ns, "maintenancepolicies").await;
    let api = w.api::<Silence>().await;
    wait::never("the silence is withdrawn", A_WHILE, async || {
        let now = api.get(&opened.name_any()).await.ok();
        now.is_none_or(|now| now.spec != opened.spec || now.annotations() != opened.annotations())
    })
    .await;
}

#[apply(any_release)]
async fn nobody_takes_the_tree_while_an_older_policy_that_holds_it_cannot_be_seen() {
    let (mut w, other) = world().await;
    let point = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    let object = |kind: &str, name: &str, spec: &Value| {
        json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
            .to_string()
    };
    w.plane
        .apply(&object("ContactPoint", "theirs", &point), &other)
        .await;
    w.plane
        .apply(
            &object("NotificationPolicy", "tree", &json!({"receiver": "theirs"})),
            &other,
        )
        .await;
    let older: Api<NotificationPolicy> = Api::namespaced(w.client().await, &other);
    wait::until("the older one holds the tree", SOON, async || {
        let status = older.get("tree").await.ok()?.status?;
        status.receiver
    })
    .await;
    w.put("ContactPoint", "ours", point).await;
    w.synced::<ContactPoint>("ours").await;
    // Two of one second would be told apart by their names.
    w.put("NotificationPolicy", "z-younger", json!({"receiver": "ours"}))
        .await;
    w.reason::<NotificationPolicy>("z-younger", "Conflict").await;
    let before = w.grafana.policy_tree().await;
    let rights = blind(&mut w, &other, &other, "notificationpolicies").await;
    w.reason::<NotificationPolicy>("z-younger", "Unavailable").await;
    let message = w.message::<NotificationPolicy>("z-younger").await;
    assert!(
        message.contains("may not list every NotificationPolicy"),
        "{message}"
    );
    assert_eq!(w.grafana.policy_tree().await, before);
    w.plane.apply(&rights, &other).await;
    recovers::<NotificationPolicy>(&w, "z-younger", "Conflict").await;
    assert_eq!(w.grafana.policy_tree().await, before);
}
