//! What is told of a rule, of resources as an API server gives them and at a moment of one's own.
#![allow(clippy::needless_pass_by_value, reason = "tests read better so")]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::common::terminal::Look;
use super::life::{Life, find};
use super::text;
use crate::domain::lint::object::Object;

fn now() -> Timestamp {
    "2026-11-27T21:00:00Z".parse().unwrap()
}

fn object(kind: &str, name: &str, spec: Value, mut status: Value) -> Object {
    status["conditions"] = json!([{"type": "Ready", "status": "True", "reason": "Synced", "message": "stored", "observedGeneration": 3, "lastTransitionTime": "2026-11-24T21:00:00Z"}]);
    let value = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "spec": spec, "status": status,
        "metadata": {"namespace": "revel", "name": name, "generation": 3, "creationTimestamp": "2026-11-07T21:00:00Z"},
    });
    Object::new(value, "")
}

fn cluster(spec: Value) -> Vec<Object> {
    let status = json!({
        "uid": "aw-x", "folder": "revel", "group": "stripe", "state": "Error", "stateSince": "2026-11-27T20:46:00Z", "stateMessage": "loki: too many requests",
        "url": "https://g.example/alerting/grafana/aw-x/view",
    });
    let hook = json!({"integrations": [{"webhook": {"url": {"value": "http://hook"}}}]});
    let tree = json!({"receiver": "email", "routes": [{"matchers": ["team=payments"], "receiver": "slack"}]});
    let silence = json!({"alertRules": {"names": ["stripe"]}, "startsAt": "2026-11-27T20:00:00Z", "endsAt": "2026-11-27T23:33:00Z", "comment": "load\ntest"});
    vec![
        object("AlertRule", "stripe", spec, status),
        object(
            "ContactPoint",
            "slack",
            hook.clone(),
            json!({"delivery": "OK", "lastSent": "2026-11-27T20:58:00Z"}),
        ),
        object("ContactPoint", "email", hook, json!({})),
        object("NotificationPolicy", "tree", tree, json!({})),
        object(
            "Silence",
            "test",
            silence,
            json!({"state": "Active", "endsAt": "2026-11-27T23:33:00Z"}),
        ),
    ]
}

fn life(spec: Value) -> Life {
    let all = cluster(spec);
    let rule = find(&all, "revel", "stripe").unwrap();
    Life::new(&all, rule, None, now(), &|_| None).unwrap()
}

