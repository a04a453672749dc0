//! The nodes of a rule → `query`, where they are a query and a comparison of what it returns, or `data`.

use serde_json::{Map, Value};

use crate::api::alert_rule::{DataQuery, RelativeTimeRange};
use crate::domain::rule::query::{Comparison, Split, split};
use crate::grafana::model::{self, AlertRule, EXPRESSION, Query};

/// What of a model of Loki or Prometheus says nothing else than a query of ours.
const KNOWN: [&str; 13] = [
    "datasource",
    "editorMode",
    "exemplar",
    "expr",
    "hide",
    "instant",
    "intervalMs",
    "legendFormat",
    "maxDataPoints",
    "queryType",
    "range",
    "refId",
    "resolution",
];

/// How one value of each series may be reduced to it.
const OF_ONE: [&str; 6] = ["last", "mean", "avg", "min", "max", "sum"];

/// What a rule asks, if that can be written as `query`.
#[derive(Debug, PartialEq)]
pub(super) struct Asks {
    /// The query with its comparison.
    pub(super) query: String,
    /// Uid of the data source.
    pub(super) source: String,
    /// Whether its nodes have the names that those of `query` get, so that texts may name them.
    pub(super) has_names: bool,
}

/// What the rule asks as one query, or in a few words why it can't be written so.
pub(super) fn asks(rule: &AlertRule) -> Result<Asks, &'static str> {
    let queries: Vec<&Query> = rule.data.iter().filter(|node| !node.is_expression()).collect();
    let [query] = queries.as_slice() else {
        return Err(match queries.len() {
            0 => "no data source is asked",
            _ => "several queries are combined",
        });
    };
    if rule
        .data
        .iter()
        .any(|node| text(node, "type") == "classic_conditions")
    {
        return Err("it has classic conditions");
    }
    let expr = instant(query)?;
    if rule.record.is_some() {
        return recorded(rule, query, expr);
    }
    let by_name = |name: &str| rule.data.iter().find(|node| node.ref_id == name);
    let decides = by_name(&rule.condition).ok_or("its condition is none of its nodes")?;
    let any_sample = of_any_sample(decides).and_then(by_name);
    let any_sample = any_sample.filter(|node| math(node) == Some(&format!("!is_null(${})", query.ref_id)));
    let (between, query_text) = if let Some(between) = any_sample {
        whole(expr)?;
        (between, expr.to_owned())
    } else {
        let (name, op, limit) = comparison(decides)?;
        if name == query.ref_id {
            return Err("its query isn't reduced to one value before it is compared");
        }
        let between = by_name(&name).ok_or("its condition is of no node")?;
        reduces(between, &query.ref_id)?;
        (between, compared(expr, op, limit)?)
    };
    if rule.data.len() != 3 {
        return Err("it has more nodes than a query, its last value and a comparison");
    }
    let names = [&query.ref_id, &between.ref_id, &decides.ref_id];
    Ok(Asks {
        query: query_text,
        source: query.datasource_uid.clone(),
        has_names: names == ["A", "B", "C"],
    })
}

fn recorded(rule: &AlertRule, query: &Query, expr: &str) -> Result<Asks, &'static str> {
    let is_alone = rule.data.len() == 1;
    if !is_alone
        || rule
            .record
            .as_ref()
            .is_none_or(|record| record.from != query.ref_id)
    {
        return Err("what is recorded is no query itself");
    }
    Ok(Asks {
        query: expr.to_owned(),
        source: query.datasource_uid.clone(),
        has_names: query.ref_id == "A",
    })
}

/// The expression of a query that returns one value for each series, as of now.
fn instant(query: &Query) -> Result<&str, &'static str> {
    let model = query.model.as_object().ok_or("its query is no object")?;
    let text = |key: &str| model.get(key).and_then(Value::as_str).unwrap_or_default();
    let is = |key: &str| model.get(key).and_then(Value::as_bool).unwrap_or_default();
    let expr = text("expr").trim();
    if expr.is_empty() {
        return Err("its query is neither LogQL nor PromQL");
    }
    if model.keys().any(|key| !KNOWN.contains(&key.as_str())) {
        return Err("its query has settings of its own");
    }
    let query_type = match text("queryType") {
        "" => query.query_type.as_str(),
        own => own,
    };
    let is_instant = query_type == "instant" || query_type.is_empty() && is("instant");
    if !is_instant || is("range") || query.relative_time_range.to != 0 {
        return Err("its query asks for a range of time");
    }
    if expr.contains('$') {
        return Err("its query has variables");
    }
    Ok(expr)
}

/// The node of which a threshold asks whether it is more than 0, as one does whose query fires for every sample.
fn of_any_sample(node: &Query) -> Option<&str> {
    let (of, op, limit) = threshold(node).ok()?;
    let is_any = op == Comparison::Gt && limit.abs() < f64::EPSILON;
    is_any.then_some(of)
}

/// A query without a comparison that could be split off.
fn whole(expr: &str) -> Result<(), &'static str> {
    match split(expr) {
        Ok(Split::Whole(..)) => Ok(()),
        _ => Err("its query has a comparison of its own"),
    }
}

/// Which node is compared, how, and with what.
fn comparison(node: &Query) -> Result<(String, Comparison, f64), &'static str> {
    match text(node, "type") {
        "threshold" => threshold(node).map(|(of, op, limit)| (of.to_owned(), op, limit)),
        "math" => of_math(text(node, "expression")).ok_or("its condition is a computation"),
        _ => Err("its condition isn't a comparison"),
    }
}

