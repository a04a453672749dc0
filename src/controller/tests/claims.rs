//! Who was first, among those who may.

use serde_json::json;

use super::*;
use crate::api::condition::Reason;
use crate::controller::news;
use crate::controller::pass::Reconcile;

/// A policy of this namespace, created in this second of a minute.
fn tree(world: &mut World, namespace: &str, second: u8) -> NotificationPolicy {
    let policy: NotificationPolicy = serde_json::from_value(json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy",
        "metadata": {
            "name": "tree", "namespace": namespace, "generation": 1,
            "creationTimestamp": format!("2026-01-01T00:00:{second:02}Z"), "finalizers": [FINALIZER],
        },
        "spec": {"receiverRef": {"grafanaName": "by-hand"}},
    }))
    .unwrap();
    see(
        &world.context,
        &mut world.writers.policies,
        policy,
        news::about_policy,
    )
}

/// Tells of the GrafanaInstance as its watch does.
fn declare(world: &mut World, root: &[&str]) {
    let declared: GrafanaInstance = serde_json::from_value(json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance",
        "metadata": {"name": "default", "namespace": HOME, "uid": "u1", "generation": 1},
        "spec": {
            "url": "http://grafana", "auth": {"token": {"secretKeyRef": {"name": "token", "key": "token"}}},
            "rootPolicyNamespaces": {"names": root},
        },
    }))
    .unwrap();
    see(
        &world.context,
        &mut world.writers.instances,
        declared,
        news::about_instance,
    );
}

#[tokio::test]
async fn who_may_not_hold_the_tree_keeps_it_from_nobody_and_is_told_when_it_may() {
    let mut world = World::connected().await;
    let older = tree(&mut world, "tenant", 1);
    let younger = tree(&mut world, "revel", 2);
    let is_in_the_way = async |world: &World| {
        let failure = younger.reconcile(&world.context).await.err().unwrap();
        (failure.reason == Some(Reason::Conflict)).then_some(failure.message)
    };
    assert!(is_in_the_way(&world).await.unwrap().contains("tenant/tree"));
    // An administrator says who may hold the tree, after a team has tried.
    declare(&mut world, &["revel"]);
    assert_eq!(is_in_the_way(&world).await, None);
    // And changes his mind.
    declare(&mut world, &["revel", "tenant"]);
    assert!(is_in_the_way(&world).await.unwrap().contains("tenant/tree"));
    let key = crate::controller::engine::claim::Key::Tree(world.context.claims.place("default"));
    assert!(world.context.claims.ahead(&key, &older).is_none());
}

#[tokio::test]
async fn two_rules_of_one_group_do_not_set_its_interval_in_turn_when_they_name_the_folder_differently() {
    let mut world = World::connected().await;
    let first = world.rule(
        "by-title",
        json!({"query": QUERY, "folder": "Shop", "group": "g", "interval": "1m"}),
    );
    first.reconcile(&world.context).await.unwrap();
    let folder = world.grafana.hold(|held| held.folders[0].uid.clone());
    let second = world.rule(
        "by-uid",
        json!({"query": QUERY, "folderUID": folder, "group": "g", "interval": "5m"}),
    );
    let failure = second.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::Conflict), "{}", failure.message);
    assert!(
        failure.message.contains("spec.interval") && failure.message.contains("revel/by-title"),
        "{}",
        failure.message
    );
    first.reconcile(&world.context).await.unwrap();
    assert_eq!(
        world.grafana.count("rules.put_group"),
        0,
        "{:?}",
        world.grafana.calls()
    );
}

#[tokio::test]
async fn an_heir_that_cannot_have_the_tree_yet_leaves_none_of_the_dead_ones() {
    for (receiver, receiver_after) in [("team", "team"), ("nobody", "grafana-default-email")] {
        let mut world = World::connected().await;
        let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
        let point = world.contact_point("team", hook);
        point.reconcile(&world.context).await.unwrap();
        let dead = world.policy("a", json!({"receiver": "team"}));
        world.policy("b", json!({"receiver": receiver}));
        dead.reconcile(&world.context).await.unwrap();
        dead.clean_up(&world.context).await.unwrap();
        let left = world.grafana.hold(|held| held.policy.clone().unwrap().receiver);
        assert_eq!(
            left.as_deref(),
            Some(receiver_after),
            "the heir's receiver is {receiver}"
        );
    }
}
