//! Titles before 12.0, where one rule of a folder has one: two that swap theirs, and who has to wait.

use super::*;
use crate::controller::engine::failure::Failure;

/// A world whose rules `a` and `b` are in Grafana under these titles, as their statuses say.
async fn with_two(version: &str) -> World {
    let grafana = version.to_owned();
    let mut world = World::new();
    world.grafana.hold(|held| held.version = grafana);
    world.connect_and_read().await;
    for name in ["a", "b"] {
        let rule = titled(&mut world, name, name);
        rule.reconcile(&world.context).await.unwrap();
    }
    drain(&mut world.receivers.rules);
    world
}

fn titled(world: &mut World, name: &str, title: &str) -> AlertRule {
    world.rule(name, json!({"query": QUERY, "title": title}))
}

async fn fails(world: &World, rule: &AlertRule) -> Failure {
    rule.reconcile(&world.context).await.map(|_| ()).unwrap_err()
}

/// All titles in Grafana, in order.
fn titles(world: &World) -> Vec<String> {
    let mut titles: Vec<_> = world
        .grafana
        .hold(|held| held.rules.values().map(|rule| rule.title.clone()).collect());
    titles.sort();
    titles
}

#[tokio::test]
async fn two_rules_that_swap_their_titles_go_through_a_third_one_and_never_have_the_same() {
    let mut world = with_two("11.6.0").await;
    let editable = json!({"query": QUERY, "title": "b", "editable": true});
    let a = world.rule("a", editable);
    let b = titled(&mut world, "b", "a");
    drain(&mut world.receivers.rules);
    let failure = fails(&world, &a).await;
    assert!(
        failure.message.contains("still with revel/b"),
        "{}",
        failure.message
    );
    assert_eq!(
        drain(&mut world.receivers.rules),
        1,
        "the other one is asked to go on"
    );
    let aside = titles(&world);
    assert!(
        aside[0].starts_with('b') && aside.len() == 2 && aside[0] != aside[1],
        "{aside:?}"
    );
    assert!(!aside.contains(&"a".to_owned()), "its title is free: {aside:?}");
    let provenance = world.grafana.hold(|held| {
        let rules = held.rules.values();
        rules.map(|rule| rule.provenance.clone()).collect::<Vec<_>>()
    });
    assert_eq!(
        provenance,
        [Some("api".to_owned()), Some("api".to_owned())],
        "whether it is editable changes with its own write"
    );
    b.reconcile(&world.context).await.unwrap();
    a.reconcile(&world.context).await.unwrap();
    assert_eq!(titles(&world), ["a", "b"]);
    let uid = |name: &str| world.context.owner.rule_uid("revel", name);
    let title = |uid: String| world.grafana.hold(|held| held.rules[&uid].title.clone());
    assert_eq!(
        (title(uid("a")), title(uid("b"))),
        ("b".to_owned(), "a".to_owned())
    );
}

#[tokio::test]
async fn a_rule_whose_title_is_about_to_be_free_waits_where_it_is() {
    let mut world = with_two("11.6.0").await;
    let a = titled(&mut world, "a", "b");
    let b = titled(&mut world, "b", "c");
    let updates = world.grafana.count("rules.update");
    fails(&world, &a).await;
    assert_eq!(
        world.grafana.count("rules.update"),
        updates,
        "nobody wants what it has"
    );
    assert_eq!(titles(&world), ["a", "b"]);
    b.reconcile(&world.context).await.unwrap();
    a.reconcile(&world.context).await.unwrap();
    assert_eq!(titles(&world), ["b", "c"]);
}

