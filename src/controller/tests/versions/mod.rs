//! What newer versions of Grafana do otherwise.

mod apis;
mod folders;
mod titles;

use jiff::civil::date;
use serde_json::json;

use super::*;
use crate::api::condition::Reason;
use crate::api::{ANNOTATION_ADOPT, GrafanaInstanceStatus};
use crate::controller::engine::failure::Retry;
use crate::controller::instance;
use crate::controller::pass::Reconcile;
use crate::grafana::model::{self, Route};
use crate::grafana::wire::{Deprecation, Folder};

#[tokio::test]
async fn a_folder_that_the_index_does_not_show_yet_is_neither_gone_nor_made_again() {
    let mut world = World::connected().await;
    world.grafana.hold(|held| held.index_lags = true);
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    drain(&mut world.receivers.rules);
    let asked = world.grafana.count("folders.get");
    world.poll().await;
    assert_eq!(
        world.grafana.count("folders.get"),
        asked + 1,
        "the one that is missing is asked for"
    );
    assert_eq!(drain(&mut world.receivers.rules), 0, "nothing has changed");
    rule.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("folders.create"), 1);
    assert_eq!(world.grafana.count("rules.create"), 1);
    assert_eq!(world.grafana.count("rules.update"), 0);

    let folder = world.grafana.hold(|held| held.folders.remove(0));
    world.poll().await;
    assert!(drain(&mut world.receivers.rules) > 0, "{} is gone", folder.uid);
}

#[tokio::test]
async fn a_folder_that_is_there_though_no_list_shows_it_is_found_by_its_uid() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    let uid = world.instance().owners.now().folder_uid("revel");
    world.grafana.hold(|held| {
        held.index_lags = true;
        held.folders.push(Folder {
            uid: uid.clone(),
            title: "revel".to_owned(),
            parent_uid: None,
        });
    });
    let report = rule.reconcile(&world.context).await.unwrap();
    assert_eq!(report.status.folder_uid.as_deref(), Some(uid.as_str()));
    assert_eq!(world.grafana.count("folders.create"), 1);
    assert_eq!(world.grafana.count("folders.get"), 1);
}

#[tokio::test]
async fn after_a_restart_a_folder_that_no_list_shows_is_asked_for_and_not_made() {
    let mut world = World::connected().await;
    let mut rule = world.rule("r", json!({"query": QUERY}));
    let report = rule.reconcile(&world.context).await.unwrap();
    rule.status = Some(report.status);
    world.grafana.hold(|held| held.index_lags = true);
    let world = world.restarted().await;
    rule.reconcile(&world.context).await.unwrap();
    assert_eq!(
        world.grafana.count("folders.create"),
        1,
        "{:?}",
        world.grafana.calls()
    );
    assert_eq!(world.grafana.count("rules.create"), 1);
    assert_eq!(world.grafana.count("rules.update"), 0);
}

#[tokio::test]
async fn a_rule_whose_folder_has_just_gone_is_made_in_a_new_one_at_once() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let edited = world.rule("r", json!({"query": QUERY, "for": "9m"}));
    world.grafana.hold(|held| held.folders.clear());
    world.grafana.does(|called| match called {
        "rules.update" => Does::Refuses(400, "invalid alert rule: folder does not exist"),
        _ => Does::Well,
    });
    let failure = edited.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.retry, Retry::Soon, "{}", failure.message);
    world.grafana.does_well();
    edited.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("folders.create"), 2);
    assert_eq!(world.grafana.hold(|held| held.folders.len()), 1);
}

