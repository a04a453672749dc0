//! Whose the tree is can be read from it, and what people made comes back whole or isn't touched at all.

use std::time::{Duration, Instant};

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{any_release, apply, every_release, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::{annotate, assert_rests, everything_to, resyncs};
use crate::notification_policy::{POLICIES, contact_point, foreign_tree, own_tree};
use crate::world::{self, SOON, World};

const ADOPT: &str = "alerting.letsrevel.io/adopt=true";

/// Applies a policy that takes over whatever tree is there.
async fn adopt(w: &World, spec: Value) {
    let policy = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy",
        "metadata": {"name": "tree", "annotations": {"alerting.letsrevel.io/adopt": "true"}}, "spec": spec,
    });
    w.apply(&policy.to_string()).await;
}

/// Adds a route at the end.
fn add_route(tree: &mut Value, route: Value) {
    tree["routes"]
        .as_array_mut()
        .expect("a tree with routes")
        .push(route);
}

/// Replaces the tree in Grafana as a person does, and gives what Grafana says of it.
async fn by_hand(w: &World, tree: &Value) -> Value {
    w.grafana
        .write_as_frontend(Method::PUT, POLICIES, tree.clone())
        .await
        .ok();
    w.grafana.policy_tree().await
}

#[apply(every_release)]
async fn a_tree_that_was_taken_over_comes_back_byte_for_byte_older_matchers_included() {
    let w = world::start().await;
    contact_point(&w, "team").await;
    foreign_tree(&w).await;
    let tree = json!({
        "receiver": "foreign", "group_by": ["alertname"], "group_wait": "1m",
        "routes": [
            {"receiver": "foreign", "matchers": ["team=\"db\"", "env!=dev"], "continue": true, "repeat_interval": "1d"},
            {"receiver": "foreign", "match": {"team": "web"}, "routes": [{"receiver": "foreign", "match_re": {"env": "x.*"}}]},
            {"receiver": "foreign", "object_matchers": [["b", "=~", "c|d"]], "matchers": ["e=f"]},
        ],
    });
    let before = by_hand(&w, &tree).await;
    for part in [
        "/routes/0/matchers",
        "/routes/1/match",
        "/routes/1/routes/0/match_re",
    ] {
        assert!(before.pointer(part).is_some(), "{part} in {before}");
    }
    adopt(&w, everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(own_tree(&w).await["receiver"], "team");
    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await.to_string(), before.to_string());
}

#[apply(any_release)]
async fn fields_that_only_a_newer_grafana_knows_come_back_too() {
    let w = world::start().await;
    // The newer API would refuse what it doesn't know.
    w.proxy.only("/api/");
    contact_point(&w, "team").await;
    let tree = json!({
        "receiver": "team", "group_by": ["alertname"], "of_the_future": {"a": [1, true, null]},
        "routes": [{"receiver": "team", "object_matchers": [["a", "=", "b"]], "later": "x"}],
    });
    w.proxy
        .fault(Fault::status(200).body(tree.to_string()).on("GET", POLICIES));
    adopt(&w, everything_to("team")).await;
    wait::until("the tree is written", SOON, async || {
        !w.proxy.requests().of("PUT", POLICIES).is_empty()
    })
    .await;
    w.proxy.clear_faults();
    w.synced::<NotificationPolicy>("tree").await;
    w.proxy.reset();
    w.delete::<NotificationPolicy>("tree").await;
    let calls = w.proxy.requests().of("PUT", POLICIES);
    assert_eq!(calls.0[0].json(), tree, "{calls}");
}

#[apply(every_release)]
async fn a_tree_that_grafana_never_took_is_nobodys_and_what_people_made_meanwhile_stays() {
    let w = world::start().await;
    contact_point(&w, "team").await;
    foreign_tree(&w).await;
    let refusal = json!({"message": "invalid object specification: not today"});
    w.proxy.fault(
        Fault::status(400)
            .body(refusal.to_string())
            .on("PUT", w.tree_at()),
    );
    adopt(&w, everything_to("team")).await;
    w.reason::<NotificationPolicy>("tree", "Invalid").await;
    annotate(&w, "notificationpolicy", "tree", "alerting.letsrevel.io/adopt-").await;
    // People help themselves.
    let mut theirs = w.grafana.policy_tree().await;
    add_route(
        &mut theirs,
        json!({"receiver": "foreign", "object_matchers": [["oncall", "=", "me"]]}),
    );
    let theirs = by_hand(&w, &theirs).await;
    w.proxy.clear_faults();
    w.reason::<NotificationPolicy>("tree", "NotOwned").await;
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "team", "groupWait": "2s"}),
    )
    .await;
    w.reason::<NotificationPolicy>("tree", "NotOwned").await;
    assert_eq!(w.grafana.policy_tree().await, theirs);
    // What is taken over now is what comes back, not what was there at the first attempt.
    annotate(&w, "notificationpolicy", "tree", ADOPT).await;
    w.synced::<NotificationPolicy>("tree").await;
    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await, theirs);
}

