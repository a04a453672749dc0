//! What newer releases of Grafana do otherwise: folders come from an index, and endpoints are about to go.

use std::time::Duration;

use alertwright::api::{AlertRule, GrafanaInstance};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::trial::{self, Door};
use alertwright_testbed::{apply, every_release, since_12, since_13, wait};
use kube::Api;
use reqwest::StatusCode;
use serde_json::json;

use crate::alarm::{assert_rests, everything_to};
use crate::notification_policy::contact_point;
use crate::rules::{QUIET, quiet, resyncs, uid};
use crate::world::{self, SOON, World};

/// Where folders are listed without an index.
const FOLDERS: &str = "/apis/folder.grafana.app/";

/// Longer than any of these tests takes.
const NEVER: Duration = Duration::from_secs(600);

pub async fn instance(w: &World) -> GrafanaInstance {
    let api: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    api.get("default").await.expect("it is there")
}

/// Hides the API whose list of folders comes from no index.
fn only_the_older_api(w: &World) {
    w.proxy.fault(Fault::status(404).on("GET", FOLDERS));
}

#[apply(since_12)]
async fn a_folder_that_the_index_does_not_show_yet_is_made_once() {
    let mut w = world::start().await;
    only_the_older_api(&w);
    w.grafana.lag_the_index(NEVER).await;
    w.put("AlertRule", "r", quiet()).await;
    w.synced::<AlertRule>("r").await;
    assert_rests(&w).await;
    // A restart knows of the folder only what the index shows.
    w.proxy.reset();
    w.operator.restart().await.expect("the operator starts again");
    resyncs(&w, 3).await;
    let writes = w.proxy.requests().writes();
    assert!(writes.is_empty(), "a restart wrote:\n{writes}");
    w.put("AlertRule", "another", quiet()).await;
    w.synced::<AlertRule>("another").await;
    assert_eq!(in_folder(&w, "another").await, in_folder(&w, "r").await);
    assert_rests(&w).await;
}

async fn in_folder(w: &World, name: &str) -> String {
    let uid = uid(w, name).await;
    let rule = w.grafana.rule(&uid).await.expect("the rule is there");
    rule["folderUID"].as_str().expect("a folder").to_owned()
}

#[apply(since_12)]
async fn a_rule_whose_folder_has_gone_is_back_though_the_index_still_shows_the_folder() {
    let w = world::start().await;
    only_the_older_api(&w);
    w.put("AlertRule", "r", quiet()).await;
    let uid = uid(&w, "r").await;
    resyncs(&w, 2).await;
    w.grafana.lag_the_index(NEVER).await;
    let folder = in_folder(&w, "r").await;
    w.grafana
        .delete(&format!("/api/folders/{folder}?forceDeleteRules=true"))
        .await
        .ok();
    wait::until("the rule is back", SOON, async || {
        w.grafana.rule(&uid).await.is_some()
    })
    .await;
    w.synced::<AlertRule>("r").await;
}

#[apply(since_12)]
async fn rules_of_one_group_are_evaluated_again_in_their_folder_though_the_index_has_shown_it_all_the_while()
{
    const NAMES: [&str; 3] = ["a", "b", "c"];
    let w = world::start().await;
    only_the_older_api(&w);
    for name in NAMES {
        let spec = json!({"query": QUIET, "group": "together", "interval": "10s"});
        w.put("AlertRule", name, spec).await;
    }
    for name in NAMES {
        w.synced::<AlertRule>(name).await;
    }
    let folder = in_folder(&w, "a").await;
    w.grafana.lag_the_index(NEVER).await;
    w.grafana
        .delete(&format!("/api/folders/{folder}?forceDeleteRules=true"))
        .await
        .ok();
    // In a folder that isn't there Grafana stores rules as well, and evaluates none of them.
    wait::until("the folder is back", SOON, async || {
        let answer = w.grafana.get(&format!("/api/folders/{folder}")).await;
        (answer.status == StatusCode::OK).then_some(())
    })
    .await;
    for name in NAMES {
        wait::until(&format!("{name} is evaluated"), SOON, async || {
            let evaluated = w.grafana.evaluated(name).await?;
            let last = evaluated["lastEvaluation"].as_str()?;
            (!last.starts_with("0001")).then_some(())
        })
        .await;
        assert_eq!(in_folder(&w, name).await, folder);
    }
    assert_rests(&w).await;
}

#[apply(since_13)]
async fn a_rule_that_was_made_without_a_group_is_adopted_as_it_is_and_rests() {
    let w = world::start().await;
    w.put("AlertRule", "neighbour", quiet()).await;
    uid(&w, "neighbour").await;
    let folder = in_folder(&w, "neighbour").await;
    let version = if w.grafana.version().since(13, 3) {
        "v1beta1"
    } else {
        "v0alpha1"
    };
    let rule = json!({
        "metadata": {"name": "loner", "annotations": {"grafana.app/folder": folder}},
        "spec": {
            "title": "Loner", "trigger": {"interval": "1m"}, "noDataState": "Ok", "execErrState": "Error",
            "expressions": {"A": {"source": true, "model": {"type": "math", "expression": "1 == 0"}}},
        },
    });
    let kind = format!("/apis/rules.alerting.grafana.app/{version}/namespaces/default/alertrules");
    w.grafana.post(&kind, rule).await.ok();
    resyncs(&w, 1).await;
    w.proxy.reset();
    let adopting = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule",
        "metadata": {"name": "loner", "annotations": {"alerting.letsrevel.io/adopt": "true"}},
        "spec": {"query": QUIET, "uid": "loner", "group": "wished", "interval": "2m"},
    });
    w.apply(&adopting.to_string()).await;
    let object: AlertRule = w.synced("loner").await;
    assert_eq!(object.status.and_then(|status| status.group), None);
    let stored = w.grafana.rule("loner").await.expect("the rule is there");
    assert_eq!(stored["ruleGroup"], "no_group_for_rule_loner");
    assert_eq!(stored["title"], "loner");
    let group = format!("/api/v1/provisioning/folder/{folder}/rule-groups/no_group_for_rule_loner");
    assert_eq!(w.grafana.get(&group).await.ok()["interval"], 120);
    assert_eq!(w.proxy.requests().writes().len(), 2, "the rule, and its interval");
    assert_rests(&w).await;
}

