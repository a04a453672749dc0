//! Trees of namespaces that an instance allows no longer.

use super::*;

#[tokio::test]
async fn the_tree_of_a_namespace_that_is_allowed_no_longer_stays_as_it_is_until_its_resource_goes() {
    for tree in [None, Some(NAME)] {
        let (mut world, _) = with_several_trees().await;
        let before = default_tree(&world);
        let mut spec = json!({"receiver": "team"});
        if let Some(name) = tree {
            spec["tree"] = json!(name);
        }
        let policy = world.policy("own", spec);
        policy.reconcile(&world.context).await.unwrap();
        let written = (held(&world), default_tree(&world));
        world.instance().stop.cancel();
        world
            .connect(json!({"allowedNamespaces": {"names": ["another"]}}))
            .await;
        world.poll().await;
        let puts = world.grafana.count("policy.put");
        let refused = failure(&policy, &world).await;
        assert_eq!(
            refused.reason,
            Some(Reason::Invalid),
            "{tree:?}: {}",
            refused.message
        );
        let cure =
            "doesn't allow namespace revel; its administrator can add it to spec.allowedNamespaces.names";
        assert!(refused.message.contains(cure), "{}", refused.message);
        assert_eq!((held(&world), default_tree(&world)), written, "{tree:?}");
        assert_eq!(world.grafana.count("policy.put"), puts, "{tree:?}");
        // What it has made goes with it all the same.
        policy.clean_up(&world.context).await.unwrap();
        assert_eq!((held(&world), default_tree(&world)), (None, before), "{tree:?}");
    }
}
