//! `alertwright backtest` and `alertwright test rule`: a rule over the past and now, through Grafana's data sources, with nothing written.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use alertwright::api::AlertRule;
use alertwright_testbed::{Prometheus, apply, every_release, grafana::Version};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::world::{self, World};

/// What it printed, what it said besides, and its exit code.
struct Ended {
    printed: String,
    said: String,
    code: i32,
}

/// Runs a command as somebody who has a token of Grafana and no cluster.
async fn run(w: &World, arguments: &[&str], input: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_alertwright"));
    command
        .args(arguments)
        .env_clear()
        .env("GRAFANA_URL", w.proxy.url())
        .env("GRAFANA_TOKEN", w.grafana.token().await)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let ended = spawn_blocking(move || {
        let mut child = command.spawn().expect("the program");
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("an end")
    });
    let ended = ended.await.expect("an end");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a text");
    Ended {
        printed: text(ended.stdout),
        said: text(ended.stderr),
        code: ended.status.code().expect("an exit code"),
    }
}

/// A queue that was long for ten minutes, forty minutes ago, for two minutes, twenty minutes ago, and is now.
async fn queue(w: &World) {
    let prometheus = Prometheus::shared().await;
    w.grafana
        .add_prometheus_datasource(prometheus, "metrics", "Metrics")
        .await;
    let samples: Vec<(Duration, f64)> = (0..=220_u32)
        .map(|sample| {
            let ago = sample * Duration::from_secs(15);
            let length = match ago.as_secs() {
                // Longer than the time from the last whole minute until now.
                0..120 => 7.0,
                1080..1200 => 9.0,
                1800..2400 => 12.5,
                _ => 1.0,
            };
            (ago, length)
        })
        .collect();
    prometheus
        .write("queue", &[("app", w.ns.as_str()), ("name", "mail")], &samples)
        .await;
}

fn spec(w: &World, wait: &str) -> Value {
    json!({
        "query": format!("queue{{app=\"{}\"}} > 5", w.ns), "datasource": {"name": "Metrics"}, "for": wait, "severity": "high",
        "annotations": {"summary": "{{ $labels.name }} has {{ $value }}"},
    })
}

fn file(w: &World, spec: &Value) -> String {
    json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": "queue", "namespace": w.ns}, "spec": spec,
    })
    .to_string()
}

/// How many calls came that change something.
fn changes(w: &World) -> usize {
    let is_question = |path: &str| {
        ["/api/ds/query", "/api/v1/eval", "/api/v1/rule/test/grafana"]
            .iter()
            .any(|one| path.starts_with(one))
    };
    w.proxy
        .requests()
        .writes()
        .filter(|call| !is_question(&call.path))
        .len()
}

#[apply(every_release)]
async fn a_file_is_held_against_the_rule_as_it_stands_over_the_past() {
    let w = world::start().await;
    queue(&w).await;
    w.put("AlertRule", "queue", spec(&w, "0s")).await;
    w.synced::<AlertRule>("queue").await;
    let before = changes(&w);
    let slower = file(&w, &spec(&w, "5m"));
    let args = [
        "backtest",
        "-f",
        "-",
        "--since",
        "50m",
        "--step",
        "1m",
        "--compare",
    ];
    let json = run(&w, &[&args[..], &["-o", "json"]].concat(), &slower).await;
    assert_eq!(json.code, 0, "{}", json.said);
    let report: Value = serde_json::from_str(&json.printed).expect("JSON");
    let rule = &report["rules"][0];
    assert_eq!(report["apiVersion"], "cli.alerting.letsrevel.io/v1");
    assert_eq!(rule["stepSeconds"], 60);
    let runs = &rule["runs"];
    assert_eq!(
        (runs[0]["of"].as_str(), runs[0]["count"].as_u64()),
        (Some("Grafana"), Some(3)),
        "{rule:#}"
    );
    assert_eq!(
        (runs[1]["of"].as_str(), runs[1]["count"].as_u64()),
        (Some("resource"), Some(1)),
        "{rule:#}"
    );
    let firing = &runs[1]["firings"][0];
    assert_eq!(
        (firing["peak"].as_f64(), firing["labels"]["name"].as_str()),
        (Some(12.5), Some("mail"))
    );
    let seconds = firing["seconds"].as_i64().expect("a length");
    assert!((240..=360).contains(&seconds), "{firing:#}");
    let told: u64 = runs[1]["wouldPage"]
        .as_object()
        .expect("who is told")
        .values()
        .filter_map(Value::as_u64)
        .sum();
    assert_eq!(told, 1, "{rule:#}");

    let page = std::env::temp_dir().join(format!("{}.html", w.ns));
    let html = page.to_str().expect("a path");
    let table = run(&w, &[&args[..], &["--html", html]].concat(), &slower).await;
    assert_eq!(table.code, 0, "{}", table.said);
    for part in [
        ", step 1m, 5",
        "in Grafana",
        "this file",
        "STARTED (UTC)",
        "name=\"mail\"",
    ] {
        assert!(table.printed.contains(part), "{part}: {}", table.printed);
    }
    assert!(
        table.said.contains("2 firings fewer than in Grafana."),
        "{}",
        table.said
    );
    let shown = std::fs::read_to_string(&page).expect("the page");
    std::fs::remove_file(&page).expect("it is there");
    assert!(
        shown.contains("<svg") && !shown.contains("src=") && !shown.contains("<script"),
        "{shown}"
    );

    let csv = run(
        &w,
        &[
            "backtest",
            "-f",
            "-",
            "--since",
            "50m",
            "--step",
            "1m",
            "--threshold",
            "10",
            "-o",
            "csv",
        ],
        &slower,
    )
    .await;
    assert_eq!(
        (csv.code, csv.printed.lines().count()),
        (0, 2),
        "{}{}",
        csv.printed,
        csv.said
    );
    assert_eq!(changes(&w), before);
}

