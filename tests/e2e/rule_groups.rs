//! Rules of one group that come together: one write for all of them where that may be, and one for each where it may not.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy};
use alertwright_testbed::proxy::{Calls, Fault};
use alertwright_testbed::{apply, since_11_6, wait, with_groups};
use kube::api::{DeleteParams, ListParams};
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::assert_rests;
use crate::rules::QUIET;
use crate::world::{self, Reported, SOON, World};

const GROUPS: &str = "/rule-groups/";
const RULES: &str = "/api/v1/provisioning/alert-rules";

fn document(kind: &str, name: &str, spec: &Value) -> String {
    json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec,
    })
    .to_string()
}

/// A rule of a group that is evaluated every half minute, which isn't what Grafana takes by itself.
fn rule(name: &str, group: &str) -> String {
    let spec = json!({"query": QUIET, "group": group, "interval": "30s"});
    document("AlertRule", name, &spec)
}

/// Has all of these there when the operator starts, and gives its calls since then.
async fn begin_with(w: &mut World, documents: &[String], instance: Value) {
    w.operator.kill();
    let token = w.grafana.token().await;
    world::connect(w.plane, &w.home, &w.proxy.url(), &token, instance).await;
    w.apply(&documents.join("\n---\n")).await;
    w.proxy.reset();
    w.operator.restart().await.expect("it starts again");
}

/// Waits until so many resources of a kind are in sync.
async fn synced<K: Reported>(w: &World, count: usize) {
    let api = w.api::<K>().await;
    let what = format!("{count} {} are in sync", K::kind(&()));
    wait::until(&what, 8 * SOON, async || {
        let listed = api.list(&ListParams::default()).await.ok()?;
        let is_synced = |object: &&K| {
            let ready = object.conditions().into_iter().find(|c| c.type_ == "Ready");
            ready.is_some_and(|ready| {
                ready.reason == "Synced" && ready.observed_generation == object.meta().generation
            })
        };
        (listed.items.iter().filter(is_synced).count() == count).then_some(())
    })
    .await;
}

/// Calls that write rules: of whole groups, and of single ones.
fn rule_writes(calls: &Calls) -> (usize, usize) {
    let writes = calls.writes();
    let of = |path: &str| writes.filter(|call| call.path.contains(path)).len();
    (of(GROUPS), of(RULES))
}

/// Fails unless eight rules were written together, as far as they came together: on a machine that is busy some may come late.
fn assert_together(calls: &Calls) {
    let (groups, singles) = rule_writes(calls);
    assert!(
        groups >= 1 && groups + singles < 8,
        "{groups} and {singles}: {}",
        calls.writes()
    );
}

/// The intervals of all rules in Grafana, each once.
async fn intervals(w: &World) -> Vec<Value> {
    let mut all: Vec<_> = w
        .grafana
        .rules()
        .await
        .iter()
        .map(|rule| rule["interval"].clone())
        .collect();
    all.dedup();
    all
}

