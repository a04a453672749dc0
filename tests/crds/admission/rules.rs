//! AlertRules.

use std::time::Duration;

use alertwright_testbed::wait;
use serde_json::{Value, json};

use super::{DOTS, DURATION, accepted, immutable, mutable, refused, with};
use crate::control_plane;

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table: a row for each mistake")]
async fn a_bad_alert_rule_is_refused_with_its_cure() {
    let good = json!({"query": "up < 1"});
    let data = json!([{"refId": "A", "datasourceUid": "loki", "model": {"expr": "x"}}]);
    let long = "x".repeat(191);
    let table = [
        (
            json!({}),
            "give exactly one of query (what Prometheus calls expr) and data",
        ),
        (
            json!({"query": "up", "data": data, "condition": "A"}),
            "give exactly one of query (what Prometheus calls expr) and data",
        ),
        (json!({"data": data}), "data and condition belong together"),
        (
            json!({"query": "up", "condition": "A"}),
            "data and condition belong together",
        ),
        (
            json!({"data": data, "condition": "B"}),
            "condition must be the refId of one entry of data",
        ),
        (
            json!({"data": data, "condition": "A", "datasource": {"name": "Loki"}}),
            "datasource goes with query",
        ),
        (json!({"data": [], "condition": "A"}), "spec.data"),
        (with(&good, json!({"query": ""})), "spec.query"),
        (
            with(&good, json!({"datasource": {"name": "Loki", "uid": "l"}})),
            "give exactly one of name, uid and type",
        ),
        (
            with(&good, json!({"datasource": {}})),
            "give exactly one of name, uid and type",
        ),
        (
            with(&good, json!({"folder": "a", "folderUID": "b"})),
            "give folder or folderUID, not both",
        ),
        (
            with(&good, json!({"folderUID": "a b"})),
            "a uid consists of letters, digits, dashes and underscores",
        ),
        (
            with(&good, json!({"severity": "high", "labels": {"severity": "low"}})),
            "severity is given twice",
        ),
        (
            with(&good, json!({"labels": {"1st": "x"}})),
            "doesn't start with a digit",
        ),
        (
            with(&good, json!({"labels": {"a-b": "x"}})),
            "letters, digits and underscores",
        ),
        (
            with(&good, json!({"labels": {"__alertwright__": "x"}})),
            "are reserved",
        ),
        (
            with(&good, json!({"labels": {"__team": "payments"}})),
            "label names that begin with __ are reserved",
        ),
        (with(&good, json!({"for": "5 minutes"})), DURATION),
        (with(&good, json!({"for": "1.5h"})), DURATION),
        (with(&good, json!({"for": "5m1h"})), DURATION),
        (with(&good, json!({"for": ""})), "spec.for"),
        (with(&good, json!({"interval": "-1m"})), DURATION),
        (
            with(&good, json!({"interval": "0s"})),
            "must be more than 0: a multiple of 10s",
        ),
        (with(&good, json!({"interval": "0"})), "must be more than 0"),
        (
            with(&good, json!({"folder": "a//b"})),
            "no title in a folder's path is empty",
        ),
        (
            with(&good, json!({"folder": "a/"})),
            "no title in a folder's path is empty",
        ),
        (
            with(&good, json!({"folder": "KeyDB / Redis"})),
            "write \\\\/ for a slash within a title",
        ),
        (
            with(&good, json!({"labels": {"alertname": "x"}})),
            "alertname is the rule's title, whatever its labels say: write title",
        ),
        (with(&good, json!({"group": "."})), DOTS),
        (with(&good, json!({"group": ".."})), DOTS),
        (with(&good, json!({"keepFiringFor": "soon"})), DURATION),
        (with(&good, json!({"noDataState": "Ok"})), "supported values"),
        (with(&good, json!({"execErrState": "NoData"})), "supported values"),
        (
            with(&good, json!({"missingSeriesEvalsToResolve": 0})),
            "greater than or equal to 1",
        ),
        (with(&good, json!({"title": long})), "spec.title"),
        (with(&good, json!({"group": "a/b"})), "a group's name holds no /"),
        (with(&good, json!({"group": "a\\b"})), "a group's name holds no /"),
        (
            with(&good, json!({"uid": "a b"})),
            "a uid consists of letters, digits, dashes and underscores",
        ),
        (with(&good, json!({"uid": "x".repeat(41)})), "spec.uid"),
        (with(&good, json!({"panelRef": {"dashboardUID": "d"}})), "panelID"),
        (
            with(&good, json!({"debugQueries": [{"name": "", "query": "x"}]})),
            "spec.debugQueries[0].name",
        ),
        (with(&good, json!({"deletionPolicy": "Keep"})), "supported values"),
        (with(&good, json!({"serverity": "high"})), "spec.serverity"),
        (
            json!({"expr": "up < 1", "for": "5m"}),
            "expr is Prometheus' name: write query, with the same text, its comparison included",
        ),
        (
            json!({"alert": "Down", "expr": "up < 1", "keep_firing_for": "5m"}),
            "alert is Prometheus' name: write title, or leave it to the resource's name",
        ),
        (
            json!({"alert": "Down", "expr": "up < 1", "keep_firing_for": "5m"}),
            "keep_firing_for is Prometheus' name: write keepFiringFor",
        ),
        (with(&good, json!({"record": {}})), "spec.record.metric"),
        (
            with(&good, json!({"record": {"metric": "job:requests-rate1m"}})),
            "a metric's name consists of letters, digits, underscores and colons",
        ),
        (
            with(&good, json!({"record": {"metric": "m", "from": "A"}})),
            "data and record.from belong together",
        ),
        (
            json!({"data": data, "record": {"metric": "m"}}),
            "data and record.from belong together",
        ),
        (
            json!({"data": data, "record": {"metric": "m", "from": "B"}}),
            "record.from must be the refId of one entry of data",
        ),
        (
            json!({"data": data, "condition": "A", "record": {"metric": "m", "from": "A"}}),
            "a recording rule has no alerts: record goes without condition, for,",
        ),
        (
            with(&good, json!({"record": {"metric": "m", "targetDatasource": {}}})),
            "give exactly one of name, uid and type",
        ),
        (
            with(&good, json!({"record": {"metric": "m"}, "for": "5m"})),
            "a recording rule has no alerts",
        ),
        (
            with(&good, json!({"record": {"metric": "m"}, "severity": "high"})),
            "a recording rule has no alerts",
        ),
        (
            with(
                &good,
                json!({"record": {"metric": "m"}, "annotations": {"summary": "s"}}),
            ),
            "a recording rule has no alerts",
        ),
        (
            with(
                &good,
                json!({"record": {"metric": "m"}, "notificationSettings": {"receiver": "a"}}),
            ),
            "a recording rule has no alerts",
        ),
    ];
    refused("AlertRule", &table).await;
}

