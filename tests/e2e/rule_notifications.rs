//! Rules with a contact point of their own, past the policy tree.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::grafana::{Options, Version};
use alertwright_testbed::{any_release, apply, every_release, wait};
use serde_json::{Value, json};

use crate::alarm::{assert_rests, everything_to, fire_with, world};
use crate::rules::{QUIET, begin_delete, in_grafana, merge, quiet, resyncs, uid};
use crate::world::{self, SOON, World};

fn hook(url: &str) -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": url}}}]})
}

fn nowhere() -> Value {
    hook("http://127.0.0.1:9/hook")
}

/// A rule with these settings.
#[expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]
fn with(settings: Value) -> Value {
    json!({"query": QUIET, "notificationSettings": settings})
}

/// A world whose Grafana takes contact points of rules, if its release can.
async fn start() -> World {
    world::start_with(Options {
        settings: vec!["feature_toggles.enable=alertingSimplifiedRouting".to_owned()],
        ..Options::default()
    })
    .await
}

fn can(w: &World) -> bool {
    w.grafana.version() >= Version::new(10, 4, 0)
}

/// Asks for the deletion of a contact point, which waits for this resource.
async fn waits_for(w: &World, point: &str, user: &str) {
    let api = w.api::<ContactPoint>().await;
    api.delete(point, &kube::api::DeleteParams::default())
        .await
        .expect("it can be deleted");
    w.reason::<ContactPoint>(point, "InUse").await;
    let message = w.message::<ContactPoint>(point).await;
    assert!(message.contains(&format!("{user} still refers")), "{message}");
}

async fn is_gone(w: &World, point: &str) {
    let api = w.api::<ContactPoint>().await;
    wait::until(&format!("{point} is gone"), SOON, async || {
        api.get_opt(point).await.is_ok_and(|found| found.is_none())
    })
    .await;
    assert!(w.grafana.contact_point(point).await.is_empty());
}

#[apply(every_release)]
async fn a_contact_point_of_a_rules_own_is_waited_for_stored_kept_and_let_go_of() {
    let w = start().await;
    let settings = json!({"receiver": "pager", "groupBy": ["team"], "groupWait": "0s", "groupInterval": "90s", "repeatInterval": "1d12h"});
    w.put("AlertRule", "r", with(settings.clone())).await;
    if !can(&w) {
        w.reason::<AlertRule>("r", "Unsupported").await;
        let message = w.message::<AlertRule>("r").await;
        assert!(
            message.starts_with("spec.notificationSettings needs Grafana 11.0, or 10.4 with"),
            "{message}"
        );
        assert!(w.proxy.requests().writes().is_empty());
        w.put("AlertRule", "r", quiet()).await;
        merge(&w, "r", json!({"spec": {"notificationSettings": null}})).await;
        in_grafana(&w, "r").await;
        return;
    }
    w.reason::<AlertRule>("r", "DependencyMissing").await;
    let message = w.message::<AlertRule>("r").await;
    let expected = format!(
        "spec.notificationSettings.receiver: ContactPoint {}/pager is not there; create it",
        w.ns
    );
    assert!(message.contains(&expected), "{message}");
    w.put("ContactPoint", "pager", nowhere()).await;
    let rule = in_grafana(&w, "r").await;
    let stored = &rule["notification_settings"];
    let mut group_by: Vec<_> = stored["group_by"].as_array().expect("labels").clone();
    group_by.sort_by_key(ToString::to_string);
    assert_eq!(json!(group_by), json!(["alertname", "grafana_folder", "team"]));
    for (field, value) in [
        ("receiver", "pager"),
        ("group_wait", "0s"),
        ("group_interval", "1m30s"),
        ("repeat_interval", "1d12h"),
    ] {
        assert_eq!(stored[field], value, "{field} of {stored}");
    }
    assert_rests(&w).await;

    // A change is one write, and what somebody changes in Grafana is put right.
    w.put("ContactPoint", "other", nowhere()).await;
    w.synced::<ContactPoint>("other").await;
    w.proxy.reset();
    w.put("AlertRule", "r", with(json!({"receiver": "other"}))).await;
    let rule = in_grafana(&w, "r").await;
    assert_eq!(rule["notification_settings"]["receiver"], "other");
    // Until the status says what is stored, a change by hand is none of what was stored.
    w.synced::<AlertRule>("r").await;
    let writes = w.proxy.reset().writes();
    assert_eq!(writes.len(), 1, "{writes}");
    let mut edited = rule.clone();
    edited["notification_settings"] = json!({"receiver": "pager"});
    let path = format!("/api/v1/provisioning/alert-rules/{}", uid(&w, "r").await);
    w.grafana.put(&path, edited).await.ok();
    wait::until("the contact point is back", SOON, async || {
        in_grafana(&w, "r").await["notification_settings"]["receiver"] == "other"
    })
    .await;
    wait::until("the drift is told", SOON, async || {
        let rule: AlertRule = w.synced("r").await;
        let drift = rule.status?.last_drift?;
        (drift.fields == ["notificationSettings"]).then_some(())
    })
    .await;

    // Nobody refers to the first any more; the second waits, and goes as soon as the rule lets go of it.
    w.delete::<ContactPoint>("pager").await;
    let user = format!("AlertRule {}/r", w.ns);
    waits_for(&w, "other", &user).await;
    merge(&w, "r", json!({"spec": {"notificationSettings": null}})).await;
    is_gone(&w, "other").await;
    assert_eq!(in_grafana(&w, "r").await.get("notification_settings"), None);
    assert_rests(&w).await;

    // It goes with the rule, too.
    w.put("ContactPoint", "last", nowhere()).await;
    w.put("AlertRule", "r", with(json!({"receiver": "last"}))).await;
    in_grafana(&w, "r").await;
    waits_for(&w, "last", &user).await;
    begin_delete(&w, "r").await;
    is_gone(&w, "last").await;
}

