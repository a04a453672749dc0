//! AlertRule: created, changed, put right, and removed.

use std::collections::BTreeMap;

use alertwright::api::{AlertRule, GrafanaInstance};
use alertwright_testbed::{Loki, any_release, apply, every_release, wait};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::addresses::BULK_READ;
use crate::world::{self, SOON, World};

/// A query that no logs answer.
pub const QUIET: &str = r#"sum(count_over_time({app="nobody"} [5m])) > 1"#;

/// The smallest specification.
pub fn quiet() -> Value {
    json!({"query": QUIET})
}

/// Waits until the rule is in sync, and gives its uid.
pub async fn uid(w: &World, name: &str) -> String {
    let rule: AlertRule = w.synced(name).await;
    rule.status
        .and_then(|status| status.uid)
        .expect("a uid in the status")
}

/// Waits until the rule is in sync, and gives what Grafana holds of it.
pub async fn in_grafana(w: &World, name: &str) -> Value {
    let uid = uid(w, name).await;
    w.grafana.rule(&uid).await.expect("a rule of this uid in Grafana")
}

/// Waits until everything in Grafana has been read so many times more.
pub async fn resyncs(w: &World, count: usize) {
    let reads = || w.proxy.requests().of("GET", BULK_READ).len();
    let before = reads();
    wait::until("the next resyncs", SOON, async || reads() >= before + count).await;
}

/// Merges into the resource.
pub async fn merge(w: &World, name: &str, patch: Value) {
    w.api::<AlertRule>()
        .await
        .patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .expect("a patch that fits");
}

/// Asks for the deletion, and doesn't wait.
pub async fn begin_delete(w: &World, name: &str) {
    w.api::<AlertRule>()
        .await
        .delete(name, &DeleteParams::default())
        .await
        .expect("it can be deleted");
}

/// Waits until the resource is gone.
pub async fn gone(w: &World, name: &str) {
    let api = w.api::<AlertRule>().await;
    wait::until(&format!("{name} is gone"), SOON, async || {
        api.get_opt(name).await.is_ok_and(|found| found.is_none())
    })
    .await;
}