#[tokio::test]
async fn notification_settings_that_cannot_be_are_refused_with_their_cure() {
    let one = "give exactly one of receiver, receiverRef, policy and policyRef";
    let table = [
        (json!({}), one),
        (json!({"groupBy": ["team"]}), one),
        (json!({"receiver": "a", "receiverRef": {"name": "b"}}), one),
        (json!({"receiver": ""}), "spec.notificationSettings.receiver"),
        (
            json!({"receiverRef": {}}),
            "give exactly one of name and grafanaName",
        ),
        (
            json!({"receiverRef": {"grafanaName": "a", "namespace": "b"}}),
            "namespace goes with name",
        ),
        (
            json!({"receiver": "a", "groupBy": ["...", "team"]}),
            "... means all labels and must stand alone",
        ),
        (
            json!({"receiver": "a", "groupBy": ["team", "team"]}),
            "duplicate entries for key",
        ),
        (
            json!({"receiver": "a", "groupBy": [""]}),
            "spec.notificationSettings.groupBy[0]",
        ),
        (json!({"receiver": "a", "groupWait": "soon"}), DURATION),
        (json!({"receiver": "a", "groupInterval": "-1m"}), DURATION),
        (
            json!({"receiver": "a", "groupInterval": "0s"}),
            "must be more than 0",
        ),
        (
            json!({"receiver": "a", "repeatInterval": "0h0m"}),
            "must be more than 0",
        ),
        (json!({"receiver": "a", "repeatInterval": "4 h"}), DURATION),
        (
            json!({"receiver": "a", "muteTimeIntervals": [""]}),
            "spec.notificationSettings.muteTimeIntervals[0]",
        ),
        (
            json!({"receiver": "a", "muteTimeIntervalRefs": [{"namespace": "b", "grafanaName": "c"}]}),
            "namespace goes with name",
        ),
        (
            json!({"receiver": "a", "activeTimeIntervalRefs": [{}]}),
            "give exactly one of name and grafanaName",
        ),
        (
            json!({"receiver": "a", "activeTimeIntervals": vec!["days"; 33]}),
            "must have at most 32 items",
        ),
        (
            json!({"contactPoint": "a"}),
            "spec.notificationSettings.contactPoint",
        ),
    ];
    let table = table.map(|(settings, words)| {
        (
            json!({"query": "up < 1", "notificationSettings": settings}),
            words,
        )
    });
    refused("AlertRule", &table).await;
    let by_name = json!({"receiver": "a", "groupBy": ["..."], "groupWait": "0s", "groupInterval": "1m", "repeatInterval": "4h"});
    let across = json!({"receiverRef": {"name": "a", "namespace": "b"}, "groupBy": ["team"], "muteTimeIntervals": ["nights"],
        "muteTimeIntervalRefs": [{"name": "nights", "namespace": "b"}]});
    let in_grafana = json!({"receiverRef": {"grafanaName": "a"}, "groupBy": Value::Null, "muteTimeIntervals": Value::Null, "muteTimeIntervalRefs": Value::Null,
        "activeTimeIntervals": ["days"], "activeTimeIntervalRefs": [{"grafanaName": "office"}]});
    let good = [by_name, across, in_grafana]
        .map(|settings| json!({"query": "up < 1", "notificationSettings": settings}));
    accepted("AlertRule", &good).await;
}