#[apply(any_release)]
async fn the_alerts_of_a_rule_with_a_contact_point_of_its_own_go_there_and_not_by_the_tree() {
    let (w, sinks) = world().await;
    for name in ["tree", "own"] {
        w.put(
            "ContactPoint",
            name,
            hook(&format!("{}/{name}", sinks.http.url())),
        )
        .await;
    }
    w.put("NotificationPolicy", "tree", everything_to("tree")).await;
    w.synced::<NotificationPolicy>("tree").await;
    let settings =
        json!({"receiver": "own", "groupWait": "1s", "groupInterval": "1s", "repeatInterval": "1h"});
    fire_with(&w, "direct", json!({"notificationSettings": settings})).await;
    fire_with(&w, "routed", json!({})).await;
    let told = |place: &str| -> Vec<String> {
        let received = sinks.http.received(place);
        let name = |body: &Value| body["commonLabels"]["alertname"].as_str().map(str::to_owned);
        received
            .iter()
            .filter_map(|received| name(&received.body))
            .collect()
    };
    wait::until("both are told", SOON, async || {
        if told("/own").is_empty() || told("/tree").is_empty() {
            wait::not_yet((told("/own"), told("/tree")))
        } else {
            wait::Seen::Yes(())
        }
    })
    .await;
    assert_eq!(
        (told("/own"), told("/tree")),
        (vec!["direct".to_owned()], vec!["routed".to_owned()])
    );
}

