//! What a rule does once it is in Grafana: its state, its values, its labels.

use std::time::Duration;

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy};
use alertwright_testbed::{HttpSink, Loki, any_release, apply, every_release, trial::Need, wait};
use serde_json::{Value, json};

use crate::rules::in_grafana;
use crate::world::{self, SOON, World};

/// Waits for a state in `kubectl get`'s column.
pub async fn state(w: &World, name: &str, expected: &str) {
    let api = w.api::<AlertRule>().await;
    wait::until(&format!("{name} is {expected}"), 2 * SOON, async || {
        let seen = api.get(name).await.ok().and_then(|rule| rule.status?.state);
        if seen.as_deref() == Some(expected) {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(seen)
        }
    })
    .await;
}

/// The row of a rule in `kubectl get alertrules`, by the names of its columns.
async fn row(w: &World, name: &str) -> Vec<(String, String)> {
    let table = w
        .plane
        .kubectl(["get", "alertrules", name, "-n", &w.ns, "-o", "wide"])
        .await
        .ok();
    let mut lines = table.lines();
    let mut words = || -> Vec<String> {
        let line = lines.next().unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect()
    };
    let (columns, values) = (words(), words());
    columns.into_iter().zip(values).collect()
}

#[apply(every_release)]
async fn the_state_follows_the_logs() {
    let w = world::start().await;
    w.grafana.needs(Need::FastRules);
    let (loki, app) = (Loki::shared().await, w.ns.as_str());
    let mut spec = json!({
        "query": format!("sum(count_over_time({{app=\"{app}\"}} |= \"boom\" [8s])) > 2"),
        "for": "1h", "interval": "1s", "severity": "high",
    });
    w.put("AlertRule", "r", spec.clone()).await;
    state(&w, "r", "Normal").await;
    // It goes on until the rule has been seen to fire, however long that takes.
    let trouble = async {
        loop {
            loki.push(&[("app", app)], &["boom"; 5]).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let seen = async {
        state(&w, "r", "Pending").await;
        spec["for"] = json!("3s");
        w.put("AlertRule", "r", spec.clone()).await;
        state(&w, "r", "Firing").await;
    };
    tokio::select! {
        () = trouble => {}
        () = seen => {}
    }
    let row = row(&w, "r").await;
    let cell = |column: &str| {
        row.iter()
            .find(|(name, _)| name == column)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(cell("NAME"), Some("r"), "{row:?}");
    assert_eq!(cell("SEVERITY"), Some("high"), "{row:?}");
    assert_eq!(cell("STATE"), Some("Firing"), "{row:?}");
    assert_eq!(cell("READY"), Some("True"), "{row:?}");
    assert_eq!(cell("REASON"), Some("Synced"), "{row:?}");
    assert_eq!(cell("FOLDER"), Some(app), "{row:?}");
    // A rule without a group has an empty cell, and what stands behind it moves up in this reading of a row.
    if !w.rules_by_apis() {
        assert_eq!(cell("GROUP"), Some("r"), "{row:?}");
        assert_eq!(cell("FOR"), Some("3s"), "{row:?}");
        assert!(cell("UID").is_some_and(|uid| uid.starts_with("aw-")), "{row:?}");
    }
    // The logs leave the window.
    state(&w, "r", "Normal").await;
    let mut paused = spec;
    paused["paused"] = json!(true);
    w.put("AlertRule", "r", paused.clone()).await;
    state(&w, "r", "Paused").await;
    paused["paused"] = json!(false);
    w.put("AlertRule", "r", paused).await;
    state(&w, "r", "Normal").await;
    w.put(
        "AlertRule",
        "broken",
        json!({"query": "sum(no_such_function({app=\"x\"})) > 1", "interval": "1s"}),
    )
    .await;
    state(&w, "broken", "Error").await;
}

#[apply(any_release)]
async fn a_notification_shows_the_value_and_hides_what_marks_the_rule_as_ours() {
    let w = world::start().await;
    w.grafana.needs(Need::FastRules);
    let sink = HttpSink::start().await;
    let (loki, app) = (Loki::shared().await, w.ns.as_str());
    world::connect(
        w.plane,
        &w.home,
        &w.proxy.url(),
        &w.grafana.token().await,
        json!({"labels": {"cluster": "prod"}, "externalURL": "https://grafana.example.com"}),
    )
    .await;
    w.put(
        "ContactPoint",
        "hook",
        json!({"integrations": [{"webhook": {"url": {"value": format!("{}/hook", sink.url())}}}]}),
    )
    .await;
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "hook", "groupWait": "1s", "groupInterval": "1s"}),
    )
    .await;
    w.synced::<ContactPoint>("hook").await;
    w.synced::<NotificationPolicy>("tree").await;
    loki.push(&[("app", app)], &[r#"{"n": 1234567}"#]).await;
    let debug = format!("{{app=\"{app}\"}} | json | line_format \"{{{{.n}}}}\"");
    w.put(
        "AlertRule",
        "r",
        json!({
            "query": format!("sum(sum_over_time({{app=\"{app}\"}} | json | unwrap n [1h])) / 2 > 1000"),
            "interval": "1s", "severity": "high",
            "annotations": {
                "summary": "{{ $value }} now",
                "description": "{{ printf \"%.2f\" $value }} in words",
                "plain": "{{ .Value }}",
            },
            "debugQueries": [{"name": "all of it", "query": debug}],
        }),
    )
    .await;
    // A query without a comparison fires for each of its samples, and shows their values.
    w.put(
        "AlertRule",
        "whole",
        json!({
            "query": format!("sum(count_over_time({{app=\"{app}\"}} [1h])) > 0 and sum(count_over_time({{app=\"{app}\"}} [1h])) < 5"),
            "interval": "1s", "annotations": {"summary": "{{ $value }} now"},
        }),
    )
    .await;
    let alert = async |name: &str| -> Value {
        let is_of = |alert: &Value| alert["labels"]["alertname"] == name && alert["status"] == "firing";
        let body = sink
            .wait_for("/hook", 2 * SOON, |r| {
                r.body["alerts"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(is_of))
            })
            .await
            .body;
        let alerts = body["alerts"].as_array().cloned().unwrap_or_default();
        alerts.into_iter().find(is_of).expect("the alert")
    };
    let seen = alert("r").await;
    let annotations = &seen["annotations"];
    assert_eq!(annotations["summary"], "617283.5 now");
    assert_eq!(annotations["description"], "617283.50 in words");
    assert_eq!(annotations["plain"], "617283.5");
    assert_eq!(alert("whole").await["annotations"]["summary"], "1 now");
    assert_eq!(seen["labels"]["severity"], "high");
    assert_eq!(seen["labels"]["cluster"], "prod");
    assert!(seen["labels"].get("__alertwright__").is_none(), "{seen:#}");
    let link = annotations["debug_all_of_it"].as_str().expect("a link");
    let url = reqwest::Url::parse(link).expect("a URL");
    assert_eq!(url.host_str(), Some("grafana.example.com"), "{link}");
    assert_eq!(url.path(), "/explore", "{link}");
    let (_, left) = url
        .query_pairs()
        .find(|(key, _)| key == "left")
        .expect("the state of Explore");
    let left: Value = serde_json::from_str(&left).expect("JSON");
    assert_eq!(left["queries"][0]["expr"], debug);
    assert_eq!(left["datasource"], "loki");
    let rule = in_grafana(&w, "r").await;
    assert_eq!(
        rule["labels"]["__alertwright__"],
        format!("{}/{}/r", w.home, w.ns)
    );
}
