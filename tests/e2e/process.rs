//! The operator's process: how it starts, what it waits for, and how it ends.

use std::time::Duration;

use alertwright::api::AlertRule;
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::{any_release, apply, wait};
use serde_json::json;

use crate::world::{self, SOON, World};

async fn holder(w: &World) -> String {
    let arguments = ["get", "lease", "alertwright", "--ignore-not-found", "-n", &w.home];
    let path = ["-o", "jsonpath={.spec.holderIdentity}"];
    w.plane.kubectl(&[&arguments[..], &path[..]].concat()).await.ok()
}

#[apply(any_release)]
async fn an_operator_that_is_asked_to_stop_ends_and_lets_go_of_the_lease_at_any_moment_of_its_life() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    w.put(
        "AlertRule",
        "a",
        json!({"query": "sum(count_over_time({app=\"a\"} [5m])) > 1"}),
    )
    .await;
    for moment in [0, 20, 50, 80, 120, 200, 400, 800] {
        let mut operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
            .args(["--leader-elect"])
            .env("POD_NAME", "replica")
            .without_wait()
            .start()
            .await
            .expect("it starts");
        // Not a wait for something: the moment is what differs.
        tokio::time::sleep(Duration::from_millis(moment)).await;
        operator.terminate().await;
        assert_eq!(
            holder(&w).await.trim(),
            "",
            "after {moment} ms:\n{}",
            operator.log()
        );
    }
}

#[apply(any_release)]
async fn a_namespace_whose_rights_are_missing_keeps_no_other_one_waiting() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let closed = w.plane.namespace("closed").await;
    // Rights in one of two; the closed one comes first.
    let kubeconfig = w
        .plane
        .operator_account(&w.home, Watch::Namespaces(&[&w.ns]))
        .await;
    let both = format!("{closed},{}", w.ns);
    let operator = world::operator(&w.home, &both, &kubeconfig)
        .start()
        .await
        .expect("it becomes ready");
    w.put(
        "AlertRule",
        "open",
        json!({"query": "sum(count_over_time({app=\"a\"} [5m])) > 1"}),
    )
    .await;
    w.synced::<AlertRule>("open").await;
    let series = format!("alertwright_unwatched{{kind=\"AlertRule\",namespace=\"{closed}\"}}");
    assert_eq!(
        operator.metric(&series).await,
        Some(1.0),
        "{}",
        operator.metrics().await
    );

    // With the rights it is looked after like any other.
    w.plane
        .operator_account(&w.home, Watch::Namespaces(&[&w.ns, &closed]))
        .await;
    wait::until("the namespace is watched", SOON * 2, async || {
        operator.metric(&series).await.is_none()
    })
    .await;
}
