//! The evaluation of `alertwright backtest`, compared with that of the testbed's double, which plays Grafana's: the same random rules and samples, the same
//! states after each evaluation.
//!
//! The double is written from Grafana's documentation and source, and evaluates so every rule of every end-to-end test; nothing here is shared with it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use alertwright::domain::rule::evaluation::machine::{Machine, State};
use alertwright::domain::rule::evaluation::node::Graph;
use alertwright::domain::rule::evaluation::{Known, Labels, Outcome, Value, Verdict};
use alertwright::domain::version::Version;
use alertwright::grafana::model::{AlertRule, Query};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value as Json, json};

use crate::engine::Engine;

const INTERVAL: i64 = 60;

/// What a query answers at one evaluation, if it doesn't fail.
type Answer = Option<Vec<(Labels, Option<f64>)>>;

/// The states of all alerts, with their reasons.
type States = BTreeMap<Labels, (String, String)>;

/// An evaluation: the answers of A and D.
type Tick = (Answer, Answer);

fn query(ref_id: &str, model: Json) -> Query {
    Query {
        ref_id: ref_id.to_owned(),
        datasource_uid: if model.get("type").is_some() {
            "__expr__"
        } else {
            ref_id
        }
        .to_owned(),
        model,
        ..Query::default()
    }
}

fn evaluator() -> impl Strategy<Value = Json> {
    let kinds = vec!["gt", "lt", "within_range", "outside_range"];
    (prop::sample::select(kinds), 0..4_i32, 0..4_i32)
        .prop_map(|(kind, low, high)| json!({"type": kind, "params": [low, low.max(high)]}))
}

/// The condition, C.
fn condition() -> impl Strategy<Value = Json> {
    let math = vec![
        "is_number(1 / ($B > 2))",
        "!is_number(1 / ($B == 2))",
        "!is_null($B)",
        "$B > 1 && $D < 3",
        "$B / $D >= 1",
        "$B - $D",
        "abs($B) ** 2 > 3 || is_nan($D)",
        "floor($B * 1.5) % 2 == 0",
        "${B} + -$D < inf()",
        "!($B)",
        "1",
        "round(log($B)) != 0",
    ];
    let threshold = (evaluator(), option::of(evaluator())).prop_map(|(begins, ends)| {
        let mut condition = json!({"evaluator": begins});
        if let Some(ends) = ends {
            condition["unloadEvaluator"] = ends;
        }
        json!({"type": "threshold", "expression": "B", "conditions": [condition]})
    });
    prop_oneof![
        prop::sample::select(math).prop_map(|text| json!({"type": "math", "expression": text})),
        threshold,
    ]
}

fn reduce() -> impl Strategy<Value = Json> {
    let modes = vec![
        json!({}),
        json!({"mode": "dropNN"}),
        json!({"mode": "replaceNN", "replaceWithValue": 3}),
    ];
    prop::sample::select(modes).prop_map(
        |settings| json!({"type": "reduce", "reducer": "last", "expression": "A", "settings": settings}),
    )
}

fn version() -> impl Strategy<Value = Version> {
    let all = [
        (10, 0, 0),
        (10, 2, 0),
        (10, 3, 0),
        (10, 4, 0),
        (11, 6, 0),
        (12, 0, 0),
        (12, 1, 0),
        (12, 4, 0),
        (13, 3, 0),
    ];
    prop::sample::select(all.to_vec()).prop_map(|(major, minor, patch)| Version::new(major, minor, patch))
}

fn rule() -> impl Strategy<Value = AlertRule> {
    let period = vec!["0s", "30s", "1m", "2m", "5m"];
    let states = (
        prop::sample::select(vec!["NoData", "Alerting", "OK", "KeepLast"]),
        prop::sample::select(vec!["Error", "Alerting", "OK", "KeepLast"]),
    );
    let labels = prop_oneof![
        3 => Just(BTreeMap::new()),
        1 => Just(BTreeMap::from([("a".to_owned(), "own".to_owned()), ("severity".to_owned(), "high".to_owned())])),
    ];
    (
        (condition(), reduce()),
        (
            prop::sample::select(period.clone()),
            option::weighted(0.8, prop::sample::select(period)),
        ),
        states,
        (option::of(1..4_i64), labels),
    )
        .prop_map(
            |((condition, reduce), (wait, keep), (no_data, error), (missing, labels))| AlertRule {
                // In an order that isn't that of their needs.
                data: vec![
                    query("C", condition),
                    query("B", reduce),
                    query("A", json!({})),
                    query("D", json!({})),
                ],
                condition: "C".to_owned(),
                r#for: wait.to_owned(),
                keep_firing_for: keep.map(str::to_owned),
                no_data_state: no_data.to_owned(),
                exec_err_state: error.to_owned(),
                missing_series_evals_to_resolve: missing,
                labels,
                ..AlertRule::default()
            },
        )
}

fn number() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        8 => (0..5_i32).prop_map(|x| Some(f64::from(x))),
        1 => prop::sample::select(vec![None, Some(f64::NAN), Some(f64::INFINITY), Some(-1.0), Some(2.5)]),
    ]
}