#[apply(any_release)]
async fn a_rule_names_a_contact_point_of_another_namespace_only_where_its_owner_allows_it() {
    let mut w = start().await;
    let other = w.plane.namespace("platform").await;
    w.kubeconfig = w.plane.operator_account(&w.home, Watch::All).await;
    w.operator.terminate().await;
    w.operator = world::operator(&w.home, &format!("{},{other}", w.ns), &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    let point = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "ContactPoint", "metadata": {"name": "pager"}, "spec": nowhere(),
    });
    w.plane.apply(&point.to_string(), &other).await;
    let theirs = json!({"receiverRef": {"name": "pager", "namespace": other}});
    w.put("AlertRule", "r", with(theirs)).await;
    let message = wait::until("it says what is missing", SOON, async || {
        w.reason::<AlertRule>("r", "DependencyMissing").await;
        let message = w.message::<AlertRule>("r").await;
        message.contains("isn't shared with namespace").then_some(message)
    })
    .await;
    assert!(
        message.starts_with("spec.notificationSettings.receiverRef: "),
        "{message}"
    );
    let shared = format!("alerting.letsrevel.io/shared-with={}", w.ns);
    w.plane
        .kubectl(["annotate", "contactpoint", "pager", "-n", &other, &shared])
        .await
        .ok();
    assert_eq!(
        in_grafana(&w, "r").await["notification_settings"]["receiver"],
        "pager"
    );

    // One that isn't a resource is named by its name in Grafana; one that is a resource of another namespace isn't to be had so.
    w.put(
        "AlertRule",
        "by-hand",
        with(json!({"receiverRef": {"grafanaName": "by-hand"}})),
    )
    .await;
    w.reason::<AlertRule>("by-hand", "DependencyMissing").await;
    let by_hand = json!({"name": "by-hand", "type": "email", "settings": {"addresses": "a@example.com"}});
    w.grafana
        .write_as_frontend(
            reqwest::Method::POST,
            "/api/v1/provisioning/contact-points",
            by_hand,
        )
        .await
        .ok();
    assert_eq!(
        in_grafana(&w, "by-hand").await["notification_settings"]["receiver"],
        "by-hand"
    );
    w.put(
        "AlertRule",
        "sly",
        with(json!({"receiverRef": {"grafanaName": "pager"}})),
    )
    .await;
    w.reason::<AlertRule>("sly", "Invalid").await;
}

#[apply(any_release)]
async fn a_rule_that_is_to_have_a_contact_point_keeps_it_though_somebody_took_it_out_in_grafana() {
    let w = start().await;
    w.put("ContactPoint", "pager", nowhere()).await;
    w.put("AlertRule", "r", with(json!({"receiver": "pager"}))).await;
    in_grafana(&w, "r").await;
    // A suspended rule asks for nothing, but what it has in Grafana counts.
    merge(&w, "r", json!({"spec": {"suspend": true}})).await;
    w.reason::<AlertRule>("r", "Suspended").await;
    waits_for(&w, "pager", &format!("AlertRule {}/r", w.ns)).await;
    let uid = w
        .api::<AlertRule>()
        .await
        .get("r")
        .await
        .expect("it is there")
        .status
        .and_then(|s| s.uid);
    let path = format!("/api/v1/provisioning/alert-rules/{}", uid.expect("a uid"));
    let mut edited = w.grafana.get(&path).await.ok();
    edited["notification_settings"] = Value::Null;
    w.grafana.put(&path, edited).await.ok();
    is_gone(&w, "pager").await;
    merge(&w, "r", json!({"spec": {"suspend": false}})).await;
    w.reason::<AlertRule>("r", "DependencyMissing").await;
    w.put("ContactPoint", "pager", nowhere()).await;
    assert_eq!(
        in_grafana(&w, "r").await["notification_settings"]["receiver"],
        "pager"
    );
}

#[apply(any_release)]
async fn a_namespace_that_is_deleted_leaves_neither_its_rules_nor_their_contact_points_in_grafana() {
    let w = start().await;
    // A RoleBinding would go with its namespace, and the right to let go of what is in it with the RoleBinding.
    w.plane.operator_account(&w.home, Watch::All).await;
    for i in 0..4 {
        let point = format!("pager-{}", i % 2);
        w.put("ContactPoint", &point, nowhere()).await;
        w.put("AlertRule", &format!("r{i}"), with(json!({"receiver": point})))
            .await;
    }
    for i in 0..4 {
        uid(&w, &format!("r{i}")).await;
    }
    w.plane
        .kubectl(["delete", "namespace", &w.ns, "--timeout=90s"])
        .await
        .ok();
    resyncs(&w, 1).await;
    assert!(w.grafana.rules().await.is_empty(), "rules are left");
    for point in ["pager-0", "pager-1"] {
        assert!(w.grafana.contact_point(point).await.is_empty(), "{point} is left");
    }
}
