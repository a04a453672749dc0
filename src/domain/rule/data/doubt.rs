//! What of `data` Grafana takes as it is and can't work out: each evaluation fails.
//!
//! It is told and refuses nothing: `data` is sent as it is written, and a newer Grafana may know more words.

use std::fmt;

use serde_json::Value;

use super::graph::{fields, is_expression, text, type_of};
use super::math::{Math, Unread};
use super::{called, other_language, words};
use crate::api::alert_rule::{AlertRuleSpec, DataQuery};
use crate::domain::rule::query::language::Language;
use crate::domain::rule::query::{self, Problem};
use crate::grafana::wire::DataSource;

/// What is doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A query, at this line and column, if it is a place within it.
    Query(Option<(usize, usize)>),
    /// An expression.
    Expression,
}

/// A part of `data` for which each evaluation fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// What it is about.
    pub about: About,
    /// The number of its entry.
    pub entry: usize,
    /// The field.
    pub field: String,
    /// What is wrong there, and what helps.
    pub message: String,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.field)?;
        if let About::Query(Some((line, column))) = self.about {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// What each evaluation of `data` fails for. The kind of a data source is that of the one of these with the entry's uid, or else what its model says.
pub fn doubts(spec: &AlertRuleSpec, sources: &[DataSource]) -> Vec<Doubt> {
    let all = spec.data.as_deref().unwrap_or_default();
    // SQL makes numbers of log lines too.
    let has_sql = all
        .iter()
        .any(|query| is_expression(query) && type_of(query) == "sql");
    let mut found = Vec::new();
    for (i, query) in all.iter().enumerate() {
        let model = format!("spec.data[{i}].model");
        if is_expression(query) {
            let told = of_expression(query).into_iter();
            found.extend(told.map(|(field, message)| Doubt {
                about: About::Expression,
                entry: i,
                field: format!("{model}{field}"),
                message,
            }));
            continue;
        }
        let of_uid = sources.iter().find(|source| source.uid == query.datasource_uid);
        let Some(source) = of_uid.cloned().or_else(|| said(query)) else {
            continue;
        };
        let told = of_query(text(query, "expr"), &source, has_sql);
        found.extend(told.map(|(place, message)| Doubt {
            about: About::Query(place),
            entry: i,
            field: format!("{model}.expr"),
            message,
        }));
    }
    found
}

/// The data source as the model itself describes it.
fn said(query: &DataQuery) -> Option<DataSource> {
    let kind = query.model.pointer("/datasource/type")?.as_str()?;
    Some(DataSource {
        uid: query.datasource_uid.clone(),
        r#type: kind.to_owned(),
        ..DataSource::default()
    })
}

fn of_query(expr: &str, source: &DataSource, has_sql: bool) -> Option<(Option<(usize, usize)>, String)> {
    // What is there without a text may be asked in another way.
    Language::of_type(&source.r#type).filter(|_| !expr.is_empty())?;
    if let Some(problem) = other_language(expr, source) {
        let message = format!(
            "{problem} {} is of type {}, so the rule fails; name the right one in datasourceUid",
            called(source),
            source.r#type
        );
        return Some((None, message));
    }
    let error = query::split(expr).err()?;
    let may_be = match error.problem {
        // A range is a series here, and a reduction makes a number of it.
        Problem::Range => true,
        Problem::LogQuery => has_sql,
        _ => false,
    };
    (!may_be).then(|| {
        (
            Some((error.line, error.column)),
            format!("{}, so the rule fails", error.problem),
        )
    })
}

/// What is wrong with an expression: the field within its model, and the words.
fn of_expression(query: &DataQuery) -> Vec<(String, String)> {
    let nameless = fields(query).into_iter().filter(|need| need.name.is_empty());
    let nameless = nameless.map(|need| {
        let message = "the refId of the entry that it is of is missing, so the rule fails";
        (format!(".{}", need.field), message.to_owned())
    });
    let mut found = Vec::new();
    // Math says more of itself.
    if type_of(query) != "math" {
        found.extend(nameless);
    }
    match type_of(query) {
        "math" => {
            if let Err(Unread::Wrong(why)) = Math::parse(text(query, "expression")) {
                found.push((".expression".to_owned(), format!("{why}, so the rule fails")));
            }
        }
        "reduce" => {
            // Older ones take capitals too.
            let reducer = text(query, "reducer").to_lowercase();
            found.extend(unknown(".reducer", "reducer", &reducer, &words::REDUCERS));
            let mode = query.model.pointer("/settings/mode").and_then(Value::as_str);
            let mode = mode.unwrap_or_default();
            found.extend(unknown(".settings.mode", "mode", mode, &words::MODES));
            let other = query.model.pointer("/settings/replaceWithValue");
            if mode == "replaceNN" && !other.is_some_and(Value::is_number) {
                let message = "replaceNN needs a number to put in the place, so the rule fails";
                found.push((".settings.replaceWithValue".to_owned(), message.to_owned()));
            }
        }
        "resample" => {
            let (down, up) = (text(query, "downsampler"), text(query, "upsampler"));
            found.extend(unknown(".downsampler", "downsampler", down, &words::DOWNSAMPLERS));
            found.extend(unknown(".upsampler", "upsampler", up, &words::UPSAMPLERS));
            if text(query, "window").is_empty() {
                let message = "resample needs the distance of two points, such as 1m, so the rule fails";
                found.push((".window".to_owned(), message.to_owned()));
            }
        }
        "threshold" => {
            let conditions = query.model.get("conditions").and_then(Value::as_array);
            match conditions.map(Vec::as_slice) {
                Some([condition]) => found.extend(of_evaluator(0, condition)),
                _ => found.push((
                    ".conditions".to_owned(),
                    "a threshold has exactly one condition, so the rule fails".to_owned(),
                )),
            }
        }
        "classic_conditions" => {
            let conditions = query.model.get("conditions").and_then(Value::as_array);
            for (i, condition) in conditions.into_iter().flatten().enumerate() {
                let word = |at: &str| condition.pointer(at).and_then(Value::as_str).unwrap_or_default();
                let field = format!(".conditions[{i}]");
                let (reducer, operator) = (word("/reducer/type"), word("/operator/type"));
                let at = format!("{field}.reducer.type");
                found.extend(unknown(&at, "reducer", reducer, &words::CLASSIC_REDUCERS));
                let at = format!("{field}.operator.type");
                found.extend(unknown(&at, "operator", operator, &words::OPERATORS));
                if word("/evaluator/type") != "no_value" {
                    found.extend(of_evaluator(i, condition));
                }
            }
        }
        other => found.extend(unknown(".type", "type of an expression", other, &words::TYPES)),
    }
    found
}

/// A word that there isn't.
fn unknown(field: &str, what: &str, word: &str, known: &[&str]) -> Option<(String, String)> {
    if known.contains(&word) {
        return None;
    }
    let known: Vec<&str> = known.iter().copied().filter(|word| !word.is_empty()).collect();
    let known = known.join(", ");
    let message = if word.is_empty() {
        format!("the {what} is missing, so the rule fails; there are {known}")
    } else {
        format!("{word:?} is no {what} of Grafana's, so the rule fails; there are {known}")
    };
    Some((field.to_owned(), message))
}

/// What is wrong with the comparison of a condition.
fn of_evaluator(i: usize, condition: &Value) -> Option<(String, String)> {
    let kind = condition.pointer("/evaluator/type").and_then(Value::as_str);
    let kind = kind.unwrap_or_default();
    let Some(needed) = words::numbers(kind) else {
        let known = words::COMPARISONS.map(|(name, _)| name);
        return unknown(
            &format!(".conditions[{i}].evaluator.type"),
            "comparison",
            kind,
            &known,
        );
    };
    let params = condition.pointer("/evaluator/params").and_then(Value::as_array);
    let given = params
        .into_iter()
        .flatten()
        .filter(|param| param.is_number())
        .count();
    (given < needed).then(|| {
        let numbers = if needed == 1 { "a number" } else { "two numbers" };
        (
            format!(".conditions[{i}].evaluator.params"),
            format!(
                "{kind} compares with {numbers}, and there {}, so the rule fails",
                match given {
                    0 => "is none",
                    _ => "is one",
                }
            ),
        )
    })
}

#[cfg(test)]
#[path = "doubt_tests.rs"]
mod tests;
