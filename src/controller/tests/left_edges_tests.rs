//! What stays in a Grafana that was left, and what ends the work there.

use super::left_tests::{BEFORE, Moving};
use super::*;
use crate::controller::instance::moved;
use crate::domain::changed::moved::probe_prefix;
use crate::grafana::wire::Folder;

#[tokio::test]
async fn what_is_suspended_let_go_of_or_for_another_instance_too_stays_and_is_named() {
    for (spec, part) in [
        (json!({"suspend": true}), "is suspended"),
        (json!({"deletionPolicy": "Orphan"}), "has deletionPolicy Orphan"),
        (
            json!({"instance": "another"}),
            "is for another GrafanaInstance too",
        ),
    ] {
        let mut moving = Box::pin(Moving::moved()).await;
        let mut changed = serde_json::to_value(&moving.rules[0]).unwrap();
        for (key, value) in spec.as_object().unwrap() {
            changed["spec"][key] = value.clone();
        }
        let changed: AlertRule = serde_json::from_value(changed).unwrap();
        let world = &mut moving.world;
        see(
            &world.context,
            &mut world.writers.rules,
            changed,
            news::about_rule,
        );
        assert!(moving.rounds(3).await, "{spec}: {:?}", moving.outlook());
        let (condition, left) = moving.told();
        let message = condition.unwrap().1;
        assert!(
            message.contains(&format!("AlertRule revel/r00 {part}")),
            "{message}"
        );
        assert_eq!(left, [format!("{BEFORE}: 1 object")]);
        assert_eq!(moving.rules_before(), 1);
    }
}

#[tokio::test]
async fn another_connection_ends_it_at_once() {
    let moving = Box::pin(Moving::moved()).await;
    let mut work = moving.work();
    assert!(!work.round(&moving.world.context).await);
    moving.world.context.running.write().remove("default");
    for _ in 0..3 {
        assert!(!work.round(&moving.world.context).await);
    }
    work.end(&moving.world.context).await;
    moving.assert_untouched();
}

#[tokio::test]
async fn one_that_it_comes_back_to_is_not_left_and_one_that_is_deleted_has_left_none() {
    let moving = Box::pin(Moving::moved()).await;
    let former = &moving.world.context.former;
    assert_eq!(former.open("default").len(), 1);
    former.arrive("default", "http://else (organisation 1)");
    assert_eq!(former.open("default").len(), 1);
    former.arrive("default", BEFORE);
    assert!(former.open("default").is_empty());
    let (condition, _) = moving.told();
    assert_eq!(condition.unwrap().0, "Unknown", "as after a restart");
    moved::leave(&moving.world.instance(), &moving.world.context);
    assert_eq!(former.open("default").len(), 1);
    former.forget("default");
    assert!(former.open("default").is_empty());
}

#[tokio::test]
async fn a_folder_that_a_crash_has_left_is_recognised_and_goes() {
    let mut world = World::new();
    let prefix = probe_prefix(&world.context.owner.code());
    let folder = |uid: &str| Folder {
        uid: uid.to_owned(),
        title: uid.to_owned(),
        parent_uid: None,
    };
    let (left, standing) = (format!("{prefix}left"), format!("{prefix}standing"));
    world.grafana.hold(|held| {
        held.folders = [&left, &standing, "theirs", "alertwright-probe-other-x"]
            .map(folder)
            .to_vec();
    });
    world.context.former.note_probe(&standing, true);
    let instance = world.connect(json!({})).await;
    until("the first read", || instance.health() == Health::Up).await;
    moved::tidy(&instance, &world.context).await;
    let held: Vec<_> = world
        .grafana
        .hold(|held| held.folders.iter().map(|folder| folder.uid.clone()).collect());
    assert_eq!(held, [standing.as_str(), "theirs", "alertwright-probe-other-x"]);
}