#[tokio::test]
async fn a_title_that_its_holder_keeps_or_cannot_let_go_of_is_a_conflict() {
    let mut world = with_two("11.6.0").await;
    // It has it, and wants it still; being older it would say so, so it is the younger one that keeps it.
    let mut b = titled(&mut world, "b", "b");
    b.metadata.creation_timestamp = Some(serde_json::from_value(json!("2026-02-01T00:00:00Z")).unwrap());
    let b = see(&world.context, &mut world.writers.rules, b, news::about_rule);
    let a = titled(&mut world, "a", "b");
    let failure = fails(&world, &a).await;
    assert_eq!(failure.reason, Some(Reason::Conflict));
    assert!(
        failure.message.contains("AlertRule revel/b still has this title"),
        "{}",
        failure.message
    );
    // It is to have another one, and can't be carried out as it is.
    let with = |observed: i64, ready: &str| {
        let mut stuck = b.clone();
        stuck.spec.title = Some("c".to_owned());
        let status = json!({"conditions": [{
            "type": "Ready", "status": ready, "reason": "Invalid", "message": "", "observedGeneration": observed,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }]});
        stuck.status = Some(serde_json::from_value(status).unwrap());
        stuck
    };
    see(
        &world.context,
        &mut world.writers.rules,
        with(1, "False"),
        news::about_rule,
    );
    let failure = fails(&world, &a).await;
    assert!(
        failure.message.contains("AlertRule revel/b still has this title"),
        "{}",
        failure.message
    );
    // That was said of what it was before; or it can be carried out.
    for holder in [with(0, "False"), with(1, "True")] {
        see(&world.context, &mut world.writers.rules, holder, news::about_rule);
        let failure = fails(&world, &a).await;
        assert!(
            failure.message.contains("still with revel/b"),
            "{}",
            failure.message
        );
    }
}

