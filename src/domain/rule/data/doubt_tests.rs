#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::{from_value, json};

use super::*;

fn spec(entries: Value) -> AlertRuleSpec {
    from_value(json!({ "data": entries, "condition": "E" })).unwrap()
}

fn of_model(model: Value) -> Vec<String> {
    let entries = json!([
        {"refId": "A", "datasourceUid": "x", "model": {}}, {"refId": "E", "datasourceUid": "__expr__", "model": model},
    ]);
    let found = doubts(&spec(entries), &[]);
    assert!(found.iter().all(|doubt| doubt.about == About::Expression));
    found.iter().map(ToString::to_string).collect()
}

fn of_expr(kind: &str, expr: &str) -> Vec<String> {
    let entries =
        json!([{"refId": "A", "datasourceUid": "x", "model": {"datasource": {"type": kind}, "expr": expr}}]);
    let found = doubts(&spec(entries), &[]);
    found.iter().map(ToString::to_string).collect()
}

fn threshold(kind: &str, params: Value) -> Value {
    json!({"type": "threshold", "expression": "A", "conditions": [{"evaluator": {"type": kind, "params": params}}]})
}

fn classic(reducer: &str, operator: &str, kind: &str) -> Value {
    let condition = json!({
        "query": {"params": ["A"]}, "reducer": {"type": reducer}, "operator": {"type": operator},
        "evaluator": {"type": kind, "params": [1]},
    });
    json!({"type": "classic_conditions", "conditions": [condition]})
}

#[test]
fn what_grafana_works_out_is_not_doubted() {
    for model in [
        json!({"type": "math", "expression": "abs(${A}) > 1 || is_nan($A)"}),
        json!({"type": "reduce", "expression": "A", "reducer": "last"}),
        json!({"type": "reduce", "expression": "A", "reducer": "Mean", "settings": {"mode": "dropNN"}}),
        json!({"type": "reduce", "expression": "A", "reducer": "median", "settings": {"mode": "replaceNN", "replaceWithValue": 0}}),
        json!({"type": "resample", "expression": "A", "downsampler": "mean", "upsampler": "fillna", "window": "1m"}),
        threshold("gt", json!([1])),
        threshold("outside_range_included", json!([1, 2])),
        threshold("gt", json!([1, 0])),
        classic("avg", "and", "lt"),
        classic("percent_diff_abs", "logic-or", "no_value"),
        json!({"type": "sql", "expression": "select * from A"}),
    ] {
        assert_eq!(of_model(model.clone()), Vec::<String>::new(), "{model}");
    }
}

