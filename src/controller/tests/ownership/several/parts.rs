//! What is said, and remembered, of one of the Grafanas that a resource is for.

use super::*;
use crate::controller::engine::claim::Key;

/// A world with a second Grafana, whose instance is `other`. Both have been read.
async fn two() -> World {
    let mut world = World::connected().await;
    world.beside("other", json!({"url": "http://other"})).await;
    world
}

#[tokio::test]
async fn an_event_of_one_of_several_grafanas_says_which_one_it_is() {
    let mut world = two().await;
    let rule = world.rule("r", json!({"query": QUERY, "instances": ["default", "other"]}));
    let part = rule.projections().pop().unwrap();
    world.context.adopted(&part, "rule x", None).await;
    let alone = world.rule("alone", json!({"query": QUERY}));
    world.context.adopted(&alone, "rule y", None).await;
    let notes = world.server.notes();
    let told = |of: &str| format!("Adopted: {of}, which this resource hadn't made");
    assert!(
        notes.contains(&told("GrafanaInstance other: took over Grafana's rule x")),
        "{notes:?}"
    );
    assert!(notes.contains(&told("took over Grafana's rule y")), "{notes:?}");
}

#[tokio::test]
async fn what_changes_in_one_of_its_grafanas_leaves_a_resource_its_names_in_the_others() {
    let mut world = two().await;
    let hook = json!([{"webhook": {"url": {"value": "https://example.com/hook"}}}]);
    world.contact_point(
        "team",
        json!({"integrations": hook, "instances": ["default", "other"]}),
    );
    let tree = json!({"receiverRef": {"grafanaName": "x"}, "instances": ["default", "other"]});
    world.policy("root", tree);
    world.context.claim_anew("other");
    for instance in ["default", "other"] {
        let place = || world.context.claims.place(instance);
        let name = Key::ContactPoint(place(), "team".to_owned());
        assert!(
            world.context.claims.first::<ContactPoint>(&name).is_some(),
            "{instance}"
        );
        let tree = Key::Tree(place(), TreeName::default());
        assert!(
            world.context.claims.first::<NotificationPolicy>(&tree).is_some(),
            "{instance}"
        );
    }
}
