//! The objects that hold rules for Prometheus, as far as they are read.
//!
//! Fields and their meaning are those of prometheus-operator's `monitoring.coreos.com/v1` and VictoriaMetrics' operator's
//! `operator.victoriametrics.com/v1beta1`, which are Prometheus' own rule files and some more. Whatever else is in them is kept by its name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::remark::Remarks;
use crate::api::prometheus_rule_import::SourceKind;
use crate::api::schema::or_default;

/// An object that holds rules.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its kind.
    pub kind: SourceKind,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its specification, as it was read.
    pub spec: &'a Value,
}

impl Source<'_> {
    /// Kind, namespace and name: `PrometheusRule monitoring/web`.
    pub fn path(&self) -> String {
        format!("{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }

    /// How many rules it has, whatever they are.
    pub(super) fn size(&self) -> usize {
        let groups = self
            .spec
            .get("groups")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        groups
            .filter_map(|group| group.get("rules")?.as_array())
            .map(Vec::len)
            .sum()
    }

    /// Its groups. What can't be read is skipped, and said; it hurts nothing beside it.
    pub(super) fn groups(&self, skipped: &mut Remarks) -> Vec<Group> {
        let mut groups = Vec::new();
        for group in self
            .spec
            .get("groups")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            match RawGroup::deserialize(group) {
                Ok(raw) => groups.push(raw.read(self, skipped)),
                Err(error) => self.skip(group, &said(&error.to_string()), skipped),
            }
        }
        groups
    }

    /// Says of each rule of a group that can't be read that it isn't there.
    fn skip(&self, group: &Value, why: &str, skipped: &mut Remarks) {
        let place = wrong(group, &["name", "interval"], &["labels"]);
        let name = scalar(group, "name").unwrap_or_default();
        let about = super::remark::About {
            source: self.path(),
            group: &name,
        };
        let rules = group.get("rules").and_then(Value::as_array);
        let rules = rules.map_or(&[][..], Vec::as_slice);
        for rule in rules {
            skipped.of_rule(
                &about,
                &called(rule),
                &format!("its group can\'t be read: {place}{why}"),
            );
        }
        if rules.is_empty() {
            let message = format!("a group can\'t be read: {place}{why}");
            if name.is_empty() {
                skipped.of_source(self.path(), &message);
            } else {
                skipped.of_group(&about, &message);
            }
        }
    }
}

/// Why something can't be read, in the words of whoever wrote it: YAML takes some texts for something else.
fn said(error: &str) -> String {
    let kinds = [
        "invalid type: boolean `",
        "invalid type: integer `",
        "invalid type: floating point `",
    ];
    let value = kinds.iter().find_map(|kind| error.strip_prefix(kind));
    let value = value.and_then(|rest| rest.split_once("`, expected a string"));
    value.map_or_else(
        || error.to_owned(),
        |(value, _)| format!("a text is expected, and this is {value}; put it in quotes"),
    )
}

/// A group of rules.
#[derive(Debug)]
pub(super) struct Group {
    /// Its name.
    pub(super) name: String,
    /// How often it is evaluated.
    pub(super) interval: Option<String>,
    /// Labels of all of its rules.
    pub(super) labels: BTreeMap<String, String>,
    /// Its rules, in their order.
    pub(super) rules: Vec<Rule>,
    /// Its other fields.
    pub(super) others: Map<String, Value>,
}

/// A rule.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a rule")]
pub(super) struct Rule {
    /// The name of the alert.
    #[serde(default)]
    pub(super) alert: Option<String>,
    /// The name of the recorded series.
    #[serde(default)]
    pub(super) record: Option<String>,
    /// The expression.
    pub(super) expr: Expression,
    /// How long it must hold.
    #[serde(default, rename = "for")]
    pub(super) pending: Option<String>,
    /// How long it goes on after that.
    #[serde(default)]
    pub(super) keep_firing_for: Option<String>,
    /// Its labels.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: BTreeMap<String, String>,
    /// Its annotations.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) annotations: BTreeMap<String, String>,
    /// Its other fields.
    #[serde(flatten)]
    pub(super) others: Map<String, Value>,
}

impl Rule {
    /// The name of the alert or of the recorded series.
    pub(super) fn name(&self) -> &str {
        self.alert
            .as_deref()
            .or(self.record.as_deref())
            .unwrap_or_default()
    }
}

/// An expression; YAML takes one that is nothing but a number for a number.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expr is a text or a number")]
pub(super) enum Expression {
    Text(String),
    Number(serde_json::Number),
}

impl Expression {
    /// The expression as it is sent.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a group")]
struct RawGroup {
    name: String,
    #[serde(default)]
    interval: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    rules: Vec<Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

impl RawGroup {
    fn read(self, source: &Source<'_>, skipped: &mut Remarks) -> Group {
        let about = super::remark::About {
            source: source.path(),
            group: &self.name,
        };
        let mut rules = Vec::new();
        for rule in &self.rules {
            match Rule::deserialize(rule) {
                Ok(read) => rules.push(read),
                Err(error) => {
                    let fields = ["alert", "record", "for", "keep_firing_for"];
                    let place = wrong(rule, &fields, &["labels", "annotations"]);
                    skipped.of_rule(
                        &about,
                        &called(rule),
                        &format!("can\'t be read: {place}{}", said(&error.to_string())),
                    );
                }
            }
        }
        Group {
            interval: self.interval,
            labels: self.labels,
            rules,
            others: self.others,
            name: self.name,
        }
    }
}

/// What a rule is called that can't be read, if it says anything.
fn called(rule: &Value) -> String {
    scalar(rule, "alert")
        .or_else(|| scalar(rule, "record"))
        .unwrap_or_default()
}

/// A text, or what stands where one belongs.
fn scalar(value: &Value, field: &str) -> Option<String> {
    match value.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first field that is no text where one belongs, with a colon behind it: of these, or within those of texts by their names.
fn wrong(value: &Value, texts: &[&str], named: &[&str]) -> String {
    let is_text = |value: &Value| matches!(value, Value::String(_) | Value::Null);
    let own = texts
        .iter()
        .find(|field| value.get(**field).is_some_and(|own| !is_text(own)));
    let within = || {
        named.iter().find_map(|field| {
            let fields = value.get(*field)?.as_object()?;
            let (name, _) = fields.iter().find(|(_, text)| !text.is_string())?;
            Some(format!("{field}.{name}: "))
        })
    };
    own.map(|field| format!("{field}: "))
        .or_else(within)
        .unwrap_or_default()
}
