//! What Grafana tells of its changes isn't read at each resync. No Grafana was seen that tells of alerting; the double does where a test asks for it.

use std::collections::BTreeMap;

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy};
use alertwright_testbed::trial::Need;
use alertwright_testbed::{Proxy, apply, grafana, proxy::Calls, since_13, wait};
use http::Method;
use serde_json::{Value, json};

use crate::alarm::everything_to;
use crate::rules::{QUIET, resyncs, uid};
use crate::versions::instance;
use crate::world::{self, SOON, World};

const POINTS: &str = "/api/v1/provisioning/contact-points";
const POLICIES: &str = "/api/v1/provisioning/policies";

/// Where what may be watched is listed.
const LISTS: [&str; 5] = [
    "/folders",
    "/receivers",
    "/routingtrees",
    "/alertrules",
    "/recordingrules",
];

/// A world with a contact point, a tree and a rule, whose Grafana tells of changes. All goes through `/apis`, and is read as rarely as this says.
async fn world(resync: &str) -> World {
    let options = grafana::Options {
        settings: vec!["double.watch=true".to_owned()],
        ..grafana::Options::default()
    };
    let more = json!({"resyncInterval": resync, "ruleAPI": "Platform"});
    let w = world::start_connected(options, more).await;
    w.grafana.needs(Need::Watch);
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "http://127.0.0.1:9/ours"}}}]});
    w.put("ContactPoint", "team", hook).await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.put("AlertRule", "r", json!({"query": QUIET, "for": "5m"}))
        .await;
    w.synced::<ContactPoint>("team").await;
    w.synced::<NotificationPolicy>("tree").await;
    w.synced::<AlertRule>("r").await;
    wait::until("all to be watched", SOON, async || {
        watched(&w).await == all_watched()
    })
    .await;
    until_streams(&w.proxy, LISTS.len()).await;
    w
}

/// What the instance's status says of each concern: whether it is watched.
async fn watched(w: &World) -> BTreeMap<String, bool> {
    let apis = instance(w).await.status.unwrap_or_default().apis;
    let said = apis.into_iter();
    said.map(|(concern, api)| (concern, api.ends_with(", watched")))
        .collect()
}

fn all_watched() -> BTreeMap<String, bool> {
    ["folders", "notifications", "rules"]
        .map(|concern| (concern.to_owned(), true))
        .into()
}

/// How often each of [`LISTS`] was read.
fn reads(calls: &Calls) -> [usize; 5] {
    LISTS.map(|list| {
        let reads = calls.filter(|call| {
            let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
            let is_list = path.starts_with("/apis/") && path.ends_with(list);
            call.method == Method::GET && is_list && !query.contains("watch=true")
        });
        reads.len()
    })
}

/// Waits until there are so many watches, each with a connection.
async fn until_streams(proxy: &Proxy, count: usize) {
    wait::until(&format!("{count} watches"), SOON, async || {
        proxy.streams() == count
    })
    .await;
}

async fn point(w: &World) -> Value {
    let points = w.grafana.get(POINTS).await.ok();
    let all = points.as_array().expect("a list");
    let found = all.iter().find(|point| point["name"] == "team");
    found.expect("the contact point").clone()
}

#[apply(since_13)]
async fn a_change_by_hand_is_put_right_at_once_where_grafana_tells_of_it() {
    let w = world("1h").await;
    w.proxy.reset();
    let mut edited = point(&w).await;
    edited["settings"]["url"] = json!("http://127.0.0.1:9/theirs");
    let place = format!("{POINTS}/{}", edited["uid"].as_str().expect("a uid"));
    w.grafana.put(&place, edited).await.ok();
    wait::until("the contact point is ours again", SOON, async || {
        point(&w).await["settings"]["url"] == "http://127.0.0.1:9/ours"
    })
    .await;
    let mut tree = w.grafana.get(POLICIES).await.ok();
    tree["group_wait"] = json!("7m");
    w.grafana.put(POLICIES, tree).await.ok();
    wait::until("the tree is ours again", SOON, async || {
        w.grafana.get(POLICIES).await.ok()["group_wait"] != "7m"
    })
    .await;
    let uid = uid(&w, "r").await;
    let mut edited = w.grafana.rule(&uid).await.expect("the rule");
    edited["for"] = json!("9m");
    let place = format!("/api/v1/provisioning/alert-rules/{uid}");
    w.grafana.put(&place, edited).await.ok();
    wait::until("the rule is ours again", SOON, async || {
        w.grafana.rule(&uid).await.is_some_and(|rule| rule["for"] == "5m")
    })
    .await;
    w.grafana.delete(&place).await.ok();
    wait::until("the rule is back", SOON, async || {
        w.grafana.rule(&uid).await.is_some()
    })
    .await;
    let calls = w.proxy.requests();
    assert_eq!(reads(&calls), [0; 5], "{calls}");
    assert_eq!(watched(&w).await, all_watched());
}

#[apply(since_13)]
async fn at_rest_nothing_that_grafana_tells_of_is_read_and_with_the_instance_its_watches_end() {
    // Shorter than a watch needs that tells nothing, it would be read.
    let w = world("12s").await;
    resyncs(&w, 1).await;
    w.proxy.reset();
    resyncs(&w, 1).await;
    let calls = w.proxy.requests();
    assert!(calls.writes().is_empty(), "{calls}");
    assert_eq!(reads(&calls), [0; 5], "{calls}");
    let delete = ["delete", "grafanainstance", "default", "-n", &w.home];
    w.plane.kubectl(delete).await.ok();
    until_streams(&w.proxy, 0).await;
}
