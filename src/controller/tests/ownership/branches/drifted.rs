//! Branches that somebody changes in Grafana, where that is only told of.

use super::*;

/// A world that only reports drift, with a root and these branches, at rest.
async fn reporting(names: &[&str]) -> World {
    let mut world = with_a_root(json!({"driftPolicy": "Report"})).await;
    for name in names {
        let own = branch(&mut world, "shop", name, json!({}));
        pass_over(&mut world, &[&own]).await;
        assert_eq!(said(&world, "shop", name).0, "Synced");
    }
    world
}

/// Changes the branch of this name in Grafana, or takes it out.
fn by_hand(world: &World, name: &str, change: impl Fn(Route) -> Option<Route>) {
    let mark_of_it = format!("own/shop/{name}");
    world.grafana.hold(|held| {
        let tree = held.policy.take().unwrap();
        let routes = tree.routes.iter().cloned().filter_map(|route| {
            if mark(&route) == Some(mark_of_it.as_str()) {
                change(route)
            } else {
                Some(route)
            }
        });
        held.policy = Some(Route {
            routes: routes.collect(),
            ..tree.clone()
        });
    });
}

fn waits_longer(route: Route) -> Route {
    Route {
        group_wait: Some("2m".to_owned()),
        ..route
    }
}

fn drift(world: &World, name: &str) -> Vec<String> {
    let place = ObjectRef::new(name).within("shop");
    let policy = world.context.stores.policies.get(&place).unwrap();
    policy.status.clone().unwrap().drift
}

fn puts(world: &World) -> usize {
    world.grafana.count("policy.put")
}

#[tokio::test]
async fn a_branch_that_somebody_changes_or_takes_out_says_so_and_is_at_rest() {
    for (change, fields) in [
        (
            (|route| Some(waits_longer(route))) as fn(Route) -> Option<Route>,
            "group_wait",
        ),
        (|_| None, "deleted"),
    ] {
        let mut world = reporting(&["changed", "other"]).await;
        let writes = puts(&world);
        by_hand(&world, "changed", change);
        world.poll().await;
        settle(&mut world).await;
        assert_eq!(said(&world, "revel", "tree").0, "Drifted");
        let (reason, message, _) = said(&world, "shop", "changed");
        assert_eq!(reason, "Drifted", "{message}");
        assert_eq!(drift(&world, "changed"), [fields]);
        assert_eq!(said(&world, "shop", "other").0, "Synced");

        let (calls, written) = (world.grafana.calls().len(), world.server.writes().len());
        let policies = |world: &World| {
            ["changed", "other"].map(|name| {
                let place = ObjectRef::new(name).within("shop");
                world.context.stores.policies.get(&place).unwrap()
            })
        };
        for _ in 0..5 {
            let [changed, other] = policies(&world);
            pass_over(&mut world, &[&changed]).await;
            assert_eq!(drain(&mut world.receivers.policies), 0, "its root is left alone");
            pass_over(&mut world, &[&other]).await;
        }
        assert_eq!(world.grafana.calls().len(), calls, "{:?}", world.grafana.calls());
        assert_eq!(
            world.server.writes().len(),
            written,
            "{:?}",
            world.server.writes()
        );
        let action = pass::run(policies(&world)[0].clone(), world.context.clone()).await;
        let never = ::kube::runtime::controller::Action::await_change();
        assert_eq!(action.unwrap(), never, "nothing is tried again");

        // Somebody puts it back; and a branch that is another one by now has all written.
        assert_eq!(puts(&world), writes);
        let mut edited = (*policies(&world)[0]).clone();
        edited.spec.group_wait = Some(serde_json::from_value(json!("7m")).unwrap());
        edited.metadata.generation = Some(2);
        let now = serde_json::to_value(&edited).unwrap();
        world
            .server
            .set(&path("notificationpolicies", "shop", "changed"), now);
        let told = &mut world.writers.policies;
        let edited = see(&world.context, told, edited, news::about_policy);
        pass_over(&mut world, &[&edited]).await;
        assert_eq!(puts(&world), writes + 1);
        assert_eq!(said(&world, "shop", "changed").0, "Synced");
    }
}

#[tokio::test]
async fn a_branch_that_comes_under_a_root_that_has_drifted_is_written_with_all_of_its_tree() {
    let mut world = reporting(&["changed"]).await;
    by_hand(&world, "changed", |route| Some(waits_longer(route)));
    world.poll().await;
    settle(&mut world).await;
    assert_eq!(said(&world, "revel", "tree").0, "Drifted");
    assert_eq!(said(&world, "shop", "changed").0, "Drifted");
    let new = branch(&mut world, "shop", "new", json!({}));
    pass_over(&mut world, &[&new]).await;
    for name in ["new", "changed"] {
        let (reason, message, _) = said(&world, "shop", name);
        assert_eq!(reason, "Synced", "{name}: {message}");
    }
    assert_eq!(order(&world), ["own/shop/changed", "own/shop/new"]);
    assert_eq!(said(&world, "revel", "tree").0, "Synced");
}

#[tokio::test]
async fn a_branch_that_somebody_changes_is_put_right_where_that_is_wished() {
    let mut world = with_a_root(json!({})).await;
    let own = branch(&mut world, "shop", "changed", json!({}));
    pass_over(&mut world, &[&own]).await;
    let before = tree(&world);
    by_hand(&world, "changed", |route| Some(waits_longer(route)));
    world.poll().await;
    settle(&mut world).await;
    assert_eq!(tree(&world), before);
    assert_eq!(said(&world, "shop", "changed").0, "Synced");
}
