//! What of an object would be another, field by field, as people are told it.
//!
//! Whether anything differs is decided elsewhere, by what Grafana considers equal. Here a difference is only put into words: what is the same for Grafana is
//! left out, however it is written.

mod notifications;
mod route;
mod rule;

use serde::Serialize;
use serde_json::Value;

use crate::grafana::digest;

pub use notifications::{Secrets, contact_point, inhibition_rule, silence, template, time_interval};
pub use route::{Branch, branches, tree};
pub use rule::rule;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The field, as the custom resource spells it where it has it.
    pub field: String,
    /// What Grafana holds; nothing where it has nothing there, or hides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it would hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Fields with their values, in the order in which they are told.
type Facts = Vec<(String, Value)>;

/// What is said in the place of a value that nobody may see.
pub const SECRET: &str = "(secret)";

impl Difference {
    /// What Grafana hides is sent again.
    pub fn of_hidden() -> Self {
        Self::hidden("(what Grafana hides)")
    }

    /// A field of which nothing can be shown.
    fn hidden(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            before: None,
            after: None,
        }
    }
}

/// Those fields whose values differ.
fn compare(before: &Facts, after: &Facts) -> Vec<Difference> {
    let find = |facts: &Facts, field: &str| {
        let found = facts.iter().find(|(name, _)| name == field);
        found.map(|(_, value)| value.clone())
    };
    let gone = before.iter().filter(|(field, _)| find(after, field).is_none());
    let all = after.iter().chain(gone).map(|(field, _)| Difference {
        field: field.clone(),
        before: find(before, field),
        after: find(after, field),
    });
    all.filter(|difference| !is_same(difference.before.as_ref(), difference.after.as_ref()))
        .collect()
}

/// Whether two values are one for Grafana: numbers by value, and durations.
fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Number(one)), Some(Value::Number(other))) => one.as_f64() == other.as_f64(),
        (Some(Value::String(one)), Some(Value::String(other))) => {
            one == other || digest::duration(one).is_some_and(|one| digest::duration(other) == Some(one))
        }
        (one, other) => one == other,
    }
}

/// A value taken apart down to what is no object.
fn flatten(path: &str, value: &Value, facts: &mut Facts) {
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(&format!("{path}.{name}"), value, facts);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (i, item) in items.iter().enumerate() {
                flatten(&format!("{path}[{i}]"), item, facts);
            }
        }
        value => facts.push((path.to_owned(), value.clone())),
    }
}

/// Notes a field where it says something.
fn say(facts: &mut Facts, field: &str, value: impl Into<Value>) {
    let value = value.into();
    let is_empty = match &value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if !is_empty {
        facts.push((field.to_owned(), value));
    }
}

#[cfg(test)]
mod tests;
