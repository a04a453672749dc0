//! What a rule depends on: its GrafanaInstance, a token, a data source.

use alertwright::api::AlertRule;
use alertwright_testbed::{Loki, any_release, apply, every_release, wait};
use serde_json::json;

use crate::rules::{QUIET, begin_delete, gone, in_grafana, quiet, uid};
use crate::workloads::{events, told};
use crate::world::{self, SOON};

#[apply(any_release)]
async fn a_data_source_is_found_by_name_uid_or_type_and_waited_for() {
    let w = world::start().await;
    for (name, source) in [
        ("by-name", json!({"name": "Loki"})),
        ("by-uid", json!({"uid": "loki"})),
        ("by-type", json!({"type": "loki"})),
    ] {
        w.put("AlertRule", name, json!({"query": QUIET, "datasource": source}))
            .await;
        assert_eq!(in_grafana(&w, name).await["data"][0]["datasourceUid"], "loki");
    }
    w.put(
        "AlertRule",
        "waits",
        json!({"query": QUIET, "datasource": {"name": "Late"}}),
    )
    .await;
    w.reason::<AlertRule>("waits", "DependencyMissing").await;
    let message = w.message::<AlertRule>("waits").await;
    assert!(
        message.contains("Late") && message.contains("Loki") && message.contains("spec.datasource"),
        "{message}"
    );
    w.grafana
        .add_loki_datasource(Loki::shared().await, "late", "Late", false)
        .await;
    wait::until("the late data source is found", 2 * SOON, async || {
        let rules = w.grafana.rules().await;
        rules
            .into_iter()
            .any(|rule| rule["grafana_alert"]["title"] == "waits")
    })
    .await;
    assert_eq!(in_grafana(&w, "waits").await["data"][0]["datasourceUid"], "late");
}

#[apply(any_release)]
async fn a_query_in_another_language_than_its_data_source_says_so_and_is_not_stored() {
    let w = world::start().await;
    w.put("AlertRule", "r", json!({"query": "sum(up) < 1"})).await;
    w.reason::<AlertRule>("r", "Invalid").await;
    let message = w.message::<AlertRule>("r").await;
    assert_eq!(
        message,
        "spec.query: line 1, column 5: up is PromQL, and data source Loki, the default, is of type loki; name the right one in spec.datasource"
    );
    assert!(w.grafana.rules().await.is_empty());
    w.put("AlertRule", "r", json!({"query": QUIET})).await;
    w.synced::<AlertRule>("r").await;
}

#[apply(every_release)]
async fn a_rule_wakes_up_when_its_instance_appears_and_lets_go_when_it_is_gone() {
    let w = world::start().await;
    w.put("AlertRule", "r", json!({"query": QUIET, "instance": "late"}))
        .await;
    w.reason::<AlertRule>("r", "DependencyMissing").await;
    let message = w.message::<AlertRule>("r").await;
    assert!(
        message.contains("GrafanaInstance late") && message.contains(&w.home),
        "{message}"
    );
    let instance = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "late"},
        "spec": {
            "url": w.proxy.url(), "auth": {"token": {"secretKeyRef": {"name": "late", "key": "token"}}},
            "resyncInterval": "2s", "labels": {"cluster": "prod"}, "folderPrefix": "Team ",
        },
    });
    w.plane.apply(&instance.to_string(), &w.home).await;
    // Its Secret comes last of all.
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late"}, "stringData": {"token": w.grafana.token().await},
    });
    w.plane.apply(&secret.to_string(), &w.home).await;
    let rule = in_grafana(&w, "r").await;
    assert_eq!(
        rule["labels"]["cluster"], "prod",
        "labels of the instance are added"
    );
    let folders = w.grafana.folders().await;
    let title = format!("Team {}", w.ns);
    assert!(
        folders.iter().any(|folder| folder["title"] == title.as_str()),
        "{folders:?}"
    );

    let deleted = w
        .plane
        .kubectl(["delete", "grafanainstance", "late", "-n", &w.home])
        .await;
    deleted.ok();
    w.reason::<AlertRule>("r", "DependencyMissing").await;
    // What never was in a Grafana leaves nothing behind.
    let nowhere = json!({"query": QUIET, "instance": "late"});
    w.put("AlertRule", "never", nowhere).await;
    w.reason::<AlertRule>("never", "DependencyMissing").await;
    for name in ["never", "r"] {
        w.delete::<AlertRule>(name).await;
    }
    told(&w, "AlertRule", "r", "LeftBehind").await;
    let of_the_other = events(&w, "AlertRule", "never").await;
    assert!(
        !of_the_other.iter().any(|reason| reason == "LeftBehind"),
        "{of_the_other:?}"
    );
}

#[apply(any_release)]
async fn a_new_token_in_the_secret_makes_a_new_connection() {
    let w = world::start().await;
    w.put("AlertRule", "r", quiet()).await;
    uid(&w, "r").await;
    let token = w.grafana.token().await;
    world::connect(w.plane, &w.home, &w.proxy.url(), &token, json!({})).await;
    wait::until("the new token is used", SOON, async || {
        let calls = w.proxy.requests();
        let last = calls.0.last()?;
        let used = last.headers.get("authorization")?.to_str().ok()?;
        used.ends_with(&token).then_some(())
    })
    .await;
    w.put("AlertRule", "r", json!({"query": QUIET, "for": "2m"}))
        .await;
    assert_eq!(in_grafana(&w, "r").await["for"], "2m");
}

#[apply(any_release)]
async fn a_secret_that_is_gone_is_named_by_the_rules_that_need_it() {
    let w = world::start().await;
    for name in ["changed", "leaving"] {
        w.put("AlertRule", name, quiet()).await;
        uid(&w, name).await;
    }
    let deleted = w
        .plane
        .kubectl(["delete", "secret", "grafana", "-n", &w.home])
        .await;
    deleted.ok();
    w.put("AlertRule", "changed", json!({"query": QUIET, "for": "2m"}))
        .await;
    w.reason::<AlertRule>("changed", "DependencyMissing").await;
    let message = w.message::<AlertRule>("changed").await;
    assert!(
        message.contains("GrafanaInstance default") && message.contains("Secret"),
        "{message}"
    );
    begin_delete(&w, "leaving").await;
    wait::until("the deletion says what it waits for", SOON, async || {
        w.message::<AlertRule>("leaving").await.contains("Orphan")
    })
    .await;
    let token = w.grafana.token().await;
    world::connect(w.plane, &w.home, &w.proxy.url(), &token, json!({})).await;
    assert_eq!(in_grafana(&w, "changed").await["for"], "2m");
    gone(&w, "leaving").await;
    assert_eq!(w.grafana.rules().await.len(), 1);
}
