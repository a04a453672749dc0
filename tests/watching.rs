//! The operator's metrics, and what the chart has to watch them with: documented, valid for a real Prometheus, and right.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use alertwright::metrics::Metrics;
use alertwright_testbed::Prometheus;
use alertwright_testbed::prometheus::NOW;
use serde_json::Value;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Metrics that have each been counted once: what has no series yet isn't shown.
fn counted() -> Metrics {
    let metrics = Metrics::new();
    metrics.pass("AlertRule", true, Duration::from_millis(1));
    metrics.under_way("AlertRule").works();
    metrics.grafana_call("rules.list", None, Duration::from_millis(1));
    metrics.grafana_deprecated_call("default", "rules.list");
    metrics.kubernetes_write("alertrules/status".to_owned(), "apply");
    metrics.set_unwatched("AlertRule", "shop", true);
    metrics.set_orphans("default", "AlertRule", 1);
    metrics.set_apis(
        "default",
        &BTreeMap::from([("rules".to_owned(), "provisioning".to_owned())]),
    );
    metrics.resource("AlertRule", None, Some("Synced"));
    metrics.set_reachable("default", true);
    metrics.silence("workload", 1);
    metrics.drift_corrected("AlertRule");
    metrics.set_read("default", 0);
    metrics
}

/// Every metric by its name in queries, with its type.
fn metrics() -> BTreeMap<String, String> {
    let text = counted().text().expect("metrics");
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .filter_map(|line| line.split_once(' '))
        .map(|(name, type_)| {
            let end = match type_ {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            (format!("{name}{end}"), type_.to_owned())
        })
        .collect()
}

/// The alerts, by name.
fn alerts() -> BTreeMap<String, Value> {
    let alerts: Vec<Value> =
        serde_saphyr::from_str(&read("charts/alertwright/files/alerts.yaml")).expect("YAML");
    let named = |alert: Value| (alert["name"].as_str().expect("a name").to_owned(), alert);
    alerts.into_iter().map(named).collect()
}

/// The queries of the dashboard.
fn panels() -> Vec<String> {
    let dashboard: Value =
        serde_json::from_str(&read("charts/alertwright/files/dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().expect("targets"));
    targets
        .map(|target| {
            target["expr"]
                .as_str()
                .expect("a query")
                .replace("$__rate_interval", "5m")
        })
        .collect()
}

fn query(alert: &Value) -> &str {
    alert["query"].as_str().expect("a query")
}

#[test]
fn every_metric_is_documented_with_its_type_and_no_other_is() {
    let page = read("docs/watching.md");
    let rows = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `alertwright_"));
    let documented: BTreeMap<String, String> = rows
        .map(|row| {
            let mut cells = row.split(" | ");
            let name = cells.next().expect("a name").trim_end_matches('`');
            (
                format!("alertwright_{name}"),
                cells.next().expect("a type").to_owned(),
            )
        })
        .collect();
    assert_eq!(documented, metrics());
    let registered = read("src/metrics.rs").matches("registry.register(").count();
    assert_eq!(documented.len(), registered, "each is counted once here");
}

#[test]
fn what_alerts_and_the_dashboard_ask_for_is_measured() {
    let known = metrics();
    let asked: Vec<String> = alerts().values().map(|alert| query(alert).to_owned()).collect();
    let mut seen = BTreeSet::new();
    for query in asked.into_iter().chain(panels()) {
        let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.filter(|word| word.starts_with("alertwright_")) {
            let name = word.trim_end_matches("_bucket");
            assert!(known.contains_key(name), "{word} in {query}");
            seen.insert(name.to_owned());
        }
    }
    assert!(seen.len() > 8, "{seen:?}");
}

#[test]
fn every_alert_says_what_to_do() {
    let page = read("docs/watching.md");
    let alerts = alerts();
    for (name, alert) in &alerts {
        assert!(
            page.contains(&format!("\n### {name}\n")),
            "docs/watching.md: {name}"
        );
        for field in ["for", "severity", "summary", "description"] {
            assert!(alert[field].is_string(), "{name}: {field}");
        }
    }
    assert_eq!(page.matches("\n### ").count(), alerts.len());
}

/// A metric with labels, and the value at which all is well and at which it isn't.
type Sample = (&'static str, &'static [(&'static str, &'static str)], f64, f64);

const SAMPLES: [Sample; 9] = [
    ("alertwright_leader", &[("pod", "a")], 1.0, 0.0),
    // The one that waits has 0 at any time.
    ("alertwright_leader", &[("pod", "b")], 0.0, 0.0),
    (
        "alertwright_grafana_reachable",
        &[("exported_instance", "default"), ("pod", "a")],
        1.0,
        0.0,
    ),
    (
        "alertwright_resources",
        &[("kind", "AlertRule"), ("reason", "Synced")],
        9.0,
        8.0,
    ),
    (
        "alertwright_resources",
        &[("kind", "AlertRule"), ("reason", "Suspended")],
        1.0,
        1.0,
    ),
    (
        "alertwright_resources",
        &[("kind", "Silence"), ("reason", "Expired")],
        1.0,
        1.0,
    ),
    (
        "alertwright_resources",
        &[("kind", "AlertRule"), ("reason", "Invalid")],
        0.0,
        1.0,
    ),
    (
        "alertwright_orphans",
        &[("exported_instance", "default"), ("kind", "AlertRule")],
        0.0,
        2.0,
    ),
    (
        "alertwright_unwatched",
        &[("kind", "Silence"), ("exported_namespace", "shop")],
        0.0,
        1.0,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_alert_fires_when_it_is_its_time_and_none_while_all_is_well() {
    let (nothing, well, ill) = (
        Prometheus::start().await.expect("one that scrapes nothing"),
        Prometheus::start().await.expect("one where all is well"),
        Prometheus::start().await.expect("one where nothing is"),
    );
    for (name, labels, good, bad) in SAMPLES {
        well.write(name, labels, &[(NOW, good)]).await;
        ill.write(name, labels, &[(NOW, bad)]).await;
    }
    for (name, alert) in alerts() {
        let query = query(&alert);
        let fires = async |prometheus: &Prometheus| prometheus.query(query).await.len();
        assert_eq!(fires(&well).await, 0, "{name} while all is well");
        let is_absence = name == "AlertwrightAbsent";
        assert_eq!(
            fires(&nothing).await,
            usize::from(is_absence),
            "{name} where nothing is scraped"
        );
        assert_eq!(
            fires(&ill).await,
            usize::from(!is_absence),
            "{name} where nothing is well"
        );
    }
    // A real Prometheus takes every query of the dashboard.
    for query in panels() {
        well.query(&query).await;
    }
}
