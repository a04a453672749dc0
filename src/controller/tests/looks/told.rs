//! Rules, contact points and the tree where Grafana tells of their changes, and what else went by their being read.

use serde_json::json;

use super::*;
use crate::api::GrafanaInstanceStatus;
use crate::controller::instance::describe;
use crate::grafana::api::{Api, Concern};
use crate::grafana::mirror::Part;

const TOLD: [Part; 3] = [Part::Rules, Part::ContactPoints, Part::Policy];

/// A world whose Grafana tells of all that it can.
async fn told(more: &Value) -> World {
    let mut world = World::new();
    for (concern, api) in [
        (Concern::Rules, "rules.alerting.grafana.app/v1beta1"),
        (
            Concern::Notifications,
            "notifications.alerting.grafana.app/v1beta1",
        ),
    ] {
        world.grafana.hold(|held| {
            held.telling.has_verb(true);
            let api = Api::Platform(api.to_owned());
            held.capabilities.apis.insert(concern, api);
        });
    }
    let instance = world.connect(more.clone()).await;
    until("the first read", || instance.health() == Health::Up).await;
    until_told(&world).await;
    world
}

async fn until_told(world: &World) {
    let instance = world.instance();
    until("watches that work", || {
        TOLD.iter().all(|part| instance.watched.has(*part))
    })
    .await;
}

