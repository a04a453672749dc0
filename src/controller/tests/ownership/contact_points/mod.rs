//! What somebody else has put into a contact point of ours, or has made under its name.

mod equal;

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;

use super::adoption::adopting;
use super::*;
use crate::controller::engine::failure::Retry;

fn spec() -> Value {
    json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]})
}

/// An integration that somebody else has made.
fn by_hand(name: &str) -> Point {
    let settings = json!({"url": "https://example.com/theirs"});
    Point {
        uid: format!("by-hand-{name}"),
        name: name.to_owned(),
        r#type: "slack".to_owned(),
        settings: settings.as_object().unwrap().clone(),
    }
}

/// Has somebody else make this contact point when so many of ours are being made: after the look, and before the write.
fn taken_at(world: &World, name: &'static str, times: usize) {
    let (grafana, made) = (world.grafana.clone(), AtomicUsize::new(0));
    world.grafana.does(move |called| {
        if called == "contact_points.create" && made.fetch_add(1, Ordering::Relaxed) == times {
            grafana.hold(|held| held.points.push(by_hand(name)));
        }
        Does::Well
    });
}

/// The types of the integrations of a contact point.
fn types(world: &World, name: &str) -> Vec<String> {
    world.grafana.hold(|held| {
        let points = held.points.iter().filter(|point| point.name == name);
        let mut types: Vec<_> = points.map(|point| point.r#type.clone()).collect();
        types.sort();
        types
    })
}

fn writes(world: &World) -> usize {
    let calls = world.grafana.calls();
    let looks = ["contact_points.list", "contact_points.get"];
    let writes = calls
        .iter()
        .filter(|call| call.starts_with("contact_points.") && !looks.contains(call));
    writes.count()
}

#[tokio::test]
async fn what_joins_a_contact_point_that_somebody_else_makes_in_that_moment_is_taken_out_again() {
    let mut world = World::connected().await;
    let object = world.contact_point("team", spec());
    taken_at(&world, "team", 0);
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert!(
        failure.message.contains("slack (by-hand-team)"),
        "{}",
        failure.message
    );
    assert_eq!(types(&world, "team"), ["slack"]);
    let deleted = world.grafana.count("contact_points.delete");
    assert_eq!(deleted, 1, "ours alone");
    let is_known = world
        .instance()
        .memory()
        .unwrap()
        .read(|memory| memory.sent.len());
    assert_eq!(is_known, 0);
    let before = writes(&world);
    world.poll().await;
    object.reconcile(&world.context).await.unwrap_err();
    object.clean_up(&world.context).await.unwrap();
    assert_eq!(
        (writes(&world), types(&world, "team")),
        (before, vec!["slack".to_owned()])
    );
}

#[tokio::test]
async fn what_joins_in_that_moment_takes_the_contact_point_over_where_it_may() {
    let mut world = World::connected().await;
    let object = adopting(world.contact_point("team", spec()));
    taken_at(&world, "team", 0);
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.retry, Retry::Soon, "{}", failure.message);
    object.reconcile(&world.context).await.unwrap();
    assert_eq!(types(&world, "team"), ["webhook"]);
    let notes = world.server.notes();
    assert!(
        notes.len() == 1 && notes[0].contains("Adopted") && notes[0].contains("by-hand-team"),
        "{notes:?}"
    );
}

#[tokio::test]
async fn where_the_look_after_the_write_fails_the_next_pass_looks() {
    let mut world = World::connected().await;
    let object = world.contact_point("team", spec());
    let grafana = world.grafana.clone();
    world.grafana.does(move |called| match called {
        "contact_points.create" => {
            grafana.hold(|held| held.points.push(by_hand("team")));
            Does::Well
        }
        "contact_points.get" => Does::Refuses(503, "not now"),
        _ => Does::Well,
    });
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Unavailable), "{}", failure.message);
    world.grafana.does_well();
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert_eq!(types(&world, "team"), ["slack"]);
}