#[apply(any_release)]
async fn deleting_what_never_was_applied_changes_nothing_that_was_edited_by_hand() {
    // Refused by us, since Go has no ++, and refused by Grafana alone.
    for (matcher, is_refused_by_grafana) in [("app=~\"web++\"", false), ("app=~\"web\"", true)] {
        let w = world::start().await;
        contact_point(&w, "ops").await;
        foreign_tree(&w).await;
        if is_refused_by_grafana {
            w.proxy.fault(Fault::status(400).on("PUT", w.tree_at()));
        }
        adopt(
            &w,
            json!({"receiver": "ops", "routes": [{"matchers": [matcher], "receiver": "ops"}]}),
        )
        .await;
        w.reason::<NotificationPolicy>("tree", "Invalid").await;
        let mut edited = w.grafana.policy_tree().await;
        add_route(
            &mut edited,
            json!({"receiver": "foreign", "object_matchers": [["second", "=", "route"]]}),
        );
        let edited = by_hand(&w, &edited).await;
        resyncs(&w, 1).await;
        w.proxy.reset();
        w.delete::<NotificationPolicy>("tree").await;
        assert_eq!(w.grafana.policy_tree().await, edited, "{matcher}");
        let calls = w.proxy.requests();
        assert!(calls.of("DELETE", w.tree_at()).is_empty(), "{calls}");
    }
}

#[apply(every_release)]
async fn after_the_memory_is_lost_the_mark_in_the_tree_says_whose_it_is() {
    let mut w = world::start().await;
    let fresh = w.grafana.policy_tree().await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_rests(&w).await;
    w.operator.terminate().await;
    w.forget().await;
    let mut edited = w.grafana.policy_tree().await;
    add_route(
        &mut edited,
        json!({"receiver": "team", "object_matchers": [["by", "=", "hand"]]}),
    );
    w.grafana.put(POLICIES, edited).await.ok();
    w.operator.restart().await.expect("it starts again");
    wait::until("what was edited is put right", SOON, async || {
        w.grafana.policy_tree().await["routes"].as_array().map(Vec::len) == Some(1)
    })
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    own_tree(&w).await;
    assert_rests(&w).await;
    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await, fresh);
}

#[apply(any_release)]
async fn a_tree_with_the_mark_of_another_operator_is_left_alone_and_the_message_names_it() {
    let w = world::start().await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    // Another operator takes it over.
    let mut theirs = w.grafana.policy_tree().await;
    let mark = "another-cluster/shop/theirs";
    theirs["routes"][0]["object_matchers"] = json!([
        ["__alertwright_tree__", "=", mark],
        ["__alertwright_tree__", "!=", mark]
    ]);
    w.grafana.put(POLICIES, theirs).await.ok();
    let theirs = w.grafana.policy_tree().await;
    w.reason::<NotificationPolicy>("tree", "NotOwned").await;
    let message = w.message::<NotificationPolicy>("tree").await;
    assert!(message.contains(mark), "{message}");
    assert_rests(&w).await;
    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await, theirs);
}

#[apply(any_release)]
async fn an_heir_that_cannot_have_the_tree_yet_leaves_none_of_the_dead_ones() {
    let w = world::start().await;
    let fresh = w.grafana.policy_tree().await;
    contact_point(&w, "first").await;
    w.put("NotificationPolicy", "old", everything_to("first")).await;
    w.synced::<NotificationPolicy>("old").await;
    // Creation times have whole seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    w.put("NotificationPolicy", "young", everything_to("missing"))
        .await;
    w.reason::<NotificationPolicy>("young", "Conflict").await;
    w.delete::<NotificationPolicy>("old").await;
    assert_eq!(w.grafana.policy_tree().await, fresh);
    w.reason::<NotificationPolicy>("young", "DependencyMissing").await;
    // Nothing refers to it any more.
    w.delete::<ContactPoint>("first").await;
    contact_point(&w, "missing").await;
    w.synced::<NotificationPolicy>("young").await;
    assert_eq!(own_tree(&w).await["receiver"], "missing");
}

#[apply(any_release)]
async fn after_a_wipe_of_grafana_the_tree_is_back_as_soon_as_its_contact_point_is() {
    let w = world::start().await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    let uid = w.grafana.contact_point("team").await[0]["uid"].clone();
    let uid = uid.as_str().unwrap_or_default();
    // The policy looks for its contact point before it is back.
    w.proxy
        .fault(Fault::delay(Duration::from_secs(3)).on("POST", w.points_at()));
    w.grafana.delete(POLICIES).await.ok();
    w.grafana
        .delete(&format!("/api/v1/provisioning/contact-points/{uid}"))
        .await
        .ok();
    let since = Instant::now();
    wait::until("its tree is back", SOON, async || {
        w.grafana.policy_tree().await["receiver"] == "team"
    })
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    own_tree(&w).await;
    // It goes on when the contact point is written, and doesn't wait for its next look in 30 s.
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
}
