//! How often Grafana is looked at, and what is noticed.

mod corrected;
mod deliveries;
mod drift;
#[cfg(feature = "cli")]
mod rehearsal;
mod requested;
mod states;
mod told;
mod watched;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::grafana::source;
use super::*;
use crate::api::AlertRuleStatus;
use crate::api::condition::{self, Reason};
use crate::controller::pass::{Reconcile, Report};

/// Whatever the test takes: so often more may be looked again.
fn more(since: Instant) -> usize {
    usize::try_from(since.elapsed().as_secs() / 10).unwrap()
}

#[tokio::test]
async fn many_rules_without_their_data_source_have_the_data_sources_alone_read_once() {
    let mut world = World::connected().await;
    let started = Instant::now();
    let reads = world.grafana.count("server.data_sources");
    let all = world.grafana.calls().len();
    for number in 0..40 {
        let rule = world.rule(
            &format!("r{number}"),
            json!({"query": QUERY, "datasource": {"name": "gone"}}),
        );
        let failure = rule.reconcile(&world.context).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::DependencyMissing));
        tokio::task::yield_now().await;
    }
    world.grafana.called("server.data_sources", reads + 1).await;
    tokio::task::yield_now().await;
    let calls = world.grafana.calls().split_off(all);
    let alone = calls
        .iter()
        .filter(|call| !["server.data_sources", "rules.states"].contains(call));
    assert_eq!(alone.count(), 0, "{calls:?}");
    let looked = world.grafana.count("server.data_sources") - reads;
    assert!(looked <= 1 + more(started), "{calls:?}");
}

#[tokio::test]
async fn while_writes_fail_everything_is_read_once_and_not_for_each() {
    let mut world = World::connected().await;
    let started = Instant::now();
    let reads = world.grafana.count("rules.list");
    world.grafana.does(|called| match called {
        "rules.create" => Does::Refuses(500, "database is locked"),
        _ => Does::Well,
    });
    for number in 0..40 {
        let rule = world.rule(&format!("r{number}"), json!({"query": QUERY}));
        rule.reconcile(&world.context).await.unwrap_err();
        tokio::task::yield_now().await;
    }
    world.grafana.called("rules.list", reads + 1).await;
    tokio::task::yield_now().await;
    let looked = world.grafana.count("rules.list") - reads;
    assert!(looked <= 1 + more(started), "{:?}", world.grafana.calls());
}

#[tokio::test]
async fn a_data_source_that_was_replaced_under_its_name_is_noticed_with_the_next_read() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY, "datasource": {"name": "Loki"}}));
    rule.reconcile(&world.context).await.unwrap();
    drain(&mut world.receivers.rules);
    world.grafana.hold(|held| {
        held.sources = vec![source("loki-2", "Loki", "loki", true)];
    });
    world.poll().await;
    assert_eq!(drain(&mut world.receivers.rules), 1);
    rule.reconcile(&world.context).await.unwrap();
    let uids = world.grafana.hold(|held| {
        let rule = held.rules.values().next().unwrap();
        rule.data
            .iter()
            .map(|query| query.datasource_uid.clone())
            .collect::<Vec<_>>()
    });
    assert!(uids.contains(&"loki-2".to_owned()), "{uids:?}");
}

#[tokio::test]
async fn a_rule_that_is_refused_has_the_data_sources_read_at_once() {
    let mut world = World::connected().await;
    let reads = world.grafana.count("server.data_sources");
    world.grafana.hold(|held| held.sources.clear());
    world.grafana.does(|called| match called {
        "rules.create" => Does::Refuses(400, "data source not found"),
        _ => Does::Well,
    });
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap_err();
    world.grafana.called("server.data_sources", reads + 1).await;
    let instance = world.instance();
    until("they are known", || instance.facts().unwrap().sources.is_empty()).await;
}

#[tokio::test]
async fn an_upgrade_is_noticed_with_the_next_read_and_settings_are_read_only_then() {
    let mut world = World::connected().await;
    world.rule("r", json!({"query": QUERY}));
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    world.contact_point("team", hook);
    world.policy("tree", json!({"receiver": "team", "tree": "own"}));
    drain(&mut world.receivers.rules);
    let reads = world.grafana.count("server.settings");
    world.poll().await;
    assert_eq!(
        world.grafana.count("server.settings"),
        reads,
        "nothing hints at it"
    );
    drain(&mut world.receivers.contact_points);
    drain(&mut world.receivers.policies);
    world.grafana.hold(|held| held.version = "13.0.1".to_owned());
    world.poll().await;
    assert_eq!(world.grafana.count("server.settings"), reads + 1);
    for (kind, passes) in [
        ("contact points", drain(&mut world.receivers.contact_points)),
        ("policies", drain(&mut world.receivers.policies)),
    ] {
        assert_eq!(passes, 1, "{kind} may be refused by an older one");
    }
    assert_eq!(world.instance().facts().unwrap().version_text, "13.0.1");
    assert_eq!(
        drain(&mut world.receivers.rules),
        1,
        "what depends on the version is looked at"
    );
}

