//! Routes and branches that name time intervals, and time intervals that they name.

use super::*;
use crate::api::TimeInterval;
use crate::controller::engine::failure::Failure;

fn nights(world: &mut World) -> TimeInterval {
    let spec = json!({"timeIntervals": [{"weekdays": ["sunday"]}]});
    let interval = made(&world.server, "timeintervals", "nights", spec);
    see(
        &world.context,
        &mut world.writers.time_intervals,
        interval,
        news::about_time_interval,
    )
}

/// Why a time interval doesn't go.
async fn stays(world: &World, interval: &TimeInterval) -> Failure {
    interval.clean_up(&world.context).await.expect_err("it is in use")
}

/// The time intervals in which a route of the tree is muted, by its matcher or its mark.
fn muted(world: &World, who: &str) -> Vec<String> {
    let tree = tree(world);
    let mut routes = tree.routes.iter();
    let is_it = |route: &&Route| {
        mark(route) == Some(who) || route.object_matchers.iter().any(|(label, _, _)| label == who)
    };
    let route = routes
        .find(is_it)
        .unwrap_or_else(|| panic!("no {who} in {tree:?}"));
    route.mute_time_intervals.clone()
}

#[tokio::test]
async fn routes_and_branches_wait_for_a_time_interval_and_it_goes_once_none_of_them_names_it() {
    let mut world = with_a_root(json!({})).await;
    let muting = json!({"muteTimeIntervals": ["nights"]});
    let root_spec = json!({"routes": [{"matchers": ["a=b"], "muteTimeIntervals": ["nights"]}]});
    let tree_of = root(&mut world, root_spec);
    // What only some ask for is read once they do, and whoever waits for it is told.
    pass_over(&mut world, &[&tree_of]).await;
    world.poll().await;
    settle(&mut world).await;
    let (reason, message, _) = said(&world, "revel", "tree");
    assert_eq!(reason, "DependencyMissing", "{message}");
    assert_eq!(
        message,
        "spec.routes[0].muteTimeIntervals[0]: TimeInterval revel/nights is not there; create it"
    );
    let interval = nights(&mut world);
    interval.reconcile(&world.context).await.unwrap();
    settle(&mut world).await;
    assert_eq!(said(&world, "revel", "tree").0, "Synced");
    assert_eq!(muted(&world, "a"), ["nights"]);

    let team = branch(&mut world, "revel", "team", muting);
    pass_over(&mut world, &[&team]).await;
    assert_eq!(muted(&world, "own/revel/team"), ["nights"]);
    world.poll().await;
    let failure = stays(&world, &interval).await;
    assert_eq!(failure.reason, Some(Reason::InUse));
    assert_eq!(
        failure.message,
        "time interval nights: NotificationPolicy revel/tree, NotificationPolicy revel/team still refer to it"
    );

    let tree_of = root(&mut world, json!({}));
    pass_over(&mut world, &[&tree_of]).await;
    let failure = stays(&world, &interval).await;
    assert_eq!(
        failure.message,
        "time interval nights: NotificationPolicy revel/team still refers to it"
    );
    let team = branch(&mut world, "revel", "team", json!({}));
    pass_over(&mut world, &[&team]).await;
    interval.clean_up(&world.context).await.unwrap();
    assert!(world.grafana.hold(|held| held.time_intervals.is_empty()));
}

#[tokio::test]
async fn a_branch_whose_time_interval_is_missing_is_left_out_and_in_nobodys_way() {
    let mut world = with_a_root(json!({})).await;
    let root = root(&mut world, json!({}));
    pass_over(&mut world, &[&root]).await;
    let team = branch(
        &mut world,
        "revel",
        "team",
        json!({"muteTimeIntervals": ["nights"]}),
    );
    let other = branch(&mut world, "revel", "other", json!({}));
    pass_over(&mut world, &[&team, &other]).await;
    world.poll().await;
    settle(&mut world).await;
    let (reason, message, _) = said(&world, "revel", "team");
    assert_eq!(reason, "DependencyMissing", "{message}");
    assert_eq!(
        message,
        "spec.muteTimeIntervals[0]: TimeInterval revel/nights is not there; create it"
    );
    assert_eq!(order(&world), ["own/revel/other"]);
    let interval = nights(&mut world);
    interval.reconcile(&world.context).await.unwrap();
    settle(&mut world).await;
    assert_eq!(order(&world), ["own/revel/other", "own/revel/team"]);
    assert_eq!(muted(&world, "own/revel/team"), ["nights"]);
}
