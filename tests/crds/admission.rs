//! What a person hears at `kubectl apply`: mistakes that show in the object alone are refused there, each with its cure.

use serde_json::{Value, json};

use crate::control_plane;

fn object(kind: &str, name: &str, spec: &Value) -> String {
    json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    })
    .to_string()
}

/// Checks that each is refused with the words that stand beside it.
async fn refused(kind: &str, table: &[(Value, &str)]) {
    let plane = control_plane().await;
    let ns = plane.namespace("refused").await;
    let mut wrong = Vec::new();
    for (spec, words) in table {
        match plane.try_apply(&object(kind, "bad", spec), &ns).await {
            Ok(()) => wrong.push(format!("accepted: {spec}")),
            Err(error) => {
                let error = format!("{error:?}");
                if !error.contains(words) {
                    wrong.push(format!("{spec}: {error} lacks {words:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks that each is accepted.
async fn accepted(kind: &str, table: &[Value]) {
    let plane = control_plane().await;
    let ns = plane.namespace("accepted").await;
    for (i, spec) in table.iter().enumerate() {
        plane.apply(&object(kind, &format!("good-{i}"), spec), &ns).await;
    }
}

/// Checks that a resource can't be changed from the first to the second, in the words that stand beside it.
async fn immutable(kind: &str, table: &[(Value, Value, &str)]) {
    let plane = control_plane().await;
    let ns = plane.namespace("immutable").await;
    for (i, (before, after, words)) in table.iter().enumerate() {
        let name = format!("fixed-{i}");
        plane.apply(&object(kind, &name, before), &ns).await;
        let changed = plane.try_apply(&object(kind, &name, after), &ns).await;
        let error = format!("{:?}", changed.expect_err(&format!("{before} became {after}")));
        assert!(error.contains(words), "{error} lacks {words:?}");
    }
}

/// The object with some fields replaced; `null` removes one.
fn with(base: &Value, fields: Value) -> Value {
    let mut all = base.as_object().cloned().unwrap_or_default();
    for (key, value) in fields.as_object().into_iter().flatten() {
        if value.is_null() {
            all.remove(key);
        } else {
            all.insert(key.clone(), value.clone());
        }
    }
    Value::Object(all)
}

/// So many levels of routes, the last of which is given.
fn deep(levels: usize, last: Value) -> Value {
    (1..levels).fold(last, |below, _| json!({"routes": [below]}))
}

const PATTERN: &str = "should match";

#[tokio::test]
async fn a_bad_alert_rule_is_refused_with_its_cure() {
    let good = json!({"query": "up < 1"});
    let data = json!([{"refId": "A", "datasourceUid": "loki", "model": {"expr": "x"}}]);
    let long = "x".repeat(191);
    let table = [
        (json!({}), "give exactly one of query and data"),
        (
            json!({"query": "up", "data": data, "condition": "A"}),
            "give exactly one of query and data",
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
        (with(&good, json!({"folderUID": "a b"})), PATTERN),
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
        (with(&good, json!({"for": "5 minutes"})), PATTERN),
        (with(&good, json!({"for": "1.5h"})), PATTERN),
        (with(&good, json!({"for": "5m1h"})), PATTERN),
        (with(&good, json!({"for": ""})), "spec.for"),
        (with(&good, json!({"interval": "-1m"})), PATTERN),
        (with(&good, json!({"keepFiringFor": "soon"})), PATTERN),
        (with(&good, json!({"noDataState": "Ok"})), "supported values"),
        (with(&good, json!({"execErrState": "NoData"})), "supported values"),
        (
            with(&good, json!({"missingSeriesEvalsToResolve": 0})),
            "greater than or equal to 1",
        ),
        (with(&good, json!({"title": long})), "spec.title"),
        (with(&good, json!({"group": "a/b"})), PATTERN),
        (with(&good, json!({"uid": "a b"})), PATTERN),
        (with(&good, json!({"uid": "x".repeat(41)})), "spec.uid"),
        (with(&good, json!({"dashboard": {"uid": "d"}})), "panelID"),
        (
            with(&good, json!({"debugQueries": [{"name": "", "query": "x"}]})),
            "spec.debugQueries[0].name",
        ),
        (with(&good, json!({"deletionPolicy": "Keep"})), "supported values"),
        (with(&good, json!({"serverity": "high"})), "spec.serverity"),
    ];
    refused("AlertRule", &table).await;
}

#[tokio::test]
async fn a_good_alert_rule_is_accepted() {
    let all = json!({
        "instance": "other", "deletionPolicy": "Orphan", "suspend": false, "title": "High error rate", "uid": "high-error_rate",
        "query": "sum(rate({app=\"shop\"} |= \"error\" [5m])) > 1", "datasource": {"type": "loki"}, "for": "1h30m",
        "keepFiringFor": "0s", "interval": "1m", "severity": "high", "labels": {"_team": "shop"},
        "annotations": {"summary": "{{ $value }}", "runbook-url": "x"}, "folder": "Shop/Errors", "group": "a group",
        "noDataState": "KeepLast", "execErrState": "OK", "missingSeriesEvalsToResolve": 3, "paused": true,
        "dashboard": {"uid": "d", "panelID": 1}, "debugQueries": [{"name": "logs", "query": "{app=\"shop\"}"}],
    });
    let verbatim = json!({
        "data": [
            {"refId": "A", "queryType": "instant", "datasourceUid": "loki", "relativeTimeRange": {"from": 60}, "model": {"any": {"thing": [1]}}},
            {"refId": "B", "datasourceUid": "__expr__", "model": {}},
        ],
        "condition": "B",
    });
    accepted("AlertRule", &[json!({"query": "up < 1"}), all, verbatim]).await;
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
    let plane = control_plane().await;
    let ns = plane.namespace("mutable").await;
    plane
        .apply(&object("AlertRule", "a", &rule(json!({}))), &ns)
        .await;
    // Writing the default out changes nothing.
    plane
        .apply(
            &object(
                "AlertRule",
                "a",
                &rule(json!({"instance": "default", "query": "up > 2"})),
            ),
            &ns,
        )
        .await;
}

#[tokio::test]
async fn a_bad_contact_point_is_refused_with_its_cure() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let url = json!({"value": "https://example.com/hook"});
    let one = |receiver: Value| json!({"receivers": [receiver]});
    let webhook = |more: Value| one(json!({"webhook": with(&json!({"url": url}), more)}));
    let slack = |slack: Value| one(json!({"slack": slack}));
    let types = "give exactly one of email, slack, discord, pagerduty, webhook and custom";
    let table = [
        (json!({}), "spec.receivers"),
        (json!({"receivers": []}), "spec.receivers"),
        (one(json!({})), types),
        (
            one(json!({"discord": {"url": url}, "email": {"addresses": ["a@example.com"]}})),
            types,
        ),
        (one(json!({"email": {"addresses": []}})), "addresses"),
        (
            slack(json!({"url": url, "token": secret, "recipient": "#a"})),
            "give exactly one of url and token",
        ),
        (
            slack(json!({"recipient": "#a"})),
            "give exactly one of url and token",
        ),
        (slack(json!({"token": secret})), "a token needs a recipient"),
        (
            slack(json!({"url": url, "mentionChannel": "all"})),
            "supported values",
        ),
        (slack(json!({"url": "https://example.com"})), "url"),
        (
            one(json!({"discord": {"url": {}}})),
            "give exactly one of value and secretKeyRef",
        ),
        (
            one(json!({"discord": {"url": {"value": "x", "secretKeyRef": {"name": "s", "key": "k"}}}})),
            "give exactly one of value and secretKeyRef",
        ),
        (one(json!({"pagerduty": {}})), "integrationKey"),
        (
            one(json!({"pagerduty": {"integrationKey": {"value": "abc"}}})),
            "integrationKey",
        ),
        (
            one(
                json!({"pagerduty": {"integrationKey": secret, "severity": "x", "severityMap": {"a": "P1"}}}),
            ),
            "give severity or severityMap, not both",
        ),
        (
            one(json!({"pagerduty": {"integrationKey": secret, "severityMap": {"a": "P6"}}})),
            "supported values",
        ),
        (
            one(json!({"pagerduty": {"integrationKey": secret, "severityMap": {"a\"b": "P1"}}})),
            "a severity consists of letters",
        ),
        (
            webhook(json!({"username": "u"})),
            "username and password belong together",
        ),
        (
            webhook(json!({"password": secret})),
            "username and password belong together",
        ),
        (
            webhook(json!({"username": "u", "password": secret, "authorizationCredentials": secret})),
            "or authorizationCredentials, not both",
        ),
        (webhook(json!({"httpMethod": "GET"})), "supported values"),
        (webhook(json!({"maxAlerts": -1})), "greater than or equal to 0"),
        (one(json!({"custom": {"settings": {}}})), "type"),
        (
            one(json!({"custom": {"type": "line", "settings": ["a"]}})),
            "settings",
        ),
    ];
    refused("ContactPoint", &table).await;
}

#[tokio::test]
async fn a_good_contact_point_is_accepted_and_keeps_its_name() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let good = json!({"name": "On call", "receivers": [
        {"email": {"addresses": ["a@example.com"]}, "disableResolveMessage": true},
        {"slack": {"url": secret}},
        {"slack": {"token": secret, "recipient": "#alerts", "mentionChannel": "here"}},
        {"discord": {"url": {"value": "https://example.com/hook"}}},
        {"pagerduty": {"integrationKey": secret, "severityMap": {"critical": "P1", "high": "P2"}}},
        {"webhook": {"url": secret, "username": "u", "password": secret}},
        {"webhook": {"url": secret, "authorizationScheme": "Bearer", "authorizationCredentials": secret}},
        {"custom": {"type": "line", "settings": {"deep": {"er": 1}}, "secureSettings": {"token": secret}}},
    ]});
    accepted("ContactPoint", std::slice::from_ref(&good)).await;
    let table = [
        (
            good.clone(),
            with(&good, json!({"name": "other"})),
            "name is immutable",
        ),
        (
            good.clone(),
            with(&good, json!({"name": null})),
            "name is immutable",
        ),
        (
            good.clone(),
            with(&good, json!({"instance": "other"})),
            "instance is immutable",
        ),
    ];
    immutable("ContactPoint", &table).await;
}

#[tokio::test]
async fn a_bad_notification_policy_is_refused_with_its_cure() {
    let root = json!({"receiver": "a"});
    let route = |route: Value| with(&root, json!({"routes": [route]}));
    let table = [
        (json!({}), "give exactly one of receiver and receiverRef"),
        (
            with(&root, json!({"receiverRef": {"name": "b"}})),
            "give exactly one of receiver and receiverRef",
        ),
        (
            json!({"receiverRef": {}}),
            "give exactly one of name and grafanaName",
        ),
        (
            json!({"receiverRef": {"name": "a", "grafanaName": "b"}}),
            "give exactly one of name and grafanaName",
        ),
        (
            json!({"receiverRef": {"grafanaName": "a", "namespace": "b"}}),
            "namespace goes with name",
        ),
        (with(&root, json!({"groupWait": "thirty seconds"})), PATTERN),
        (with(&root, json!({"repeatInterval": "1s1h"})), PATTERN),
        (route(json!({"matchers": ["severity"]})), PATTERN),
        (
            route(json!({"matchers": ["severity=critical,team=web"]})),
            PATTERN,
        ),
        (route(json!({"matchers": ["severity=\"critical"]})), PATTERN),
        (route(json!({"matchers": ["severity==critical"]})), PATTERN),
        (
            route(json!({"receiver": "a", "receiverRef": {"name": "b"}})),
            "give receiver or receiverRef, not both",
        ),
        (route(json!({"muteTimeIntervals": ["x"]})), "muteTimeIntervals"),
        // Below the second level it is plain schema, which says less.
        (
            route(deep(4, json!({"receiver": "a", "receiverRef": {"name": "b"}}))),
            "spec.routes[0].routes[0].routes[0].routes[0]",
        ),
        (
            route(deep(6, json!({"receiver": "a"}))),
            "must have at most 0 items",
        ),
    ];
    refused("NotificationPolicy", &table).await;
}

#[tokio::test]
async fn a_good_notification_policy_is_accepted() {
    let table = [
        json!({"receiver": "a"}),
        json!({"receiverRef": {"name": "a", "namespace": "other"}}),
        json!({"receiverRef": {"grafanaName": "grafana-default-email"}, "groupBy": ["..."], "routes": [
            {"matchers": ["severity=\"critical\"", "team=~\"a|b\"", "env!=dev", "zone !~ \"x.*\""], "continue": true, "groupWait": "0s",
             "routes": [{"receiver": "a", "routes": [{"receiverRef": {"name": "b"}, "repeatInterval": "1d12h"}]}]},
        ]}),
    ];
    accepted("NotificationPolicy", &table).await;
    let deepest = with(&table[0], json!({"routes": [deep(5, json!({"receiver": "a"}))]}));
    accepted("NotificationPolicy", &[deepest]).await;
    let other = with(&table[0], json!({"instance": "other"}));
    immutable(
        "NotificationPolicy",
        &[(table[0].clone(), other, "instance is immutable")],
    )
    .await;
}

#[tokio::test]
async fn a_bad_silence_is_refused_with_its_cure() {
    let good = json!({"matchers": ["a=b"], "duration": "1h"});
    let rules = |rules: Value| with(&good, json!({"alertRules": rules}));
    let selector = "give exactly one of names, matchLabels and all";
    let table = [
        (
            with(&good, json!({"duration": null})),
            "give exactly one of endsAt and duration",
        ),
        (
            with(&good, json!({"endsAt": "2030-01-01T00:00:00Z"})),
            "give exactly one of endsAt and duration",
        ),
        (
            with(&good, json!({"matchers": null})),
            "a silence needs matchers or alertRules",
        ),
        (with(&good, json!({"matchers": []})), "spec.matchers"),
        (with(&good, json!({"matchers": ["a"]})), PATTERN),
        (with(&good, json!({"duration": "an hour"})), PATTERN),
        (
            with(&good, json!({"duration": null, "endsAt": "tomorrow"})),
            "spec.endsAt",
        ),
        (
            with(
                &good,
                json!({"duration": null, "startsAt": "2030-01-02T00:00:00Z", "endsAt": "2030-01-01T00:00:00Z"}),
            ),
            "endsAt must be after startsAt",
        ),
        (rules(json!({})), selector),
        (rules(json!({"all": true, "names": ["a"]})), selector),
        (rules(json!({"all": false})), "all can only be true"),
        (rules(json!({"names": []})), "spec.alertRules.names"),
        (rules(json!({"matchLabels": {}})), "spec.alertRules.matchLabels"),
        (with(&good, json!({"ttlAfterExpiry": "never"})), PATTERN),
    ];
    refused("Silence", &table).await;
}

#[tokio::test]
async fn a_good_silence_is_accepted() {
    let table = [
        json!({"matchers": ["a=b"], "duration": "1d12h"}),
        json!({"alertRules": {"all": true}, "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2030-01-02T00:00:00+02:00", "ttlAfterExpiry": "1h"}),
        json!({"alertRules": {"names": ["a.b"]}, "matchers": ["severity!=\"critical\""], "duration": "1h", "comment": "why"}),
        json!({"alertRules": {"matchLabels": {"app.kubernetes.io/name": "shop"}}, "duration": "1h"}),
    ];
    accepted("Silence", &table).await;
    let other = with(&table[0], json!({"instance": "other"}));
    immutable("Silence", &[(table[0].clone(), other, "instance is immutable")]).await;
}

#[tokio::test]
async fn a_bad_maintenance_policy_is_refused_with_its_cure() {
    let targets = json!({"targets": [{"kind": "Deployment"}]});
    let silence = |silence: Value| with(&targets, json!({"silence": silence}));
    let table = [
        (json!({}), "spec.targets"),
        (json!({"targets": []}), "spec.targets"),
        (json!({"targets": [{"kind": "Pod"}]}), "supported values"),
        (silence(json!({"lease": "5 min"})), PATTERN),
        (silence(json!({"matchers": ["severity"]})), PATTERN),
        (
            silence(json!({"alertRules": {"all": true, "names": ["a"]}})),
            "give exactly one of names, matchLabels and all",
        ),
    ];
    refused("MaintenancePolicy", &table).await;
    let good = json!({
        "targets": [{"kind": "Deployment", "selector": {"matchLabels": {"a": "b"}}}, {"kind": "Job"}],
        "silence": {"alertRules": {"all": true}, "matchers": ["severity!=critical"], "lease": "5m", "linger": "0s", "maxDuration": "1h"},
    });
    accepted("MaintenancePolicy", &[targets, good]).await;
}

#[tokio::test]
async fn a_bad_grafana_instance_is_refused_with_its_cure() {
    let secret = json!({"secretKeyRef": {"name": "s", "key": "k"}});
    let good = json!({"url": "https://grafana.example.com/sub", "auth": {"token": secret}});
    let table = [
        (with(&good, json!({"url": "grafana:3000"})), PATTERN),
        (
            with(&good, json!({"url": "https://user:password@grafana"})),
            PATTERN,
        ),
        (
            with(&good, json!({"auth": {}})),
            "give exactly one of token and basic",
        ),
        (
            with(&good, json!({"auth": {"token": {"value": "in the clear"}}})),
            "spec.auth.token",
        ),
        (
            with(
                &good,
                json!({"auth": {"token": secret, "basic": {"username": {"value": "a"}, "password": secret}}}),
            ),
            "give exactly one of token and basic",
        ),
        (with(&good, json!({"orgId": 0})), "greater than or equal to 1"),
        (
            with(&good, json!({"tls": {"clientKey": secret}})),
            "clientCertificate and clientKey belong together",
        ),
        (
            with(&good, json!({"labels": {"__alertwright__": "x"}})),
            "isn't of the form __name__",
        ),
        (with(&good, json!({"resyncInterval": "often"})), PATTERN),
    ];
    refused("GrafanaInstance", &table).await;
    let full = with(
        &good,
        json!({
            "externalURL": "http://localhost:3000", "orgId": 2, "defaultDatasource": {"uid": "loki"}, "labels": {"cluster": "prod"},
            "tls": {"ca": {"value": "pem"}, "insecureSkipVerify": false}, "resyncInterval": "30s", "folderPrefix": "Prod ",
        }),
    );
    accepted("GrafanaInstance", &[good, full]).await;
}
