//! GrafanaInstances that move to another Grafana, or share one.

use alertwright::api::{AlertRule, ContactPoint, GrafanaInstance, NotificationPolicy, Silence};
use alertwright_testbed::trial::{self, Door};
use alertwright_testbed::{Grafana, any_release, apply, every_release, grafana, http, wait};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Api;
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::{assert_rests, everything_to, secret};
use crate::notification_policy::{POLICIES, contact_point, foreign_tree};
use crate::rules::quiet;
use crate::world::{self, SOON, World};

/// The address of contact points.
pub const POINTS: &str = "/api/v1/provisioning/contact-points";

/// What is known of the GrafanaInstance `default`.
async fn instance(w: &World) -> GrafanaInstance {
    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    api.get("default").await.expect("it is there")
}

/// Points the GrafanaInstance somewhere and waits until it is connected there.
async fn connect(w: &World, url: &str, token: &str) {
    world::connect(w.plane, &w.home, url, token, json!({})).await;
    wait::until(&format!("connected to {url}"), SOON, async || {
        let status = instance(w).await.status.unwrap_or_default();
        status.url.as_deref() == Some(url) && status.reachable == Some(true)
    })
    .await;
}

/// A webhook with the password of the Secret `hook`.
fn hook() -> Value {
    json!({"integrations": [{"webhook": {
        "url": {"value": "http://127.0.0.1:9/hook"}, "username": "u",
        "password": {"secretKeyRef": {"name": "hook", "key": "password"}},
    }}]})
}

#[apply(every_release)]
async fn an_instance_that_is_pointed_at_another_grafana_touches_nothing_of_others_there_and_says_what_stays_behind()
 {
    let w = world::start().await;
    let first = w.proxy.url();
    let number = w.grafana.get("/api/org").await.ok()["id"].clone();
    let token = w.grafana.token().await;
    let before = foreign_tree(&w).await;
    secret(&w, "hook", json!({"password": "secret-1"})).await;
    w.put("ContactPoint", "hook", hook()).await;
    w.synced::<ContactPoint>("hook").await;
    let policy = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy",
        "metadata": {"name": "tree", "annotations": {"alerting.letsrevel.io/adopt": "true"}}, "spec": everything_to("hook"),
    });
    w.apply(&policy.to_string()).await;
    w.synced::<NotificationPolicy>("tree").await;
    let ours = w.grafana.policy_tree().await;
    w.plane
        .kubectl([
            "annotate",
            "npolicy",
            "tree",
            "-n",
            &w.ns,
            "alerting.letsrevel.io/adopt-",
        ])
        .await
        .ok();

    // The other one has a contact point of ours as it was long ago, and a tree of somebody's.
    let other = Grafana::start(grafana::Options::default())
        .await
        .expect("grafana starts");
    let mut old = w.grafana.contact_point("hook").await[0].clone();
    old["settings"]["password"] = json!("secret-0");
    old.as_object_mut().expect("an integration").remove("provenance");
    other.post(POINTS, old).await.ok();
    let mut theirs = other.policy_tree().await;
    theirs["routes"] = json!([{"receiver": theirs["receiver"], "object_matchers": [["a", "=", "b"]]}]);
    other.put(POLICIES, theirs).await.ok();
    let theirs = other.policy_tree().await;
    let proxy = world::proxy_of(&other).await;
    connect(&w, &proxy.url(), &other.token().await).await;

    w.reason::<NotificationPolicy>("tree", "NotOwned").await;
    wait::until("the secret is sent there too", SOON, async || {
        let sent = proxy.requests().of("PUT", w.points_at());
        sent.0
            .iter()
            .any(|call| call.json().to_string().contains(r#""password":"secret-1""#))
    })
    .await;
    let status = instance(&w).await.status.unwrap_or_default();
    let left = format!("{first} (organisation {number}): 1 ContactPoint, 1 NotificationPolicy");
    assert_eq!(status.left_behind, [left]);
    wait::until("an event says so", SOON, async || {
        let notes = [
            "get",
            "events.events.k8s.io",
            "-n",
            &w.home,
            "-o",
            "jsonpath={.items[*].note}",
        ];
        let notes = w.plane.kubectl(notes).await.ok();
        notes.contains("1 ContactPoint, 1 NotificationPolicy") && notes.contains(&first)
    })
    .await;
    assert_eq!(other.policy_tree().await, theirs);
    assert_eq!(w.grafana.policy_tree().await, ours);

    // Back home everything is as it was, and what was there before is still known.
    connect(&w, &first, &token).await;
    w.synced::<NotificationPolicy>("tree").await;
    wait::until("what was made in the other one is gone", SOON, async || {
        let left = instance(&w).await.status.unwrap_or_default().left_behind;
        left.is_empty() && other.contact_point("hook").await.is_empty()
    })
    .await;
    assert_rests(&w).await;
    assert_eq!(w.memories().await.len(), 2);
    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await, before);
    assert_eq!(other.policy_tree().await, theirs);
}

