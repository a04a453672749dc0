#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::from_value;

use super::*;
use crate::api::condition::Reason;

fn source(type_: &str) -> DataSource {
    DataSource {
        uid: "ds-1".into(),
        name: "Main".into(),
        r#type: type_.into(),
        ..DataSource::default()
    }
}

fn of_query(query: &str, type_: &str) -> Result<Data, Refusal> {
    let spec: AlertRuleSpec = from_value(json!({ "query": query })).unwrap();
    data(&spec, Some(&source(type_)))
}

fn of_data(entries: Value, condition: &str) -> Result<Data, Refusal> {
    let spec: AlertRuleSpec = from_value(json!({ "data": entries, "condition": condition })).unwrap();
    data(&spec, None)
}

fn nodes(data: &Data) -> Value {
    let node = |query: &Query| {
        let RelativeTimeRange { from, to } = query.relative_time_range;
        json!({
            "refId": query.ref_id, "queryType": query.query_type, "relativeTimeRange": {"from": from, "to": to},
            "datasourceUid": query.datasource_uid, "model": query.model,
        })
    };
    data.queries.iter().map(node).collect()
}

fn range(from: i64) -> Value {
    json!({ "from": from, "to": 0 })
}

fn expression_node(ref_id: &str, model: Value) -> Value {
    let mut all = json!({
        "datasource": {"type": "__expr__", "uid": "__expr__"}, "intervalMs": 1000, "maxDataPoints": 43200, "refId": ref_id,
    });
    all.as_object_mut()
        .unwrap()
        .extend(model.as_object().cloned().unwrap());
    json!({ "refId": ref_id, "queryType": "", "relativeTimeRange": range(0), "datasourceUid": "__expr__", "model": all })
}

#[test]
fn a_logql_comparison_becomes_a_query_its_last_value_and_the_comparison() {
    let data = of_query("sum(rate({app=\"shop\"}[5m])) > 5", "loki").unwrap();
    assert_eq!((data.condition.as_str(), data.value), ("C", Some("B")));
    let expected = json!([
        {
            "refId": "A", "queryType": "instant", "relativeTimeRange": range(600), "datasourceUid": "ds-1",
            "model": {
                "datasource": {"type": "loki", "uid": "ds-1"}, "editorMode": "code", "expr": "sum(rate({app=\"shop\"}[5m]))",
                "intervalMs": 1000, "maxDataPoints": 43200, "queryType": "instant", "refId": "A",
            },
        },
        expression_node("B", json!({"type": "reduce", "reducer": "last", "expression": "A"})),
        expression_node("C", json!({"type": "math", "expression": "is_number(1 / ($B > 5))"})),
    ]);
    assert_eq!(nodes(&data), expected);
}

#[test]
fn a_promql_comparison_asks_for_an_instant_and_not_a_range() {
    for type_ in [
        "prometheus",
        "grafana-amazonprometheus-datasource",
        "victoriametrics-metrics-datasource",
    ] {
        let data = of_query("0.5 > up", type_).unwrap();
        let expected = json!([
            {
                "refId": "A", "queryType": "", "relativeTimeRange": range(600), "datasourceUid": "ds-1",
                "model": {
                    "datasource": {"type": type_, "uid": "ds-1"}, "editorMode": "code", "expr": "up", "instant": true,
                    "intervalMs": 1000, "maxDataPoints": 43200, "range": false, "refId": "A",
                },
            },
            expression_node("B", json!({"type": "reduce", "reducer": "last", "expression": "A"})),
            expression_node("C", json!({"type": "math", "expression": "is_number(1 / ($B < 0.5))"})),
        ]);
        assert_eq!(nodes(&data), expected);
    }
}

#[test]
fn every_comparison_asks_whether_its_reciprocal_is_a_number_so_that_nan_fires_only_where_it_is_unequal() {
    for (query, expected) in [
        ("up > 1", "is_number(1 / ($B > 1))"),
        ("up < 1", "is_number(1 / ($B < 1))"),
        ("up >= 1", "is_number(1 / ($B >= 1))"),
        ("up <= 0.25", "is_number(1 / ($B <= 0.25))"),
        ("up == 0", "is_number(1 / ($B == 0))"),
        ("up != -1.5", "!is_number(1 / ($B == -1.5))"),
        ("1 <= up", "is_number(1 / ($B >= 1))"),
        ("up >= 5 * 1024", "is_number(1 / ($B >= 5120))"),
    ] {
        let data = of_query(query, "prometheus").unwrap();
        assert_eq!(
            nodes(&data)[2],
            expression_node("C", json!({"type": "math", "expression": expected})),
            "{query}"
        );
        assert_eq!(data.condition, "C");
        assert_eq!(
            expected.matches('$').count(),
            1,
            "{query} joins the node with itself"
        );
    }
}

