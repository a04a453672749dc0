//! Rules that name time intervals in settings of their own, and time intervals that they name.

use super::*;
use crate::api::TimeInterval;
use crate::controller::engine::failure::Failure;

/// A world with a contact point that people have made.
async fn world() -> World {
    world_with(&json!({}), |held| {
        held.points.push(Point {
            name: "by-hand".to_owned(),
            ..Point::default()
        });
    })
    .await
}

fn nights(world: &mut World, more: &Value) -> TimeInterval {
    let mut spec = json!({"timeIntervals": [{"weekdays": ["sunday"]}]});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    world.time_interval("nights", spec)
}

/// A rule with settings of its own, and these beside its contact point.
fn rule(world: &mut World, more: &Value) -> AlertRule {
    let mut settings = json!({"receiverRef": {"grafanaName": "by-hand"}});
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    world.rule("r", json!({"query": QUERY, "notificationSettings": settings}))
}

/// A rule that is muted in the TimeInterval `nights`.
fn muted(world: &mut World) -> AlertRule {
    rule(world, &json!({"muteTimeIntervals": ["nights"]}))
}

/// Reason and message of a pass that fails.
async fn fails<K: Reconcile>(world: &World, object: &K) -> (Option<Reason>, String) {
    let failure = object.reconcile(&world.context).await.expect_err("it fails");
    (failure.reason, failure.message)
}

/// The time intervals in which the only rule in Grafana is muted.
fn mutes(world: &World) -> Vec<String> {
    world.grafana.hold(|held| {
        let rule = held.rules.values().next().expect("a rule");
        rule.notification_settings
            .clone()
            .unwrap_or_default()
            .mute_time_intervals
    })
}

async fn stays(world: &World, interval: &TimeInterval) -> String {
    let failure = interval.clean_up(&world.context).await.expect_err("it is in use");
    assert_eq!(failure.reason, Some(Reason::InUse));
    failure.message
}

#[tokio::test]
async fn time_intervals_are_read_for_a_rule_that_names_some_and_for_no_other() {
    let mut world = world().await;
    rule(&mut world, &json!({}))
        .reconcile(&world.context)
        .await
        .unwrap();
    world.poll().await;
    assert_eq!(world.grafana.count("time_intervals.list"), 0);
    let rule = muted(&mut world);
    drain(&mut world.receivers.rules);
    let failure = rule.reconcile(&world.context).await.err().unwrap();
    assert_eq!(failure, Failure::not_yet());
    world.grafana.called("time_intervals.list", 1).await;
    until("the rule is told that they have been read", || {
        !world.receivers.rules.is_empty()
    })
    .await;
    let (reason, message) = fails(&world, &rule).await;
    assert_eq!(reason, Some(Reason::DependencyMissing));
    assert_eq!(
        message,
        "spec.notificationSettings.muteTimeIntervals[0]: TimeInterval revel/nights is not there; create it. Until then the rule in Grafana stays as it is, and its alerts go on to contact point by-hand"
    );
}

#[tokio::test]
async fn a_rule_gets_its_time_interval_as_soon_as_it_is_there_and_lets_it_go_when_it_names_it_no_more() {
    let mut world = world().await;
    let named = muted(&mut world);
    named.reconcile(&world.context).await.err();
    world.poll().await;
    let interval = nights(&mut world, &json!({}));
    drain(&mut world.receivers.rules);
    interval.reconcile(&world.context).await.unwrap();
    assert!(drain(&mut world.receivers.rules) > 0, "it is there now");
    named.reconcile(&world.context).await.unwrap();
    assert_eq!(mutes(&world), ["nights"]);
    named.reconcile(&world.context).await.unwrap();
    assert_eq!(world.grafana.count("rules.create"), 1);
    assert_eq!(world.grafana.count("rules.update"), 0, "it rests");

    assert_eq!(
        stays(&world, &interval).await,
        "time interval nights: AlertRule revel/r still refers to it"
    );
    // Nor while only the resource names it, for it is put right.
    world.grafana.hold(|held| {
        held.rules
            .values_mut()
            .for_each(|r| r.notification_settings = None);
    });
    world.poll().await;
    assert_eq!(
        stays(&world, &interval).await,
        "time interval nights: AlertRule revel/r still refers to it"
    );
    named.reconcile(&world.context).await.unwrap();
    assert_eq!(mutes(&world), ["nights"]);

    let mut going = interval.clone();
    going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    see(
        &world.context,
        &mut world.writers.time_intervals,
        going,
        news::about_time_interval,
    );
    let other = rule(&mut world, &json!({}));
    drain(&mut world.receivers.time_intervals);
    other.reconcile(&world.context).await.unwrap();
    assert_eq!(
        drain(&mut world.receivers.time_intervals),
        1,
        "its deletion waits for that"
    );
    interval.clean_up(&world.context).await.unwrap();
    assert!(world.grafana.hold(|held| held.time_intervals.is_empty()));
}

#[tokio::test]
async fn a_rule_names_its_time_interval_anew_before_the_former_name_goes() {
    let mut world = world().await;
    let interval = nights(&mut world, &json!({}));
    interval.reconcile(&world.context).await.err();
    world.poll().await;
    interval.reconcile(&world.context).await.unwrap();
    let muted = muted(&mut world);
    muted.reconcile(&world.context).await.unwrap();
    let renamed = nights(&mut world, &json!({"name": "At night"}));
    drain(&mut world.receivers.rules);
    let report = renamed.reconcile(&world.context).await.unwrap();
    assert!(
        report.message.contains("Under its former name nights it stays"),
        "{}",
        report.message
    );
    assert!(drain(&mut world.receivers.rules) > 0);
    muted.reconcile(&world.context).await.unwrap();
    assert_eq!(mutes(&world), ["At night"]);
    renamed.reconcile(&world.context).await.unwrap();
    let left = world
        .grafana
        .hold(|held| held.time_intervals.keys().cloned().collect::<Vec<_>>());
    assert_eq!(left, ["At night"]);
}

#[tokio::test]
async fn a_rule_of_a_namespace_that_may_not_name_it_keeps_nobodys_time_interval() {
    let mut world = world().await;
    let interval = nights(&mut world, &json!({}));
    interval.reconcile(&world.context).await.err();
    world.poll().await;
    interval.reconcile(&world.context).await.unwrap();
    let references = [
        (
            json!({"name": "nights", "namespace": "revel"}),
            Reason::DependencyMissing,
            "TimeInterval revel/nights isn't shared with namespace other",
        ),
        (
            json!({"grafanaName": "nights"}),
            Reason::Invalid,
            "nights belongs to TimeInterval revel/nights",
        ),
    ];
    for (reference, reason, words) in references {
        let settings =
            json!({"receiverRef": {"grafanaName": "by-hand"}, "muteTimeIntervalRefs": [reference]});
        let spec = json!({"query": QUERY, "notificationSettings": settings});
        let mut theirs: AlertRule = made(&world.server, "alertrules", "r", spec);
        theirs.metadata.namespace = Some("other".to_owned());
        let seen = see(&world.context, &mut world.writers.rules, theirs, news::about_rule);
        let (told, message) = fails(&world, &seen).await;
        assert_eq!(told, Some(reason), "{message}");
        assert!(message.contains(words), "{message}");
    }
    interval.clean_up(&world.context).await.unwrap();
    assert!(world.grafana.hold(|held| held.time_intervals.is_empty()));
}
