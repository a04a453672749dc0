//! Policy trees beside the default one: whose one is, who may not have one, and when it goes.

mod allowed;
mod rules;

use super::*;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::pass;
use crate::grafana::wire::Toggles;

const NAME: &str = "batch";

/// A world whose Grafana has several trees, with a contact point `team`.
async fn with_several_trees() -> (World, ContactPoint) {
    let mut world = world_with(&json!({}), |held| {
        held.version = "13.2.0".to_owned();
        held.has_revisions = true;
    })
    .await;
    let point = a_contact_point(&mut world).await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}, "status": {"phase": "Active"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    (world, point)
}

async fn a_contact_point(world: &mut World) -> ContactPoint {
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    point.reconcile(&world.context).await.unwrap();
    point
}

fn root(world: &mut World, name: &str) -> NotificationPolicy {
    world.policy(name, json!({"receiver": "team", "tree": NAME}))
}

fn held(world: &World) -> Option<Route> {
    world.grafana.hold(|held| held.other_trees.get(NAME).cloned())
}

fn default_tree(world: &World) -> Option<Route> {
    world.grafana.hold(|held| held.policy.clone())
}

fn by_hand() -> Route {
    serde_json::from_value(
        json!({"receiver": "team", "routes": [{"object_matchers": [["by", "=", "hand"]]}]}),
    )
    .unwrap()
}

async fn failure(policy: &NotificationPolicy, world: &World) -> Failure {
    policy.reconcile(&world.context).await.map(|_| ()).unwrap_err()
}

/// A rule in Grafana whose alerts go through the tree, by its settings or by its label.
fn a_rule_that_names_it(world: &World, by_label: bool, mark: Option<&str>) {
    world.grafana.hold(|held| {
        in_grafana(held, "r", "R", mark);
        let rule = held.rules.get_mut("r").unwrap();
        if by_label {
            let label = crate::grafana::api::TREE_LABEL.to_owned();
            rule.labels.insert(label, NAME.to_owned());
        } else {
            rule.notification_settings = Some(model::NotificationSettings {
                policy: Some(NAME.to_owned()),
                ..model::NotificationSettings::default()
            });
        }
    });
}

#[tokio::test]
async fn a_tree_of_its_own_is_made_kept_corrected_and_taken_away_and_the_default_one_left_alone() {
    let (mut world, _) = with_several_trees().await;
    let before = default_tree(&world);
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    let made = held(&world).unwrap();
    assert_eq!(made.receiver.as_deref(), Some("team"));
    world.poll().await;
    let puts = world.grafana.count("policy.put");
    policy.reconcile(&world.context).await.unwrap();
    assert_eq!(
        world.grafana.count("policy.put"),
        puts,
        "at rest nothing is written"
    );
    // After a restart, and for want of a memory, the mark in it says whose it is.
    let mut world = world.restarted().await;
    a_contact_point(&mut world).await;
    let policy = root(&mut world, "own");
    world
        .grafana
        .hold(|held| held.other_trees.get_mut(NAME).unwrap().routes.truncate(1));
    world
        .grafana
        .hold(|held| held.other_trees.get_mut(NAME).unwrap().group_wait = Some("7m".to_owned()));
    world.poll().await;
    policy.reconcile(&world.context).await.unwrap();
    assert_eq!(held(&world), Some(made));
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), None);
    assert_eq!(default_tree(&world), before);
    // What people make of this name afterwards is theirs.
    world
        .grafana
        .hold(|held| held.other_trees.insert(NAME.to_owned(), by_hand()));
    world.poll().await;
    assert_eq!(failure(&policy, &world).await.reason, Some(Reason::NotOwned));
}

