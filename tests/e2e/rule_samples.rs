//! Rules on samples: PromQL on a real Prometheus, as `rule_states` is about LogQL on real lines.

use std::time::Duration;

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::prometheus::{NOW, STALE};
use alertwright_testbed::{HttpSink, Prometheus, any_release, apply, every_release, trial::Need};
use serde_json::{Value, json};

use crate::rule_states::state;
use crate::world::{self, SOON, World};

/// A world whose Grafana has a Prometheus beside its Loki, and the Prometheus.
async fn start() -> (World, &'static Prometheus) {
    let w = world::start().await;
    w.grafana.needs(Need::FastRules);
    let prometheus = Prometheus::shared().await;
    w.grafana
        .add_prometheus_datasource(prometheus, "metrics", "Metrics")
        .await;
    (w, prometheus)
}

/// A rule on this query that is evaluated every second.
fn rule(query: &str) -> Value {
    json!({"query": query, "datasource": {"name": "Metrics"}, "interval": "1s", "severity": "high"})
}

#[apply(every_release)]
async fn a_rule_on_samples_fires_with_their_value_and_resolves() {
    let (w, prometheus) = start().await;
    let (sink, app) = (HttpSink::start().await, w.ns.as_str());
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
    let queue = async |queue: &str, length: f64| {
        let labels = [("app", app), ("queue", queue)];
        prometheus.write("queue_length", &labels, &[(NOW, length)]).await;
    };
    queue("mail", 1.0).await;
    queue("invoices", 2.5).await;
    let mut spec = rule(&format!("queue_length{{app=\"{app}\"}} > 10"));
    spec["for"] = json!("6s");
    spec["annotations"] = json!({"summary": "{{ $labels.queue }} has {{ $value }}"});
    w.put("AlertRule", "r", spec).await;
    state(&w, "r", "Normal").await;

    queue("mail", 12.5).await;
    state(&w, "r", "Pending").await;
    state(&w, "r", "Firing").await;
    let alert = async |status: &str| {
        let body = sink
            .wait_for("/hook", 2 * SOON, |r| r.body["status"] == status)
            .await
            .body;
        let alerts = body["alerts"].as_array().cloned().unwrap_or_default();
        assert_eq!(alerts.len(), 1, "{body:#}");
        alerts.into_iter().next().expect("an alert")
    };
    let firing = alert("firing").await;
    assert_eq!(firing["labels"]["queue"], "mail", "{firing:#}");
    assert_eq!(firing["annotations"]["summary"], "mail has 12.5", "{firing:#}");

    queue("mail", 3.0).await;
    state(&w, "r", "Normal").await;
    let resolved = alert("resolved").await;
    assert_eq!(resolved["labels"]["queue"], "mail", "{resolved:#}");
}

#[apply(any_release)]
async fn a_rate_of_a_counter_counts_samples_of_the_past() {
    let (w, prometheus) = start().await;
    let app = w.ns.as_str();
    let total: Vec<_> = (0..=10_u32)
        .map(|n| (n * Duration::from_secs(30), f64::from((10 - n) * 90)))
        .collect();
    prometheus.write("failures_total", &[("app", app)], &total).await;
    let rate = format!("sum(rate(failures_total{{app=\"{app}\"}}[5m]))");
    w.put("AlertRule", "above", rule(&format!("{rate} > 2"))).await;
    w.put("AlertRule", "below", rule(&format!("{rate} > 4"))).await;
    state(&w, "above", "Firing").await;
    state(&w, "below", "Normal").await;
}

#[apply(every_release)]
async fn numbers_that_are_none_compare_as_in_prometheus() {
    let (w, prometheus) = start().await;
    let app = w.ns.as_str();
    for (name, errors, requests) in [("nothing", 0.0, 0.0), ("all", 5.0, 0.0), ("some", 3.0, 4.0)] {
        let labels = [("app", app), ("path", name)];
        prometheus.write("errors", &labels, &[(NOW, errors)]).await;
        prometheus.write("requests", &labels, &[(NOW, requests)]).await;
        let of = format!("{{app=\"{app}\", path=\"{name}\"}}");
        w.put(
            "AlertRule",
            name,
            rule(&format!("errors{of} / requests{of} > 0.5")),
        )
        .await;
    }
    state(&w, "all", "Firing").await;
    state(&w, "some", "Firing").await;
    state(&w, "nothing", "Normal").await;
}

#[apply(any_release)]
async fn a_series_that_ends_resolves_its_alert() {
    let (w, prometheus) = start().await;
    let app = w.ns.as_str();
    let labels = [("app", app)];
    prometheus.write("up", &labels, &[(NOW, 0.0)]).await;
    w.put("AlertRule", "r", rule(&format!("up{{app=\"{app}\"}} < 1")))
        .await;
    state(&w, "r", "Firing").await;
    prometheus.write("up", &labels, &[(NOW, STALE)]).await;
    state(&w, "r", "Normal").await;
}
