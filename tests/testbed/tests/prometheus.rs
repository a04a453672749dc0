//! Prometheus takes what is written to it, and scrapes what it is pointed to.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::time::Duration;

use alertwright_testbed::{
    Prometheus,
    prometheus::{NOW, STALE},
    wait,
};

const SOON: Duration = Duration::from_secs(30);

/// The number of a query's only series.
async fn number(prometheus: &Prometheus, query: &str) -> Option<String> {
    let mut result = prometheus.query(query).await;
    let only = result.pop()?;
    assert!(result.is_empty(), "{query}: {only} and {result:?}");
    only.pointer("/value/1")?.as_str().map(str::to_owned)
}

#[tokio::test]
async fn samples_that_are_written_are_found_whatever_their_value_and_order() {
    let prometheus = Prometheus::shared().await;
    for (name, value, expected) in [
        ("whole", 3.0, "3"),
        ("nothing", f64::NAN, "NaN"),
        ("much", f64::INFINITY, "+Inf"),
        ("little", f64::NEG_INFINITY, "-Inf"),
    ] {
        prometheus
            .write(name, &[("app", "values")], &[(NOW, value)])
            .await;
        let query = format!("{name}{{app=\"values\"}}");
        assert_eq!(
            number(prometheus, &query).await.as_deref(),
            Some(expected),
            "{query}"
        );
    }

    let minutes = |n: u32| n * Duration::from_secs(60);
    let later = [(minutes(10), 100.0), (NOW, 700.0)];
    prometheus
        .write("requests_total", &[("app", "order")], &later)
        .await;
    prometheus
        .write("requests_total", &[("app", "order")], &[(minutes(5), 400.0)])
        .await;
    let query = "sum(count_over_time(requests_total{app=\"order\"}[15m]))";
    assert_eq!(number(prometheus, query).await.as_deref(), Some("3"));
    let query = "max_over_time(requests_total{app=\"order\"}[15m]) - min_over_time(requests_total{app=\"order\"}[15m])";
    assert_eq!(number(prometheus, query).await.as_deref(), Some("600"));

    prometheus
        .write("whole", &[("app", "values")], &[(NOW, STALE)])
        .await;
    assert_eq!(number(prometheus, "whole{app=\"values\"}").await, None);
}

#[tokio::test]
async fn what_it_is_pointed_to_is_scraped() {
    let prometheus = Prometheus::start().await.expect("a Prometheus");
    let address = prometheus.url().trim_start_matches("http://");
    prometheus.scrape("itself", address).expect("a target");
    wait::until("it scrapes itself", SOON, async || {
        match number(&prometheus, "up{job=\"itself\"}").await {
            Some(up) if up == "1" => wait::Seen::Yes(()),
            seen => wait::not_yet(seen),
        }
    })
    .await;
    let built = prometheus.query("prometheus_build_info{job=\"itself\"}").await;
    let version = built
        .first()
        .map(|one| one["metric"]["version"].as_str().unwrap_or_default());
    assert!(
        version.is_some_and(|version| version.starts_with("3.")),
        "{built:?}"
    );
}