#[apply(since_11_6)]
async fn a_first_sync_costs_two_calls_for_each_group_however_many_rules_it_holds() {
    const COUNT: usize = 500;
    const POINTS: usize = 20;
    let mut w = world::start().await;
    // One half comes group by group, the other a rule of each group in turn.
    let group = |i: usize| {
        if i < COUNT / 2 {
            format!("block-{}", i / 10)
        } else {
            format!("turn-{}", i % 25)
        }
    };
    let mut documents: Vec<_> = (0..COUNT).map(|i| rule(&format!("r-{i}"), &group(i))).collect();
    for i in 0..POINTS {
        let url = json!({"value": format!("http://127.0.0.1:9/{i}")});
        let spec = json!({"integrations": [{"webhook": {"url": url}}]});
        documents.push(document("ContactPoint", &format!("point-{i}"), &spec));
    }
    let routes: Vec<_> = (1..POINTS)
        .map(|i| json!({"receiver": format!("point-{i}"), "matchers": [format!("team=\"{i}\"")]}))
        .collect();
    documents.push(document(
        "NotificationPolicy",
        "tree",
        &json!({"receiver": "point-0", "routes": routes}),
    ));
    // What polls read isn't what a first sync costs.
    let rarely = json!({"resyncInterval": "30m", "stateInterval": "30m"});
    begin_with(&mut w, &documents, rarely).await;
    synced::<AlertRule>(&w, COUNT).await;
    synced::<ContactPoint>(&w, POINTS).await;
    synced::<NotificationPolicy>(&w, 1).await;
    let calls = w.proxy.requests();
    let classes = calls.by_class();
    println!(
        "first sync on {}: {} calls, {classes:#?}",
        w.grafana.version(),
        calls.len()
    );
    let (groups, singles) = rule_writes(&calls);
    let looks = calls.of("GET", GROUPS).len();
    assert!(looks >= groups, "a look right before each: {classes:#?}");
    assert!(groups + singles <= 60, "{groups} and {singles}: {classes:#?}");
    // Contact points that are written at the same time share a look at them; how many come together is up to the machine.
    let points = calls.of("GET", w.points_at()).len();
    assert!(points <= POINTS / 2, "{points}: {classes:#?}");
    let others = calls.len() - points;
    assert!(others <= 138, "{others}: {classes:#?}");
    assert_eq!(w.grafana.rules().await.len(), COUNT);
    assert_eq!(intervals(&w).await, ["30s"]);
    let metrics = w.operator.metrics().await;
    // Some may have been evaluated meanwhile, which is a pass and a status more.
    let rules = w.api::<AlertRule>().await.list(&ListParams::default()).await;
    let rules = rules.expect("a list of rules").items.into_iter();
    let evaluated = rules.filter_map(|rule| rule.status?.state).count();
    assert_costs_kubernetes_little(&metrics, COUNT + POINTS + 1, evaluated);
    world::connect(
        w.plane,
        &w.home,
        &w.proxy.url(),
        &w.grafana.token().await,
        json!({}),
    )
    .await;
    assert_rests(&w).await;
}

/// A pass for each resource, which adds the finalizer and writes the status; and what is remembered of contact points, and what waits for others.
fn assert_costs_kubernetes_little(metrics: &str, resources: usize, besides: usize) {
    for (name, for_ten) in [
        ("alertwright_reconciles_total", 12),
        ("alertwright_kubernetes_writes_total", 21),
    ] {
        let lines: Vec<_> = metrics
            .lines()
            .filter(|line| line.starts_with(name) && !line.to_lowercase().contains("grafanainstance"))
            .collect();
        let counts = lines
            .iter()
            .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        let count: usize = counts.sum();
        let lines = lines.join("\n");
        println!("{count} for {resources} resources, {besides} evaluated:\n{lines}");
        assert!(
            count <= resources * for_ten / 10 + besides,
            "{count} for {resources} and {besides}:\n{lines}"
        );
    }
}

