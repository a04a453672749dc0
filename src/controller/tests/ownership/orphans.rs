//! What carries our mark and has no resource.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::super::*;
use crate::controller::instance::sweep;
use crate::controller::pass::Reconcile;
use crate::grafana::model;
use crate::grafana::wire::{SilenceState, SilenceStatus};

/// The uid that an operator of this owner id gives the rule of a resource of the namespace `revel`.
fn rule_uid(owner: &str, name: &str) -> String {
    Owner::parse(owner).unwrap().rule_uid("revel", name)
}

/// A world that has made the rule `r` and the silence `s`, and been read since.
async fn world(instance: &Value) -> (World, AlertRule, Silence) {
    let mut world = World::new();
    world.connect(instance.clone()).await;
    let instance = world.instance();
    until("the first read", || {
        !matches!(instance.health(), Health::Starting)
    })
    .await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let silence = world.silence("s", json!({"duration": "1000d", "matchers": ["a=b"]}));
    silence.reconcile(&world.context).await.unwrap();
    (world, rule, silence)
}

/// Its finalizer was taken off by hand, so nobody has cleaned up.
fn vanish(world: &mut World, rule: AlertRule, silence: Silence) {
    world.server.remove(&path("alertrules", "revel", "r"));
    world.server.remove(&path("silences", "revel", "s"));
    world.writers.rules.apply(&Event::Delete(rule));
    world.writers.silences.apply(&Event::Delete(silence));
}

async fn polls(world: &World, times: usize) {
    for _ in 0..times {
        sweep::after_poll(&world.instance(), &world.context, true).await;
    }
}

/// Number and names, as the status says them.
fn reported(world: &World) -> (Option<i64>, Vec<String>) {
    let mut status = crate::api::GrafanaInstanceStatus::default();
    sweep::report(&world.instance(), &mut status);
    (status.orphans, status.orphan_names)
}

fn metric(world: &World, kind: &str) -> Option<String> {
    let text = world.context.metrics.text().unwrap();
    let series = format!("alertwright_orphans{{instance=\"default\",kind=\"{kind}\"}} ");
    text.lines()
        .find_map(|line| line.strip_prefix(&series).map(str::to_owned))
}

/// How many rules and silences Grafana holds.
fn in_grafana(world: &World) -> (usize, usize) {
    world.grafana.hold(|held| (held.rules.len(), held.silences.len()))
}

#[tokio::test]
async fn what_has_no_resource_is_told_after_two_polls_and_left_where_it_is() {
    let (mut world, rule, silence) = world(&json!({})).await;
    polls(&world, 2).await;
    assert_eq!(reported(&world), (Some(0), vec![]));
    let uid = world
        .grafana
        .hold(|held| held.rules.keys().next().cloned().unwrap());
    vanish(&mut world, rule, silence);
    polls(&world, 1).await;
    assert_eq!(reported(&world).0, Some(0), "it may be on its way");
    polls(&world, 1).await;
    let (count, names) = reported(&world);
    assert_eq!(count, Some(2));
    assert_eq!(names[0], format!("AlertRule revel/r ({uid})"));
    assert!(names[1].starts_with("Silence revel/s ("), "{names:?}");
    for kind in ["AlertRule", "Silence"] {
        assert_eq!(metric(&world, kind).as_deref(), Some("1"), "{kind}");
    }
    polls(&world, 2).await;
    let notes = world.server.notes();
    let [note] = notes.as_slice() else {
        panic!("told once: {notes:?}")
    };
    for part in [
        "Orphans",
        "AlertRule revel/r",
        "Silence revel/s",
        "spec.orphans: Delete",
    ] {
        assert!(note.contains(part), "{part} in {note}");
    }
    assert_eq!(in_grafana(&world), (1, 1));
    // The resources come back, and are what they were.
    world.rule("r", json!({"query": QUERY}));
    world.silence("s", json!({"duration": "1000d", "matchers": ["a=b"]}));
    polls(&world, 1).await;
    assert_eq!(reported(&world), (Some(0), vec![]));
}

