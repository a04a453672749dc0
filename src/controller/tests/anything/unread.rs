//! What our types can't read is told, keeps what it has in Grafana, and can be deleted.

use super::*;
use crate::controller::engine::watch::readable;
use crate::controller::news;
use crate::domain::notification::branches;

/// A pass over the silence as the API server has it.
async fn pass_over(world: &mut World, place: &str) {
    let silence: Silence = readable(&world.server.get(place)).expect("a stand-in at least");
    let silence = see(
        &world.context,
        &mut world.writers.silences,
        silence,
        news::about_silence,
    );
    pass::run(Arc::new(silence), world.context.clone()).await.unwrap();
}

#[tokio::test]
async fn a_resource_that_cannot_be_read_says_which_field_it_is_and_keeps_its_object_until_it_is_deleted() {
    let mut world = World::connected().await;
    let spec = json!({"matchers": ["team=web"], "endsAt": "2100-01-01T00:00:00Z"});
    world.silence("s", spec);
    let place = path("silences", "revel", "s");
    for _ in 0..2 {
        pass_over(&mut world, &place).await;
    }
    assert_eq!(world.server.ready(&place).unwrap().0, "Synced");
    let mut changed = world.server.get(&place);
    changed["spec"]["endsAt"] = json!("2100-01-01T00:00:00!5Z");
    changed["metadata"]["generation"] = json!(2);
    world.server.set(&place, changed);
    pass_over(&mut world, &place).await;
    let (reason, message) = world.server.ready(&place).unwrap();
    assert_eq!(reason, "Invalid");
    assert!(
        message.starts_with("spec.endsAt: can't be read")
            && message.contains("kubectl explain silence.spec.endsAt"),
        "{message}"
    );
    let calls = |world: &World| {
        (
            world.grafana.count("silences.put"),
            world.grafana.count("silences.expire"),
        )
    };
    assert_eq!(calls(&world), (1, 0));
    let mut deleted = world.server.get(&place);
    deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.server.set(&place, deleted);
    pass_over(&mut world, &place).await;
    assert_eq!(calls(&world), (1, 1));
}

/// A pass over one of any kind as the API server has it.
async fn pass_over_any<K>(world: &mut World, place: &str, tell: impl Fn(&mut World, K) -> K)
where
    K: Reconcile + ::kube::core::object::HasSpec,
    K::Spec: Default + serde::Serialize,
{
    let object: K = readable(&world.server.get(place)).expect("a stand-in at least");
    let object = tell(world, object);
    pass::run(Arc::new(object), world.context.clone()).await.unwrap();
}

fn tell_rule(world: &mut World, rule: AlertRule) -> AlertRule {
    see(&world.context, &mut world.writers.rules, rule, news::about_rule)
}

fn tell_policy(world: &mut World, policy: NotificationPolicy) -> NotificationPolicy {
    see(
        &world.context,
        &mut world.writers.policies,
        policy,
        news::about_policy,
    )
}

