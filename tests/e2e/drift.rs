//! What somebody changes in Grafana where the instance only reports it.

use alertwright::api::{
    AlertRule, ContactPoint, GrafanaInstance, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use alertwright_testbed::{apply, every_release, wait};
use kube::Api;
use serde_json::{Value, json};

use crate::alarm::{assert_rests, everything_to};
use crate::notification_policy::POLICIES;
use crate::rules::{QUIET, quiet, uid};
use crate::world::{self, SOON, World};

/// Sets the instance's policy, and connects it anew by that.
pub(crate) async fn policy(w: &World, policy: &str, token: &str) {
    let more = json!({"driftPolicy": policy});
    world::connect(w.plane, &w.home, &w.proxy.url(), token, more).await;
}

/// Changes the rule, contact point, tree, time interval and template, and ends the silence, as a person does in Grafana.
pub(crate) async fn change_by_hand(w: &World) {
    let path = format!("/api/v1/provisioning/alert-rules/{}", uid(w, "r").await);
    let mut rule = w.grafana.get(&path).await.ok();
    rule["title"] = json!("by hand");
    w.grafana.put(&path, rule).await.ok();
    let mut integration = w.grafana.contact_point("team").await[0].clone();
    integration["settings"]["url"] = json!("http://127.0.0.1:9/other");
    let path = format!(
        "/api/v1/provisioning/contact-points/{}",
        integration["uid"].as_str().expect("a uid")
    );
    w.grafana.put(&path, integration).await.ok();
    let mut tree = w.grafana.policy_tree().await;
    tree["group_wait"] = json!("7m");
    w.grafana.put(POLICIES, tree).await.ok();
    let path = "/api/v1/provisioning/mute-timings/nights";
    let mut interval = w.grafana.get(path).await.ok();
    interval["time_intervals"][0]["weekdays"] = json!(["monday"]);
    w.grafana.put(path, interval).await.ok();
    let path = "/api/v1/provisioning/templates/texts";
    let template = json!({"template": "{{ define \"texts\" }}by hand{{ end }}"});
    w.grafana.put(path, template).await.ok();
    let silence = w.api::<Silence>().await.get("s").await.expect("it is there");
    let id = silence.status.and_then(|status| status.id).expect("an id");
    w.grafana
        .delete(&format!("/api/alertmanager/grafana/api/v2/silence/{id}"))
        .await
        .ok();
}

#[apply(every_release)]
async fn what_somebody_changes_is_told_field_by_field_and_left_until_it_is_to_be_put_right() {
    let w = world::start().await;
    let token = w.grafana.token().await;
    policy(&w, "Report", &token).await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}}]});
    w.put("AlertRule", "r", quiet()).await;
    w.put("ContactPoint", "team", hook).await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.put("Silence", "s", json!({"matchers": ["a=b"], "duration": "1h"}))
        .await;
    w.put(
        "TimeInterval",
        "nights",
        json!({"timeIntervals": [{"weekdays": ["sunday"]}]}),
    )
    .await;
    w.put(
        "NotificationTemplate",
        "texts",
        json!({"template": "{{ define \"texts\" }}{{ end }}"}),
    )
    .await;
    w.synced::<AlertRule>("r").await;
    w.synced::<TimeInterval>("nights").await;
    w.synced::<NotificationTemplate>("texts").await;
    w.synced::<ContactPoint>("team").await;
    w.synced::<NotificationPolicy>("tree").await;
    w.synced::<Silence>("s").await;
    assert_rests(&w).await;

    change_by_hand(&w).await;
    let rule: AlertRule = w.reason("r", "Drifted").await;
    assert_eq!(rule.status.expect("a status").drift, ["title"]);
    let point: ContactPoint = w.reason("team", "Drifted").await;
    assert_eq!(point.status.expect("a status").drift, ["webhook.url"]);
    let tree: NotificationPolicy = w.reason("tree", "Drifted").await;
    let drift = tree.status.expect("a status").drift;
    assert!(drift.contains(&"group_wait".to_owned()), "{drift:?}");
    let interval: TimeInterval = w.reason("nights", "Drifted").await;
    let drift = interval.status.expect("a status").drift;
    assert_eq!(drift, ["timeIntervals[0].weekdays"]);
    let template: NotificationTemplate = w.reason("texts", "Drifted").await;
    assert_eq!(template.status.expect("a status").drift, ["template: line 1"]);
    let silence: Silence = w.reason("s", "Drifted").await;
    let status = silence.status.expect("a status");
    assert_eq!(status.drift, ["deleted"]);
    assert_eq!(status.state.as_deref(), Some("Expired"));
    assert_rests(&w).await;
    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    wait::until("the instance counts them", SOON, async || {
        api.get("default")
            .await
            .ok()?
            .status
            .filter(|status| status.drifted == Some(6))
    })
    .await;

    // An edit is a wish of its own.
    w.put("AlertRule", "r", json!({"query": QUIET, "for": "7m"}))
        .await;
    w.synced::<AlertRule>("r").await;
    policy(&w, "Correct", &token).await;
    w.synced::<ContactPoint>("team").await;
    w.synced::<NotificationPolicy>("tree").await;
    w.synced::<Silence>("s").await;
    w.synced::<TimeInterval>("nights").await;
    w.synced::<NotificationTemplate>("texts").await;
    let tree: Value = w.grafana.policy_tree().await;
    assert_eq!(tree["group_wait"], "1s");
    assert_rests(&w).await;
}
