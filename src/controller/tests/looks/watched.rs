//! Folders whose changes Grafana tells as they happen.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::grafana::watching::Watching;
use super::*;
use crate::api::GrafanaInstanceStatus;
use crate::controller::instance::describe;
use crate::grafana::api::{Api, Concern};
use crate::grafana::mirror::{Lookup, Part};
use crate::grafana::wire::Folder;

/// A world whose folders are on a server of their own, and read.
async fn connected(has_verb: bool, resync: &str) -> (World, Watching) {
    let mut world = World::new();
    let (server, folders) = Watching::with(&[("f", "Shop")], has_verb).await;
    world.grafana.hold(|held| held.folders_through = Some(folders));
    let instance = world.connect(json!({"resyncInterval": resync})).await;
    until("the first read", || instance.health() == Health::Up).await;
    (world, server)
}

/// The same, with a watch that works. Nothing is read again by itself within a test.
async fn watched() -> (World, Watching) {
    let (world, server) = connected(true, "1h").await;
    until_watched(&world).await;
    (world, server)
}

async fn until_watched(world: &World) {
    let instance = world.instance();
    until("a watch that works", || instance.watched.has(Part::Folders)).await;
}

fn folder(uid: &str, title: &str) -> Folder {
    Folder {
        uid: uid.to_owned(),
        title: title.to_owned(),
        parent_uid: None,
    }
}

/// The title that the mirror shows, if it knows.
fn title(world: &World, uid: &str) -> Lookup<String> {
    let shown = world
        .instance()
        .mirror
        .read(|held| held.folders.lookup(uid).cloned());
    match shown {
        Lookup::Present(folder) => Lookup::Present(folder.title),
        Lookup::Absent => Lookup::Absent,
        Lookup::Unknown => Lookup::Unknown,
    }
}

async fn until_shown(world: &World, uid: &str, shown: Option<&str>) {
    let wish = shown.map_or(Lookup::Absent, |shown| Lookup::Present(shown.to_owned()));
    until(&format!("{wish:?}"), || title(world, uid) == wish).await;
}

#[tokio::test]
async fn what_people_change_is_noticed_at_once_and_nothing_is_read_for_it() {
    let (mut world, server) = watched().await;
    world.rule("r", json!({"query": QUERY, "folder": "Shop"}));
    drain(&mut world.receivers.rules);
    for (uid, title) in [("f", Some("Till")), ("g", Some("New")), ("f", None)] {
        server.set(uid, title);
        until_shown(&world, uid, title).await;
        until("a pass", || !world.receivers.rules.is_empty()).await;
        drain(&mut world.receivers.rules);
    }
    assert_eq!(server.hold(|held| (held.lists, held.looks)), (1, 0));
}

#[tokio::test]
async fn what_is_told_from_before_our_write_says_nothing_and_what_comes_after_it_does() {
    let (world, server) = watched().await;
    server.tells_only(1);
    let instance = world.instance();
    // Somebody gives it a title; we give it another one and know it before that is told.
    instance.mirror.write(|held| held.folders.begins("f".to_owned()));
    server.hold(|_| {});
    server.set("f", Some("theirs"));
    server.set("f", Some("ours"));
    instance
        .mirror
        .write(|held| held.folders.written("f".to_owned(), Some(folder("f", "ours"))));
    until("a look", || server.hold(|held| held.looks) > 0).await;
    assert_eq!(title(&world, "f"), Lookup::Present("ours".to_owned()));
    // What is told of our own write needs no look.
    server.tells_only(2);
    server.set("f", Some("theirs again"));
    server.tells_only(3);
    until_shown(&world, "f", Some("theirs again")).await;
    assert_eq!(server.hold(|held| (held.lists, held.looks)), (1, 2));
}

#[tokio::test]
async fn a_watch_that_ends_goes_on_from_where_it_was() {
    let (world, server) = watched().await;
    server.set("f", Some("Till"));
    until_shown(&world, "f", Some("Till")).await;
    let version = server.version();
    server.tells_only(1);
    server.set("f", Some("Desk"));
    server.cut();
    until("another watch", || server.hold(|held| held.watches.len()) == 2).await;
    server.tells_only(2);
    until_shown(&world, "f", Some("Desk")).await;
    assert_eq!(
        server.hold(|held| held.watches.clone()),
        ["100".to_owned(), version]
    );
    assert_eq!(server.hold(|held| held.lists), 1);
    assert!(world.instance().watched.has(Part::Folders), "it never stopped");
}