#[tokio::test]
async fn a_policy_tree_of_a_rule_stands_alone_and_is_another_than_the_default_one() {
    let one = "give exactly one of receiver, receiverRef, policy and policyRef";
    let alone = "a policy tree says itself how and when it notifies";
    let table = [
        (json!({"receiver": "a", "policy": "b"}), one),
        (json!({"policy": "a", "policyRef": {"name": "b"}}), one),
        (
            json!({"receiverRef": {"name": "a"}, "policyRef": {"name": "b"}}),
            one,
        ),
        (json!({"policy": ""}), "spec.notificationSettings.policy"),
        (
            json!({"policyRef": {}}),
            "give exactly one of name and grafanaName",
        ),
        (
            json!({"policyRef": {"name": "a", "grafanaName": "b"}}),
            "give exactly one of name and grafanaName",
        ),
        (
            json!({"policyRef": {"grafanaName": "a", "namespace": "b"}}),
            "namespace goes with name",
        ),
        (
            json!({"policyRef": {"grafanaName": "user-defined"}}),
            "the default tree, which alerts go through anyway",
        ),
        (json!({"policy": "a", "groupBy": ["team"]}), alone),
        (json!({"policy": "a", "groupWait": "1s"}), alone),
        (json!({"policy": "a", "groupInterval": "1s"}), alone),
        (json!({"policy": "a", "repeatInterval": "1s"}), alone),
        (json!({"policy": "a", "muteTimeIntervals": ["nights"]}), alone),
        (
            json!({"policyRef": {"name": "a"}, "muteTimeIntervalRefs": [{"grafanaName": "n"}]}),
            alone,
        ),
        (
            json!({"policyRef": {"name": "a"}, "activeTimeIntervals": ["days"]}),
            alone,
        ),
        (
            json!({"policyRef": {"name": "a"}, "activeTimeIntervalRefs": [{"grafanaName": "d"}]}),
            alone,
        ),
    ];
    let with = |settings: Value| json!({"query": "up < 1", "notificationSettings": settings});
    refused(
        "AlertRule",
        &table.map(|(settings, words)| (with(settings), words)),
    )
    .await;
    let through = json!({"policy": "a", "groupBy": [], "muteTimeIntervals": Value::Null});
    let shared = json!({"policyRef": {"name": "a", "namespace": "b"}});
    let theirs = json!({"policyRef": {"grafanaName": "A tree"}});
    accepted("AlertRule", &[through, shared, theirs].map(with)).await;
}

