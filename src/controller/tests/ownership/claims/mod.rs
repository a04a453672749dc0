//! Who was first, among those who may; and between two GrafanaInstances for one Grafana that nothing but what is in it can tell.

mod elsewhere;

use ::kube::ResourceExt;
use serde_json::json;

use super::super::*;
use crate::api::ANNOTATION_ADOPT;
use crate::api::condition::Reason;
use crate::controller::instance::sweep;
use crate::controller::news;
use crate::controller::pass::Reconcile;
use crate::grafana::model::{Route, TreeName};

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
    let place = world.context.claims.place("default");
    let key = crate::controller::engine::claim::Key::Tree(place, TreeName::default());
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

/// How one Grafana can be reached so that nobody can tell that it is the same one.
fn unlike() -> Value {
    json!({"url": "http://grafana.monitoring.svc"})
}

/// A world with the instances `default` and `second`, whose Grafana has contact points that people have made.
async fn of_two(first: Value, second: Value) -> World {
    let mut world = World::new();
    world.grafana.hold(|held| {
        for name in ["one", "two"] {
            held.points.push(Point {
                uid: format!("by-hand-{name}"),
                name: name.to_owned(),
                ..Point::default()
            });
        }
    });
    for (name, more) in [("default", first), ("second", second)] {
        let instance = world.connect_as(name, more, None).await;
        until("the first read", || instance.health() != Health::Starting).await;
    }
    world
}

async fn poll_both(world: &World) {
    let all: Vec<_> = world.context.running.read().values().cloned().collect();
    for instance in all {
        poller::poll_all(&instance, &world.context, false).await;
    }
}

#[tokio::test]
async fn two_policies_do_not_write_the_tree_in_turn_and_the_second_is_told_who_has_it() {
    let mut world = of_two(json!({}), unlike()).await;
    let first = world.policy("first", json!({"receiverRef": {"grafanaName": "one"}}));
    let mut other = world.policy(
        "other",
        json!({"instance": "second", "receiverRef": {"grafanaName": "two"}}),
    );
    // Asking to take it over would have them write in turn all the same.
    other
        .annotations_mut()
        .insert(ANNOTATION_ADOPT.to_owned(), "true".to_owned());
    for _ in 0..3 {
        first.reconcile(&world.context).await.unwrap();
        poll_both(&world).await;
        let failure = other.reconcile(&world.context).await.err().unwrap();
        assert_eq!(failure.reason, Some(Reason::Conflict));
        let message = failure.message;
        assert!(
            message.contains("NotificationPolicy revel/first holds the tree"),
            "{message}"
        );
        poll_both(&world).await;
    }
    assert_eq!(world.grafana.count("policy.put"), 1);
    // The one that never had it gives back nothing.
    let tree = world.grafana.hold(|held| held.policy.clone());
    other.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.hold(|held| held.policy.clone()), tree);
    assert!(world.server.notes().is_empty(), "{:?}", world.server.notes());
    // Once the first is gone, the tree is free.
    first.clean_up(&world.context).await.unwrap();
    world.writers.policies.apply(&Event::Delete(first));
    poll_both(&world).await;
    other.reconcile(&world.context).await.unwrap();
}

/// A tree that people have made, which sends to this contact point.
fn tree_by_hand(receiver: &str) -> Option<Route> {
    let route = json!({"receiver": receiver, "object_matchers": [["a", "=", "b"]]});
    serde_json::from_value(json!({"receiver": receiver, "routes": [route]})).unwrap()
}

#[tokio::test]
async fn what_one_policy_remembers_of_the_tree_means_nothing_to_one_that_never_had_it() {
    let mut world = of_two(json!({}), unlike()).await;
    world.grafana.hold(|held| held.policy = tree_by_hand("two"));
    poll_both(&world).await;
    let mut first = world.policy("first", json!({"receiverRef": {"grafanaName": "one"}}));
    first
        .annotations_mut()
        .insert(ANNOTATION_ADOPT.to_owned(), "true".to_owned());
    first.reconcile(&world.context).await.unwrap();
    let other = world.policy(
        "other",
        json!({"instance": "second", "receiverRef": {"grafanaName": "two"}}),
    );
    // Somebody puts another tree into its place: that is drift to the one that has it, and somebody else's to any other.
    world.grafana.hold(|held| held.policy = tree_by_hand("one"));
    poll_both(&world).await;
    let failure = other.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    other.clean_up(&world.context).await.unwrap();
    let notes = world.server.notes();
    assert!(notes.iter().all(|note| !note.contains("Restored")), "{notes:?}");
    world.writers.policies.apply(&Event::Delete(other));
    first.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("policy.put"), 2);
    // The tree from before comes back with the one that has replaced it.
    first.clean_up(&world.context).await.unwrap();
    let left = world.grafana.hold(|held| held.policy.clone().unwrap());
    assert_eq!(left.receiver.as_deref(), Some("two"));
}

