//! The queries and expressions of a rule.

mod doubt;
mod graph;
pub(super) mod math;
pub(super) mod words;

use serde_json::{Value, json};

use super::query::language::{self, Language};
use super::query::{self, Comparison, Split};
use crate::api::alert_rule::{AlertRuleSpec, DataQuery};
use crate::domain::refusal::Refusal;
use crate::grafana::model::{EXPRESSION, Query, RelativeTimeRange};
use crate::grafana::wire::DataSource;

pub use doubt::{About, Doubt, doubts};

/// What the server adds to a model that lacks it; sent, so that it never differs.
const INTERVAL_MS: u64 = 1000;
/// The same for the number of points.
const MAX_DATA_POINTS: u64 = 43200;
/// How far a query looks back where it doesn't say so itself: the window of LogQL and PromQL is in the query.
const LOOK_BACK: RelativeTimeRange = RelativeTimeRange { from: 600, to: 0 };

/// The nodes of a rule, and which of them decides.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Data {
    /// Queries and expressions.
    pub queries: Vec<Query>,
    /// The refId that decides.
    pub condition: String,
    /// The refId that `$value` stands for; `None` where annotations are taken verbatim.
    pub value: Option<&'static str>,
}

/// Builds the nodes from `query`, or takes over `data` and `condition`.
pub(super) fn data(spec: &AlertRuleSpec, source: Option<&DataSource>) -> Result<Data, Refusal> {
    let records = spec.record.as_ref();
    match (&spec.query, &spec.data, &spec.condition) {
        (Some(query), None, None) if records.is_some() => recorded(query, source),
        (Some(query), None, None) => from_query(query, source),
        (None, Some(queries), Some(condition)) if records.is_none() => verbatim(queries, condition),
        (None, Some(queries), None) if records.is_some_and(|record| record.from.is_some()) => {
            verbatim(queries, "")
        }
        _ => Err(Refusal::invalid(
            "spec",
            "give either query, or data and condition (of a recording rule: data and record.from)",
        )),
    }
}

/// A query whose values are written: its comparison stays in it, where it leaves out what doesn't hold.
fn recorded(text: &str, source: Option<&DataSource>) -> Result<Data, Refusal> {
    let (source, language) = asked(source)?;
    query::split(text).map_err(|e| Refusal::invalid("spec.query", e))?;
    Ok(Data {
        queries: vec![language.instant(source, text.trim())],
        condition: String::new(),
        value: None,
    })
}

