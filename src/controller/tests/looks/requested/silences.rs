//! Silences, of which Grafana is asked all at once.

use super::*;
use crate::api::ANNOTATION_ADOPT;
use crate::grafana::wire::{Silence as WireSilence, SilenceMatcher, SilenceState, SilenceStatus};

/// Makes silences and lets the watch tell of them as they are.
async fn many_silences(world: &mut World, number: usize) -> Vec<String> {
    let names: Vec<String> = (0..number).map(|number| format!("s{number}")).collect();
    for name in &names {
        world.silence(
            name,
            json!({"matchers": [format!("a={name}")], "duration": "5000d"}),
        );
        rests::<Silence>(world, "silences", name).await;
    }
    names
}

fn see_silence(world: &mut World, name: &str) {
    let silence = object::<Silence>(world, "silences", name);
    see(
        &world.context,
        &mut world.writers.silences,
        silence,
        news::about_silence,
    );
}

#[tokio::test]
async fn silences_that_are_asked_for_together_are_read_together() {
    let mut world = world().await;
    let names = many_silences(&mut world, 5).await;
    let before = world.grafana.count("silences.list");
    for name in &names {
        ask(&world, "silences", name, "now");
        see_silence(&mut world, name);
    }
    for name in &names {
        pass::<Silence>(&world, "silences", name).await;
        assert_eq!(handled(&world, "silences", name), json!("now"));
    }
    assert_eq!(world.grafana.count("silences.list"), before + 1);

    // A request that came after that read is another one.
    ask(&world, "silences", "s3", "later");
    see_silence(&mut world, "s3");
    pass::<Silence>(&world, "silences", "s3").await;
    assert_eq!(world.grafana.count("silences.list"), before + 2);
    assert_eq!(world.grafana.count("silences.put"), 5, "each was written once");
}

#[tokio::test]
async fn a_read_of_all_silences_that_fails_serves_nobody() {
    let mut world = world().await;
    let names = many_silences(&mut world, 2).await;
    for name in &names {
        ask(&world, "silences", name, "now");
        see_silence(&mut world, name);
    }
    let before = world.grafana.count("silences.list");
    world.grafana.does(|_| Does::Refuses(503, "no"));
    pass::<Silence>(&world, "silences", "s0").await;
    world.grafana.does_well();
    pass::<Silence>(&world, "silences", "s1").await;
    assert_eq!(world.grafana.count("silences.list"), before + 2);
}

#[tokio::test]
async fn a_request_finds_a_silence_that_is_gone_and_others_hear_of_what_has_become_of_theirs() {
    let mut world = world().await;
    many_silences(&mut world, 2).await;
    see_silence(&mut world, "s1");
    drain(&mut world.receivers.silences);
    world.grafana.hold(|held| held.silences.clear());
    ask(&world, "silences", "s0", "now");
    see_silence(&mut world, "s0");
    pass::<Silence>(&world, "silences", "s0").await;
    assert_eq!(
        world.grafana.count("silences.put"),
        3,
        "{:?}",
        world.grafana.calls()
    );
    let mut told = Vec::new();
    while let Ok(next) = world.receivers.silences.try_recv() {
        told.push(next.name);
    }
    assert_eq!(told, ["s1"]);
}

#[tokio::test]
async fn a_request_finds_that_a_silence_that_was_taken_over_is_gone() {
    let mut world = world_with(json!({"unrestrictedNamespaces": {"names": ["revel"]}})).await;
    world.grafana.hold(|held| {
        held.silences.push(WireSilence {
            id: Some("by-hand".to_owned()),
            matchers: vec![SilenceMatcher {
                name: "a".to_owned(),
                value: "b".to_owned(),
                is_regex: false,
                is_equal: true,
            }],
            starts_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            ends_at: "2039-01-01T00:00:00Z".parse().unwrap(),
            created_by: "somebody".to_owned(),
            comment: "by hand".to_owned(),
            status: Some(SilenceStatus {
                state: SilenceState::Active,
            }),
            updated_at: None,
        });
    });
    world.poll().await;
    let spec =
        json!({"matchers": ["a=b"], "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2039-01-01T00:00:00Z"});
    world.silence("s", spec);
    annotate(&world, "silences", "s", ANNOTATION_ADOPT, "true");
    rests::<Silence>(&world, "silences", "s").await;
    let puts = world.grafana.count("silences.put");
    world.grafana.hold(|held| held.silences.clear());
    ask(&world, "silences", "s", "now");
    pass::<Silence>(&world, "silences", "s").await;
    assert_eq!(
        world.grafana.count("silences.put"),
        puts + 1,
        "{:?}",
        world.grafana.calls()
    );
}
