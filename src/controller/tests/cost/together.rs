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

impl World {
    /// The intervals of all rules in Grafana, in seconds. The mirror has the same.
    fn intervals(&self) -> Vec<u64> {
        let there = self.grafana.hold(|held| {
            held.rules
                .values()
                .map(|rule| rule.interval.as_secs())
                .collect::<Vec<_>>()
        });
        let mut known = self.instance().mirror.read(|held| {
            let all = held.rules.iter().map(|rule| rule.interval.as_secs());
            all.collect::<Vec<_>>()
        });
        known.sort_unstable();
        let mut sorted = there.clone();
        sorted.sort_unstable();
        assert_eq!(known, sorted);
        there
    }
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
        assert_eq!(world.intervals(), [120; 3]);
    }
    for (operation, times) in [("rules.group", 1), ("rules.put_group", 1), ("rules.update", 0)] {
        assert_eq!(world.grafana.count(operation), times, "{operation}");
    }
}

#[tokio::test]
async fn whoever_has_set_another_interval_meanwhile_has_its_rule_looked_at_again() {
    let mut world = World::connected().await;
    let spec = |interval: &str, r#for: &str| json!({"query": QUERY, "group": "g", "interval": interval, "for": r#for});
    for name in ["older", "younger"] {
        let rule = world.rule(name, spec("1m", "1m"));
        rule.reconcile(&world.context).await.unwrap();
    }
    // Past the look at who is older, the younger one waits.
    let go_on = CancellationToken::new();
    let dawdle = go_on.clone();
    world.grafana.does(move |called| match called {
        "rules.update" => Does::Dawdles(dawdle.clone()),
        _ => Does::Well,
    });
    let younger = world.rule("younger", spec("1m", "2m"));
    let context = world.context.clone();
    let mut late = std::pin::pin!(younger.reconcile(&context));
    tokio::select! {
        ended = late.as_mut() => panic!("it doesn't wait: {ended:?}"),
        () = world.grafana.called("rules.update", 1) => {}
    }
    world.grafana.does_well();
    let older = world.rule("older", spec("30s", "1m"));
    older.reconcile(&world.context).await.unwrap();
    world.asked();
    go_on.cancel();
    late.await.unwrap();
    assert_eq!(world.intervals(), [60; 2], "as the younger one said last");
    assert_eq!(world.asked(), ["AlertRule revel/older"]);
    older.reconcile(&world.context).await.unwrap();
    assert_eq!(world.intervals(), [30; 2]);
    assert_eq!(world.asked(), ["AlertRule revel/younger"]);
    younger.reconcile(&world.context).await.unwrap_err();
    assert_eq!(world.intervals(), [30; 2]);
}

#[tokio::test]
async fn an_interval_whose_write_has_no_answer_is_read_again() {
    let mut world = World::connected().await;
    let spec = |interval: &str, r#for: &str| json!({"query": QUERY, "group": "g", "interval": interval, "for": r#for});
    let mut uids = Vec::new();
    for name in ["a", "b"] {
        let rule = world.rule(name, spec("1m", "1m"));
        let report = rule.reconcile(&world.context).await.unwrap();
        uids.push(report.status.uid.unwrap());
    }
    // With the rule, and by itself.
    for r#for in ["2m", "2m"] {
        world.grafana.does(|called| match called {
            "rules.put_group" => Does::Refuses(502, "bad gateway"),
            _ => Does::Well,
        });
        let rule = world.rule("a", spec("2m", r#for));
        rule.reconcile(&world.context).await.unwrap_err();
        let instance = world.instance();
        for uid in &uids {
            let known = instance.mirror.read(|held| held.rules.lookup(uid).is_unknown());
            assert!(known, "the interval of {uid} may be another one");
        }
        // It was carried out, and nobody wishes it any longer.
        world.grafana.does_well();
        world.grafana.hold(|held| {
            for rule in held.rules.values_mut() {
                rule.interval = Duration::from_secs(120);
            }
        });
        let rule = world.rule("a", spec("1m", r#for));
        rule.reconcile(&world.context).await.unwrap();
        assert_eq!(
            world.grafana.hold(|held| held.rules[&uids[1]].interval.as_secs()),
            60
        );
        let other = world.rule("b", spec("1m", "1m"));
        other.reconcile(&world.context).await.unwrap();
        assert_eq!(world.intervals(), [60; 2]);
    }
}

#[tokio::test]
async fn of_the_rules_with_our_mark_those_are_ours_that_their_resources_have_and_the_api_provisions() {
    let mut world = World::connected().await;
    let spec = |more: Value| {
        let mut spec = json!({"query": QUERY, "group": "g"});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap());
        spec
    };
    let uid_of = async |world: &mut World, name: &str, more: Value| {
        let rule = world.rule(name, spec(more));
        let report = rule.reconcile(&world.context).await.unwrap();
        report.status.uid.unwrap()
    };
    let derived = uid_of(&mut world, "derived", json!({})).await;
    let given = uid_of(&mut world, "given", json!({"uid": "by-hand"})).await;
    let edited = uid_of(&mut world, "edited", json!({})).await;
    world.grafana.hold(|held| {
        let copy = |uid: &str, of: &str| crate::grafana::model::AlertRule {
            uid: uid.to_owned(),
            title: uid.to_owned(),
            ..held.rules[of].clone()
        };
        for copy in [copy("copy", &derived), copy("copy-of-given", &given)] {
            held.rules.insert(copy.uid.clone(), copy);
        }
        held.rules.get_mut(&edited).unwrap().provenance = Some("file".to_owned());
    });
    poller::poll_all(&world.instance(), &world.context, false).await;
    // Nobody has read it yet.
    world.grafana.hold(|held| {
        let copy = crate::grafana::model::AlertRule {
            uid: "new-copy".to_owned(),
            ..held.rules[&derived].clone()
        };
        held.rules.insert(copy.uid.clone(), copy);
    });
    // Its own next write waits behind this one.
    world.instance().mirror.write(|held| held.rules.begins(&derived));
    uid_of(&mut world, "last", json!({})).await;
    let mut expected = vec![
        (derived, Some(true)),
        (given, Some(true)),
        (edited, None),
        ("copy".to_owned(), Some(false)),
        ("copy-of-given".to_owned(), Some(false)),
        ("new-copy".to_owned(), Some(false)),
    ];
    expected.sort();
    let mut others = world.grafana.hold(|held| held.others.clone());
    others.sort();
    assert_eq!(others, expected);
}
