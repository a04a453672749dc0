//! The thinnest line through all of it.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy, Silence};
use serde_json::json;

use crate::world;

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_reaches_grafana_and_leaves_it() {
    let w = world::start().await;
    w.put("AlertRule", "errors", json!({"query": r#"sum(count_over_time({service="revel"} |= "error" [5m])) > 5"#, "severity": "high"})).await;
    let rule: AlertRule = w.synced("errors").await;
    let uid = rule.status.and_then(|s| s.uid).expect("a uid");
    assert_eq!(w.grafana.rule(&uid).await.expect("the rule")["title"], "errors");
    w.put(
        "ContactPoint",
        "mail",
        json!({"receivers": [{"email": {"addresses": ["a@example.com"]}}]}),
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

#[tokio::test(flavor = "multi_thread")]
async fn what_identifies_an_object_in_grafana_cannot_be_changed_nor_given_later() {
    let w = world::start().await;
    let query = "sum(count_over_time({app=\"x\"} [5m])) > 1";
    w.put("AlertRule", "rule", json!({"query": query})).await;
    w.put(
        "ContactPoint",
        "mail",
        json!({"receivers": [{"email": {"addresses": ["a@example.com"]}}]}),
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