#[test]
fn a_query_without_a_threshold_fires_for_every_sample_also_nan_and_inf() {
    let query = "absent(up) or vector(0)";
    let data = of_query(query, "prometheus").unwrap();
    assert_eq!((data.condition.as_str(), data.value), ("C", Some("A")));
    let nodes = nodes(&data);
    assert_eq!(nodes[0]["model"]["expr"], query);
    let any = "!is_null($A)";
    assert_eq!(
        nodes[1],
        expression_node("B", json!({"type": "math", "expression": any}))
    );
    let above = json!({"type": "threshold", "expression": "B", "conditions": [{"evaluator": {"type": "gt", "params": [0]}}]});
    assert_eq!(nodes[2], expression_node("C", above));
}

#[test]
fn a_query_needs_a_data_source_that_speaks_its_language() {
    let spec: AlertRuleSpec = from_value(json!({ "query": "up > 1" })).unwrap();
    assert_eq!(data(&spec, None).unwrap_err().reason, Reason::DependencyMissing);
    let refusal = of_query("select 1", "mysql").unwrap_err();
    assert_eq!(refusal.reason, Reason::Invalid);
    assert!(
        refusal
            .message
            .starts_with("spec.query: data source Main is of type mysql"),
        "{}",
        refusal.message
    );
}

#[test]
fn a_query_that_surely_is_of_the_other_language_is_refused_with_the_cure() {
    let of = |fields: Value, type_: &str| {
        let spec: AlertRuleSpec = from_value(fields).unwrap();
        refuse_other_language(&spec, &source(type_))
    };
    let lines = r#"sum(count_over_time({a="b"} |= "x" [5m])) > 1"#;
    of(json!({"query": "up == 0"}), "prometheus").unwrap();
    of(json!({"query": lines}), "loki").unwrap();
    let refusal = of(json!({"query": "up == 0"}), "loki").unwrap_err();
    assert_eq!(
        refusal.message,
        "spec.query: line 1, column 1: up is PromQL, and data source Main, the default, is of type loki; name the right one in spec.datasource"
    );
    // A Loki may answer below a data source of that type.
    for type_ in ["prometheus", "victoriametrics-metrics-datasource"] {
        of(json!({"query": lines}), type_).unwrap();
        let spec: AlertRuleSpec = from_value(json!({"query": lines})).unwrap();
        assert_eq!(
            logs_of_metrics(&spec, &source(type_)).unwrap(),
            format!(
                "spec.query: line 1, column 29: |= is LogQL, and data source Main is of type {type_}, so the rule fails unless a Loki answers there; name the right one in spec.datasource"
            )
        );
        assert_eq!(logs_of_metrics(&spec, &source("loki")), None);
    }
    for either in [r#"count_over_time({a="b"}[5m]) > 1"#, "vector(1) > 0"] {
        for type_ in ["loki", "prometheus", "mysql"] {
            of(json!({ "query": either }), type_).unwrap();
        }
    }
}

#[test]
fn a_node_in_another_language_than_its_data_source_is_named() {
    let node = |ref_id: &str, uid: &str, model: Value| json!({"refId": ref_id, "datasourceUid": uid, "model": model});
    let spec: AlertRuleSpec = from_value(json!({
        "data": [
            node("A", "ds-1", json!({"expr": "rate({a=\"b\"}[5m])"})), node("B", "ds-1", json!({"expr": "sum(up)"})),
            node("C", "elsewhere", json!({"expr": "up"})), node("D", "ds-1", json!({"query": "up"})),
        ],
        "condition": "D",
    }))
    .unwrap();
    let told: Vec<String> = doubts(&spec, &[source("loki")])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        told,
        [
            "spec.data[1].model.expr: line 1, column 5: up is PromQL, and data source Main is of type loki, so the rule fails; name the right one in datasourceUid"
        ]
    );
}

#[test]
fn a_query_that_cannot_be_read_is_refused() {
    let refusal = of_query("sum(rate({app=\"shop\"}[5m]) > 5", "loki").unwrap_err();
    assert_eq!(refusal.reason, Reason::Invalid);
    assert!(refusal.message.starts_with("spec.query: "), "{}", refusal.message);
}

#[test]
fn data_is_taken_verbatim_with_what_grafana_would_add() {
    let data = of_data(
        json!([
            {"refId": "Q", "datasourceUid": "x", "queryType": "range", "model": {"refId": "other", "expr": "up", "list": [1]},
             "relativeTimeRange": {"from": 3600, "to": 60}},
            {"refId": "R", "datasourceUid": "x", "model": {"expr": "up"}},
            {"refId": "E", "datasourceUid": "__expr__", "model": {"type": "math", "expression": "$Q > 1"}},
        ]),
        "E",
    )
    .unwrap();
    assert_eq!((data.condition.as_str(), data.value), ("E", None));
    let expected = json!([
        {"refId": "Q", "queryType": "range", "relativeTimeRange": {"from": 3600, "to": 60}, "datasourceUid": "x",
         "model": {"refId": "other", "expr": "up", "list": [1]}},
        {"refId": "R", "queryType": "", "relativeTimeRange": range(600), "datasourceUid": "x", "model": {"refId": "R", "expr": "up"}},
        {"refId": "E", "queryType": "", "relativeTimeRange": range(0), "datasourceUid": "__expr__",
         "model": {"refId": "E", "type": "math", "expression": "$Q > 1"}},
    ]);
    assert_eq!(nodes(&data), expected);
}