/// Series come and go; now and then there is none, or the query fails.
fn answer() -> impl Strategy<Value = Answer> {
    let series = vec![
        vec![],
        vec![("a", "1")],
        vec![("a", "2")],
        vec![("a", "1"), ("b", "1")],
    ];
    let several = prop::sample::subsequence(series, 0..=3).prop_flat_map(|series| {
        let count = series.len();
        vec(number(), count).prop_map(move |numbers| {
            let labels = series.iter().map(|labels| {
                let each = labels
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
                each.collect::<Labels>()
            });
            Some(labels.zip(numbers).collect::<Vec<_>>())
        })
    });
    let one =
        number().prop_map(|number| Some(vec![(Labels::from([("a".to_owned(), "1".to_owned())]), number)]));
    prop_oneof![6 => one, 4 => several, 1 => Just(Some(Vec::new())), 1 => Just(None)]
}

fn sent(answer: &Answer) -> Json {
    let Some(values) = answer else {
        return json!({"error": "down"});
    };
    let values = values.iter().map(|(labels, number)| {
        let number = number.map(|x| match x {
            x if x.is_infinite() => "+Inf".to_owned(),
            x => x.to_string(),
        });
        json!({"labels": labels, "number": number})
    });
    json!({"values": values.collect::<Vec<_>>()})
}

fn question(rule: &AlertRule, version: Version, ticks: &[Tick]) -> Json {
    let data = rule.data.iter().map(|query| {
        json!({"refId": query.ref_id, "datasourceUid": query.datasource_uid, "model": query.model, "relativeTimeRange": {"from": 600, "to": 0}})
    });
    json!({
        "version": version.to_string(), "interval": INTERVAL,
        "rule": {
            "condition": rule.condition, "data": data.collect::<Vec<_>>(), "for": rule.r#for, "noDataState": rule.no_data_state,
            "execErrState": rule.exec_err_state, "labels": rule.labels, "missingSeriesEvalsToResolve": rule.missing_series_evals_to_resolve,
            // A Grafana that doesn't know it has none.
            "keep_firing_for": rule.keep_firing_for.clone().filter(|_| version >= Version::KEEP_FIRING_FOR),
        },
        "ticks": ticks.iter().map(|(a, d)| json!({"A": sent(a), "D": sent(d)})).collect::<Vec<_>>(),
    })
}

/// What we say after each evaluation, in the words of the double.
fn ours(rule: &AlertRule, version: Version, ticks: &[Tick]) -> Result<Vec<States>, String> {
    let graph = Graph::of(rule, version)?;
    let mut machine = Machine::new(rule, version);
    let mut told = Vec::new();
    for (at, (a, d)) in (0..).zip(ticks) {
        let down = [("A", a), ("D", d)]
            .into_iter()
            .find(|(_, answer)| answer.is_none());
        let outcomes = if let Some((ref_id, _)) = down {
            vec![Outcome {
                labels: None,
                verdict: Verdict::Error("down".to_owned()),
                values: BTreeMap::new(),
                blamed: Some((ref_id.to_owned(), ref_id.to_owned())),
            }]
        } else {
            let values = |answer: &Answer| {
                let each = answer.iter().flatten();
                each.map(|(labels, number)| Value::of(labels.clone(), *number))
                    .collect()
            };
            let known = Known::from([("A".to_owned(), values(a)), ("D".to_owned(), values(d))]);
            let active = machine.active();
            graph.evaluate(known, &|labels| active.contains(labels))
        };
        machine.step(at * INTERVAL, &outcomes);
        let states = machine.alerts().map(|(labels, state, reason)| {
            let state = match state {
                State::Alerting => "Alerting".to_owned(),
                other => other.to_string(),
            };
            (labels.clone(), (state, reason.to_owned()))
        });
        told.push(states.collect());
    }
    Ok(told)
}

#[test]
fn every_alert_has_the_states_that_grafana_gives_it() {
    let engine = RefCell::new(Engine::start("-states"));
    let seen = RefCell::new(BTreeMap::<String, usize>::new());
    let mut runner = TestRunner::new(Config {
        cases: 4000,
        failure_persistence: None,
        ..Config::default()
    });
    let tick = (answer(), answer());
    let result = runner.run(
        &(rule(), version(), vec(tick, 1..12)),
        |(rule, version, ticks)| {
            let answer = engine.borrow_mut().ask(&question(&rule, version, &ticks));
            let ours = ours(&rule, version, &ticks).map_err(TestCaseError::fail)?;
            for (at, (ours, theirs)) in ours.iter().zip(answer["ticks"].as_array().unwrap()).enumerate() {
                let theirs = theirs.as_array().unwrap().iter().map(|alert| {
                    let text = |field: &str| alert[field].as_str().unwrap().to_owned();
                    let labels: Labels = serde_json::from_value(alert["labels"].clone()).unwrap();
                    (labels, (text("state"), text("reason")))
                });
                prop_assert_eq!(ours, &theirs.collect(), "after evaluation {}", at);
                for (state, _) in ours.values() {
                    *seen.borrow_mut().entry(state.clone()).or_default() += 1;
                }
            }
            Ok(())
        },
    );
    result.unwrap();
    // Samples that never come to a state prove nothing about it.
    let seen = seen.into_inner();
    assert!(
        ["Normal", "Pending", "Alerting", "Recovering", "NoData", "Error"]
            .iter()
            .all(|state| seen.get(*state).is_some_and(|count| *count > 150)),
        "{seen:?}"
    );
}