/// A contact point that sends to this host.
fn team(instance: &str, host: &str) -> Value {
    let url = format!("https://{host}.example.com/hook");
    json!({"instance": instance, "name": "team", "integrations": [{"webhook": {"url": {"value": url}}}]})
}

/// Where the contact point `team` in Grafana sends to.
fn urls(world: &World) -> Vec<Value> {
    world.grafana.hold(|held| {
        let ours = held.points.iter().filter(|point| point.name == "team");
        ours.map(|point| point.settings["url"].clone()).collect()
    })
}

#[tokio::test]
async fn a_contact_point_neither_takes_nor_deletes_what_another_one_has_made() {
    let mut world = of_two(json!({}), unlike()).await;
    let first = world.contact_point("first", team("default", "first"));
    first.reconcile(&world.context).await.unwrap();
    poll_both(&world).await;
    let mut other = world.contact_point("other", team("second", "other"));
    // Also where it asks to take it over: the two would write in turn.
    for adopt in ["false", "true"] {
        let annotations = other.annotations_mut();
        annotations.insert(ANNOTATION_ADOPT.to_owned(), adopt.to_owned());
        let failure = other.reconcile(&world.context).await.err().unwrap();
        assert_eq!(failure.reason, Some(Reason::NotOwned));
        let message = failure.message;
        assert!(message.contains("ContactPoint revel/first has made"), "{message}");
    }
    // Others are told whose it is, through whichever instance.
    let mut policy = tree(&mut world, "platform", 1);
    policy.spec =
        serde_json::from_value(json!({"instance": "second", "receiverRef": {"grafanaName": "team"}}))
            .unwrap();
    let message = policy.reconcile(&world.context).await.err().unwrap().message;
    assert!(
        message.contains("team belongs to ContactPoint revel/first"),
        "{message}"
    );
    other.clean_up(&world.context).await.unwrap();
    assert_eq!(urls(&world), ["https://first.example.com/hook"]);
}

#[tokio::test]
async fn what_is_there_or_was_left_on_purpose_through_one_is_no_orphan_of_the_other() {
    let login = json!({"auth": {"token": {"secretKeyRef": {"name": "other", "key": "token"}}}});
    for second in [login, unlike()] {
        let orphans = json!({"orphans": "Delete", "defaultDeletionPolicy": "Orphan"});
        let mut second = second.clone();
        second["orphans"] = json!("Delete");
        let mut world = of_two(orphans, second).await;
        let rule = world.rule("r", json!({"query": QUERY}));
        rule.reconcile(&world.context).await.unwrap();
        poll_both(&world).await;
        let other = world.context.running.read()["second"].clone();
        sweep::after_poll(&other, &world.context, true).await;
        sweep::after_poll(&other, &world.context, true).await;
        assert_eq!(other.orphans.lock().counted(), [].into(), "it is the first one's");
        rule.clean_up(&world.context).await.unwrap();
        world.server.remove(&path("alertrules", "revel", "r"));
        world.writers.rules.apply(&Event::Delete(rule));
        poll_both(&world).await;
        world.rule("another", json!({"query": QUERY, "instance": "second"}));
        for _ in 0..12 {
            sweep::after_poll(&other, &world.context, true).await;
        }
        assert_eq!(world.grafana.hold(|held| held.rules.len()), 1);
    }
}

/// A contact point in Grafana that nobody here has made.
fn by_hand(name: &str) -> Point {
    Point {
        uid: format!("by-hand-{name}"),
        name: name.to_owned(),
        r#type: "email".to_owned(),
        ..Point::default()
    }
}

/// A world whose Grafana has contact points that people have made.
async fn beside_people() -> World {
    let mut world = World::new();
    world
        .grafana
        .hold(|held| held.points = vec![by_hand("other"), by_hand("oncall")]);
    let instance = world.connect(json!({})).await;
    until("the first read", || instance.health() != Health::Starting).await;
    world
}

/// A contact point of namespace `revel` that asks for the name of one that somebody else made.
async fn in_vain(world: &mut World) -> ContactPoint {
    let integrations = json!([{"webhook": {"url": {"value": "https://example.com/hook"}}}]);
    let point = world.contact_point("x", json!({"name": "oncall", "integrations": integrations}));
    let failure = point.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::NotOwned));
    point
}