#[apply(every_release)]
async fn each_field_of_a_rule_reaches_grafana_in_one_write() {
    let w = world::start().await;
    w.grafana
        .add_loki_datasource(Loki::shared().await, "second", "Second", false)
        .await;
    let mut spec = quiet();
    w.put("AlertRule", "r", spec.clone()).await;
    let rule = in_grafana(&w, "r").await;
    let writes = w.proxy.requests().writes();
    assert_eq!(writes.of("POST", "/api/folders").len(), 1, "{writes}");
    assert_eq!(writes.of("POST", w.rules_at()).len(), 1, "{writes}");
    assert_eq!(writes.len(), 2, "{writes}");
    assert_eq!(rule["title"], "r");
    let uid = uid(&w, "r").await;
    assert_eq!(rule["ruleGroup"], w.group_of(&uid, "r"));
    assert_eq!(rule["noDataState"], "OK");
    assert_eq!(rule["execErrState"], "Error");
    assert_eq!(rule["provenance"], "api");
    assert_eq!(
        rule["labels"]["__alertwright__"],
        format!("{}/{}/r", w.home, w.ns)
    );

    let changes = [
        ("title", json!("Title"), "/title", json!("Title")),
        ("for", json!("3m"), "/for", json!("3m")),
        ("severity", json!("high"), "/labels/severity", json!("high")),
        ("labels", json!({"team": "a"}), "/labels/team", json!("a")),
        (
            "annotations",
            json!({"summary": "text"}),
            "/annotations/summary",
            json!("text"),
        ),
        ("noDataState", json!("NoData"), "/noDataState", json!("NoData")),
        (
            "execErrState",
            json!("Alerting"),
            "/execErrState",
            json!("Alerting"),
        ),
        ("paused", json!(true), "/isPaused", json!(true)),
        (
            "panelRef",
            json!({"dashboardUID": "board", "panelID": 7}),
            "/annotations/__panelId__",
            json!("7"),
        ),
        (
            "query",
            json!(r#"sum(rate({app="nobody"} [1m])) > 7.5"#),
            "/data/0/model/expr",
            json!(r#"sum(rate({app="nobody"} [1m]))"#),
        ),
        (
            "query",
            json!(r#"sum(rate({app="nobody"} [1m])) > 8.5"#),
            "/data/2/model/expression",
            json!("is_number(1 / ($B > 8.5))"),
        ),
        (
            "datasource",
            json!({"name": "Second"}),
            "/data/0/datasourceUid",
            json!("second"),
        ),
    ];
    // What has no group gets none.
    let group = ("group", json!("shared"), "/ruleGroup", json!("shared"));
    let group = (!w.rules_by_apis()).then_some(group);
    for (field, value, pointer, expected) in changes.into_iter().chain(group) {
        spec.as_object_mut()
            .expect("an object")
            .insert(field.to_owned(), value);
        w.proxy.reset();
        w.put("AlertRule", "r", spec.clone()).await;
        let mut rule = in_grafana(&w, "r").await;
        // The newer API keeps no order of nodes.
        if let Some(nodes) = rule["data"].as_array_mut() {
            nodes.sort_by_key(|node| node["refId"].to_string());
        }
        assert_eq!(rule.pointer(pointer), Some(&expected), "{field} of {rule:#}");
        let writes = w.proxy.requests().writes();
        assert_eq!(writes.len(), 1, "{field}: {writes}");
    }
    // The interval is the group's, and a new folder is a write of its own.
    spec["interval"] = json!("30s");
    w.proxy.reset();
    w.put("AlertRule", "r", spec.clone()).await;
    in_grafana(&w, "r").await;
    let writes = w.proxy.requests().writes();
    assert_eq!(writes.len(), 1, "{writes}");
    assert_eq!(w.grafana.rules().await[0]["interval"], "30s");
    spec["folder"] = json!("Elsewhere");
    w.put("AlertRule", "r", spec).await;
    in_grafana(&w, "r").await;
    let rules = w.grafana.rules().await;
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["folder"], "Elsewhere");
    assert_eq!(rules[0]["interval"], "30s");
    // And then there is rest.
    w.proxy.reset();
    resyncs(&w, 2).await;
    let writes = w.proxy.requests().writes();
    assert!(writes.is_empty(), "{writes}");
}

#[apply(every_release)]
async fn what_was_changed_or_deleted_in_grafana_comes_back_and_is_named() {
    let w = world::start().await;
    for name in ["edited", "deleted", "untouched"] {
        w.put(
            "AlertRule",
            name,
            json!({"query": QUIET, "labels": {"team": "a"}, "for": "1m"}),
        )
        .await;
    }
    let mut rule = in_grafana(&w, "edited").await;
    let deleted = uid(&w, "deleted").await;
    let untouched: AlertRule = w.synced("untouched").await;
    let edited = uid(&w, "edited").await;
    rule["for"] = json!("9m");
    rule["labels"] = json!({"team": "b"});
    w.proxy.reset();
    let path = |uid: &str| format!("/api/v1/provisioning/alert-rules/{uid}");
    w.grafana.put(&path(&edited), rule).await.ok();
    w.grafana.delete(&path(&deleted)).await;
    wait::until("both are as they were", SOON, async || {
        let edited = w.grafana.rule(&edited).await?;
        let is_back = w.grafana.rule(&deleted).await.is_some();
        (is_back && edited["for"] == "1m" && edited["labels"]["team"] == "a").then_some(())
    })
    .await;
    let drift = async |name: &str| {
        let api = w.api::<AlertRule>().await;
        wait::until("the drift is in the status", SOON, async || {
            api.get(name)
                .await
                .ok()?
                .status?
                .last_drift
                .map(|drift| drift.fields)
        })
        .await
    };
    assert_eq!(drift("edited").await, ["for", "labels"]);
    assert_eq!(drift("deleted").await, ["deleted"]);
    resyncs(&w, 1).await;
    let writes = w.proxy.requests().writes();
    assert_eq!(writes.len(), 2, "one for each: {writes}");
    let after: AlertRule = w.synced("untouched").await;
    let folder = after
        .status
        .as_ref()
        .and_then(|status| status.folder_uid.clone())
        .expect("a folder");
    let drift_of = |rule: AlertRule| rule.status.and_then(|status| status.last_drift);
    assert_eq!(drift_of(after), drift_of(untouched));

    // The folder with all that is in it.
    w.grafana
        .delete(&format!("/api/folders/{folder}?forceDeleteRules=true"))
        .await
        .ok();
    wait::until("all of it is back", SOON, async || {
        let folders = w.grafana.folders().await;
        folders.iter().any(|f| f["uid"] == folder.as_str()) && w.grafana.rules().await.len() == 3
    })
    .await;
}

#[apply(every_release)]
async fn a_deleted_resource_takes_its_rule_along_but_neither_the_folder_nor_an_orphan() {
    let mut w = world::start().await;
    w.put("AlertRule", "leaves", quiet()).await;
    w.put(
        "AlertRule",
        "orphan",
        json!({"query": QUIET, "deletionPolicy": "Orphan"}),
    )
    .await;
    for name in ["waits", "let-go"] {
        w.put("AlertRule", name, quiet()).await;
    }
    let mut uids = BTreeMap::new();
    for name in ["leaves", "orphan", "waits", "let-go"] {
        uids.insert(name, uid(&w, name).await);
    }
    w.delete::<AlertRule>("leaves").await;
    w.delete::<AlertRule>("orphan").await;
    assert!(w.grafana.rule(&uids["leaves"]).await.is_none());
    assert!(w.grafana.rule(&uids["orphan"]).await.is_some());
    let folders = w.grafana.folders().await;
    assert!(
        folders.iter().any(|folder| folder["title"] == w.ns.as_str()),
        "{folders:?}"
    );

    // While Grafana is down a deletion waits and says what helps.
    w.grafana.stop().await;
    begin_delete(&w, "waits").await;
    begin_delete(&w, "let-go").await;
    for name in ["waits", "let-go"] {
        let api = w.api::<AlertRule>().await;
        wait::until("the deletion says what it waits for", SOON, async || {
            let rule = api.get(name).await.ok()?;
            let conditions = rule.status?.conditions;
            let ready = conditions.into_iter().find(|c| c.type_ == "Ready")?;
            (ready.reason == "Unavailable"
                && ready.message.contains("Orphan")
                && ready.message.contains("deletionPolicy"))
            .then_some(())
        })
        .await;
    }
    merge(&w, "let-go", json!({"spec": {"deletionPolicy": "Orphan"}})).await;
    gone(&w, "let-go").await;
    w.grafana.start_again().await.expect("grafana starts again");
    gone(&w, "waits").await;
    assert!(w.grafana.rule(&uids["waits"]).await.is_none());
    assert!(w.grafana.rule(&uids["let-go"]).await.is_some());
}

#[apply(any_release)]
async fn what_an_instance_says_of_deletions_counts_also_while_grafana_is_away() {
    let mut w = world::start().await;
    w.put("AlertRule", "r", quiet()).await;
    let uid = uid(&w, "r").await;
    w.grafana.stop().await;
    begin_delete(&w, "r").await;
    wait::until("the deletion waits", SOON, async || {
        w.message::<AlertRule>("r").await.contains("the deletion waits")
    })
    .await;
    let spec = r#"{"spec": {"defaultDeletionPolicy": "Orphan"}}"#;
    let patch = [
        "patch",
        "grafanainstance",
        "default",
        "--type=merge",
        "-p",
        spec,
        "-n",
        &w.home,
    ];
    w.plane.kubectl(&patch).await.ok();
    gone(&w, "r").await;
    w.grafana.start_again().await.expect("grafana starts again");
    assert!(w.grafana.rule(&uid).await.is_some());
}

#[apply(any_release)]
async fn a_suspended_rule_is_left_alone_until_it_is_resumed() {
    let w = world::start().await;
    w.put("AlertRule", "r", quiet()).await;
    let uid = uid(&w, "r").await;
    w.put(
        "AlertRule",
        "r",
        json!({"query": QUIET, "title": "new", "suspend": true}),
    )
    .await;
    w.reason::<AlertRule>("r", "Suspended").await;
    let rule = w.grafana.rule(&uid).await.expect("it stays");
    assert_eq!(rule["title"], "r");
    w.put("AlertRule", "r", json!({"query": QUIET, "title": "new"}))
        .await;
    assert_eq!(in_grafana(&w, "r").await["title"], "new");
}

#[apply(every_release)]
async fn a_bad_rule_says_what_helps_and_hurts_no_other() {
    let w = world::start().await;
    w.put("AlertRule", "good", quiet()).await;
    let bad = [
        (
            "unclosed",
            json!({"query": r#"sum(rate({app="a"} [5m]) > 1"#}),
            "spec.query",
        ),
        (
            "template",
            json!({"query": QUIET, "annotations": {"summary": "{{ $value"}}),
            "spec.annotations[summary]",
        ),
        (
            "interval",
            json!({"query": QUIET, "interval": "1500ms"}),
            "spec.interval",
        ),
        ("folder", json!({"query": QUIET, "folder": "/b"}), "spec.folder"),
    ];
    for (name, spec, field) in bad {
        w.put("AlertRule", name, spec).await;
        let rule: AlertRule = w.reason(name, "Invalid").await;
        let message = w.message::<AlertRule>(name).await;
        assert!(message.contains(field), "{name}: {message}");
        println!("{}: {message}", rule.name_any());
    }
    w.put("AlertRule", "good", json!({"query": QUIET, "title": "changed"}))
        .await;
    in_grafana(&w, "good").await;
    let rules = w.grafana.rules().await;
    assert_eq!(rules.len(), 1, "nothing of the bad ones: {rules:#?}");
    assert_eq!(rules[0]["grafana_alert"]["title"], "changed");
    // Mended, it goes.
    w.put("AlertRule", "unclosed", quiet()).await;
    in_grafana(&w, "unclosed").await;
}

#[apply(every_release)]
async fn a_field_is_stored_or_named_if_this_grafana_is_too_old_for_it() {
    let w = world::start().await;
    w.put("AlertRule", "new", json!({"query": QUIET, "keepFiringFor": "5m"}))
        .await;
    let version = w.grafana.version();
    let instances: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    let status = wait::until("the instance says what it is connected to", SOON, async || {
        let status = instances.get("default").await.ok()?.status?;
        status.version.is_some().then_some(status)
    })
    .await;
    assert_eq!(status.version, Some(version.to_string()));
    let lacks_it = status
        .unsupported
        .iter()
        .any(|field| field.contains("keepFiringFor"));
    assert_eq!(lacks_it, !version.since(12, 0), "{:?}", status.unsupported);
    if version.since(12, 0) {
        assert_eq!(in_grafana(&w, "new").await["keep_firing_for"], "5m");
    } else {
        w.reason::<AlertRule>("new", "Unsupported").await;
        let message = w.message::<AlertRule>("new").await;
        let minor = version.to_string();
        let minor = minor.rsplit_once('.').expect("a release").0;
        assert!(
            message.contains("spec.keepFiringFor") && message.contains(minor),
            "{message}"
        );
        assert!(w.grafana.rules().await.is_empty());
    }
}