#[apply(with_groups)]
async fn a_bad_rule_among_ten_is_the_only_one_that_is_not_written() {
    let mut w = world::start().await;
    let writes_groups = w.grafana.version().since(11, 6);
    let refusal = json!({"message": "invalid alert rule: it is bad"}).to_string();
    w.proxy
        .fault(Fault::status(400).body(refusal).saying(r#""title":"r-3""#));
    let documents: Vec<_> = (0..10).map(|i| rule(&format!("r-{i}"), "together")).collect();
    begin_with(&mut w, &documents, json!({})).await;
    synced::<AlertRule>(&w, 9).await;
    w.reason::<AlertRule>("r-3", "Invalid").await;
    let message = w.message::<AlertRule>("r-3").await;
    assert!(message.contains("it is bad"), "{message}");
    let calls = w.proxy.requests();
    let (groups, singles) = rule_writes(&calls);
    if writes_groups {
        // The halves of one group make nine; on a busy machine the first rules are written before the others are on their way.
        assert!(
            groups >= 2 && groups + singles <= 11,
            "{groups} and {singles}: {}",
            calls.writes()
        );
    } else {
        assert_eq!(singles, 10, "{}", calls.writes());
    }
    assert_eq!(w.grafana.rules().await.len(), 9);
    assert_eq!(intervals(&w).await, ["30s"]);
    assert_rests(&w).await;
}

/// The rule of somebody else's, but for its time: whatever joins its group gives it another one.
async fn foreign_rule(w: &World) -> Value {
    let mut rule = w.grafana.rule("foreign").await.expect("the foreign rule");
    rule["updated"].take();
    rule
}

#[apply(with_groups)]
async fn a_group_with_a_rule_of_somebody_elses_is_never_written_as_a_whole() {
    let mut w = world::start().await;
    w.put("AlertRule", "first", json!({"query": QUIET, "group": "shared"}))
        .await;
    w.synced::<AlertRule>("first").await;
    let folder = w.grafana.folders().await[0]["uid"].clone();
    let node = json!({
        "refId": "A", "datasourceUid": "__expr__", "queryType": "", "relativeTimeRange": {"from": 0, "to": 0},
        "model": {"refId": "A", "type": "math", "expression": "0 > 1"},
    });
    let foreign = json!({
        "uid": "foreign", "title": "foreign", "ruleGroup": "shared", "folderUID": folder, "condition": "A", "data": [node],
        "noDataState": "OK", "execErrState": "OK", "for": "1m", "orgID": 1,
    });
    w.grafana
        .write_as_frontend(Method::POST, RULES, foreign)
        .await
        .ok();
    let before = foreign_rule(&w).await;
    let documents: Vec<_> = (0..6)
        .map(|i| {
            let spec = json!({"query": QUIET, "group": "shared"});
            document("AlertRule", &format!("r-{i}"), &spec)
        })
        .collect();
    begin_with(&mut w, &documents, json!({})).await;
    synced::<AlertRule>(&w, 7).await;
    let calls = w.proxy.requests();
    assert_eq!(rule_writes(&calls), (0, 6), "{}", calls.writes());
    assert_eq!(foreign_rule(&w).await, before);
}

#[apply(with_groups)]
async fn rules_that_come_together_change_together_and_one_alone_costs_one_call() {
    let mut w = world::start().await;
    let version = w.grafana.version();
    let names: Vec<_> = (0..8).map(|i| format!("r-{i}")).collect();
    let documents: Vec<_> = names.iter().map(|name| rule(name, "together")).collect();
    begin_with(&mut w, &documents, json!({})).await;
    synced::<AlertRule>(&w, names.len()).await;
    let calls = w.proxy.reset();
    if version.since(11, 6) {
        assert_together(&calls);
    } else {
        assert_eq!(rule_writes(&calls).1, names.len(), "{}", calls.writes());
    }
    // One alone.
    let mut spec = json!({"query": QUIET, "group": "together", "interval": "30s", "for": "2m"});
    w.put("AlertRule", "r-1", spec.clone()).await;
    w.synced::<AlertRule>("r-1").await;
    let calls = w.proxy.reset();
    assert_eq!(rule_writes(&calls), (0, 1), "{}", calls.writes());
    assert!(calls.of("GET", GROUPS).is_empty());
    // All of them, into another group and with another interval.
    spec["group"] = json!("moved");
    spec["interval"] = json!("40s");
    let moved: Vec<_> = names
        .iter()
        .map(|name| document("AlertRule", name, &spec))
        .collect();
    begin_with(&mut w, &moved, json!({})).await;
    synced::<AlertRule>(&w, names.len()).await;
    let calls = w.proxy.requests();
    if version.since(11, 6) {
        assert_together(&calls);
    }
    let rules = w.grafana.rules().await;
    assert!(rules.iter().all(|rule| rule["interval"] == "40s"), "{rules:#?}");
    assert!(
        rules
            .iter()
            .all(|rule| rule["grafana_alert"]["rule_group"] == "moved"),
        "{rules:#?}"
    );
    assert_rests(&w).await;
    // And away.
    w.proxy.reset();
    let all = w.api::<AlertRule>().await;
    w.operator.kill();
    all.delete_collection(&DeleteParams::default(), &ListParams::default())
        .await
        .expect("they can be deleted");
    w.operator.restart().await.expect("it starts again");
    wait::until("all are gone", SOON, async || {
        all.list(&ListParams::default())
            .await
            .is_ok_and(|listed| listed.items.is_empty())
    })
    .await;
    assert!(w.grafana.rules().await.is_empty());
    let calls = w.proxy.requests();
    // Those that came last may not have met; that a whole group goes in one call where they do is tested without a cluster.
    let (groups, singles) = rule_writes(&calls);
    assert!(groups + singles <= names.len(), "{}", calls.writes());
    if !version.since(11, 0) {
        assert_eq!((groups, singles), (0, names.len()), "{}", calls.writes());
    }
}
