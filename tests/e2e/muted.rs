//! Routes and rules that are muted or active in time intervals, and time intervals that they name.

use alertwright::api::{AlertRule, ContactPoint, NotificationPolicy, TimeInterval};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::grafana::{Options, Version};
use alertwright_testbed::{any_release, apply, every_release, wait};
use kube::api::DeleteParams;
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::assert_rests;
use crate::rules::{QUIET, in_grafana, merge};
use crate::world::{self, SOON, World};

const TIMINGS: &str = "/api/v1/provisioning/mute-timings";

fn days(days: &[&str]) -> Value {
    json!({"timeIntervals": [{"weekdays": days}]})
}

/// A tree with one route of this.
fn tree(route: Value) -> Value {
    let mut route = route;
    route["matchers"] = json!(["team=web"]);
    json!({"receiver": "team", "routes": [route]})
}

async fn with_contact_point() -> World {
    let w = world::start().await;
    let mail = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    w.put("ContactPoint", "team", mail).await;
    w.synced::<ContactPoint>("team").await;
    w
}

/// The time intervals that our one route names in Grafana.
async fn named(w: &World, field: &str) -> Value {
    let tree = w.grafana.policy_tree().await;
    let routes = tree["routes"].as_array().cloned().unwrap_or_default();
    let ours = routes
        .into_iter()
        .find(|route| route["object_matchers"] == json!([["team", "=", "web"]]));
    ours.map(|route| route[field].clone()).unwrap_or_default()
}

async fn names(w: &World) -> Vec<String> {
    let found = w.grafana.mute_timings().await;
    let names = found.iter().filter_map(|timing| timing["name"].as_str());
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names
}

#[apply(every_release)]
async fn a_route_waits_for_its_time_interval_and_the_time_interval_for_its_route() {
    let w = with_contact_point().await;
    w.put(
        "NotificationPolicy",
        "tree",
        tree(json!({"muteTimeIntervals": ["nights"]})),
    )
    .await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
    let message = w.message::<NotificationPolicy>("tree").await;
    assert_eq!(
        message,
        format!(
            "spec.routes[0].muteTimeIntervals[0]: TimeInterval {}/nights is not there; create it",
            w.ns
        )
    );
    w.put("TimeInterval", "nights", days(&["sunday"])).await;
    w.synced::<TimeInterval>("nights").await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(named(&w, "mute_time_intervals").await, json!(["nights"]));
    assert_rests(&w).await;

    let api = w.api::<TimeInterval>().await;
    api.delete("nights", &DeleteParams::default())
        .await
        .expect("it can be asked for");
    let waiting = format!("NotificationPolicy {}/tree still refers to it", w.ns);
    wait::until("the deletion waits and says for whom", SOON, async || {
        let message = w.message::<TimeInterval>("nights").await;
        if message.contains(&waiting) {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&message)
        }
    })
    .await;
    w.reason::<TimeInterval>("nights", "InUse").await;
    assert_eq!(names(&w).await, ["nights"]);
    w.put("NotificationPolicy", "tree", tree(json!({}))).await;
    wait::until("the time interval is gone", SOON, async || {
        api.get_opt("nights").await.is_ok_and(|found| found.is_none())
    })
    .await;
    assert_eq!(names(&w).await, Vec::<String>::new());
    assert_rests(&w).await;
}

