//! Contact points and the tree of notification policies.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{is_false, null_as_default};

/// What Grafana answers in place of a secret. Sent back in an update it keeps the stored secret.
pub const REDACTED: &str = "[REDACTED]";

/// One integration of a contact point; several of one name form one contact point.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContactPoint {
    /// Identity of the integration; the one Grafana ships with has none.
    pub uid: String,
    /// Name of the contact point.
    pub name: String,
    /// Kind of integration, `slack` for example.
    pub r#type: String,
    /// Settings of that kind, secrets included.
    #[serde(deserialize_with = "null_as_default")]
    pub settings: Map<String, Value>,
    /// Sends nothing when an alert resolves.
    pub disable_resolve_message: bool,
    /// Who provisioned it; only read. `None` means nobody.
    #[serde(skip_serializing)]
    pub provenance: Option<String>,
}

/// Parts of the names of settings that may hold a secret, in lower case.
const SENSITIVE: [&str; 9] = [
    "url",
    "token",
    "key",
    "secret",
    "password",
    "credential",
    "certificate",
    "user",
    "auth",
];

/// Shorter values are words of other texts rather than secrets.
const SHORTEST_SENSITIVE: usize = 6;

impl ContactPoint {
    /// Which fields of the settings Grafana answered with [`REDACTED`]; a dot leads into an object.
    pub fn redacted_fields(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect_redacted("", &self.settings, &mut found);
        found
    }

    /// Values of all settings that may be secret going by their names.
    pub fn sensitive_values(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for (name, value) in &self.settings {
            collect_sensitive(is_sensitive(name), value, &mut found);
        }
        found
    }
}

fn collect_redacted(path: &str, fields: &Map<String, Value>, found: &mut Vec<String>) {
    for (name, value) in fields {
        match value {
            Value::String(text) if text == REDACTED => found.push(format!("{path}{name}")),
            Value::Object(inner) => collect_redacted(&format!("{path}{name}."), inner, found),
            _ => {}
        }
    }
}

fn is_sensitive(name: &str) -> bool {
    let name = name.to_lowercase();
    SENSITIVE.iter().any(|part| name.contains(part))
}

fn collect_sensitive<'a>(sensitive: bool, value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if sensitive && text.len() >= SHORTEST_SENSITIVE => found.push(text),
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_sensitive(sensitive, item, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                collect_sensitive(sensitive || is_sensitive(name), value, found);
            }
        }
        _ => {}
    }
}

impl fmt::Debug for ContactPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactPoint")
            .field("uid", &self.uid)
            .field("name", &self.name)
            .field("type", &self.r#type)
            .field("settings", &self.settings.keys().collect::<Vec<_>>())
            .field("disable_resolve_message", &self.disable_resolve_message)
            .field("provenance", &self.provenance)
            .finish()
    }
}

/// Label name, operator (`=`, `!=`, `=~`, `!~`) and value.
pub type ObjectMatcher = (String, String, String);

/// A matcher that Grafana keeps as it is.
///
/// Whenever Grafana reads a matcher, also from its own database, it takes one quote off each end of the value. A value that has
/// one there is written as a regular expression in a group.
pub fn object_matcher(label: &str, operator: &str, value: &str) -> ObjectMatcher {
    let matcher = |operator: &str, value: String| (label.to_owned(), operator.to_owned(), value);
    if !value.starts_with('"') && !value.ends_with('"') {
        return matcher(operator, value.to_owned());
    }
    match operator {
        "=" => matcher("=~", format!("(?:{})", regex::escape(value))),
        "!=" => matcher("!~", format!("(?:{})", regex::escape(value))),
        _ => matcher(operator, format!("(?:{value})")),
    }
}

