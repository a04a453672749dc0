//! Several that want the same: two resources, or a resource and somebody else's rule.

use alertwright::api::AlertRule;
use alertwright_testbed::{any_release, apply, below_12, every_release, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rules::{QUIET, in_grafana, merge, quiet, resyncs, uid};
use crate::world::{self, SOON, World};

/// A rule as a person makes it in Grafana's frontend.
async fn foreign(w: &World, uid: &str, title: &str, folder: &str, group: &str) {
    let rule = json!({
        "uid": uid, "title": title, "folderUID": folder, "ruleGroup": group, "orgID": 1, "condition": "A",
        "noDataState": "OK", "execErrState": "OK", "for": "1m", "labels": {"by": "hand"},
        "data": [{
            "refId": "A", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0},
            "model": {"refId": "A", "type": "math", "expression": "0 > 1"},
        }],
    });
    w.grafana
        .write_as_frontend(Method::POST, "/api/v1/provisioning/alert-rules", rule)
        .await
        .ok();
}

async fn conflict(w: &World, name: &str, with: &str, field: &str) {
    w.reason::<AlertRule>(name, "Conflict").await;
    let message = w.message::<AlertRule>(name).await;
    assert!(
        message.contains(&format!("{}/{with}", w.ns)) && message.contains(field),
        "{message}"
    );
}

/// Creation times are whole seconds: the second of two resources must be younger.
async fn older(w: &World, name: &str, spec: Value) {
    w.put("AlertRule", name, spec).await;
    uid(w, name).await;
    let created = w
        .api::<AlertRule>()
        .await
        .get(name)
        .await
        .ok()
        .and_then(|rule| rule.metadata.creation_timestamp);
    wait::until("a second has passed", SOON, async || {
        let now = k8s_openapi::jiff::Timestamp::now();
        created
            .as_ref()
            .is_some_and(|t| now.as_second() > t.0.as_second())
    })
    .await;
}

#[apply(every_release)]
async fn of_two_that_claim_the_same_the_younger_waits_and_gets_it_when_the_older_goes() {
    let w = world::start().await;
    older(&w, "z-title", json!({"query": QUIET, "title": "Same"})).await;
    older(&w, "z-uid", json!({"query": QUIET, "uid": "by-hand"})).await;
    older(
        &w,
        "z-group",
        json!({"query": QUIET, "group": "shared", "interval": "10s"}),
    )
    .await;
    w.put("AlertRule", "a-title", json!({"query": QUIET, "title": "Same"}))
        .await;
    w.put("AlertRule", "a-uid", json!({"query": QUIET, "uid": "by-hand"}))
        .await;
    w.put(
        "AlertRule",
        "a-group",
        json!({"query": QUIET, "group": "shared", "interval": "20s"}),
    )
    .await;
    let titles_are_unique = !w.grafana.version().since(12, 0);
    if titles_are_unique {
        conflict(&w, "a-title", "z-title", "spec.title").await;
    } else {
        uid(&w, "a-title").await;
    }
    conflict(&w, "a-uid", "z-uid", "spec.uid").await;
    conflict(&w, "a-group", "z-group", "spec.interval").await;
    assert_eq!(
        w.grafana.rules().await.len(),
        if titles_are_unique { 3 } else { 4 }
    );
    assert_eq!(in_grafana(&w, "z-uid").await["title"], "z-uid");

    for kind in ["title", "uid", "group"] {
        w.delete::<AlertRule>(&format!("z-{kind}")).await;
        uid(&w, &format!("a-{kind}")).await;
    }
    assert_eq!(in_grafana(&w, "a-title").await["title"], "Same");
    assert_eq!(in_grafana(&w, "a-uid").await["uid"], "by-hand");
    let rules = w.grafana.rules().await;
    assert_eq!(rules.len(), 3, "{rules:#?}");
    let group = w.group_of(&uid(&w, "a-group").await, "shared");
    let shared: Vec<_> = rules.iter().filter(|rule| rule["group"] == *group).collect();
    assert_eq!(shared[0]["interval"], "20s");
    // Equal intervals share a group.
    w.put(
        "AlertRule",
        "b-group",
        json!({"query": QUIET, "group": "shared", "interval": "20s"}),
    )
    .await;
    uid(&w, "b-group").await;
}

#[apply(every_release)]
async fn two_resources_that_swap_titles_end_with_swapped_titles() {
    let w = world::start().await;
    older(&w, "first", json!({"query": QUIET, "title": "One"})).await;
    w.put("AlertRule", "second", json!({"query": QUIET, "title": "Two"}))
        .await;
    let before = (uid(&w, "first").await, uid(&w, "second").await);
    w.put("AlertRule", "first", json!({"query": QUIET, "title": "Two"}))
        .await;
    w.put("AlertRule", "second", json!({"query": QUIET, "title": "One"}))
        .await;
    assert_eq!(in_grafana(&w, "first").await["title"], "Two");
    assert_eq!(in_grafana(&w, "second").await["title"], "One");
    assert_eq!((uid(&w, "first").await, uid(&w, "second").await), before);
    assert_eq!(w.grafana.rules().await.len(), 2);
}

