//! The operator changes from one of Grafana's APIs to the other: by itself, because it is asked to, or because it must.

use std::collections::BTreeMap;

use alertwright::api::{AlertRule, ContactPoint, GrafanaInstance, NotificationPolicy};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::{apply, since_13, wait};
use serde_json::{Value, json};

use crate::alarm::{assert_rests, everything_to, resyncs};
use crate::notification_policy::contact_point;
use crate::rules::{QUIET, in_grafana, quiet, uid};
use crate::versions::instance;
use crate::world::{self, SOON, World};

const NOTIFICATIONS: &str = "/apis/notifications.alerting.grafana.app/v1beta1/namespaces/";

/// The group that Grafana shows for each rule, by title.
pub async fn groups(w: &World) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rules = w.grafana.rules().await;
    let groups = rules
        .iter()
        .map(|rule| (text(&rule["grafana_alert"]["title"]), text(&rule["group"])));
    groups.collect()
}

pub fn is_ungrouped(group: &str) -> bool {
    group.starts_with("no_group_for_rule_")
}

/// Merges into the instance's specification.
pub async fn set(w: &World, spec: Value) {
    let patch = json!({"spec": spec}).to_string();
    let args = [
        "patch",
        "ginst",
        "default",
        "--type=merge",
        "-p",
        &patch,
        "-n",
        &w.home,
    ];
    w.plane.kubectl(args).await.ok();
}

/// Waits until a concern goes through an API, whose name begins so, and until nothing is said any more of a change.
pub async fn goes_through(w: &World, concern: &str, api: &str) -> GrafanaInstance {
    wait::until(&format!("{concern} go through {api}"), 2 * SOON, async || {
        let instance = instance(w).await;
        let status = instance.status.clone()?;
        let is_changing = status.conditions.iter().any(|c| c.type_ == "RuleAPIChange");
        (status.apis.get(concern)?.starts_with(api) && !is_changing).then_some(instance)
    })
    .await
}

/// The message of a condition of the instance.
pub async fn said(w: &World, type_: &str) -> Option<String> {
    let status = instance(w).await.status?;
    let condition = status.conditions.into_iter().find(|c| c.type_ == type_)?;
    Some(condition.message)
}

/// The notes of the events of a change.
pub async fn changes(w: &World) -> usize {
    let path = "jsonpath={range .items[?(@.reason==\"RuleAPIChange\")]}{.note}{\"\\n\"}{end}";
    let args = ["get", "events.events.k8s.io", "-n", &w.home, "-o", path];
    w.plane.kubectl(args).await.ok().lines().count()
}

fn assert_no_writes(w: &World, when: &str) {
    let writes = w.proxy.requests().writes();
    assert!(writes.is_empty(), "{when}, these were written:\n{writes}");
}

#[apply(since_13)]
async fn rules_change_their_api_as_asked_told_before_and_without_a_write() {
    let mut w = world::start().await;
    let spec = json!({"query": QUIET, "group": "shared", "for": "2m", "labels": {"team": "a"}, "noDataState": "NoData"});
    w.put("AlertRule", "grouped", spec.clone()).await;
    uid(&w, "grouped").await;
    goes_through(&w, "rules", "provisioning").await;
    w.proxy.reset();
    set(&w, json!({"ruleAPI": "Platform"})).await;
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    assert_eq!(changes(&w).await, 1);
    resyncs(&w, 2).await;
    assert_no_writes(&w, "when rules changed to the newer API");

    // What is made there has no group, and what was there keeps its own, also when it changes.
    w.put("AlertRule", "ungrouped", spec).await;
    uid(&w, "ungrouped").await;
    let changed = json!({"query": QUIET, "group": "shared", "for": "3m"});
    w.put("AlertRule", "grouped", changed).await;
    assert_eq!(in_grafana(&w, "grouped").await["for"], "3m");
    let found = groups(&w).await;
    assert_eq!(found["grouped"], "shared");
    assert!(is_ungrouped(&found["ungrouped"]), "{found:?}");
    assert_rests(&w).await;
    w.operator.restart().await.expect("it starts again");
    assert_rests(&w).await;
    assert_eq!(changes(&w).await, 1, "a restart changes nothing");

    w.proxy.reset();
    set(&w, json!({"ruleAPI": null})).await;
    goes_through(&w, "rules", "provisioning").await;
    resyncs(&w, 2).await;
    assert_no_writes(&w, "when rules changed to the older API");
    assert_eq!(groups(&w).await, found);
    let changed = json!({"query": QUIET, "group": "shared", "for": "4m"});
    w.put("AlertRule", "ungrouped", changed).await;
    assert_eq!(in_grafana(&w, "ungrouped").await["for"], "4m");
    w.put("AlertRule", "new", quiet()).await;
    uid(&w, "new").await;
    let found = groups(&w).await;
    assert!(is_ungrouped(&found["ungrouped"]), "{found:?}");
    assert_eq!(found["new"], "new");
    assert_rests(&w).await;
}

#[apply(since_13)]
async fn where_the_provisioning_api_of_rules_is_gone_the_newer_one_is_taken_and_that_is_told() {
    let mut w = world::start().await;
    w.put("AlertRule", "old", quiet()).await;
    uid(&w, "old").await;
    goes_through(&w, "rules", "provisioning").await;
    w.proxy.reset();
    for path in ["/api/v1/provisioning/", "/api/ruler/"] {
        w.proxy.fault(Fault::status(404).on_path(path));
    }
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    assert_eq!(changes(&w).await, 1);
    w.reason::<AlertRule>("old", "Synced").await;
    resyncs(&w, 2).await;
    assert_no_writes(&w, "when the older API had gone");
    w.put("AlertRule", "new", quiet()).await;
    uid(&w, "new").await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_rests(&w).await;
    w.operator.restart().await.expect("it starts again");
    assert_rests(&w).await;
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    w.delete::<AlertRule>("old").await;
    w.delete::<AlertRule>("new").await;
    assert_eq!(groups(&w).await, BTreeMap::new());
    assert_eq!(changes(&w).await, 1);
}

