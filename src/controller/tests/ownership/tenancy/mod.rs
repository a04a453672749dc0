//! Namespaces that are chosen by their labels.

mod attempts;
mod two;

use std::collections::BTreeMap;

use ::kube::Error as KubeError;
use ::kube::core::{PartialObjectMeta, Status};
use ::kube::runtime::watcher;
use k8s_openapi::api::core::v1::Namespace;

use super::super::*;
use crate::controller::pass::{self, Reconcile};

/// A namespace with a label `team`.
pub(super) fn namespace(name: &str, team: &str) -> PartialObjectMeta<Namespace> {
    let metadata = json!({"name": name, "labels": BTreeMap::from([("team", team)])});
    serde_json::from_value(
        json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": metadata}),
    )
    .unwrap()
}

fn told(world: &World, events: Vec<Event<PartialObjectMeta<Namespace>>>) {
    for event in events {
        news::namespace_told(Ok(event), &world.context);
    }
}

async fn said<K: Reconcile>(world: &World, plural: &str, object: &K) -> Option<(String, String)> {
    pass::run(Arc::new(object.clone()), world.context.clone())
        .await
        .unwrap();
    world.server.ready(&path(plural, "revel", object.id()))
}

/// A world whose instance allows namespaces of the team `shop`.
async fn selecting() -> World {
    let mut world = World::connected().await;
    world.instance().stop.cancel();
    let selector =
        json!({"allowedNamespaces": {"names": ["named"], "selector": {"matchLabels": {"team": "shop"}}}});
    let instance = world.connect(selector).await;
    until("the first read", || {
        !matches!(instance.health(), Health::Starting)
    })
    .await;
    world
}

#[tokio::test]
async fn labels_that_a_namespace_gets_and_loses_decide_at_once_and_nothing_is_decided_before_they_are_seen() {
    let mut world = selecting().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    assert_eq!(said(&world, "alertrules", &rule).await, None);
    assert_eq!(world.grafana.count("rules.create"), 0);

    drain(&mut world.receivers.rules);
    let first = [
        Event::Init,
        Event::InitApply(namespace("revel", "other")),
        Event::InitDone,
    ];
    told(&world, first.into());
    assert_eq!(drain(&mut world.receivers.rules), 1);
    let (reason, message) = said(&world, "alertrules", &rule).await.unwrap();
    assert!(
        reason == "Invalid" && message.contains("doesn't allow namespace revel"),
        "{message}"
    );

    told(&world, vec![Event::Apply(namespace("elsewhere", "shop"))]);
    assert_eq!(drain(&mut world.receivers.rules), 0);
    told(&world, vec![Event::Apply(namespace("revel", "shop"))]);
    assert_eq!(drain(&mut world.receivers.rules), 1);
    assert_eq!(said(&world, "alertrules", &rule).await.unwrap().0, "Synced");

    told(&world, vec![Event::Delete(namespace("revel", "shop"))]);
    assert_eq!(drain(&mut world.receivers.rules), 1);
    assert_eq!(said(&world, "alertrules", &rule).await.unwrap().0, "Invalid");
}

#[tokio::test]
async fn who_is_not_chosen_any_more_makes_way_for_others() {
    let mut world = selecting().await;
    let seen = [
        Event::Init,
        Event::InitApply(namespace("revel", "shop")),
        Event::InitApply(namespace("first", "shop")),
        Event::InitDone,
    ];
    told(&world, seen.into());
    let policy = world.policy("tree", json!({"receiverRef": {"grafanaName": "x"}}));
    let mut older = policy.clone();
    older.metadata.namespace = Some("first".into());
    older.metadata.creation_timestamp = None;
    see(
        &world.context,
        &mut world.writers.policies,
        older,
        news::about_policy,
    );
    assert_eq!(
        said(&world, "notificationpolicies", &policy).await.unwrap().0,
        "Conflict"
    );
    drain(&mut world.receivers.policies);
    told(&world, vec![Event::Apply(namespace("first", "other"))]);
    assert!(
        drain(&mut world.receivers.policies) >= 2,
        "the one that goes, and the one that it was ahead of"
    );
    let (reason, message) = said(&world, "notificationpolicies", &policy).await.unwrap();
    assert_ne!(reason, "Conflict", "{message}");
}

#[tokio::test]
async fn an_operator_that_may_not_see_labels_says_so_and_serves_those_that_are_named() {
    let mut world = selecting().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    drain(&mut world.receivers.rules);
    drain(&mut world.receivers.instances);
    let refused = || {
        let mut status = Status::failure("namespaces is forbidden", "Forbidden");
        status.code = 403;
        Err(watcher::Error::InitialListFailed(KubeError::Api(Box::new(
            status,
        ))))
    };
    news::namespace_told(refused(), &world.context);
    assert_eq!(drain(&mut world.receivers.rules), 1);
    assert_eq!(drain(&mut world.receivers.instances), 1);
    news::namespace_told(refused(), &world.context);
    assert_eq!(drain(&mut world.receivers.rules), 0, "a word about it is enough");
    let (reason, message) = said(&world, "alertrules", &rule).await.unwrap();
    assert!(
        reason == "Unavailable" && message.contains("namespaces is forbidden"),
        "{message}"
    );
    let mut status = crate::api::GrafanaInstanceStatus::default();
    let (_, message) = instance::describe(&world.instance(), &world.context, &mut status);
    assert!(
        message.contains("spec.allowedNamespaces.selector") && message.contains("ClusterRoleBinding"),
        "{message}"
    );

    let mut named = rule.clone();
    named.metadata.namespace = Some("named".into());
    assert!(named.reconcile(&world.context).await.is_ok());
}