/// A notification policy with everything below it. What is read comes back whole when it is written, older forms and fields that
/// we don't know included, so that a tree of somebody else's survives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Name of the contact point; from 10.1 on a child may leave it out to inherit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// Labels to group by; empty inherits the parent's.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// What an alert must match, all of it; none at the root.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub object_matchers: Vec<ObjectMatcher>,
    /// Older form of `object_matchers`, as Alertmanager's strings. We write none, but Grafana takes and keeps them.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub matchers: Vec<String>,
    /// Oldest form of equality matchers; likewise.
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub r#match: BTreeMap<String, String>,
    /// Oldest form of regular expression matchers; likewise.
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub match_re: BTreeMap<String, String>,
    /// Also look at the siblings behind this one.
    #[serde(skip_serializing_if = "is_false")]
    pub r#continue: bool,
    /// Prometheus duration; unset inherits the parent's, at the root 30s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<String>,
    /// Prometheus duration; unset inherits the parent's, at the root 5m.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_interval: Option<String>,
    /// Prometheus duration; unset inherits the parent's, at the root 4h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_interval: Option<String>,
    /// Names of intervals in which nothing is sent.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub mute_time_intervals: Vec<String>,
    /// Names of the only intervals in which something is sent; 12.1 and later.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub active_time_intervals: Vec<String>,
    /// Policies below this one; the first that matches takes the alert.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Who provisioned the tree; only at the root and only read. `None` means nobody.
    #[serde(skip_serializing)]
    pub provenance: Option<String>,
    /// Fields that we don't know. They say nothing about what a tree of ours does.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_with_quotes_at_its_ends_is_written_so_that_grafana_keeps_them() {
        let matcher = |operator, value| object_matcher("l", operator, value);
        let expected = |operator: &str, value: &str| ("l".to_owned(), operator.to_owned(), value.to_owned());
        assert_eq!(matcher("=", "a\"b"), expected("=", "a\"b"));
        assert_eq!(matcher("=", "\"a.b\""), expected("=~", "(?:\"a\\.b\")"));
        assert_eq!(matcher("!=", "a\""), expected("!~", "(?:a\")"));
        assert_eq!(matcher("=~", "\"a|b"), expected("=~", "(?:\"a|b)"));
    }

    #[test]
    fn a_tree_that_is_read_is_written_back_whole_but_for_who_provisioned_it() {
        let mut tree = json!({
            "receiver": "oncall", "group_by": ["alertname"], "group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h",
            "provenance": "api", "of_the_future": {"a": [1, 2.5, null]},
            "routes": [
                {"receiver": "db", "matchers": ["team=\"db\""], "continue": true, "mute_time_intervals": ["nights"]},
                {"match": {"team": "web"}, "active_time_intervals": ["days"], "labels": {"x": "y"}},
                {"match_re": {"team": "x.*"}, "object_matchers": [["a", "=~", "b|c"]], "routes": [{"matchers": ["c!=d"], "later": true}]},
            ],
        });
        let read: Route = serde_json::from_value(tree.clone()).unwrap();
        tree.as_object_mut().unwrap().remove("provenance");
        assert_eq!(serde_json::to_value(&read).unwrap(), tree);
    }

    #[test]
    fn settings_do_not_show_in_debug_output() {
        let point = ContactPoint {
            settings: json!({"url": "https://hooks.example/s3cr3t"})
                .as_object()
                .cloned()
                .unwrap(),
            ..ContactPoint::default()
        };
        assert!(!format!("{point:?}").contains("s3cr3t"));
    }

    #[test]
    fn values_that_may_be_secret_are_found_by_the_names_of_their_settings() {
        let settings = json!({
            "url": "https://x", "title": "a title", "token": "short", "hmacConfig": {"secret": "hmac-secret", "header": "X-Header"},
            "headers": {"X-Api-Key": "header-key"}, "maxAlerts": 5,
        });
        let point = ContactPoint {
            settings: settings.as_object().cloned().unwrap(),
            ..ContactPoint::default()
        };
        assert_eq!(
            point.sensitive_values(),
            ["header-key", "hmac-secret", "https://x"]
        );
    }
}
