//! With nothing changed, nothing is written.

use std::collections::{BTreeMap, BTreeSet};

use alertwright::api::{AlertRule, ContactPoint, GrafanaInstance, NotificationPolicy};
use alertwright_testbed::{
    Operator, any_release, apply, every_release,
    proxy::{Call, Calls},
    trial::Need,
    wait,
};
use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::addresses::BULK_READ;
use crate::alarm::everything_to;
use crate::high_availability::{TAKEOVER, leads, replica};
use crate::notification_policy::contact_point;
use crate::rules::{QUIET, quiet, resyncs};
use crate::world::{self, SOON, World};

const RULES: usize = 100;
/// Rules that are listed and counted like all others, and cost Grafana nothing: so many that listing them takes a while.
const PAUSED: usize = 900;
const GROUPS: usize = 10;
const CONTACT_POINTS: usize = 5;
/// What is read in a resync, whatever the number of resources.
const READS: usize = 8;
/// What is read once more at the start.
const START: usize = 10;

/// Applies the whole set at once.
async fn apply_set(w: &World) {
    let mut documents = Vec::new();
    let mut add = |kind: &str, name: String, spec: Value| {
        let object = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        });
        documents.push(object.to_string());
    };
    for i in 0..CONTACT_POINTS {
        let url = format!("http://127.0.0.1:9/{i}");
        add(
            "ContactPoint",
            format!("point-{i}"),
            json!({"integrations": [{"webhook": {"url": {"value": url}}}]}),
        );
    }
    let routes: Vec<_> = (1..CONTACT_POINTS)
        .map(|i| json!({"receiver": format!("point-{i}"), "matchers": [format!("team=\"{i}\"")]}))
        .collect();
    add(
        "NotificationPolicy",
        "tree".into(),
        json!({"receiver": "point-0", "routes": routes}),
    );
    for i in 0..RULES {
        let group = i % GROUPS;
        let mut spec = json!({"group": format!("group-{group}"), "interval": "5s", "labels": {"team": "1"}});
        let how = if group == 0 {
            json!({"query": format!("sum(count_over_time({{app=\"rest\"}} [5m])) > {i}"), "annotations": {"summary": "{{ $value }}"}})
        } else {
            let never = json!({"refId": "A", "datasourceUid": "__expr__", "model": {"type": "math", "expression": "0 > 1"}});
            json!({"data": [never], "condition": "A"})
        };
        for (key, value) in how.as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        add("AlertRule", format!("rule-{i}"), spec);
    }
    for i in 0..PAUSED {
        let never = json!({"refId": "A", "datasourceUid": "__expr__", "model": {"type": "math", "expression": "0 > 1"}});
        let spec = json!({"group": "paused", "data": [never], "condition": "A", "paused": true});
        add("AlertRule", format!("paused-{i}"), spec);
    }
    w.apply(&documents.join("\n---\n")).await;
}

/// The resourceVersion of everything of ours, and of every Secret.
async fn versions(w: &World) -> BTreeMap<String, String> {
    async fn of<K>(api: Api<K>, versions: &mut BTreeMap<String, String>)
    where
        K: kube::Resource<DynamicType = ()> + Clone + serde::de::DeserializeOwned + std::fmt::Debug,
    {
        let listed = api
            .list(&ListParams::default())
            .await
            .expect("a list of resources");
        for object in listed {
            let key = format!("{} {}", K::kind(&()), object.name_any());
            versions.insert(key, object.resource_version().unwrap_or_default());
        }
    }
    let mut versions = BTreeMap::new();
    let client = w.client().await;
    of(w.api::<AlertRule>().await, &mut versions).await;
    of(w.api::<ContactPoint>().await, &mut versions).await;
    of(w.api::<NotificationPolicy>().await, &mut versions).await;
    of(
        Api::<GrafanaInstance>::namespaced(client.clone(), &w.home),
        &mut versions,
    )
    .await;
    of(Api::<Secret>::namespaced(client, &w.home), &mut versions).await;
    versions
}

/// What has been written, added or removed.
fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> BTreeSet<String> {
    let all = before.keys().chain(after.keys());
    all.filter(|key| before.get(*key) != after.get(*key))
        .cloned()
        .collect()
}