/// Waits longer than others do.
async fn until_within(seconds: u64, what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(
            started.elapsed() < Duration::from_secs(seconds),
            "waited in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How often each of these was listed.
fn lists(world: &World) -> [usize; 3] {
    ["rules.list", "contact_points.list", "policy.get"].map(|list| world.grafana.count(list))
}

/// Lets so many rounds pass.
async fn rounds(world: &World, rounds: usize) {
    let before = world.grafana.count("silences.list");
    world.grafana.called("silences.list", before + rounds).await;
}

fn said(world: &World) -> Vec<String> {
    let mut status = GrafanaInstanceStatus::default();
    describe(&world.instance(), &world.context, &mut status);
    status.apis.into_values().collect()
}

fn edit_rule(world: &World) -> String {
    world.grafana.hold(|held| {
        let rule = held.rules.values_mut().next().expect("a rule");
        rule.r#for = format!("{}h", 1 + rule.r#for.len());
        rule.uid.clone()
    })
}

#[tokio::test]
async fn a_change_by_hand_is_told_to_whom_it_concerns_and_nothing_is_listed_for_it() {
    let mut world = told(&json!({"resyncInterval": "1h"})).await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    point.reconcile(&world.context).await.unwrap();
    let policy = world.policy("tree", json!({"receiver": "team"}));
    policy.reconcile(&world.context).await.unwrap();
    drain(&mut world.receivers.rules);
    drain(&mut world.receivers.contact_points);
    drain(&mut world.receivers.policies);
    let before = lists(&world);

    let uid = edit_rule(&world);
    world.grafana.tell_rule(&uid);
    until("a pass of the rule", || !world.receivers.rules.is_empty()).await;
    world.grafana.hold(|held| {
        let settings = &mut held.points[0].settings;
        settings.insert("url".to_owned(), json!("https://example.com/theirs"));
    });
    world.grafana.tell_contact_point("team");
    until("a pass of the contact point", || {
        !world.receivers.contact_points.is_empty()
    })
    .await;
    drain(&mut world.receivers.policies);
    world
        .grafana
        .hold(|held| held.policy.as_mut().unwrap().group_wait = Some("1h".to_owned()));
    world.grafana.tell_tree();
    until("a pass of the policy", || !world.receivers.policies.is_empty()).await;
    // We had written it, so it was looked at.
    assert_eq!(lists(&world), [before[0], before[1], before[2] + 1]);

    rule.reconcile(&world.context).await.unwrap();
    point.reconcile(&world.context).await.unwrap();
    policy.reconcile(&world.context).await.unwrap();
    world.grafana.hold(|held| {
        assert_eq!(held.rules[&uid].r#for, "0s");
        assert_eq!(held.points[0].settings["url"], json!("https://example.com/hook"));
        assert_eq!(held.policy.as_ref().unwrap().group_wait, None);
    });
}

#[tokio::test]
async fn at_rest_none_of_them_is_read_in_each_resync() {
    let world = told(&json!({"resyncInterval": "1s"})).await;
    rounds(&world, 1).await;
    let before = lists(&world);
    rounds(&world, 3).await;
    assert_eq!(lists(&world), before);
    assert_eq!(
        said(&world),
        [
            "notifications.alerting.grafana.app/v1beta1, watched",
            "rules.alerting.grafana.app/v1beta1, watched"
        ]
    );
}

#[tokio::test]
async fn a_watch_that_ends_and_is_followed_by_another_is_nobodys_concern() {
    let mut world = told(&json!({"resyncInterval": "1h"})).await;
    let said_before = said(&world);
    let (before, silences) = (lists(&world), world.grafana.count("silences.list"));
    drain(&mut world.receivers.instances);
    world.grafana.hold(|held| held.telling.end());
    until("another list of each", || {
        lists(&world)
            .iter()
            .zip(before)
            .all(|(now, before)| *now > before)
    })
    .await;
    until_told(&world).await;
    assert_eq!(world.grafana.count("silences.list"), silences, "that is no round");
    assert_eq!(drain(&mut world.receivers.instances), 0);
    assert_eq!(said(&world), said_before);
}

#[tokio::test]
async fn a_watch_that_ends_and_is_followed_by_none_is_told() {
    let mut world = told(&json!({"resyncInterval": "1h"})).await;
    drain(&mut world.receivers.instances);
    world.grafana.hold(|held| {
        held.telling.has_verb(false);
        held.telling.end();
    });
    until("a status without them", || {
        said(&world).iter().all(|api| !api.contains("watched"))
    })
    .await;
    assert!(drain(&mut world.receivers.instances) > 0);
}

#[tokio::test]
async fn where_only_one_of_two_is_watched_the_status_does_not_say_so_of_both() {
    let world = told(&json!({"resyncInterval": "1h"})).await;
    world.grafana.hold(|held| {
        held.telling.end();
        held.telling.trees.has_verb = false;
    });
    let instance = world.instance();
    until("the tree to be only read", || {
        let watched = instance.watched.all();
        watched == [Part::Rules, Part::ContactPoints].into() && instance.watched.shown() == watched
    })
    .await;
    assert_eq!(
        said(&world),
        [
            "notifications.alerting.grafana.app/v1beta1",
            "rules.alerting.grafana.app/v1beta1, watched"
        ]
    );
}

#[tokio::test]
async fn a_part_that_goes_through_another_api_by_now_is_read_with_the_next_round_and_watched_no_more() {
    let world = told(&json!({"resyncInterval": "1s"})).await;
    rounds(&world, 1).await;
    let before = lists(&world);
    world.grafana.hold(|held| {
        held.capabilities
            .apis
            .insert(Concern::Notifications, Api::Provisioning);
        held.telling.has_verb(false);
    });
    rounds(&world, 2).await;
    let now = lists(&world);
    assert!(now[1] > before[1] && now[2] > before[2], "{now:?} {before:?}");
    assert_eq!(now[0], before[0], "rules still go through the other one");
    let watched = world.instance().watched.all();
    assert_eq!(watched, [Part::Rules].into());
}

#[tokio::test]
async fn a_part_that_was_listed_through_an_api_found_closed_since_is_read_again_with_the_next_round() {
    let world = told(&json!({"resyncInterval": "1s"})).await;
    rounds(&world, 1).await;
    let before = lists(&world);
    // Lists go on as before, as one does that ended before the other was refused.
    world.grafana.hold(|held| {
        held.capabilities
            .apis
            .insert(Concern::Notifications, Api::Provisioning)
    });
    rounds(&world, 4).await;
    let now = lists(&world);
    assert!(
        now[1] > before[1] + 1 && now[2] > before[2] + 1,
        "{now:?} {before:?}"
    );
    assert_eq!(now[0], before[0], "rules still go through the other one");
}

#[tokio::test]
async fn where_secrets_are_not_watched_they_are_read_in_each_round_though_contact_points_are_not() {
    let mut world = World::new();
    Arc::get_mut(&mut world.context).unwrap().watch_secrets = false;
    world.grafana.hold(|held| held.telling.has_verb(true));
    let secret = json!({"secretKeyRef": {"name": "keys", "key": "url"}});
    let point = json!({"integrations": [{"slack": {"url": secret}}]});
    let instance = world.connect(json!({"resyncInterval": "1s"})).await;
    until("the first read", || instance.health() == Health::Up).await;
    until_told(&world).await;
    world.contact_point("team", point);
    rounds(&world, 1).await;
    let before = lists(&world);
    drain(&mut world.receivers.contact_points);
    rounds(&world, 2).await;
    assert_eq!(lists(&world), before);
    assert!(drain(&mut world.receivers.contact_points) > 0);
}

#[tokio::test]
async fn an_orphan_counts_in_each_round_and_is_removed_only_after_rules_were_read() {
    let mut world = told(&json!({"resyncInterval": "1s", "orphans": "Delete"})).await;
    // So that it has counted often enough in a round in which rules aren't read.
    rounds(&world, 3).await;
    for name in ["r", "stays"] {
        let rule = world.rule(name, json!({"query": QUERY, "title": name}));
        rule.reconcile(&world.context).await.unwrap();
        if name == "r" {
            world.server.remove(&path("alertrules", "revel", "r"));
            world.writers.rules.apply(&Event::Delete(rule));
        }
    }
    let before = lists(&world)[0];
    let orphans = || world.instance().orphans.lock().counted().len();
    until("it to count", || orphans() == 1).await;
    assert_eq!(lists(&world)[0], before, "rounds in which rules were not read");
    let rounds_before = world.grafana.count("silences.list");
    until_within(60, "its removal", || world.grafana.count("rules.delete") == 1).await;
    let calls = world.grafana.calls();
    let removal = calls.iter().position(|call| *call == "rules.delete");
    let until = &calls[..removal.expect("the removal")];
    let since = until.rsplit(|call| *call == "rules.list").next().expect("calls");
    let rounds_since = since.iter().filter(|call| **call == "silences.list").count();
    assert!(rounds_since <= 1, "rules were read in the same round: {until:?}");
    let rounds = world.grafana.count("silences.list") - rounds_before;
    assert!((8..=20).contains(&rounds), "{rounds}");
}
