use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::grafana::model::{AlertRule, ContactPoint, Integration, Query, Route};

fn told(all: &[Difference]) -> Vec<(String, Value, Value)> {
    let value = |value: &Option<Value>| value.clone().unwrap_or(Value::Null);
    all.iter()
        .map(|one| (one.field.clone(), value(&one.before), value(&one.after)))
        .collect()
}

fn one(field: &str, before: Value, after: Value) -> (String, Value, Value) {
    (field.to_owned(), before, after)
}

fn alert() -> AlertRule {
    AlertRule {
        title: "A".into(),
        folder_uid: "f".into(),
        r#for: "300s".into(),
        interval: Duration::from_secs(60),
        data: vec![Query {
            ref_id: "A".into(),
            datasource_uid: "loki".into(),
            model: json!({"expr": "sum(x)", "intervalMs": 1000}),
            ..Query::default()
        }],
        ..AlertRule::default()
    }
}

#[test]
fn a_rule_is_told_field_by_field_and_what_grafana_takes_for_the_same_is_not() {
    let same = AlertRule {
        r#for: "5m".into(),
        keep_firing_for: Some("0s".into()),
        ..alert()
    };
    assert_eq!(rule(&alert(), &same, |_| None), []);
    let mut other = AlertRule {
        r#for: "2m".into(),
        interval: Duration::from_secs(30),
        folder_uid: "g".into(),
        ..alert()
    };
    other.annotations.insert("summary".into(), "it is on fire".into());
    other.data[0].model = json!({"expr": "sum(y)", "intervalMs": 1000, "maxDataPoints": 43200});
    let titles = |uid: &str| (uid == "g").then(|| "shop/web".to_owned());
    assert_eq!(
        told(&rule(&alert(), &other, titles)),
        [
            one("folder", json!("f"), json!("shop/web")),
            one("data[A].model.expr", json!("sum(x)"), json!("sum(y)")),
            one("for", json!("300s"), json!("2m")),
            one("annotations.summary", Value::Null, json!("it is on fire")),
            one("interval", json!("1m"), json!("30s")),
        ]
    );
}

fn route(value: Value) -> Route {
    serde_json::from_value(value).unwrap()
}

#[test]
fn of_a_tree_only_routes_that_do_something_else_are_told() {
    let before = route(json!({"receiver": "a", "routes": [
        {"receiver": "b", "object_matchers": [["x", "=", "1"]], "continue": true},
        {"receiver": "c", "object_matchers": [["y", "=", "1"]]},
        {"receiver": "d"},
    ]}));
    let after = route(json!({"receiver": "a", "group_wait": "30s", "routes": [
        {"receiver": "b", "object_matchers": [["x", "=", "1"]]},
        {"receiver": "d"},
    ]}));
    assert_eq!(
        told(&tree(&before, &after)),
        [
            one("routes[0].continue", json!(true), json!(false)),
            one("routes[1]", json!("y=\"1\" → c"), Value::Null),
        ]
    );
    assert_eq!(tree(&before, &before), []);
}

#[test]
fn what_a_route_says_or_inherits_is_one() {
    let tree_of = |above: &str, own: Value| {
        let mut below = json!({"object_matchers": [["x", "=", "1"]], "continue": true});
        below
            .as_object_mut()
            .unwrap()
            .extend(own.as_object().unwrap().clone());
        route(json!({"receiver": above, "group_by": ["a", "b"], "group_wait": "1m", "routes": [below]}))
    };
    let inherits = tree_of("a", json!({}));
    // The operator writes a receiver at each route.
    let says = tree_of(
        "a",
        json!({"receiver": "a", "group_by": ["b", "a"], "group_wait": "60s", "continue": false}),
    );
    let continues = |before: bool, after: bool| one("routes[0].continue", json!(before), json!(after));
    assert_eq!(told(&tree(&inherits, &says)), [continues(true, false)]);
    assert_eq!(told(&tree(&says, &inherits)), [continues(false, true)]);
    // What follows the one above it is told there.
    let moved = tree_of("c", json!({"receiver": "c"}));
    assert_eq!(
        told(&tree(&inherits, &moved)),
        [one("receiver", json!("a"), json!("c"))]
    );
    // And what stays as it was though the one above it is another now is none.
    let kept = tree_of("c", json!({"receiver": "a"}));
    assert_eq!(
        told(&tree(&inherits, &kept)),
        [one("receiver", json!("a"), json!("c"))]
    );
    let other = tree_of("a", json!({"receiver": "d"}));
    assert_eq!(
        told(&tree(&inherits, &other)),
        [one("routes[0].receiver", Value::Null, json!("d"))]
    );
}

