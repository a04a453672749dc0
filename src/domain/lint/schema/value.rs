//! What a schema says of one value, whatever is in it.

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use serde_json::Value;

use super::super::near::nearest;
use crate::api::duration::SYNTAX;
use crate::json::moment;

/// How much of a text is quoted, in characters.
const QUOTED: usize = 40;

/// What is wrong with a value itself, if anything is.
pub(super) fn problem(schema: &JSONSchemaProps, value: &Value) -> Option<String> {
    type_problem(schema, value)
        .or_else(|| choice_problem(schema, value))
        .or_else(|| bounds_problem(schema, value))
}

fn type_problem(schema: &JSONSchemaProps, value: &Value) -> Option<String> {
    if schema.x_kubernetes_int_or_string == Some(true) {
        let fits = value.is_string() || value.is_i64() || value.is_u64();
        return (!fits).then(|| format!("a whole number or a text is expected, not {}", said(value)));
    }
    let (fits, expected) = match schema.type_.as_deref()? {
        "object" => (value.is_object(), "fields"),
        "array" => (value.is_array(), "a list"),
        "string" => (value.is_string(), "a text"),
        "boolean" => (value.is_boolean(), "true or false"),
        "integer" => (
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0),
            "a whole number",
        ),
        "number" => (value.is_number(), "a number"),
        _ => return None,
    };
    if fits {
        return None;
    }
    if value.is_string() && may_be_secret(schema) {
        // What stands there may be a secret, so it isn't shown.
        return Some(
            "a text by itself is not taken here; write it as {value: …}, or as {secretKeyRef: {name: …, key: …}} to take it from a Secret"
                .to_owned(),
        );
    }
    let mut rules = schema.x_kubernetes_validations.iter().flatten();
    let is_duration = rules.any(|rule| rule.message.as_deref() == Some(SYNTAX));
    let cure = match (expected, value) {
        ("a text", Value::Number(number)) if is_duration => {
            return Some(format!(
                "a length of time is expected here, and this is {}; write {number}s or {number}m",
                said(value)
            ));
        }
        ("a text", Value::Number(_) | Value::Bool(_)) => "; put it in quotes",
        ("a list", Value::String(_) | Value::Object(_)) => "; put a dash before it",
        ("true or false" | "a whole number" | "a number", Value::String(_)) => "; take it out of the quotes",
        _ => "",
    };
    Some(format!(
        "{expected} is expected here, and this is {}{cure}",
        said(value)
    ))
}

/// Whether a field holds a text that may come from a Secret too.
fn may_be_secret(schema: &JSONSchemaProps) -> bool {
    let has = |name: &str| {
        let fields = schema.properties.as_ref();
        fields.is_some_and(|fields| fields.contains_key(name))
    };
    has("value") && has("secretKeyRef")
}

fn choice_problem(schema: &JSONSchemaProps, value: &Value) -> Option<String> {
    // Of a field that may be null they stand one level below.
    let below = schema
        .one_of
        .iter()
        .flatten()
        .filter_map(|choice| choice.enum_.as_ref());
    let choices = schema.enum_.iter().chain(below).next()?;
    if choices.iter().any(|choice| choice.0 == *value) {
        return None;
    }
    let names: Vec<&str> = choices.iter().filter_map(|choice| choice.0.as_str()).collect();
    let near = value
        .as_str()
        .and_then(|text| nearest(text, names.iter().copied()));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    Some(format!("{} is none of {}{hint}", said(value), names.join(", ")))
}

fn bounds_problem(schema: &JSONSchemaProps, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let count = text.chars().count();
            within(count, schema.min_length, schema.max_length, "character")
                .or_else(|| {
                    let is_time = schema.format.as_deref() == Some("date-time");
                    let is_wrong = is_time && moment::parse(text).is_err();
                    is_wrong.then(|| {
                        format!(
                            "{} is no time; write one such as 2026-03-01T06:00:00Z",
                            said(value)
                        )
                    })
                })
                .or_else(|| pattern_problem(schema, text))
        }
        Value::Array(items) => within(items.len(), schema.min_items, schema.max_items, "entry"),
        Value::Object(fields) => within(
            fields.len(),
            schema.min_properties,
            schema.max_properties,
            "entry",
        ),
        Value::Number(number) => {
            let number = number.as_f64()?;
            let too_small = schema.minimum.filter(|least| number < *least);
            let too_large = schema.maximum.filter(|most| number > *most);
            too_small
                .map(|least| format!("must be at least {least}"))
                .or_else(|| too_large.map(|most| format!("must be at most {most}")))
        }
        Value::Null | Value::Bool(_) => None,
    }
}

fn pattern_problem(schema: &JSONSchemaProps, text: &str) -> Option<String> {
    let pattern = schema.pattern.as_deref()?;
    let regex = regex::Regex::new(pattern).ok()?;
    (!regex.is_match(text)).then(|| format!("{text:?} doesn't match {pattern}"))
}

fn within(count: usize, least: Option<i64>, most: Option<i64>, what: &str) -> Option<String> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let plural = |n: i64| match (n, what) {
        (1, _) => what.to_owned(),
        (_, "entry") => "entries".to_owned(),
        _ => format!("{what}s"),
    };
    if let Some(least) = least.filter(|least| count < *least) {
        return Some(if count == 0 {
            "must not be empty".to_owned()
        } else {
            format!("has {count} {}, and must have at least {least}", plural(count))
        });
    }
    let most = most.filter(|most| count > *most)?;
    Some(format!(
        "has {count} {}, and must have at most {most}",
        plural(count)
    ))
}

/// The entries of a list that are another's doubles, as server-side apply tells them apart.
pub(super) fn repeated(schema: &JSONSchemaProps, items: &[Value]) -> Vec<(usize, String)> {
    let keys = schema.x_kubernetes_list_map_keys.as_deref().unwrap_or_default();
    let key_of = |item: &Value| match schema.x_kubernetes_list_type.as_deref() {
        Some("set") => Some(said(item)),
        Some("map") => {
            let parts = keys
                .iter()
                .map(|key| Some(format!("{key} {}", said(item.get(key)?))));
            Some(parts.collect::<Option<Vec<_>>>()?.join(", "))
        }
        _ => None,
    };
    let mut seen = BTreeSet::new();
    let doubles = items.iter().enumerate().filter_map(|(i, item)| {
        let key = key_of(item)?;
        (!seen.insert(key.clone())).then_some((i, key))
    });
    doubles.collect()
}

/// A value in a few words.
pub(super) fn said(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => format!("the number {value}"),
        Value::String(text) if text.chars().count() <= QUOTED => format!("{text:?}"),
        Value::String(text) => {
            let cut: String = text.chars().take(QUOTED).collect();
            format!("{:?}", format!("{cut}…"))
        }
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object with fields".to_owned(),
    }
}