/// The policy of another namespace, whose tree refers to what people have made.
fn platform(world: &mut World) -> NotificationPolicy {
    let policy: NotificationPolicy = serde_json::from_value(json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy",
        "metadata": {
            "name": "tree", "namespace": "platform", "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER],
        },
        "spec": {
            "receiverRef": {"grafanaName": "other"},
            "routes": [{"receiverRef": {"grafanaName": "oncall"}, "matchers": ["a=b"]}],
        },
    }))
    .unwrap();
    see(
        &world.context,
        &mut world.writers.policies,
        policy,
        news::about_policy,
    )
}

#[tokio::test]
async fn who_asks_for_a_contact_points_name_in_vain_keeps_nobody_from_it() {
    let mut world = beside_people().await;
    in_vain(&mut world).await;
    platform(&mut world).reconcile(&world.context).await.unwrap();
    // What a ContactPoint has made is its namespace's to say.
    let made = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("made", made);
    point.reconcile(&world.context).await.unwrap();
    let policy = platform(&mut world);
    let mut spec = serde_json::to_value(&policy.spec).unwrap();
    spec["routes"][0]["receiverRef"]["grafanaName"] = json!("made");
    let policy = NotificationPolicy {
        spec: serde_json::from_value(spec).unwrap(),
        ..policy
    };
    let failure = policy.reconcile(&world.context).await.err().unwrap();
    assert!(
        failure
            .message
            .contains("made belongs to ContactPoint revel/made"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn a_contact_point_that_has_made_nothing_goes_at_once_and_takes_nothing_with_it() {
    for namespace in [
        json!({"name": "revel"}),
        json!({"name": "revel", "deletionTimestamp": "2026-01-01T00:00:00Z"}),
    ] {
        let mut world = beside_people().await;
        platform(&mut world).reconcile(&world.context).await.unwrap();
        let tree = world.grafana.hold(|held| held.policy.clone());
        let point = in_vain(&mut world).await;
        world.server.set(
            "/api/v1/namespaces/revel",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": namespace}),
        );
        point.clean_up(&world.context).await.unwrap();
        assert_eq!(world.grafana.hold(|held| held.policy.clone()), tree);
        assert_eq!(world.grafana.hold(|held| held.points.len()), 2);
        assert!(world.server.notes().is_empty(), "{:?}", world.server.notes());
    }
}

#[tokio::test]
async fn a_contact_point_keeps_what_it_has_made_from_an_older_one_and_takes_it_along_when_it_goes() {
    let mut world = World::connected().await;
    let made = world.contact_point("made", team("default", "made"));
    made.reconcile(&world.context).await.unwrap();
    // An older one may use the instance from now on, for example.
    let ahead = world.contact_point("ahead", team("default", "ahead"));
    let failure = ahead.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure.reason, Some(Reason::Conflict));
    assert!(
        failure.message.contains("ContactPoint revel/made"),
        "{}",
        failure.message
    );
    made.reconcile(&world.context).await.unwrap();
    made.clean_up(&world.context).await.unwrap();
    assert!(urls(&world).is_empty());
    world.writers.contact_points.apply(&Event::Delete(made));
    ahead.reconcile(&world.context).await.unwrap();
    assert_eq!(urls(&world), ["https://ahead.example.com/hook"]);
}

#[tokio::test]
async fn a_uid_given_by_hand_keeps_no_resource_from_the_one_that_is_derived_from_it() {
    let mut world = World::connected().await;
    let derived = |name: &str| Owner::parse("own").unwrap().rule_uid("revel", name);
    for uid in [derived("victim"), derived("victim").to_uppercase()] {
        // It is there first.
        let squatter = world.rule("a", json!({"query": QUERY, "uid": uid}));
        let failure = squatter.reconcile(&world.context).await.err().unwrap();
        assert_eq!(failure.reason, Some(Reason::Invalid));
        let mistake = squatter.mistake(&world.context).await.unwrap();
        for message in [&failure.message, &mistake.message] {
            assert!(
                message.starts_with("spec.uid: ") && message.contains("leave uid out"),
                "{message}"
            );
        }
        let victim = world.rule("victim", json!({"query": QUERY}));
        victim.reconcile(&world.context).await.unwrap();
        squatter.clean_up(&world.context).await.unwrap();
        let left = world
            .grafana
            .hold(|held| held.rules.keys().cloned().collect::<Vec<_>>());
        assert_eq!(left, [derived("victim")]);
    }
    // One's own may be written down.
    let own = world.rule("own", json!({"query": QUERY, "uid": derived("own")}));
    own.reconcile(&world.context).await.unwrap();
}
