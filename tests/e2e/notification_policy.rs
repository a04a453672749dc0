//! NotificationPolicies: what the tree says, and what it waits for.

use std::time::Duration;

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::control_plane::Watch;
use alertwright_testbed::{any_release, apply, every_release, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::addresses::BULK_READ;
use crate::alarm::{annotate, assert_rests, everything_to};
use crate::world::{self, SOON, World};

/// The tree's address.
pub const POLICIES: &str = "/api/v1/provisioning/policies";

/// A contact point that is stored.
pub async fn contact_point(w: &World, name: &str) {
    w.put(
        "ContactPoint",
        name,
        json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]}),
    )
    .await;
    w.synced::<ContactPoint>(name).await;
}

/// Makes a tree with a route as a person does in the web frontend, and gives what Grafana says of it.
pub async fn foreign_tree(w: &World) -> Value {
    let point = json!({"name": "foreign", "type": "email", "settings": {"addresses": "foreign@example.com"}});
    w.grafana
        .write_as_frontend(Method::POST, "/api/v1/provisioning/contact-points", point)
        .await
        .ok();
    let nights = json!({"name": "nights", "time_intervals": [{"times": [{"start_time": "22:00", "end_time": "24:00"}]}]});
    w.grafana
        .write_as_frontend(Method::POST, "/api/v1/provisioning/mute-timings", nights)
        .await
        .ok();
    let route = json!({
        "receiver": "foreign", "object_matchers": [["a", "=", "b"]], "continue": true, "mute_time_intervals": ["nights"],
    });
    let tree = json!({"receiver": "foreign", "group_by": ["alertname"], "routes": [route]});
    w.grafana
        .write_as_frontend(Method::PUT, POLICIES, tree)
        .await
        .ok();
    w.grafana.policy_tree().await
}

/// The tree in Grafana without the mark of ours, which must be the first of its routes.
pub async fn own_tree(w: &World) -> Value {
    let mut tree = w.grafana.policy_tree().await;
    let routes = tree["routes"].as_array_mut().expect("a tree of ours has routes");
    let mark = routes.remove(0);
    let whose = mark["object_matchers"][0][2]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(whose.starts_with(&format!("{}/", w.home)), "{mark}");
    let impossible = json!([
        ["__alertwright_tree__", "=", whose],
        ["__alertwright_tree__", "!=", whose]
    ]);
    assert_eq!(
        mark,
        json!({"receiver": tree["receiver"], "object_matchers": impossible})
    );
    if tree["routes"] == json!([]) {
        tree.as_object_mut().expect("a tree").remove("routes");
    }
    tree
}

/// Waits until the tree in Grafana has a value there.
async fn becomes(w: &World, what: &str, pointer: &str, value: Value) {
    wait::until(what, SOON, async || {
        let tree = w.grafana.policy_tree().await;
        if tree.pointer(pointer) == Some(&value) {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&tree)
        }
    })
    .await;
}

/// What kubectl says about a specification that the API server must refuse.
async fn refusal(w: &World, spec: Value) -> String {
    let object = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy", "metadata": {"name": "refused"}, "spec": spec,
    });
    w.plane
        .kubectl_with_input(["apply", "-n", &w.ns, "-f", "-"], &object.to_string())
        .await
        .refused()
}

#[apply(every_release)]
async fn a_tree_is_written_once_changed_corrected_and_taken_away() {
    let w = world::start().await;
    let fresh = w.grafana.policy_tree().await;
    for name in ["first", "second"] {
        contact_point(&w, name).await;
    }
    w.proxy.reset();
    let spec = json!({
        "receiver": "first", "groupBy": ["alertname", "cluster"], "groupWait": "10s", "groupInterval": "1m", "repeatInterval": "1d12h",
        "routes": [
            {"matchers": ["severity=\"critical\"", "team=~\"a|b\""], "continue": true, "groupBy": ["..."]},
            {"receiver": "second", "matchers": ["x!=y"], "repeatInterval": "24h"},
        ],
    });
    w.put("NotificationPolicy", "tree", spec.clone()).await;
    let status = w
        .synced::<NotificationPolicy>("tree")
        .await
        .status
        .unwrap_or_default();
    assert_eq!(
        (status.receiver.as_deref(), status.routes),
        (Some("first"), Some(2))
    );
    let calls = w.proxy.reset();
    assert_eq!(
        (calls.of("PUT", w.tree_at()).len(), calls.writes().len()),
        (1, 1),
        "{calls}"
    );
    let written = json!({
        "receiver": "first", "group_by": ["alertname", "cluster"], "group_wait": "10s", "group_interval": "1m", "repeat_interval": "1d12h",
        "provenance": "api",
        "routes": [
            {"receiver": "first", "object_matchers": [["severity", "=", "critical"], ["team", "=~", "a|b"]], "continue": true, "group_by": ["..."]},
            {"receiver": "second", "object_matchers": [["x", "!=", "y"]], "repeat_interval": "1d"},
        ],
    });
    assert_eq!(own_tree(&w).await, written);
    assert_rests(&w).await;

    w.put("NotificationPolicy", "tree", json!({"receiver": "second"}))
        .await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await["receiver"], "second");
    w.put("NotificationPolicy", "tree", spec).await;
    w.synced::<NotificationPolicy>("tree").await;

    // A person edits it, then resets it: both are corrected, provenance included.
    let edited = json!({"receiver": "second"});
    let answer = w
        .grafana
        .write_as_frontend(Method::PUT, POLICIES, edited.clone())
        .await;
    // Since 11.2 what is provisioned can't be edited in the frontend, but still by the API.
    if w.grafana.version().since(11, 2) {
        assert_eq!(answer.status, 403, "{}", answer.body);
        w.grafana.put(POLICIES, edited).await.ok();
    } else {
        answer.ok();
    }
    becomes(&w, "the edited tree is corrected", "/receiver", json!("first")).await;
    becomes(&w, "it is provisioned again", "/provenance", json!("api")).await;
    w.grafana.delete(POLICIES).await.ok();
    becomes(
        &w,
        "the deleted tree is back",
        "/routes/2/receiver",
        json!("second"),
    )
    .await;

    w.delete::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await, fresh);
}

