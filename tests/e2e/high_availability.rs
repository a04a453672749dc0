//! Two replicas: one writes, the other takes over without a write of its own.

use std::time::{Duration, Instant};

use alertwright::api::{AlertRule, ContactPoint};
use alertwright_testbed::{Operator, any_release, apply, operator, wait};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::alarm::resyncs;
use crate::silences::A_WHILE;
use crate::workloads::{asking, deployment, ended, held, let_go, roll, settled, silenced, silences_of};
use crate::world::{self, SOON, World};

/// A holder that is killed keeps the lease for 12 s.
pub const TAKEOVER: Duration = Duration::from_secs(40);

/// A replica that takes part in the election under this name.
pub fn replica(w: &World, name: &str) -> operator::Options {
    world::operator(&w.home, &w.ns, &w.kubeconfig)
        .args(["--leader-elect"])
        .env("POD_NAME", name)
}

pub async fn leads(replica: &Operator, within: Duration) {
    wait::until("the replica leads", within, async || {
        replica.metric("alertwright_leader").await == Some(1.0)
    })
    .await;
}

#[apply(any_release)]
async fn a_leader_that_was_stopped_for_a_while_writes_nothing_when_it_goes_on() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let mut first = replica(&w, "replica-a").start().await.expect("it starts");
    leads(&first, SOON).await;
    let names: Vec<String> = (0..10).map(|i| format!("rule-{i}")).collect();
    let put_all = async |limit: u32| {
        for name in &names {
            let query = format!("sum(count_over_time({{app=\"ha\"}} [5m])) > {limit}");
            w.put("AlertRule", name, json!({"query": query})).await;
        }
        for name in &names {
            w.synced::<AlertRule>(name).await;
        }
    };
    put_all(1).await;
    let second = replica(&w, "replica-b").start().await.expect("it starts");
    first.pause();
    leads(&second, TAKEOVER).await;
    w.proxy.reset();
    put_all(2).await;
    assert_eq!(w.proxy.requests().writes().len(), names.len());

    // It learns of all the changes at once, and of the Lease.
    first.resume();
    wait::until("the first replica ends", SOON, async || first.ended()).await;
    let calls = w.proxy.requests();
    assert_eq!(calls.writes().len(), names.len(), "{calls}\n{}", first.log());
}

#[apply(any_release)]
async fn a_leader_that_was_stopped_for_a_while_silences_no_rollout_that_has_failed_meanwhile() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let mut first = replica(&w, "replica-a").start().await.expect("it starts");
    leads(&first, SOON).await;
    let names: Vec<String> = (0..5).map(|i| format!("web-{i}")).collect();
    for name in &names {
        let object = deployment(name, &asking("600s", "1s"), &json!({}));
        w.apply(&object.to_string()).await;
    }
    for name in &names {
        settled(&w, name).await;
    }
    first.pause();
    let mut stuck = held(&w);
    stuck["progressDeadlineSeconds"] = json!(5);
    for name in &names {
        roll(&w, name, "2", &stuck).await;
    }
    let deployments: Api<Deployment> = Api::namespaced(w.client().await, &w.ns);
    for name in &names {
        wait::until(&format!("{name} has failed"), SOON * 2, async || {
            let status = deployments.get(name).await.ok()?.status?;
            let mut reasons = status.conditions.into_iter().flatten().filter_map(|c| c.reason);
            reasons
                .any(|reason| reason == "ProgressDeadlineExceeded")
                .then_some(())
        })
        .await;
    }
    // Not before: it would rightly silence what hasn't failed yet.
    let second = replica(&w, "replica-b").start().await.expect("it starts");
    leads(&second, TAKEOVER).await;
    // The first one learns of the rollouts and of their failure at once, and of the Lease.
    first.resume();
    wait::until("the first replica ends", SOON, async || first.ended()).await;
    wait::never("a rollout that has failed is silenced", A_WHILE, async || {
        for name in &names {
            let silences = silences_of(&w, name).await;
            if silences.len() > 1 {
                return Some(silences);
            }
        }
        None
    })
    .await;
}

#[apply(any_release)]
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
    let mut first = replica(&w, "replica-a").start().await.expect("it starts");
    leads(&first, SOON).await;
    let second = replica(&w, "replica-b")
        .start()
        .await
        .expect("the second replica starts, and is ready while it waits");
    assert_eq!(second.metric("alertwright_leader").await, Some(0.0));
    w.proxy.reset();

    first.kill();
    let killed = Instant::now();
    leads(&second, TAKEOVER).await;
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

#[apply(any_release)]
async fn a_leader_whose_lease_is_deleted_writes_no_more_and_starts_again() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let mut first = replica(&w, "replica-a").start().await.expect("it starts");
    leads(&first, SOON).await;
    let delete = ["delete", "lease", "alertwright", "-n", &w.home];
    w.plane.kubectl(delete).await.ok();
    wait::until("the leader ends", SOON, async || first.ended()).await;
    let log = first.log();
    assert!(log.contains("the Lease was deleted"), "{log}");
}

#[apply(any_release)]
async fn a_leader_that_is_stopped_lets_go_at_once() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let mut first = replica(&w, "replica-a").start().await.expect("it starts");
    leads(&first, SOON).await;
    let second = replica(&w, "replica-b").start().await.expect("it starts");
    first.terminate().await;
    let stopped = Instant::now();
    leads(&second, SOON).await;
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

/// As a Deployment does with `RollingUpdate`: the new replica is there before the old one is stopped.
#[apply(any_release)]
async fn a_rolling_update_of_the_operator_writes_nothing_and_keeps_a_rollout_silenced() {
    let mut w = world::start().await;
    w.operator.terminate().await;
    let mut old = replica(&w, "replica-a").start().await.expect("it starts");
    leads(&old, SOON).await;
    w.put(
        "AlertRule",
        "rule",
        json!({"query": "sum(count_over_time({app=\"ha\"} [5m])) > 1"}),
    )
    .await;
    let point = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    w.put("ContactPoint", "mail", point).await;
    w.synced::<AlertRule>("rule").await;
    w.synced::<ContactPoint>("mail").await;
    let object = deployment("web", &asking("600s", "1s"), &json!({}));
    w.apply(&object.to_string()).await;
    settled(&w, "web").await;
    roll(&w, "web", "2", &held(&w)).await;
    let before = silenced(&w, "web").await;
    w.proxy.reset();

    let new = replica(&w, "replica-b").start().await.expect("it starts");
    old.terminate().await;
    leads(&new, SOON).await;
    resyncs(&w, 3).await;
    let writes = w.proxy.reset().writes();
    // A silence of ten minutes that nobody writes to has been active all the time.
    assert!(writes.is_empty(), "{writes}\n{}", new.log());
    assert_eq!(silenced(&w, "web").await.status, before.status);
    // It works: what the old one has begun is ended.
    let_go(&w).await;
    ended(&w, &before.name_any(), "Succeeded").await;
}
