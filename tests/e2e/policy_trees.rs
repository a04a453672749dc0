//! Policy trees beside the default one, from 13.2 on: a root with a tree of its own, and the alerts that go through it.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy};
use alertwright_testbed::{any_release, apply, every_release, wait};
use serde_json::{Value, json};

use crate::alarm::{annotate, assert_rests, everything_to, fire_with, resyncs, world};
use crate::notification_policy::{contact_point, own_tree};
use crate::rules::{QUIET, in_grafana, uid};
use crate::world::{self, SOON, World};

const TREES: &str = "/apis/notifications.alerting.grafana.app/v1beta1/namespaces/default/routingtrees";

/// A root that sends everything of the tree `batch` to this contact point.
fn root(receiver: &str) -> Value {
    json!({"receiver": receiver, "tree": "batch"})
}

/// Whether there can be several trees, and the operator goes through the API that has them.
fn can(w: &World) -> bool {
    w.grafana.version().since(13, 2) && w.notifications_by_apis()
}

/// A tree as Grafana has it, but for what says which and in which state it is.
async fn tree(w: &World, name: &str) -> Option<Value> {
    let answer = w.grafana.get(&format!("{TREES}/{name}")).await;
    if answer.status == 404 {
        return None;
    }
    Some(answer.ok()["spec"].clone())
}

async fn make(w: &World, name: &str, spec: &Value) {
    let object = json!({
        "apiVersion": "notifications.alerting.grafana.app/v1beta1", "kind": "RoutingTree", "metadata": {"name": name}, "spec": spec,
    });
    w.grafana.post(TREES, object).await.ok();
}

#[apply(every_release)]
async fn a_root_with_a_tree_of_its_own_leaves_the_default_one_alone_or_says_that_there_is_one() {
    let w = world::start().await;
    let fresh = w.grafana.policy_tree().await;
    for name in ["first", "second", "team"] {
        contact_point(&w, name).await;
    }
    w.proxy.reset();
    w.put("NotificationPolicy", "own", root("first")).await;
    if !can(&w) {
        w.reason::<NotificationPolicy>("own", "Unsupported").await;
        let message = w.message::<NotificationPolicy>("own").await;
        assert!(
            message.starts_with("spec.tree: ") && message.contains("leave spec.tree out"),
            "{message}"
        );
        assert!(w.proxy.requests().writes().is_empty());
        w.delete::<NotificationPolicy>("own").await;
        assert_eq!(w.grafana.policy_tree().await, fresh);
        return;
    }
    w.synced::<NotificationPolicy>("own").await;
    let calls = w.proxy.reset();
    assert_eq!(
        (calls.of("POST", "/routingtrees").len(), calls.writes().len()),
        (1, 1),
        "{calls}"
    );
    let made = tree(&w, "batch").await.expect("a tree");
    assert_eq!(made["defaults"]["receiver"], "first");
    assert_eq!(w.grafana.policy_tree().await, fresh);
    assert_rests(&w).await;

    // A root of the default tree is in nobody's way, and another one of this tree is.
    w.put("NotificationPolicy", "default", everything_to("second"))
        .await;
    w.synced::<NotificationPolicy>("default").await;
    let default = own_tree(&w).await;
    w.put("NotificationPolicy", "younger", root("second")).await;
    w.reason::<NotificationPolicy>("younger", "Conflict").await;
    let message = w.message::<NotificationPolicy>("younger").await;
    assert!(message.contains("holds the tree batch"), "{message}");
    w.delete::<NotificationPolicy>("younger").await;

    // A branch goes into the tree of its root.
    w.put(
        "NotificationPolicy",
        "branch",
        json!({"parentRef": {"name": "own"}, "receiver": "team"}),
    )
    .await;
    w.synced::<NotificationPolicy>("branch").await;
    let routes = tree(&w, "batch").await.expect("a tree")["routes"].clone();
    assert_eq!(routes.as_array().map(Vec::len), Some(2), "{routes}");
    assert_eq!(own_tree(&w).await, default);
    w.delete::<NotificationPolicy>("branch").await;

    // What somebody changes or takes away is put right.
    w.grafana.delete(&format!("{TREES}/batch")).await.ok();
    wait::until("it is there again", SOON, async || {
        (tree(&w, "batch").await.as_ref() == Some(&made)).then_some(())
    })
    .await;
    assert_rests(&w).await;

    // A contact point that it sends to waits, and says for whom.
    let api = w.api::<ContactPoint>().await;
    api.delete("first", &kube::api::DeleteParams::default())
        .await
        .expect("it can be deleted");
    w.reason::<ContactPoint>("first", "InUse").await;
    let message = w.message::<ContactPoint>("first").await;
    assert!(
        message.contains(&format!("NotificationPolicy {}/own still refers", w.ns)),
        "{message}"
    );
    w.delete::<NotificationPolicy>("own").await;
    assert_eq!(tree(&w, "batch").await, None);
    assert_eq!(own_tree(&w).await, default);
    w.delete::<NotificationPolicy>("default").await;
    assert_eq!(w.grafana.policy_tree().await, fresh);
}

