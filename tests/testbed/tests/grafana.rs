//! Grafana evaluates rules on Loki's logs and notifies, and can be stopped.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::time::Duration;

use alertwright_testbed::{Grafana, HttpSink, Loki, SmtpSink, any_release, apply, grafana::Options, wait};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);

/// A rule on the number of failures in the logs, and a tree that sends its alerts to one contact point at once.
async fn alert_on_logs(grafana: &Grafana, service: &str) {
    let query = format!("sum(count_over_time({{service=\"{service}\"}} |= \"payment_failed\" [5m]))");
    let expression = |model: Value, id: &str| {
        json!({
            "refId": id, "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0}, "model": model,
        })
    };
    grafana
        .post("/api/folders", json!({"uid": "payments", "title": "Payments"}))
        .await
        .ok();
    let rule = json!({
        "uid": "failures", "title": "PaymentFailures", "folderUID": "payments", "ruleGroup": "stripe", "orgID": 1,
        "condition": "C", "for": "0s", "noDataState": "OK", "execErrState": "Error",
        "annotations": {"summary": "{{ $values.B.Value }} failures"},
        "data": [
            {
                "refId": "A", "queryType": "instant", "datasourceUid": "logs",
                "relativeTimeRange": {"from": 300, "to": 0},
                "model": {"refId": "A", "expr": query, "queryType": "instant"},
            },
            expression(json!({"refId": "B", "type": "reduce", "expression": "A", "reducer": "last"}), "B"),
            expression(
                json!({
                    "refId": "C", "type": "threshold", "expression": "B",
                    "conditions": [{"evaluator": {"type": "gt", "params": [5]}}],
                }),
                "C",
            ),
        ],
    });
    grafana.post("/api/v1/provisioning/alert-rules", rule).await.ok();
    let interval = json!({"title": "stripe", "folderUid": "payments", "interval": 1});
    grafana
        .put(
            "/api/v1/provisioning/folder/payments/rule-groups/stripe",
            interval,
        )
        .await
        .ok();
}

async fn contact_point(grafana: &Grafana, kind: &str, settings: Value) {
    let point = json!({"name": "on-call", "type": kind, "settings": settings});
    grafana
        .post("/api/v1/provisioning/contact-points", point)
        .await
        .ok();
}

#[apply(any_release)]
async fn a_rule_on_logs_fires_and_reaches_webhook_pagerduty_and_mail() {
    let (http, smtp) = (HttpSink::start().await, SmtpSink::start().await);
    let options = Options {
        smtp: Some(smtp.address()),
        pagerduty: Some(format!("{}/pagerduty", http.url())),
        ..Options::default()
    };
    let grafana = Grafana::start(options).await.expect("a Grafana");
    let loki = Loki::shared().await;
    grafana.add_loki_datasource(loki, "logs", "Logs", true).await;
    contact_point(
        &grafana,
        "webhook",
        json!({"url": format!("{}/hook", http.url())}),
    )
    .await;
    contact_point(&grafana, "slack", json!({"url": format!("{}/slack", http.url())})).await;
    contact_point(&grafana, "pagerduty", json!({"integrationKey": "key"})).await;
    contact_point(&grafana, "email", json!({"addresses": "dev@example.com"})).await;
    let tree =
        json!({"receiver": "on-call", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"});
    grafana.put("/api/v1/provisioning/policies", tree).await.ok();

    loki.push(&[("service", "fires")], &["payment_failed"; 9]).await;
    alert_on_logs(&grafana, "fires").await;

    wait::until("the rule fires", SOON, async || {
        let rule = grafana.evaluated("PaymentFailures").await;
        let firing = rule.as_ref().is_some_and(|rule| rule["state"] == "firing");
        if firing {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(rule)
        }
    })
    .await;
    let hook = http
        .wait_for("/hook", SOON, |request| request.body["status"] == "firing")
        .await;
    assert_eq!(hook.body["alerts"][0]["annotations"]["summary"], "9 failures");
    let event = http.wait_for("/pagerduty", SOON, |_| true).await;
    assert_eq!(event.body["routing_key"], "key");
    http.wait_for("/slack", SOON, |_| true).await;
    let mail = smtp.wait_for(SOON, |mail| mail.subject.contains("FIRING")).await;
    assert_eq!(mail.to, ["dev@example.com"]);
    assert!(mail.body.contains("9 failures"), "{}", mail.body);

    let rule = grafana.rules().await.into_iter().next().expect("a rule");
    assert_eq!(
        (&rule["folder"], &rule["interval"]),
        (&json!("Payments"), &json!("1s"))
    );
    assert_eq!(rule["grafana_alert"]["uid"], "failures");
    assert_eq!(grafana.alerts().await.len(), 1);
    assert_eq!(grafana.policy_tree().await["receiver"], "on-call");
}

#[apply(any_release)]
async fn what_is_stored_survives_an_outage_of_grafana() {
    let mut grafana = Grafana::start(Options::default()).await.expect("a Grafana");
    let (url, token) = (grafana.url(), grafana.token().await);
    grafana
        .post("/api/folders", json!({"uid": "kept", "title": "Kept"}))
        .await
        .ok();
    let folders = async || {
        let request = reqwest::Client::new()
            .get(format!("{url}/api/folders"))
            .bearer_auth(&token)
            .send();
        request.await?.json::<Value>().await
    };
    assert_eq!(folders().await.expect("folders")[0]["uid"], "kept");

    grafana.stop().await;
    assert!(folders().await.expect_err("nobody listens").is_connect());
    grafana.start_again().await.expect("the same Grafana");
    assert_eq!(folders().await.expect("folders")[0]["uid"], "kept");
}
