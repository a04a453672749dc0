use serde_json::json;

use super::super::index::counted::LOOKED;
use super::super::machine::{Machine, State};
use super::super::threshold;
use super::*;

const NEWEST: Version = Version::new(13, 3, 0);

fn rule(queries: &Json, condition: &str) -> AlertRule {
    let data = queries.as_array().unwrap().iter().map(|query| Query {
        ref_id: query["refId"].as_str().unwrap().to_owned(),
        datasource_uid: if query["type"].is_null() { "p" } else { "__expr__" }.to_owned(),
        model: query.clone(),
        ..Query::default()
    });
    AlertRule {
        data: data.collect(),
        condition: condition.to_owned(),
        r#for: "2m".to_owned(),
        no_data_state: "NoData".to_owned(),
        exec_err_state: "Error".to_owned(),
        ..AlertRule::default()
    }
}

/// As `query` is sent, in an order that isn't that of its needs.
fn split() -> AlertRule {
    rule(
        &json!([
            {"refId": "C", "type": "math", "expression": "is_number(1 / ($B > 5))"},
            {"refId": "B", "type": "reduce", "reducer": "last", "expression": "A"},
            {"refId": "A", "expr": "up"},
        ]),
        "C",
    )
}

fn of(x: f64) -> Known {
    Known::from([("A".to_owned(), vec![Value::of(Labels::new(), Some(x))])])
}

fn says(rule: &AlertRule, known: Known, version: Version) -> Verdict {
    let graph = Graph::of(rule, version).unwrap();
    let mut all = graph.evaluate(known, &|_| false);
    assert_eq!(all.len(), 1);
    all.remove(0).verdict
}

#[test]
fn a_query_with_a_comparison_fires_where_it_holds() {
    let rule = split();
    for (x, verdict) in [
        (6.0, Verdict::Alerting),
        (5.0, Verdict::Normal),
        (f64::NAN, Verdict::Normal),
        (f64::INFINITY, Verdict::Alerting),
    ] {
        assert_eq!(says(&rule, of(x), NEWEST), verdict, "{x}");
    }
    let graph = Graph::of(&rule, NEWEST).unwrap();
    assert_eq!((graph.shown(), graph.looks_down()), ("B", false));
    let none = graph.evaluate(Known::new(), &|_| false);
    assert_eq!(none[0].blamed, Some(("A".to_owned(), "p".to_owned())));
    assert_eq!(none[0].verdict, Verdict::NoData);
}

#[test]
fn versions_differ_in_what_is_no_number() {
    let dropping = rule(
        &json!([
            {"refId": "A"}, {"refId": "B", "type": "reduce", "expression": "A", "settings": {"mode": "dropNN"}},
            {"refId": "C", "type": "threshold", "expression": "B", "conditions": [{"evaluator": {"type": "gt", "params": [1]}}]},
        ]),
        "C",
    );
    assert_eq!(says(&dropping, of(f64::NAN), NEWEST), Verdict::NoData);
    assert_eq!(
        says(&dropping, of(f64::NAN), Version::new(10, 0, 0)),
        Verdict::Alerting
    );
    let plain = rule(
        &json!([{"refId": "A"}, {"refId": "C", "type": "threshold", "expression": "$A", "conditions": [{"evaluator": {"type": "lt", "params": [1]}}]}]),
        "C",
    );
    assert_eq!(
        says(&plain, of(f64::NAN), Version::new(11, 0, 0)),
        Verdict::Alerting
    );
    assert_eq!(says(&plain, of(f64::NAN), NEWEST), Verdict::Normal);
    let graph = Graph::of(&plain, NEWEST).unwrap();
    assert_eq!((graph.shown(), graph.looks_down()), ("A", true));
}

#[test]
fn a_threshold_with_an_end_of_its_own_holds_until_that() {
    let rule = rule(
        &json!([{"refId": "A"}, {"refId": "C", "type": "threshold", "expression": "A", "conditions": [{
            "evaluator": {"type": "gt", "params": [10]}, "unloadEvaluator": {"type": "lt", "params": [5]},
        }]}]),
        "C",
    );
    let graph = Graph::of(&rule, NEWEST).unwrap();
    let at = |x, is_active| graph.evaluate(of(x), &|_| is_active)[0].verdict.clone();
    assert_eq!(at(7.0, false), Verdict::Normal);
    assert_eq!(at(7.0, true), Verdict::Alerting);
    assert_eq!(at(4.0, true), Verdict::Normal);
}

