//! Silences that somebody made by hand.

use super::*;
use crate::api::ANNOTATION_ADOPT;

#[tokio::test]
async fn a_silence_that_was_taken_over_costs_the_same_in_any_crowd() {
    in_any_crowd(async |world: &mut World, costs: &mut Costs| {
        world.connect(json!({"unrestrictedNamespaces": {"names": ["revel"]}})).await;
        world.poller.take().unwrap().abort();
        world.grafana.hold(|held| {
            held.silences.push(
                serde_json::from_value(json!({
                    "id": "theirs", "matchers": [{"name": "team", "value": "web", "isRegex": false, "isEqual": true}],
                    "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z",
                    "createdBy": "somebody", "comment": "", "status": {"state": "active"},
                }))
                .unwrap(),
            );
        });
        world.polled().await;
        at_rest(world);
        let spec = json!({"matchers": ["team=web"], "endsAt": "2100-01-01T00:00:00Z"});
        let mut silence = world.silence("own", spec);
        silence.metadata.annotations = Some([(ANNOTATION_ADOPT.to_owned(), "theirs".to_owned())].into());
        seen(world, &silence);
        costs.of("it is seen", world);
        run(world, &silence).await;
        // Which rules its matchers reach is counted when it is new.
        crate::held::touched::take();
        let silence = again(world, &silence);
        assert_eq!(silence.status.as_ref().unwrap().id.as_deref(), Some("theirs"));
        costs.of("its status is seen", world);
        run(world, &silence).await;
        costs.of("a pass at rest", world);
    })
    .await;
}