#[tokio::test]
async fn where_it_cannot_be_read_whether_something_goes_or_from_where_the_deletion_waits_and_says_so() {
    for (field, value) in [
        ("deletionPolicy", json!("Archive")),
        ("instance", json!(5)),
        ("instances", json!("both")),
        ("uid", json!({"by": "hand"})),
    ] {
        let mut world = World::connected().await;
        world.rule("r", json!({"query": QUERY}));
        let place = path("alertrules", "revel", "r");
        for _ in 0..2 {
            pass_over_any(&mut world, &place, tell_rule).await;
        }
        assert_eq!(world.server.ready(&place).unwrap().0, "Synced", "{field}");
        let mut changed = world.server.get(&place);
        changed["spec"][field] = value;
        changed["metadata"]["generation"] = json!(2);
        changed["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        world.server.set(&place, changed);
        pass_over_any(&mut world, &place, tell_rule).await;
        let (reason, message) = world.server.ready(&place).unwrap();
        let told = format!("the deletion waits: spec.{field}: can't be read");
        assert!(reason == "Invalid" && message.starts_with(&told), "{message}");
        assert_eq!(world.grafana.hold(|held| held.rules.len()), 1, "{field}");
        // Once it can be read it is done.
        let mut corrected = world.server.get(&place);
        corrected["spec"].as_object_mut().unwrap().remove(field);
        world.server.set(&place, corrected);
        pass_over_any(&mut world, &place, tell_rule).await;
        assert_eq!(world.grafana.hold(|held| held.rules.len()), 0, "{field}");
    }
}

#[tokio::test]
async fn a_branch_whose_root_or_priority_cannot_be_read_stays_where_it_stands_and_is_no_root() {
    for (field, value) in [("parentRef", json!("root")), ("priority", json!("high"))] {
        let mut world = World::connected().await;
        world.grafana.hold(|held| {
            held.points.push(Point {
                name: "by-hand".to_owned(),
                ..Point::default()
            });
        });
        world.poll().await;
        let receiver = json!({"grafanaName": "by-hand"});
        world.policy("root", json!({"receiverRef": receiver}));
        let branch = |name: &str, priority: i32| {
            json!({
                "parentRef": {"name": "root"}, "priority": priority, "receiverRef": receiver,
                "routes": [{"matchers": [format!("team={name}")]}],
            })
        };
        world.policy("a", branch("a", 5));
        world.policy("b", branch("b", 1));
        let root = path("notificationpolicies", "revel", "root");
        for _ in 0..2 {
            pass_over_any(&mut world, &root, tell_policy).await;
        }
        let standing = |world: &World| {
            let routes = world.grafana.hold(|held| held.policy.clone().unwrap().routes);
            let marks = routes.iter().filter_map(branches::mark);
            marks.map(str::to_owned).collect::<Vec<_>>()
        };
        let stood = standing(&world);
        assert_eq!(
            stood.len(),
            2,
            "{:?}",
            world.grafana.hold(|held| held.policy.clone())
        );
        let place = path("notificationpolicies", "revel", "a");
        let mut changed = world.server.get(&place);
        changed["spec"][field] = value;
        changed["metadata"]["generation"] = json!(2);
        changed["metadata"]["creationTimestamp"] = json!("2025-01-01T00:00:00Z");
        world.server.set(&place, changed);
        pass_over_any(&mut world, &place, tell_policy).await;
        assert_eq!(world.server.ready(&place).unwrap().0, "Invalid");
        // The root writes its tree for something else.
        let mut edited = world.server.get(&root);
        edited["spec"]["groupBy"] = json!(["team"]);
        edited["metadata"]["generation"] = json!(2);
        world.server.set(&root, edited);
        let puts = world.grafana.count("policy.put");
        pass_over_any(&mut world, &root, tell_policy).await;
        assert_eq!(world.server.ready(&root).unwrap().0, "Synced", "{field}");
        assert_eq!(world.grafana.count("policy.put"), puts + 1, "{field}");
        assert_eq!(standing(&world), stood, "{field}");
    }
}

fn tell_point(world: &mut World, point: ContactPoint) -> ContactPoint {
    see(
        &world.context,
        &mut world.writers.contact_points,
        point,
        news::about_contact_point,
    )
}

#[tokio::test]
async fn what_is_remembered_of_a_contact_point_stays_while_it_cannot_be_read_and_goes_with_it() {
    let mut world = World::connected().await;
    let url = "https://example.com/hook";
    world.grafana.hold(|held| {
        held.points.push(Point {
            name: "team".to_owned(),
            uid: "by-hand".to_owned(),
            r#type: "webhook".to_owned(),
            settings: [("url".to_owned(), json!(url))].into_iter().collect(),
        });
    });
    world.poll().await;
    world.contact_point(
        "team",
        json!({"integrations": [{"webhook": {"url": {"value": url}}}]}),
    );
    let place = path("contactpoints", "revel", "team");
    for _ in 0..2 {
        pass_over_any(&mut world, &place, tell_point).await;
    }
    let remembered = |world: &World| {
        let instance = world.instance();
        let memory = instance.memory().unwrap();
        memory.read(|memory| (memory.kept_uids.clone(), memory.sent.clone()))
    };
    let kept = remembered(&world);
    assert_eq!((kept.0.len(), kept.1.len()), (1, 1), "{kept:?}");
    let mut changed = world.server.get(&place);
    changed["spec"]["integrations"] = json!("webhook");
    changed["metadata"]["generation"] = json!(2);
    world.server.set(&place, changed);
    for _ in 0..2 {
        pass_over_any(&mut world, &place, tell_point).await;
        world.poll().await;
    }
    assert_eq!(world.server.ready(&place).unwrap().0, "Invalid");
    assert_eq!(remembered(&world), kept);
    let mut deleted = world.server.get(&place);
    deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.server.set(&place, deleted);
    pass_over_any(&mut world, &place, tell_point).await;
    assert_eq!(world.grafana.hold(|held| held.points.len()), 0);
    let left = remembered(&world);
    assert!(left.0.is_empty() && left.1.is_empty(), "{left:?}");
}