#[test]
fn the_number_that_is_compared_with_can_be_another_one() {
    let other = threshold::replaced(&split(), 0.5).unwrap();
    assert_eq!(other.data[0].model["expression"], "is_number(1 / ($B > 0.5))");
    assert_eq!(says(&other, of(1.0), NEWEST), Verdict::Alerting);
    for expression in ["$B > 5 && $B < 9", "$B", "$B > $A"] {
        let mut rule = split();
        rule.data[0].model["expression"] = json!(expression);
        assert!(threshold::replaced(&rule, 1.0).is_err(), "{expression}");
    }
    assert_eq!(threshold::of(&split()), Some(5.0));
}

#[test]
fn what_cannot_be_worked_out_is_named() {
    let of = |queries: &Json, condition: &str| {
        Graph::of(&rule(queries, condition), NEWEST)
            .err()
            .unwrap_or_default()
    };
    let classic = json!([{"refId": "A"}, {"refId": "B", "type": "classic_conditions"}]);
    assert!(of(&classic, "B").contains("B: model.type is classic_conditions"));
    let sql = json!([{"refId": "A"}, {"refId": "B", "type": "sql"}]);
    assert!(of(&sql, "B").contains("B: model.type: expressions of type sql"));
    let circle = json!([{"refId": "A", "type": "math", "expression": "$B"}, {"refId": "B", "type": "math", "expression": "$A"}]);
    assert!(of(&circle, "A").contains("A, B need each other"));
    assert!(of(&json!([{"refId": "A"}]), "C").contains("no entry C"));
    let same = rule(
        &json!([{"refId": "A"}, {"refId": "B"}, {"refId": "C", "type": "math", "expression": "$A + $B"}]),
        "C",
    );
    let number = |labels: &[(&str, &str)]| {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Value::of(labels.collect(), Some(1.0))
    };
    let known = Known::from([
        ("A".to_owned(), vec![number(&[])]),
        ("B".to_owned(), vec![number(&[("a", "1")]), number(&[("a", "1")])]),
    ]);
    assert!(matches!(says(&same, known, NEWEST), Verdict::Error(why) if why.contains("{a=1}")));
}

#[test]
fn an_alert_waits_fires_and_recovers_in_its_time() {
    let mut rule = split();
    rule.keep_firing_for = Some("2m".to_owned());
    let graph = Graph::of(&rule, NEWEST).unwrap();
    let mut machine = Machine::new(&rule, NEWEST);
    let mut states = Vec::new();
    for (minute, x) in [9.0, 9.0, 9.0, 0.0, 0.0, 0.0, 9.0].into_iter().enumerate() {
        let active = machine.active();
        let outcomes = graph.evaluate(of(x), &|labels| active.contains(labels));
        machine.step(i64::try_from(minute).unwrap() * 60, &outcomes);
        states.push(machine.alerts().next().unwrap().1);
    }
    let (pending, recovering) = (State::Pending, State::Recovering);
    assert_eq!(
        states,
        [
            pending,
            pending,
            State::Alerting,
            recovering,
            recovering,
            State::Normal,
            pending
        ]
    );
}

#[test]
fn many_series_are_each_compared_with_their_own_and_not_with_all() {
    let rule = rule(
        &json!([
            {"refId": "A"},
            {"refId": "B", "type": "reduce", "expression": "A", "reducer": "last"},
            {"refId": "C", "type": "math", "expression": "$B > $A - 1"},
        ]),
        "C",
    );
    let series = |at: usize| Value::of(Labels::from([("pod".to_owned(), format!("web-{at}"))]), Some(1.0));
    let count = 2000;
    let known = Known::from([("A".to_owned(), (0..count).map(series).collect())]);
    let graph = Graph::of(&rule, NEWEST).unwrap();
    let before = LOOKED.get();
    let outcomes = graph.evaluate(known, &|_| false);
    assert_eq!(outcomes.len(), count);
    assert!(
        outcomes
            .iter()
            .all(|one| one.verdict == Verdict::Alerting && one.values.len() == 3)
    );
    // Three nodes have numbers of each alert, and two values are joined, each but with those of its labels: once for constants, once for series.
    assert_eq!(LOOKED.get() - before, count * (3 + 1 + 1));
}