#[test]
fn what_grafana_cannot_work_out_is_named_with_its_field() {
    for (model, field, words) in [
        (
            json!({"type": "math", "expression": "sum($A)"}),
            "expression",
            "\"sum\" is no function",
        ),
        (
            json!({"type": "math", "expression": "$A >"}),
            "expression",
            "it ends too early",
        ),
        (json!({"type": "math"}), "expression", "it ends too early"),
        (
            json!({"type": "reduce", "expression": "A", "reducer": "average"}),
            "reducer",
            "\"average\" is no reducer",
        ),
        (
            json!({"type": "reduce", "expression": "A"}),
            "reducer",
            "the reducer is missing",
        ),
        (
            json!({"type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "drop"}}),
            "settings.mode",
            "\"drop\" is no mode",
        ),
        (
            json!({"type": "reduce", "expression": "A", "reducer": "last", "settings": {"mode": "replaceNN"}}),
            "settings.replaceWithValue",
            "replaceNN needs a number",
        ),
        (
            json!({"type": "resample", "expression": "A", "downsampler": "mean", "upsampler": "pad"}),
            "window",
            "resample needs the distance",
        ),
        (
            json!({"type": "resample", "expression": "A", "downsampler": "count", "upsampler": "pad", "window": "1m"}),
            "downsampler",
            "\"count\" is no downsampler",
        ),
        (
            threshold("above", json!([1])),
            "conditions[0].evaluator.type",
            "\"above\" is no comparison",
        ),
        (
            threshold("gt", json!([])),
            "conditions[0].evaluator.params",
            "gt compares with a number, and there is none",
        ),
        (
            threshold("within_range", json!([1])),
            "conditions[0].evaluator.params",
            "within_range compares with two numbers, and there is one",
        ),
        (
            json!({"type": "threshold", "expression": "A"}),
            "conditions",
            "a threshold has exactly one condition",
        ),
        (
            classic("mean", "and", "gt"),
            "conditions[0].reducer.type",
            "\"mean\" is no reducer",
        ),
        (
            classic("avg", "", "gt"),
            "conditions[0].operator.type",
            "the operator is missing",
        ),
        (
            classic("avg", "and", "above"),
            "conditions[0].evaluator.type",
            "\"above\" is no comparison",
        ),
        (
            json!({"type": "maths", "expression": "1"}),
            "type",
            "\"maths\" is no type of an expression",
        ),
        (json!({}), "type", "the type of an expression is missing"),
    ] {
        let told = of_model(model.clone());
        let [only] = told.as_slice() else {
            panic!("{model}: {told:?}")
        };
        let begin = format!("spec.data[1].model.{field}: {words}");
        assert!(
            only.starts_with(&begin) && only.contains("so the rule fails"),
            "{only}\n{begin}"
        );
    }
}

#[test]
fn a_query_is_read_in_the_language_that_its_model_names() {
    for (kind, expr) in [
        ("prometheus", "sum(rate(x[5m])) by (a)"),
        ("prometheus", "rate(x[$__rate_interval]) > ${limit}"),
        // A range is a series, of which an expression makes a number.
        ("prometheus", "up[5m]"),
        ("loki", "sum(count_over_time({a=\"b\"} |= `x` [5m]))"),
        ("mysql", "select ("),
        ("prometheus", ""),
    ] {
        assert_eq!(of_expr(kind, expr), Vec::<String>::new(), "{expr}");
    }
    for (kind, expr, said) in [
        (
            "prometheus",
            "sum(rate(x[5m])",
            "line 1, column 4: this ( is never closed, so the rule fails",
        ),
        ("loki", "{a=\"b\"} |= \"x\"", "this query yields log lines"),
        (
            "loki",
            "sum(up)",
            "line 1, column 5: up is PromQL, and the data source is of type loki, so the rule fails",
        ),
        (
            "prometheus",
            "rate({a=\"b\"} |= \"x\" [5m])",
            "|= is LogQL, and the data source is of type prometheus",
        ),
    ] {
        let told = of_expr(kind, expr);
        let [only] = told.as_slice() else {
            panic!("{expr}: {told:?}")
        };
        assert!(
            only.starts_with("spec.data[0].model.expr: ") && only.contains(said),
            "{only}"
        );
    }
}

#[test]
fn log_lines_are_what_an_sql_expression_may_count() {
    let entries = json!([
        {"refId": "A", "datasourceUid": "x", "model": {"datasource": {"type": "loki"}, "expr": "{a=\"b\"}"}},
        {"refId": "E", "datasourceUid": "__expr__", "model": {"type": "sql", "expression": "select count(*) from A"}},
    ]);
    assert_eq!(doubts(&spec(entries), &[]), []);
}

#[test]
fn the_data_source_that_there_is_counts_for_more_than_what_a_model_says() {
    let entries = json!([{"refId": "A", "datasourceUid": "x", "model": {"datasource": {"type": "prometheus"}, "expr": "up"}}]);
    let there = DataSource {
        uid: "x".into(),
        name: "Logs".into(),
        r#type: "loki".into(),
        ..DataSource::default()
    };
    let found = doubts(&spec(entries.clone()), &[there]);
    assert!(
        found[0].message.contains("data source Logs is of type loki"),
        "{found:?}"
    );
    assert_eq!(doubts(&spec(entries), &[]), []);
}
