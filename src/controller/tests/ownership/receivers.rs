//! Rules that name a contact point, and rules that become editable: what others have of it, and what must not be lost on the way.

use super::*;
use crate::controller::pass::Reconcile;

/// A contact point that is being deleted, and a rule of ours that still has it.
async fn waiting() -> (World, AlertRule) {
    let mut world = World::connected().await;
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "https://example.com/hook"}}}]});
    let point = world.contact_point("team", hook);
    point.reconcile(&world.context).await.unwrap();
    let rule = world.rule(
        "r",
        json!({"query": QUERY, "notificationSettings": {"receiver": "team"}}),
    );
    rule.reconcile(&world.context).await.unwrap();
    let mut going = point;
    going.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-01-02T00:00:00Z")).unwrap());
    see(
        &world.context,
        &mut world.writers.contact_points,
        going,
        news::about_contact_point,
    );
    drain(&mut world.receivers.contact_points);
    (world, rule)
}

#[tokio::test]
async fn a_contact_point_that_waits_is_told_when_a_rule_lets_go_of_it_or_goes() {
    let (mut world, rule) = waiting().await;
    rule.clean_up(&world.context).await.unwrap();
    assert_eq!(drain(&mut world.receivers.contact_points), 1, "the rule is gone");

    let (mut world, _) = waiting().await;
    let other = world.rule("r", json!({"query": QUERY}));
    drain(&mut world.receivers.contact_points);
    other.reconcile(&world.context).await.unwrap();
    assert_eq!(
        drain(&mut world.receivers.contact_points),
        1,
        "it has another way"
    );
    other.reconcile(&world.context).await.unwrap();
    assert_eq!(drain(&mut world.receivers.contact_points), 0, "nothing is new");
}

#[tokio::test]
async fn a_rule_that_becomes_editable_with_what_grafana_refuses_stays_as_it_is() {
    let mut world = World::connected().await;
    let rule = world.rule("r", json!({"query": QUERY}));
    rule.reconcile(&world.context).await.unwrap();
    let before = world.grafana.hold(|held| held.rules.clone());
    world.grafana.does(|called| match called {
        "rules.update" => Does::Refuses(400, "invalid rule"),
        _ => Does::Well,
    });
    let changed = world.rule("r", json!({"query": QUERY, "editable": true, "for": "7m"}));
    let failure = changed.reconcile(&world.context).await.err().unwrap();
    assert_eq!(
        failure.reason,
        Some(crate::api::condition::Reason::Invalid),
        "{}",
        failure.message
    );
    assert_eq!(world.grafana.count("rules.delete"), 0);
    assert_eq!(world.grafana.hold(|held| held.rules.clone()), before);
}
