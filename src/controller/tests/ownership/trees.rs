//! The policy tree where Grafana says in which state each write of it finds it, and where other trees stand beside it.

use std::sync::atomic::{AtomicUsize, Ordering};

use ::kube::runtime::reflector::ObjectRef;

use super::*;
use crate::controller::engine::failure::Retry;

/// A world whose Grafana knows revisions, with a contact point `team`.
async fn without_a_policy() -> (World, ContactPoint) {
    let mut world = world_with(&json!({}), |held| held.has_revisions = true).await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    point.reconcile(&world.context).await.unwrap();
    (world, point)
}

/// The same with a policy that sends to it.
async fn with_revisions() -> (World, NotificationPolicy) {
    let (mut world, _) = without_a_policy().await;
    let policy = world.policy("tree", json!({"receiver": "team"}));
    (world, policy)
}

fn held(world: &World) -> Route {
    world.grafana.hold(|held| held.policy.clone().unwrap())
}

/// A tree that people have made.
fn by_hand() -> Route {
    let route = json!({"receiver": "team", "object_matchers": [["by", "=", "hand"]]});
    serde_json::from_value(json!({"receiver": "grafana-default-email", "routes": [route]})).unwrap()
}

#[tokio::test]
async fn a_tree_that_changes_between_the_look_and_the_write_is_looked_at_again_and_not_overwritten() {
    let (world, policy) = with_revisions().await;
    let grafana = world.grafana.clone();
    world.grafana.does(move |called| {
        if called == "policy.put" {
            grafana.hold(|held| held.policy = Some(by_hand()));
        }
        Does::Well
    });
    let failure = policy.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.retry, Retry::Soon, "a race was lost: {}", failure.message);
    assert_eq!(held(&world), by_hand());
    world.grafana.does_well();
    let failure = policy.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    assert_eq!(held(&world), by_hand());
}

#[tokio::test]
async fn our_tree_is_corrected_and_given_back_in_the_state_in_which_it_was_found() {
    let (world, policy) = with_revisions().await;
    let policy = adoption::adopting(policy);
    world.grafana.hold(|held| held.policy = Some(by_hand()));
    policy.reconcile(&world.context).await.unwrap();
    world
        .grafana
        .hold(|held| held.policy.as_mut().unwrap().group_wait = Some("1h".to_owned()));
    world.poll().await;
    policy.reconcile(&world.context).await.unwrap();
    assert_eq!(held(&world).group_wait, None);
    let puts = world.grafana.count("policy.put");
    policy.reconcile(&world.context).await.unwrap();
    assert_eq!(
        world.grafana.count("policy.put"),
        puts,
        "at rest nothing is written"
    );
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), by_hand());
}

#[tokio::test]
async fn where_what_was_provisioned_stays_so_the_tree_from_before_comes_back_after_a_reset() {
    for (has_revisions, reads) in [(true, 4), (false, 3)] {
        let (world, policy) = with_revisions().await;
        let policy = adoption::adopting(policy);
        world.grafana.hold(|held| {
            held.policy = Some(by_hand());
            held.has_revisions = has_revisions;
        });
        world.poll().await;
        policy.reconcile(&world.context).await.unwrap();
        let (before, puts) = (world.grafana.count("policy.get"), AtomicUsize::new(0));
        world.grafana.does(move |called| match called {
            "policy.put" if puts.fetch_add(1, Ordering::Relaxed) == 0 => {
                Does::Refuses(403, "cannot change provenance from 'api' to ''")
            }
            _ => Does::Well,
        });
        policy.clean_up(&world.context).await.unwrap();
        assert_eq!(held(&world), by_hand());
        assert_eq!(world.grafana.hold(|held| held.policy_by.clone()), None);
        assert_eq!(world.grafana.count("policy.reset"), 1);
        let reads_then = world.grafana.count("policy.get") - before;
        assert_eq!(reads_then, reads - 1, "{:?}", world.grafana.calls());
    }
}

#[tokio::test]
async fn a_way_back_that_breaks_off_after_the_reset_goes_on_with_the_tree_from_before() {
    let (world, policy) = with_revisions().await;
    let policy = adoption::adopting(policy);
    world.grafana.hold(|held| held.policy = Some(by_hand()));
    world.poll().await;
    policy.reconcile(&world.context).await.unwrap();
    let puts = AtomicUsize::new(0);
    world
        .grafana
        .does(move |called| match (called, puts.load(Ordering::Relaxed)) {
            ("policy.put", 0) => {
                puts.store(1, Ordering::Relaxed);
                Does::Refuses(403, "cannot change provenance from 'api' to ''")
            }
            ("policy.put", _) => Does::Refuses(503, "later"),
            _ => Does::Well,
        });
    policy.clean_up(&world.context).await.unwrap_err();
    assert_ne!(held(&world), by_hand());
    world.grafana.does_well();
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), by_hand());
}

