//! Silences that somebody made by hand.

mod extent;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::*;
use super::adoption::adopting;
use super::world_with;
use crate::api::ANNOTATION_ADOPT;
use crate::api::condition::Reason;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::news;
use crate::controller::pass::{self, Reconcile};
use crate::grafana::wire::{Silence as Stored, SilenceMatcher, SilenceState, SilenceStatus as StoredStatus};

const END: &str = "2100-01-01T00:00:00Z";

/// A silence of somebody's with this one matcher, in a namespace that may silence everything.
async fn made_by_hand(id: &'static str, label: &'static str) -> World {
    let instance = json!({"unrestrictedNamespaces": {"names": ["revel"]}});
    world_with(&instance, |held| {
        held.silences.push(Stored {
            id: Some(id.to_owned()),
            matchers: vec![SilenceMatcher {
                name: label.to_owned(),
                value: "web".to_owned(),
                is_regex: false,
                is_equal: true,
            }],
            starts_at: Timestamp::now() - SignedDuration::from_hours(1),
            ends_at: END.parse().unwrap(),
            created_by: "admin".to_owned(),
            comment: "by hand".to_owned(),
            updated_at: None,
            status: Some(StoredStatus {
                state: SilenceState::Active,
            }),
        });
    })
    .await
}

fn named(mut silence: Silence, id: &str) -> Silence {
    let annotations = silence.metadata.annotations.get_or_insert_default();
    annotations.insert(ANNOTATION_ADOPT.to_owned(), id.to_owned());
    silence
}

#[tokio::test]
async fn an_equal_silence_made_by_hand_is_taken_over_without_a_write_and_ends_with_its_resource() {
    for by_id in [false, true] {
        let mut world = made_by_hand("theirs", "team").await;
        let silence = world.silence("s", json!({"matchers": ["team=web"], "endsAt": END}));
        let mut silence = if by_id {
            named(silence, "theirs")
        } else {
            adopting(silence)
        };
        for _ in 0..2 {
            let status = silence.reconcile(&world.context).await.unwrap().status;
            assert_eq!(status.id.as_deref(), Some("theirs"));
            silence.status = Some(status);
        }
        // It stays taken over without the annotation, and costs no more calls.
        silence.metadata.annotations = None;
        silence.reconcile(&world.context).await.unwrap();
        assert_eq!(world.grafana.count("silences.put"), 0, "by id: {by_id}");
        let notes = world.server.notes();
        assert!(
            notes.len() == 1 && notes[0].contains("Adopted") && notes[0].contains("theirs"),
            "{notes:?}"
        );
        silence.clean_up(&world.context).await.unwrap();
        assert_eq!(world.grafana.count("silences.expire"), 1);
    }
}

#[tokio::test]
async fn a_silence_made_by_hand_is_left_alone_unless_it_is_asked_for_and_has_equal_matchers() {
    // Not asked for.
    let mut world = made_by_hand("theirs", "team").await;
    let spec = json!({"matchers": ["team=web"], "endsAt": END});
    let silence = world.silence("s", spec.clone());
    silence.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("silences.put"), 1);
    assert_eq!(world.grafana.hold(|held| held.silences.len()), 2, "one of each");
    // Other matchers, and an id that isn't there.
    for (id, reason, words) in [
        (
            "theirs",
            Reason::NotOwned,
            "has the matchers app=\"web\", and this resource asks for team=\"web\"",
        ),
        ("other", Reason::DependencyMissing, "Grafana has no silence other"),
    ] {
        let mut world = made_by_hand("theirs", "app").await;
        let silence = named(world.silence("s", spec.clone()), id);
        let failure = silence.reconcile(&world.context).await.err().unwrap();
        assert_eq!(failure.reason, Some(reason));
        assert!(failure.message.contains(words), "{}", failure.message);
        assert_eq!(
            world.grafana.count("silences.put") + world.grafana.count("silences.expire"),
            0
        );
    }
    // A namespace that may not cover others' alerts doesn't get at it.
    let mut world = made_by_hand("theirs", "team").await;
    world.connect(json!({})).await;
    world.poll().await;
    let silence = named(world.silence("s", spec), "theirs");
    let failure = silence.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
}