#[tokio::test]
async fn what_has_joined_while_its_answer_was_lost_is_taken_out_again() {
    let mut world = World::connected().await;
    let two = json!({"integrations": [
        {"webhook": {"url": {"value": "https://example.com/hook"}}}, {"email": {"addresses": ["a@example.com"]}},
    ]});
    let object = world.contact_point("team", two);
    let owner = Owner::parse("own").unwrap();
    let uid = owner.integration_uid("revel", "team", "webhook", 0);
    let grafana = world.grafana.clone();
    world.grafana.does(move |called| match called {
        "contact_points.create" => {
            let ours = Point {
                uid: uid.clone(),
                r#type: "webhook".to_owned(),
                ..by_hand("team")
            };
            grafana.hold(|held| held.points.extend([by_hand("team"), ours]));
            Does::Refuses(502, "the answer is lost")
        }
        _ => Does::Well,
    });
    object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(types(&world, "team"), ["slack", "webhook"]);
    world.grafana.does_well();
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert_eq!(types(&world, "team"), ["slack"]);
    let before = writes(&world);
    world.poll().await;
    object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(writes(&world), before);
}

#[tokio::test]
async fn what_was_seen_alone_is_made_whatever_became_of_the_note_of_it_and_stays_beside_what_somebody_adds() {
    for (has_revisions, is_hidden) in [(false, false), (false, true), (true, false)] {
        let hidden: &[_] = if is_hidden { &["url"] } else { &[] };
        let mut world = world_with(&json!({}), |held| {
            held.has_revisions = has_revisions;
            held.hidden = hidden.to_vec();
        })
        .await;
        let object = world.contact_point("team", spec());
        let server = world.server.clone();
        world.grafana.does(move |called| {
            if ["contact_points.create", "contact_points.put"].contains(&called) {
                server.close("/secrets");
            }
            Does::Well
        });
        object.reconcile(&world.context).await.unwrap_err();
        assert_eq!(types(&world, "team"), ["webhook"]);
        world.server.open();
        world.grafana.does_well();
        world.poll().await;
        object.reconcile(&world.context).await.unwrap();
        let noted = world
            .instance()
            .memory()
            .unwrap()
            .read(|memory| memory.sent.values().map(String::len).collect::<Vec<_>>());
        assert_eq!(noted, [64], "a code of what was sent");
        world.grafana.hold(|held| held.points.push(by_hand("team")));
        world.poll().await;
        let before = writes(&world);
        let failure = object.reconcile(&world.context).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
        assert!(failure.message.contains("which stay"), "{}", failure.message);
        assert_eq!(types(&world, "team"), ["slack", "webhook"]);
        assert_eq!(writes(&world), before);
    }
}

#[tokio::test]
async fn many_that_are_made_together_share_two_looks_and_the_one_whose_name_was_taken_is_found() {
    let mut world = World::connected().await;
    let names: Vec<String> = (0..20).map(|i| format!("team-{i}")).collect();
    let objects: Vec<_> = names
        .iter()
        .map(|name| world.contact_point(name, spec()))
        .collect();
    let looks = |world: &World| {
        let count = |called| world.grafana.count(called);
        (count("contact_points.list"), count("contact_points.get"))
    };
    let before = looks(&world);
    taken_at(&world, "team-10", 5);
    let ends = join_all(objects.iter().map(|object| object.reconcile(&world.context))).await;
    let refused: Vec<_> = ends
        .iter()
        .zip(&names)
        .filter_map(|(end, name)| Some((name.as_str(), end.as_ref().err()?.reason?)))
        .collect();
    assert_eq!(refused, [("team-10", Reason::NotOwned)]);
    assert_eq!(
        looks(&world),
        (before.0 + 2, before.1),
        "{:?}",
        world.grafana.calls()
    );
    assert_eq!(types(&world, "team-10"), ["slack"]);
    assert_eq!(types(&world, "team-11"), ["webhook"]);
}

#[tokio::test]
async fn a_name_that_was_freed_since_the_last_look_is_looked_at_anew() {
    let mut world = World::connected().await;
    let object = world.contact_point("team", spec());
    object.reconcile(&world.context).await.unwrap();
    let other = world.contact_point("other", spec());
    other.reconcile(&world.context).await.unwrap();
    object.clean_up(&world.context).await.unwrap();
    assert!(types(&world, "team").is_empty());
    object.reconcile(&world.context).await.unwrap();
    assert_eq!(types(&world, "team"), ["webhook"]);
}