#[apply(any_release)]
async fn a_tree_that_somebody_made_is_left_alone_until_adopted_and_comes_back() {
    let w = world::start().await;
    if !can(&w) {
        return;
    }
    for name in ["first", "second"] {
        contact_point(&w, name).await;
    }
    let theirs = json!({
        "defaults": {"receiver": "second", "group_wait": "1m"},
        "routes": [{"continue": false, "receiver": "second", "matchers": [{"type": "=", "label": "a", "value": "b"}], "routes": []}],
    });
    make(&w, "batch", &theirs).await;
    let before = tree(&w, "batch").await;
    w.put("NotificationPolicy", "own", root("first")).await;
    w.reason::<NotificationPolicy>("own", "NotOwned").await;
    assert_rests(&w).await;
    assert_eq!(tree(&w, "batch").await, before);
    annotate(
        &w,
        "notificationpolicy",
        "own",
        "alerting.letsrevel.io/adopt=true",
    )
    .await;
    w.synced::<NotificationPolicy>("own").await;
    assert_ne!(tree(&w, "batch").await, before);
    // After a restart nothing is written: its mark says whose it is.
    let mut w = w;
    w.operator.restart().await.expect("it starts again");
    w.synced::<NotificationPolicy>("own").await;
    assert_rests(&w).await;
    w.delete::<NotificationPolicy>("own").await;
    assert_eq!(tree(&w, "batch").await, before);
}

#[apply(any_release)]
async fn a_tree_waits_with_its_deletion_for_the_rules_that_name_it() {
    let w = world::start().await;
    if !can(&w) {
        return;
    }
    contact_point(&w, "first").await;
    w.put("NotificationPolicy", "own", root("first")).await;
    w.synced::<NotificationPolicy>("own").await;
    let rule = json!({
        "title": "By hand", "ruleGroup": "g", "folderUID": "by-hand", "noDataState": "OK", "execErrState": "OK", "for": "0s", "condition": "A", "orgID": 1,
        "notification_settings": {"receiver": "", "policy": "batch"},
        "data": [{"refId": "A", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0},
            "model": {"refId": "A", "type": "math", "expression": "0"}}],
    });
    w.grafana
        .post("/api/folders", json!({"uid": "by-hand", "title": "By hand"}))
        .await
        .ok();
    let made = w
        .grafana
        .post("/api/v1/provisioning/alert-rules", rule)
        .await
        .ok();
    let uid = made["uid"].as_str().expect("a uid").to_owned();
    // Polls show it.
    resyncs(&w, 2).await;
    let api = w.api::<NotificationPolicy>().await;
    api.delete("own", &kube::api::DeleteParams::default())
        .await
        .expect("it can be deleted");
    w.reason::<NotificationPolicy>("own", "InUse").await;
    let message = w.message::<NotificationPolicy>("own").await;
    assert!(
        message.contains(&format!(
            "Grafana's rule \"By hand\" ({uid}) still names policy tree batch"
        )),
        "{message}"
    );
    assert!(tree(&w, "batch").await.is_some());
    w.grafana
        .delete(&format!("/api/v1/provisioning/alert-rules/{uid}"))
        .await
        .ok();
    wait::until("the tree is gone", SOON, async || {
        tree(&w, "batch").await.is_none()
    })
    .await;
}

/// A root that sends everything of the tree `batch` to this contact point, soon.
fn soon(receiver: &str) -> Value {
    let mut root = everything_to(receiver);
    root["tree"] = json!("batch");
    root
}