/// Points the GrafanaInstance below this path of a proxy in some way and does one of everything there.
async fn works_below(w: &World, url: &str, more: Value) {
    let token = w.grafana.token().await;
    world::connect(w.plane, &w.home, url, &token, more).await;
    w.put("AlertRule", "r", quiet()).await;
    contact_point(w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.put("Silence", "s", json!({"matchers": ["a=b"], "duration": "1h"}))
        .await;
    w.synced::<AlertRule>("r").await;
    w.synced::<NotificationPolicy>("tree").await;
    w.synced::<Silence>("s").await;
    // What was made by the former way before the new one was there is found to be here.
    wait::until("nothing is left behind", SOON, async || {
        let status = instance(w).await.status.unwrap_or_default();
        status.url.as_deref() == Some(url) && status.left_behind.is_empty()
    })
    .await;
    assert_rests(w).await;
}

/// Deletes all of that again.
async fn goes_below(w: &World) {
    w.delete::<Silence>("s").await;
    w.delete::<NotificationPolicy>("tree").await;
    w.delete::<ContactPoint>("team").await;
    w.delete::<AlertRule>("r").await;
    let rules = w.grafana.get("/api/v1/provisioning/alert-rules").await.ok();
    assert_eq!(rules, json!([]));
}

#[apply(any_release)]
async fn a_grafana_below_a_sub_path_is_asked_for_nothing_outside_of_it() {
    let root_url = "server.root_url=http://grafana.example.com/team/grafana/";
    let options = grafana::Options {
        settings: vec![root_url.to_owned(), "server.serve_from_sub_path=true".to_owned()],
        ..grafana::Options::default()
    };
    let w = world::start_with(options).await;
    let below = match trial::door() {
        Some(Door::Provisioning) => "/team/grafana/api/",
        _ => "/team/grafana/",
    };
    w.proxy.only(below);
    let url = format!("{}/team/grafana", w.proxy.url());
    works_below(&w, &url, json!({})).await;
    let calls = w.proxy.requests();
    let outside = calls.filter(|call| !call.path.starts_with("/team/grafana/api"));
    assert!(!calls.is_empty() && outside.is_empty(), "{outside}");
    let link = w
        .api::<AlertRule>()
        .await
        .get("r")
        .await
        .expect("it is there")
        .status
        .and_then(|status| status.url);
    assert!(
        link.as_ref()
            .is_some_and(|link| link.starts_with(&format!("{url}/alerting/"))),
        "{link:?}"
    );
    goes_below(&w).await;
}

#[apply(any_release)]
async fn a_grafana_behind_a_gateway_and_a_proxy_gets_their_headers_and_a_changed_secret_at_once() {
    let w = world::start().await;
    let access = |value: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "access"}, "stringData": {"secret": value, "password": "of-proxy"}}).to_string()
    };
    w.plane.apply(&access("first-of-access"), &w.home).await;
    let key = |key: &str| json!({"secretKeyRef": {"name": "access", "key": key}});
    let more = json!({
        "headers": {"CF-Access-Client-Id": {"value": "operator"}, "CF-Access-Client-Secret": key("secret")},
        "proxyURL": w.proxy.url(), "proxyAuth": {"username": {"value": "u"}, "password": key("password")},
    });
    // Nobody but the proxy knows this name.
    works_below(&w, "http://grafana.invalid", more).await;
    let sent = |value: &str| {
        let calls = w.proxy.requests();
        let good = calls.filter(|call| {
            let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
            header("cf-access-client-id") == Some("operator")
                && header("cf-access-client-secret") == Some(value)
                && header("proxy-authorization") == Some("Basic dTpvZi1wcm94eQ==")
        });
        (calls.len(), good.len())
    };
    let (all, good) = sent("first-of-access");
    assert!(all > 0 && all == good, "{all} calls, {good} with all headers");
    w.plane.apply(&access("second-of-access"), &w.home).await;
    wait::until("the new secret is sent", SOON, async || {
        sent("second-of-access").1 > 0
    })
    .await;
    goes_below(&w).await;
    let told = [
        "get",
        "grafanainstances,events.events.k8s.io",
        "-n",
        &w.home,
        "-o",
        "yaml",
    ];
    let told = w.plane.kubectl(told).await.ok() + &w.operator.log();
    assert!(
        !told.contains("of-access") && !told.contains("of-proxy"),
        "a secret is told:\n{told}"
    );
}

