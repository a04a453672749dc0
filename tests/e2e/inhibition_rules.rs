//! InhibitionRules: what is stored where Grafana has such, what is said where it hasn't, and whom they keep from being told.

use alertwright::api::{ContactPoint, InhibitionRule, NotificationPolicy};
use alertwright_testbed::{any_release, apply, every_release, wait};
use serde_json::{Value, json};

use crate::alarm::{assert_rests, everything_to, fire, world};
use crate::world::{self, SOON, World};

/// Where they are in Grafana.
pub const RULES: &str =
    "/apis/notifications.alerting.grafana.app/v0alpha1/namespaces/default/inhibitionrules";

#[expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]
fn rule(more: Value) -> Value {
    let mut spec =
        json!({"sourceMatchers": ["alertname=cause"], "targetMatchers": ["alertname=~\"effect|symptom\""]});
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    spec
}

/// The inhibition rules that Grafana has.
async fn stored(w: &World) -> Vec<Value> {
    let list = w.grafana.get(RULES).await.ok();
    list["items"].as_array().cloned().unwrap_or_default()
}

/// Waits until Grafana has one of this name and no other, with these labels to be equal.
async fn only(w: &World, name: &str, equal: &Value) -> Value {
    wait::until(&format!("{name} has {equal}"), SOON, async || {
        let found = stored(w).await;
        match found.as_slice() {
            [one] if one["metadata"]["name"] == name && one["spec"]["equal"] == *equal => {
                wait::Seen::Yes(one.clone())
            }
            _ => wait::not_yet(&found),
        }
    })
    .await
}

#[apply(every_release)]
async fn an_inhibition_rule_is_stored_kept_renamed_and_deleted_where_grafana_has_such() {
    let w = world::start().await;
    w.put("InhibitionRule", "node", rule(json!({"equal": ["node"]})))
        .await;
    if !w.notifications_by_apis() {
        w.reason::<InhibitionRule>("node", "Unsupported").await;
        let message = w.message::<InhibitionRule>("node").await;
        let cure = if w.grafana.version().since(13, 0) {
            "Let /apis through to it"
        } else {
            "inhibition rules need Grafana 13.0"
        };
        assert!(message.contains(cure), "{message}");
        assert!(w.proxy.requests().writes().is_empty());
        w.delete::<InhibitionRule>("node").await;
        return;
    }
    let object = w.synced::<InhibitionRule>("node").await;
    let status = object.status.expect("a status");
    assert_eq!(status.name.as_deref(), Some("node"));
    let message = w.message::<InhibitionRule>("node").await;
    // Up to 13.1 it is kept, and heeded with a toggle alone.
    assert_eq!(
        message.contains("alertingMultiplePolicies"),
        !w.grafana.version().since(13, 2),
        "{message}"
    );
    let calls = w.proxy.reset();
    assert_eq!(calls.writes().len(), 1, "{calls}");
    assert_eq!(calls.of("POST", "/inhibitionrules").len(), 1, "{calls}");
    let found = only(&w, "node", &json!(["node"])).await;
    let spec = &found["spec"];
    assert_eq!(
        spec["source_matchers"],
        json!([{"type": "=", "label": "alertname", "value": "cause"}])
    );
    let targets = &spec["target_matchers"];
    assert_eq!(
        targets[0]["label"], "__alertwright__",
        "its own namespace's: {targets}"
    );
    assert_eq!(
        targets[1],
        json!({"type": "=~", "label": "alertname", "value": "effect|symptom"})
    );
    assert_rests(&w).await;

    let mut edited = found.clone();
    edited["spec"]["equal"] = json!(["cluster"]);
    w.grafana.put(&format!("{RULES}/node"), edited).await.ok();
    only(&w, "node", &json!(["node"])).await;
    w.grafana.delete(&format!("{RULES}/node")).await.ok();
    only(&w, "node", &json!(["node"])).await;
    w.put(
        "InhibitionRule",
        "node",
        rule(json!({"name": "node.down", "equal": ["rack"]})),
    )
    .await;
    only(&w, "node.down", &json!(["rack"])).await;
    w.synced::<InhibitionRule>("node").await;
    assert_rests(&w).await;
    w.delete::<InhibitionRule>("node").await;
    assert_eq!(stored(&w).await, Vec::<Value>::new());
}

#[apply(any_release)]
async fn nobody_is_told_of_an_alert_while_what_inhibits_it_fires() {
    let (w, sinks) = world().await;
    if !w.grafana.version().since(13, 2) {
        // None is heeded there.
        return;
    }
    let hook =
        json!({"integrations": [{"webhook": {"url": {"value": format!("{}/all", sinks.http.url())}}}]});
    w.put("ContactPoint", "all", hook).await;
    w.synced::<ContactPoint>("all").await;
    let mut tree = everything_to("all");
    tree["groupBy"] = json!(["alertname"]);
    w.put("NotificationPolicy", "tree", tree).await;
    w.synced::<NotificationPolicy>("tree").await;
    w.put("InhibitionRule", "node", rule(json!({"equal": ["node"]})))
        .await;
    w.synced::<InhibitionRule>("node").await;
    let told = || -> Vec<String> {
        let received = sinks.http.received("/all");
        let name = |body: &Value| body["commonLabels"]["alertname"].as_str().map(str::to_owned);
        received
            .iter()
            .filter_map(|received| name(&received.body))
            .collect()
    };
    let is_told = async |name: &str| {
        wait::until(&format!("{name} is told"), SOON, async || {
            let told = told();
            if told.iter().any(|other| other == name) {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(told)
            }
        })
        .await;
    };
    fire(&w, "cause", json!({"node": "a"}), json!({})).await;
    is_told("cause").await;
    fire(&w, "effect", json!({"node": "a"}), json!({})).await;
    wait::until("the effect is held back", SOON, async || {
        let alerts = w
            .grafana
            .get("/api/alertmanager/grafana/api/v2/alerts")
            .await
            .ok();
        let all = alerts.as_array().cloned().unwrap_or_default();
        let effect = all
            .iter()
            .find(|alert| alert["labels"]["alertname"] == "effect")?;
        let by = effect["status"]["inhibitedBy"].as_array()?;
        (!by.is_empty()).then_some(())
    })
    .await;
    // One of another node is nobody's effect.
    fire(&w, "symptom", json!({"node": "b"}), json!({})).await;
    is_told("symptom").await;
    assert!(!told().contains(&"effect".to_owned()), "{:?}", told());
    w.delete::<InhibitionRule>("node").await;
    is_told("effect").await;
}
