//! Resources whose statuses speak of another Grafana, to which their instance was pointed before, or of a time before somebody else got what they had:
//! whoever has it in this one keeps it.

use super::super::*;
use crate::controller::engine::failure::Failure;

const ELDER: &str = "2025-01-01T00:00:00Z";

/// A resource that is older than all others, and whose status says of some Grafana that it has there what it asks for.
fn elder<K: Managed + DeserializeOwned>(spec: Value, mut status: Value) -> K {
    let ready = json!({
        "type": "Ready", "status": "True", "reason": "Synced", "message": "", "observedGeneration": 1,
        "lastTransitionTime": ELDER,
    });
    status["conditions"] = json!([ready]);
    let mut object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": K::KIND,
        "metadata": {
            "name": "elder", "namespace": "revel", "uid": "uid-elder", "generation": 1,
            "creationTimestamp": ELDER, "finalizers": [FINALIZER],
        },
    });
    object["spec"] = spec;
    object["status"] = status;
    serde_json::from_value(object).unwrap()
}

async fn pass<K: Reconcile>(world: &World, object: &K) -> Result<(), Failure> {
    if let Err(failure) = object.reconcile(&world.context).await
        && failure != Failure::not_yet()
    {
        return Err(failure);
    }
    world.poll().await;
    object.reconcile(&world.context).await.map(drop)
}

/// Whatever order their passes come in, the one that has it here goes on to, and the other is told so.
async fn keeps<K: Reconcile>(world: &World, holder: &K, elder: &K) {
    for _ in 0..2 {
        let failure = pass(world, elder).await.unwrap_err();
        assert_eq!(failure.reason, Some(Reason::Conflict), "{}", failure.message);
        assert!(
            failure.message.contains("revel/holder already ha")
                || failure.message.contains("revel/holder already holds")
                || failure.message.contains("as AlertRule revel/holder says"),
            "{}",
            failure.message
        );
        pass(world, holder).await.unwrap();
    }
}

#[tokio::test]
async fn a_root_keeps_the_tree_that_it_has() {
    let mut world = world_with(&json!({}), |held| {
        held.points.push(Point {
            name: "by-hand".to_owned(),
            ..Point::default()
        });
    })
    .await;
    let spec = json!({"receiverRef": {"grafanaName": "by-hand"}});
    let holder = world.policy("holder", spec.clone());
    pass(&world, &holder).await.unwrap();
    let mut other = spec.clone();
    other["groupBy"] = json!(["team"]);
    let elder = elder(other, json!({"receiver": "by-hand", "routes": 0}));
    let elder = see(
        &world.context,
        &mut world.writers.policies,
        elder,
        news::about_policy,
    );
    keeps(&world, &holder, &elder).await;
    // Nor does it where nothing is known of the tree for the moment, and nothing is remembered.
    let memory = world.instance();
    let memory = memory.memory().unwrap();
    memory
        .update(|memory| memory.forget_tree(&TreeName::default()))
        .await
        .unwrap();
    world
        .instance()
        .mirror
        .write(|held| held.trees.unknown(TreeName::default()));
    let failure = elder.reconcile(&world.context).await.map(drop).unwrap_err();
    assert_eq!(failure.reason, Some(Reason::Conflict), "{}", failure.message);
    keeps(&world, &holder, &elder).await;
    // Its way out takes nothing from the one that has it.
    elder.clean_up(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("policy.put"), 1);
    assert_eq!(world.grafana.count("policy.reset"), 0);
    // Once that one is gone it is the next.
    holder.clean_up(&world.context).await.unwrap();
    let gone = Event::Delete(holder.clone());
    let before = world.writers.policies.apply(&gone);
    news::about_policy(&gone, before.as_deref(), &world.context);
    pass(&world, &elder).await.unwrap();
}

#[tokio::test]
async fn a_contact_point_keeps_its_name() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let hook = |host: &str| {
        let url = format!("https://{host}.example.com/hook");
        json!({"name": "team", "integrations": [{"webhook": {"url": {"value": url}}}]})
    };
    let holder = world.contact_point("holder", hook("holder"));
    pass(&world, &holder).await.unwrap();
    let policy = world.policy("tree", json!({"receiver": "holder"}));
    pass(&world, &policy).await.unwrap();
    let elder = elder(hook("elder"), json!({"name": "team", "types": "webhook"}));
    let elder = see(
        &world.context,
        &mut world.writers.contact_points,
        elder,
        news::about_contact_point,
    );
    // Whoever refers to it before its own next pass finds it as well.
    pass(&world, &policy).await.unwrap();
    keeps(&world, &holder, &elder).await;
    let writes = ["contact_points.create", "contact_points.update"].map(|call| world.grafana.count(call));
    assert_eq!(writes, [1, 0], "{:?}", world.grafana.calls());
    // A change by hand is its to put right.
    drain(&mut world.receivers.contact_points);
    world.grafana.hold(|held| {
        held.points[0]
            .settings
            .insert("url".to_owned(), json!("https://x"))
    });
    world.poll().await;
    let asked = world.receivers.contact_points.try_recv().unwrap();
    assert_eq!(asked.name, "holder");
}

