//! A GrafanaInstance that is pointed elsewhere takes what it made along, and touches nothing that isn't its own.

use alertwright::api::{AlertRule, ContactPoint, GrafanaInstance, NotificationPolicy, Silence, TimeInterval};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{Grafana, Loki, Proxy, any_release, apply, every_release, grafana, wait};
use kube::Api;
use serde_json::{Value, json};

use crate::alarm::everything_to;
use crate::notification_policy::{contact_point, foreign_tree};
use crate::rules::quiet;
use crate::world::{self, SOON, World};

/// How the uids of the folders begin that tell two Grafanas apart.
const PROBE: &str = "alertwright-probe-";

/// What is known of the GrafanaInstance `default`.
async fn status(w: &World) -> alertwright::api::GrafanaInstanceStatus {
    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    let found = api.get("default").await.expect("it is there");
    found.status.unwrap_or_default()
}

/// The condition `LeftBehind`, as reason and message.
async fn left_behind(w: &World) -> Option<(String, String)> {
    let conditions = status(w).await.conditions.into_iter();
    let mut found = conditions.filter(|condition| condition.type_ == "LeftBehind");
    found
        .next()
        .map(|condition| (condition.reason, condition.message))
}

/// One of everything, with the tree of somebody else's in its place.
async fn everything(w: &World) {
    contact_point(w, "team").await;
    w.put(
        "TimeInterval",
        "weekend",
        json!({"timeIntervals": [{"weekdays": ["saturday"]}]}),
    )
    .await;
    let mut tree = everything_to("team");
    tree["routes"] = json!([{"matchers": ["a=b"], "muteTimeIntervals": ["weekend"]}]);
    let policy = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy",
        "metadata": {"name": "tree", "annotations": {"alerting.letsrevel.io/adopt": "true"}}, "spec": tree,
    });
    w.apply(&policy.to_string()).await;
    for name in ["r1", "r2"] {
        w.put("AlertRule", name, quiet()).await;
    }
    w.put("Silence", "s", json!({"matchers": ["a=b"], "duration": "1h"}))
        .await;
    synced(w).await;
}

async fn synced(w: &World) {
    w.synced::<ContactPoint>("team").await;
    w.synced::<TimeInterval>("weekend").await;
    w.synced::<NotificationPolicy>("tree").await;
    w.synced::<AlertRule>("r1").await;
    w.synced::<AlertRule>("r2").await;
    w.synced::<Silence>("s").await;
}

/// One more Grafana, with what the rules ask.
async fn another() -> (Grafana, Proxy) {
    let other = Grafana::start(grafana::Options::default())
        .await
        .expect("grafana starts");
    other
        .add_loki_datasource(Loki::shared().await, "loki", "Loki", true)
        .await;
    let proxy = world::proxy_of(&other).await;
    (other, proxy)
}

/// Points the GrafanaInstance there, and waits until it is connected.
async fn point_at(w: &World, grafana: &Grafana, proxy: &Proxy) {
    world::connect(w.plane, &w.home, &proxy.url(), &grafana.token().await, json!({})).await;
    wait::until("connected there", SOON, async || {
        let status = status(w).await;
        status.url == Some(proxy.url()) && status.reachable == Some(true)
    })
    .await;
}

