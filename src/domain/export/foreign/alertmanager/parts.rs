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
    /// What is to be said of its policy.
    pub(in super::super) remarks: Vec<String>,
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

/// The addresses of a mail without the names that stand before them, and whether there are any.
pub(super) fn addresses(to: &str) -> (Vec<String>, bool) {
    let mut parts = vec![String::new()];
    let (mut is_quoted, mut is_escaped, mut braces) = (false, false, 0_usize);
    for c in to.chars() {
        match c {
            '"' if !is_escaped => is_quoted = !is_quoted,
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
        if c == ',' && !is_quoted && braces == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    // A quote that never ends quotes nothing.
    let parts: Vec<&str> = if is_quoted {
        to.split(',').collect()
    } else {
        parts.iter().map(String::as_str).collect()
    };
    let mut has_names = false;
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    let addresses = parts.map(|part| {
        let within = part.strip_suffix('>').and_then(|part| part.rsplit_once('<'));
        match within {
            // A template may make anything of what is around it.
            Some((name, address)) if !address.contains("{{") && !name.contains("{{") => {
                has_names |= !name.trim().is_empty();
                address.trim().to_owned()
            }
            _ => part.to_owned(),
        }
    });
    (addresses.collect(), has_names)
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

    #[test]
    fn addresses_of_a_mail_are_told_apart_and_lose_the_names_before_them() {
        for (to, expected, has_names) in [
            ("a@x.org, b@x.org,", vec!["a@x.org", "b@x.org"], false),
            ("\"Doe, John\" <john@x.org>", vec!["john@x.org"], true),
            (
                "\"a\\\", b\" <c@x.org>, John <d@x.org>",
                vec!["c@x.org", "d@x.org"],
                true,
            ),
            ("<a@x.org>", vec!["a@x.org"], false),
            ("a\"@x.org, b@x.org", vec!["a\"@x.org", "b@x.org"], false),
            (
                "{{ index .A \"b,c\" }}@x.org, d@x.org",
                vec!["{{ index .A \"b,c\" }}@x.org", "d@x.org"],
                false,
            ),
            (
                "{{ if .A }}a@x.org, b@x.org{{ end }}",
                vec!["{{ if .A }}a@x.org", "b@x.org{{ end }}"],
                false,
            ),
        ] {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(addresses(to), (expected, has_names), "{to}");
        }
    }
}
