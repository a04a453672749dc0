//! `alertwright export` of a Grafana that people have filled, and what taking it over costs: a mark on what can carry one, and what Grafana hides.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use alertwright::api::{
    AlertRule, ContactPoint, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use alertwright_testbed::proxy::Calls;
use alertwright_testbed::{apply, below_12, every_release, grafana::Version};
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::assert_rests;
use crate::example::all_ready;
use crate::world::{self, World};

const RULES: &str = "/api/v1/provisioning/alert-rules";

/// The alerts of Revel, with their queries and thresholds.
const REVEL: [(&str, &str, f64); 10] = [
    (
        "HighErrorRate",
        r#"sum(rate({service="revel"} |= "ERROR" [5m]))"#,
        0.1,
    ),
    (
        "StripePaymentFailures",
        r#"sum(count_over_time({service="revel"} |~ "stripe_.*" [10m]))"#,
        5.0,
    ),
    (
        "DatabaseErrors",
        r#"sum(rate({service="revel"} |= "OperationalError" [5m]))"#,
        1.0,
    ),
    (
        "AuthFailures",
        r#"sum(rate({service="revel"} |= "auth_failed" [5m]))"#,
        10.0,
    ),
    (
        "QueueDepth",
        r#"sum(count_over_time({service="revel"} |= "queued" [5m]))"#,
        1000.0,
    ),
    (
        "EmailFailures",
        r#"sum(count_over_time({service="revel"} |= "smtp" [10m]))"#,
        3.0,
    ),
    (
        "SlowRequests",
        r#"sum(rate({service="revel"} | json | duration > 5 [5m]))"#,
        0.5,
    ),
    (
        "GDPRExportFailures",
        r#"sum(count_over_time({service="revel"} |= "gdpr" [1h]))"#,
        0.0,
    ),
    (
        "SuspiciousLogins",
        r#"sum by (ip) (count_over_time({service="revel"} |= "login" [5m]))"#,
        20.0,
    ),
    (
        "CeleryTaskFailures",
        r#"sum(count_over_time({service="celery"} |= "FAILURE" [10m]))"#,
        10.0,
    ),
];

async fn by_hand(w: &World, method: Method, path: &str, body: Value) {
    w.grafana.write_as_frontend(method, path, body).await.ok();
}

fn query(ref_id: &str, expr: &str, kind: &str) -> Value {
    json!({
        "refId": ref_id, "queryType": kind, "relativeTimeRange": {"from": 600, "to": 0}, "datasourceUid": "loki",
        "model": {"refId": ref_id, "expr": expr, "queryType": kind, "editorMode": "code", "intervalMs": 1000, "maxDataPoints": 43200},
    })
}

fn expression(ref_id: &str, mut model: Value) -> Value {
    model["refId"] = json!(ref_id);
    model["datasource"] = json!({"type": "__expr__", "uid": "__expr__"});
    json!({"refId": ref_id, "queryType": "", "relativeTimeRange": {"from": 0, "to": 0}, "datasourceUid": "__expr__", "model": model})
}

/// As Grafana's pages make one.
fn rule(title: &str, data: &Value, condition: &str) -> Value {
    json!({
        "title": title, "folderUID": "revel", "ruleGroup": "revel", "orgID": 1, "condition": condition, "data": data, "noDataState": "NoData",
        "execErrState": "Error", "for": "5m", "labels": {"severity": "high", "team": "web"},
        "annotations": {"summary": format!("{title}: {{{{ $values.B }}}}"), "runbook_url": "https://wiki.example.com"},
    })
}