#[tokio::test]
async fn a_time_interval_keeps_its_name() {
    let mut world = world_with(&json!({}), |_| ()).await;
    let on = |day: &str| json!({"name": "nights", "timeIntervals": [{"weekdays": [day]}]});
    let holder = world.time_interval("holder", on("sunday"));
    pass(&world, &holder).await.unwrap();
    let elder = elder(on("monday"), json!({"name": "nights", "stored": "x"}));
    let elder = see(
        &world.context,
        &mut world.writers.time_intervals,
        elder,
        news::about_time_interval,
    );
    keeps(&world, &holder, &elder).await;
    assert_eq!(world.grafana.count("time_intervals.put"), 1);
}

#[tokio::test]
async fn a_rule_keeps_the_uid_that_was_chosen_for_it_and_its_group_the_interval() {
    for (own, others) in [
        (json!({"uid": "mine"}), json!({"uid": "mine", "title": "other"})),
        (json!({}), json!({"interval": "5m", "title": "other"})),
    ] {
        let mut world = world_with(&json!({}), |_| ()).await;
        let spec = |more: &Value| {
            let mut spec = json!({"query": QUERY, "folder": "F", "group": "g", "interval": "1m"});
            spec.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            spec
        };
        let holder = world.rule("holder", spec(&own));
        pass(&world, &holder).await.unwrap();
        let folder = world.grafana.hold(|held| held.folders[0].uid.clone());
        let uid = others["uid"].as_str().unwrap_or("another");
        let status = json!({"uid": uid, "folder": "F", "folderUID": folder, "group": "g", "stored": "x"});
        let elder = elder(spec(&others), status);
        let elder = see(&world.context, &mut world.writers.rules, elder, news::about_rule);
        keeps(&world, &holder, &elder).await;
        assert_eq!(world.grafana.hold(|held| held.rules.len()), 1);
    }
}

#[tokio::test]
async fn a_former_name_is_still_had_until_it_is_gone_so_a_resource_can_go_back_to_it() {
    let mut world = world_with(&json!({}), |held| {
        held.points.push(Point {
            name: "by-hand".to_owned(),
            ..Point::default()
        });
    })
    .await;
    let named = |name: &str| json!({"name": name, "timeIntervals": [{"weekdays": ["sunday"]}]});
    let holder = world.time_interval("holder", named("x"));
    pass(&world, &holder).await.unwrap();
    // A policy that goes on to name it as Grafana does keeps it there.
    let muted = json!({
        "receiverRef": {"grafanaName": "by-hand"},
        "routes": [{"matchers": ["a=b"], "muteTimeIntervalRefs": [{"grafanaName": "x"}]}],
    });
    let policy = world.policy("tree", muted);
    pass(&world, &policy).await.unwrap();
    let mut renamed = world.time_interval("holder", named("y"));
    pass(&world, &renamed).await.unwrap();
    renamed.status = Some(serde_json::from_value(json!({"name": "y", "stored": "x"})).unwrap());
    let about = news::about_time_interval;
    see(&world.context, &mut world.writers.time_intervals, renamed, about);
    let elder: TimeInterval = elder(named("x"), json!({}));
    let elder = see(&world.context, &mut world.writers.time_intervals, elder, about);
    let failure = pass(&world, &elder).await.unwrap_err();
    assert_eq!(failure.reason, Some(Reason::NotOwned), "{}", failure.message);
    let mut back = world.time_interval("holder", named("x"));
    back.status = Some(serde_json::from_value(json!({"name": "y", "stored": "x"})).unwrap());
    let back = see(&world.context, &mut world.writers.time_intervals, back, about);
    keeps(&world, &back, &elder).await;
    let left = world
        .grafana
        .hold(|held| held.time_intervals.keys().cloned().collect::<Vec<_>>());
    assert_eq!(left, ["x"]);
}
