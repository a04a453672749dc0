//! Rules that record.

use alertwright::api::AlertRule;
use alertwright_testbed::grafana::{Options, Version};
use alertwright_testbed::{Prometheus, apply, every_release, wait};
use serde_json::{Value, json};

use crate::alarm::assert_rests;
use crate::rules::{in_grafana, merge, uid};
use crate::world::{self, SOON, World};

async fn start() -> World {
    let w = world::start_with(Options {
        settings: vec!["feature_toggles.enable=grafanaManagedRecordingRules".to_owned()],
        ..Options::default()
    })
    .await;
    for (uid, name) in [("prom", "Prometheus"), ("archive", "Archive")] {
        w.grafana
            .add_prometheus_datasource(Prometheus::shared().await, uid, name)
            .await;
    }
    w
}

fn recording(metric: &str) -> Value {
    json!({
        "query": "sum by (job) (up) > 0", "datasource": {"uid": "prom"}, "labels": {"team": "web"}, "interval": "20s",
        "record": {"metric": metric},
    })
}

fn can(w: &World) -> bool {
    w.grafana.version() >= Version::new(11, 2, 0)
}

/// Whether Grafana knows where a rule writes to.
fn has_target(w: &World) -> bool {
    w.grafana.version() >= Version::new(12, 0, 0)
}

#[apply(every_release)]
async fn a_recording_rule_is_stored_changed_and_deleted_with_no_write_too_many() {
    let w = start().await;
    w.put("AlertRule", "r", recording("job:up:sum")).await;
    if !can(&w) {
        w.reason::<AlertRule>("r", "Unsupported").await;
        let message = w.message::<AlertRule>("r").await;
        assert!(
            message.starts_with("spec.record needs Grafana 12.0, or 11.2 with"),
            "{message}"
        );
        assert!(w.proxy.requests().writes().is_empty());
        return;
    }
    let rule = in_grafana(&w, "r").await;
    let mut record = json!({"metric": "job:up:sum", "from": "A"});
    if has_target(&w) {
        record["target_datasource_uid"] = json!("prom");
    }
    assert_eq!(rule["record"], record);
    assert_eq!(rule["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(rule["data"][0]["model"]["expr"], "sum by (job) (up) > 0");
    assert_eq!(rule["labels"]["team"], "web");
    assert_rests(&w).await;

    let first = uid(&w, "r").await;
    w.proxy.reset();
    w.put("AlertRule", "r", recording("job:up:max")).await;
    assert_eq!(in_grafana(&w, "r").await["record"]["metric"], "job:up:max");
    let writes = w.proxy.reset().writes();
    assert_eq!((writes.len(), uid(&w, "r").await), (1, first.clone()), "{writes}");

    merge(
        &w,
        "r",
        json!({"spec": {"record": {"targetDatasource": {"name": "Archive"}}}}),
    )
    .await;
    if has_target(&w) {
        wait::until("it writes elsewhere", SOON, async || {
            in_grafana(&w, "r").await["record"]["target_datasource_uid"] == "archive"
        })
        .await;
    } else {
        w.reason::<AlertRule>("r", "Unsupported").await;
        let message = w.message::<AlertRule>("r").await;
        assert!(
            message.starts_with("spec.record.targetDatasource needs Grafana 12.0"),
            "{message}"
        );
        merge(&w, "r", json!({"spec": {"record": {"targetDatasource": null}}})).await;
        in_grafana(&w, "r").await;
    }

    // What somebody changes is put right, and named.
    w.synced::<AlertRule>("r").await;
    let mut edited = in_grafana(&w, "r").await;
    edited["record"]["metric"] = json!("by_hand");
    w.grafana
        .put(&format!("/api/v1/provisioning/alert-rules/{first}"), edited)
        .await
        .ok();
    wait::until("the drift is told", SOON, async || {
        let rule: AlertRule = w.synced("r").await;
        (rule.status?.last_drift?.fields == ["record"]).then_some(())
    })
    .await;
    assert_eq!(in_grafana(&w, "r").await["record"]["metric"], "job:up:max");
    assert_rests(&w).await;
    w.delete::<AlertRule>("r").await;
    assert!(w.grafana.rules().await.is_empty());
}

#[apply(every_release)]
async fn a_rule_becomes_a_recording_rule_and_an_alert_rule_again_under_one_uid() {
    let w = start().await;
    if !can(&w) {
        return;
    }
    w.put("AlertRule", "r", recording("job:up:sum")).await;
    let before = uid(&w, "r").await;
    merge(
        &w,
        "r",
        json!({"spec": {"record": null, "for": "5m", "severity": "high"}}),
    )
    .await;
    let rule = in_grafana(&w, "r").await;
    assert!(rule["record"].is_null(), "{rule}");
    assert_eq!(
        (rule["for"].as_str(), rule["labels"]["severity"].as_str()),
        (Some("5m"), Some("high"))
    );
    assert_rests(&w).await;
    let back = json!({"spec": {"record": {"metric": "job:up:sum"}, "for": null, "severity": null}});
    merge(&w, "r", back).await;
    assert_eq!(in_grafana(&w, "r").await["record"]["metric"], "job:up:sum");
    assert_eq!(uid(&w, "r").await, before);
    assert_eq!(w.grafana.rules().await.len(), 1);
    assert_rests(&w).await;
}

#[apply(every_release)]
async fn recording_and_alert_rules_share_a_group() {
    let w = start().await;
    if !can(&w) {
        return;
    }
    let in_group = |mut spec: Value| {
        spec["group"] = json!("shared");
        spec
    };
    for i in 0..3 {
        w.put(
            "AlertRule",
            &format!("record-{i}"),
            in_group(recording(&format!("m{i}"))),
        )
        .await;
        let alerts = json!({"query": "m0 > 1", "datasource": {"uid": "prom"}, "interval": "20s"});
        w.put("AlertRule", &format!("alert-{i}"), in_group(alerts)).await;
    }
    for i in 0..3 {
        assert_eq!(
            in_grafana(&w, &format!("record-{i}")).await["record"]["metric"],
            format!("m{i}")
        );
        assert!(in_grafana(&w, &format!("alert-{i}")).await["record"].is_null());
    }
    let intervals: Vec<_> = w
        .grafana
        .rules()
        .await
        .iter()
        .map(|rule| rule["interval"].clone())
        .collect();
    assert_eq!(intervals, vec![json!("20s"); 6]);
    assert_rests(&w).await;
}
