//! What a Silence covers, asked of Grafana's own Alertmanager, and what that does to notifications.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy, Silence};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::wait::{self, Seen};
use alertwright_testbed::{HttpSink, any_release, apply, sink::Received, trial::Need};
use serde_json::{Value, json};

use crate::silences::{A_WHILE, becomes, id};
use crate::world::{self, SOON, World};

/// A rule whose alert fires at once; the label `probe` is its name, which also an alert has that Grafana renames.
fn firing(name: &str) -> Value {
    rule(name, &json!({"type": "math", "expression": "1 > 0"}), "__expr__")
}

fn rule(name: &str, model: &Value, datasource: &str) -> Value {
    let query = json!({
        "refId": "A", "datasourceUid": datasource, "relativeTimeRange": {"from": 60}, "model": model,
    });
    json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": name},
        "spec": {"data": [query], "condition": "A", "interval": "1s", "labels": {"probe": name}},
    })
}

/// Applies rules that fire at once into the users' namespace, and waits until they do.
pub async fn fire(w: &World, names: &[&str]) {
    for name in names {
        w.apply(&firing(name).to_string()).await;
    }
    for name in names {
        alert(w, name).await;
    }
}

/// The alert with this label `probe`, once there is one.
async fn alert(w: &World, probe: &str) -> Value {
    w.grafana.needs(Need::FastRules);
    wait::until(&format!("an alert {probe}"), 2 * SOON, async || {
        let alerts = w.grafana.alerts().await;
        alerts.into_iter().find(|alert| alert["labels"]["probe"] == probe)
    })
    .await
}

/// The ids of the silences that cover the alert.
pub async fn silenced_by(w: &World, probe: &str) -> Vec<String> {
    let alert = alert(w, probe).await;
    let ids = alert["status"]["silencedBy"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    ids.iter()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

/// Waits until the alert is covered.
async fn covered(w: &World, probe: &str) {
    wait::until(&format!("{probe} is silenced"), SOON, async || {
        !silenced_by(w, probe).await.is_empty()
    })
    .await;
}

/// Which of the alerts are covered.
async fn covered_among(w: &World, probes: &[&str]) -> Vec<String> {
    let mut covered = Vec::new();
    for probe in probes {
        if !silenced_by(w, probe).await.is_empty() {
            covered.push((*probe).to_owned());
        }
    }
    covered
}

#[apply(any_release)]
async fn a_silence_covers_only_its_own_namespace_unless_it_is_the_operators_or_allowed_more() {
    let mut w = world::start().await;
    let other = w.plane.namespace("other").await;
    let free = w.plane.namespace("free").await;
    w.operator.terminate().await;
    let watched = [w.ns.as_str(), &other, &free, &w.home];
    w.kubeconfig = w
        .plane
        .operator_account(&w.home, Watch::Namespaces(&watched))
        .await;
    let more = json!({"unrestrictedNamespaces": {"names": [free]}});
    world::connect(w.plane, &w.home, &w.proxy.url(), &w.grafana.token().await, more).await;
    w.operator = world::operator(&w.home, &watched.join(","), &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    w.apply(&firing("mine").to_string()).await;
    w.plane.apply(&firing("theirs").to_string(), &other).await;
    alert(&w, "mine").await;
    alert(&w, "theirs").await;

    let broad = |matcher: &str| {
        json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "Silence", "metadata": {"name": "broad"},
            "spec": {"matchers": [matcher], "duration": "1h"},
        })
        .to_string()
    };
    w.apply(&broad("alertname=~\".+\"")).await;
    covered(&w, "mine").await;
    assert_eq!(covered_among(&w, &["mine", "theirs"]).await, ["mine"]);
    w.delete::<Silence>("broad").await;

    for namespace in [w.home.as_str(), &free] {
        w.plane.apply(&broad("alertname=~\".+\""), namespace).await;
        covered(&w, "theirs").await;
        covered(&w, "mine").await;
        w.plane
            .kubectl(["delete", "silence", "broad", "-n", namespace])
            .await
            .ok();
        wait::until("nothing is silenced", SOON, async || {
            covered_among(&w, &["mine", "theirs"]).await.is_empty()
        })
        .await;
    }
}

#[apply(any_release)]
async fn a_silence_that_would_cover_more_rules_than_one_may_is_invalid_and_says_which() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let more = json!({"maxRulesPerSilence": 1});
    world::connect(w.plane, &w.home, &w.proxy.url(), &w.grafana.token().await, more).await;
    w.operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    fire(&w, &["one", "two"]).await;
    let put = async |selector: Value| {
        w.put("Silence", "s", json!({"alertRules": selector, "duration": "1h"}))
            .await;
    };
    put(json!({"all": true})).await;
    w.reason::<Silence>("s", "Invalid").await;
    let message = w.message::<Silence>("s").await;
    assert!(
        message.contains("this would cover 2 AlertRules (one, two)"),
        "{message}"
    );
    assert_eq!(w.grafana.active_silences().await, Vec::<Value>::new());
    put(json!({"names": ["one"]})).await;
    w.synced::<Silence>("s").await;
    covered(&w, "one").await;
}

