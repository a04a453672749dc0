//! What a rule makes of its values: numbers that are none, errors, and differences that nobody made.

use alertwright::api::AlertRule;
use alertwright_testbed::{Prometheus, any_release, apply, every_release, trial::Need, wait};
use serde_json::json;

use crate::rule_states::state;
use crate::rules::{QUIET, in_grafana, resyncs};
use crate::world::{self, SOON, World};

/// A world whose Grafana has a Prometheus beside its Loki.
async fn start() -> World {
    let w = world::start().await;
    w.grafana.needs(Need::FastRules);
    let prometheus = Prometheus::shared().await;
    w.grafana
        .add_prometheus_datasource(prometheus, "metrics", "Metrics")
        .await;
    w
}

async fn put(w: &World, name: &str, query: &str) {
    let spec = json!({"query": query, "datasource": {"name": "Metrics"}, "interval": "1s"});
    w.put("AlertRule", name, spec).await;
}

#[apply(every_release)]
async fn every_operator_compares_nan_and_infinities_as_prometheus_does() {
    let w = start().await;
    let operators = [
        ("gt", ">", ["Normal", "Firing", "Normal"]),
        ("ge", ">=", ["Normal", "Firing", "Normal"]),
        ("lt", "<", ["Normal", "Normal", "Firing"]),
        ("le", "<=", ["Normal", "Normal", "Firing"]),
        ("eq", "==", ["Normal", "Normal", "Normal"]),
        ("ne", "!=", ["Firing", "Firing", "Firing"]),
    ];
    let values = [
        ("nan", "vector(0) / vector(0)"),
        ("inf", "vector(1) / vector(0)"),
        ("minus-inf", "vector(-1) / vector(0)"),
    ];
    let mut expected = Vec::new();
    for (word, operator, states) in operators {
        for ((value, query), state) in values.iter().zip(states) {
            let name = format!("{value}-{word}");
            put(&w, &name, &format!("{query} {operator} 5")).await;
            expected.push((name, state));
        }
    }
    // Any sample counts where nothing can be split off.
    put(&w, "sample-nan", "vector(0) / vector(0) and vector(1)").await;
    put(&w, "sample-zero", "vector(0) and vector(1)").await;
    // Labels that hold each other: {} and {team="web"}.
    let both = "(label_replace(vector(9), \"team\", \"web\", \"\", \"\") or vector(8))";
    put(&w, "labels", &format!("{both} > 5")).await;
    put(&w, "labels-sample", &format!("{both} and vector(1)")).await;
    for name in ["sample-nan", "sample-zero", "labels", "labels-sample"] {
        expected.push((name.to_owned(), "Firing"));
    }
    for (name, expected) in expected {
        state(&w, &name, expected).await;
    }
}

#[apply(any_release)]
async fn a_rule_that_fails_says_why_and_writes_nothing_more_at_rest() {
    let w = start().await;
    put(&w, "r", "sum(no_such_function(up)) > 1").await;
    state(&w, "r", "Error").await;
    let api = w.api::<AlertRule>().await;
    let seen = api.get("r").await.expect("the rule");
    let message = seen.status.as_ref().and_then(|s| s.state_message.clone());
    let message = message.expect("a message beside the state");
    assert!(message.contains("no_such_function"), "{message}");
    resyncs(&w, 3).await;
    let later = api.get("r").await.expect("the rule");
    assert_eq!(seen.metadata.resource_version, later.metadata.resource_version);
    put(&w, "r", "vector(0) > 1").await;
    state(&w, "r", "Normal").await;
    let mended = api.get("r").await.expect("the rule");
    assert_eq!(mended.status.and_then(|s| s.state_message), None);
}

#[apply(any_release)]
async fn a_change_of_the_instances_labels_is_no_drift() {
    let w = start().await;
    w.put("AlertRule", "r", json!({"query": QUIET})).await;
    in_grafana(&w, "r").await;
    world::connect(
        w.plane,
        &w.home,
        &w.proxy.url(),
        &w.grafana.token().await,
        json!({"labels": {"cluster": "prod"}}),
    )
    .await;
    wait::until("the label is in Grafana", SOON, async || {
        in_grafana(&w, "r").await["labels"]["cluster"] == "prod"
    })
    .await;
    resyncs(&w, 1).await;
    let rule = w.api::<AlertRule>().await.get("r").await.expect("the rule");
    assert_eq!(rule.status.and_then(|s| s.last_drift), None);
}

#[apply(any_release)]
async fn a_rule_that_cannot_be_carried_out_makes_no_folder() {
    let w = start().await;
    w.put("AlertRule", "r", json!({"query": "sum(up > 1"})).await;
    // Right only behind a folderPrefix.
    w.put("AlertRule", "slash", json!({"query": QUIET, "folder": "/Redis"}))
        .await;
    for name in ["r", "slash"] {
        w.reason::<AlertRule>(name, "Invalid").await;
    }
    assert_eq!(w.grafana.folders().await.len(), 0);
    w.put(
        "AlertRule",
        "slash",
        json!({"query": QUIET, "folder": "KeyDB \\/ Redis"}),
    )
    .await;
    in_grafana(&w, "slash").await;
    let folders = w.grafana.folders().await;
    assert_eq!(folders.len(), 1, "{folders:#?}");
    assert_eq!(folders[0]["title"], "KeyDB / Redis");
}
