//! ContactPoints: what is stored, and whose it is.

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{any_release, apply, every_release, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::{annotate, assert_rests, everything_to, integration, resyncs, secret};
use crate::world::{self, SOON, World};

const POINTS: &str = "/api/v1/provisioning/contact-points";

/// Two integrations that need no Secret.
fn mail_and_hook() -> Value {
    json!({"integrations": [
        {"email": {"addresses": ["a@example.com", "b@example.com"]}},
        {"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}},
    ]})
}

/// Waits until a contact point has integrations of these types, in any order.
async fn has_types(w: &World, name: &str, types: &[&str]) {
    let mut expected = types.to_vec();
    expected.sort_unstable();
    wait::until(&format!("{name} has {expected:?}"), SOON, async || {
        let found = w.grafana.contact_point(name).await;
        let mut types: Vec<_> = found
            .iter()
            .filter_map(|integration| integration["type"].as_str())
            .collect();
        types.sort_unstable();
        if types == expected {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&found)
        }
    })
    .await;
}

async fn foreign(w: &World, name: &str) {
    let point = json!({"name": name, "type": "email", "settings": {"addresses": "foreign@example.com"}});
    w.grafana
        .write_as_frontend(Method::POST, POINTS, point)
        .await
        .ok();
}

#[apply(every_release)]
async fn a_contact_point_is_created_changed_and_deleted_with_no_call_too_many() {
    let w = world::start().await;
    w.proxy.reset();
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;
    let calls = w.proxy.reset();
    // Through the newer API a contact point is whole, and isn't made where there is one; the older one joins it, so a look follows.
    let (look, looks, writes) = if w.notifications_by_apis() {
        ("/receivers/", 0, 1)
    } else {
        ("contact-points?name=", 1, 2)
    };
    assert_eq!(calls.of("GET", look).len(), looks, "{calls}");
    assert_eq!(calls.of("POST", w.points_at()).len(), writes, "{calls}");
    assert_eq!(calls.writes().len(), writes, "{calls}");
    assert_rests(&w).await;

    let before = integration(&w, "team", "email").await["uid"].clone();
    w.proxy.reset();
    let changed = json!({"integrations": [{"email": {"addresses": ["c@example.com"]}}, {"custom": {"type": "teams", "settings": {"url": "http://127.0.0.1:9"}}}]});
    w.put("ContactPoint", "team", changed).await;
    w.synced::<ContactPoint>("team").await;
    let calls = w.proxy.reset();
    let counts = ["POST", "PUT", "DELETE"].map(|method| calls.of(method, w.points_at()).len());
    let expected = if w.notifications_by_apis() {
        [0, 1, 0]
    } else {
        [1, 1, 1]
    };
    assert_eq!(counts, expected, "{calls}");
    has_types(&w, "team", &["email", "teams"]).await;
    let email = integration(&w, "team", "email").await;
    assert_eq!(
        (&email["uid"], &email["settings"]["addresses"]),
        (&before, &json!("c@example.com"))
    );

    w.proxy.reset();
    w.delete::<ContactPoint>("team").await;
    let calls = w.proxy.reset();
    assert_eq!(
        (calls.of("DELETE", w.points_at()).len(), calls.writes().len()),
        (writes, writes),
        "{calls}"
    );
    assert!(w.grafana.contact_point("team").await.is_empty());
}

#[apply(every_release)]
async fn what_somebody_changes_in_grafana_is_changed_back() {
    let w = world::start().await;
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;

    let mut edited = integration(&w, "team", "email").await;
    edited["settings"]["addresses"] = json!("mallory@example.com");
    let path = format!("{POINTS}/{}", edited["uid"].as_str().unwrap_or_default());
    w.grafana.put(&path, edited).await.ok();
    wait::until("the address is back", SOON, async || {
        integration(&w, "team", "email").await["settings"]["addresses"] == "a@example.com;b@example.com"
    })
    .await;

    let uid = integration(&w, "team", "webhook").await["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    w.grafana.delete(&format!("{POINTS}/{uid}")).await.ok();
    has_types(&w, "team", &["email", "webhook"]).await;
    for integration in w.grafana.contact_point("team").await {
        let uid = integration["uid"].as_str().unwrap_or_default().to_owned();
        w.grafana.delete(&format!("{POINTS}/{uid}")).await.ok();
    }
    has_types(&w, "team", &["email", "webhook"]).await;
    assert_rests(&w).await;
}

#[apply(every_release)]
async fn what_somebody_adds_to_a_contact_point_stays_until_it_is_taken_over() {
    let w = world::start().await;
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    foreign(&w, "team").await;
    w.reason::<ContactPoint>("team", "NotOwned").await;
    assert_rests(&w).await;
    has_types(&w, "team", &["email", "email", "webhook"]).await;
    // Ours is kept up beside it, and is still routed to.
    let changed = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/other"}}}]});
    w.put("ContactPoint", "team", changed).await;
    has_types(&w, "team", &["email", "webhook"]).await;
    assert_eq!(
        integration(&w, "team", "email").await["settings"]["addresses"],
        "foreign@example.com"
    );
    w.reason::<ContactPoint>("team", "NotOwned").await;
    assert_rests(&w).await;
    w.synced::<NotificationPolicy>("tree").await;

    annotate(&w, "contactpoint", "team", "alerting.letsrevel.io/adopt=true").await;
    w.synced::<ContactPoint>("team").await;
    has_types(&w, "team", &["webhook"]).await;
    assert_rests(&w).await;
}

#[apply(every_release)]
async fn a_foreign_contact_point_of_the_same_name_is_left_alone_until_it_is_adopted() {
    let w = world::start().await;
    foreign(&w, "team").await;
    let before = w.grafana.contact_point("team").await;
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.reason::<ContactPoint>("team", "NotOwned").await;
    assert!(
        w.message::<ContactPoint>("team")
            .await
            .contains("alerting.letsrevel.io/adopt")
    );
    assert_rests(&w).await;
    assert_eq!(w.grafana.contact_point("team").await, before);
    // Nor does a policy take the stranger for ours.
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;

    annotate(&w, "contactpoint", "team", "alerting.letsrevel.io/adopt=true").await;
    w.synced::<ContactPoint>("team").await;
    has_types(&w, "team", &["email", "webhook"]).await;
    assert_eq!(
        integration(&w, "team", "email").await["settings"]["addresses"],
        "a@example.com;b@example.com"
    );
    w.synced::<NotificationPolicy>("tree").await;

    // Deleting one that wasn't adopted leaves the stranger where it is.
    foreign(&w, "other").await;
    w.put("ContactPoint", "other", mail_and_hook()).await;
    w.reason::<ContactPoint>("other", "NotOwned").await;
    w.delete::<ContactPoint>("other").await;
    has_types(&w, "other", &["email"]).await;
}

#[apply(every_release)]
async fn an_equal_contact_point_of_somebody_elses_is_ours_without_a_write() {
    let w = world::start().await;
    foreign(&w, "team").await;
    let before = w.grafana.contact_point("team").await;
    w.proxy.reset();
    let mail = |address: &str| json!({"integrations": [{"email": {"addresses": [address]}}]});
    w.put("ContactPoint", "team", mail("other@example.com")).await;
    w.reason::<ContactPoint>("team", "NotOwned").await;
    let message = w.message::<ContactPoint>("team").await;
    assert!(message.ends_with("They differ in email.addresses"), "{message}");
    w.put("ContactPoint", "team", mail("foreign@example.com")).await;
    w.synced::<ContactPoint>("team").await;
    assert_rests(&w).await;
    let calls = w.proxy.reset();
    assert!(calls.writes().is_empty(), "{calls}");
    assert_eq!(w.grafana.contact_point("team").await, before);
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    w.put("ContactPoint", "team", mail("new@example.com")).await;
    w.synced::<ContactPoint>("team").await;
    let after = w.grafana.contact_point("team").await;
    assert_eq!(after[0]["uid"], before[0]["uid"]);
    w.delete::<NotificationPolicy>("tree").await;
    w.delete::<ContactPoint>("team").await;
    assert_eq!(
        w.grafana.contact_point("team").await,
        Vec::<serde_json::Value>::new()
    );
}

#[apply(any_release)]
async fn of_two_resources_with_one_name_the_younger_waits_and_inherits() {
    let w = world::start().await;
    let named =
        |address: &str| json!({"name": "Team", "integrations": [{"email": {"addresses": [address]}}]});
    w.put("ContactPoint", "old", named("old@example.com")).await;
    w.synced::<ContactPoint>("old").await;
    // Creation times have whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    w.put("ContactPoint", "a-young", named("young@example.com")).await;
    w.reason::<ContactPoint>("a-young", "Conflict").await;
    let message = w.message::<ContactPoint>("a-young").await;
    assert!(message.contains(&format!("{}/old", w.ns)), "{message}");
    assert_eq!(
        integration(&w, "Team", "email").await["settings"]["addresses"],
        "old@example.com"
    );
    w.delete::<ContactPoint>("old").await;
    w.synced::<ContactPoint>("a-young").await;
    let all = w.grafana.contact_point("Team").await;
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0]["settings"]["addresses"], "young@example.com");
}