fn threshold(node: &Query) -> Result<(&str, Comparison, f64), &'static str> {
    const OTHER: &str = "its threshold isn't a comparison with one number";
    let conditions = node.model.get("conditions").and_then(Value::as_array);
    let [condition] = conditions.map_or(&[][..], Vec::as_slice) else {
        return Err(OTHER);
    };
    if text(node, "type") != "threshold" {
        return Err(OTHER);
    }
    if condition
        .get("unloadEvaluator")
        .is_some_and(|other| !other.is_null())
    {
        return Err("it has a recovery threshold");
    }
    let evaluator = condition.get("evaluator").ok_or(OTHER)?;
    let op = match evaluator.get("type").and_then(Value::as_str) {
        Some("gt") => Comparison::Gt,
        Some("lt") => Comparison::Lt,
        Some("gte") => Comparison::Ge,
        Some("lte") => Comparison::Le,
        Some("eq") => Comparison::Eq,
        Some("ne") => Comparison::Ne,
        _ => return Err(OTHER),
    };
    let limits = evaluator.get("params").and_then(Value::as_array);
    // Grafana's pages leave a second number there that says nothing.
    let limit = limits.and_then(|limits| limits.first()?.as_f64()).ok_or(OTHER)?;
    Ok((text(node, "expression"), op, limit))
}

/// `$B > 5`, and what becomes of a comparison of ours.
fn of_math(expression: &str) -> Option<(String, Comparison, f64)> {
    let text = expression.trim();
    let inner = |before: &str| text.strip_prefix(before)?.strip_suffix("))");
    let (text, is_negated) = match (inner("is_number(1 / ("), inner("!is_number(1 / (")) {
        (Some(inner), _) => (inner, false),
        (None, Some(inner)) => (inner, true),
        (None, None) => (text, false),
    };
    let rest = text.strip_prefix('$')?;
    let rest = rest.strip_prefix('{').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (name, rest) = rest.split_at(end);
    let rest = rest.strip_prefix('}').unwrap_or(rest).trim_start();
    let operators = [
        (">=", Comparison::Ge),
        ("<=", Comparison::Le),
        ("==", Comparison::Eq),
        ("!=", Comparison::Ne),
        (">", Comparison::Gt),
        ("<", Comparison::Lt),
    ];
    let (op, rest) = operators
        .into_iter()
        .find_map(|(written, op)| Some((op, rest.strip_prefix(written)?)))?;
    let limit = rest.trim().parse().ok().filter(|limit: &f64| limit.is_finite())?;
    let op = match (op, is_negated) {
        (op, false) => op,
        (Comparison::Eq, true) => Comparison::Ne,
        _ => return None,
    };
    Some((name.to_owned(), op, limit))
}

fn math(node: &Query) -> Option<&str> {
    (text(node, "type") == "math").then(|| text(node, "expression"))
}

/// Fails unless a node has the one value of each series of another.
fn reduces(node: &Query, of: &str) -> Result<(), &'static str> {
    let is_reduction =
        text(node, "type") == "reduce" && text(node, "expression").trim_start_matches('$') == of;
    if !is_reduction || !OF_ONE.contains(&text(node, "reducer")) {
        return Err("its condition isn't a comparison of what the query returns");
    }
    let mode = node.model.pointer("/settings/mode").and_then(Value::as_str);
    match mode.unwrap_or_default() {
        "" | "strict" | "dropNN" => Ok(()),
        _ => Err("it puts other values in the place of those that are no numbers"),
    }
}

/// A query with its comparison, which is taken apart into the same again.
fn compared(expr: &str, op: Comparison, limit: f64) -> Result<String, &'static str> {
    let op_text = op.as_str();
    let plain = format!("{expr} {op_text} {limit}");
    let is_same = |text: &str, own: &str| {
        matches!(split(text), Ok(Split::Comparison { query, op: found, threshold })
            if query == own && found == op && (threshold - limit).abs() < f64::EPSILON)
    };
    if is_same(&plain, expr) {
        return Ok(plain);
    }
    let inner = format!("({expr})");
    let whole = format!("{inner} {op_text} {limit}");
    if is_same(&whole, &inner) {
        return Ok(whole);
    }
    Err("its query can't be followed by a comparison")
}

fn text<'a>(node: &'a Query, key: &str) -> &'a str {
    node.model.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The nodes as they are, without what Grafana adds by itself.
pub(super) fn data(rule: &AlertRule) -> Vec<DataQuery> {
    rule.data.iter().map(node).collect()
}

fn node(node: &Query) -> DataQuery {
    let is_expression = node.is_expression();
    let uid = if is_expression {
        EXPRESSION
    } else {
        &node.datasource_uid
    };
    let mut model = node.model.clone();
    if let Value::Object(fields) = &mut model {
        prune(fields, &node.ref_id);
    }
    let is_said = model.get("queryType").is_some_and(|own| !own.is_null());
    let usual = if is_expression { (0, 0) } else { (600, 0) };
    let model::RelativeTimeRange { from, to } = node.relative_time_range;
    DataQuery {
        ref_id: node.ref_id.clone(),
        query_type: Some(node.query_type.clone()).filter(|own| !own.is_empty() && !is_said),
        datasource_uid: uid.to_owned(),
        relative_time_range: ((from, to) != usual).then_some(RelativeTimeRange {
            from,
            to: Some(to).filter(|to| *to != 0),
        }),
        model,
    }
}

fn prune(fields: &mut Map<String, Value>, ref_id: &str) {
    let is_number = |value: &Value, usual: u64| value.as_u64() == Some(usual);
    fields.retain(|key, value| match key.as_str() {
        "refId" => value.as_str() != Some(ref_id),
        "intervalMs" => !is_number(value, 1000),
        "maxDataPoints" => !is_number(value, 43200),
        _ => !value.is_null(),
    });
}
