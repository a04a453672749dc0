//! Policy trees.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::grafana::wire::{is_false, null_as_default};

/// Label name, operator (`=`, `!=`, `=~`, `!~`) and value.
pub type ObjectMatcher = (String, String, String);

/// A matcher that Grafana keeps as it is, whoever reads and writes it again.
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

/// A value with one quote more at each end that has one. In this form of matchers Grafana takes one off each end whenever it reads some: those
/// that the provisioning API is sent, and all from its database, whichever API has written them (`ObjectMatchers.UnmarshalJSON` in
/// `pkg/services/ngalert/api/tooling/definitions/alertmanager.go`).
pub(in crate::grafana) fn outlasting(value: &str) -> String {
    let quote = |is_quoted| if is_quoted { "\"" } else { "" };
    let (before, behind) = (quote(value.starts_with('"')), quote(value.ends_with('"')));
    format!("{before}{value}{behind}")
}

/// Name of a policy tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TreeName(pub String);

impl TreeName {
    /// That of the tree which every organisation has, and the only one that the provisioning API knows.
    pub const DEFAULT: &'static str = "user-defined";

    /// Whether it is that one.
    pub fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl From<String> for TreeName {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl Borrow<str> for TreeName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Default for TreeName {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

/// A notification policy with everything below it.
///
/// In this form, which is that of Alertmanager and of the provisioning API, the memory keeps the tree that was there before ours. What is
/// read comes back whole when it is written, older forms of matchers and fields that we don't know included, so that a tree of somebody
/// else's survives.
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
    /// Names of the only intervals in which something is sent; 11.2 and later.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub active_time_intervals: Vec<String>,
    /// Policies below this one; the first that matches takes the alert.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
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
    fn a_value_outlasts_one_reading() {
        let read = |value: &str| {
            let value = value.strip_prefix('"').unwrap_or(value);
            value.strip_suffix('"').unwrap_or(value).to_owned()
        };
        for value in ["", "a", "\"", "\"a", "a\"", "\"a\"", "\"\"a\"b\"\"", "\"\""] {
            assert_eq!(read(&outlasting(value)), value);
        }
    }

    #[test]
    fn a_tree_that_is_read_is_written_back_whole() {
        let tree = json!({
            "receiver": "oncall", "group_by": ["alertname"], "group_wait": "30s", "group_interval": "5m", "repeat_interval": "4h",
            "of_the_future": {"a": [1, 2.5, null]},
            "routes": [
                {"receiver": "db", "matchers": ["team=\"db\""], "continue": true, "mute_time_intervals": ["nights"]},
                {"match": {"team": "web"}, "active_time_intervals": ["days"], "labels": {"x": "y"}},
                {"match_re": {"team": "x.*"}, "object_matchers": [["a", "=~", "b|c"]], "routes": [{"matchers": ["c!=d"], "later": true}]},
            ],
        });
        let read: Route = serde_json::from_value(tree.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), tree);
    }
}