#[apply(every_release)]
async fn what_grafana_refuses_is_invalid_and_says_why() {
    let w = world::start().await;
    w.put(
        "ContactPoint",
        "pigeon",
        json!({"integrations": [{"custom": {"type": "carrierpigeon", "settings": {"x": "y"}}}]}),
    )
    .await;
    w.reason::<ContactPoint>("pigeon", "Invalid").await;
    let message = w.message::<ContactPoint>("pigeon").await;
    assert!(message.contains("carrierpigeon"), "{message}");
    secret(&w, "keys", json!({"url": "https://hunter2:is-no-port"})).await;
    let slack = json!({"url": {"secretKeyRef": {"name": "keys", "key": "url"}}});
    w.put(
        "ContactPoint",
        "slack",
        json!({"integrations": [{"slack": slack}]}),
    )
    .await;
    w.reason::<ContactPoint>("slack", "Invalid").await;
    let message = w.message::<ContactPoint>("slack").await;
    assert!(
        message.contains("invalid URL") && !message.contains("hunter2"),
        "{message}"
    );
    assert!(w.grafana.contact_point("slack").await.is_empty());
    assert_rests(&w).await;
}

#[apply(any_release)]
async fn an_answer_that_is_lost_makes_no_second_integration() {
    let w = world::start().await;
    w.proxy
        .fault(Fault::drop_after().on("POST", w.points_at()).times(2));
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;
    assert_eq!(w.grafana.contact_point("team").await.len(), 2);
    w.proxy
        .fault(Fault::drop_after().on("DELETE", w.points_at()).times(1));
    w.delete::<ContactPoint>("team").await;
    assert!(w.grafana.contact_point("team").await.is_empty());
}

