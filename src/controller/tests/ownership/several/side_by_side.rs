//! What a resource that is for several Grafanas has in one of them, while something changes in another.

use tokio_util::sync::CancellationToken;

use super::super::*;
use super::two;
use crate::controller::engine::claim::{Claiming, Key};
use crate::controller::pass;

fn holder<K: Claiming>(world: &World, key: impl Fn(Arc<str>) -> Key, instance: &str) -> Option<String> {
    let claims = &world.context.claims;
    let first = claims.first::<K>(&key(claims.place(instance)));
    first.map(|(first, _)| first.path())
}

#[tokio::test]
async fn what_changes_in_one_grafana_takes_from_no_resource_what_it_has_in_another() {
    let (mut world, _other) = two().await;
    let both = json!(["default", "other"]);
    let hook = json!([{"webhook": {"url": {"value": "https://example.com/hook"}}}]);
    world.contact_point("team", json!({"instances": both, "integrations": hook}));
    world.policy("tree", json!({"instances": both, "receiver": "team"}));
    let mut rule = json!({"query": QUERY, "uid": "mine"});
    rule["instances"] = both;
    world.rule("r", rule);
    let uid = |place| Key::Uid(place, "mine".to_owned());
    let name = |place| Key::ContactPoint(place, "team".to_owned());
    let tree = |place| Key::Tree(place, TreeName::default());
    for changed in ["default", "other"] {
        let mut spec = world.context.declared_instance(changed).unwrap().spec.clone();
        spec.url = format!("http://moved.{changed}");
        assert!(world.context.claims.set_ground(changed, Some(&spec)));
        world.context.claim_anew(changed);
        for instance in ["default", "other"] {
            let held = [
                holder::<AlertRule>(&world, uid, instance),
                holder::<ContactPoint>(&world, name, instance),
                holder::<NotificationPolicy>(&world, tree, instance),
            ];
            let expected = ["revel/r", "revel/team", "revel/tree"].map(|path| Some(path.to_owned()));
            assert_eq!(held, expected, "in {instance}, after a change of {changed}");
        }
    }
}

#[tokio::test]
async fn a_root_that_leaves_one_of_its_grafanas_leaves_the_tree_there_to_the_next() {
    let (mut world, other) = two().await;
    let both = json!(["default", "other"]);
    let hook = json!([{"webhook": {"url": {"value": "https://example.com/hook"}}}]);
    for name in ["a", "b"] {
        let point = world.contact_point(name, json!({"instances": both, "integrations": hook}));
        pass::run(Arc::new(point), world.context.clone()).await.unwrap();
        let point = serde_json::from_value(world.server.get(&path("contactpoints", "revel", name))).unwrap();
        see(
            &world.context,
            &mut world.writers.contact_points,
            point,
            news::about_contact_point,
        );
    }
    let receiver = |grafana: &Double| grafana.hold(|held| held.policy.clone().and_then(|tree| tree.receiver));
    // The first one in line is for both, the next for the second alone.
    let first = world.policy("a", json!({"instances": both, "receiver": "a"}));
    pass::run(Arc::new(first), world.context.clone()).await.unwrap();
    let second = world.policy("b", json!({"instance": "other", "receiver": "b"}));
    let failure = second.reconcile(&world.context).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Conflict), "{}", failure.message);

    let at = path("notificationpolicies", "revel", "a");
    let mut object = world.server.get(&at);
    object["spec"]["instances"] = json!(["default"]);
    object["metadata"]["generation"] = json!(2);
    world.server.set(&at, object.clone());
    let first: NotificationPolicy = serde_json::from_value(object).unwrap();
    let first = see(
        &world.context,
        &mut world.writers.policies,
        first,
        news::about_policy,
    );
    pass::run(Arc::new(first), world.context.clone()).await.unwrap();
    let first = serde_json::from_value(world.server.get(&at)).unwrap();
    see(
        &world.context,
        &mut world.writers.policies,
        first,
        news::about_policy,
    );
    second.reconcile(&world.context).await.unwrap();
    let held = [receiver(&world.grafana), receiver(&other)];
    assert_eq!(held, ["a", "b"].map(|name| Some(name.to_owned())));
}

/// Lets the watch tell of a policy as the API server has it, has a pass over it, and tells of it once more.
async fn pass_over(world: &mut World, name: &str, change: impl FnOnce(&mut Value)) -> NotificationPolicy {
    let at = path("notificationpolicies", "revel", name);
    let mut object = world.server.get(&at);
    change(&mut object);
    world.server.set(&at, object);
    let policy = told(world, &at);
    pass::run(Arc::new(policy), world.context.clone()).await.unwrap();
    told(world, &at)
}

