//! What the chart has to watch the operator with, asked of a real Prometheus that scrapes the real operator.

use std::collections::BTreeSet;
use std::time::Duration;

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{Operator, Prometheus, any_release, apply, parts, wait};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::alarm::everything_to;
use crate::example::all_ready;
use crate::high_availability::{leads, replica};
use crate::notification_policy::contact_point;
use crate::rules::{merge, quiet, uid};
use crate::several::second;
use crate::uninstalled::two_resources;
use crate::world::{self, SOON, World};

/// What is scraped every second has two samples in it, and an end.
const RATE_INTERVAL: &str = "10s";

fn file(name: &str) -> String {
    let path = world::root().join("charts/alertwright/files").join(name);
    std::fs::read_to_string(path).expect("a file of the chart")
}

/// The queries of the dashboard, each with the title of its panel.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&file("dashboard.json")).expect("JSON");
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().expect("targets") {
            let query = target["expr"].as_str().expect("a query");
            found.push((title.to_owned(), query.replace("$__rate_interval", RATE_INTERVAL)));
        }
    }
    found
}

/// The query of a panel.
fn panel(title: &str) -> String {
    let mut found = panels().into_iter().filter(|(other, _)| other == title);
    found.next().expect("a panel").1
}

/// Gives a rule another title, as somebody in Grafana does, and waits until that is put right.
async fn by_hand(w: &World, name: &str) {
    let path = format!("/api/v1/provisioning/alert-rules/{}", uid(w, name).await);
    let mut rule = w.grafana.get(&path).await.ok();
    rule["title"] = json!("by hand");
    w.grafana.put(&path, rule).await.ok();
    wait::until("it is put right", SOON, async || {
        let title = w.grafana.get(&path).await.ok()["title"].clone();
        (title != "by hand").then_some(())
    })
    .await;
}

/// The names of the alerts that a Prometheus would have fire now, but for how long they wait.
async fn firing(prometheus: &Prometheus) -> BTreeSet<String> {
    let alerts: Vec<Value> = serde_saphyr::from_str(&file("alerts.yaml")).expect("YAML");
    let mut found = BTreeSet::new();
    for alert in alerts {
        let query = alert["query"].as_str().expect("a query");
        if !prometheus.query(query).await.is_empty() {
            found.insert(alert["name"].as_str().expect("a name").to_owned());
        }
    }
    found
}

/// Waits until these alerts fire and no others.
async fn until_firing(prometheus: &Prometheus, names: &[&str]) {
    let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    wait::until(&format!("{names:?} fire"), SOON, async || {
        let firing = firing(prometheus).await;
        if firing == names {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(firing)
        }
    })
    .await;
}

/// A Prometheus that scrapes an operator, and has done it once.
async fn scraping(operator: &Operator) -> Prometheus {
    let prometheus = Prometheus::start().await.expect("a Prometheus");
    scrape(&prometheus, operator);
    wait::until("the operator is scraped", SOON, async || {
        !prometheus.query("alertwright_leader").await.is_empty()
    })
    .await;
    prometheus
}

fn scrape(prometheus: &Prometheus, operator: &Operator) {
    let url = operator.url();
    let address = url.strip_prefix("http://").expect("an address");
    prometheus.scrape("alertwright", address).expect("a target");
}

/// A rule that can't be: its query is of no language.
async fn wrong_rule(w: &World) {
    w.put("AlertRule", "wrong", json!({"query": "sum("})).await;
    w.reason::<AlertRule>("wrong", "Invalid").await;
}

