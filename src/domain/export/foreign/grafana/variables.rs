//! Variables in the files that Grafana is provisioned with: it puts what they stand for in their place, which nobody else knows.
//!
//! In the names and times of time intervals, and in templates, it puts nothing: `mute_times_types.go` and `text_templates_types.go` in `pkg/services/provisioning/alerting`.
//!
//! Source: the documentation "Provision Grafana", "Using environment variables": `$NAME`, `${NAME}` and `$__env{NAME}`, `$__file{PATH}`, `$__vault{…}`, and `$$` for a dollar.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// The variables in an object's texts.
#[derive(Default)]
pub(super) struct Variables {
    /// Those of each text, by what it is unescaped.
    by_text: BTreeMap<String, BTreeSet<String>>,
}

impl Variables {
    /// Those of all texts but the nodes', which stand there as they are.
    pub(super) fn of(raw: &Value) -> Self {
        let mut all = Self::default();
        all.add(raw);
        all
    }

    /// Those of some fields alone.
    pub(super) fn of_fields(raw: &Value, fields: &[&str]) -> Self {
        let mut all = Self::default();
        let values = fields.iter().filter_map(|field| raw.get(field));
        values.for_each(|value| all.add(value));
        all
    }

    /// With those of others.
    pub(super) fn and(mut self, others: &Self) -> Self {
        self.by_text.extend(others.by_text.clone());
        self
    }

    fn add(&mut self, raw: &Value) {
        match raw {
            Value::String(text) => {
                let names = names(text);
                if !names.is_empty() {
                    self.by_text.insert(plain(text), names);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(fields) => fields
                .iter()
                .filter(|(name, _)| *name != "model")
                .for_each(|(_, value)| self.add(value)),
            _ => {}
        }
    }

    /// Whether a text has any, as it is unescaped.
    pub(super) fn are_in(&self, text: &str) -> bool {
        self.by_text.contains_key(text)
    }

    /// What is to be said of them.
    pub(super) fn told(&self) -> Vec<String> {
        self.told_but(&BTreeSet::new())
    }

    /// The same, without those of texts that are told otherwise.
    pub(super) fn told_but(&self, hidden: &BTreeSet<String>) -> Vec<String> {
        let texts = self.by_text.iter().filter(|(text, _)| !hidden.contains(*text));
        let names: BTreeSet<&String> = texts.flat_map(|(_, names)| names).collect();
        let told = |name: &&String| {
            format!(
                "{name} is a variable of Grafana's, and stands here as it is written: put in what it stands for"
            )
        };
        names.iter().map(told).collect()
    }
}

/// All texts as Grafana reads them in its files, where a dollar is written twice lest it begin a variable. Nodes aren't touched: what they ask stands there as it is.
pub(super) fn unescaped(value: &Value) -> Value {
    match value {
        Value::String(text) => plain(text).into(),
        Value::Array(items) => items.iter().map(unescaped).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let value = if name == "model" {
                    value.clone()
                } else {
                    unescaped(value)
                };
                (name.clone(), value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn plain(text: &str) -> String {
    text.replace("$$", "$")
}

/// The variables in a text. Within the braces of a template a dollar is the template's, as people write it who forget that Grafana wants it twice.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find(['$', '{']) {
        let from = rest.get(at..).unwrap_or_default();
        if let Some(inner) = from.strip_prefix("{{") {
            rest = inner.split_once("}}").map_or("", |(_, after)| after);
            continue;
        }
        if let Some(after) = from.strip_prefix("$$") {
            rest = after;
            continue;
        }
        let length = if from.starts_with('$') { variable(from) } else { 0 };
        if let Some(name) = from.get(..length).filter(|name| !name.is_empty()) {
            names.insert(name.to_owned());
        }
        rest = from.get(length.max(1)..).unwrap_or_default();
    }
    names
}

/// How long the variable is that a text begins with; 0 where it is none.
fn variable(text: &str) -> usize {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let rest = text.get(1..).unwrap_or_default();
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    let is_provider = name.starts_with("__");
    if after.starts_with('{') && (is_provider || name.is_empty()) {
        let inner = after
            .split_once('}')
            .map(|(inner, _)| inner.trim_start_matches('{'));
        let is_one =
            inner.is_some_and(|inner| !inner.is_empty() && (is_provider || inner.chars().all(is_name)));
        return if is_one {
            after.find('}').map_or(0, |close| 1 + end + close + 1)
        } else {
            0
        };
    }
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins { 1 + end } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grafana_would_put_in_is_found_and_what_it_leaves_is_not() {
        for (text, expected) in [
            ("$TEAM", vec!["$TEAM"]),
            ("a ${TEAM}-$X.b", vec!["$X", "${TEAM}"]),
            (
                "$__file{/run/s/key} $__env{A} ${}",
                vec!["$__env{A}", "$__file{/run/s/key}"],
            ),
            ("$$TEAM $$$$ 5$ a$) $1", vec![]),
            (
                "{{ $labels.job }} of $X {{ with $v := 1 }}{{ $v }}{{ end }}",
                vec!["$X"],
            ),
            ("{{ unclosed $X", vec![]),
        ] {
            let expected: BTreeSet<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(names(text), expected, "{text}");
        }
    }
}