fn told(world: &mut World, at: &str) -> NotificationPolicy {
    let policy = serde_json::from_value(world.server.get(at)).unwrap();
    see(
        &world.context,
        &mut world.writers.policies,
        policy,
        news::about_policy,
    )
}

#[tokio::test]
async fn a_root_that_leaves_one_grafana_leaves_its_tree_there_to_the_next_in_line_and_what_was_before_to_that()
 {
    let (mut world, other) = two().await;
    let by_hand: Route = serde_json::from_value(json!({
        "receiver": "by-hand", "routes": [{"receiver": "by-hand", "object_matchers": [["a", "=", "b"]]}],
    }))
    .unwrap();
    for grafana in [&world.grafana, &other] {
        grafana.hold(|held| {
            held.policy = Some(by_hand.clone());
            held.points.push(Point {
                name: "by-hand".to_owned(),
                ..Point::default()
            });
        });
    }
    let poll = async |world: &World| {
        let all: Vec<_> = world.context.running.read().values().cloned().collect();
        for instance in all {
            poller::poll_all(&instance, &world.context, false).await;
        }
    };
    poll(&world).await;
    let receiver = json!({"grafanaName": "by-hand"});
    world.policy(
        "first",
        json!({"instances": ["default", "other"], "receiverRef": receiver}),
    );
    let first = pass_over(&mut world, "first", |first| {
        first["metadata"]["annotations"] = json!({ANNOTATION_ADOPT: "true"});
    })
    .await;
    assert!(first.is_stored());
    let next = json!({"instance": "other", "receiverRef": receiver, "groupBy": ["team"]});
    world.policy("next", next);
    let next = pass_over(&mut world, "next", |_| ()).await;
    let ready = crate::api::condition::ready(&next.status.as_ref().unwrap().conditions);
    assert_eq!(ready.unwrap().reason, "Conflict");
    let first = pass_over(&mut world, "first", |first| {
        first["spec"] = json!({"instance": "default", "receiverRef": receiver});
        first["metadata"]["generation"] = json!(2);
    })
    .await;
    assert!(first.is_stored(), "{:?}", first.status);
    let puts = other.count("policy.put");
    let next = pass_over(&mut world, "next", |_| ()).await;
    assert!(next.is_stored(), "{:?}", next.status);
    assert_eq!(other.count("policy.put"), puts, "it has it already");
    let there = other.hold(|held| held.policy.clone().unwrap());
    assert_eq!(there.group_by, ["team"]);
    next.clean_up(&world.context).await.unwrap();
    assert_eq!(other.hold(|held| held.policy.clone()), Some(by_hand));
}

#[tokio::test]
async fn a_grafana_that_dawdles_keeps_no_pass_waiting_that_is_for_another() {
    let (mut world, other) = two().await;
    let go_on = CancellationToken::new();
    let dawdle = go_on.clone();
    world.grafana.does(move |called| match called {
        "contact_points.create" | "folders.create" => Does::Dawdles(dawdle.clone()),
        _ => Does::Well,
    });
    let hook = json!([{"webhook": {"url": {"value": "https://example.com/hook"}}}]);
    let mut slow = Vec::new();
    for i in 0..20 {
        let point = Arc::new(world.contact_point(&format!("slow-{i}"), json!({"integrations": hook})));
        slow.push(tokio::spawn(pass::run(point, world.context.clone())));
        let rule = Arc::new(world.rule(&format!("slow-{i}"), json!({"query": QUERY})));
        slow.push(tokio::spawn(pass::run(rule, world.context.clone())));
    }
    world.grafana.called("contact_points.create", 1).await;
    world.grafana.called("folders.create", 1).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert!(slow.iter().all(|pass| !pass.is_finished()));

    let there = json!({"instance": "other", "integrations": hook});
    let point = Arc::new(world.contact_point("quick", there));
    let rule = Arc::new(world.rule("quick", json!({"instance": "other", "query": QUERY})));
    let quick = async {
        pass::run(point, world.context.clone()).await.unwrap();
        pass::run(rule, world.context.clone()).await.unwrap();
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), quick).await;
    assert!(ended.is_ok(), "they wait for those of the other Grafana");
    assert_eq!(other.hold(|held| (held.points.len(), held.rules.len())), (1, 1));
    assert!(
        slow.iter().all(|pass| !pass.is_finished()),
        "nobody has let them go on"
    );
    go_on.cancel();
    for pass in slow {
        pass.await.unwrap().unwrap();
    }
}