#[tokio::test]
async fn what_somebody_adds_to_ours_stays_beside_it_until_it_is_taken_over() {
    for has_revisions in [false, true] {
        let mut world = world_with(&json!({}), |held| held.has_revisions = has_revisions).await;
        let object = world.contact_point("team", spec());
        object.reconcile(&world.context).await.unwrap();
        world.grafana.hold(|held| held.points.push(by_hand("team")));
        world.poll().await;
        let before = writes(&world);
        for _ in 0..2 {
            let failure = object.reconcile(&world.context).await.unwrap_err();
            assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
            for part in ["slack (by-hand-team)", "which stay", ANNOTATION_ADOPT] {
                assert!(failure.message.contains(part), "{part}: {}", failure.message);
            }
        }
        assert_eq!(writes(&world), before, "{has_revisions}");
        // Ours is kept up all the same.
        let two = json!({"integrations": [
            {"webhook": {"url": {"value": "https://example.com/other"}}}, {"email": {"addresses": ["a@example.com"]}},
        ]});
        let edited = world.contact_point("team", two);
        edited.reconcile(&world.context).await.unwrap_err();
        assert_eq!(types(&world, "team"), ["email", "slack", "webhook"]);
        let instance = world.instance();
        let known = instance
            .mirror
            .read(|held| held.contact_points.lookup("team").cloned().present());
        let uids: Vec<_> = known.unwrap().object.uids().cloned().collect();
        assert!(uids.contains(&"by-hand-team".to_owned()), "{uids:?}");
        let before = writes(&world);
        world.poll().await;
        edited.reconcile(&world.context).await.unwrap_err();
        assert_eq!(writes(&world), before, "{has_revisions}: at rest");
        // With its resource goes what is ours.
        let theirs = by_hand("team").settings;
        let kept = |world: &World| {
            world.grafana.hold(|held| {
                let slack = held.points.iter().find(|point| point.r#type == "slack");
                slack.map(|point| point.settings.clone())
            })
        };
        assert_eq!(kept(&world), Some(theirs));
        let object = adopting(edited);
        object.reconcile(&world.context).await.unwrap();
        assert_eq!(types(&world, "team"), ["email", "webhook"]);
        let notes = world.server.notes();
        assert!(
            notes.len() == 1 && notes[0].contains("slack (by-hand-team)"),
            "{notes:?}"
        );
    }
}

#[tokio::test]
async fn two_resources_of_ours_that_have_joined_take_nothing_from_each_other() {
    let mut world = World::connected().await;
    let object = adopting(world.contact_point("team", spec()));
    object.reconcile(&world.context).await.unwrap();
    let other = json!({"name": "team", "integrations": [{"slack": {"url": {"value": "https://example.com/slack"}}}], "instance": "elsewhere"});
    world.contact_point("other", other);
    let uid = Owner::parse("own")
        .unwrap()
        .integration_uid("revel", "other", "slack", 0);
    world.grafana.hold(|held| {
        held.points.push(Point {
            uid,
            ..by_hand("team")
        });
    });
    world.poll().await;
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    assert!(
        failure.message.contains("ContactPoint revel/other"),
        "{}",
        failure.message
    );
    assert_eq!(types(&world, "team"), ["slack", "webhook"]);
}

#[tokio::test]
async fn a_contact_point_without_integrations_is_somebodys_too() {
    let mut world = world_with(&json!({}), |held| {
        held.has_revisions = true;
        held.empty_points.insert("team".to_owned());
    })
    .await;
    let object = world.contact_point("team", spec());
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert!(failure.message.contains("sends nothing"), "{}", failure.message);
    object.clean_up(&world.context).await.unwrap();
    assert_eq!(writes(&world), 0);
    adopting(object.clone()).reconcile(&world.context).await.unwrap();
    assert_eq!(types(&world, "team"), ["webhook"]);
    let expected = "Adopted: took over Grafana's contact point team, which this resource hadn't made";
    assert_eq!(world.server.notes(), [expected]);
    // One of ours that somebody has emptied is put right.
    world.grafana.hold(|held| {
        held.points.clear();
        held.empty_points.insert("team".to_owned());
    });
    world.poll().await;
    object.reconcile(&world.context).await.unwrap();
    assert_eq!(types(&world, "team"), ["webhook"]);
}

#[tokio::test]
async fn a_contact_point_without_integrations_that_comes_in_the_moment_of_our_write_is_not_ours() {
    let mut world = world_with(&json!({}), |held| held.has_revisions = true).await;
    let object = world.contact_point("team", spec());
    let grafana = world.grafana.clone();
    world.grafana.does(move |called| {
        if called == "contact_points.put" {
            grafana.hold(|held| held.empty_points.insert("team".to_owned()));
        }
        Does::Well
    });
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.retry, Retry::Soon, "{}", failure.message);
    let failure = object.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert!(types(&world, "team").is_empty());
}