/// How often the operator has written to the API server.
async fn kubernetes_writes(operator: &Operator) -> f64 {
    let metrics = operator.metrics().await;
    let writes = metrics
        .lines()
        .filter(|line| line.starts_with("alertwright_kubernetes_writes_total"));
    writes
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// Waits until all rules have been evaluated and everything is counted as in sync.
async fn settled(w: &World) {
    let rules = w.api::<AlertRule>().await;
    wait::until("all rules are Normal", 3 * SOON, async || {
        let listed = rules.list(&ListParams::default()).await.ok()?;
        let normal = |rule: &&AlertRule| {
            rule.status.as_ref().and_then(|status| status.state.as_deref()) == Some("Normal")
        };
        (listed.items.iter().filter(normal).count() == RULES).then_some(())
    })
    .await;
    let instances: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    let all = i64::try_from(RULES + PAUSED + CONTACT_POINTS + 1).expect("a small number");
    wait::until("all is counted as in sync", SOON, async || {
        let status = instances.get("default").await.ok()?.status?;
        (status.in_sync == Some(all) && status.not_in_sync == Some(0)).then_some(())
    })
    .await;
}

#[apply(every_release)]
async fn a_restart_reads_everything_once_in_ten_calls_at_most() {
    let mut w = world::start().await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    for name in ["one", "other"] {
        w.put("AlertRule", name, quiet()).await;
        w.synced::<AlertRule>(name).await;
    }
    w.operator.kill();
    let rarely = json!({"resyncInterval": "30m", "stateInterval": "30m"});
    let token = w.grafana.token().await;
    world::connect(w.plane, &w.home, &w.proxy.url(), &token, rarely).await;
    w.proxy.reset();
    w.operator.restart().await.expect("it starts again");
    listed(&w).await;
    // Who writes has read all that it needs.
    w.put("AlertRule", "one", json!({"query": QUIET, "for": "7m"}))
        .await;
    w.synced::<AlertRule>("one").await;
    let calls = w.proxy.requests();
    let reads = calls.reads().without_states();
    assert!(reads.len() <= 10, "{} reads:\n{reads}", reads.len());
    let writes = calls.writes();
    assert_eq!(
        writes.len(),
        1,
        "more was written than what has changed:\n{writes}"
    );
}

/// Waits until everything has been listed.
async fn listed(w: &World) {
    wait::until("everything has been listed", SOON, async || {
        let calls = w.proxy.requests();
        let lists = [
            BULK_READ,
            "/api/datasources",
            w.points_at(),
            w.tree_at().trim_end_matches("/user-defined"),
        ];
        let is_done = |list: &str| {
            calls
                .of("GET", list)
                .0
                .iter()
                .any(|call| call.status == Some(200))
        };
        (calls.rule_lists() > 0 && lists.into_iter().all(is_done)).then_some(())
    })
    .await;
}

#[apply(any_release)]
async fn at_rest_and_after_restarts_nothing_is_written_and_little_is_read() {
    let mut w = world::start().await;
    w.grafana.needs(Need::FastRules);
    apply_set(&w).await;
    settled(&w).await;
    resyncs(&w, 1).await;

    let (versions_before, writes_before) = (versions(&w).await, kubernetes_writes(&w.operator).await);
    w.proxy.reset();
    resyncs(&w, 7).await;
    let calls = w.proxy.requests();
    assert!(calls.writes().is_empty(), "{}", calls.writes());
    let (rounds, reads) = whole_rounds(&calls);
    assert!(
        reads.len() <= READS * rounds,
        "{rounds} resyncs: {:#?}",
        reads.by_class()
    );
    assert_eq!(w.proxy.connections(), 0, "connections are kept");
    let changed_since = changed(&versions_before, &versions(&w).await);
    assert!(changed_since.is_empty(), "{changed_since:?}");
    let writes = kubernetes_writes(&w.operator).await - writes_before;
    assert!(writes < 0.5, "{writes} writes to the API server");
    println!("{rounds} resyncs: {:#?}", reads.by_class());
    let read = r#"alertwright_grafana_read_timestamp_seconds{instance="default"}"#;
    let read = w.operator.metric(read).await.unwrap_or_default();
    let now = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_secs_f64();
    assert!(now - read < 30.0, "read at {read}, it is {now}");

    for how in ["killed", "killed", "killed", "terminated"] {
        w.proxy.reset();
        if how == "terminated" {
            w.operator.terminate().await;
        }
        w.operator.restart().await.expect("it starts again");
        rests(&w, how, &versions_before, kubernetes_writes(&w.operator)).await;
    }

    w.operator.terminate().await;
    let mut leader = replica(&w, "replica-a").start().await.expect("it starts");
    leads(&leader, SOON).await;
    let other = replica(&w, "replica-b").start().await.expect("it starts");
    w.proxy.reset();
    leader.kill();
    leads(&other, TAKEOVER).await;
    rests(&w, "another leads", &versions_before, kubernetes_writes(&other)).await;
}

/// Whoever has begun since the calls were forgotten reads everything once and then as at rest, and writes nothing on
/// either side.
async fn rests(w: &World, how: &str, before: &BTreeMap<String, String>, written: impl Future<Output = f64>) {
    resyncs(w, 3).await;
    let calls = w.proxy.requests();
    assert!(calls.writes().is_empty(), "{how}: {}", calls.writes());
    let rounds = calls.of("GET", BULK_READ).len();
    let reads = calls.without_states();
    assert!(
        reads.len() <= START + READS * rounds,
        "{how}, {rounds} resyncs: {:#?}",
        reads.by_class()
    );
    let changed_since = changed(before, &versions(w).await);
    assert!(changed_since.is_empty(), "{how}: {changed_since:?}");
    let writes = written.await;
    assert!(writes < 0.5, "{how}: {writes} writes to the API server");
}

/// The reads from one bulk read to the last, without those of states, and how many rounds they are.
fn whole_rounds(calls: &Calls) -> (usize, Calls) {
    let calls = calls.without_states().0;
    let bulk = |call: &Call| call.path.contains(BULK_READ);
    let first = calls.iter().position(bulk).expect("a bulk read");
    let last = calls.iter().rposition(bulk).expect("a bulk read");
    let rounds = calls[first..last].iter().filter(|call| bulk(call)).count();
    (rounds, Calls(calls[first..last].to_vec()))
}