#[test]
fn an_expression_is_made_of_entries_that_there_are() {
    let of = |model: Value| {
        let entries = json!([
            {"refId": "A", "datasourceUid": "x", "model": {}}, {"refId": "an entry", "datasourceUid": "x", "model": {}},
            {"refId": "E", "datasourceUid": "__expr__", "model": model},
        ]);
        of_data(entries, "E").map_err(|refusal| refusal.message)
    };
    for right in [
        json!({"type": "reduce", "expression": "A"}),
        json!({"type": "reduce", "expression": "$A"}),
        json!({"type": "threshold", "expression": "${an entry}"}),
        json!({"type": "math", "expression": "$A > 1 && ${an entry} < abs($A) || $__interval > 1"}),
        json!({"type": "math", "expression": "1 > 0"}),
        json!({"type": "sql", "expression": "select * from Z"}),
        json!({"type": "classic_conditions", "conditions": []}),
    ] {
        of(right.clone()).unwrap_or_else(|message| panic!("{right}: {message}"));
    }
    for wrong in [
        json!({"type": "reduce", "expression": "Z"}),
        json!({"type": "resample", "expression": "$Z"}),
        json!({"type": "threshold", "expression": "Z"}),
        json!({"type": "math", "expression": "$A > $Z"}),
        json!({"type": "math", "expression": "${Z}+1"}),
    ] {
        let expected =
            "spec.data[2].model.expression: no entry of data has the refId Z; there are A, an entry, E";
        assert_eq!(of(wrong.clone()).unwrap_err(), expected, "{wrong}");
    }
}

#[test]
fn a_ref_id_is_used_once() {
    let entry = |ref_id: &str| json!({ "refId": ref_id, "datasourceUid": "x", "model": {} });
    let refusal = of_data(json!([entry("A"), entry("B"), entry("A")]), "A").unwrap_err();
    assert_eq!(refusal.reason, Reason::Invalid);
    assert_eq!(
        refusal.message,
        "spec.data[2].refId: A is used twice; every entry needs its own"
    );
}

#[test]
fn a_range_ends_after_it_begins_except_for_expressions() {
    let of = |source: &str, from: i64, to: Option<i64>| {
        let range = to.map_or(json!({ "from": from }), |to| json!({ "from": from, "to": to }));
        of_data(
            json!([{"refId": "A", "datasourceUid": source, "relativeTimeRange": range, "model": {}}]),
            "A",
        )
    };
    for (from, to, good) in [
        (60, None, true),
        (60, Some(30), true),
        (60, Some(60), false),
        (30, Some(60), false),
        (0, None, false),
    ] {
        assert_eq!(of("x", from, to).is_ok(), good, "from {from} to {to:?}");
        assert!(of("__expr__", from, to).is_ok());
    }
    let refusal = of("x", 0, None).unwrap_err();
    assert!(
        refusal
            .message
            .starts_with("spec.data[0].relativeTimeRange: from must be greater than to")
    );
}

#[test]
fn neither_query_nor_data_or_both_are_refused() {
    let entries = json!([{"refId": "A", "datasourceUid": "x", "model": {}}]);
    for fields in [
        json!({}),
        json!({ "query": "up > 1", "data": entries, "condition": "A" }),
        json!({ "data": entries }),
        json!({ "query": "up > 1", "condition": "A" }),
    ] {
        let spec: AlertRuleSpec = from_value(fields).unwrap();
        assert_eq!(
            data(&spec, Some(&source("loki"))).unwrap_err().reason,
            Reason::Invalid
        );
    }
}

#[test]
fn a_model_is_nested_as_deep_as_is_read_back_and_no_deeper() {
    let nested = |levels| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    let of = |levels| {
        of_data(
            json!([{ "refId": "A", "datasourceUid": "x", "model": nested(levels) }]),
            "A",
        )
    };
    assert!(of(64).is_ok());
    assert_eq!(
        of(65).unwrap_err().message,
        "spec.data[0].model: is nested deeper than 64 levels of arrays and objects; write it flatter"
    );
}

#[test]
fn a_node_that_asks_a_data_source_that_is_not_there_is_named() {
    let node = |uid: &str| json!({"refId": format!("A{}", uid.len()), "datasourceUid": uid, "model": {}});
    let spec: AlertRuleSpec = from_value(json!({
        "data": [node("ds-1"), node("nope"), node("__expr__"), node("-100"), node("grafana")], "condition": "A4",
    }))
    .unwrap();
    let told = unknown_sources(&spec, &[source("loki")]);
    let [only] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(
        only.starts_with("spec.data[1].datasourceUid") && only.contains("uid nope"),
        "{only}"
    );
    assert!(unknown_sources(&from_value(json!({"query": "up > 1"})).unwrap(), &[]).is_empty());
}
