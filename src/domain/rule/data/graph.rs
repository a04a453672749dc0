//! What the expressions of `data` are made of: queries, and each other.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::alert_rule::DataQuery;
use crate::domain::refusal::Refusal;
use crate::grafana::model::EXPRESSION;

/// Whether an entry is an expression, by either name of Grafana's engine.
pub(super) fn is_expression(query: &DataQuery) -> bool {
    matches!(query.datasource_uid.as_str(), EXPRESSION | "-100")
}

/// The type of an expression.
pub(super) fn type_of(query: &DataQuery) -> &str {
    text(query, "type")
}

/// A text of a model; empty where there is none.
pub(super) fn text<'a>(query: &'a DataQuery, field: &str) -> &'a str {
    query.model.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// An entry that an expression names, and the field that does.
pub(super) struct Need<'a> {
    pub(super) field: String,
    pub(super) name: &'a str,
}

/// Fails where an expression is made of an entry that there isn't, of itself, or of what it can't be made of: Grafana refuses the rule, or fails with each
/// evaluation, and says little of why.
pub(super) fn check(all: &[DataQuery]) -> Result<(), Refusal> {
    let places: BTreeMap<&str, usize> = all
        .iter()
        .enumerate()
        .map(|(i, query)| (query.ref_id.as_str(), i))
        .collect();
    let mut made_of: Vec<Vec<(usize, String)>> = Vec::new();
    for (i, query) in all.iter().enumerate() {
        let mut known = Vec::new();
        for need in needs(query) {
            let path = format!("spec.data[{i}].model.{}", need.field);
            let Some((at, other)) = places.get(need.name).and_then(|at| Some((*at, all.get(*at)?))) else {
                return Err(Refusal::invalid(&path, unknown(need.name, all)));
            };
            if at != i {
                refuse_classic(&path, query, other)?;
            }
            known.push((at, path));
        }
        made_of.push(known);
    }
    refuse_circles(all, &made_of)
}

fn unknown(name: &str, all: &[DataQuery]) -> String {
    let known: Vec<&str> = all.iter().map(|entry| entry.ref_id.as_str()).collect();
    format!(
        "no entry of data has the refId {name}; there are {}",
        known.join(", ")
    )
}

/// Classic conditions stand at the end, and on queries alone.
fn refuse_classic(path: &str, query: &DataQuery, other: &DataQuery) -> Result<(), Refusal> {
    let is_classic = |query: &DataQuery| is_expression(query) && type_of(query) == CLASSIC;
    if is_classic(query) && is_expression(other) {
        return Err(Refusal::invalid(
            path,
            format!(
                "classic_conditions count over what a query yields, and {} is an expression; name the query",
                other.ref_id
            ),
        ));
    }
    if is_classic(other) {
        return Err(Refusal::invalid(
            path,
            format!(
                "no expression can be made of classic_conditions, which {} is",
                other.ref_id
            ),
        ));
    }
    Ok(())
}

/// The type of conditions as they were before alerts of several series.
const CLASSIC: &str = "classic_conditions";

/// What an expression names. Where it should and doesn't, that is told elsewhere.
fn needs(query: &DataQuery) -> Vec<Need<'_>> {
    let mut all = fields(query);
    all.retain(|need| !need.name.is_empty());
    all
}

/// The fields in which an expression names entries.
pub(super) fn fields(query: &DataQuery) -> Vec<Need<'_>> {
    if !is_expression(query) {
        return Vec::new();
    }
    let of_expression = |name| Need {
        field: "expression".to_owned(),
        name,
    };
    match type_of(query) {
        "math" => variables(text(query, "expression"))
            .into_iter()
            .map(of_expression)
            .collect(),
        "reduce" | "resample" | "threshold" => {
            let name = text(query, "expression").trim();
            let name = name.strip_prefix('$').unwrap_or(name);
            let inner = name.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            vec![of_expression(inner.unwrap_or(name))]
        }
        CLASSIC => {
            let conditions = query.model.get("conditions").and_then(Value::as_array);
            let each = conditions.into_iter().flatten().enumerate();
            each.map(|(i, condition)| Need {
                field: format!("conditions[{i}].query.params"),
                name: condition
                    .pointer("/query/params/0")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            })
            .collect()
        }
        _ => Vec::new(),
    }
}

/// The entries that a math expression names: `$A` or `${an entry}`. Names that begin with two underscores are Grafana's own.
fn variables(expression: &str) -> Vec<&str> {
    let behind = expression.split('$').skip(1);
    let names = behind.filter_map(|rest| {
        if let Some(rest) = rest.strip_prefix('{') {
            return rest.split_once('}').map(|(name, _)| name);
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        rest.get(..end.unwrap_or(rest.len()))
    });
    names.filter(|name| !name.starts_with("__")).collect()
}

/// Fails where what an expression is made of is made of it.
fn refuse_circles(all: &[DataQuery], made_of: &[Vec<(usize, String)>]) -> Result<(), Refusal> {
    // What isn't in a circle, nor leads into one, goes away step by step.
    let mut left: BTreeMap<usize, &Vec<(usize, String)>> = made_of.iter().enumerate().collect();
    loop {
        let before = left.len();
        let stays = |needs: &[(usize, String)], left: &BTreeMap<usize, _>| {
            needs.iter().any(|(at, _)| left.contains_key(at))
        };
        let done: Vec<usize> = left
            .iter()
            .filter(|(_, needs)| !stays(needs, &left))
            .map(|(at, _)| *at)
            .collect();
        for at in done {
            left.remove(&at);
        }
        if left.len() == before {
            break;
        }
    }
    // From any of these on each step stays among them, and so comes back to where it was.
    let Some(mut at) = left.keys().next().copied() else {
        return Ok(());
    };
    let mut way: Vec<(usize, &str)> = Vec::new();
    loop {
        if let Some(from) = way.iter().position(|(before, _)| *before == at) {
            let circle = way.get(from..).unwrap_or_default();
            return Err(circle_of(all, circle));
        }
        let next = left
            .get(&at)
            .and_then(|needs| needs.iter().find(|(next, _)| left.contains_key(next)));
        let Some((next, path)) = next else {
            return Ok(());
        };
        way.push((at, path));
        at = *next;
    }
}

fn circle_of(all: &[DataQuery], circle: &[(usize, &str)]) -> Refusal {
    let names: Vec<&str> = circle
        .iter()
        .filter_map(|(at, _)| Some(all.get(*at)?.ref_id.as_str()))
        .collect();
    let path = circle.first().map_or("spec.data", |(_, path)| *path);
    Refusal::invalid(
        path,
        match names.as_slice() {
            [one] => format!("{one} is made of itself; name another entry"),
            [first, others @ ..] => format!("{first} is made of itself, by way of {}", others.join(", ")),
            [] => String::new(),
        },
    )
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
