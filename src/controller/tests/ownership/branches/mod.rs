//! Branches: what each adds to the tree of its root, and what becomes of it when one of the two can't go on.

mod ailing;
mod drifted;
mod timed;

use ::kube::runtime::reflector::ObjectRef;

use super::*;
use crate::api::{ANNOTATION_SHARED_WITH, condition};
use crate::controller::news;
use crate::controller::pass;
use crate::domain::notification::branches::{find, mark};

/// A policy of any namespace, with annotations.
fn policy(
    world: &mut World,
    namespace: &str,
    name: &str,
    spec: &Value,
    annotations: &Value,
) -> NotificationPolicy {
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy",
        "metadata": {
            "name": name, "namespace": namespace, "uid": format!("uid-{namespace}-{name}"), "generation": 1, "annotations": annotations,
            "creationTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER],
        },
        "spec": spec,
    });
    world
        .server
        .set(&path("notificationpolicies", namespace, name), object.clone());
    let policy = serde_json::from_value(object).unwrap();
    see(
        &world.context,
        &mut world.writers.policies,
        policy,
        news::about_policy,
    )
}

/// Adds the fields of an object to another one.
fn add(spec: &mut Value, more: Value) {
    let Value::Object(more) = more else {
        panic!("no object: {more}")
    };
    for (key, value) in more {
        spec[key] = value;
    }
}

/// A branch of the root of namespace `revel`.
fn branch(world: &mut World, namespace: &str, name: &str, more: Value) -> NotificationPolicy {
    let mut spec = json!({"parentRef": {"name": "tree", "namespace": "revel"}, "receiverRef": {"grafanaName": "by-hand"}});
    add(&mut spec, more);
    policy(world, namespace, name, &spec, &json!({}))
}

/// A world whose Grafana knows revisions, and a root that is shared with all.
async fn with_a_root(instance: Value) -> World {
    let mut world = world_with(&instance, |held| {
        held.has_revisions = true;
        held.points.push(Point {
            name: "by-hand".to_owned(),
            ..Point::default()
        });
    })
    .await;
    root(&mut world, json!({}));
    world
}

fn root(world: &mut World, more: Value) -> NotificationPolicy {
    let mut spec = json!({"receiverRef": {"grafanaName": "by-hand"}, "routes": [{"matchers": ["a=b"]}]});
    add(&mut spec, more);
    policy(
        world,
        "revel",
        "tree",
        &spec,
        &json!({ANNOTATION_SHARED_WITH: "*"}),
    )
}

/// Passes over what was asked for, until nobody is any more. What is written into a status is seen as a watch shows it.
async fn settle(world: &mut World) {
    for _ in 0..50 {
        let Ok(next) = world.receivers.policies.try_recv() else {
            return;
        };
        run(world, &next).await;
    }
    panic!("no end of passes: {:?}", world.grafana.calls());
}

async fn run(world: &mut World, next: &ObjectRef<NotificationPolicy>) {
    let Some(policy) = world.context.stores.policies.get(next) else {
        return;
    };
    let _ = pass::run(policy, world.context.clone()).await;
    let namespace = next.namespace.clone().unwrap();
    let now = world
        .server
        .get(&path("notificationpolicies", &namespace, &next.name));
    let now: NotificationPolicy = serde_json::from_value(now).unwrap();
    see(
        &world.context,
        &mut world.writers.policies,
        now,
        news::about_policy,
    );
}

/// A pass over each of these, and over what they ask for.
async fn pass_over(world: &mut World, policies: &[&NotificationPolicy]) {
    for policy in policies {
        world.context.triggers.policies.one(policy.ns(), policy.id());
    }
    settle(world).await;
}

fn tree(world: &World) -> Route {
    world.grafana.hold(|held| held.policy.clone().unwrap())
}

/// The branches of the tree in Grafana, in order.
fn order(world: &World) -> Vec<String> {
    let tree = tree(world);
    tree.routes.iter().filter_map(mark).map(str::to_owned).collect()
}