#[apply(every_release)]
async fn a_time_interval_that_a_route_names_gets_another_name_without_a_gap() {
    let w = with_contact_point().await;
    w.put("TimeInterval", "nights", days(&["sunday"])).await;
    w.put(
        "NotificationPolicy",
        "tree",
        tree(json!({"muteTimeIntervals": ["nights"]})),
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    let mut renamed = days(&["sunday"]);
    renamed["name"] = json!("At night");
    w.put("TimeInterval", "nights", renamed).await;
    w.synced::<TimeInterval>("nights").await;
    wait::until(
        "the route names it anew, and the former one is gone",
        SOON,
        async || {
            let seen = (named(&w, "mute_time_intervals").await, names(&w).await);
            if seen == (json!(["At night"]), vec!["At night".to_owned()]) {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(&seen)
            }
        },
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_rests(&w).await;
}

#[apply(every_release)]
async fn a_route_is_active_in_a_time_interval_that_people_have_made_where_grafana_has_such() {
    let w = with_contact_point().await;
    let office = json!({"name": "office", "time_intervals": [{"weekdays": ["monday:friday"]}]});
    w.grafana
        .write_as_frontend(Method::POST, TIMINGS, office)
        .await
        .ok();
    let active = tree(json!({"activeTimeIntervalRefs": [{"grafanaName": "office"}]}));
    w.put("NotificationPolicy", "tree", active).await;
    if !w.grafana.version().since(12, 1) {
        w.reason::<NotificationPolicy>("tree", "Unsupported").await;
        let message = w.message::<NotificationPolicy>("tree").await;
        assert!(
            message.starts_with("spec.routes[0].activeTimeIntervalRefs needs Grafana 12.1"),
            "{message}"
        );
        return;
    }
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(named(&w, "active_time_intervals").await, json!(["office"]));
    assert_rests(&w).await;
    let gone = tree(json!({"muteTimeIntervalRefs": [{"grafanaName": "gone"}]}));
    w.put("NotificationPolicy", "tree", gone).await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
    let message = w.message::<NotificationPolicy>("tree").await;
    assert!(message.contains("Grafana has no time interval gone"), "{message}");
    assert_eq!(
        named(&w, "active_time_intervals").await,
        json!(["office"]),
        "the tree stays"
    );
}

#[apply(every_release)]
async fn a_rule_with_a_contact_point_of_its_own_is_muted_and_active_in_time_intervals_as_a_route_is() {
    let w = world::start_with(Options {
        settings: vec!["feature_toggles.enable=alertingSimplifiedRouting".to_owned()],
        ..Options::default()
    })
    .await;
    if w.grafana.version() < Version::new(10, 4, 0) {
        // Rules have no contact points there, and that is said of the whole.
        return;
    }
    let mail = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    w.put("ContactPoint", "team", mail).await;
    w.synced::<ContactPoint>("team").await;
    let settings = |more: Value| {
        let mut settings = json!({"receiver": "team"});
        for (field, value) in more.as_object().expect("fields") {
            settings[field] = value.clone();
        }
        json!({"query": QUIET, "notificationSettings": settings})
    };
    let muted = || settings(json!({"muteTimeIntervals": ["nights"]}));
    w.put("AlertRule", "r", muted()).await;
    w.reason::<AlertRule>("r", "DependencyMissing").await;
    let message = w.message::<AlertRule>("r").await;
    let expected = format!(
        "spec.notificationSettings.muteTimeIntervals[0]: TimeInterval {}/nights is not there; create it",
        w.ns
    );
    assert_eq!(message, expected);
    w.put("TimeInterval", "nights", days(&["sunday"])).await;
    let named = async |field: &str| in_grafana(&w, "r").await["notification_settings"][field].clone();
    assert_eq!(named("mute_time_intervals").await, json!(["nights"]));
    assert_rests(&w).await;

    // Another name, without a gap.
    let mut renamed = days(&["sunday"]);
    renamed["name"] = json!("At night");
    w.put("TimeInterval", "nights", renamed).await;
    wait::until(
        "the rule names it anew, and the former one is gone",
        SOON,
        async || {
            let seen = (named("mute_time_intervals").await, names(&w).await);
            if seen == (json!(["At night"]), vec!["At night".to_owned()]) {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(&seen)
            }
        },
    )
    .await;

    // What somebody takes out in Grafana is put right, and its deletion waits for the rule.
    let mut edited = in_grafana(&w, "r").await;
    edited["notification_settings"] = json!({"receiver": "team"});
    let uid = edited["uid"].as_str().expect("a uid").to_owned();
    let path = format!("/api/v1/provisioning/alert-rules/{uid}");
    w.grafana.put(&path, edited).await.ok();
    wait::until("it is named again", SOON, async || {
        named("mute_time_intervals").await == json!(["At night"])
    })
    .await;
    let api = w.api::<TimeInterval>().await;
    api.delete("nights", &DeleteParams::default())
        .await
        .expect("it can be asked for");
    w.reason::<TimeInterval>("nights", "InUse").await;
    let message = w.message::<TimeInterval>("nights").await;
    let waiting = format!("AlertRule {}/r still refers to it", w.ns);
    assert!(message.contains(&waiting), "{message}");
    merge(
        &w,
        "r",
        json!({"spec": {"notificationSettings": {"muteTimeIntervals": null}}}),
    )
    .await;
    wait::until("the time interval is gone", SOON, async || {
        api.get_opt("nights").await.is_ok_and(|found| found.is_none())
    })
    .await;
    assert_eq!(names(&w).await, Vec::<String>::new());
    assert_eq!(named("mute_time_intervals").await, Value::Null);

    let office = json!({"name": "office", "time_intervals": [{"weekdays": ["monday:friday"]}]});
    w.grafana
        .write_as_frontend(Method::POST, TIMINGS, office)
        .await
        .ok();
    let active = settings(json!({"activeTimeIntervalRefs": [{"grafanaName": "office"}]}));
    w.put("AlertRule", "r", active).await;
    if w.grafana.version().since(12, 1) {
        w.synced::<AlertRule>("r").await;
        assert_eq!(named("active_time_intervals").await, json!(["office"]));
        assert_rests(&w).await;
        return;
    }
    w.reason::<AlertRule>("r", "Unsupported").await;
    let message = w.message::<AlertRule>("r").await;
    assert!(
        message.starts_with("spec.notificationSettings.activeTimeIntervalRefs needs Grafana 12.1"),
        "{message}"
    );
}

#[apply(any_release)]
async fn a_time_interval_of_another_namespace_is_named_where_its_owner_shares_it() {
    let mut w = with_contact_point().await;
    let other = w.plane.namespace("ops").await;
    // A RoleBinding would go with its namespace, and the right to let go of what is in it with the RoleBinding.
    w.kubeconfig = w.plane.operator_account(&w.home, Watch::All).await;
    w.operator.terminate().await;
    w.operator = world::operator(&w.home, &format!("{},{other}", w.ns), &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    let interval = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "TimeInterval", "metadata": {"name": "nights"},
        "spec": {"name": "Nights", "timeIntervals": [{"weekdays": ["sunday"]}]},
    });
    w.plane.apply(&interval.to_string(), &other).await;
    let theirs = tree(json!({"muteTimeIntervalRefs": [{"name": "nights", "namespace": other}]}));
    w.put("NotificationPolicy", "tree", theirs.clone()).await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
    wait::until("it is stored", SOON, async || names(&w).await == ["Nights"]).await;
    // Nor by the back door of its name in Grafana.
    let by_name = tree(json!({"muteTimeIntervalRefs": [{"grafanaName": "Nights"}]}));
    w.put("NotificationPolicy", "tree", by_name).await;
    w.reason::<NotificationPolicy>("tree", "Invalid").await;
    w.put("NotificationPolicy", "tree", theirs).await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
    let message = w.message::<NotificationPolicy>("tree").await;
    assert!(message.contains("alerting.letsrevel.io/shared-with"), "{message}");
    let shared = format!("alerting.letsrevel.io/shared-with=x, {}", w.ns);
    w.plane
        .kubectl(["annotate", "timeinterval", "nights", "-n", &other, &shared])
        .await
        .ok();
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(named(&w, "mute_time_intervals").await, json!(["Nights"]));
    // The namespace goes. What somebody else's tree names stays in Grafana, and so nobody is woken for it.
    w.plane
        .kubectl(["delete", "namespace", &other, "--timeout=60s"])
        .await
        .ok();
    assert_eq!(names(&w).await, ["Nights"]);
    assert_eq!(named(&w, "mute_time_intervals").await, json!(["Nights"]));
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
}

#[apply(every_release)]
async fn time_intervals_of_a_namespace_go_with_it_and_with_the_tree_that_names_them() {
    let w = with_contact_point().await;
    // A RoleBinding would go with its namespace, and the right to let go of what is in it with the RoleBinding.
    w.plane.operator_account(&w.home, Watch::All).await;
    w.put("TimeInterval", "nights", days(&["sunday"])).await;
    w.put(
        "NotificationPolicy",
        "tree",
        tree(json!({"muteTimeIntervals": ["nights"]})),
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    w.plane
        .kubectl(["delete", "namespace", &w.ns, "--timeout=90s"])
        .await
        .ok();
    assert_eq!(names(&w).await, Vec::<String>::new());
}

#[apply(every_release)]
async fn what_is_ours_stays_ours_over_a_restart_of_the_operator() {
    let mut w = with_contact_point().await;
    w.put("TimeInterval", "nights", days(&["sunday"])).await;
    w.synced::<TimeInterval>("nights").await;
    w.operator.terminate().await;
    let changed = json!({"name": "nights", "time_intervals": [{"weekdays": ["monday"]}]});
    w.grafana.put(&format!("{TIMINGS}/nights"), changed).await.ok();
    w.operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    wait::until("it is put right", SOON, async || {
        let found = w.grafana.mute_timings().await;
        if found[0]["time_intervals"][0]["weekdays"] == json!(["sunday"]) {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&found)
        }
    })
    .await;
    w.delete::<TimeInterval>("nights").await;
    assert_eq!(names(&w).await, Vec::<String>::new());
}
