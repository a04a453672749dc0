//! The thinnest line through all of it.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy, Silence};
use alertwright_testbed::{any_release, apply, every_release};
use serde_json::json;

use crate::alarm::assert_rests;
use crate::world::{self, World};

/// Applies a resource of each kind that is stored in Grafana, and gives the rule's uid once all are.
async fn every_kind(w: &World) -> String {
    w.put("AlertRule", "errors", json!({"query": r#"sum(count_over_time({service="revel"} |= "error" [5m])) > 5"#, "severity": "high"})).await;
    let rule: AlertRule = w.synced("errors").await;
    let uid = rule.status.and_then(|s| s.uid).expect("a uid");
    assert_eq!(w.grafana.rule(&uid).await.expect("the rule")["title"], "errors");
    w.put(
        "ContactPoint",
        "mail",
        json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
    )
    .await;
    w.synced::<ContactPoint>("mail").await;
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "mail", "routes": [{"matchers": ["severity=\"high\""]}]}),
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    w.put(
        "Silence",
        "quiet",
        json!({"alertRules": {"names": ["errors"]}, "duration": "1h"}),
    )
    .await;
    w.synced::<Silence>("quiet").await;
    uid
}

#[apply(every_release)]
async fn every_kind_reaches_grafana_and_leaves_it() {
    let w = world::start().await;
    let uid = every_kind(&w).await;
    println!(
        "{}",
        w.plane
            .kubectl(&["get", "alerting", "-n", &w.ns, "-o", "wide"])
            .await
            .ok()
    );
    w.delete::<Silence>("quiet").await;
    w.delete::<NotificationPolicy>("tree").await;
    w.delete::<ContactPoint>("mail").await;
    w.delete::<AlertRule>("errors").await;
    assert!(w.grafana.rule(&uid).await.is_none());
    println!("{}", w.operator.log());
}

#[apply(every_release)]
async fn a_restart_with_every_kind_in_sync_writes_nothing() {
    let mut w = world::start().await;
    every_kind(&w).await;
    assert_rests(&w).await;
    for how in ["killed", "terminated"] {
        if how == "terminated" {
            w.operator.terminate().await;
        }
        w.operator.restart().await.expect("it starts again");
        assert_rests(&w).await;
    }
}

#[apply(any_release)]
async fn what_identifies_an_object_in_grafana_cannot_be_changed_nor_given_later() {
    let w = world::start().await;
    let query = "sum(count_over_time({app=\"x\"} [5m])) > 1";
    w.put("AlertRule", "rule", json!({"query": query})).await;
    w.put(
        "ContactPoint",
        "mail",
        json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
    )
    .await;
    for (kind, name, patch, says) in [
        (
            "alertrule",
            "rule",
            r#"{"spec":{"instance":"other"}}"#,
            "instance is immutable",
        ),
        (
            "alertrule",
            "rule",
            r#"{"spec":{"uid":"mine"}}"#,
            "uid is immutable",
        ),
        (
            "contactpoint",
            "mail",
            r#"{"spec":{"name":"other"}}"#,
            "name is immutable",
        ),
    ] {
        let refused = w
            .plane
            .kubectl(["patch", kind, name, "-n", &w.ns, "--type=merge", "-p", patch])
            .await
            .refused();
        assert!(refused.contains(says), "{patch}: {refused}");
    }
    // The default by its name is no change.
    let patch = r#"{"spec":{"instance":"default"}}"#;
    w.plane
        .kubectl([
            "patch",
            "alertrule",
            "rule",
            "-n",
            &w.ns,
            "--type=merge",
            "-p",
            patch,
        ])
        .await
        .ok();
}