#[test]
fn a_rule_is_followed_from_its_resource_to_the_last_notification() {
    let life = life(json!({
        "title": "Stripe", "query": "sum(count_over_time({a=\"b\"} [10m])) > 5", "for": "5m", "severity": "high", "labels": {"team": "payments"},
    }));
    let expected = "\
RULE      AlertRule revel/stripe, alert Stripe, severity high, generation 3, 20d old
QUERY     A: sum(count_over_time({a=\"b\"} [10m]))
          fires where A > 5, for 5m, every 1m, the instance's default data source
GRAFANA   instance default, folder revel, group stripe, uid aw-x
          in sync for 3d
STATE     Error for 14m: loki: too many requests
ROUTE     of the alert DatasourceError, which Grafana has in this state
          slack by team=\"payments\" (NotificationPolicy revel/tree, spec.routes[0])
SILENCED  until 23:33 by Silence revel/test: load test
SENT      slack: OK since 2m ago
LINK      https://g.example/alerting/grafana/aw-x/view
";
    assert_eq!(text::all(&life, now(), &TimeZone::UTC, Look::default()), expected);
}

#[test]
fn a_route_of_what_grafana_does_not_have_is_told_as_one_of_what_is_written() {
    for (change, said) in [
        (
            json!({"reason": "Suspended", "status": "False"}),
            "ROUTE     as written here (Suspended); Grafana still has what was stored before\n          of the alert DatasourceError, which Grafana has in this state\n          email (",
        ),
        (
            json!({"observedGeneration": 2}),
            "ROUTE     as written here (Outdated); Grafana still has what was stored before\n          of the alert DatasourceError, which Grafana has in this state\n          email (",
        ),
        (
            json!({"reason": "Drifted"}),
            "ROUTE     of the alert DatasourceError, which Grafana has in this state\n          email (",
        ),
    ] {
        let mut all = cluster(json!({"query": "up > 1"}));
        all[0].value["status"]["stored"] = json!("abc");
        let ready = all[0].value["status"]["conditions"][0].as_object_mut().unwrap();
        ready.extend(change.as_object().unwrap().clone());
        all[0] = Object::new(all[0].value.clone(), "");
        let life = Life::new(&all, &all[0], None, now(), &|_| None).unwrap();
        let page = text::all(&life, now(), &TimeZone::UTC, Look::default());
        assert!(page.contains(said), "{page}");
    }
}

#[test]
fn a_policy_that_grafana_does_not_have_as_it_is_written_is_told_with_the_route() {
    let mut all = cluster(json!({"query": "up > 1"}));
    let tree = all
        .iter_mut()
        .find(|object| object.kind == "NotificationPolicy")
        .unwrap();
    tree.value["status"]["stored"] = json!("abc");
    tree.value["status"]["conditions"][0]["reason"] = json!("Suspended");
    tree.value["status"]["conditions"][0]["status"] = json!("False");
    // One of another Grafana has no part in it.
    let mut other = object(
        "NotificationPolicy",
        "other",
        json!({"receiver": "email", "instance": "b"}),
        json!({}),
    );
    other.value["status"]["conditions"][0]["status"] = json!("False");
    all.push(other);
    let life = Life::new(&all, &all[0], None, now(), &|_| None).unwrap();
    let page = text::all(&life, now(), &TimeZone::UTC, Look::default());
    let said = "ROUTE     NotificationPolicy revel/tree: as written here (Suspended); Grafana still has what was stored before\n          of the alert DatasourceError, which Grafana has in this state\n          email (";
    assert!(page.contains(said), "{page}");
    assert!(!page.contains("revel/other"), "{page}");
}

#[test]
fn a_query_is_told_as_the_operator_takes_it_apart() {
    let of = |spec: Value| {
        let query = life(spec).query;
        (query.queries, query.comparison, query.note)
    };
    let a = |text: &str| vec![("A".to_owned(), text.to_owned())];
    let (queries, comparison, note) = of(json!({"query": "absent(up)"}));
    assert_eq!((queries, comparison), (a("absent(up)"), None));
    assert_eq!(
        note.as_deref(),
        Some("fires for each sample, because nothing is compared")
    );
    let (queries, comparison, _) = of(json!({"query": "5 < up"}));
    assert_eq!((queries, comparison.as_deref()), (a("up"), Some("> 5")));
    let data = json!([
        {"refId": "A", "datasourceUid": "p", "model": {"expr": "up"}},
        {"refId": "B", "datasourceUid": "__expr__", "model": {"type": "math", "expression": "$A > 1"}},
    ]);
    let asked = life(json!({"data": data, "condition": "B"})).query.datasource;
    assert_eq!(asked.as_deref(), Some("p"));
    let several = json!([{"refId": "A", "datasourceUid": "p", "model": {"expr": "up"}}, {"refId": "C", "datasourceUid": "q", "model": {"expr": "up"}}]);
    let asked = life(json!({"data": several, "condition": "A"})).query;
    assert_eq!(asked.datasource.as_deref(), Some("p, q"));
    assert_eq!(asked.queries[1].1, "up (data source q)");
    let (queries, _, note) = of(json!({"data": data, "condition": "B"}));
    assert_eq!(queries[1], ("B".to_owned(), "math: $A > 1".to_owned()));
    assert_eq!(note.as_deref(), Some("B decides"));
    let (_, _, note) = of(json!({"query": "sum(up", "title": "t"}));
    assert!(
        note.is_some_and(|note| note.contains("closed")),
        "a mistake is told"
    );
}

#[test]
fn of_what_records_nobody_is_told() {
    let life = life(json!({"query": "sum(up)", "title": "ups", "record": {"metric": "up:sum"}}));
    let said = text::all(&life, now(), &TimeZone::UTC, Look::default());
    for line in [
        "RULE      AlertRule revel/stripe, recording rule ups, generation 3, 20d old\n",
        "QUERY     A: sum(up)\n          recorded as up:sum, every 1m, the",
        "ROUTE     nobody: a recording rule has no alerts\nSILENCED  –\nSENT      –\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn who_has_no_notification_and_what_is_not_known_is_said() {
    let to_email = life(json!({"query": "up > 1", "labels": {"team": "{{ $labels.team }}"}}));
    let said = text::all(&to_email, now(), &TimeZone::UTC, Look::default());
    assert!(
        said.contains("\n          email (NotificationPolicy revel/tree, spec)"),
        "{said}"
    );
    assert!(said.contains("without team, which come from templates"), "{said}");
    assert!(
        said.contains("SENT      email: not known: Grafana tells of no attempt since"),
        "{said}"
    );
}

#[test]
fn a_rule_that_is_not_there_is_told_with_what_is_near() {
    let all = cluster(json!({"query": "up > 1"}));
    let why = |namespace: &str, name: &str| {
        find(&all, namespace, name)
            .map(|rule| rule.name.clone())
            .unwrap_err()
    };
    assert!(why("revel", "strip").ends_with("; there is stripe"));
    assert!(why("shop", "stripe").ends_with("; there is revel/stripe"));
}

#[test]
fn what_is_somebody_elses_in_grafana_is_told_as_such() {
    let mut all = cluster(json!({"query": "up > 1", "labels": {"team": "x"}}));
    all.retain(|object| object.kind != "Silence");
    let rule = &mut all[0];
    rule.value["status"] = json!({
        "folder": r"Payments \/ EU", "uid": "aw-x",
        "conditions": [{"type": "Ready", "status": "False", "reason": "NotOwned", "message": "m", "observedGeneration": 3, "lastTransitionTime": "2026-11-24T21:00:00Z"}],
    });
    all[0] = Object::new(all[0].value.clone(), "");
    let life = Life::new(&all, &all[0], None, now(), &|_| None).unwrap();
    let page = text::all(&life, now(), &TimeZone::UTC, Look::default());
    for line in [
        "GRAFANA   instance default, folder Payments / EU, uid aw-x\n",
        "STATE     not known: what Grafana has is somebody else's\n",
        "ROUTE     as written here (NotOwned); Grafana has somebody else's in its place\n",
        "SILENCED  by no resource; silences made in Grafana aren't looked at\n",
    ] {
        assert!(page.contains(line), "{page}");
    }
}
