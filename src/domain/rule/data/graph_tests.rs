#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::{from_value, json};

use super::*;

/// What is said of expressions beside a query A.
fn of(expressions: Value) -> Result<(), String> {
    let mut all: Vec<DataQuery> =
        from_value(json!([{"refId": "A", "datasourceUid": "x", "model": {"expr": "up"}}])).unwrap();
    for (ref_id, model) in expressions.as_object().unwrap() {
        let entry = json!({"refId": ref_id, "datasourceUid": "__expr__", "model": model});
        all.push(from_value(entry).unwrap());
    }
    check(&all).map_err(|refusal| refusal.message)
}

fn math(expression: &str) -> Value {
    json!({"type": "math", "expression": expression})
}

fn classic(of: &str) -> Value {
    json!({"type": "classic_conditions", "conditions": [{"query": {"params": ["A", "5m", "now"]}}, {"query": {"params": [of]}}]})
}

#[test]
fn entries_may_stand_in_any_order() {
    of(json!({"B": math("$C + $D"), "C": math("$D + $A"), "D": math("$A"), "E": classic("A")})).unwrap();
}

#[test]
fn what_is_made_of_itself_is_refused_with_the_way_round() {
    assert_eq!(
        of(json!({"B": math("$A > $B")})).unwrap_err(),
        "spec.data[1].model.expression: B is made of itself; name another entry"
    );
    // D only leads into the circle.
    let round = json!({"B": math("$A"), "C": math("$E"), "D": math("$B + $E"), "E": {"type": "reduce", "expression": "C"}});
    assert_eq!(
        of(round).unwrap_err(),
        "spec.data[2].model.expression: C is made of itself, by way of E"
    );
    let behind = json!({"B": math("$C"), "C": math("$D"), "D": math("$E"), "E": math("$D")});
    assert_eq!(
        of(behind).unwrap_err(),
        "spec.data[3].model.expression: D is made of itself, by way of E"
    );
}

#[test]
fn classic_conditions_are_of_queries_and_nothing_is_of_them() {
    assert_eq!(
        of(json!({"B": classic("Z")})).unwrap_err(),
        "spec.data[1].model.conditions[1].query.params: no entry of data has the refId Z; there are A, B"
    );
    assert_eq!(
        of(json!({"B": math("$A"), "C": classic("B")})).unwrap_err(),
        "spec.data[2].model.conditions[1].query.params: classic_conditions count over what a query yields, and B is an expression; name the query"
    );
    assert_eq!(
        of(json!({"B": classic("A"), "C": math("!$B")})).unwrap_err(),
        "spec.data[2].model.expression: no expression can be made of classic_conditions, which B is"
    );
}