#[tokio::test]
async fn a_tree_that_was_there_is_somebodys_until_it_is_adopted_and_comes_back() {
    let (mut world, _) = with_several_trees().await;
    let by = || Some("file".to_owned());
    world.grafana.hold(|held| {
        held.other_trees.insert(NAME.to_owned(), by_hand());
        held.other_trees_by.insert(NAME.to_owned(), "file".to_owned());
    });
    world.poll().await;
    let policy = root(&mut world, "own");
    let refused = failure(&policy, &world).await;
    assert_eq!(refused.reason, Some(Reason::NotOwned));
    assert!(
        refused
            .message
            .contains("policy tree batch that somebody else made"),
        "{}",
        refused.message
    );
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), Some(by_hand()));
    let policy = adoption::adopting(policy);
    policy.reconcile(&world.context).await.unwrap();
    assert_ne!(held(&world), Some(by_hand()));
    // Rules may name it: it is there before and after.
    a_rule_that_names_it(&world, false, None);
    world.poll().await;
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), Some(by_hand()));
    assert_eq!(
        world
            .grafana
            .hold(|held| held.other_trees_by.get(NAME).cloned())
            .is_some(),
        by().is_some()
    );
}

#[tokio::test]
async fn roots_are_in_conflict_within_one_tree_alone() {
    let (mut world, _) = with_several_trees().await;
    let default = world.policy("default", json!({"receiver": "team"}));
    let own = root(&mut world, "own");
    default.reconcile(&world.context).await.unwrap();
    own.reconcile(&world.context).await.unwrap();
    let second = root(&mut world, "second");
    let refused = failure(&second, &world).await;
    assert_eq!(refused.reason, Some(Reason::Conflict));
    assert!(
        refused
            .message
            .contains("revel/own is older and holds the tree batch"),
        "{}",
        refused.message
    );
    assert!(
        refused.message.contains("another name in spec.tree"),
        "{}",
        refused.message
    );
    // Which API is used may change without a word to this one.
    world.grafana.hold(|held| held.hides_trees = true);
    let by_the_other = failure(&world.policy("third", json!({"receiver": "team"})), &world).await;
    world.grafana.hold(|held| held.hides_trees = false);
    let by_this = failure(&world.policy("third", json!({"receiver": "team"})), &world).await;
    assert_eq!(by_the_other.message, by_this.message);
    assert!(by_this.message.contains("newer API"), "{}", by_this.message);
    // Where there is one tree no other helps.
    world.grafana.hold(|held| held.version = "12.4.0".to_owned());
    poller::poll_all(&world.instance(), &world.context, true).await;
    let second = world.policy("second", json!({"receiver": "team"}));
    let refused = failure(&second, &world).await;
    assert_eq!(refused.reason, Some(Reason::Conflict));
    assert!(
        refused.message.contains("by parentRef") && !refused.message.contains("spec.tree"),
        "{}",
        refused.message
    );
    assert!(held(&world).is_some() && default_tree(&world).unwrap().routes.len() == 1);
}

#[tokio::test]
async fn a_tree_goes_only_when_no_rule_names_it_any_more_and_says_which_do() {
    for (by_label, mark, called) in [
        (false, None, "Grafana's rule \"R\" (r)"),
        (true, Some("own/tenant/x"), "AlertRule tenant/x"),
    ] {
        let (mut world, _) = with_several_trees().await;
        let policy = root(&mut world, "own");
        policy.reconcile(&world.context).await.unwrap();
        a_rule_that_names_it(&world, by_label, mark);
        world.poll().await;
        let waits = policy.clean_up(&world.context).await.unwrap_err();
        assert_eq!(waits.reason, Some(Reason::InUse), "{}", waits.message);
        assert_eq!(waits.message, format!("{called} still names policy tree batch"));
        assert!(held(&world).is_some());
        drain(&mut world.receivers.policies);
        world.grafana.hold(|held| held.rules.clear());
        world.poll().await;
        policy.clean_up(&world.context).await.unwrap();
        assert_eq!(held(&world), None);
    }
}