#[apply(every_release)]
async fn what_grafana_will_take_away_stands_in_the_instance() {
    let w = world::start().await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<alertwright::api::NotificationPolicy>("tree").await;
    w.put("AlertRule", "r", json!({"query": QUIET})).await;
    w.synced::<AlertRule>("r").await;
    // The poll after tells the instance.
    resyncs(&w, 2).await;
    let version = w.grafana.version();
    let expected: &[&str] = match () {
        // What is there in its place is used.
        () if w.rules_by_apis() => &[],
        () if version.since(13, 1) => &["contact points", "policy", "rules"],
        () if version.since(13, 0) => &["rules"],
        () => &[],
    };
    wait::until(
        &format!("{expected:?} are said to be deprecated"),
        SOON,
        async || {
            let status = instance(&w).await.status.unwrap_or_default();
            let said = status.deprecated.iter();
            let concerns: Vec<_> = said
                .filter_map(|said| said.split_once(" (since 2026-").map(|(concern, _)| concern))
                .collect();
            let condition = status.conditions.iter().find(|c| c.type_ == "Deprecated");
            concerns == expected && condition.is_some() != expected.is_empty()
        },
    )
    .await;
    assert_rests(&w).await;
}

/// Which API is used for folders, as the instance says.
async fn api_of_folders(w: &World) -> Option<String> {
    let status = instance(w).await.status.unwrap_or_default();
    status.apis.get("folders").cloned()
}

#[apply(every_release)]
async fn each_concern_goes_through_the_api_that_is_there_and_asked_for() {
    let mut w = world::start().await;
    let version = w.grafana.version();
    let is_hidden = trial::door() == Some(Door::Provisioning);
    let expected = match () {
        () if is_hidden => "provisioning",
        () if version.since(13, 0) => "folder.grafana.app/v1",
        () if version.since(12, 0) => "folder.grafana.app/v1beta1",
        () => "provisioning",
    };
    w.put("AlertRule", "r", quiet()).await;
    w.synced::<AlertRule>("r").await;
    wait::until(&format!("folders through {expected}"), SOON, async || {
        api_of_folders(&w).await.as_deref() == Some(expected)
    })
    .await;
    assert_rests(&w).await;
    let calls = w.proxy.requests();
    let (newer, older) = (
        calls.of("GET", FOLDERS).len(),
        calls.of("GET", "/api/search").len(),
    );
    assert_eq!(
        (newer > 0, older > 0),
        (expected != "provisioning", expected == "provisioning"),
        "{calls}"
    );
    let rules = match () {
        () if !w.rules_by_apis() => "provisioning",
        () if version.since(13, 3) => "rules.alerting.grafana.app/v1beta1",
        () => "rules.alerting.grafana.app/v0alpha1",
    };
    let notifications = if w.notifications_by_apis() {
        "notifications.alerting.grafana.app/v1beta1"
    } else {
        "provisioning"
    };
    let metrics = w.operator.metrics().await;
    let status = instance(&w).await.status.unwrap_or_default();
    for (concern, expected) in [
        ("folders", expected),
        ("rules", rules),
        ("notifications", notifications),
    ] {
        assert_eq!(status.apis[concern], expected, "{concern}");
        let series = format!(
            r#"alertwright_grafana_api{{instance="default",concern="{concern}",api="{expected}"}} 1"#
        );
        assert!(metrics.contains(&series), "{series} is not in\n{metrics}");
    }
    w.proxy.reset();
    w.operator.restart().await.expect("the operator starts again");
    resyncs(&w, 3).await;
    let writes = w.proxy.requests().writes();
    assert!(writes.is_empty(), "a restart wrote:\n{writes}");
}

#[apply(since_12)]
async fn where_the_newer_api_is_refused_the_older_one_goes_on_and_the_instance_says_so() {
    let w = world::start().await;
    w.put("AlertRule", "r", quiet()).await;
    w.synced::<AlertRule>("r").await;
    wait::until("folders through the newer api", SOON, async || {
        api_of_folders(&w).await.is_some_and(|api| api != "provisioning")
    })
    .await;
    w.proxy.fault(Fault::status(403).on("GET", FOLDERS));
    wait::until("the fallback is told", SOON, async || {
        let status = instance(&w).await.status.unwrap_or_default();
        let told = status
            .conditions
            .iter()
            .any(|c| c.type_ == "APIFallback" && c.message.contains("folders:read"));
        told && status.apis["folders"] == "provisioning" && status.reachable == Some(true)
    })
    .await;
    assert_rests(&w).await;
    w.put("AlertRule", "another", quiet()).await;
    w.synced::<AlertRule>("another").await;
}