/// Fills a Grafana as people do in its pages: nothing is provisioned.
async fn fill(w: &World) {
    w.grafana
        .post("/api/folders", json!({"uid": "revel", "title": "Revel / Alerts"}))
        .await
        .ok();
    for (title, expr, limit) in REVEL {
        let data = json!([
            query("A", expr, "instant"),
            expression(
                "B",
                json!({"type": "reduce", "reducer": "last", "expression": "A", "settings": {"mode": "dropNN"}})
            ),
            expression(
                "C",
                json!({"type": "threshold", "expression": "B",
                                    "conditions": [{"type": "query", "evaluator": {"type": "gt", "params": [limit]}}]})
            ),
        ]);
        by_hand(w, Method::POST, RULES, rule(title, &data, "C")).await;
    }
    let several = json!([
        query("A", r#"sum(rate({app="a"}[5m]))"#, "range"),
        query("B", r#"sum(rate({app="b"}[5m]))"#, "range"),
        expression(
            "C",
            json!({"type": "reduce", "reducer": "mean", "expression": "A"})
        ),
        expression(
            "D",
            json!({"type": "reduce", "reducer": "mean", "expression": "B"})
        ),
        expression("E", json!({"type": "math", "expression": "$C / $D > 0.05"})),
    ]);
    by_hand(w, Method::POST, RULES, rule("SLO burn", &several, "E")).await;
    let classic = json!([
        query("A", r#"sum(rate({app="a"}[5m]))"#, "range"),
        expression(
            "B",
            json!({"type": "classic_conditions", "conditions": [{
                "type": "query", "evaluator": {"type": "gt", "params": [3]}, "operator": {"type": "and"}, "query": {"params": ["A"]},
                "reducer": {"type": "avg", "params": []},
            }]})
        ),
    ]);
    by_hand(w, Method::POST, RULES, rule("Classic", &classic, "B")).await;

    let points = "/api/v1/provisioning/contact-points";
    for point in [
        json!({"name": "On call", "type": "slack", "settings": {"url": "https://hooks.slack.com/services/x", "recipient": "#alerts"}}),
        json!({"name": "On call", "type": "email", "settings": {"addresses": "a@example.com;b@example.com", "singleEmail": false}}),
        json!({"name": "Mails", "type": "email", "settings": {"addresses": "c@example.com", "singleEmail": true}}),
        json!({"name": "Hook", "type": "webhook", "settings": {"url": "https://example.com/hook", "httpMethod": "PUT", "maxAlerts": "5"}}),
    ] {
        by_hand(w, Method::POST, points, point).await;
    }
    let nights = json!({"name": "Nights", "time_intervals": [{"times": [{"start_time": "22:00", "end_time": "24:00"}], "weekdays": ["monday:friday"]}]});
    by_hand(w, Method::POST, "/api/v1/provisioning/mute-timings", nights).await;
    let texts = json!({"template": "{{ define \"revel\" }}{{ .Status }}{{ end }}"});
    by_hand(w, Method::PUT, "/api/v1/provisioning/templates/Texts", texts).await;
    let tree = json!({"receiver": "Mails", "group_by": ["alertname", "cluster"], "routes": [
        {"receiver": "On call", "object_matchers": [["severity", "=", "critical"]], "continue": true},
        {"receiver": "Hook", "object_matchers": [["team", "=~", "web|api"]], "mute_time_intervals": ["Nights"], "group_wait": "10s"},
        {"receiver": "Mails"},
    ]});
    by_hand(w, Method::PUT, "/api/v1/provisioning/policies", tree).await;
    let silence = json!({
        "matchers": [{"name": "team", "value": "web", "isRegex": false, "isEqual": true}], "createdBy": "ann", "comment": "Move of the database",
        "startsAt": Timestamp::now(), "endsAt": Timestamp::now().checked_add(SignedDuration::from_hours(2)).expect("an end"),
    });
    w.grafana
        .post("/api/alertmanager/grafana/api/v2/silences", silence)
        .await;
}

/// Runs `alertwright export` with a token of its own.
async fn export(w: &World, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .arg("export")
        .args(args)
        .args(["--target-namespace", &w.ns])
        .env("GRAFANA_URL", w.proxy.url())
        .env("GRAFANA_TOKEN", w.grafana.token().await);
    let run = tokio::task::spawn_blocking(move || command.output());
    run.await.expect("nothing panics").expect("the command runs")
}

/// Writes of contact points, through either API.
fn points_of(calls: &Calls) -> Calls {
    calls.filter(|call| call.path.contains("/contact-points") || call.path.contains("/receivers"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[apply(every_release)]
async fn what_was_exported_is_taken_over_with_marks_and_hidden_secrets_alone() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let more = json!({"unrestrictedNamespaces": {"names": [w.ns]}});
    world::connect(w.plane, &w.home, &w.proxy.url(), &w.grafana.token().await, more).await;
    fill(&w).await;
    let before = (
        w.grafana.rules().await,
        w.grafana.policy_tree().await,
        w.grafana.active_silences().await,
    );
    w.proxy.reset();
    let output = export(&w, &["all", "--adopt"]).await;
    let (exported, report) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{report}");
    let calls = w.proxy.reset();
    assert_eq!(calls.writes().len(), 0, "{calls}");
    for (title, ..) in REVEL {
        let line = report
            .lines()
            .find(|line| line.contains(title))
            .expect("a line for each rule");
        assert!(line.trim_end().ends_with("  query"), "{line}");
    }
    assert!(report.contains("data: several queries are combined"), "{report}");

    let hidden = "the mark of 12 rules, the nodes of 10 of them as query has them, which locks those that can be edited in Grafana's pages; the mark of the tree; 1 contact point whose secrets are hidden";
    assert!(report.contains(hidden), "{report}");

    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "contact-points"},
        "stringData": {"on-call.slack.url": "https://hooks.slack.com/services/x"},
    });
    w.apply(&secret.to_string()).await;
    w.apply(&exported).await;
    w.operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    all_ready::<ContactPoint>(&w, exported.matches("kind: ContactPoint").count()).await;
    all_ready::<TimeInterval>(&w, 1).await;
    all_ready::<NotificationTemplate>(&w, 1).await;
    all_ready::<NotificationPolicy>(&w, 1).await;
    all_ready::<AlertRule>(&w, 12).await;
    all_ready::<Silence>(&w, 1).await;
    let calls = w.proxy.requests();
    println!("taking over: {:#?}", calls.writes().by_class());
    // What is equal is left as it is; only what Grafana hides is sent.
    let points = points_of(&calls.writes());
    assert_eq!(points.len(), 1, "{points}");
    let others = calls.writes().len() - points.len();
    // A mark for each rule, or of those that are written together one for all, and one for the tree.
    assert!((2..=12 + 1).contains(&others), "{}", calls.writes());
    assert_same(&w, before).await;
    assert_rests(&w).await;
}

/// Nodes by their names: their order says nothing.
#[apply(below_12)]
async fn a_rule_whose_folder_is_gone_is_told() {
    let w = world::start().await;
    let data = json!([
        query("A", "up", "instant"),
        expression("B", json!({"type": "math", "expression": "$A > 1"})),
    ]);
    let mut stray = rule("Stray", &data, "B");
    stray["folderUID"] = json!("nowhere");
    let made = w.grafana.write_as_frontend(Method::POST, RULES, stray).await;
    // Newer ones let nobody make such a rule: only work on the database leaves them.
    if w.grafana.version() > Version::new(10, 4, 0) {
        assert!(!made.status.is_success());
        return;
    }
    made.ok();
    let output = export(&w, &["rules"]).await;
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{told}");
    let line = told.lines().find(|line| line.contains("Stray")).expect("a line");
    assert!(
        line.contains("not carried over: its folder, of uid nowhere, isn't there"),
        "{line}"
    );
    let named = export(&w, &["rules", "--rule", "Stray"]).await;
    assert_eq!(named.status.code(), Some(4), "{}", text(&named.stderr));
}

fn nodes(data: &Value) -> BTreeMap<String, &Value> {
    let all = data.as_array().into_iter().flatten();
    all.map(|node| (node["refId"].to_string(), node)).collect()
}

/// Whether all is as it was but for marks, and the nodes of rules that have become a query.
async fn assert_same(w: &World, (rules, tree, silences): (Vec<Value>, Value, Vec<Value>)) {
    assert_eq!(w.grafana.active_silences().await.len(), silences.len());
    let mut now = w.grafana.policy_tree().await;
    now["routes"].as_array_mut().expect("routes").remove(0);
    for (field, value) in tree.as_object().expect("a tree") {
        if field != "provenance" {
            assert_eq!(now[field], *value, "{field}");
        }
    }
    let after = w.grafana.rules().await;
    assert_eq!(after.len(), rules.len());
    for before in rules {
        let alert = |rule: &Value, field: &str| rule["grafana_alert"][field].clone();
        let same = after
            .iter()
            .find(|rule| alert(rule, "uid") == alert(&before, "uid"));
        let same = same.expect("each rule keeps its uid");
        for field in ["annotations", "folder", "for", "group", "interval"] {
            assert_eq!(same[field], before[field], "{field} of {before}");
        }
        for field in ["condition", "exec_err_state", "no_data_state", "title"] {
            assert_eq!(alert(same, field), alert(&before, field), "{field} of {before}");
        }
        if !REVEL.iter().any(|(title, ..)| alert(&before, "title") == *title) {
            assert_eq!(nodes(&alert(same, "data")), nodes(&alert(&before, "data")));
        }
        let mut labels = same["labels"].clone();
        labels.as_object_mut().expect("labels").remove("__alertwright__");
        assert_eq!(labels, before["labels"]);
    }
}
