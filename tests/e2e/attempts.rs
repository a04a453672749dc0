//! Names and values that somebody chose to reach what is another's: each is what it says, and nothing beside it is touched.

use alertwright::api::{AlertRule, ContactPoint, Silence, TimeInterval};
use alertwright_testbed::{any_release, apply};
use kube::ResourceExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{self, World};

/// Each would be another name or matcher where it is put together with others as text.
const HOSTILE: [&str; 8] = [
    "../victim",
    "a/victim",
    "victim?x=1",
    "victim#x",
    "victim%2fx",
    "victim\" x=~\".*",
    "victim|.*",
    "victim {{ .x }}\\",
];

/// What somebody else has under the name that all of them try for.
async fn victims(w: &World) {
    let write = async |method: Method, path: &str, body: Value| {
        w.grafana.write_as_frontend(method, path, body).await.ok();
    };
    let point = json!({"name": "victim", "type": "email", "settings": {"addresses": "victim@example.com"}});
    write(Method::POST, "/api/v1/provisioning/contact-points", point).await;
    let interval = json!({"name": "victim", "time_intervals": [{"weekdays": ["monday"]}]});
    write(Method::POST, "/api/v1/provisioning/mute-timings", interval).await;
    let folder = json!({"uid": "victim", "title": "victim"});
    w.grafana.post("/api/folders", folder).await.ok();
    let query = json!({
        "refId": "A", "datasourceUid": "loki", "relativeTimeRange": {"from": 600, "to": 0},
        "model": {"refId": "A", "expr": "sum(count_over_time({app=\"victim\"} [5m])) > 1", "queryType": "instant"},
    });
    let rule = json!({
        "uid": "victim", "title": "victim", "folderUID": "victim", "ruleGroup": "victim", "condition": "A", "data": [query],
        "noDataState": "OK", "execErrState": "Error", "for": "1m", "orgID": 1,
    });
    write(Method::POST, "/api/v1/provisioning/alert-rules", rule).await;
}

/// What there is of them.
async fn left(w: &World) -> [Vec<Value>; 4] {
    let (rule, point) = (
        w.grafana.rule("victim").await,
        w.grafana.contact_point("victim").await,
    );
    let of = |all: Vec<Value>, field: &str| {
        let all = all.into_iter();
        all.filter(|one| one[field] == "victim").collect::<Vec<_>>()
    };
    let folders = of(w.grafana.folders().await, "title");
    let intervals = of(w.grafana.mute_timings().await, "name");
    [rule.into_iter().collect(), point, folders, intervals]
}

/// The values of the matchers on `a` of a silence in Grafana, each with whether it is a regular expression.
async fn matched(w: &World, silence: &Silence) -> Vec<(String, bool)> {
    let id = silence
        .status
        .clone()
        .and_then(|status| status.id)
        .expect("an id");
    let all = w.grafana.active_silences().await;
    let found = all.iter().find(|one| one["id"] == id.as_str());
    let matchers = found
        .and_then(|one| one["matchers"].as_array())
        .expect("a silence");
    matchers
        .iter()
        .filter(|matcher| matcher["name"] == "a")
        .map(|matcher| {
            let value = matcher["value"].as_str().unwrap_or_default();
            (value.to_owned(), matcher["isRegex"] == true)
        })
        .collect()
}

#[apply(any_release)]
async fn hostile_names_and_values_are_names_and_values_and_touch_nothing_else() {
    let w = world::start().await;
    victims(&w).await;
    let before = left(&w).await;
    assert!(before.iter().all(|found| found.len() == 1), "{before:?}");
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let name = format!("try-{number}");
        let point =
            json!({"name": hostile, "integrations": [{"email": {"addresses": ["evil@example.com"]}}]});
        w.put("ContactPoint", &name, point).await;
        let interval = json!({"name": hostile, "timeIntervals": [{"weekdays": ["friday"]}]});
        w.put("TimeInterval", &name, interval).await;
        let rule = json!({
            "query": crate::rules::QUIET, "title": hostile, "labels": {"a": hostile}, "annotations": {"summary": "x"},
        });
        w.put("AlertRule", &name, rule).await;
        let matcher = format!("a={hostile:?}");
        let silence = json!({"matchers": [matcher], "endsAt": "2100-01-01T00:00:00Z"});
        w.put("Silence", &name, silence).await;
    }
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let name = format!("try-{number}");
        w.synced::<ContactPoint>(&name).await;
        w.synced::<TimeInterval>(&name).await;
        let rule = w.synced::<AlertRule>(&name).await;
        let uid = rule.status.as_ref().and_then(|status| status.uid.clone());
        let rule = w.grafana.rule(&uid.expect("a uid")).await.expect("a rule");
        assert_eq!(rule["title"], *hostile);
        let silence = w.synced::<Silence>(&name).await;
        let matched = matched(&w, &silence).await;
        assert_eq!(
            matched,
            [((*hostile).to_owned(), false)],
            "{}",
            silence.name_any()
        );
        assert_eq!(w.grafana.contact_point(hostile).await.len(), 1, "{hostile}");
    }
    assert_eq!(left(&w).await, before, "after all were made");
    for number in 0..HOSTILE.len() {
        let name = format!("try-{number}");
        w.delete::<Silence>(&name).await;
        w.delete::<AlertRule>(&name).await;
        w.delete::<TimeInterval>(&name).await;
        w.delete::<ContactPoint>(&name).await;
    }
    assert_eq!(left(&w).await, before, "after all were deleted");
    assert_eq!(w.grafana.rules().await.len(), 1);
    assert_eq!(w.grafana.mute_timings().await.len(), 1);
}