#[apply(every_release)]
async fn a_lost_race_for_grafanas_configuration_is_run_again() {
    let w = world::start().await;
    // Since 13.3 it is a conflict; before, nothing but its text tells it from other failures.
    let lost = || {
        if w.grafana.version().since(13, 3) {
            let id = "alerting.notifications.alertmanager.versionConflict";
            Fault::status(409)
                .body(json!({"message": "the configuration has changed", "messageId": id}).to_string())
        } else {
            let text = "could not find object using provided id and hash";
            Fault::status(500).body(json!({"message": text}).to_string())
        }
    };
    w.proxy.fault(lost().on("POST", w.points_at()).times(2));
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;
    has_types(&w, "team", &["email", "webhook"]).await;
    w.proxy.fault(lost().on("PUT", w.tree_at()).times(2));
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await["receiver"], "team");
}

#[apply(every_release)]
async fn a_contact_point_that_the_tree_refers_to_outlives_its_deletion() {
    let w = world::start().await;
    for name in ["first", "second"] {
        w.put("ContactPoint", name, mail_and_hook()).await;
    }
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "first", "routes": [{"receiver": "second", "matchers": ["a=b"]}]}),
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    w.plane
        .kubectl(["delete", "contactpoint", "second", "-n", &w.ns, "--wait=false"])
        .await
        .ok();
    w.reason::<ContactPoint>("second", "InUse").await;
    let message = w.message::<ContactPoint>("second").await;
    assert!(
        message.contains(&format!("NotificationPolicy {}/tree", w.ns)),
        "{message}"
    );
    has_types(&w, "second", &["email", "webhook"]).await;
    w.put("NotificationPolicy", "tree", json!({"receiver": "first"}))
        .await;
    let api = w.api::<ContactPoint>().await;
    wait::until("it goes", SOON, async || {
        api.get_opt("second").await.is_ok_and(|found| found.is_none())
    })
    .await;
    assert!(w.grafana.contact_point("second").await.is_empty());
}

#[apply(any_release)]
async fn orphans_stay_in_grafana() {
    let w = world::start().await;
    let mut spec = mail_and_hook();
    spec["deletionPolicy"] = json!("Orphan");
    w.put("ContactPoint", "team", spec).await;
    w.synced::<ContactPoint>("team").await;
    w.delete::<ContactPoint>("team").await;
    resyncs(&w, 1).await;
    has_types(&w, "team", &["email", "webhook"]).await;
    // Whoever comes next under another name of its own is a stranger to it.
    w.put(
        "ContactPoint",
        "heir",
        json!({"name": "team", "integrations": [{"email": {"addresses": ["c@example.com"]}}]}),
    )
    .await;
    w.reason::<ContactPoint>("heir", "NotOwned").await;
}
