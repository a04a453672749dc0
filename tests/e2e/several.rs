//! One resource in several Grafanas.

use alertwright::api::{AlertRule, ContactPoint, GrafanaInstance, NotificationPolicy};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::trial::{self, Door};
use alertwright_testbed::{Grafana, Loki, Proxy, any_release, apply, every_release, grafana, wait};
use kube::Api;
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::{assert_rests, everything_to};
use crate::instances::{POINTS, there, tree_of};
use crate::rules::quiet;
use crate::world::{self, SOON, World};

/// One more Grafana, which the GrafanaInstance `second` is for, and what the operator reaches it through.
pub async fn second(w: &World) -> (Grafana, Proxy) {
    let grafana = Grafana::start(grafana::Options::default())
        .await
        .expect("grafana starts");
    let loki = Loki::shared().await;
    grafana.add_loki_datasource(loki, "loki", "Loki", true).await;
    let proxy = world::proxy_of(&grafana).await;
    let token = grafana.token().await;
    let mut spec = json!({
        "url": proxy.url(), "auth": {"token": {"secretKeyRef": {"name": "second", "key": "token"}}},
        "resyncInterval": "2s", "stateInterval": "1s",
    });
    if trial::door() == Some(Door::Platform) {
        spec["ruleAPI"] = json!("Platform");
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "second"}, "stringData": {"token": token}});
    let instance = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "second"}, "spec": spec,
    });
    w.plane.apply(&secret.to_string(), &w.home).await;
    w.plane.apply(&instance.to_string(), &w.home).await;
    (grafana, proxy)
}

/// A specification that is for these instances.
pub fn with(mut spec: Value, instances: &[&str]) -> Value {
    spec["instances"] = json!(instances);
    spec
}

/// The uids of the rules that a Grafana holds.
pub async fn uids(grafana: &Grafana) -> Vec<String> {
    let rules = grafana.rules().await;
    let uid = |rule: &Value| rule["grafana_alert"]["uid"].as_str().map(str::to_owned);
    rules.iter().filter_map(uid).collect()
}

/// Waits until the rule is ready, and returns the instances that its status names.
async fn places(w: &World) -> Vec<String> {
    let rule: AlertRule = w.synced("r").await;
    let all = rule.status.unwrap_or_default().instances.into_iter();
    all.map(|at| at.instance).collect()
}

#[apply(every_release)]
async fn a_rule_goes_from_one_grafana_to_another_by_way_of_both() {
    let w = world::start().await;
    let (second, _proxy) = second(&w).await;
    w.put("AlertRule", "r", quiet()).await;
    let rule: AlertRule = w.synced("r").await;
    let uid = rule.status.and_then(|status| status.uid).expect("a uid");
    w.put("AlertRule", "r", with(quiet(), &["default", "second"]))
        .await;
    assert_eq!(places(&w).await, ["default", "second"]);
    let both = [uids(&w.grafana).await, uids(&second).await];
    assert_eq!(both, [[uid.clone()], [uid.clone()]]);
    assert_rests(&w).await;
    w.put("AlertRule", "r", with(quiet(), &["second"])).await;
    assert!(places(&w).await.is_empty());
    let left = [uids(&w.grafana).await, uids(&second).await];
    assert_eq!(left, [vec![], vec![uid]]);
    w.delete::<AlertRule>("r").await;
    assert!(uids(&second).await.is_empty());
}

#[apply(every_release)]
async fn a_contact_point_and_a_policy_are_in_two_grafanas_and_one_that_is_away_waits_alone() {
    let w = world::start().await;
    let (second, proxy) = second(&w).await;
    let both = ["default", "second"];
    let mail = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    w.put("ContactPoint", "team", with(mail, &both)).await;
    w.put("NotificationPolicy", "tree", with(everything_to("team"), &both))
        .await;
    w.synced::<ContactPoint>("team").await;
    w.synced::<NotificationPolicy>("tree").await;
    let receiver = async |grafana: &Grafana| grafana.policy_tree().await["receiver"].clone();
    assert_eq!(
        [receiver(&w.grafana).await, receiver(&second).await],
        ["team", "team"]
    );
    proxy.fault(Fault::status(503));
    w.plane
        .kubectl(["delete", "npolicy", "tree", "-n", &w.ns, "--wait=false"])
        .await
        .ok();
    wait::until("the one that answers has its former tree", SOON, async || {
        receiver(&w.grafana).await != "team"
    })
    .await;
    wait::until("the other one is named", SOON, async || {
        let message = w.message::<NotificationPolicy>("tree").await;
        message.contains("GrafanaInstance second: the deletion waits: ")
    })
    .await;
    assert_eq!(receiver(&second).await, "team");
    proxy.clear_faults();
    wait::until("it goes there too", SOON, async || {
        receiver(&second).await != "team"
    })
    .await;
    w.delete::<ContactPoint>("team").await;
    assert!(second.contact_point("team").await.is_empty());
}

#[apply(any_release)]
async fn one_login_serves_two_organisations_at_once_each_by_an_instance_of_its_own() {
    let mut w = world::start().await;
    let made = there(&w, 1, Method::POST, "/api/orgs", Some(json!({"name": w.home}))).await;
    let id = made["orgId"].as_i64().expect("a number");
    tree_of(&w, id).await;
    let loki = Loki::shared().await.url();
    let source = json!({"uid": "loki-2", "name": "Loki", "type": "loki", "access": "proxy", "url": loki, "isDefault": true});
    there(&w, id, Method::POST, "/api/datasources", Some(source)).await;
    let (user, password) = w.grafana.admin();
    let login = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": {"user": user, "password": password}});
    w.plane.apply(&login.to_string(), &w.home).await;
    let of_login = |key: &str| json!({"secretKeyRef": {"name": "login", "key": key}});
    let basic = json!({"basic": {"username": of_login("user"), "password": of_login("password")}});
    world::connect(w.plane, &w.home, &w.proxy.url(), "unused", json!({"auth": basic})).await;
    let second = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "second"},
        "spec": {"url": w.proxy.url(), "auth": basic, "orgID": id, "resyncInterval": "2s", "stateInterval": "1s"},
    });
    w.plane.apply(&second.to_string(), &w.home).await;

    let both = ["default", "second"];
    let mail = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    w.put("AlertRule", "r", with(quiet(), &both)).await;
    w.put("ContactPoint", "team", with(mail, &both)).await;
    w.synced::<AlertRule>("r").await;
    w.synced::<ContactPoint>("team").await;
    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    let organisation = async |name: &str| {
        let instance = api.get(name).await.expect("it is there");
        instance.status.unwrap_or_default().org_id
    };
    assert_eq!(
        [organisation("default").await, organisation("second").await],
        [Some(1), Some(id)]
    );
    let held = async |organisation: i64| {
        let count = async |path: &str| {
            let list = there(&w, organisation, Method::GET, path, None).await;
            list.as_array().map_or(0, Vec::len)
        };
        [
            count("/api/v1/provisioning/alert-rules").await,
            count(&format!("{POINTS}?name=team")).await,
        ]
    };
    assert_eq!([held(1).await, held(id).await], [[1, 1]; 2]);
    w.delete::<AlertRule>("r").await;
    w.delete::<ContactPoint>("team").await;
    assert_eq!([held(1).await, held(id).await], [[0, 0]; 2]);
    w.operator.terminate().await;
    there(&w, 1, Method::DELETE, &format!("/api/orgs/{id}"), None).await;
}