#[apply(since_13)]
async fn where_the_older_api_lists_rules_and_writes_none_any_more_the_newer_one_is_taken() {
    let mut w = world::start().await;
    w.put("AlertRule", "old", quiet()).await;
    uid(&w, "old").await;
    goes_through(&w, "rules", "provisioning").await;
    let nowhere = json!({"message": "Not found"}).to_string();
    for path in ["/api/v1/provisioning/alert-rules", "/api/v1/provisioning/folder/"] {
        w.proxy.fault(Fault::status(404).body(&nowhere).on_path(path));
    }
    w.put("AlertRule", "new", quiet()).await;
    uid(&w, "new").await;
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    assert_eq!(changes(&w).await, 1);
    w.reason::<AlertRule>("old", "Synced").await;
    w.operator.restart().await.expect("it starts again");
    assert_rests(&w).await;
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    w.delete::<AlertRule>("old").await;
    w.delete::<AlertRule>("new").await;
    assert_eq!(groups(&w).await, BTreeMap::new());
    assert_eq!(changes(&w).await, 1);
}

#[apply(since_13)]
async fn an_api_that_is_hidden_and_shown_again_has_nothing_written() {
    let w = world::start().await;
    set(&w, json!({"ruleAPI": "Platform"})).await;
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
    w.put("AlertRule", "r", quiet()).await;
    uid(&w, "r").await;
    contact_point(&w, "team").await;
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    let before = changes(&w).await;
    w.proxy.reset();
    w.proxy.only("/api/");
    for concern in ["rules", "notifications", "folders"] {
        goes_through(&w, concern, "provisioning").await;
    }
    assert_eq!(changes(&w).await, before + 1, "the change of rules was told");
    let told = said(&w, "APIFallback").await.unwrap_or_default();
    assert!(told.contains("rules go through Grafana's older API"), "{told}");
    resyncs(&w, 2).await;
    assert_no_writes(&w, "when the newer API was hidden");
    w.put(
        "ContactPoint",
        "team",
        json!({"integrations": [{"email": {"addresses": ["new@example.com"]}}]}),
    )
    .await;
    w.synced::<ContactPoint>("team").await;
    assert_rests(&w).await;

    w.proxy.reset();
    w.proxy.open();
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    resyncs(&w, 2).await;
    assert_no_writes(&w, "when the newer API was shown again");
    assert_eq!(said(&w, "APIFallback").await, None);
}

#[apply(since_13)]
async fn a_newer_api_that_is_hidden_is_told_and_used_again_when_it_is_shown_whoever_asks_for_it() {
    let mut w = world::start().await;
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
    contact_point(&w, "team").await;
    w.proxy.reset();
    w.proxy.only("/api/");
    for concern in ["notifications", "folders"] {
        goes_through(&w, concern, "provisioning").await;
    }
    // Past the next choice, which finds nothing there.
    resyncs(&w, 11).await;
    let told = said(&w, "APIFallback").await.unwrap_or_default();
    for part in [
        "notifications go through Grafana's older API",
        "isn't shown any more",
    ] {
        assert!(told.contains(part), "{told}");
    }
    w.proxy.open();
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
    goes_through(&w, "folders", "folder.grafana.app/").await;
    assert_eq!(said(&w, "APIFallback").await, None);

    // A process that has never seen it finds it, too.
    w.proxy.only("/api/");
    w.operator.restart().await.expect("it starts again");
    goes_through(&w, "notifications", "provisioning").await;
    w.proxy.open();
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
    resyncs(&w, 2).await;
    assert_no_writes(&w, "while it was hidden and shown");
}

#[apply(since_13)]
async fn a_token_that_opens_nothing_below_apis_works_through_the_older_api_and_the_instance_says_what_it_lacks()
 {
    let w = world::start().await;
    set(&w, json!({"ruleAPI": "Platform"})).await;
    goes_through(&w, "notifications", "notifications.alerting.grafana.app/").await;
    goes_through(&w, "rules", "rules.alerting.grafana.app/").await;
    for name in ["team", "other"] {
        contact_point(&w, name).await;
    }
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    w.put("AlertRule", "r", quiet()).await;
    uid(&w, "r").await;
    // As it is with the rights alert.provisioning:read and alert.provisioning:write alone.
    w.proxy.fault(Fault::status(403).on_path(NOTIFICATIONS));
    w.proxy
        .fault(Fault::status(403).on_path("/namespaces/default/alertrules"));
    w.put("NotificationPolicy", "tree", everything_to("other")).await;
    w.synced::<NotificationPolicy>("tree").await;
    w.put("AlertRule", "new", quiet()).await;
    uid(&w, "new").await;
    w.put("AlertRule", "r", json!({"query": QUIET, "for": "7m"}))
        .await;
    assert_eq!(in_grafana(&w, "r").await["for"], "7m");
    for concern in ["rules", "notifications"] {
        goes_through(&w, concern, "provisioning").await;
    }
    let told = said(&w, "APIFallback").await.unwrap_or_default();
    for right in ["alert.notifications:write", "alert.rules:create"] {
        assert!(told.contains(right), "{told}");
    }
    assert_rests(&w).await;
}
