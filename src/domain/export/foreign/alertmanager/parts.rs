//! What receivers, routes and time intervals have in common.

use serde_json::{Map, Value, json};

use crate::api::duration::Duration;
use crate::grafana::model::{Period, TimeRange, TreeName};

/// Where a configuration is from, and what becomes of its names.
pub(in super::super) struct Place {
    /// What stands before names of receivers and time intervals, as prometheus-operator puts it there.
    pub(in super::super) before: String,
    /// What its tree is called.
    pub(in super::super) tree: TreeName,
    /// Of which policy it is to be a branch, as a resource says it; nothing of a whole configuration.
    pub(in super::super) parent: Option<Value>,
    /// What the configuration is called.
    pub(in super::super) called: String,
}

/// A list; what is none is empty.
pub(in super::super) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A list; what is something else isn't taken for an empty one, which of matchers would match everything.
pub(super) fn strict_list<'a>(value: &'a Value, field: &str) -> Result<&'a [Value], String> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries.as_slice()),
        Some(_) => Err(format!("{field} is no list")),
    }
}

/// Whether an address in a text says who asks, `https://user:password@host`: that may be secret.
pub(in super::super) fn has_user(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '<' | '>');
        let host = rest.split(ends).next().unwrap_or_default();
        host.rsplit_once('@').is_some_and(|(user, _)| !user.is_empty())
    })
}

/// Whether a text anywhere in a value is such an address.
pub(in super::super) fn says_user(value: &Value) -> bool {
    match value {
        Value::String(text) => has_user(text),
        Value::Array(items) => items.iter().any(says_user),
        Value::Object(fields) => fields.values().any(says_user),
        _ => false,
    }
}

/// A scalar as a text.
pub(in super::super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A length of time in seconds.
pub(super) fn seconds(value: &Value) -> Option<u64> {
    let text = text(value);
    let length = Duration::parse(&text).ok()?.checked().ok()?;
    Some(length.as_secs())
}

/// Texts by their names, also from a list of keys and values.
pub(super) fn texts(value: &Value) -> Value {
    let pair = |pair: &Value| Some((text(pair.get("key")?), text(pair.get("value")?)));
    let pairs: Map<String, Value> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), text(value).into()))
            .collect(),
        Value::Array(items) => items
            .iter()
            .filter_map(pair)
            .map(|(name, value)| (name, value.into()))
            .collect(),
        _ => return json!({}),
    };
    Value::Object(pairs)
}

/// One of the times of an interval; resources write days as a start and an end.
pub(super) fn period(given: &Value) -> Period {
    let texts = |field: &str| {
        let entries = list(given, field).iter();
        entries
            .map(|entry| match (entry.get("start"), entry.get("end")) {
                (Some(start), Some(end)) => format!("{}:{}", text(start), text(end)),
                (Some(start), None) => text(start),
                _ => text(entry),
            })
            .collect()
    };
    Period {
        times: list(given, "times")
            .iter()
            .map(|time| TimeRange {
                start_time: time.get("start_time").map(text).unwrap_or_default(),
                end_time: time.get("end_time").map(text).unwrap_or_default(),
            })
            .collect(),
        weekdays: texts("weekdays"),
        days_of_month: texts("days_of_month"),
        months: texts("months"),
        years: texts("years"),
        location: given.get("location").map(text),
    }
}

/// All the time, as a time interval.
pub(super) fn always() -> Period {
    period(&json!({"times": [{"start_time": "00:00", "end_time": "24:00"}]}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_says_who_asks_is_told_from_others() {
        for (text, expected) in [
            ("https://user:pw@example.com/x", true),
            ("https://token@example.com", true),
            ("see http://a.example and https://u:p@b.example", true),
            ("https://example.com/x?to=a@example.com", false),
            ("https://example.com and a@example.com", false),
            ("a@example.com", false),
        ] {
            assert_eq!(has_user(text), expected, "{text}");
        }
    }
}
