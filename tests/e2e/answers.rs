//! Who answered, and what that is taken for: proxies in front of Grafana, refusals, quotas, and what still uses a contact point.

use std::time::Duration;

use alertwright::api::{
    AlertRule, ContactPoint, GrafanaInstance, GrafanaInstanceStatus, NotificationPolicy, Silence,
};
use alertwright_testbed::grafana::Options;
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{any_release, apply, every_release, wait};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::Api;
use serde_json::{Value, json};

use crate::rules::{QUIET, begin_delete, gone, quiet, resyncs, uid};
use crate::world::{self, SOON, World};

const RULES: &str = "/api/v1/provisioning/alert-rules";
const POINTS: &str = "/api/v1/provisioning/contact-points";

fn hook() -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}}]})
}

fn silence() -> Value {
    json!({"matchers": ["severity=\"high\""], "duration": "1h"})
}

/// Waits until the instance has this reason, and gives its message.
async fn instance(w: &World, reason: &str) -> String {
    told(w, &format!("the instance is {reason}"), |_, ready| {
        ready.reason == reason
    })
    .await
}

/// Waits until nothing can be read, and gives the message. That it is `Unavailable` says that something can't.
async fn away(w: &World) -> String {
    let is_away = |status: &GrafanaInstanceStatus, _: &Condition| status.reachable == Some(false);
    told(w, "nothing can be read", is_away).await
}

async fn told(w: &World, what: &str, is: impl Fn(&GrafanaInstanceStatus, &Condition) -> bool) -> String {
    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    wait::until(what, 2 * SOON, async || {
        let status = api.get("default").await.ok()?.status?;
        let ready = status.conditions.iter().find(|c| c.type_ == "Ready")?;
        is(&status, ready).then(|| ready.message.clone())
    })
    .await
}

#[apply(any_release)]
async fn where_everything_is_answered_with_404_every_resource_says_so_and_nothing_counts_as_gone() {
    let w = world::start().await;
    w.put("AlertRule", "leaving", quiet()).await;
    let leaving = uid(&w, "leaving").await;
    for body in [
        "404 page not found",
        "",
        r#"{"message": "no Route matched with those values"}"#,
    ] {
        w.proxy.fault(Fault::status(404).body(body));
        let message = away(&w).await;
        assert!(message.contains("404"), "{message}");
        w.proxy.reset();
        w.put("AlertRule", "waits", quiet()).await;
        w.put("ContactPoint", "waits", hook()).await;
        w.put("NotificationPolicy", "waits", json!({"receiver": "waits"}))
            .await;
        w.put("Silence", "waits", silence()).await;
        w.reason::<AlertRule>("waits", "Unavailable").await;
        w.reason::<ContactPoint>("waits", "Unavailable").await;
        w.reason::<NotificationPolicy>("waits", "Unavailable").await;
        w.reason::<Silence>("waits", "Unavailable").await;
        let message = w.message::<AlertRule>("waits").await;
        assert!(
            message.contains("GrafanaInstance default") && message.contains("404"),
            "{message}"
        );
        let calls = w.proxy.requests();
        assert!(calls.writes().is_empty(), "{}", calls.writes());
        w.proxy.clear_faults();
        instance(&w, "Synced").await;
        uid(&w, "waits").await;
        w.synced::<NotificationPolicy>("waits").await;
        w.synced::<Silence>("waits").await;
        w.delete::<AlertRule>("waits").await;
        w.delete::<NotificationPolicy>("waits").await;
        w.delete::<ContactPoint>("waits").await;
        w.delete::<Silence>("waits").await;
    }
    // Only the deletion meets a proxy without a route, or a page to log in on.
    for fault in [
        Fault::status(404).body("404 page not found"),
        Fault::status(404).body(""),
        Fault::status(200).body("<html>log in</html>"),
    ] {
        w.put("AlertRule", "leaving", quiet()).await;
        assert_eq!(uid(&w, "leaving").await, leaving);
        w.proxy.reset();
        w.proxy.fault(fault.on("DELETE", w.rules_at()).times(1));
        begin_delete(&w, "leaving").await;
        gone(&w, "leaving").await;
        assert!(w.grafana.rule(&leaving).await.is_none(), "left in Grafana");
        let deletes = w.proxy.requests().of("DELETE", w.rules_at());
        assert_eq!(deletes.len(), 2, "{deletes}");
    }
}

#[apply(any_release)]
async fn a_write_that_meets_a_redirect_or_a_page_to_log_in_on_is_sent_again_by_itself() {
    let w = world::start().await;
    for fault in [
        Fault::status(302).body("<html>moved</html>"),
        Fault::status(405).body(""),
        Fault::status(413).body("<html>too large</html>"),
        Fault::status(200).body("<html>log in</html>"),
    ] {
        w.proxy.fault(fault.clone().on("POST", w.rules_at()).times(1));
        w.proxy.fault(fault.clone().on("POST", w.points_at()).times(1));
        w.proxy.fault(fault.clone().on("PUT", w.tree_at()).times(1));
        w.proxy.fault(fault.on("POST", "/silences").times(1));
        w.put("AlertRule", "r", quiet()).await;
        w.put("ContactPoint", "p", hook()).await;
        w.put("NotificationPolicy", "t", json!({"receiver": "p"})).await;
        w.put("Silence", "s", silence()).await;
        let uid = uid(&w, "r").await;
        assert!(w.grafana.rule(&uid).await.is_some());
        w.synced::<ContactPoint>("p").await;
        w.synced::<NotificationPolicy>("t").await;
        w.synced::<Silence>("s").await;
        w.proxy.clear_faults();
        w.delete::<AlertRule>("r").await;
        w.delete::<NotificationPolicy>("t").await;
        w.delete::<ContactPoint>("p").await;
        w.delete::<Silence>("s").await;
    }
}