/// The language that a data source is asked in, if it is one of the two.
fn language(source: &DataSource) -> Option<Language> {
    Language::of_type(&source.r#type)
}

/// A data source as messages name it; of one that is meant by its type no more is known.
pub(super) fn called(source: &DataSource) -> String {
    if source.name.is_empty() {
        "the data source".to_owned()
    } else {
        format!("data source {}", source.name)
    }
}

/// Fails where the query surely is PromQL and its data source a Loki: Grafana takes it, and each evaluation fails. What may be of either language passes, and
/// LogQL too: a Loki answers in Prometheus' way below `/loki`, and may be a data source of that type.
pub fn refuse_other_language(spec: &AlertRuleSpec, source: &DataSource) -> Result<(), Refusal> {
    let Some(problem) = spec
        .query
        .as_deref()
        .filter(|_| language(source) == Some(Language::LogQl))
        .and_then(|text| other_language(text, source))
    else {
        return Ok(());
    };
    let which = if spec.datasource.is_some() {
        ""
    } else {
        ", the default,"
    };
    Err(Refusal::invalid(
        "spec.query",
        format!(
            "{problem} {}{which} is of type {}; name the right one in spec.datasource",
            called(source),
            source.r#type
        ),
    ))
}

/// How a query shows that it isn't of the language that a data source is asked in.
fn other_language(text: &str, source: &DataSource) -> Option<String> {
    let sign = language::sign(text)?;
    let asked = language(source)?;
    (sign.language != asked).then(|| {
        format!(
            "line {}, column {}: {} is {}, and",
            sign.line, sign.column, sign.word, sign.language
        )
    })
}

/// The data source of `query`, and its language.
fn asked(source: Option<&DataSource>) -> Result<(&DataSource, Language), Refusal> {
    let source = source.ok_or_else(|| Refusal::missing("spec.datasource: no data source is known"))?;
    let language = language(source).ok_or_else(|| {
        Refusal::invalid(
            "spec.query",
            format!(
                "{} is of type {}; query is LogQL or PromQL. Give data and condition instead",
                called(source),
                source.r#type
            ),
        )
    })?;
    Ok((source, language))
}

fn from_query(text: &str, source: Option<&DataSource>) -> Result<Data, Refusal> {
    let (source, language) = asked(source)?;
    let split = query::split(text).map_err(|e| Refusal::invalid("spec.query", e))?;
    let instant = |expr: &str| language.instant(source, expr);
    Ok(match split {
        Split::Comparison { query, op, threshold } => Data {
            queries: vec![instant(query), last("B", "A"), compare("C", "B", op, threshold)],
            condition: "C".into(),
            value: Some("B"),
        },
        Split::Whole(query, ..) => Data {
            queries: vec![
                instant(query),
                math("B", "!is_null($A)"),
                threshold("C", "B", "gt", 0.0),
            ],
            condition: "C".into(),
            value: Some("A"),
        },
    })
}

fn verbatim(queries: &[DataQuery], condition: &str) -> Result<Data, Refusal> {
    for (i, query) in queries.iter().enumerate() {
        if queries
            .iter()
            .take(i)
            .any(|earlier| earlier.ref_id == query.ref_id)
        {
            return Err(Refusal::invalid(
                &format!("spec.data[{i}].refId"),
                format!("{} is used twice; every entry needs its own", query.ref_id),
            ));
        }
        Refusal::if_deep(&format!("spec.data[{i}].model"), &query.model)?;
        if let Some(range) = &query.relative_time_range
            && query.datasource_uid != EXPRESSION
            && range.from <= range.to.unwrap_or(0)
        {
            return Err(Refusal::invalid(
                &format!("spec.data[{i}].relativeTimeRange"),
                "from must be greater than to: both count back from now",
            ));
        }
    }
    graph::check(queries)?;
    Ok(Data {
        queries: queries.iter().map(verbatim_query).collect(),
        condition: condition.to_owned(),
        value: None,
    })
}

/// Uids that mean no data source of the list: an expression, by either of its names, and Grafana's built-in one.
const BUILT_IN: [&str; 3] = [EXPRESSION, "-100", "grafana"];

/// Says which nodes of `spec.data` ask a data source that isn't among those that there are.
pub fn unknown_sources(spec: &AlertRuleSpec, sources: &[DataSource]) -> Vec<String> {
    let is_known = |uid: &str| BUILT_IN.contains(&uid) || sources.iter().any(|source| source.uid == uid);
    let nodes = spec.data.iter().flatten().enumerate();
    let unknown = nodes.filter(|(_, node)| !is_known(&node.datasource_uid));
    unknown
        .map(|(i, node)| {
            format!(
                "spec.data[{i}].datasourceUid: Grafana has no data source with uid {}, so the rule fails until there is one",
                node.datasource_uid
            )
        })
        .collect()
}

/// Says that a query is LogQL and its data source no Loki, which hardly ever is meant.
pub fn logs_of_metrics(spec: &AlertRuleSpec, source: &DataSource) -> Option<String> {
    let text = spec
        .query
        .as_deref()
        .filter(|_| language(source) == Some(Language::PromQl))?;
    let problem = other_language(text, source)?;
    Some(format!(
        "spec.query: {problem} {} is of type {}, so the rule fails unless a Loki answers there; name the right one in spec.datasource",
        called(source),
        source.r#type
    ))
}

fn verbatim_query(query: &DataQuery) -> Query {
    let is_expression = query.datasource_uid == EXPRESSION;
    let default = if is_expression {
        RelativeTimeRange::default()
    } else {
        LOOK_BACK
    };
    let mut model = query.model.clone();
    if let Value::Object(fields) = &mut model {
        fields.entry("refId").or_insert_with(|| json!(query.ref_id));
    }
    Query {
        ref_id: query.ref_id.clone(),
        query_type: query.query_type.clone().unwrap_or_default(),
        relative_time_range: query
            .relative_time_range
            .as_ref()
            .map_or(default, |range| RelativeTimeRange {
                from: range.from,
                to: range.to.unwrap_or(0),
            }),
        datasource_uid: query.datasource_uid.clone(),
        model,
    }
}

/// Whether a data source is a Prometheus, as its plugin's type says.
pub(super) fn is_prometheus(source: &DataSource) -> bool {
    language(source) == Some(Language::PromQl)
}

impl Language {
    fn instant(self, source: &DataSource, expr: &str) -> Query {
        let mut model = json!({
            "datasource": { "type": source.r#type, "uid": source.uid },
            "editorMode": "code",
            "expr": expr,
            "intervalMs": INTERVAL_MS,
            "maxDataPoints": MAX_DATA_POINTS,
            "refId": "A",
        });
        let query_type = match self {
            Self::LogQl => {
                set(&mut model, "queryType", json!("instant"));
                "instant"
            }
            Self::PromQl => {
                set(&mut model, "instant", json!(true));
                set(&mut model, "range", json!(false));
                ""
            }
        };
        Query {
            ref_id: "A".into(),
            query_type: query_type.into(),
            relative_time_range: LOOK_BACK,
            datasource_uid: source.uid.clone(),
            model,
        }
    }
}

/// Strict, so that NaN and ±Inf reach the comparison; `dropNN` drops both from Grafana 10.2 on, and neither before.
fn last(ref_id: &str, of: &str) -> Query {
    expression(
        ref_id,
        json!({ "type": "reduce", "reducer": "last", "expression": of }),
    )
}

/// Compares as Prometheus does: NaN is unequal to everything and otherwise compares with nothing, ±Inf is a number.
///
/// Math makes NaN of a comparison with NaN, and whatever isn't 0 fires. So it is asked whether the reciprocal of the
/// comparison is a number: 1/1 is one, 1/0 is infinite, and NaN isn't one. Every Grafana knows these functions, while servers differ
/// in the comparisons that a threshold knows and in what it makes of NaN. The node appears only once, because math joins
/// two operands also where the labels of one contain those of the other, and a rule with two results of the same labels fails.
fn compare(ref_id: &str, of: &str, op: Comparison, limit: f64) -> Query {
    let limit = number(limit);
    let text = match op {
        Comparison::Ne => format!("!is_number(1 / (${of} == {limit}))"),
        _ => format!("is_number(1 / (${of} {op} {limit}))"),
    };
    math(ref_id, &text)
}

fn threshold(ref_id: &str, of: &str, evaluator: &str, limit: f64) -> Query {
    let condition = json!({ "evaluator": { "type": evaluator, "params": [number(limit)] } });
    expression(
        ref_id,
        json!({ "type": "threshold", "expression": of, "conditions": [condition] }),
    )
}

fn math(ref_id: &str, expression_text: &str) -> Query {
    expression(ref_id, json!({ "type": "math", "expression": expression_text }))
}

fn expression(ref_id: &str, mut model: Value) -> Query {
    set(
        &mut model,
        "datasource",
        json!({ "type": EXPRESSION, "uid": EXPRESSION }),
    );
    set(&mut model, "intervalMs", json!(INTERVAL_MS));
    set(&mut model, "maxDataPoints", json!(MAX_DATA_POINTS));
    set(&mut model, "refId", json!(ref_id));
    Query {
        ref_id: ref_id.into(),
        query_type: String::new(),
        relative_time_range: RelativeTimeRange::default(),
        datasource_uid: EXPRESSION.into(),
        model,
    }
}

fn set(model: &mut Value, key: &str, value: Value) {
    if let Value::Object(fields) = model {
        fields.insert(key.to_owned(), value);
    }
}

/// Whole numbers without a fraction, as Grafana prints them back.
#[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

#[cfg(test)]
mod tests;
