//! What there is in a Grafana, without what differs from run to run: moments, numbers, ids by chance.

use alertwright_testbed::Grafana;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const INHIBITION_RULES: &str =
    "/apis/notifications.alerting.grafana.app/v0alpha1/namespaces/default/inhibitionrules";

/// What there is when all is made, when all is changed, and when all is deleted.
#[derive(Debug, Clone)]
pub(super) struct Stages {
    pub(super) made: Value,
    pub(super) changed: Value,
    pub(super) left: Value,
}

/// Fields that differ from run to run.
const CHANCE: [&str; 14] = [
    "id",
    "updated",
    "updatedAt",
    "version",
    "guid",
    "resourceVersion",
    "creationTimestamp",
    "startsAt",
    "generation",
    "updated_by",
    "namespace_id",
    "managedFields",
    "annotations",
    "uid",
];

/// Makes what isn't ours, and must stay as it is: of each kind one.
pub(super) async fn add_foreign(grafana: &Grafana) {
    let post = async |path: &str, body: Value| {
        grafana.write_as_frontend(Method::POST, path, body).await.ok();
    };
    let folder = json!({"uid": "foreign", "title": "Foreign"});
    post("/api/folders", folder).await;
    let query = json!({
        "refId": "A", "datasourceUid": "loki", "relativeTimeRange": {"from": 600, "to": 0},
        "model": {"refId": "A", "expr": "sum(count_over_time({app=\"foreign\"} [5m])) > 1", "queryType": "instant"},
    });
    let rule = json!({
        "uid": "foreign", "title": "Foreign", "folderUID": "foreign", "ruleGroup": "foreign", "condition": "A", "data": [query],
        "noDataState": "OK", "execErrState": "Error", "for": "1m", "orgID": 1,
    });
    post("/api/v1/provisioning/alert-rules", rule).await;
    let point = json!({"name": "foreign", "type": "email", "settings": {"addresses": "foreign@example.com"}});
    post("/api/v1/provisioning/contact-points", point).await;
    let timing = json!({"name": "foreign", "time_intervals": [{"weekdays": ["monday"]}]});
    post("/api/v1/provisioning/mute-timings", timing).await;
    let template = json!({"template": "{{ define \"foreign\" }}foreign{{ end }}"});
    grafana
        .write_as_frontend(Method::PUT, "/api/v1/provisioning/templates/foreign", template)
        .await
        .ok();
    let silence = json!({
        "matchers": [{"name": "a", "value": "foreign", "isRegex": false, "isEqual": true}], "comment": "foreign", "createdBy": "foreign",
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2100-01-01T00:00:00Z",
    });
    post("/api/alertmanager/grafana/api/v2/silences", silence).await;
}

/// What there is, in one order.
pub(super) async fn of(grafana: &Grafana) -> Value {
    let silences: Vec<_> = grafana
        .silences()
        .await
        .into_iter()
        .filter(|silence| silence["status"]["state"] != "expired")
        .collect();
    let inhibition = grafana.get(INHIBITION_RULES).await;
    let inhibition = match inhibition.status {
        StatusCode::OK => inhibition.body["items"].as_array().cloned().unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut state = json!({
        "rules": sorted(grafana.rules().await.into_iter().map(rule)),
        "contact points": sorted(grafana.contact_points().await.into_iter()),
        "tree": grafana.policy_tree().await,
        "time intervals": sorted(grafana.mute_timings().await.into_iter()),
        "templates": sorted(grafana.templates().await.into_iter()),
        "silences": sorted(silences.into_iter()),
        "inhibition rules": sorted(inhibition.into_iter()),
    });
    if let Some(tree) = state.get_mut("tree") {
        without_chance(tree);
    }
    state
}

/// A rule with its uid, which is no chance, and its annotations; its queries in one order, for a Grafana that keeps them by name has none.
fn rule(mut rule: Value) -> Value {
    if let Some(data) = rule
        .pointer_mut("/grafana_alert/data")
        .and_then(Value::as_array_mut)
    {
        data.sort_by_key(|query| query["refId"].to_string());
    }
    let kept = json!({
        "uid": rule["grafana_alert"]["uid"], "texts": rule["annotations"],
    });
    json!({"rule": rule, "kept": [kept["uid"].to_string(), kept["texts"].to_string()]})
}

fn sorted(objects: impl Iterator<Item = Value>) -> Value {
    let mut objects: Vec<_> = objects
        .map(|mut object| {
            without_chance(&mut object);
            object
        })
        .collect();
    objects.sort_by_key(ToString::to_string);
    Value::Array(objects)
}

fn without_chance(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !CHANCE.contains(&name.as_str()));
            fields.values_mut().for_each(without_chance);
        }
        Value::Array(items) => items.iter_mut().for_each(without_chance),
        _ => {}
    }
}

/// What is expected and not there, and what is there and not expected, line by line.
pub(super) fn difference(expected: &Value, found: &Value) -> String {
    let lines = |value: &Value| {
        format!("{value:#}")
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (expected, found) = (lines(expected), lines(found));
    let missing = expected.iter().filter(|line| !found.contains(line));
    let added = found.iter().filter(|line| !expected.contains(line));
    let told: Vec<_> = missing
        .map(|line| format!("- {line}"))
        .chain(added.map(|line| format!("+ {line}")))
        .collect();
    if told.is_empty() {
        // The same lines, in another order or number.
        let place = expected
            .iter()
            .zip(&found)
            .take_while(|(one, other)| one == other)
            .count();
        let near = |lines: &[String]| {
            lines
                .iter()
                .skip(place.saturating_sub(8))
                .take(16)
                .cloned()
                .collect::<Vec<_>>()
                .join("\n")
        };
        format!(
            "line {place} is the first that differs; expected:\n{}\nfound:\n{}",
            near(&expected),
            near(&found)
        )
    } else {
        told.join("\n")
    }
}