#[tokio::test]
async fn a_tree_stays_while_it_is_not_known_which_rules_name_it() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    a_rule_that_names_it(&world, true, None);
    world.grafana.does(|called| match called {
        "rules.list" => Does::Refuses(403, "no right to read rules"),
        _ => Does::Well,
    });
    let world = world.restarted().await;
    let waits = policy.clean_up(&world.context).await.unwrap_err();
    assert_eq!(waits.reason, Some(Reason::Unauthorized), "{}", waits.message);
    assert!(held(&world).is_some());
    world.grafana.does_well();
    world.poll().await;
    let waits = policy.clean_up(&world.context).await.unwrap_err();
    assert_eq!(waits.reason, Some(Reason::InUse), "{}", waits.message);
    world.grafana.hold(|held| held.rules.clear());
    world.poll().await;
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), None);
}

#[tokio::test]
async fn a_namespace_that_goes_does_not_hang_on_a_tree_that_rules_of_others_name() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    a_rule_that_names_it(&world, true, None);
    world.poll().await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    policy.clean_up(&world.context).await.unwrap();
    assert!(held(&world).is_some(), "their alerts still go through it");
}

#[tokio::test]
async fn where_there_is_one_tree_a_second_is_unsupported_and_nothing_is_tried() {
    let toggle = Toggles {
        several_trees: true,
        ..Toggles::default()
    };
    for (version, toggles, hides, cure) in [
        ("12.4.0", Toggles::default(), false, Some("upgrade")),
        ("12.4.0", toggle, false, Some("upgrade")),
        (
            "13.1.0",
            Toggles::default(),
            false,
            Some("alertingMultiplePolicies"),
        ),
        ("13.1.0", toggle, false, None),
        ("13.2.0", Toggles::default(), true, Some("/apis")),
        ("13.2.0", Toggles::default(), false, None),
    ] {
        let (mut world, _) = with_several_trees().await;
        world.grafana.hold(|held| {
            held.version = version.to_owned();
            held.toggles = toggles;
            held.hides_trees = hides;
        });
        poller::poll_all(&world.instance(), &world.context, true).await;
        let policy = root(&mut world, "own");
        let outcome = policy.reconcile(&world.context).await.map(|_| ());
        match cure {
            None => outcome.unwrap(),
            Some(cure) => {
                let refused = outcome.unwrap_err();
                assert_eq!(refused.reason, Some(Reason::Unsupported), "{version}");
                assert!(
                    refused.message.contains(cure) && refused.message.contains("leave spec.tree out"),
                    "{version}: {}",
                    refused.message
                );
                assert_eq!(world.grafana.count("policy.put"), 0, "{version}");
                // It never was there, so its deletion waits for nothing.
                policy.clean_up(&world.context).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_tree_that_cannot_be_reached_any_more_is_neither_forgotten_nor_taken_for_gone() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    world.grafana.hold(|held| held.hides_trees = true);
    world.poll().await;
    assert_eq!(failure(&policy, &world).await.reason, Some(Reason::Unsupported));
    let waits = policy.clean_up(&world.context).await.unwrap_err();
    assert_eq!(waits.reason, Some(Reason::Unsupported), "{}", waits.message);
    world.grafana.hold(|held| held.hides_trees = false);
    drain(&mut world.receivers.policies);
    world.poll().await;
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), None);
}

#[tokio::test]
async fn a_grafana_that_has_several_trees_switched_off_is_not_asked_again_at_once() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    world.grafana.does(|called| match called {
        "policy.put" => Does::RefusesAs(501, "alerting.notifications.routes.multipleNotSupported"),
        _ => Does::Well,
    });
    for _ in 0..2 {
        let refused = failure(&policy, &world).await;
        assert_eq!(refused.reason, Some(Reason::Unsupported), "{}", refused.message);
        assert!(matches!(refused.retry, Retry::After(_)));
    }
    assert_eq!(world.grafana.count("policy.put"), 1);
}

