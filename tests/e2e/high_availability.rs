//! Two replicas: one writes, the other takes over without a write of its own.

use std::time::{Duration, Instant};

use alertwright::api::AlertRule;
use alertwright_testbed::wait;
use serde_json::json;

use crate::world::{self, SOON};

/// A holder that is killed keeps the lease for 15 s.
const TAKEOVER: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_followed_by_the_other_replica_without_a_write_to_grafana() {
    let mut w = world::start().await;
    for i in 0..5 {
        w.put(
            "AlertRule",
            &format!("rule-{i}"),
            json!({"query": "sum(count_over_time({app=\"ha\"} [5m])) > 1"}),
        )
        .await;
    }
    for i in 0..5 {
        w.synced::<AlertRule>(&format!("rule-{i}")).await;
    }
    // From here on with leader election.
    w.operator.terminate().await;
    let replica = |name: &'static str| {
        world::operator(&w.home, &w.ns, &w.kubeconfig)
            .args(["--leader-elect"])
            .env("POD_NAME", name)
            .start()
    };
    let mut first = replica("replica-a").await.expect("the first replica starts");
    wait::until("the first replica leads", SOON, async || {
        first.metric("alertwright_leader").await == Some(1.0)
    })
    .await;
    let second = replica("replica-b")
        .await
        .expect("the second replica starts, and is ready while it waits");
    assert_eq!(second.metric("alertwright_leader").await, Some(0.0));
    w.proxy.reset();

    first.kill();
    let killed = Instant::now();
    wait::until("the second replica leads", TAKEOVER, async || {
        second.metric("alertwright_leader").await == Some(1.0)
    })
    .await;
    println!("took over {:.1} s after the kill", killed.elapsed().as_secs_f64());
    // It works: a change arrives, and it is the only write since.
    w.put(
        "AlertRule",
        "rule-0",
        json!({"query": "sum(count_over_time({app=\"ha\"} [5m])) > 2"}),
    )
    .await;
    w.synced::<AlertRule>("rule-0").await;
    let calls = w.proxy.requests();
    assert_eq!(calls.writes().len(), 1, "{calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_stopped_lets_go_at_once() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let replica = |name: &'static str| {
        world::operator(&w.home, &w.ns, &w.kubeconfig)
            .args(["--leader-elect"])
            .env("POD_NAME", name)
            .start()
    };
    let mut first = replica("replica-a").await.expect("the first replica starts");
    wait::until("the first replica leads", SOON, async || {
        first.metric("alertwright_leader").await == Some(1.0)
    })
    .await;
    let second = replica("replica-b").await.expect("the second replica starts");
    first.terminate().await;
    let stopped = Instant::now();
    wait::until("the second replica leads", SOON, async || {
        second.metric("alertwright_leader").await == Some(1.0)
    })
    .await;
    println!(
        "took over {:.1} s after the stop",
        stopped.elapsed().as_secs_f64()
    );
    let holder = w
        .plane
        .kubectl(&[
            "get",
            "lease",
            "alertwright",
            "-n",
            &w.home,
            "-o",
            "jsonpath={.spec.holderIdentity}",
        ])
        .await
        .ok();
    assert_eq!(holder.trim(), "replica-b");
}