/// Reason and message of a policy as the store has it, with where it stands.
fn said(world: &World, namespace: &str, name: &str) -> (String, String, Option<i64>) {
    let place = ObjectRef::new(name).within(namespace);
    let status = world
        .context
        .stores
        .policies
        .get(&place)
        .unwrap()
        .status
        .clone()
        .unwrap();
    let ready = condition::ready(&status.conditions).unwrap().clone();
    (ready.reason, ready.message, status.position)
}

fn tenant(route: &Route) -> Vec<&str> {
    let all = route.object_matchers.iter();
    all.filter(|(label, _, _)| label == OWNER_LABEL)
        .map(|(_, _, value)| value.as_str())
        .collect()
}

#[tokio::test]
async fn each_branch_stands_where_its_priority_says_and_knows_its_place_by_one_write_each() {
    let mut world = with_a_root(json!({})).await;
    let root = root(&mut world, json!({}));
    pass_over(&mut world, &[&root]).await;
    assert_eq!(order(&world), [""; 0]);
    for (i, (namespace, name, priority, expected)) in [
        ("shop", "b", 0, vec!["shop/b"]),
        ("bank", "z", 0, vec!["bank/z", "shop/b"]),
        ("shop", "a", 7, vec!["shop/a", "bank/z", "shop/b"]),
        ("shop", "c", -7, vec!["shop/a", "bank/z", "shop/b", "shop/c"]),
    ]
    .into_iter()
    .enumerate()
    {
        let new = branch(&mut world, namespace, name, json!({"priority": priority}));
        pass_over(&mut world, &[&new]).await;
        let expected: Vec<_> = expected.iter().map(|path| format!("own/{path}")).collect();
        assert_eq!(order(&world), expected);
        assert_eq!(
            world.grafana.count("policy.put"),
            i + 2,
            "one write for each change"
        );
        for (place, mark) in expected.iter().enumerate() {
            let (_, namespace, name) = {
                let mut parts = mark.split('/');
                (parts.next(), parts.next().unwrap(), parts.next().unwrap())
            };
            let (reason, message, position) = said(&world, namespace, name);
            assert_eq!(reason, "Synced", "{mark}: {message}");
            assert_eq!(position, i64::try_from(place + 1).ok(), "{mark}");
        }
    }
    let status = world
        .context
        .stores
        .policies
        .get(&ObjectRef::new("tree").within("revel"));
    assert_eq!(status.unwrap().status.as_ref().unwrap().branches, Some(4));
    assert_eq!(tree(&world).routes.last().unwrap().object_matchers[0].0, "a");
}

#[tokio::test]
async fn a_branch_of_another_priority_gets_another_place_by_one_write() {
    let mut world = with_a_root(json!({})).await;
    let first = branch(&mut world, "bank", "own", json!({}));
    let second = branch(&mut world, "shop", "own", json!({}));
    pass_over(&mut world, &[&first, &second]).await;
    let puts = world.grafana.count("policy.put");
    let raised = branch(&mut world, "shop", "own", json!({"priority": 1}));
    pass_over(&mut world, &[&raised]).await;
    assert_eq!(order(&world), ["own/shop/own", "own/bank/own"]);
    assert_eq!(world.grafana.count("policy.put"), puts + 1);
    assert_eq!(
        (said(&world, "shop", "own").2, said(&world, "bank", "own").2),
        (Some(1), Some(2))
    );
}

/// Which policies were asked for.
fn asked(world: &mut World) -> Vec<String> {
    let mut all = Vec::new();
    while let Ok(next) = world.receivers.policies.try_recv() {
        all.push(format!("{}/{}", next.namespace.unwrap_or_default(), next.name));
    }
    all
}