/// A rule and a silence that stay.
async fn others(world: &mut World) {
    let rule = world.rule("other", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let silence = world.silence("other", json!({"duration": "1000d", "matchers": ["a=c"]}));
    silence.reconcile(&world.context).await.unwrap();
}

#[tokio::test]
async fn where_the_instance_says_so_it_is_removed_after_ten_polls() {
    let (mut world, rule, silence) = world(&json!({"orphans": "Delete"})).await;
    others(&mut world).await;
    vanish(&mut world, rule, silence);
    polls(&world, 9).await;
    assert_eq!(in_grafana(&world), (2, 2));
    polls(&world, 1).await;
    assert_eq!(in_grafana(&world), (1, 1));
    assert_eq!(reported(&world), (Some(0), vec![]));
    assert_eq!(metric(&world, "AlertRule").as_deref(), Some("0"));
    let notes = world.server.notes();
    assert!(
        notes.len() == 1 && notes[0].contains("OrphansDeleted") && notes[0].contains("AlertRule revel/r"),
        "{notes:?}"
    );
}

#[tokio::test]
async fn before_a_cluster_that_is_built_anew_has_any_resource_nothing_is_removed() {
    let (mut world, rule, silence) = world(&json!({"orphans": "Delete"})).await;
    vanish(&mut world, rule, silence);
    polls(&world, 30).await;
    assert_eq!(in_grafana(&world), (1, 1));
    assert_eq!(reported(&world).0, Some(2), "it is told all the same");
    // The first of another kind says nothing of rules.
    world.silence("other", json!({"duration": "1000d", "matchers": ["a=c"]}));
    polls(&world, 1).await;
    assert_eq!(in_grafana(&world), (1, 0));
}

#[tokio::test]
async fn what_is_there_after_all_is_not_removed_because_the_watch_is_behind() {
    let (mut world, rule, silence) = world(&json!({"orphans": "Delete"})).await;
    others(&mut world).await;
    world.writers.rules.apply(&Event::Delete(rule));
    world.writers.silences.apply(&Event::Delete(silence));
    polls(&world, 12).await;
    assert_eq!(in_grafana(&world), (2, 2));
}

#[tokio::test]
async fn what_cannot_be_seen_is_no_orphan() {
    let (mut world, rule, silence) = world(&json!({"orphans": "Delete"})).await;
    others(&mut world).await;
    vanish(&mut world, rule, silence);
    world.context.unwatched.begins("AlertRule", "revel");
    world.context.unwatched.begins("Silence", "");
    polls(&world, 12).await;
    assert_eq!(reported(&world), (Some(0), vec![]));
    assert_eq!(in_grafana(&world), (2, 2));
    world.context.unwatched.ends("AlertRule", "revel");
    polls(&world, 10).await;
    assert_eq!(in_grafana(&world), (1, 2));
}

#[tokio::test]
async fn before_all_resources_are_known_nothing_is_an_orphan() {
    let (mut world, rule, silence) = world(&json!({"orphans": "Delete"})).await;
    others(&mut world).await;
    vanish(&mut world, rule, silence);
    world.context.ready.store(false, Ordering::Release);
    polls(&world, 12).await;
    assert_eq!(reported(&world), (Some(0), vec![]));
    assert_eq!(in_grafana(&world), (2, 2));
}

#[tokio::test]
async fn what_is_being_cleaned_up_is_no_orphan() {
    let (mut world, mut rule, silence) = world(&json!({"orphans": "Delete"})).await;
    others(&mut world).await;
    let now: Value = json!("2026-01-01T00:00:00Z");
    rule.metadata.deletion_timestamp = serde_json::from_value(now).unwrap();
    world.writers.rules.apply(&Event::Apply(rule));
    drop(silence);
    polls(&world, 12).await;
    assert_eq!(reported(&world), (Some(0), vec![]));
    assert_eq!(in_grafana(&world), (2, 2));
}

#[tokio::test]
async fn a_silence_that_is_over_is_no_orphan_though_grafana_keeps_it_for_days() {
    let (mut world, rule, silence) = world(&json!({})).await;
    vanish(&mut world, rule, silence);
    world.grafana.hold(|held| {
        let state = SilenceState::Expired;
        held.silences[0].status = Some(SilenceStatus { state });
    });
    world.poll().await;
    polls(&world, 2).await;
    let (count, names) = reported(&world);
    assert_eq!(count, Some(1), "the rule alone: {names:?}");
}

#[tokio::test]
async fn what_is_left_on_purpose_while_grafana_is_away_waits_where_it_would_be_swept() {
    for (orphans, waits) in [("Delete", true), ("Report", false)] {
        let policy = json!({"orphans": orphans, "defaultDeletionPolicy": "Orphan"});
        let (world, mut rule, _) = world(&policy).await;
        rule.status = Some(serde_json::from_value(json!({"uid": "u"})).unwrap());
        world.context.running.write().clear();
        let outcome = rule.clean_up(&world.context).await;
        assert_eq!(outcome.is_err(), waits, "{orphans}: {outcome:?}");
    }
}

#[tokio::test]
async fn what_was_left_in_grafana_on_purpose_is_no_orphan_until_it_is_gone() {
    let policy = json!({"orphans": "Delete", "defaultDeletionPolicy": "Orphan"});
    let (mut world, rule, silence) = world(&policy).await;
    let uid = world.grafana.hold(|held| held.rules.keys().next().cloned());
    others(&mut world).await;
    rule.clean_up(&world.context).await.unwrap();
    silence.clean_up(&world.context).await.unwrap();
    vanish(&mut world, rule, silence);
    polls(&world, 12).await;
    assert_eq!(in_grafana(&world), (2, 2));
    assert_eq!(reported(&world), (Some(0), vec![]));
    let instance = world.instance();
    let released = || instance.memory().unwrap().read(|memory| memory.released.len());
    assert_eq!(released(), 2);
    // Nothing is remembered of what isn't there any more.
    instance.mirror.write(|held| held.rules.deleted(&uid.unwrap()));
    polls(&world, 1).await;
    assert_eq!(released(), 1);
}

#[tokio::test]
async fn what_was_left_in_grafana_on_purpose_is_remembered_while_its_namespace_cannot_be_seen() {
    let policy = json!({"orphans": "Delete", "defaultDeletionPolicy": "Orphan"});
    let (mut world, rule, silence) = world(&policy).await;
    others(&mut world).await;
    rule.clean_up(&world.context).await.unwrap();
    silence.clean_up(&world.context).await.unwrap();
    vanish(&mut world, rule, silence);
    world.context.unwatched.begins("AlertRule", "revel");
    world.context.unwatched.begins("Silence", "");
    polls(&world, 2).await;
    world.context.unwatched.ends("AlertRule", "revel");
    world.context.unwatched.ends("Silence", "");
    polls(&world, 12).await;
    assert_eq!(in_grafana(&world), (2, 2), "{:?}", world.server.notes());
}

#[tokio::test]
async fn rules_with_another_owner_id_and_our_names_are_counted() {
    let (world, ..) = world(&json!({})).await;
    assert_eq!(sweep::warning(&world.instance()), None);
    let instance = world.instance();
    let ours = instance
        .mirror
        .read(|held| held.rules.iter().next().cloned().unwrap());
    for (uid, mark) in [
        ("x", "old/revel/r"),
        ("y", "old/revel/other"),
        ("z", "own/revel/r"),
    ] {
        let rule = crate::grafana::api::FoundRule {
            uid: uid.to_owned(),
            owner: Some(mark.to_owned()),
            ..ours.clone()
        };
        instance.mirror.write(|held| held.rules.written(rule));
    }
    polls(&world, 1).await;
    let warning = sweep::warning(&instance).unwrap();
    assert!(
        warning.starts_with("1 rule carries the owner id old") && warning.contains("spec.previousOwnerIDs"),
        "{warning}"
    );
}

#[tokio::test]
async fn a_copy_that_somebody_has_made_of_a_rule_is_neither_removed_nor_taken_for_it() {
    let (mut world, rule, silence) = world(&json!({"orphans": "Delete"})).await;
    let derived = rule_uid("own", "r");
    // As Grafana's pages copy it: labels and all, without a provenance.
    let copy = world.grafana.hold(|held| {
        let copy = model::AlertRule {
            uid: "copy".to_owned(),
            title: "r (copy)".to_owned(),
            provenance: Some(String::new()),
            ..held.rules[&derived].clone()
        };
        held.rules.insert(copy.uid.clone(), copy.clone());
        copy
    });
    let is_as_it_was = |world: &World| world.grafana.hold(|held| held.rules.get("copy") == Some(&copy));
    // Without another one nothing at all would be removed.
    others(&mut world).await;
    rule.clean_up(&world.context).await.unwrap();
    vanish(&mut world, rule, silence);
    for _ in 0..12 {
        world.poll().await;
        polls(&world, 1).await;
    }
    assert!(is_as_it_was(&world), "{:?}", world.server.notes());
    let again = world.rule("r", json!({"query": QUERY}));
    let report = again.reconcile(&world.context).await.unwrap();
    assert_eq!(report.status.uid.as_ref(), Some(&derived));
    assert!(is_as_it_was(&world), "it is somebody's");
}