/// A silence created in this second of a minute, that asks to take over what somebody made by hand.
fn created(world: &mut World, name: &str, second: u8, adopt: &str, end: &str) -> Silence {
    let spec = json!({"matchers": ["team=web"], "endsAt": end});
    let mut silence = named(made(&world.server, "silences", name, spec), adopt);
    silence.metadata.creation_timestamp =
        serde_json::from_value(json!(format!("2026-01-01T00:00:{second:02}Z"))).unwrap();
    see(
        &world.context,
        &mut world.writers.silences,
        silence,
        news::about_silence,
    )
}

/// Runs a pass, and lets the watch tell of the status.
async fn stored(world: &mut World, mut silence: Silence) -> Result<Silence, Failure> {
    silence.status = Some(silence.reconcile(&world.context).await?.status);
    Ok(see(
        &world.context,
        &mut world.writers.silences,
        silence,
        news::about_silence,
    ))
}

/// The same by a whole pass, which also tells how it went.
async fn passed(world: &mut World, mut silence: Silence) -> Silence {
    pass::run(Arc::new(silence.clone()), world.context.clone())
        .await
        .unwrap();
    let at = path("silences", "revel", silence.metadata.name.as_deref().unwrap());
    silence.status = serde_json::from_value(world.server.get(&at)["status"].clone()).unwrap();
    see(
        &world.context,
        &mut world.writers.silences,
        silence,
        news::about_silence,
    )
}

fn id_of(silence: &Silence) -> Option<&str> {
    silence.status.as_ref()?.id.as_deref()
}

#[tokio::test]
async fn of_two_that_ask_for_one_silence_made_by_hand_the_older_has_it_whichever_comes_first() {
    const OTHER_END: &str = "2100-01-02T00:00:00Z";
    for (adopt, end) in [
        ("true", END),
        ("true", OTHER_END),
        ("theirs", END),
        ("theirs", OTHER_END),
    ] {
        for younger_first in [false, true] {
            let case = format!("adopt {adopt}, until {end}, the younger one first: {younger_first}");
            let mut world = made_by_hand("theirs", "team").await;
            let (older, younger);
            if younger_first {
                // It is there alone, for a while.
                let first = created(&mut world, "younger", 2, adopt, END);
                let first = stored(&mut world, first).await.unwrap();
                assert_eq!(id_of(&first), Some("theirs"), "{case}");
                drain(&mut world.receivers.silences);
                let second = created(&mut world, "older", 1, adopt, end);
                older = stored(&mut world, second).await.unwrap();
                assert_eq!(
                    drain(&mut world.receivers.silences),
                    1,
                    "{case}: the younger one is told"
                );
                younger = first;
            } else {
                let first = created(&mut world, "older", 1, adopt, end);
                younger = created(&mut world, "younger", 2, adopt, end);
                // Its pass comes before that of the older one, which has asked for it as well.
                let outcome = younger.reconcile(&world.context).await;
                match outcome {
                    Ok(report) => {
                        assert_ne!(report.status.id.as_deref(), Some("theirs"), "{case}");
                        let beside = |warning: &String| warning.contains("the older Silence revel/older's");
                        assert!(
                            report.warnings.iter().any(beside),
                            "{case}: {:?}",
                            report.warnings
                        );
                    }
                    Err(failure) => assert_eq!(failure.reason, Some(Reason::Conflict), "{case}"),
                }
                older = stored(&mut world, first).await.unwrap();
            }
            assert_eq!(id_of(&older), Some("theirs"), "{case}");
            match younger.reconcile(&world.context).await {
                Ok(report) => {
                    assert_eq!(adopt, "true");
                    assert_ne!(report.status.id.as_deref(), Some("theirs"), "{case}");
                }
                Err(failure) => {
                    assert_eq!(
                        (adopt, failure.reason),
                        ("theirs", Some(Reason::Conflict)),
                        "{case}"
                    );
                    let message = failure.message;
                    assert!(
                        message.contains("Silence revel/older is older"),
                        "{case}: {message}"
                    );
                }
            }
            // What goes takes nothing of the other one along; what it had is free then.
            younger.clean_up(&world.context).await.unwrap();
            let living = |world: &World| {
                world.grafana.hold(|held| {
                    let all = held
                        .silences
                        .iter()
                        .filter(|s| s.state() == Some(SilenceState::Active));
                    all.map(|found| found.id.clone().unwrap()).collect::<Vec<_>>()
                })
            };
            assert_eq!(living(&world), ["theirs"], "{case}");
            let third = created(&mut world, "third", 3, "theirs", end);
            let failure = third.reconcile(&world.context).await.err().unwrap();
            assert_eq!(failure.reason, Some(Reason::Conflict), "{case}");
            drain(&mut world.receivers.silences);
            let gone = Event::Delete(older);
            let last = world.writers.silences.apply(&gone);
            news::about_silence(&gone, last.as_deref(), &world.context);
            assert!(
                drain(&mut world.receivers.silences) > 0,
                "{case}: who waits is told"
            );
        }
    }
}

