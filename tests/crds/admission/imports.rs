//! Imports of rules that others have written.

use serde_json::json;

use super::{accepted, immutable, mutable, refused, with};

#[tokio::test]
async fn a_bad_import_is_refused_with_its_cure() {
    let good = json!({});
    let names = |names| with(&good, json!({"namespaces": {"names": names}}));
    let table = [
        (
            json!({"folder": "A", "folderUID": "b"}),
            "give folder or folderUID, not both",
        ),
        (json!({"folderUID": "a b"}), "a uid consists of letters"),
        (json!({"kinds": []}), "spec.kinds"),
        (json!({"kinds": ["ConfigMap"]}), "PrometheusRule"),
        (json!({"kinds": ["VMRule", "VMRule"]}), "duplicate entries"),
        (
            json!({"labels": {"a-b": "c"}}),
            "a label name consists of letters",
        ),
        (json!({"labels": {"__a__": "c"}}), "__, which is reserved"),
        (
            json!({"severityMapping": {"map": {"page": ""}}}),
            "spec.severityMapping.map.page",
        ),
        (
            json!({"severityMapping": {"label": ""}}),
            "spec.severityMapping.label",
        ),
        (json!({"excludeAlerts": [""]}), "spec.excludeAlerts"),
        (json!({"excludeAlerts": ["A", "A"]}), "duplicate entries"),
        (json!({"namespaces": {}}), "give names, or all: true"),
        (json!({"namespaces": {"all": false}}), "give names, or all: true"),
        (
            json!({"namespaces": {"all": true, "names": ["a"]}}),
            "give names, or all: true",
        ),
        (names(json!([])), "spec.namespaces.names"),
        (names(json!(["*"])), "there are no wildcards"),
        (json!({"datasource": {}}), "spec.datasource"),
        (json!({"noDataState": "Fine"}), "spec.noDataState"),
        (json!({"execErrState": "NoData"}), "spec.execErrState"),
        (json!({"deletionPolicy": "Keep"}), "spec.deletionPolicy"),
        (
            json!({"selector": {"matchLabels": {"a": 1}}}),
            "spec.selector.matchLabels",
        ),
    ];
    refused("PrometheusRuleImport", &table).await;
}

#[tokio::test]
async fn a_good_import_is_accepted() {
    let table = [
        json!({}),
        json!({"kinds": null, "labels": null, "excludeAlerts": null, "severityMapping": {"map": null}}),
        json!({
            "kinds": ["VMRule", "PrometheusRule"], "selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
            "namespaces": {"names": ["shop", "billing"]}, "datasource": {"uid": "mimir"}, "folderUID": "abc",
            "labels": {"origin": "mixin"}, "severityMapping": {"label": "priority", "map": {"P1": "critical"}, "default": "info"},
            "excludeAlerts": ["Watchdog"], "noDataState": "NoData", "execErrState": "KeepLast", "deletionPolicy": "Orphan",
        }),
        json!({"namespaces": {"all": true}}),
    ];
    accepted("PrometheusRuleImport", &table).await;
}

#[tokio::test]
async fn an_import_stays_with_its_instance_and_may_change_all_else() {
    let words = "instance is immutable";
    let table = [
        (json!({}), json!({"instance": "other"}), words),
        (json!({"instance": "other"}), json!({"folder": "A"}), words),
    ];
    immutable("PrometheusRuleImport", &table).await;
    let after = json!({"instance": "default", "namespaces": {"all": true}, "folder": "A"});
    mutable("PrometheusRuleImport", "moves", &json!({}), &after).await;
}