#[apply(below_12)]
async fn a_title_that_a_younger_resource_holds_in_grafana_is_waited_for_without_writes() {
    let w = world::start().await;
    older(&w, "first", json!({"query": QUIET, "title": "One"})).await;
    w.put("AlertRule", "second", json!({"query": QUIET, "title": "Two"}))
        .await;
    uid(&w, "second").await;
    // Both want "Two" now. The younger has it, and goes on with it.
    w.put("AlertRule", "first", json!({"query": QUIET, "title": "Two"}))
        .await;
    conflict(&w, "first", "second", "spec.title").await;
    w.reason::<AlertRule>("second", "Synced").await;
    w.proxy.reset();
    resyncs(&w, 2).await;
    let writes = w.proxy.requests().writes();
    assert!(writes.is_empty(), "{writes}");
    w.put("AlertRule", "second", json!({"query": QUIET, "title": "Three"}))
        .await;
    assert_eq!(in_grafana(&w, "first").await["title"], "Two");
    assert_eq!(in_grafana(&w, "second").await["title"], "Three");
}

#[apply(every_release)]
async fn rules_that_others_made_are_left_as_they_are() {
    let w = world::start().await;
    w.put("AlertRule", "ours", quiet()).await;
    let folder = in_grafana(&w, "ours").await["folderUID"]
        .as_str()
        .expect("a folder")
        .to_owned();
    foreign(&w, "neighbour", "Neighbour", &folder, "theirs").await;
    foreign(&w, "wanted", "Wanted", &folder, "other").await;
    let before = w.grafana.rule("neighbour").await.expect("the neighbour");
    resyncs(&w, 1).await;

    // A foreign group keeps its interval, and its rules their provenance; through the newer API a rule isn't in any.
    w.put(
        "AlertRule",
        "guest",
        json!({"query": QUIET, "group": "theirs", "interval": "10s"}),
    )
    .await;
    uid(&w, "guest").await;
    let message = w.message::<AlertRule>("guest").await;
    let is_warned =
        message.contains("Warning") && message.contains("spec.interval") && message.contains("neighbour");
    assert_eq!(is_warned, !w.rules_by_apis(), "{message}");
    w.put(
        "AlertRule",
        "guest",
        json!({"query": QUIET, "group": "theirs", "interval": "10s", "for": "3m"}),
    )
    .await;
    assert_eq!(in_grafana(&w, "guest").await["for"], "3m");
    let rules = w.grafana.rules().await;
    let theirs: Vec<_> = rules.iter().filter(|rule| rule["group"] == "theirs").collect();
    assert_eq!(theirs.len(), if w.rules_by_apis() { 1 } else { 2 });
    assert!(theirs.iter().all(|rule| rule["interval"] == "1m"), "{theirs:#?}");
    w.delete::<AlertRule>("guest").await;
    let mut after = w.grafana.rule("neighbour").await.expect("the neighbour");
    after["updated"] = before["updated"].clone();
    assert_eq!(after, before);

    // A title that a foreign rule has: since 12.0 two rules of a folder may have the same.
    w.put(
        "AlertRule",
        "namesake",
        json!({"query": QUIET, "title": "Neighbour"}),
    )
    .await;
    if w.grafana.version().since(12, 0) {
        assert_eq!(in_grafana(&w, "namesake").await["title"], "Neighbour");
        assert!(w.grafana.rule("neighbour").await.is_some());
    } else {
        w.reason::<AlertRule>("namesake", "Conflict").await;
        let message = w.message::<AlertRule>("namesake").await;
        assert!(
            message.contains("neighbour") && message.contains("spec.title"),
            "{message}"
        );
        w.grafana
            .delete("/api/v1/provisioning/alert-rules/neighbour")
            .await;
        assert_eq!(in_grafana(&w, "namesake").await["title"], "Neighbour");
    }

    // A uid that a foreign rule has: refused, and with the annotation taken over.
    w.put(
        "AlertRule",
        "taker",
        json!({"query": QUIET, "uid": "wanted", "group": "other", "title": "Wanted"}),
    )
    .await;
    w.reason::<AlertRule>("taker", "NotOwned").await;
    let message = w.message::<AlertRule>("taker").await;
    assert!(message.contains("alerting.letsrevel.io/adopt"), "{message}");
    let wanted = w.grafana.rule("wanted").await.expect("it is there");
    assert_eq!(wanted["labels"], json!({"by": "hand"}));
    merge(
        &w,
        "taker",
        json!({"metadata": {"annotations": {"alerting.letsrevel.io/adopt": "true"}}}),
    )
    .await;
    let wanted = in_grafana(&w, "taker").await;
    assert_eq!(wanted["uid"], "wanted");
    assert_eq!(
        wanted["labels"]["__alertwright__"],
        format!("{}/{}/taker", w.home, w.ns)
    );
    w.delete::<AlertRule>("taker").await;
    assert!(w.grafana.rule("wanted").await.is_none());
}

#[apply(any_release)]
async fn a_refused_uid_is_not_deleted_with_its_resource() {
    let w = world::start().await;
    w.put("AlertRule", "ours", quiet()).await;
    let folder = in_grafana(&w, "ours").await["folderUID"]
        .as_str()
        .expect("a folder")
        .to_owned();
    foreign(&w, "theirs", "Theirs", &folder, "theirs").await;
    resyncs(&w, 1).await;
    w.put(
        "AlertRule",
        "taker",
        json!({"query": QUIET, "uid": "theirs", "title": "Other"}),
    )
    .await;
    w.reason::<AlertRule>("taker", "NotOwned").await;
    w.delete::<AlertRule>("taker").await;
    assert!(w.grafana.rule("theirs").await.is_some());
}