#[apply(every_release)]
async fn a_pass_at_rest_makes_no_call_also_after_a_restart() {
    let mut w = world::start().await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    let passes = r#"alertwright_reconciles_total{kind="NotificationPolicy",outcome="done"}"#;
    // A status is there a moment before the pass that wrote it has ended and is counted.
    wait::until("the first pass is counted", SOON, async || {
        w.operator.metric(passes).await.is_some()
    })
    .await;
    let before = w.operator.metric(passes).await;
    w.proxy.reset();
    annotate(&w, "notificationpolicy", "tree", "example.com/nothing=1").await;
    wait::until("a pass", SOON, async || w.operator.metric(passes).await > before).await;
    // What was called since is what the poller reads: the single reads of a pass are not among it.
    let calls = w.proxy.reset();
    assert!(
        calls.writes().is_empty()
            && calls.of("GET", "?name=").is_empty()
            && calls.of("GET", "/receivers/").is_empty(),
        "{calls}"
    );
    let polls = calls.of("GET", BULK_READ).len();
    let tree = if w.notifications_by_apis() {
        "/routingtrees"
    } else {
        POLICIES
    };
    assert!(calls.of("GET", tree).len() <= polls + 1, "{calls}");

    w.operator.restart().await.expect("it starts again");
    assert_rests(&w).await;
}

#[apply(any_release)]
async fn a_tree_waits_for_its_receivers_and_grafana_keeps_the_old_one_meanwhile() {
    let w = world::start().await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    let before = w.grafana.policy_tree().await;
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "team", "routes": [{"receiver": "late", "matchers": ["a=b"]}]}),
    )
    .await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
    let message = w.message::<NotificationPolicy>("tree").await;
    assert!(
        message.contains("spec.routes[0].receiver") && message.contains(&format!("{}/late", w.ns)),
        "{message}"
    );
    assert_eq!(w.grafana.policy_tree().await, before);
    let created = std::time::Instant::now();
    contact_point(&w, "late").await;
    w.synced::<NotificationPolicy>("tree").await;
    // It is told, it doesn't wait for its next look in 30 s.
    assert!(
        created.elapsed() < Duration::from_secs(20),
        "{:?}",
        created.elapsed()
    );
    assert_eq!(own_tree(&w).await["routes"][0]["receiver"], "late");
}

#[apply(any_release)]
async fn a_receiver_of_another_namespace_must_be_shared_with_the_policys() {
    let mut w = world::start().await;
    let fresh = w.grafana.policy_tree().await["receiver"].clone();
    let other = w.plane.namespace("other").await;
    // A RoleBinding would go with its namespace, and the right to let go of what is in it with the RoleBinding.
    w.kubeconfig = w.plane.operator_account(&w.home, Watch::All).await;
    w.operator.terminate().await;
    w.operator = world::operator(&w.home, &format!("{},{other}", w.ns), &w.kubeconfig)
        .start()
        .await
        .expect("the operator starts");
    let point = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "ContactPoint", "metadata": {"name": "theirs"},
        "spec": {"name": "Theirs", "integrations": [{"email": {"addresses": ["t@example.com"]}}]},
    });
    w.plane.apply(&point.to_string(), &other).await;
    let theirs = json!({"receiverRef": {"name": "theirs", "namespace": other}});
    w.put("NotificationPolicy", "tree", theirs.clone()).await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
    wait::until("the contact point is stored", SOON, async || {
        !w.grafana.contact_point("Theirs").await.is_empty()
    })
    .await;
    // Nor by the back door of its name in Grafana.
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiverRef": {"grafanaName": "Theirs"}}),
    )
    .await;
    w.reason::<NotificationPolicy>("tree", "Invalid").await;
    w.put("NotificationPolicy", "tree", theirs).await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
    assert!(
        w.message::<NotificationPolicy>("tree")
            .await
            .contains("alerting.letsrevel.io/shared-with")
    );
    let shared = format!("alerting.letsrevel.io/shared-with=x, {}", w.ns);
    let at = std::time::Instant::now();
    w.plane
        .kubectl(["annotate", "contactpoint", "theirs", "-n", &other, &shared])
        .await
        .ok();
    w.synced::<NotificationPolicy>("tree").await;
    assert!(at.elapsed() < Duration::from_secs(20), "{:?}", at.elapsed());
    assert_eq!(w.grafana.policy_tree().await["receiver"], "Theirs");

    // The namespace goes, though the tree refers to what is in it: a route's parent, or the tree that was there before, steps in.
    w.plane
        .kubectl(["delete", "namespace", &other, "--timeout=60s"])
        .await
        .ok();
    assert!(w.grafana.contact_point("Theirs").await.is_empty());
    assert_eq!(w.grafana.policy_tree().await["receiver"], fresh);
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
}

