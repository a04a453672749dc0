//! The one tree of a Grafana: whose it is, and what is there when it isn't anybody's any more.

use std::time::Duration;

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{any_release, apply, every_release, wait};
use serde_json::json;

use crate::alarm::{annotate, assert_rests, everything_to, resyncs};
use crate::notification_policy::{contact_point, foreign_tree};
use crate::world::{self, SOON};

#[apply(every_release)]
async fn a_tree_with_routes_that_somebody_made_is_left_alone_until_adopted_and_comes_back() {
    let w = world::start().await;
    contact_point(&w, "team").await;
    let foreign = foreign_tree(&w).await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.reason::<NotificationPolicy>("tree", "NotOwned").await;
    // What ours can't say is said before, and for as long as ours is there.
    let lost = "routes[0] (a=b): mute_time_intervals nights";
    let message = w.message::<NotificationPolicy>("tree").await;
    assert!(message.contains(lost), "{message}");
    assert_rests(&w).await;
    assert_eq!(w.grafana.policy_tree().await, foreign);
    // Deleting what never was applied changes nothing either.
    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await, foreign);

    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    annotate(
        &w,
        "notificationpolicy",
        "tree",
        "alerting.letsrevel.io/adopt=true",
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await["receiver"], "team");
    let message = w.message::<NotificationPolicy>("tree").await;
    assert!(
        message.contains("Warning: ") && message.contains(lost),
        "{message}"
    );
    assert_rests(&w).await;
    w.delete::<NotificationPolicy>("tree").await;
    // The person who made it can go on editing it: it has no provenance.
    assert_eq!(w.grafana.policy_tree().await, foreign);
}

#[apply(every_release)]
async fn a_previous_tree_that_is_no_longer_valid_gives_way_to_grafanas_own() {
    let w = world::start().await;
    let fresh = w.grafana.policy_tree().await;
    contact_point(&w, "team").await;
    foreign_tree(&w).await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    annotate(
        &w,
        "notificationpolicy",
        "tree",
        "alerting.letsrevel.io/adopt=true",
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    let uid = w.grafana.contact_point("foreign").await[0]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    w.grafana
        .delete(&format!("/api/v1/provisioning/contact-points/{uid}"))
        .await
        .ok();
    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await, fresh);
    wait::until("an event says so", SOON, async || {
        let events = w
            .plane
            .kubectl([
                "get",
                "events.events.k8s.io",
                "-n",
                &w.ns,
                "-o",
                "jsonpath={.items[*].note}",
            ])
            .await
            .ok();
        if events.contains("no longer valid") {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(events)
        }
    })
    .await;
}

#[apply(any_release)]
async fn of_two_trees_the_older_holds_and_the_younger_inherits_without_a_gap() {
    let w = world::start().await;
    let fresh = w.grafana.policy_tree().await;
    for name in ["first", "second"] {
        contact_point(&w, name).await;
    }
    w.put("NotificationPolicy", "old", everything_to("first")).await;
    w.synced::<NotificationPolicy>("old").await;
    // Creation times have whole seconds.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    w.put("NotificationPolicy", "a-young", everything_to("second"))
        .await;
    w.reason::<NotificationPolicy>("a-young", "Conflict").await;
    let message = w.message::<NotificationPolicy>("a-young").await;
    assert!(message.contains(&format!("{}/old", w.ns)), "{message}");
    assert_eq!(w.grafana.policy_tree().await["receiver"], "first");
    w.proxy.reset();
    w.delete::<NotificationPolicy>("old").await;
    w.synced::<NotificationPolicy>("a-young").await;
    assert_eq!(w.grafana.policy_tree().await["receiver"], "second");
    let calls = w.proxy.reset();
    assert_eq!(calls.writes().len(), 1, "{calls}");
    // Grafana's own tree was there first, so it is what comes back in the end.
    w.delete::<NotificationPolicy>("a-young").await;
    assert_eq!(w.grafana.policy_tree().await, fresh);
}

#[apply(any_release)]
async fn a_death_before_the_tree_is_written_loses_neither_the_wish_nor_what_was_there() {
    let mut w = world::start().await;
    contact_point(&w, "team").await;
    let foreign = foreign_tree(&w).await;
    w.proxy
        .fault(Fault::delay(Duration::from_secs(60)).on("PUT", w.tree_at()));
    let policy = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy",
        "metadata": {"name": "tree", "annotations": {"alerting.letsrevel.io/adopt": "true"}}, "spec": everything_to("team"),
    });
    w.apply(&policy.to_string()).await;
    wait::until("the tree is on its way", SOON, async || {
        !w.proxy.requests().of("PUT", w.tree_at()).is_empty()
    })
    .await;
    w.operator.kill();
    w.proxy.clear_faults();
    assert_eq!(w.grafana.policy_tree().await, foreign);
    w.operator.restart().await.expect("it starts again");
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await["receiver"], "team");
    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await, foreign);
}

#[apply(any_release)]
async fn an_orphaned_tree_stays_as_it_is() {
    let w = world::start().await;
    contact_point(&w, "team").await;
    let mut spec = everything_to("team");
    spec["deletionPolicy"] = json!("Orphan");
    w.put("NotificationPolicy", "tree", spec).await;
    w.synced::<NotificationPolicy>("tree").await;
    let ours = w.grafana.policy_tree().await;
    w.delete::<NotificationPolicy>("tree").await;
    resyncs(&w, 1).await;
    assert_eq!(w.grafana.policy_tree().await, ours);
}

#[apply(any_release)]
async fn a_namespace_that_is_deleted_whole_takes_everything_with_it() {
    let w = world::start().await;
    // A RoleBinding would go with its namespace, and the right to let go of what is in it with the RoleBinding.
    w.plane.operator_account(&w.home, Watch::All).await;
    let fresh = w.grafana.policy_tree().await;
    for name in ["first", "second", "third"] {
        contact_point(&w, name).await;
    }
    let routes =
        json!([{"receiver": "second", "matchers": ["a=b"]}, {"receiver": "third", "matchers": ["c=d"]}]);
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "first", "routes": routes}),
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    // Its deletion waits already when the namespace goes.
    w.plane
        .kubectl(["delete", "contactpoint", "third", "-n", &w.ns, "--wait=false"])
        .await
        .ok();
    w.reason::<ContactPoint>("third", "InUse").await;
    w.plane
        .kubectl(["delete", "namespace", &w.ns, "--timeout=90s"])
        .await
        .ok();
    assert_eq!(w.grafana.policy_tree().await, fresh);
    for name in ["first", "second", "third"] {
        assert!(w.grafana.contact_point(name).await.is_empty(), "{name}");
    }
}
