//! Rules that others have written for Prometheus: read as they are, evaluated by Grafana.

#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use alertwright::api::{AlertRule, LABEL_ALERT, LABEL_IMPORT, PrometheusRuleImport};
use alertwright_testbed::{Prometheus, any_release, apply, every_release, trial::Need, wait};
use kube::ResourceExt;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::rule_states::state;
use crate::rules::{in_grafana, resyncs};
use crate::world::{self, SOON, World};

/// A world whose Grafana has a Prometheus, in a cluster where prometheus-operator's kind is installed.
async fn start() -> World {
    let w = world::start().await;
    w.grafana.needs(Need::FastRules);
    let prometheus = Prometheus::shared().await;
    w.grafana
        .add_prometheus_datasource(prometheus, "metrics", "Metrics")
        .await;
    install(&w, include_str!("imports/prometheusrules.yaml")).await;
    w
}

/// Installs a kind that rules are read of.
pub async fn install(w: &World, definition: &str) {
    w.plane.apply(definition, "default").await;
}

/// Writes an object with one group of rules, as soon as its kind is served.
pub async fn put(w: &World, kind: &str, name: &str, group: Value) {
    let version = match kind {
        "VMRule" => "operator.victoriametrics.com/v1beta1",
        _ => "monitoring.coreos.com/v1",
    };
    let object = json!({
        "apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": {"team": "web"}}, "spec": {"groups": [group]},
    })
    .to_string();
    wait::until(&format!("{kind} is served"), SOON, async || {
        w.plane.try_apply(&object, &w.ns).await.is_ok()
    })
    .await;
}

fn group(rules: Value) -> Value {
    json!({"name": "g", "interval": "1s", "rules": rules})
}

fn import() -> Value {
    json!({"selector": {"matchLabels": {"team": "web"}}, "datasource": {"name": "Metrics"}})
}

/// The names of the AlertRules of an import, by their alerts.
async fn rules(w: &World, import: &str) -> Vec<(String, String)> {
    let those = ListParams::default().labels(&format!("{LABEL_IMPORT}={import}"));
    let list = w.api::<AlertRule>().await.list(&those).await.expect("AlertRules");
    let mut rules: Vec<_> = list
        .iter()
        .map(|rule| (rule.labels()[LABEL_ALERT].clone(), rule.name_any()))
        .collect();
    rules.sort();
    rules
}

/// Waits until an import has AlertRules for just these alerts, and returns their names.
async fn names(w: &World, import: &str, alerts: &[&str]) -> Vec<String> {
    wait::until(&format!("AlertRules for {alerts:?}"), 2 * SOON, async || {
        let rules = rules(w, import).await;
        if rules.iter().map(|(alert, _)| alert).eq(alerts) {
            wait::Seen::Yes(rules.into_iter().map(|(_, name)| name).collect())
        } else {
            wait::not_yet(rules)
        }
    })
    .await
}

async fn status(w: &World, name: &str) -> Value {
    let import = w.synced::<PrometheusRuleImport>(name).await;
    serde_json::to_value(import.status).expect("a status is JSON")
}