#[apply(any_release)]
async fn rules_are_covered_by_name_by_label_or_all_and_nothing_else_is() {
    let w = world::start().await;
    fire(&w, &["a.b", "axb", "c"]).await;
    let probes = ["a.b", "axb", "c"];
    let put = async |selector: Value| {
        w.put("Silence", "s", json!({"alertRules": selector, "duration": "1h"}))
            .await;
        w.synced::<Silence>("s").await
    };
    // A dot stands for itself, in one name and among several.
    put(json!({"names": ["a.b"]})).await;
    covered(&w, "a.b").await;
    assert_eq!(covered_among(&w, &probes).await, ["a.b"]);
    let silence = put(json!({"names": ["a.b", "c"]})).await;
    covered(&w, "c").await;
    assert_eq!(covered_among(&w, &probes).await, ["a.b", "c"]);
    let status = silence.status.expect("a status");
    assert_eq!(
        (status.matches_rules, status.matches_alerts),
        (Some(2), Some(2)),
        "{status:?}"
    );
    put(json!({"all": true})).await;
    covered(&w, "axb").await;
    assert_eq!(covered_among(&w, &probes).await, probes);

    // A selector that finds nothing silences nothing.
    put(json!({"matchLabels": {"tier": "db"}})).await;
    wait::until("nothing is silenced", SOON, async || {
        covered_among(&w, &probes).await.is_empty()
    })
    .await;
    assert_eq!(w.grafana.active_silences().await, Vec::<Value>::new());
    warned(&w, "no AlertRule is selected").await;
    // Until a rule comes that it finds; and when that leaves again, so does the silence.
    let mut late = firing("late");
    late["metadata"]["labels"] = json!({"tier": "db"});
    w.apply(&late.to_string()).await;
    covered(&w, "late").await;
    assert_eq!(covered_among(&w, &["a.b", "axb", "c", "late"]).await, ["late"]);
    w.plane
        .kubectl(["label", "alertrule", "late", "tier-", "-n", &w.ns])
        .await
        .ok();
    wait::until("a rule without the label is covered no more", SOON, async || {
        w.grafana.active_silences().await.is_empty()
    })
    .await;

    put(json!({"names": ["c", "missing"]})).await;
    covered(&w, "c").await;
    assert_eq!(covered_among(&w, &probes).await, ["c"]);
    warned(&w, "there is no AlertRule missing").await;
}

/// Waits for a Warning about the silence.
async fn warned(w: &World, words: &str) {
    wait::until(&format!("a warning: {words}"), SOON, async || {
        let args = ["get", "events.events.k8s.io", "-n", &w.ns, "-o", "json"];
        let events = w.plane.kubectl(args).await.ok();
        let events: Value = serde_json::from_str(&events).expect("JSON");
        let warnings = events["items"].as_array().cloned().unwrap_or_default();
        let found = warnings.iter().any(|event| {
            event["type"] == "Warning" && event["note"].as_str().is_some_and(|note| note.contains(words))
        });
        if found {
            Seen::Yes(())
        } else {
            wait::not_yet(w.message::<Silence>("s").await)
        }
    })
    .await;
}

#[apply(any_release)]
async fn alerts_that_grafana_renames_for_missing_data_and_errors_are_covered() {
    let w = world::start().await;
    let query = |expr: &str| json!({"expr": expr, "queryType": "instant", "refId": "A"});
    let mut empty = rule(
        "empty",
        &query("sum(count_over_time({app=\"nobody\"}[1m]))"),
        "loki",
    );
    empty["spec"]["noDataState"] = json!("NoData");
    let broken = rule(
        "broken",
        &query("sum(no_such_function({app=\"nobody\"}))"),
        "loki",
    );
    w.apply(&empty.to_string()).await;
    w.apply(&broken.to_string()).await;
    assert_eq!(
        alert(&w, "empty").await["labels"]["alertname"],
        "DatasourceNoData"
    );
    assert_eq!(
        alert(&w, "broken").await["labels"]["alertname"],
        "DatasourceError"
    );
    w.put(
        "Silence",
        "s",
        json!({"alertRules": {"names": ["empty", "broken"]}, "duration": "1h"}),
    )
    .await;
    covered(&w, "empty").await;
    covered(&w, "broken").await;
}

#[apply(any_release)]
async fn no_notification_leaves_while_a_silence_holds_and_one_does_after_its_end() {
    let w = world::start().await;
    let sink = HttpSink::start().await;
    let url = json!({"value": format!("{}/hook", sink.url())});
    w.put(
        "ContactPoint",
        "hook",
        json!({"integrations": [{"webhook": {"url": url}}]}),
    )
    .await;
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "hook", "groupBy": ["probe"], "groupWait": "1s", "groupInterval": "1s", "repeatInterval": "1h"}),
    )
    .await;
    w.put(
        "Silence",
        "s",
        json!({"matchers": ["probe=\"quiet\""], "duration": "1h"}),
    )
    .await;
    w.synced::<ContactPoint>("hook").await;
    w.synced::<NotificationPolicy>("tree").await;
    let silence = id(&w.synced("s").await);
    fire(&w, &["quiet"]).await;
    assert_eq!(silenced_by(&w, "quiet").await, [silence.as_str()]);
    fire(&w, &["loud"]).await;
    let about = |received: &Received, probe: &str| {
        let alerts = received.body["alerts"].as_array().cloned().unwrap_or_default();
        alerts.iter().any(|alert| alert["labels"]["probe"] == probe)
    };
    // The second alert, which fired later, shows that notifications do arrive.
    sink.wait_for("/hook", 2 * SOON, |r| about(r, "loud")).await;
    wait::never("a notification of what is silenced", A_WHILE, async || {
        sink.received("/hook").into_iter().find(|r| about(r, "quiet"))
    })
    .await;
    w.delete::<Silence>("s").await;
    becomes(&w, &silence, "expired").await;
    sink.wait_for("/hook", 2 * SOON, |r| about(r, "quiet")).await;
    assert!(w.api::<AlertRule>().await.get("quiet").await.is_ok());
}
