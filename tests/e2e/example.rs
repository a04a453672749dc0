//! The example of Revel, as it is shipped: what its first sync, its rest and a restart cost.

use std::time::Duration;

use alertwright::api::{AlertRule, ContactPoint, MaintenancePolicy, NotificationPolicy};
use alertwright_testbed::proxy::Calls;
use alertwright_testbed::{any_release, apply, wait};
use kube::api::ListParams;

use crate::addresses::BULK_READ;
use crate::world::{self, Reported, SOON, World};

/// Reads that a resync makes: folders, rules, contact points, the tree, silences, data sources, and its version.
const BULK_READS: usize = 7;

/// Rules are evaluated once a minute.
const EVALUATED: Duration = Duration::from_secs(100);

#[apply(any_release)]
async fn the_example_syncs_with_the_fewest_calls_and_then_rests_also_after_a_restart() {
    let mut w = world::start().await;
    let example = rendered(&w).await;
    w.proxy.reset();
    w.apply(&example).await;
    all_ready::<ContactPoint>(&w, 6).await;
    all_ready::<NotificationPolicy>(&w, 1).await;
    all_ready::<AlertRule>(&w, 10).await;
    all_ready::<MaintenancePolicy>(&w, 2).await;
    let first = w.proxy.requests();
    println!(
        "first sync of the example: {} writes\n{:#?}",
        first.writes().len(),
        first.by_class()
    );
    // Ten rules, the folder, six integrations and the tree.
    assert_eq!(first.writes().len(), 10 + 1 + 6 + 1, "{first}");
    // After its first write each contact point is looked at once more; those that wait together share a look.
    let looks = if w.notifications_by_apis() {
        first.of("GET", "/receivers/")
    } else {
        first.of("GET", "contact-points?name=")
    };
    assert!(looks.len() <= 6, "{first}");

    // The first state is news, and the rules' own interval is a minute.
    wait::until("every rule has been evaluated", EVALUATED, async || {
        let rules = w
            .api::<AlertRule>()
            .await
            .list(&ListParams::default())
            .await
            .map(|list| list.items)
            .unwrap_or_default();
        rules
            .iter()
            .all(|rule| rule.status.as_ref().is_some_and(|status| status.state.is_some()))
    })
    .await;
    let versions = versions(&w).await;
    let writes = kubernetes_writes(&w).await;
    let rest = five_resyncs(&w).await;
    println!("at rest over five resyncs:\n{:#?}", rest.by_class());
    assert_eq!(rest.writes().len(), 0, "{rest}");
    assert_eq!(
        kubernetes_writes(&w).await,
        writes,
        "writes to the API server at rest"
    );

    w.operator.kill();
    w.proxy.reset();
    w.operator.restart().await.expect("the operator starts again");
    let restarted = five_resyncs(&w).await;
    println!("after a restart, five resyncs:\n{:#?}", restarted.by_class());
    assert_eq!(restarted.writes().len(), 0, "{restarted}");
    assert_eq!(
        kubernetes_writes(&w).await,
        0,
        "writes to the API server after a restart"
    );
    assert_eq!(self::versions(&w).await, versions, "nothing of ours has changed");
}

/// The example for the world's namespace; what it needs of Secrets is there.
pub async fn rendered(w: &World) -> String {
    let example = world::root().join("deploy/examples/revel");
    let secrets = std::fs::read_to_string(example.join("secrets.example.yaml")).expect("the placeholders");
    w.apply(&secrets).await;
    let path = example.to_string_lossy().into_owned();
    let example = w.plane.kubectl(["kustomize", &path]).await.ok();
    example.replace("namespace: revel\n", &format!("namespace: {}\n", w.ns))
}

/// Waits for five reads of everything, and returns the calls of that time.
async fn five_resyncs(w: &World) -> Calls {
    w.proxy.reset();
    wait::until("five resyncs", SOON, async || {
        w.proxy.requests().of("GET", BULK_READ).len() >= 6
    })
    .await;
    let calls = w.proxy.requests();
    let states = calls.of("GET", "/api/prometheus/").len();
    let resyncs = calls.of("GET", BULK_READ).len();
    // And what hardly ever changes, at most once in that time or after a restart.
    let most = resyncs * BULK_READS + BULK_READS + 2;
    assert!(
        calls.reads().len() - states <= most,
        "{} reads in {resyncs} resyncs\n{calls}",
        calls.reads().len()
    );
    calls
}

/// Waits until so many resources of a kind are there and all are ready.
pub async fn all_ready<K: Reported>(w: &World, count: usize) {
    let api = w.api::<K>().await;
    wait::until(
        &format!("{count} {} are ready", K::plural(&())),
        SOON,
        async || {
            let all = api
                .list(&ListParams::default())
                .await
                .map(|list| list.items)
                .unwrap_or_default();
            let is_ready = |object: &K| {
                object
                    .conditions()
                    .iter()
                    .any(|c| c.type_ == "Ready" && c.status == "True")
            };
            all.len() == count && all.iter().all(is_ready)
        },
    )
    .await;
}

/// The version of every object of ours.
async fn versions(w: &World) -> String {
    w.plane
        .kubectl([
            "get",
            "alerting",
            "-n",
            &w.ns,
            "-o",
            "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}",
        ])
        .await
        .ok()
}

async fn kubernetes_writes(w: &World) -> u64 {
    w.operator
        .metrics()
        .await
        .lines()
        // The instance counts what is in sync at its next look.
        .filter(|line| {
            line.starts_with("alertwright_kubernetes_writes_total") && !line.contains("grafanainstances")
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}
