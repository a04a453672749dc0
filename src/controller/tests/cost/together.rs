//! Passes over rules that come together.

use futures::FutureExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::controller::pass::{self, Reconcile};

#[tokio::test]
async fn a_pass_over_a_rule_is_on_the_way_from_its_beginning_until_it_is_over() {
    let mut world = World::connected().await;
    let rule = Arc::new(world.rule("r", json!({"query": QUERY})));
    let go_on = CancellationToken::new();
    let dawdle = go_on.clone();
    world.grafana.does(move |called| match called {
        "folders.create" => Does::Dawdles(dawdle.clone()),
        _ => Does::Well,
    });
    let approaches = world.instance().rights.approaches.clone();
    let mut passes = std::pin::pin!(pass::run(rule, world.context.clone()));
    tokio::select! {
        ended = passes.as_mut() => panic!("it doesn't wait for the folder: {ended:?}"),
        () = world.grafana.called("folders.create", 1) => {}
    }
    assert!(approaches.settled().now_or_never().is_none(), "it may write soon");
    go_on.cancel();
    passes.await.unwrap();
    assert!(approaches.settled().now_or_never().is_some());
}

#[tokio::test]
async fn passes_that_wait_for_a_place_are_small() {
    let mut world = World::connected().await;
    let rule = Arc::new(world.rule("r", json!({"query": QUERY})));
    let pass = pass::run(rule, world.context.clone());
    let size = size_of_val(&pass);
    assert!(size <= 1024, "{size} bytes");
    pass.await.unwrap();
}

#[tokio::test]
async fn one_pass_sets_the_interval_of_a_group_and_nobody_else_has_to() {
    let mut world = World::connected().await;
    let spec = |interval: &str| json!({"query": QUERY, "group": "g", "interval": interval});
    for name in ["a", "b", "c"] {
        let rule = world.rule(name, spec("1m"));
        rule.reconcile(&world.context).await.unwrap();
    }
    assert_eq!(world.grafana.count("rules.put_group"), 0);
    let slower = ["a", "b", "c"].map(|name| world.rule(name, spec("2m")));
    for rule in &slower {
        let report = rule.reconcile(&world.context).await.unwrap();
        assert!(
            report.status.last_drift.is_none(),
            "nothing was changed in Grafana"
        );
        let instance = world.instance();
        let intervals: Vec<_> = instance
            .mirror
            .read(|held| held.rules.iter().map(|rule| rule.interval.as_secs()).collect());
        assert_eq!(intervals, [120; 3]);
    }
    for (operation, times) in [("rules.group", 1), ("rules.put_group", 1), ("rules.update", 0)] {
        assert_eq!(world.grafana.count(operation), times, "{operation}");
    }
}