/// Waits until the GrafanaInstance has this reason, with these words.
async fn says(w: &World, reason: &str, words: &str) {
    wait::until(&format!("the instance is {reason}: {words}"), SOON, async || {
        let conditions = instance(w).await.status.unwrap_or_default().conditions;
        let ready = conditions
            .into_iter()
            .find(|condition| condition.type_ == "Ready")?;
        (ready.reason == reason && ready.message.contains(words)).then_some(())
    })
    .await;
}

#[apply(any_release)]
async fn an_authority_in_a_config_map_is_trusted_from_when_it_is_there_and_what_waited_goes_on_at_once() {
    let w = world::start().await;
    let cluster = async |field: &str| {
        let path = format!("jsonpath={{.clusters[0].cluster.{field}}}");
        w.plane
            .kubectl(["config", "view", "--raw", "--flatten", "-o", &path])
            .await
            .ok()
    };
    let ca = STANDARD
        .decode(cluster("certificate-authority-data").await)
        .expect("base64");
    let bundle = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bundle"},
        "data": {"ca.crt": String::from_utf8(ca).expect("PEM")},
    });
    let (here, token) = (w.proxy.url(), w.grafana.token().await);
    let by_bundle = json!({"tls": {"ca": {"configMapKeyRef": {"name": "bundle", "key": "ca.crt"}}}});
    world::connect(w.plane, &w.home, &here, &token, by_bundle.clone()).await;
    says(&w, "DependencyMissing", "ConfigMap bundle is not there").await;
    w.put("AlertRule", "r", quiet()).await;
    w.reason::<AlertRule>("r", "DependencyMissing").await;
    w.plane.apply(&bundle.to_string(), &w.home).await;
    w.synced::<AlertRule>("r").await;
    // No Grafana, but a server whose certificate is of that authority.
    let there = cluster("server").await;
    world::connect(w.plane, &w.home, &there, "x", json!({})).await;
    says(&w, "Unavailable", "certificate").await;
    world::connect(w.plane, &w.home, &there, "x", by_bundle).await;
    says(&w, "Unauthorized", "401").await;
}

/// Gives the operator the right to see the labels of namespaces.
async fn may_see_namespaces(w: &World) {
    let name = format!("{}-namespaces", w.home);
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
        "rules": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list", "watch"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": format!("system:serviceaccounts:{}", w.home)}],
    });
    w.apply(&role.to_string()).await;
    w.apply(&binding.to_string()).await;
}