#[tokio::test]
async fn a_contact_point_without_integrations_is_known_from_the_tree_that_names_it() {
    let mut world = World::connected().await;
    let to = |name: &str| json!({"receiverRef": {"grafanaName": name}});
    world.grafana.hold(|held| {
        held.policy = Some(Route {
            receiver: Some("empty".to_owned()),
            ..Route::default()
        });
    });
    world.poll().await;
    let policy = world.policy("p", to("empty"));
    policy.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("policy.put"), 1);
    // Ours stands there by now.
    policy.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("policy.put"), 1);
    // Only the tree from before names it, which comes back one day.
    world.grafana.hold(|held| {
        held.points.push(Point {
            name: "team".to_owned(),
            ..Point::default()
        });
    });
    world.poll().await;
    for name in ["team", "empty"] {
        let policy = world.policy("p", to(name));
        policy.reconcile(&world.context).await.unwrap();
    }
    assert_eq!(world.grafana.count("policy.put"), 3);
    let other = world.policy("p", to("emtpy"));
    let failure = other.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::DependencyMissing));
    assert!(
        failure.message.contains("no contact point emtpy"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_rule_without_a_group_is_taken_over_as_it_is_and_rests() {
    let mut world = World::connected().await;
    let mut rule = world.rule("r", json!({"query": QUERY, "uid": "theirs", "interval": "2m"}));
    let folder = Folder {
        uid: "f".to_owned(),
        title: "revel".to_owned(),
        parent_uid: None,
    };
    world.grafana.hold(|held| {
        held.folders.push(folder);
        held.take(model::AlertRule {
            uid: "theirs".to_owned(),
            folder_uid: "f".to_owned(),
            title: "Theirs".to_owned(),
            ..model::AlertRule::default()
        });
    });
    world.poll().await;
    rule.metadata.annotations = Some([(ANNOTATION_ADOPT.to_owned(), "true".to_owned())].into());
    let report = rule.reconcile(&world.context).await.unwrap();
    assert_eq!(report.status.group, None);
    assert_eq!(report.warnings, [""; 0]);
    let stands = world.grafana.hold(|held| held.rules["theirs"].clone());
    assert_eq!((stands.title.as_str(), stands.group), ("r", None));
    assert_eq!(stands.interval, Duration::from_secs(120));
    for _ in 0..2 {
        world.poll().await;
        rule.reconcile(&world.context).await.unwrap();
    }
    for (operation, times) in [("rules.create", 0), ("rules.update", 1), ("rules.put_group", 1)] {
        assert_eq!(world.grafana.count(operation), times, "{operation}");
    }
}

#[tokio::test]
async fn a_rule_that_is_without_a_group_by_now_is_read_again_and_kept_so() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let edited = world.rule("r", json!({"query": QUERY, "for": "9m"}));
    world
        .grafana
        .hold(|held| held.rules.values_mut().for_each(|rule| rule.group = None));
    world.grafana.does(|called| match called {
        "rules.update" => Does::Refuses(400, "invalid alert rule: cannot move rule out of this group"),
        _ => Does::Well,
    });
    let failure = edited.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.retry, Retry::Soon, "{}", failure.message);
    world.grafana.does_well();
    let report = edited.reconcile(&world.context).await.unwrap();
    assert_eq!(report.status.group, None);
    assert_eq!(world.grafana.count("rules.get"), 1);
}

#[tokio::test]
async fn what_grafana_will_take_away_stands_in_the_instance_and_is_written_once() {
    let mut world = World::new();
    world.give_token();
    let connection = world.connect(json!({})).await;
    until("the first read", || connection.health() == Health::Up).await;
    let path = path("grafanainstances", HOME, "default");
    let instance = || -> GrafanaInstance { serde_json::from_value(world.server.get(&path)).unwrap() };
    let look = async || {
        instance::reconcile(Arc::new(instance()), world.context.clone())
            .await
            .unwrap();
        instance().status.unwrap()
    };
    let told = |status: &GrafanaInstanceStatus| status.conditions.iter().any(|c| c.type_ == "Deprecated");
    assert!(!told(&look().await));
    world.grafana.hold(|held| {
        let since = date(2026, 4, 7);
        let replacement = None;
        held.deprecated = [("policy.get", Deprecation { since, replacement })].into();
    });
    let status = look().await;
    assert!(told(&status));
    assert_eq!(status.deprecated, ["policy (since 2026-04-07)"]);
    let writes = world.server.writes();
    // A restart forgets what it was told.
    world.grafana.hold(|held| held.deprecated.clear());
    assert!(told(&look().await));
    assert_eq!(world.server.writes(), writes, "nothing is written at rest");
    world.grafana.hold(|held| held.version = "14.0.0".to_owned());
    world.poll().await;
    assert!(!told(&look().await), "another version may not say so");
}

#[tokio::test]
async fn a_folder_that_the_credentials_may_no_longer_see_stops_the_rules_in_it_and_no_others() {
    let mut world = World::connected().await;
    let mut hidden = world.rule("hidden", json!({"query": QUERY}));
    let seen = world.rule("seen", json!({"query": QUERY, "folder": "Shop"}));
    hidden.status = Some(hidden.reconcile(&world.context).await.unwrap().status);
    seen.reconcile(&world.context).await.unwrap();
    world
        .grafana
        .hold(|held| held.folders.retain(|folder| folder.title == "Shop"));
    world.grafana.does(|called| match called {
        "folders.get" => Does::Refuses(403, "Permission denied"),
        _ => Does::Well,
    });
    world.poll().await;
    assert_eq!(world.instance().health(), Health::Up);
    let edited = world.rule("seen", json!({"query": QUERY, "folder": "Shop", "for": "9m"}));
    edited.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("rules.update"), 1);
    let failure = hidden.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Unauthorized), "{}", failure.message);
    let asked = world.grafana.count("folders.get");
    world.poll().await;
    assert_eq!(
        world.grafana.count("folders.get"),
        asked,
        "it isn't asked for again and again"
    );
}
