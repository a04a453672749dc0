//! What our types can't read is told, keeps what it has in Grafana, and can be deleted.

use super::*;
use crate::controller::engine::watch::readable;
use crate::controller::news;

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