/// What a Grafana holds of alerting, as far as it is told apart here.
async fn held(grafana: &Grafana) -> Value {
    let names = |all: Vec<Value>, field: &str| {
        let mut names: Vec<String> = all
            .iter()
            .map(|one| one[field].as_str().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        names
    };
    json!({
        "rules": names(grafana.rules().await.into_iter().map(|rule| rule["grafana_alert"].clone()).collect(), "title"), "points": names(grafana.contact_points().await, "name"),
        "timings": names(grafana.mute_timings().await, "name"), "silences": names(grafana.active_silences().await, "id"),
        "tree": grafana.policy_tree().await,
    })
}

async fn assert_no_probe(grafana: &Grafana) {
    let folders = grafana.folders().await;
    let mut uids = folders.iter().filter_map(|folder| folder["uid"].as_str());
    assert!(!uids.any(|uid| uid.starts_with(PROBE)), "{folders:?}");
}

#[apply(every_release)]
async fn an_instance_that_is_pointed_at_another_grafana_leaves_nothing_of_ours_and_all_of_others_behind() {
    let w = world::start().await;
    foreign_tree(&w).await;
    let theirs = json!({
        "matchers": [{"name": "a", "value": "b", "isRegex": false, "isEqual": true}], "createdBy": "somebody", "comment": "by hand",
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
    });
    w.grafana
        .post("/api/alertmanager/grafana/api/v2/silences", theirs)
        .await
        .ok();
    let before = held(&w.grafana).await;
    everything(&w).await;
    let (other, proxy) = another().await;
    point_at(&w, &other, &proxy).await;
    synced(&w).await;
    wait::until("nothing is left behind", SOON, async || {
        let status = status(&w).await;
        let is_gone = status.left_behind.is_empty();
        is_gone
            && status
                .conditions
                .iter()
                .all(|condition| condition.type_ != "LeftBehind")
    })
    .await;
    assert_eq!(held(&w.grafana).await, before);
    let there = held(&other).await;
    assert_eq!(there["rules"], json!(["r1", "r2"]), "{there}");
    assert!(there["points"].to_string().contains("team"), "{there}");
    assert_eq!(there["tree"]["receiver"], "team", "{there}");
    for grafana in [&w.grafana, &other] {
        assert_no_probe(grafana).await;
    }
    // And then all is at rest, here and there.
    w.proxy.reset();
    proxy.reset();
    wait::until("some resyncs", SOON, async || proxy.requests().rule_lists() > 2).await;
    let (here, there) = (w.proxy.requests(), proxy.requests().writes());
    assert!(here.is_empty() && there.is_empty(), "{here}{there}");
}

#[apply(any_release)]
async fn another_address_of_the_same_grafana_is_recognised_and_nothing_is_removed() {
    let w = world::start().await;
    everything(&w).await;
    let before = held(&w.grafana).await;
    let again = world::proxy_of(&w.grafana).await;
    w.proxy.reset();
    point_at(&w, &w.grafana, &again).await;
    wait::until("it is recognised", SOON, async || {
        let notes = [
            "get",
            "events.events.k8s.io",
            "-n",
            &w.home,
            "-o",
            "jsonpath={.items[*].note}",
        ];
        let notes = w.plane.kubectl(notes).await.ok();
        notes.contains("is the Grafana that it is connected to now")
            && status(&w).await.left_behind.is_empty()
    })
    .await;
    synced(&w).await;
    assert_eq!(held(&w.grafana).await, before);
    for proxy in [&w.proxy, &again] {
        let calls = proxy.requests();
        let removed = calls.filter(|call| call.method == "DELETE" && !call.path.contains(PROBE));
        assert!(removed.is_empty(), "{removed}");
    }
    assert_no_probe(&w.grafana).await;
}

#[apply(any_release)]
async fn a_grafana_that_is_gone_is_given_up_and_the_condition_says_what_may_be_there() {
    let w = world::start().await;
    everything(&w).await;
    let before = held(&w.grafana).await;
    let (other, proxy) = another().await;
    w.proxy.fault(Fault::drop_before());
    point_at(&w, &other, &proxy).await;
    let message = wait::until("it is given up", SOON * 3, async || {
        let (reason, message) = left_behind(&w).await?;
        (reason == "Stays").then_some(message)
    })
    .await;
    assert!(
        message.contains("2 AlertRules, 1 ContactPoint") && message.contains(&w.proxy.url()),
        "{message}"
    );
    proxy.reset();
    wait::until("some resyncs", SOON, async || proxy.requests().rule_lists() > 2).await;
    w.proxy.reset();
    proxy.reset();
    wait::until("some more", SOON, async || proxy.requests().rule_lists() > 2).await;
    let calls = w.proxy.requests();
    assert!(calls.is_empty(), "nobody asks it any more: {calls}");
    w.proxy.clear_faults();
    assert_eq!(held(&w.grafana).await, before);
    assert_no_probe(&other).await;
}

#[apply(any_release)]
async fn what_others_use_and_what_is_let_go_of_stays_there_and_is_named() {
    let w = world::start().await;
    everything(&w).await;
    let mut kept = quiet();
    kept["deletionPolicy"] = json!("Orphan");
    w.put("AlertRule", "kept", kept).await;
    w.synced::<AlertRule>("kept").await;
    let tree = held(&w.grafana).await["tree"].clone();
    w.put("NotificationPolicy", "tree", {
        let mut spec = everything_to("team");
        spec["suspend"] = json!(true);
        spec
    })
    .await;
    w.reason::<NotificationPolicy>("tree", "Suspended").await;
    let (other, proxy) = another().await;
    point_at(&w, &other, &proxy).await;
    let message = wait::until("it says what stays", SOON * 3, async || {
        let (reason, message) = left_behind(&w).await?;
        (reason == "Stays").then_some(message)
    })
    .await;
    for part in [
        format!("AlertRule {}/kept has deletionPolicy Orphan", w.ns),
        format!("NotificationPolicy {}/tree is suspended", w.ns),
        format!("ContactPoint {}/team", w.ns),
    ] {
        assert!(message.contains(&part), "{part}: {message}");
    }
    let left = held(&w.grafana).await;
    assert_eq!(
        (&left["rules"], &left["tree"]),
        (&json!(["kept"]), &tree),
        "{left}"
    );
    assert_no_probe(&w.grafana).await;
    w.proxy.reset();
    proxy.reset();
    wait::until("some resyncs", SOON, async || proxy.requests().rule_lists() > 2).await;
    let (here, there) = (w.proxy.requests(), proxy.requests().writes());
    assert!(here.is_empty() && there.is_empty(), "{here}{there}");
}