#[apply(any_release)]
async fn namespaces_that_are_chosen_by_their_labels_come_and_go_with_them_at_once() {
    let w = world::start().await;
    let token = w.grafana.token().await;
    let selector = json!({"allowedNamespaces": {"selector": {"matchLabels": {"grafana": w.home}}}});
    world::connect(w.plane, &w.home, &w.proxy.url(), &token, selector).await;
    w.put("AlertRule", "r", quiet()).await;
    w.reason::<AlertRule>("r", "Unavailable").await;
    assert!(w.message::<AlertRule>("r").await.contains("ClusterRoleBinding"));
    may_see_namespaces(&w).await;
    w.reason::<AlertRule>("r", "Invalid").await;
    assert!(
        w.message::<AlertRule>("r")
            .await
            .contains("allowedNamespaces.selector")
    );
    w.plane
        .kubectl(["label", "namespace", &w.ns, &format!("grafana={}", w.home)])
        .await
        .ok();
    w.synced::<AlertRule>("r").await;
    assert_rests(&w).await;
    w.plane
        .kubectl(["label", "namespace", &w.ns, "grafana-"])
        .await
        .ok();
    w.reason::<AlertRule>("r", "Invalid").await;
    // What is there stays until somebody decides, and a deletion takes it away.
    w.delete::<AlertRule>("r").await;
    assert_eq!(
        w.grafana.get("/api/v1/provisioning/alert-rules").await.ok(),
        json!([])
    );
}

/// Calls Grafana as its administrator, in an organisation.
pub async fn there(w: &World, organisation: i64, method: Method, path: &str, body: Option<Value>) -> Value {
    let (user, password) = w.grafana.admin();
    let request = http::client()
        .request(method, format!("{}{path}", w.grafana.url()))
        .header("X-Grafana-Org-Id", organisation)
        .basic_auth(user, Some(password));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer = request.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.expect("JSON")
}

/// The tree of a new organisation, which takes a moment.
pub async fn tree_of(w: &World, organisation: i64) -> Value {
    wait::until("the new organisation has a tree", SOON, async || {
        let (user, password) = w.grafana.admin();
        let request = http::client().get(format!("{}{POLICIES}", w.grafana.url()));
        let request = request
            .header("X-Grafana-Org-Id", organisation)
            .basic_auth(user, Some(password));
        let answer = request.send().await.ok()?.error_for_status().ok()?;
        answer.json::<Value>().await.ok()
    })
    .await
}

#[apply(any_release)]
async fn an_instance_whose_token_is_of_another_organisation_now_is_somewhere_else() {
    let mut w = world::start().await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    let made = there(&w, 1, Method::POST, "/api/orgs", Some(json!({"name": w.home}))).await;
    let id = made["orgId"].as_i64().expect("a number");
    let admin = json!({"name": "aw", "role": "Admin"});
    let account = there(&w, id, Method::POST, "/api/serviceaccounts", Some(admin)).await;
    let tokens = format!("/api/serviceaccounts/{}/tokens", account["id"]);
    let token = there(&w, id, Method::POST, &tokens, Some(json!({"name": "aw"}))).await;
    let mut theirs = tree_of(&w, id).await;
    theirs["routes"] = json!([{"receiver": theirs["receiver"], "object_matchers": [["a", "=", "b"]]}]);
    there(&w, id, Method::PUT, POLICIES, Some(theirs)).await;
    let theirs = there(&w, id, Method::GET, POLICIES, None).await;
    let token = token["key"].as_str().expect("a token");
    world::connect(w.plane, &w.home, &w.proxy.url(), token, json!({})).await;
    w.reason::<NotificationPolicy>("tree", "NotOwned").await;
    assert_eq!(there(&w, id, Method::GET, POLICIES, None).await, theirs);
    let status = instance(&w).await.status.unwrap_or_default();
    assert_eq!(
        (status.org_id, status.left_behind.len()),
        (Some(id), 1),
        "{status:?}"
    );
    w.operator.terminate().await;
    there(&w, 1, Method::DELETE, &format!("/api/orgs/{id}"), None).await;
}