/// The rule as one whose last pass has come to this.
fn says(world: &mut World, rule: &AlertRule, reason: &str) -> AlertRule {
    let status = json!({"conditions": [{
        "type": "Ready", "status": "False", "reason": reason, "message": "", "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }]});
    let mut rule = rule.clone();
    rule.status = Some(serde_json::from_value(status).unwrap());
    see(&world.context, &mut world.writers.rules, rule, news::about_rule)
}

#[tokio::test]
async fn two_that_swap_titles_do_so_though_both_have_said_that_they_wait() {
    for (reason, swapped) in [("Conflict", true), ("Invalid", false)] {
        let mut world = with_two("11.6.0").await;
        let (a, b) = (titled(&mut world, "a", "b"), titled(&mut world, "b", "a"));
        let a = says(&mut world, &a, "Conflict");
        let b = says(&mut world, &b, reason);
        let failure = fails(&world, &a).await;
        assert_eq!(
            failure.message.contains("still with revel/b"),
            swapped,
            "{}",
            failure.message
        );
        let is_free = !titles(&world).contains(&"a".to_owned());
        assert_eq!(is_free, swapped, "{reason}: {:?}", titles(&world));
        if swapped {
            b.reconcile(&world.context).await.unwrap();
            a.reconcile(&world.context).await.unwrap();
            assert_eq!(titles(&world), ["a", "b"]);
        }
    }
}

#[tokio::test]
async fn three_that_pass_on_their_titles_in_a_ring_do_so_though_all_have_said_that_they_wait() {
    let mut world = with_two("11.6.0").await;
    let third = titled(&mut world, "c", "c");
    third.reconcile(&world.context).await.unwrap();
    let wish = |world: &mut World, name: &str, title: &str| titled(world, name, title);
    let ring = [
        wish(&mut world, "a", "b"),
        wish(&mut world, "b", "c"),
        wish(&mut world, "c", "a"),
    ];
    let [a, b, c] = ring.map(|rule| says(&mut world, &rule, "Conflict"));
    fails(&world, &a).await;
    assert!(!titles(&world).contains(&"a".to_owned()), "{:?}", titles(&world));
    for rule in [c, b, a] {
        rule.reconcile(&world.context).await.unwrap();
    }
    assert_eq!(titles(&world), ["a", "b", "c"]);
}

#[tokio::test]
async fn nobody_makes_way_for_one_that_wants_the_title_in_another_folder() {
    let mut world = with_two("11.6.0").await;
    let a = titled(&mut world, "a", "b");
    world.rule("b", json!({"query": QUERY, "title": "a", "folder": "Elsewhere"}));
    let sent = world.grafana.count("rules.update");
    let failure = fails(&world, &a).await;
    assert!(
        failure.message.contains("still with revel/b"),
        "{}",
        failure.message
    );
    assert_eq!(world.grafana.count("rules.update"), sent);
}

#[tokio::test]
async fn a_title_that_this_very_resource_has_under_another_owner_id_is_told_with_the_cure() {
    let mut world = with_two("11.6.0").await;
    for (mark, words) in [
        (
            "old/revel/a",
            "an operator with the owner id old made it for this very resource. If that was this one, name old in spec.previousOwnerIDs of GrafanaInstance default",
        ),
        ("old/revel/c", "isn't ours; choose another title or folder"),
    ] {
        world.grafana.hold(|held| {
            let mut rule = held.rules.values().next().unwrap().clone();
            rule.uid = "former".to_owned();
            rule.title = "c".to_owned();
            rule.labels.insert("__alertwright__".to_owned(), mark.to_owned());
            held.rules.insert(rule.uid.clone(), rule);
        });
        world.poll().await;
        let a = titled(&mut world, "a", "c");
        let failure = fails(&world, &a).await;
        assert_eq!(failure.reason, Some(Reason::Conflict));
        assert!(failure.message.contains(words), "{}", failure.message);
    }
}

#[tokio::test]
async fn since_12_two_rules_of_a_folder_may_have_one_title() {
    let mut world = with_two("12.0.0").await;
    let a = titled(&mut world, "a", "b");
    a.reconcile(&world.context).await.unwrap();
    assert_eq!(titles(&world), ["b", "b"]);
}

#[tokio::test]
async fn a_rule_that_moves_to_a_folder_where_its_title_is_somebody_elses_waits_and_is_not_sent() {
    let mut world = with_two("11.6.0").await;
    world.grafana.hold(|held| {
        held.folders.push(Folder {
            uid: "elsewhere".to_owned(),
            title: "Elsewhere".to_owned(),
            parent_uid: None,
        });
        let theirs = model::AlertRule {
            uid: "theirs".to_owned(),
            title: "a".to_owned(),
            folder_uid: "elsewhere".to_owned(),
            ..model::AlertRule::default()
        };
        held.rules.insert("theirs".to_owned(), theirs);
    });
    world.poll().await;
    let sent = world.grafana.count("rules.update");
    let moved = world.rule("a", json!({"query": QUERY, "title": "a", "folder": "Elsewhere"}));
    let failure = fails(&world, &moved).await;
    assert_eq!(failure.reason, Some(Reason::Conflict));
    let told = "spec.title: Grafana's rule theirs has the title \"a\" in the same folder";
    assert!(failure.message.starts_with(told), "{}", failure.message);
    assert_eq!(world.grafana.count("rules.update"), sent);
}

#[tokio::test]
async fn a_rule_that_has_its_title_goes_on_though_another_one_has_it_too() {
    let mut world = with_two("11.6.0").await;
    world.grafana.hold(|held| {
        let own = held.rules.values().find(|rule| rule.title == "a").unwrap();
        let theirs = model::AlertRule {
            uid: "theirs".to_owned(),
            labels: [].into(),
            ..own.clone()
        };
        held.rules.insert("theirs".to_owned(), theirs);
    });
    world.poll().await;
    let sent = world.grafana.count("rules.update");
    let edited = world.rule("a", json!({"query": QUERY, "title": "a", "for": "7m"}));
    edited.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("rules.update"), sent + 1);
}

#[tokio::test]
async fn a_rule_keeps_its_title_though_an_older_one_comes_to_ask_for_it() {
    let mut world = with_two("11.6.0").await;
    let a = titled(&mut world, "a", "b");
    let b = world.rule("b", json!({"query": QUERY, "title": "b", "for": "7m"}));
    let failure = fails(&world, &a).await;
    assert_eq!(failure.reason, Some(Reason::Conflict));
    assert!(
        failure.message.contains("revel/b still has"),
        "{}",
        failure.message
    );
    b.reconcile(&world.context).await.unwrap();
    assert_eq!(titles(&world), ["a", "b"]);
    // Of two that have it not yet the older one goes first.
    let c = titled(&mut world, "c", "new");
    let d = titled(&mut world, "d", "new");
    let failure = fails(&world, &d).await;
    assert!(
        failure.message.contains("revel/c is older and has this title"),
        "{}",
        failure.message
    );
    c.reconcile(&world.context).await.unwrap();
}