#[tokio::test]
async fn after_a_version_that_is_gone_everything_is_listed_anew_and_watched_from_there() {
    for tells_errors in [false, true] {
        let (world, server) = watched().await;
        server.tells_only(0);
        server.set("f", Some("Till"));
        server.set("g", Some("New"));
        server.hold(|held| held.tells_errors = tells_errors);
        server.compact();
        server.cut();
        until_shown(&world, "f", Some("Till")).await;
        until_shown(&world, "g", Some("New")).await;
        until("a watch from there", || {
            server.hold(|held| held.watches.last() == Some(&"102".to_owned()))
        })
        .await;
        assert_eq!(server.hold(|held| held.lists), 2);
        server.tells_only(9);
        server.set("g", None);
        until_shown(&world, "g", None).await;
        assert_eq!(server.hold(|held| held.lists), 2);
    }
}

#[tokio::test]
async fn without_the_verb_nothing_is_watched_and_each_poll_reads() {
    let (world, server) = connected(false, "1h").await;
    for polls in 1..=3 {
        assert_eq!(server.hold(|held| (held.lists, held.watches.len())), (polls, 0));
        world.poll().await;
    }
    assert!(!world.instance().watched.has(Part::Folders));
}

#[tokio::test]
async fn at_rest_what_is_watched_is_not_read_in_each_resync() {
    let (world, server) = connected(true, "1s").await;
    until_watched(&world).await;
    let lists = server.hold(|held| held.lists);
    let rounds = world.grafana.count("rules.list");
    world.grafana.called("rules.list", rounds + 3).await;
    assert_eq!(server.hold(|held| held.lists), lists);
}

#[tokio::test]
async fn a_watch_that_is_refused_though_discovery_shows_it_is_not_tried_again_and_again() {
    for tells_errors in [false, true] {
        let mut world = World::new();
        let (server, folders) = Watching::with(&[("f", "Shop")], true).await;
        server.hold(|held| {
            held.refuses = Some(500);
            held.tells_errors = tells_errors;
        });
        world.grafana.hold(|held| held.folders_through = Some(folders));
        world.connect(json!({"resyncInterval": "1s"})).await;
        world.grafana.called("rules.list", 4).await;
        let (lists, watches) = server.hold(|held| (held.lists, held.watches.len()));
        assert!(lists >= 3, "each resync reads: {lists}");
        assert_eq!(watches, 1);
        assert_eq!(world.instance().health(), Health::Up, "nothing is wrong");
    }
}

#[tokio::test]
async fn where_lists_go_through_the_older_api_again_nothing_is_watched() {
    let (world, server) = watched().await;
    server.hold(|held| held.refuses_lists = true);
    world.instance().suspicion.of_everything();
    until("the end of the watch", || {
        !world.instance().watched.has(Part::Folders)
    })
    .await;
    until("its connection to close", || server.open() == 0).await;
    assert_eq!(
        title(&world, "f"),
        Lookup::Present("Shop".to_owned()),
        "it can still be asked for"
    );
}

#[tokio::test]
async fn a_new_list_takes_the_place_of_the_watch_without_a_break() {
    let (world, server) = watched().await;
    // One of before says nothing of what the list knows better.
    server.tells_only(0);
    server.set("f", Some("Till"));
    world.instance().suspicion.of_everything();
    until_shown(&world, "f", Some("Till")).await;
    until("another watch", || server.hold(|held| held.watches.len()) == 2).await;
    until("the end of the one before", || server.open() == 1).await;
    assert!(world.instance().watched.has(Part::Folders));
    server.tells_only(9);
    server.set("f", Some("Desk"));
    until_shown(&world, "f", Some("Desk")).await;
}

#[tokio::test]
async fn where_nothing_can_be_read_what_is_watched_cannot_be_either() {
    let (world, _server) = connected(true, "1s").await;
    until_watched(&world).await;
    world.grafana.does(|_| Does::Refuses(502, "no upstream"));
    let instance = world.instance();
    until("the end", || instance.check(&[Part::Folders]).is_err()).await;
    world.grafana.does_well();
    until("a new beginning", || world.instance().health() == Health::Up).await;
    until_watched(&world).await;
}

#[tokio::test]
async fn with_the_instance_its_watch_ends() {
    let (world, server) = watched().await;
    assert_eq!(server.open(), 1);
    world.instance().stop.cancel();
    until("its connection to close", || server.open() == 0).await;
}

#[tokio::test]
async fn a_status_says_what_is_watched() {
    let (world, _server) = watched().await;
    let api = Api::Platform("folder.grafana.app/v1".to_owned());
    world
        .grafana
        .hold(|held| held.capabilities.apis = [(Concern::Folders, api)].into());
    let mut status = GrafanaInstanceStatus::default();
    describe(&world.instance(), &world.context, &mut status);
    let said: BTreeSet<_> = status.apis.values().map(String::as_str).collect();
    assert_eq!(said, ["folder.grafana.app/v1, watched"].into());
}