/// The resource with what a pass has reported.
fn reported(mut rule: AlertRule, report: Report<AlertRuleStatus>) -> AlertRule {
    let mut status = report.status;
    let now = jiff::Timestamp::UNIX_EPOCH;
    condition::report(&mut status.conditions, report.reason, "", Some(1), now);
    rule.status = Some(status);
    rule
}

#[tokio::test]
async fn only_what_somebody_changed_in_grafana_is_told_as_drift() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    let report = rule.reconcile(&world.context).await.unwrap();
    let rule = reported(rule, report);
    // Another data source is another wish.
    world.grafana.hold(|held| {
        held.sources = vec![source("loki-2", "Loki", "loki", true)];
    });
    world.poll().await;
    let report = rule.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("rules.update"), 1);
    assert!(report.status.last_drift.is_none(), "nobody changed it in Grafana");
    let counted = |world: &World| {
        let text = world.context.metrics.text().unwrap();
        text.contains("alertwright_drift_corrected_total{kind=\"AlertRule\"} 1\n")
    };
    assert!(!counted(&world));
    let rule = reported(rule, report);
    world.grafana.hold(|held| {
        held.rules
            .values_mut()
            .for_each(|rule| rule.title = "by hand".to_owned());
    });
    world.poll().await;
    let report = rule.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("rules.update"), 2);
    assert_eq!(
        report.status.last_drift.map(|drift| drift.fields),
        Some(vec!["title".to_owned()])
    );
    assert!(counted(&world));
}

#[tokio::test]
async fn a_contact_point_that_is_back_after_a_wipe_sends_the_tree_on_a_pass_at_once() {
    let mut world = World::connected().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    let policy = world.policy("tree", json!({"receiver": "team"}));
    point.reconcile(&world.context).await.unwrap();
    policy.reconcile(&world.context).await.unwrap();
    world.grafana.hold(|held| {
        held.points.clear();
        held.policy = None;
    });
    world.poll().await;
    let failure = policy.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::DependencyMissing));
    drain(&mut world.receivers.policies);
    point.reconcile(&world.context).await.unwrap();
    assert!(
        drain(&mut world.receivers.policies) > 0,
        "its own status hasn't changed"
    );
    policy.reconcile(&world.context).await.unwrap();
}

#[tokio::test]
async fn a_rule_that_is_invalid_makes_no_folder() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": "sum(rate(x[5m])) >"}));
    let failure = rule.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Invalid));
    assert_eq!(
        world.grafana.count("folders.create"),
        0,
        "{:?}",
        world.grafana.calls()
    );
}

#[tokio::test]
async fn settings_are_read_now_and_then_only_where_the_version_is_hidden() {
    let world = World::connected().await;
    let instance = world.instance();
    let reads = || world.grafana.count("server.settings");
    let before = reads();
    let now_and_then = || poller::poll_all(&instance, &world.context, true);
    now_and_then().await;
    assert_eq!(reads(), before, "the version is the same");
    world.grafana.hold(|held| held.hides_version = true);
    now_and_then().await;
    assert_eq!(reads(), before + 1, "nothing tells of an upgrade");
    world.poll().await;
    assert_eq!(reads(), before + 1, "each time would be too often");
}

#[tokio::test]
async fn a_read_that_is_under_way_ends_with_its_instance() {
    for operation in ["rules.list", "rules.states"] {
        let mut world = World::new();
        let never = CancellationToken::new();
        let dawdles = never.clone();
        world.grafana.does(move |called| {
            if called == operation {
                Does::Dawdles(dawdles.clone())
            } else {
                Does::Well
            }
        });
        let instance = world.connect(json!({})).await;
        world.grafana.called(operation, 1).await;
        instance.stop.cancel();
        // The poller holds it as long as it runs.
        world.context.running.write().clear();
        until("the poller has ended", || Arc::strong_count(&instance) == 1).await;
    }
}