#[apply(any_release)]
async fn every_query_of_the_dashboard_has_an_answer_in_what_the_operator_measures() {
    let w = world::start().await;
    let prometheus = scraping(&w.operator).await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    two_resources(&w).await;
    wrong_rule(&w).await;
    by_hand(&w, "r").await;
    let mut edit = 0;
    for (title, query) in panels() {
        wait::until(&format!("an answer to {title}: {query}"), SOON, async || {
            // Rates have an answer while something happens.
            edit += 1;
            merge(&w, "r", json!({"spec": {"labels": {"edit": edit.to_string()}}})).await;
            let found = prometheus.query(&query).await;
            // How long what is at rest takes is no number.
            let values = found.iter().filter_map(|series| series["value"][1].as_str());
            let mut numbers = values.filter_map(|value| value.parse::<f64>().ok());
            if numbers.any(|number| !number.is_nan()) {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(found)
            }
        })
        .await;
    }

    // What is at the place of a number is one of those that are so.
    let number = async |query: &str| -> Option<f64> {
        let found = prometheus.query(query).await;
        found.first()?["value"][1].as_str()?.parse().ok()
    };
    for (query, expected) in [
        (r#"sum(alertwright_resources{kind="AlertRule"})"#, 2.0),
        (r#"alertwright_resources{kind="AlertRule",reason="Invalid"}"#, 1.0),
        (r#"alertwright_silences{source="by_hand"}"#, 1.0),
        // Prometheus' own label of that name is the target's.
        (
            r#"alertwright_grafana_reachable{exported_instance="default"}"#,
            1.0,
        ),
        ("sum(alertwright_passes)", 0.0),
        (r#"alertwright_drift_corrected_total{kind="AlertRule"}"#, 1.0),
    ] {
        wait::until(&format!("{query} is {expected}"), SOON, async || {
            match number(query).await {
                Some(value) if (value - expected).abs() < f64::EPSILON => wait::Seen::Yes(()),
                other => wait::not_yet(other),
            }
        })
        .await;
    }
    // And what is drawn as writes are all calls that write, and no others.
    let written = panel("Writes to Grafana")
        .replace("rate(", "(")
        .replace(&format!("[{RATE_INTERVAL}]"), "");
    let written = format!("sum({written})");
    wait::until(&format!("{written} are the writes"), SOON, async || {
        let calls = w.proxy.requests().writes();
        let count = u32::try_from(calls.len()).expect("not that many");
        match number(&written).await {
            Some(value) if (value - f64::from(count)).abs() < f64::EPSILON => wait::Seen::Yes(()),
            other => wait::not_yet((other, calls.to_string())),
        }
    })
    .await;
}

#[apply(any_release)]
async fn the_alerts_of_the_chart_are_rules_that_grafana_takes_as_they_are() {
    let w = world::start().await;
    let prometheus = scraping(&w.operator).await;
    w.grafana
        .add_prometheus_datasource(&prometheus, "metrics", "Metrics")
        .await;
    let helm = Command::new(parts::path("helm").expect("helm"))
        .args([
            "template",
            "alertwright",
            "charts/alertwright",
            "--namespace",
            &w.ns,
        ])
        .args(["--show-only", "templates/alert-rules.yaml"])
        .args(["--set", "alertRules.enabled=true"])
        .current_dir(world::root())
        .output()
        .await;
    let helm = helm.expect("helm");
    let said = String::from_utf8_lossy(&helm.stderr);
    assert!(helm.status.success(), "{said}");
    w.apply(&String::from_utf8_lossy(&helm.stdout)).await;
    let alerts: Vec<Value> = serde_saphyr::from_str(&file("alerts.yaml")).expect("YAML");
    all_ready::<AlertRule>(&w, alerts.len()).await;
    let mut titles: Vec<String> = w
        .grafana
        .rules()
        .await
        .iter()
        .filter_map(|rule| rule["grafana_alert"]["title"].as_str().map(str::to_owned))
        .collect();
    titles.sort();
    let mut names: Vec<&str> = alerts.iter().filter_map(|alert| alert["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(titles, names);
}

#[apply(any_release)]
async fn every_alert_fires_on_what_the_operator_measures_when_it_is_its_time_and_none_while_all_is_well() {
    let mut w = world::start().await;
    let prometheus = scraping(&w.operator).await;
    w.put("AlertRule", "lost", quiet()).await;
    uid(&w, "lost").await;
    until_firing(&prometheus, &[]).await;

    wrong_rule(&w).await;
    until_firing(&prometheus, &["AlertwrightNotInSync"]).await;
    w.delete::<AlertRule>("wrong").await;
    until_firing(&prometheus, &[]).await;

    w.proxy.fault(Fault::status(503));
    // The GrafanaInstance isn't Ready either.
    let away = ["AlertwrightGrafanaUnreachable", "AlertwrightNotInSync"];
    until_firing(&prometheus, &away).await;
    w.proxy.clear_faults();
    until_firing(&prometheus, &[]).await;

    w.operator.terminate().await;
    merge(&w, "lost", json!({"metadata": {"finalizers": null}})).await;
    w.delete::<AlertRule>("lost").await;
    w.operator.restart().await.expect("it starts again");
    until_firing(&prometheus, &["AlertwrightOrphans"]).await;
    w.operator.terminate().await;
    until_firing(&prometheus, &["AlertwrightAbsent"]).await;

    let closed = w.plane.namespace("closed").await;
    let both = format!("{closed},{}", w.ns);
    let mut blind = world::operator(&w.home, &both, &w.kubeconfig)
        .start()
        .await
        .expect("it starts");
    scrape(&prometheus, &blind);
    until_firing(&prometheus, &["AlertwrightOrphans", "AlertwrightUnwatched"]).await;
    blind.terminate().await;

    let first = replica(&w, "replica-a").start().await.expect("it starts");
    leads(&first, SOON).await;
    let second = replica(&w, "replica-b").start().await.expect("it starts");
    until_firing(&scraping(&second).await, &["AlertwrightNoLeader"]).await;
}

#[apply(any_release)]
async fn who_waits_for_a_slow_grafana_is_counted_as_waiting_and_nobody_at_rest() {
    let w = world::start().await;
    w.proxy.fault(Fault::delay(Duration::from_millis(500)));
    let point = |i: usize| {
        let spec = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
        json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "ContactPoint", "metadata": {"name": format!("p{i}")}, "spec": spec})
    };
    let all: Vec<String> = (0..40).map(|i| point(i).to_string()).collect();
    w.apply(&all.join("\n---\n")).await;
    let count = async |state: &str| {
        let series = format!("alertwright_passes{{kind=\"ContactPoint\",state=\"{state}\"}}");
        w.operator.metric(&series).await
    };
    wait::until("some work and others wait", SOON, async || {
        match (count("working").await, count("waiting").await) {
            (Some(working), Some(waiting)) if working > 15.0 && waiting > 0.0 => wait::Seen::Yes(()),
            other => wait::not_yet(other),
        }
    })
    .await;
    w.proxy.clear_faults();
    for i in 0..40 {
        w.synced::<ContactPoint>(&format!("p{i}")).await;
    }
    wait::until("nobody is under way", SOON, async || {
        match (count("working").await, count("waiting").await) {
            (Some(0.0), Some(0.0)) => wait::Seen::Yes(()),
            other => wait::not_yet(other),
        }
    })
    .await;
}

#[apply(any_release)]
async fn a_resource_in_two_grafanas_is_a_pass_in_each_of_them() {
    let w = world::start().await;
    let (_second, proxy) = second(&w).await;
    let mail = |to: &str| {
        let integrations = json!([{"email": {"addresses": [to]}}]);
        json!({"integrations": integrations, "instances": ["default", "second"]})
    };
    w.put("ContactPoint", "team", mail("a@example.com")).await;
    w.synced::<ContactPoint>("team").await;
    let slow = [&w.proxy, &proxy];
    for proxy in slow {
        proxy.fault(Fault::delay(Duration::from_secs(3)));
    }
    w.put("ContactPoint", "team", mail("b@example.com")).await;
    wait::until("it is worked on in both", SOON, async || {
        let working = "alertwright_passes{kind=\"ContactPoint\",state=\"working\"}";
        match w.operator.metric(working).await {
            Some(2.0) => wait::Seen::Yes(()),
            other => wait::not_yet(other),
        }
    })
    .await;
    for proxy in slow {
        proxy.clear_faults();
    }
    w.synced::<ContactPoint>("team").await;
}