/// A quiet rule whose alerts go by these settings.
fn by(settings: &Value) -> Value {
    json!({"query": QUIET, "notificationSettings": settings})
}

#[apply(every_release)]
async fn a_rule_waits_for_the_tree_that_it_names_keeps_it_and_the_tree_waits_for_the_rule() {
    let w = world::start().await;
    contact_point(&w, "first").await;
    w.proxy.reset();
    w.put("AlertRule", "r", by(&json!({"policy": "own"}))).await;
    if !can(&w) {
        w.reason::<AlertRule>("r", "Unsupported").await;
        let message = w.message::<AlertRule>("r").await;
        assert!(message.starts_with("spec.notificationSettings"), "{message}");
        assert!(w.proxy.requests().writes().is_empty());
        return;
    }
    w.reason::<AlertRule>("r", "DependencyMissing").await;
    let message = w.message::<AlertRule>("r").await;
    let missing = format!("NotificationPolicy {}/own is not there; create it", w.ns);
    assert!(message.contains(&missing), "{message}");
    w.put("NotificationPolicy", "own", root("first")).await;
    let policy = async || in_grafana(&w, "r").await["notification_settings"]["policy"].clone();
    assert_eq!(policy().await, "batch");
    assert_rests(&w).await;

    // What somebody changes is put right, and told.
    let mut edited = in_grafana(&w, "r").await;
    edited["notification_settings"] = json!({"receiver": "first"});
    let path = format!("/api/v1/provisioning/alert-rules/{}", uid(&w, "r").await);
    w.grafana.put(&path, edited).await.ok();
    wait::until("the tree is back", SOON, async || {
        (policy().await == "batch").then_some(())
    })
    .await;
    wait::until("the drift is told", SOON, async || {
        let rule: AlertRule = w.synced("r").await;
        let drift = rule.status?.last_drift?;
        (drift.fields == ["notificationSettings"]).then_some(())
    })
    .await;

    let api = w.api::<NotificationPolicy>().await;
    api.delete("own", &kube::api::DeleteParams::default())
        .await
        .expect("it can be deleted");
    w.reason::<NotificationPolicy>("own", "InUse").await;
    let message = w.message::<NotificationPolicy>("own").await;
    let user = format!("AlertRule {}/r still names policy tree batch", w.ns);
    assert!(message.contains(&user), "{message}");
    // It goes as soon as the rule has another.
    w.put(
        "NotificationPolicy",
        "next",
        json!({"receiver": "first", "tree": "next"}),
    )
    .await;
    w.put("AlertRule", "r", by(&json!({"policyRef": {"name": "next"}})))
        .await;
    wait::until("the rule names the other", SOON, async || {
        (policy().await == "next").then_some(())
    })
    .await;
    wait::until("the tree is gone", SOON, async || {
        tree(&w, "batch").await.is_none()
    })
    .await;
    assert_rests(&w).await;
}

#[apply(any_release)]
async fn the_alerts_of_a_rule_that_names_a_tree_go_through_it_and_past_the_default_one() {
    let (w, sinks) = world().await;
    if !can(&w) {
        return;
    }
    for name in ["default", "own"] {
        let url = format!("{}/{name}", sinks.http.url());
        let hook = json!({"integrations": [{"webhook": {"url": {"value": url}}}]});
        w.put("ContactPoint", name, hook).await;
    }
    w.put("NotificationPolicy", "default", everything_to("default"))
        .await;
    w.put("NotificationPolicy", "own", soon("own")).await;
    w.synced::<NotificationPolicy>("default").await;
    fire_with(&w, "through", json!({"notificationSettings": {"policy": "own"}})).await;
    fire_with(&w, "other", json!({})).await;
    let told = |place: &str| -> Vec<String> {
        let received = sinks.http.received(place);
        let name = |body: &Value| body["commonLabels"]["alertname"].as_str().map(str::to_owned);
        received
            .iter()
            .filter_map(|received| name(&received.body))
            .collect()
    };
    wait::until("both are told", SOON, async || {
        if told("/own").is_empty() || told("/default").is_empty() {
            wait::not_yet((told("/own"), told("/default")))
        } else {
            wait::Seen::Yes(())
        }
    })
    .await;
    let expected = (vec!["through".to_owned()], vec!["other".to_owned()]);
    assert_eq!((told("/own"), told("/default")), expected);
}