#[tokio::test]
async fn a_good_alert_rule_is_accepted() {
    let all = json!({
        "instance": "other", "deletionPolicy": "Orphan", "suspend": false, "title": "High error rate", "uid": "high-error_rate",
        "query": "sum(rate({app=\"shop\"} |= \"error\" [5m])) > 1", "datasource": {"type": "loki"}, "for": "1h30m",
        "keepFiringFor": "0s", "interval": "1m", "severity": "high", "labels": {"_team": "shop"},
        "annotations": {"summary": "{{ $value }}", "runbook-url": "x"}, "folder": "Shop/Errors", "group": "a group",
        "noDataState": "KeepLast", "execErrState": "OK", "missingSeriesEvalsToResolve": 3, "paused": true,
        "panelRef": {"dashboardUID": "d", "panelID": 1}, "debugQueries": [{"name": "logs", "query": "{app=\"shop\"}"}],
    });
    let verbatim = json!({
        "data": [
            {"refId": "A", "queryType": "instant", "datasourceUid": "loki", "relativeTimeRange": {"from": 60}, "model": {"any": {"thing": [1]}}},
            {"refId": "B", "datasourceUid": "__expr__", "model": {}},
        ],
        "condition": "B",
    });
    let recording = json!({
        "query": "sum by (job) (rate(x[5m]))", "record": {"metric": "job:x:rate5m", "targetDatasource": {"type": "prometheus"}}, "labels": {"team": "a"}, "interval": "1m",
    });
    let recording_data =
        json!({"data": verbatim["data"], "record": {"metric": "m", "from": "A"}, "editable": true});
    // As a template writes them where a value is empty.
    let nulls = json!({
        "query": "up < 1", "data": Value::Null, "labels": Value::Null, "annotations": Value::Null, "debugQueries": Value::Null,
        "severity": "high", "for": Value::Null, "datasource": Value::Null, "deletionPolicy": Value::Null, "noDataState": Value::Null,
        "execErrState": Value::Null, "notificationSettings": Value::Null, "record": Value::Null,
    });
    accepted(
        "AlertRule",
        &[
            json!({"query": "up < 1"}),
            // A title may hold a slash, and follow what an instance puts before it.
            json!({"query": "up < 1", "folder": r"KeyDB \/ Redis/a/...", "group": "...", "interval": "10s"}),
            json!({"query": "up < 1", "folder": "/a"}),
            all,
            verbatim,
            nulls,
            recording,
            recording_data,
        ],
    )
    .await;
}

#[tokio::test]
async fn a_choice_is_explained_as_a_text_with_its_values_and_its_default() {
    let plane = control_plane().await;
    let field = "alertrule.spec.noDataState";
    // An API server tells of a new type's fields only after a while.
    let soon = Duration::from_secs(30);
    let said = wait::until("the field is explained", soon, async || {
        let output = plane.kubectl(["explain", field]).await;
        if output.success {
            wait::Seen::Yes(output.stdout)
        } else {
            wait::not_yet(output.stderr)
        }
    })
    .await;
    for part in [
        "noDataState <string>",
        "`OK` (default)",
        "`NoData`",
        "`Alerting`",
        "`KeepLast`",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[tokio::test]
async fn what_an_alert_rule_is_found_by_in_grafana_cannot_be_changed() {
    let rule = |more| with(&json!({"query": "up"}), more);
    let table = [
        (
            rule(json!({"instance": "a"})),
            rule(json!({"instance": "b"})),
            "instance is immutable",
        ),
        (
            rule(json!({})),
            rule(json!({"instance": "b"})),
            "instance is immutable",
        ),
        (
            rule(json!({"instance": "a"})),
            rule(json!({})),
            "instance is immutable",
        ),
        (
            rule(json!({"uid": "a"})),
            rule(json!({"uid": "b"})),
            "uid is immutable",
        ),
        (rule(json!({})), rule(json!({"uid": "b"})), "uid is immutable"),
        (rule(json!({"uid": "a"})), rule(json!({})), "uid is immutable"),
    ];
    immutable("AlertRule", &table).await;
    // Writing the default out changes nothing.
    let same = rule(json!({"instance": "default", "query": "up > 2"}));
    mutable("AlertRule", "a", &rule(json!({})), &same).await;
}