#[tokio::test]
async fn two_equal_silences_made_by_hand_are_taken_over_by_two_resources() {
    let mut world = made_by_hand("a", "team").await;
    world.grafana.hold(|held| {
        let mut other = held.silences[0].clone();
        other.id = Some("b".to_owned());
        held.silences.push(other);
    });
    world.poll().await;
    let older = created(&mut world, "older", 1, "true", END);
    let younger = created(&mut world, "younger", 2, "true", END);
    let younger = stored(&mut world, younger).await.unwrap();
    let older = stored(&mut world, older).await.unwrap();
    assert_eq!((id_of(&older), id_of(&younger)), (Some("b"), Some("a")));
    assert_eq!(world.grafana.count("silences.put"), 0);
}

#[tokio::test]
async fn who_has_a_silence_keeps_it_and_who_is_deleted_before_it_had_any_keeps_it_from_nobody() {
    let mut world = made_by_hand("theirs", "team").await;
    let older = created(&mut world, "older", 1, "theirs", END);
    let mut older = stored(&mut world, older).await.unwrap();
    // Without the annotation, and after a start that knows of no claims, its status says that it has it.
    older.metadata.annotations = None;
    see(
        &world.context,
        &mut world.writers.silences,
        older.clone(),
        news::about_silence,
    );
    world.context.claims.ask(&older, None);
    let younger = created(&mut world, "younger", 2, "theirs", END);
    let failure = younger.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::Conflict), "{}", failure.message);

    let mut world = made_by_hand("theirs", "team").await;
    let mut older = created(&mut world, "older", 1, "theirs", END);
    older.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    see(
        &world.context,
        &mut world.writers.silences,
        older,
        news::about_silence,
    );
    let younger = created(&mut world, "younger", 2, "theirs", END);
    let younger = stored(&mut world, younger).await.unwrap();
    assert_eq!(id_of(&younger), Some("theirs"));
    assert!(world.context.claims.asks(&younger).is_some());
}

#[tokio::test]
async fn who_asks_for_a_silence_that_it_cannot_have_keeps_it_from_nobody() {
    for first in ["older", "younger"] {
        let mut world = made_by_hand("theirs", "team").await;
        let mut older = created(&mut world, "older", 1, "theirs", END);
        older.spec = serde_json::from_value(json!({"matchers": ["app=web"], "endsAt": END})).unwrap();
        let older = see(
            &world.context,
            &mut world.writers.silences,
            older,
            news::about_silence,
        );
        let younger = created(&mut world, "younger", 2, "theirs", END);
        let refused = async |silence: &Silence| {
            let failure = silence.reconcile(&world.context).await.err().unwrap();
            assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
        };
        if first == "older" {
            refused(&older).await;
        }
        let report = younger.reconcile(&world.context).await.unwrap();
        assert_eq!(report.status.id.as_deref(), Some("theirs"), "{first} first");
        refused(&older).await;
        assert_eq!(world.grafana.count("silences.put"), 0);
    }
}