#[apply(any_release)]
async fn a_contact_point_that_is_no_resource_is_referred_to_by_its_name_in_grafana() {
    let w = world::start().await;
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiverRef": {"grafanaName": "foreign"}}),
    )
    .await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;
    let point = json!({"name": "foreign", "type": "email", "settings": {"addresses": "foreign@example.com"}});
    w.grafana
        .post("/api/v1/provisioning/contact-points", point)
        .await
        .ok();
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await["receiver"], "foreign");
}

#[apply(any_release)]
async fn routes_nest_five_levels_deep_each_with_its_receiver_and_no_deeper() {
    let w = world::start().await;
    for name in ["team", "leaf"] {
        contact_point(&w, name).await;
    }
    let nested = |depth: usize, leaf: Value| {
        (1..depth).rev().fold(
            leaf,
            |below, level| json!({"matchers": [format!("l{level}=x")], "routes": [below]}),
        )
    };
    let leaf = json!({"receiver": "leaf", "matchers": ["leaf=x"]});
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "team", "routes": [nested(5, leaf.clone())]}),
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    let mut route = own_tree(&w).await;
    for level in 1..=5 {
        route = route["routes"][0].clone();
        assert_eq!(
            route["receiver"],
            if level == 5 { "leaf" } else { "team" },
            "level {level}"
        );
    }
    assert_rests(&w).await;
    // A schema can't say this in words.
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "team", "routes": [nested(6, leaf)]}),
    )
    .await;
    w.reason::<NotificationPolicy>("tree", "Invalid").await;
    let message = w.message::<NotificationPolicy>("tree").await;
    assert!(
        message.contains("routes can be nested 5 levels deep"),
        "{message}"
    );
}

#[apply(any_release)]
async fn mistakes_are_refused_when_they_are_applied() {
    let w = world::start().await;
    let route = |route: Value| json!({"receiver": "team", "routes": [route]});
    let cases = [
        (
            json!({"receiver": "a", "receiverRef": {"name": "b"}}),
            "exactly one of receiver and receiverRef",
        ),
        (
            json!({"receiverRef": {"name": "b", "grafanaName": "c"}}),
            "exactly one of name and grafanaName",
        ),
        (
            json!({"receiver": "a", "groupWait": "5 minutes"}),
            "spec.groupWait",
        ),
        (
            json!({"receiver": "a", "repeatInterval": "1.5h"}),
            "spec.repeatInterval",
        ),
        (
            route(json!({"groupInterval": "x"})),
            "spec.routes[0].groupInterval",
        ),
        (
            route(json!({"receiver": "a", "receiverRef": {"name": "b"}})),
            "receiver or receiverRef, not both",
        ),
    ];
    for (spec, expected) in cases {
        let said = refusal(&w, spec.clone()).await;
        assert!(said.contains(expected), "{spec}: {said}");
    }
}

#[apply(any_release)]
async fn a_mistake_that_a_schema_cannot_put_in_words_is_told_with_its_place_before_anything_is_written() {
    let w = world::start().await;
    let route = |route: Value| json!({"receiver": "team", "routes": [route]});
    // The schema looks at the matchers of the first routes alone: more would cost the API server too much.
    let below = |matchers: Value| route(json!({"routes": [{"matchers": matchers}]}));
    let deep = json!({"receiver": "a", "receiverRef": {"name": "b"}});
    let cases = [
        (below(json!(["severity"])), "spec.routes[0].routes[0].matchers[0]"),
        (
            below(json!(["severity==high"])),
            "spec.routes[0].routes[0].matchers[0]",
        ),
        (
            below(json!(["a=b", "a=~\"b"])),
            "spec.routes[0].routes[0].matchers[1]",
        ),
        (below(json!(["=x"])), "spec.routes[0].routes[0].matchers[0]"),
        (
            route(json!({"routes": [{"routes": [{"routes": [deep]}]}]})),
            "give receiver or receiverRef, not both",
        ),
    ];
    w.proxy.reset();
    for (spec, expected) in cases {
        w.put("NotificationPolicy", "told", spec.clone()).await;
        w.reason::<NotificationPolicy>("told", "Invalid").await;
        let said = w.message::<NotificationPolicy>("told").await;
        assert!(said.contains(expected), "{spec}: {said}");
    }
    let calls = w.proxy.requests();
    assert_eq!(calls.writes().len(), 0, "{calls}");
}