#[apply(any_release)]
async fn what_grafana_refuses_is_not_sent_again_at_rest_but_after_an_edit() {
    let w = world::start().await;
    w.proxy.fault(Fault::status(400).on("POST", w.rules_at()));
    w.proxy.fault(Fault::status(400).on("POST", w.points_at()));
    w.proxy.fault(Fault::status(400).on("POST", "/silences"));
    w.put("AlertRule", "r", quiet()).await;
    w.put("ContactPoint", "p", hook()).await;
    w.put("Silence", "s", silence()).await;
    w.reason::<AlertRule>("r", "Invalid").await;
    w.reason::<ContactPoint>("p", "Invalid").await;
    w.reason::<Silence>("s", "Invalid").await;
    resyncs(&w, 3).await;
    let writes = w.proxy.requests().writes();
    for path in [w.rules_at(), w.points_at(), "/silences"] {
        assert_eq!(writes.of("POST", path).len(), 1, "{path}: {writes}");
    }
    w.proxy.clear_faults();
    w.put("AlertRule", "r", json!({"query": QUIET, "for": "2m"}))
        .await;
    uid(&w, "r").await;
}

#[apply(any_release)]
async fn one_answer_that_asks_for_fewer_requests_stops_those_of_all_resources() {
    let w = world::start().await;
    w.put("AlertRule", "first", quiet()).await;
    uid(&w, "first").await;
    let fault = Fault::status(429).retry_after(Duration::from_secs(120));
    w.proxy.fault(fault.on("POST", w.rules_at()));
    w.proxy.reset();
    let documents: Vec<_> = (0..50)
        .map(|i| {
            let metadata = json!({"name": format!("r{i}")});
            json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": metadata, "spec": quiet()})
                .to_string()
        })
        .collect();
    w.apply(&documents.join("\n---\n")).await;
    for i in 0..50 {
        w.reason::<AlertRule>(&format!("r{i}"), "Throttled").await;
    }
    // As many as were under way when the first was answered.
    let calls = w.proxy.requests().of("POST", w.rules_at());
    assert!(!calls.is_empty() && calls.len() <= 8, "{calls}");
}

#[apply(every_release)]
async fn a_quota_is_named_by_what_is_too_many_and_leaves_the_others_alone() {
    let options = Options {
        settings: vec![
            "quota.enabled=true".to_owned(),
            "quota.org_alert_rule=1".to_owned(),
        ],
        ..Options::default()
    };
    let w = world::start_with(options).await;
    w.put("AlertRule", "fits", quiet()).await;
    uid(&w, "fits").await;
    w.proxy.reset();
    w.put("AlertRule", "one-too-many", quiet()).await;
    w.reason::<AlertRule>("one-too-many", "Invalid").await;
    let message = w.message::<AlertRule>("one-too-many").await;
    assert!(message.contains("quota has been exceeded"), "{message}");
    assert!(message.contains("have the quota raised"), "{message}");
    resyncs(&w, 3).await;
    w.reason::<AlertRule>("fits", "Synced").await;
    assert_eq!(w.proxy.requests().of("POST", w.rules_at()).len(), 1);
}

#[apply(every_release)]
async fn a_contact_point_that_a_rule_has_for_its_own_waits_with_its_deletion_and_says_for_which() {
    let w = world::start().await;
    w.put("ContactPoint", "team", hook()).await;
    w.synced::<ContactPoint>("team").await;
    if !w.grafana.version().since(11, 0) {
        // Rules have no contact points of their own there, or only with a toggle.
        w.delete::<ContactPoint>("team").await;
        return;
    }
    w.grafana
        .post("/api/folders", json!({"uid": "f", "title": "F"}))
        .await
        .ok();
    let rule = json!({
        "uid": "by-hand", "title": "By hand", "folderUID": "f", "ruleGroup": "g", "orgID": 1, "condition": "A",
        "noDataState": "OK", "execErrState": "OK", "for": "1m", "notification_settings": {"receiver": "team"},
        "data": [{
            "refId": "A", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0},
            "model": {"refId": "A", "type": "math", "expression": "0 > 1"},
        }],
    });
    w.grafana.post(RULES, rule).await.ok();
    resyncs(&w, 2).await;
    w.proxy.reset();
    w.plane
        .kubectl(["delete", "contactpoint", "team", "-n", &w.ns, "--wait=false"])
        .await
        .ok();
    w.reason::<ContactPoint>("team", "InUse").await;
    let message = w.message::<ContactPoint>("team").await;
    assert!(message.contains("By hand"), "{message}");
    resyncs(&w, 2).await;
    // Grafana isn't asked for what is known.
    let deletes = w.proxy.requests().of("DELETE", w.points_at());
    assert!(deletes.is_empty(), "{deletes}");
    w.grafana.delete(&format!("{RULES}/by-hand")).await.ok();
    let api = w.api::<ContactPoint>().await;
    wait::until("the contact point is gone", SOON, async || {
        api.get_opt("team").await.is_ok_and(|found| found.is_none())
    })
    .await;
    let left = w.grafana.get(&format!("{POINTS}?name=team")).await.ok();
    assert_eq!(left, json!([]));
}