#[tokio::test]
async fn a_change_of_a_branch_asks_for_its_root_alone_and_that_for_nobody_who_stands_as_before() {
    let mut world = with_a_root(json!({})).await;
    let own = branch(&mut world, "shop", "own", json!({}));
    let others = [
        branch(&mut world, "shop", "other", json!({})),
        branch(&mut world, "bank", "own", json!({})),
    ];
    pass_over(&mut world, &[&own, &others[0], &others[1]]).await;
    let (branch_of, root) = (
        ObjectRef::new("own").within("shop"),
        ObjectRef::new("tree").within("revel"),
    );
    branch(&mut world, "shop", "own", json!({"matchers": ["a=b"]}));
    assert_eq!(asked(&mut world), [""; 0]);
    run(&mut world, &branch_of).await;
    assert_eq!(asked(&mut world), ["revel/tree"]);
    run(&mut world, &root).await;
    assert_eq!(asked(&mut world), ["shop/own"]);
    run(&mut world, &branch_of).await;
    assert_eq!(asked(&mut world), [""; 0]);
    assert_eq!(said(&world, "shop", "own").0, "Synced");
}

#[tokio::test]
async fn at_rest_and_after_a_restart_nothing_is_written() {
    let mut world = with_a_root(json!({})).await;
    let one = branch(&mut world, "shop", "one", json!({}));
    let two = branch(&mut world, "bank", "two", json!({}));
    pass_over(&mut world, &[&two, &one]).await;
    let restarted = |world: &World| (world.grafana.count("policy.put"), world.server.writes().len());
    let before = restarted(&world);
    let objects: Vec<NotificationPolicy> = world
        .context
        .stores
        .policies
        .all()
        .iter()
        .map(|p| (**p).clone())
        .collect();
    let mut world = world.restarted().await;
    for object in objects {
        see(
            &world.context,
            &mut world.writers.policies,
            object,
            news::about_policy,
        );
    }
    let all: Vec<_> = world.context.stores.policies.all();
    // Branches first, then the root, then all again.
    for policy in all.iter().chain(&all) {
        world.context.triggers.policies.one(policy.ns(), policy.id());
        settle(&mut world).await;
    }
    assert_eq!(restarted(&world), before);
}

