use serde_json::json;

use super::*;
use crate::grafana::model::Query;

const VERSION: Version = Version::new(13, 3, 0);

fn rule(wait: &str) -> AlertRule {
    let node = |ref_id: &str, model: serde_json::Value| Query {
        ref_id: ref_id.to_owned(),
        datasource_uid: if model.is_null() { "p" } else { "__expr__" }.to_owned(),
        model,
        ..Query::default()
    };
    AlertRule {
        condition: "B".to_owned(),
        data: vec![
            node("A", serde_json::Value::Null),
            node("B", json!({"type": "math", "expression": "$A > 5"})),
        ],
        r#for: wait.to_owned(),
        no_data_state: "NoData".to_owned(),
        ..AlertRule::default()
    }
}

/// A sample a minute; `-` is none. Before them nothing is wrong.
fn samples(text: &str) -> (Samples, Span) {
    let mut samples = Samples::default();
    for minute in -2..0 {
        samples.add("A", &Labels::new(), minute * 60, Some(0.0));
    }
    for (minute, sample) in (0..).zip(text.split(' ')) {
        if let Ok(number) = sample.parse() {
            samples.add("A", &Labels::new(), minute * 60, Some(number));
        }
    }
    let count = i64::try_from(text.split(' ').count()).unwrap();
    (samples, Span::within(0, (count - 1) * 60, 60).unwrap())
}

#[test]
fn firings_begin_after_the_time_that_a_rule_waits_and_know_their_peak() {
    let (samples, span) = samples("0 9 9 12 9 0 0 9 9 0 9 9 9");
    let past = past(&rule("2m"), VERSION, span, 0, &samples).unwrap();
    let firings: Vec<_> = past
        .firings
        .iter()
        .map(|firing| (firing.started / 60, firing.ended.map(|at| at / 60), firing.peak))
        .collect();
    assert_eq!(firings, [(3, Some(5), Some(12.0)), (12, None, Some(9.0))]);
    assert_eq!((past.fired(), past.longest(), past.flaps()), (120, 120, 1));
    assert_eq!(past.stretches(3), [Some(12.0), Some(9.0), Some(9.0)]);
}

#[test]
fn the_value_that_is_told_is_that_of_the_series_that_meets_the_condition() {
    let mut samples = Samples::default();
    for at in 0..4 {
        for (job, number) in [("up", 1.0), ("down", if at < 3 { 0.0 } else { 1.0 })] {
            let labels = Labels::from([("job".to_owned(), job.to_owned())]);
            samples.add("A", &labels, at * 60, Some(number));
        }
    }
    let mut rule = rule("0s");
    rule.data[1].model = json!({"type": "math", "expression": "$A == 0"});
    let span = Span::within(0, 180, 60).unwrap();
    let past = past(&rule, VERSION, span, 0, &samples).unwrap();
    let values: Vec<_> = past.values.iter().map(|(_, value)| *value).collect();
    assert_eq!(values, [Some(0.0), Some(0.0), Some(0.0), Some(1.0)]);
    assert_eq!(past.stretches(1), [Some(0.0)]);
}

#[test]
fn what_fires_at_the_beginning_is_known_from_before_it() {
    let (samples, whole) = samples("9 9 9 9 0");
    let span = Span { from: 180, ..whole };
    let past = past(&rule("2m"), VERSION, span, 120, &samples).unwrap();
    assert_eq!(past.firings.len(), 1);
    assert_eq!((past.firings[0].started, past.firings[0].ended), (180, Some(240)));
    assert_eq!(past.values.len(), 2);
}

#[test]
fn no_data_is_counted_and_is_an_alert_of_its_own() {
    let (samples, span) = samples("9 - - - 9");
    let past = past(&rule("0s"), VERSION, span, 0, &samples).unwrap();
    assert_eq!(past.without_data, 3);
    assert_eq!(samples.earliest(), Some(-120));
    let of: Vec<_> = past
        .firings
        .iter()
        .map(|firing| (firing.of, firing.started))
        .collect();
    // What fired goes on until its series has been missing twice.
    assert_eq!(
        of,
        [(State::Alerting, 0), (State::NoData, 60), (State::Alerting, 240)]
    );
    assert_eq!(past.firings[0].ended, Some(120));
    assert_eq!(past.of_condition().count(), 2);
}

#[test]
fn two_results_of_the_same_labels_fail_where_they_are_and_are_counted() {
    let (mut samples, span) = samples("9 9 0 0");
    samples.add_another("A", &Labels::new(), 60, Some(0.0));
    let past = past(&rule("0s"), VERSION, span, 0, &samples).unwrap();
    let (count, why) = past.failed;
    assert_eq!(count, 1);
    assert!(why.unwrap().contains("the same labels"));
}