#[tokio::test]
async fn who_asks_for_another_one_lets_go_of_what_it_asked_for_before() {
    let mut world = made_by_hand("theirs", "team").await;
    let mut older = created(&mut world, "older", 1, "theirs", END);
    world.context.claims.ask(&older, Some("theirs"));
    older.spec = serde_json::from_value(json!({"matchers": ["app=web"], "endsAt": END})).unwrap();
    see(
        &world.context,
        &mut world.writers.silences,
        older.clone(),
        news::about_silence,
    );
    older.reconcile(&world.context).await.err().unwrap();
    assert_eq!(world.context.claims.asks(&older), None);
    let younger = created(&mut world, "younger", 2, "theirs", END);
    let younger = stored(&mut world, younger).await.unwrap();
    assert_eq!(id_of(&younger), Some("theirs"));
}

#[tokio::test]
async fn a_silence_made_by_hand_since_the_last_look_is_taken_over_at_once() {
    let mut world = made_by_hand("theirs", "team").await;
    world.grafana.hold(|held| {
        let mut other = held.silences[0].clone();
        other.id = Some("new".to_owned());
        held.silences.push(other);
    });
    let silence = created(&mut world, "s", 1, "new", END);
    let silence = stored(&mut world, silence).await.unwrap();
    assert_eq!(id_of(&silence), Some("new"));
    assert_eq!(world.grafana.count("silences.put"), 0);
    for id in ["", ".."] {
        let other = created(&mut world, "t", 2, id, END);
        let failure = other.reconcile(&world.context).await.err().unwrap();
        assert_eq!(
            failure.reason,
            Some(Reason::DependencyMissing),
            "{}",
            failure.message
        );
    }
}

#[tokio::test]
async fn what_somebody_changes_of_a_silence_that_was_taken_over_is_noticed_and_left_where_it_is_only_told() {
    for policy in ["Report", "Correct"] {
        let mut world = made_by_hand("theirs", "team").await;
        let instance = json!({"unrestrictedNamespaces": {"names": ["revel"]}, "driftPolicy": policy});
        world.connect(instance).await;
        world.poll().await;
        let silence = created(&mut world, "s", 1, "theirs", END);
        let mut silence = passed(&mut world, silence).await;
        let is_left = policy == "Report";
        for (change, fields, state) in [
            (
                (|found| found.ends_at = "2099-01-01T00:00:00Z".parse().unwrap()) as fn(&mut Stored),
                ["endsAt"],
                "Active",
            ),
            (
                |found| {
                    found.ends_at = Timestamp::now() - SignedDuration::from_secs(1);
                    let state = SilenceState::Expired;
                    found.status = Some(StoredStatus { state });
                },
                ["deleted"],
                "Expired",
            ),
        ] {
            let id = id_of(&silence).unwrap().to_owned();
            world.grafana.hold(|held| {
                let found = held
                    .silences
                    .iter_mut()
                    .find(|found| found.id.as_ref() == Some(&id));
                change(found.unwrap());
            });
            drain(&mut world.receivers.silences);
            let puts = world.grafana.count("silences.put");
            world.poll().await;
            assert_eq!(drain(&mut world.receivers.silences), 1, "{policy}: it is noticed");
            silence = passed(&mut world, silence).await;
            assert_eq!(
                world.grafana.count("silences.put") - puts,
                usize::from(!is_left),
                "{policy}"
            );
            let status = silence.status.as_ref().unwrap();
            if is_left {
                assert_eq!(status.drift, fields);
                assert_eq!(status.state.as_deref(), Some(state));
                assert_eq!(status.id.as_deref(), Some("theirs"));
            } else {
                assert_eq!(status.state.as_deref(), Some("Active"));
            }
        }
    }
}

/// What Grafana holds may last longer than what it has refused.
#[tokio::test]
async fn a_silence_that_is_refused_is_looked_at_again_no_later_than_when_it_is_over() {
    let mut world = World::connected().await;
    world.grafana.does(|called| match called {
        "silences.put" => Does::Refuses(400, "start time must be before end time"),
        _ => Does::Well,
    });
    let ends = Timestamp::now() + SignedDuration::from_mins(1);
    let silence = world.silence("s", json!({"matchers": ["a=b"], "endsAt": ends}));
    for _ in 0..2 {
        let failure = silence.reconcile(&world.context).await.unwrap_err();
        let is_soon = matches!(failure.retry, Retry::After(later) if later.as_secs() <= 60);
        assert!(is_soon, "{failure:?}");
    }
    assert_eq!(world.grafana.count("silences.put"), 1);
}