#[tokio::test]
async fn a_branch_of_another_namespace_needs_the_roots_owner_to_share_it() {
    let mut world = with_a_root(json!({})).await;
    let ours = branch(&mut world, "shop", "own", json!({}));
    let at_home = branch(&mut world, "revel", "home", json!({}));
    for (shared, joins) in [("*", true), ("bank, shopping", false), ("bank,shop", true)] {
        let spec = json!({"receiverRef": {"grafanaName": "by-hand"}});
        let root = policy(
            &mut world,
            "revel",
            "tree",
            &spec,
            &json!({ANNOTATION_SHARED_WITH: shared}),
        );
        pass_over(&mut world, &[&ours, &at_home, &root]).await;
        assert_eq!(
            order(&world).contains(&"own/shop/own".to_owned()),
            joins,
            "{shared}"
        );
        assert!(order(&world).contains(&"own/revel/home".to_owned()), "{shared}");
        let (reason, message, _) = said(&world, "shop", "own");
        if !joins {
            assert_eq!(reason, "DependencyMissing");
            assert!(
                message.contains("revel/tree isn't shared with namespace shop"),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn a_branch_is_bound_to_the_alerts_of_its_own_namespace_unless_the_instance_trusts_it() {
    let unrestricted = json!({"unrestrictedNamespaces": {"names": ["trusted"]}, "previousOwnerIDs": ["old"]});
    let mut world = with_a_root(unrestricted).await;
    let branches = [
        branch(&mut world, "shop.eu", "own", json!({})),
        branch(&mut world, "trusted", "own", json!({})),
        branch(&mut world, HOME, "own", json!({})),
    ];
    pass_over(&mut world, &branches.iter().collect::<Vec<_>>()).await;
    let tree = tree(&world);
    let of = |namespace: &str| tenant(find(&tree, &format!("own/{namespace}/own")).unwrap());
    assert_eq!(of("shop.eu"), ["(own|old)/shop\\.eu/.+"]);
    assert_eq!(of("trusted"), [""; 0]);
    assert_eq!(of(HOME), [""; 0]);
}

#[tokio::test]
async fn a_namespace_that_may_not_use_the_instance_has_no_branch() {
    let mut world = with_a_root(json!({"allowedNamespaces": {"names": ["revel"]}})).await;
    let foreign = branch(&mut world, "shop", "own", json!({}));
    let ours = branch(&mut world, "revel", "own", json!({}));
    pass_over(&mut world, &[&foreign, &ours]).await;
    assert_eq!(order(&world), ["own/revel/own"]);
    assert_eq!(said(&world, "shop", "own").0, "Invalid");
}

#[tokio::test]
async fn a_branch_names_a_root_of_its_own_instance_or_hears_what_is_wrong() {
    let mut world = with_a_root(json!({})).await;
    let named = |name: &str| json!({"parentRef": {"name": name, "namespace": "revel"}});
    let ours = branch(&mut world, "revel", "own", json!({}));
    let cases = [
        (
            "itself",
            named("itself"),
            "Invalid",
            "revel/itself is a branch itself",
        ),
        (
            "below",
            named("own"),
            "Invalid",
            "revel/own is a branch itself; name the root of its tree, which may be revel/tree",
        ),
        (
            "lost",
            named("nobody"),
            "DependencyMissing",
            "revel/nobody is not there; create it or correct parentRef",
        ),
    ];
    for (name, spec, _, _) in &cases {
        let wrong = branch(&mut world, "revel", name, spec.clone());
        pass_over(&mut world, &[&wrong]).await;
    }
    pass_over(&mut world, &[&ours]).await;
    for (name, _, reason, words) in cases {
        let (is, message, _) = said(&world, "revel", name);
        assert_eq!(is, reason, "{name}: {message}");
        assert!(message.contains(words), "{name}: {message}");
    }
    assert_eq!(order(&world), ["own/revel/own"]);
}

#[tokio::test]
async fn what_people_change_of_a_branch_in_grafana_is_put_right() {
    let mut world = with_a_root(json!({})).await;
    let own = branch(&mut world, "shop", "own", json!({}));
    pass_over(&mut world, &[&own]).await;
    let before = tree(&world);
    world.grafana.hold(|held| {
        held.policy.as_mut().unwrap().routes.remove(1);
    });
    world.poll().await;
    settle(&mut world).await;
    assert_eq!(tree(&world), before);
    assert_eq!(said(&world, "shop", "own").0, "Synced");
}

#[tokio::test]
async fn where_a_branch_stands_is_told_also_while_it_or_its_root_writes_nothing() {
    let mut world = with_a_root(json!({})).await;
    let first = branch(&mut world, "shop", "own", json!({}));
    let second = branch(&mut world, "bank", "own", json!({"priority": -1}));
    pass_over(&mut world, &[&first, &second]).await;
    let places = |world: &World| (said(world, "shop", "own").2, said(world, "bank", "own").2);
    assert_eq!(places(&world), (Some(1), Some(2)));
    // A branch that is suspended stays in the tree, behind one that is raised.
    let suspended = branch(&mut world, "shop", "own", json!({"suspend": true}));
    let raised = branch(&mut world, "bank", "own", json!({"priority": 1}));
    pass_over(&mut world, &[&suspended, &raised]).await;
    assert_eq!(order(&world), ["own/bank/own", "own/shop/own"]);
    assert_eq!(places(&world), (Some(2), Some(1)));
    assert_eq!(said(&world, "shop", "own").0, "Suspended");
    // Somebody changes their order in Grafana while the root is suspended; and puts it right.
    let root = root(&mut world, json!({"suspend": true}));
    pass_over(&mut world, &[&root]).await;
    for (swapped, expected) in [(true, (Some(1), Some(2))), (false, (Some(2), Some(1)))] {
        world
            .grafana
            .hold(|held| held.policy.as_mut().unwrap().routes.swap(1, 2));
        world.poll().await;
        settle(&mut world).await;
        assert_eq!(places(&world), expected, "swapped: {swapped}");
    }
    let writes = world.server.writes().len();
    pass_over(&mut world, &[&root, &suspended, &raised]).await;
    assert_eq!(world.server.writes().len(), writes, "at rest nothing is written");
}