#[tokio::test]
async fn a_contact_point_that_another_tree_sends_to_stays_and_says_which() {
    let (mut world, point) = without_a_policy().await;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel"}, "status": {"phase": "Active"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    world
        .grafana
        .hold(|held| held.other_trees.insert("batch".to_owned(), by_hand()));
    world.poll().await;
    let failure = point.clean_up(&world.context).await.unwrap_err();
    assert!(
        failure
            .message
            .contains("Grafana's policy tree batch still refers to it"),
        "{}",
        failure.message
    );
    drain(&mut world.receivers.contact_points);
    world.grafana.hold(|held| held.other_trees.clear());
    world.poll().await;
    point.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.hold(|held| held.points.len()), 0);
}

#[tokio::test]
async fn what_a_provisioned_tree_without_routes_said_is_told_after_a_restart_too() {
    for (by, told) in [(Some("file"), 1), (None, 0)] {
        let mut world = world_with(&json!({}), |held| {
            let tree = json!({"receiver": "oncall", "of_the_future": {"a": 1}});
            held.policy = serde_json::from_value(tree).unwrap();
            held.policy_by = by.map(str::to_owned);
            held.points.push(Point {
                name: "oncall".to_owned(),
                ..Point::default()
            });
        })
        .await;
        let spec = json!({"receiverRef": {"grafanaName": "oncall"}});
        let policy = adoption::adopting(world.policy("tree", spec.clone()));
        let report = policy.reconcile(&world.context).await.unwrap();
        assert_eq!(report.warnings.len(), told, "{by:?}");
        let mut world = world.restarted().await;
        let policy = adoption::adopting(world.policy("tree", spec));
        let report = policy.reconcile(&world.context).await.unwrap();
        assert_eq!(report.warnings.len(), told, "{by:?}, after a restart");
    }
}

#[tokio::test]
async fn a_tree_that_somebody_puts_in_the_place_of_ours_in_the_moment_of_a_reset_is_not_taken_away() {
    // Nothing was there before ours; what was there is no longer valid; it has to be editable, which takes a reset.
    let provenance = "cannot change provenance from 'api' to ''";
    for (before, refusal) in [
        (None, None),
        (Some(by_hand()), Some((400, "receiver is not there"))),
        (Some(by_hand()), Some((403, provenance))),
    ] {
        let (world, policy) = with_revisions().await;
        let policy = adoption::adopting(policy);
        world.grafana.hold(|held| held.policy = before);
        world.poll().await;
        policy.reconcile(&world.context).await.unwrap();
        let theirs = Route {
            group_wait: Some("7m".to_owned()),
            ..by_hand()
        };
        let (grafana, put) = (world.grafana.clone(), theirs.clone());
        world.grafana.does(move |called| match (called, refusal) {
            ("policy.put", Some((status, message))) => Does::Refuses(status, message),
            ("policy.reset", _) => {
                grafana.hold(|held| held.policy = Some(put.clone()));
                Does::Well
            }
            _ => Does::Well,
        });
        let failure = policy.clean_up(&world.context).await.unwrap_err();
        assert_eq!(failure.retry, Retry::Soon, "{}", failure.message);
        assert_eq!(held(&world), theirs, "{refusal:?}");
        world.grafana.does_well();
        policy.clean_up(&world.context).await.unwrap();
        assert_eq!(held(&world), theirs, "{refusal:?}");
    }
}

#[tokio::test]
async fn a_tree_that_somebody_puts_in_the_moment_when_a_receiver_goes_is_not_taken_away() {
    let (world, policy) = with_revisions().await;
    policy.reconcile(&world.context).await.unwrap();
    world.poll().await;
    let grafana = world.grafana.clone();
    world.grafana.does(move |called| match called {
        "policy.put" => Does::Refuses(400, "receiver is not there"),
        "policy.reset" => {
            grafana.hold(|held| held.policy = Some(by_hand()));
            Does::Well
        }
        _ => Does::Well,
    });
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "revel", "deletionTimestamp": "2026-01-01T00:00:00Z"}});
    world.server.set("/api/v1/namespaces/revel", namespace);
    let point = world
        .context
        .stores
        .contact_points
        .get(&ObjectRef::new("team").within("revel"));
    let failure = point.unwrap().clean_up(&world.context).await.unwrap_err();
    assert_eq!(failure.retry, Retry::Soon, "{}", failure.message);
    assert_eq!(held(&world), by_hand());
}

#[tokio::test]
async fn once_ours_was_given_back_a_tree_that_people_make_is_theirs() {
    let (world, policy) = with_revisions().await;
    policy.reconcile(&world.context).await.unwrap();
    policy.clean_up(&world.context).await.unwrap();
    world.grafana.hold(|held| held.policy = Some(by_hand()));
    world.poll().await;
    let failure = policy.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    policy.clean_up(&world.context).await.unwrap();
    assert_eq!(held(&world), by_hand());
}