#[tokio::test]
async fn a_branch_stands_in_the_tree_of_its_root_and_moves_with_its_parent() {
    let (mut world, _) = with_several_trees().await;
    let default = world.policy("default", json!({"receiver": "team"}));
    let own = root(&mut world, "own");
    let branch = |world: &mut World, root: &str| {
        world.policy("branch", json!({"parentRef": {"name": root}, "receiver": "team"}))
    };
    let first = branch(&mut world, "own");
    default.reconcile(&world.context).await.unwrap();
    own.reconcile(&world.context).await.unwrap();
    let count = |world: &World| {
        let own = held(world).unwrap().routes.len();
        (default_tree(world).unwrap().routes.len(), own)
    };
    assert_eq!(count(&world), (1, 2), "beside the marks");
    let report = first.reconcile(&world.context).await.unwrap();
    assert_eq!(report.status.root.as_deref(), Some("revel/own"));
    // It goes over to the other one: both are told, and it says so only when it stands there.
    drain(&mut world.receivers.policies);
    let second = branch(&mut world, "default");
    let told = drain(&mut world.receivers.policies);
    assert_eq!(told, 1, "the root that it has left");
    let waits = second.reconcile(&world.context).await.map(|_| ()).unwrap_err();
    assert_eq!(waits.reason, Some(Reason::DependencyMissing), "{}", waits.message);
    default.reconcile(&world.context).await.unwrap();
    own.reconcile(&world.context).await.unwrap();
    assert_eq!(count(&world), (2, 1));
    let report = second.reconcile(&world.context).await.unwrap();
    assert_eq!(report.status.root.as_deref(), Some("revel/default"));
}

#[tokio::test]
async fn a_contact_point_that_a_tree_of_ours_sends_to_names_the_resource_and_goes_with_its_namespace() {
    let (mut world, point) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    world.poll().await;
    let waits = point.clean_up(&world.context).await.unwrap_err();
    assert_eq!(waits.reason, Some(Reason::InUse));
    assert!(
        waits
            .message
            .contains("NotificationPolicy revel/own still refers"),
        "{}",
        waits.message
    );
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    point.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.hold(|held| held.points.len()), 0);
    let left = held(&world).and_then(|tree| tree.receiver);
    assert_ne!(left.as_deref(), Some("team"));
}

#[tokio::test]
async fn a_copy_of_our_tree_that_people_made_is_theirs() {
    let (mut world, _) = with_several_trees().await;
    let policy = root(&mut world, "own");
    policy.reconcile(&world.context).await.unwrap();
    let mut copy = held(&world).unwrap();
    copy.group_wait = Some("7m".to_owned());
    world
        .grafana
        .hold(|held| held.other_trees.insert("copy".to_owned(), copy.clone()));
    world.poll().await;
    let spec = json!({"receiver": "team", "tree": "copy"});
    let another = world.policy("another", spec);
    let refused = failure(&another, &world).await;
    assert_eq!(refused.reason, Some(Reason::NotOwned), "{}", refused.message);
    assert!(refused.message.contains("own/revel/own"), "{}", refused.message);
    let another = adoption::adopting(another);
    another.reconcile(&world.context).await.unwrap();
    another.clean_up(&world.context).await.unwrap();
    assert_eq!(
        world.grafana.hold(|held| held.other_trees.get("copy").cloned()),
        Some(copy)
    );
}

#[tokio::test]
async fn what_somebody_changes_in_a_tree_of_its_own_is_told_and_left_where_drift_is_only_reported() {
    let mut world = world_with(&json!({"driftPolicy": "Report"}), |held| {
        held.version = "13.2.0".to_owned();
    })
    .await;
    a_contact_point(&mut world).await;
    let policy = root(&mut world, "own");
    pass::run(Arc::new(policy), world.context.clone()).await.unwrap();
    let at = path("notificationpolicies", "revel", "own");
    let changed = |held: &mut grafana::Held| {
        held.other_trees.get_mut(NAME).unwrap().group_wait = Some("7m".to_owned());
    };
    world.grafana.hold(changed);
    world.poll().await;
    let there = held(&world);
    let policy: NotificationPolicy = serde_json::from_value(world.server.get(&at)).unwrap();
    let report = policy.reconcile(&world.context).await.unwrap();
    assert_eq!(report.drift, ["group_wait"]);
    assert_eq!(held(&world), there);
}