#[apply(every_release)]
async fn alerts_of_a_prometheus_rule_are_evaluated_by_grafana_and_follow_it() {
    let w = start().await;
    let (fires, quiet) = (
        json!({"alert": "Fires", "expr": "vector(9) > 5", "labels": {"severity": "page"}}),
        json!({"alert": "Quiet", "expr": "vector(1) > 5", "keep_firing_for": "5m"}),
    );
    let records = json!({"record": "job:up:sum", "expr": "sum(up)"});
    put(&w, "PrometheusRule", "web", group(json!([fires, quiet, records]))).await;
    let mut spec = import();
    spec["severityMapping"] = json!({"map": {"page": "critical"}});
    w.put("PrometheusRuleImport", "mixins", spec).await;
    let both = names(&w, "mixins", &["Fires", "Quiet"]).await;
    state(&w, &both[0], "Firing").await;
    state(&w, &both[1], "Normal").await;
    let told = status(&w, "mixins").await;
    assert_eq!(
        [&told["sources"], &told["rules"], &told["skipped"]],
        [1, 2, 1],
        "{told:#}"
    );
    assert_eq!(told["skippedRules"][0]["rule"], "job:up:sum", "{told:#}");
    let keeps = w.grafana.version().since(12, 0);
    assert_eq!(told["different"], i32::from(!keeps), "{told:#}");
    let stored = in_grafana(&w, &both[0]).await;
    assert_eq!(
        (&stored["title"], &stored["labels"]["severity"]),
        (&json!("Fires"), &json!("critical"))
    );

    // Nothing is written at rest.
    let before = (w.proxy.requests().writes().len(), version(&w, &both[0]).await);
    resyncs(&w, 2).await;
    assert_eq!(
        (w.proxy.requests().writes().len(), version(&w, &both[0]).await),
        before
    );

    // Somebody changes one, and sets something that is nobody's yet; somebody deletes the other.
    let api = w.api::<AlertRule>().await;
    let change = json!({"spec": {"severity": "info", "panelRef": {"dashboardUID": "d", "panelID": 1}}});
    api.patch(&both[0], &PatchParams::default(), &Patch::Merge(change))
        .await
        .expect("a patch that fits");
    wait::until("the change is put right", SOON, async || {
        let spec = api.get(&both[0]).await.expect("the rule").spec;
        spec.severity.as_deref() == Some("critical") && spec.panel_ref.is_some()
    })
    .await;
    let uid = api.get(&both[1]).await.expect("the rule").uid();
    api.delete(&both[1], &DeleteParams::default())
        .await
        .expect("it can be deleted");
    wait::until("the deleted one is back", SOON, async || {
        let found = api.get_opt(&both[1]).await.ok().flatten();
        found.is_some_and(|rule| rule.uid() != uid)
    })
    .await;

    // The source changes.
    let other = json!({"alert": "Quiet", "expr": "vector(7) > 5"});
    put(
        &w,
        "PrometheusRule",
        "web",
        group(json!([{"alert": "First", "expr": "vector(1) > 5"}, other])),
    )
    .await;
    let now = names(&w, "mixins", &["First", "Quiet"]).await;
    assert_eq!(now[1], both[1], "a rule keeps its name");
    state(&w, &now[1], "Firing").await;
    wait::until(
        "the rule that is gone is gone from Grafana too",
        SOON,
        async || w.grafana.rules().await.len() == 2,
    )
    .await;

    w.delete::<PrometheusRuleImport>("mixins").await;
    names(&w, "mixins", &[]).await;
    assert_eq!(w.grafana.rules().await.len(), 0);
}

#[apply(every_release)]
async fn a_recording_rule_is_carried_over_where_its_import_says_what_it_writes_to() {
    let w = start().await;
    let alert = json!({"alert": "Quiet", "expr": "vector(1) > 5"});
    let records = json!({"record": "up_sum", "expr": "sum(up)", "labels": {"of": "web"}});
    put(&w, "PrometheusRule", "web", group(json!([alert, records]))).await;
    let mut spec = import();
    spec["recordingRules"] = json!({"targetDatasource": {"name": "Metrics"}});
    w.put("PrometheusRuleImport", "mixins", spec).await;
    if !w.grafana.version().since(12, 0) {
        names(&w, "mixins", &["Quiet"]).await;
        let told = status(&w, "mixins").await;
        assert_eq!([&told["rules"], &told["skipped"]], [1, 1], "{told:#}");
        assert_eq!(told["skippedRules"][0]["rule"], "up_sum", "{told:#}");
        return;
    }
    let both = names(&w, "mixins", &["Quiet", "up_sum"]).await;
    let told = status(&w, "mixins").await;
    assert_eq!([&told["rules"], &told["skipped"]], [2, 0], "{told:#}");
    w.synced::<AlertRule>(&both[1]).await;
    let stored = in_grafana(&w, &both[1]).await;
    let record = &stored["record"];
    assert_eq!(
        (
            &record["metric"],
            &record["target_datasource_uid"],
            &stored["labels"]["of"]
        ),
        (&json!("up_sum"), &json!("metrics"), &json!("web")),
        "{stored:#}"
    );
    w.delete::<PrometheusRuleImport>("mixins").await;
    names(&w, "mixins", &[]).await;
    assert_eq!(w.grafana.rules().await.len(), 0);
}

async fn version(w: &World, name: &str) -> Option<String> {
    let rule = w.api::<AlertRule>().await.get(name).await.expect("the rule");
    rule.resource_version()
}