#[apply(every_release)]
async fn the_rule_in_grafana_is_compared_by_the_interval_that_it_has_there() {
    let w = world::start().await;
    queue(&w).await;
    let mut often = spec(&w, "0s");
    often["interval"] = json!("10s");
    w.put("AlertRule", "queue", often).await;
    w.synced::<AlertRule>("queue").await;
    let args = ["backtest", "-f", "-", "--since", "50m", "--compare", "-o", "json"];
    let ended = run(&w, &args, &file(&w, &spec(&w, "0s"))).await;
    assert_eq!(ended.code, 0, "{}", ended.said);
    let report: Value = serde_json::from_str(&ended.printed).expect("JSON");
    let rule = &report["rules"][0];
    let steps = [0, 1].map(|at| rule["runs"][at]["stepSeconds"].as_u64());
    assert_eq!(steps, [Some(10), Some(60)], "{rule:#}");
    assert_eq!(
        rule["notes"][0],
        "Evaluated every 1m, as this file says; Grafana evaluates every 10s."
    );
}

#[apply(every_release)]
async fn what_cannot_be_worked_out_for_the_past_is_said_and_not_guessed() {
    let w = world::start().await;
    queue(&w).await;
    let before = changes(&w);
    let ranged = json!({
        "condition": "C", "data": [
            {"refId": "A", "datasourceUid": "metrics", "relativeTimeRange": {"from": 600}, "model": {"expr": "up", "range": true, "refId": "A"}},
            {"refId": "C", "datasourceUid": "__expr__", "model": {"type": "reduce", "reducer": "last", "expression": "A", "refId": "C"}},
        ],
    });
    let refused = run(&w, &["backtest", "-f", "-"], &file(&w, &ranged)).await;
    assert_eq!((refused.code, refused.printed.as_str()), (3, ""));
    assert!(refused.said.contains("A is a range query"), "{}", refused.said);
    let mut broken = spec(&w, "5m");
    broken["query"] = json!("sum by (x) (nonsense(up)) > 1");
    let refused = run(&w, &["backtest", "-f", "-"], &file(&w, &broken)).await;
    assert_eq!(refused.code, 3, "{}", refused.printed);
    assert!(refused.said.contains("nonsense"), "{}", refused.said);
    assert_eq!(changes(&w), before);
}

#[apply(every_release)]
async fn a_rule_says_what_it_is_worth_now_and_how_its_annotations_read() {
    let w = world::start().await;
    queue(&w).await;
    w.put("AlertRule", "queue", spec(&w, "5m")).await;
    w.synced::<AlertRule>("queue").await;
    let before = changes(&w);
    let rule = file(&w, &spec(&w, "5m"));
    let now = run(&w, &["test", "rule", "-f", "-"], &rule).await;
    assert_eq!(now.code, 1, "{}{}", now.printed, now.said);
    let lines: Vec<&str> = now.printed.lines().collect();
    assert!(
        lines[0].starts_with("LABELS") && lines[0].ends_with("STATE"),
        "{}",
        now.printed
    );
    assert!(
        lines[1].contains("name=\"mail\"") && lines[1].contains("  7  ") && lines[1].ends_with("Pending"),
        "{}",
        now.printed
    );
    if w.grafana.version() < Version::new(10, 1, 0) {
        assert!(now.said.contains("from 10.1 on"), "{}", now.said);
    } else {
        assert_eq!(
            lines.get(2),
            Some(&"  summary: mail has 7"),
            "{}{}",
            now.printed,
            now.said
        );
    }
    let mut high = spec(&w, "5m");
    high["query"] = json!(format!("queue{{app=\"{}\"}} > 50", w.ns));
    let normal = run(&w, &["test", "rule", "-f", "-", "-o", "json"], &file(&w, &high)).await;
    assert_eq!(normal.code, 0, "{}", normal.said);
    let report: Value = serde_json::from_str(&normal.printed).expect("JSON");
    assert_eq!(report["rules"][0]["series"][0]["state"], "Normal", "{report:#}");
    assert_eq!(report["rules"][0]["series"][0]["value"], 7.0, "{report:#}");
    high["query"] = json!(format!("absent_from_here{{app=\"{}\"}} > 50", w.ns));
    high["noDataState"] = json!("NoData");
    let none = run(
        &w,
        &["test", "rule", "-f", "-", "--at", "2026-01-01T00:00:00Z"],
        &file(&w, &high),
    )
    .await;
    assert_eq!(none.code, 1, "{}", none.said);
    assert!(none.printed.contains("NoData"), "{}", none.printed);
    assert_eq!(changes(&w), before);
}
