//! What is found in rules that have their queries in `data`.

use serde_json::{Value, json};

use super::*;
use crate::domain::lint::finding::Part;

fn found(expr: &str, of: &str, condition: &str) -> Vec<Finding> {
    let rule: Value = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": "a", "namespace": "revel"},
        "spec": {
            "severity": "warning", "annotations": {"summary": "s", "description": "d"}, "condition": condition,
            "data": [
                {"refId": "A", "datasourceUid": "prom", "model": {"datasource": {"type": "prometheus"}, "expr": expr}},
                {"refId": "B", "datasourceUid": "__expr__", "model": {"type": "math", "expression": of}},
            ],
        },
    });
    let options = Options {
        version: None,
        versions: std::collections::BTreeMap::new(),
        asked: None,
        disabled: std::collections::BTreeSet::new(),
        now: "2026-03-01T00:00:00Z".parse().unwrap(),
        zones: None,
    };
    each(0, &Object::new(rule, ""), &Schemas::default(), &options)
}

#[test]
fn queries_and_expressions_in_data_are_looked_at() {
    for (expr, of, condition, said) in [
        ("sum(up)", "$A > 5", "B", &[][..]),
        (
            "sum(up",
            "$A > 5",
            "B",
            &["warning query spec.data[0].model.expr"],
        ),
        (
            "sum(up)",
            "avg($A) > 5",
            "B",
            &["warning expression spec.data[1].model.expression"],
        ),
        (
            "sum(up)",
            "$A > $Z",
            "B",
            &["error refused spec.data[1].model.expression"],
        ),
        (
            "sum(up)",
            "$B > 5",
            "B",
            &["error refused spec.data[1].model.expression"],
        ),
        ("sum(up)", "$A > 5", "C", &["error cel spec.condition"]),
    ] {
        let found = found(expr, of, condition);
        let told: Vec<String> = found
            .iter()
            .map(|finding| format!("{} {} {}", finding.level, finding.rule.name, finding.path))
            .collect();
        assert_eq!(told, said, "{expr}, {of}, {condition}");
    }
    let place = found("sum(\nup{", "$A > 5", "B");
    assert_eq!(place[0].part, Part::Byte(7), "{place:?}");
}