#[test]
fn a_branch_is_told_of_by_its_mark_and_not_with_the_tree() {
    let branch = |receiver: &str| json!({"receiver": receiver, "object_matchers": [["__alertwright_tree__", "!=", "o/n/b"]], "continue": true});
    let with = |branches: Value| route(json!({"receiver": "a", "routes": branches}));
    let (none, one_, other) = (
        with(json!([])),
        with(json!([branch("x")])),
        with(json!([branch("y")])),
    );
    assert_eq!(tree(&one_, &other), []);
    assert_eq!(branches(Some(&none), Some(&one_)), [("o/n/b", Branch::New)]);
    assert_eq!(branches(Some(&one_), Some(&none)), [("o/n/b", Branch::Gone)]);
    let found = branches(Some(&one_), Some(&other));
    let Branch::Other(all) = &found[0].1 else { panic!() };
    assert_eq!(told(all), [one("receiver", json!("x"), json!("y"))]);
}

/// What stands for a secret that can't be read.
const UNKNOWN: &str = "https://not.known";

fn known(values: &BTreeSet<String>) -> Secrets<'_> {
    Secrets {
        values,
        unknown: UNKNOWN,
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]
fn point(settings: Value) -> ContactPoint {
    ContactPoint {
        name: "p".into(),
        integrations: vec![Integration {
            uid: "u".into(),
            r#type: "slack".into(),
            settings: settings.as_object().cloned().unwrap(),
            ..Integration::default()
        }],
    }
}

#[test]
fn what_comes_from_a_secret_that_cannot_be_read_is_not_compared() {
    let found =
        point(json!({"title": "t", "url": "https://hook?sig=s3cr3t", "headers": {"X-Key": "s3cr3t"}}));
    let wish = |title: &str| point(json!({"title": title, "url": UNKNOWN, "headers": {"X-Key": UNKNOWN}}));
    let none = BTreeSet::new();
    assert_eq!(contact_point(&found, &wish("t"), &known(&none)), []);
    assert_eq!(
        told(&contact_point(&found, &wish("new"), &known(&none))),
        [one("slack.title", json!("t"), json!("new"))]
    );
}

#[test]
fn what_a_secret_fed_until_now_is_not_shown_where_it_goes_or_stands_in_the_clear() {
    let found = point(json!({
        "url": "https://hook?sig=s3cr3t", "headers": {"title": "s3cr3t"}, "own": {"field": "s3cr3t"}, "short": true, "title": "t",
    }));
    let wish = point(json!({"url": "https://plain"}));
    let none = BTreeSet::new();
    assert_eq!(
        told(&contact_point(&found, &wish, &known(&none))),
        [
            one("slack.url", json!(SECRET), json!("https://plain")),
            one("slack.headers.title", json!(SECRET), Value::Null),
            one("slack.own.field", json!(SECRET), Value::Null),
            one("slack.short", json!(true), Value::Null),
            one("slack.title", json!("t"), Value::Null),
        ]
    );
}

#[test]
fn no_secret_of_a_contact_point_is_shown() {
    let found = point(json!({"token": "[REDACTED]", "title": "old", "url": "https://old"}));
    let wish = point(json!({"token": "xoxb-1", "title": "new", "url": "https://hook/s3cr3t"}));
    let secrets = BTreeSet::from(["https://hook/s3cr3t".to_owned(), "xoxb-1".to_owned()]);
    let all = contact_point(&found, &wish, &known(&secrets));
    assert_eq!(
        told(&all),
        [
            one("slack.title", json!("old"), json!("new")),
            one("slack.url", json!(SECRET), json!(SECRET)),
        ]
    );
}