#[apply(any_release)]
async fn a_kind_that_is_installed_later_is_found() {
    let w = start().await;
    put(
        &w,
        "PrometheusRule",
        "web",
        group(json!([{"alert": "A", "expr": "vector(1) > 5"}])),
    )
    .await;
    let mut vm = import();
    vm["kinds"] = json!(["VMRule"]);
    w.put("PrometheusRuleImport", "vm", vm).await;
    // Of kinds that nobody names one suffices.
    w.put("PrometheusRuleImport", "any", import()).await;
    names(&w, "any", &["A"]).await;
    status(&w, "any").await;
    w.reason::<PrometheusRuleImport>("vm", "DependencyMissing").await;
    let message = w.message::<PrometheusRuleImport>("vm").await;
    assert!(
        message.contains("VMRule") && message.contains("isn't installed"),
        "{message}"
    );
    install(&w, include_str!("imports/vmrules.yaml")).await;
    let mut logs = group(json!([{"alert": "Lines", "expr": "error | stats count()"}]));
    logs["type"] = json!("vlogs");
    put(&w, "VMRule", "logs", logs).await;
    put(
        &w,
        "VMRule",
        "metrics",
        group(json!([{"alert": "B", "expr": "vector(9) > 5"}])),
    )
    .await;
    // A copy, as VictoriaMetrics' operator makes it.
    put(
        &w,
        "VMRule",
        "web",
        group(json!([{"alert": "A", "expr": "vector(1) > 5"}])),
    )
    .await;
    let both = names(&w, "vm", &["A", "B"]).await;
    state(&w, &both[1], "Firing").await;
    let told = status(&w, "vm").await;
    assert_eq!(told["skippedRules"][0]["rule"], "Lines", "{told:#}");
    names(&w, "any", &["A", "B"]).await;
}

#[apply(any_release)]
async fn an_import_from_a_prometheus_into_a_loki_says_so_and_makes_no_rule() {
    let w = start().await;
    let down = json!({"alert": "Down", "expr": "absent(up{job=\"nobody\"}) > 5"});
    put(&w, "PrometheusRule", "web", group(json!([down]))).await;
    // Grafana's default is the Loki.
    w.put("PrometheusRuleImport", "mixins", json!({})).await;
    w.reason::<PrometheusRuleImport>("mixins", "Invalid").await;
    let message = w.message::<PrometheusRuleImport>("mixins").await;
    assert!(
        message.starts_with(
            "spec.datasource: data source Loki, the default, is of type loki, and the rules are PromQL"
        ),
        "{message}"
    );
    assert!(rules(&w, "mixins").await.is_empty());
    w.put("PrometheusRuleImport", "mixins", import()).await;
    let names = names(&w, "mixins", &["Down"]).await;
    state(&w, &names[0], "Normal").await;
}

/// A text of an annotation, and what Prometheus makes of it; the testbed holds the table to Prometheus' own engine.
#[derive(serde::Deserialize)]
struct Row {
    name: String,
    text: String,
    shown: String,
}

#[apply(any_release)]
async fn functions_of_templates_mean_what_they_mean_in_prometheus() {
    let w = start().await;
    let table: Vec<Row> = serde_json::from_str(include_str!("imports/templates.json")).expect("a table");
    let texts = table.iter().map(|row| (row.name.clone(), json!(row.text)));
    let annotations: serde_json::Map<String, Value> = texts.collect();
    let expr = "label_replace(vector(123456.5), \"job\", \"api:80\", \"\", \"\") > 5";
    put(
        &w,
        "PrometheusRule",
        "web",
        group(json!([{"alert": "Renders", "expr": expr, "annotations": annotations}])),
    )
    .await;
    w.put("PrometheusRuleImport", "mixins", import()).await;
    let renders = names(&w, "mixins", &["Renders"]).await;
    state(&w, &renders[0], "Firing").await;
    assert_eq!(status(&w, "mixins").await["different"], 0);
    let shown = wait::until("the alert is sent", SOON, async || {
        let alerts = w.grafana.alerts().await;
        alerts
            .into_iter()
            .find(|alert| alert["labels"]["alertname"] == "Renders")
    })
    .await;
    let wrong: Vec<_> = table
        .iter()
        .filter(|row| shown["annotations"][&row.name] != row.shown)
        .map(|row| format!("{} instead of {}", shown["annotations"][&row.name], row.shown))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
