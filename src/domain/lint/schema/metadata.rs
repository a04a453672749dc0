//! What an API server says of a resource's metadata, whose schema no definition has.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::finding::Part;
use super::super::path::Path;
use super::{Walk, is_name, meant, value};

/// All fields that there are.
const FIELDS: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// How long the name in a label's key, its value and a namespace's name are at most, in characters.
const LONGEST: usize = 63;

impl Walk<'_> {
    pub(super) fn metadata(&mut self, metadata: Option<&Value>) {
        let path = Path::parse("metadata");
        let Some(fields) = metadata.and_then(Value::as_object) else {
            return self.say(Path::default(), Part::Key, "metadata with a name is missing");
        };
        match fields.get("name") {
            Some(Value::String(name)) if is_name(name) => {}
            Some(Value::String(name)) => self.say(
                path.field("name"),
                Part::Value,
                format!(
                    "{name:?} is no name: it consists of lower-case letters, digits, dashes and dots, with a letter or digit at both ends, at most 253"
                ),
            ),
            Some(other) => {
                let message = format!("a name is a text, not {}", value::said(other));
                self.say(path.field("name"), Part::Value, message);
            }
            // What is generated has one later.
            None if fields.contains_key("generateName") => {}
            None => self.say(path.clone(), Part::Key, "a name is missing"),
        }
        for (key, value) in fields {
            if !FIELDS.contains(&key.as_str()) {
                let message = format!("unknown field {key}{}", meant(key, FIELDS));
                self.say(path.field(key), Part::Key, message);
            } else if !value.is_null() {
                self.known(fields, key, value, &path.field(key));
            }
        }
    }

    /// A field that there is.
    fn known(&mut self, fields: &Map<String, Value>, key: &str, value: &Value, path: &Path) {
        match (key, value) {
            ("name", _) => {}
            ("namespace", Value::String(name)) => {
                if name.len() > LONGEST || name.contains('.') || !is_name(name) {
                    let message = format!(
                        "{name:?} is no namespace: it consists of lower-case letters, digits and dashes, with a letter or digit at both ends, at most {LONGEST}"
                    );
                    self.say(path.clone(), Part::Value, message);
                }
            }
            ("namespace", other) => {
                let message = format!(
                    "a namespace is a text, not {}; put it in quotes",
                    value::said(other)
                );
                self.say(path.clone(), Part::Value, message);
            }
            ("labels" | "annotations", Value::Object(entries)) => {
                for (name, entry) in entries {
                    self.entry(key, name, entry, &path.field(name));
                }
            }
            ("labels" | "annotations", other) => {
                let message = format!("{key} are fields with texts, and this is {}", value::said(other));
                self.say(path.clone(), Part::Value, message);
            }
            _ => {
                if let Err(error) = ObjectMeta::deserialize(json!({key: fields.get(key)})) {
                    self.say(path.clone(), Part::Value, format!("this is no {key}: {error}"));
                }
            }
        }
    }

    /// A label, or an annotation.
    fn entry(&mut self, map: &str, key: &str, entry: &Value, path: &Path) {
        if !is_key(key) {
            let message = format!(
                "{key:?} is no key of {map}: it consists of letters, digits, dashes, underscores and dots, with a letter or digit at both ends, at most {LONGEST}, and may begin with a domain and a slash"
            );
            return self.say(path.clone(), Part::Key, message);
        }
        match entry {
            Value::String(text) if map == "labels" && !text.is_empty() && !is_word(text) => {
                let message = format!(
                    "{} is no value of a label: it consists of letters, digits, dashes, underscores and dots, with a letter or digit at both ends, at most {LONGEST}",
                    value::said(entry)
                );
                self.say(path.clone(), Part::Value, message);
            }
            Value::String(_) => {}
            other => {
                let message = format!(
                    "the values of {map} are texts, and this is {}; put it in quotes",
                    value::said(other)
                );
                self.say(path.clone(), Part::Value, message);
            }
        }
    }
}

/// What labels and annotations are called.
fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((domain, name)) => is_name(&domain.to_ascii_lowercase()) && is_word(name),
        None => is_word(key),
    }
}

fn is_word(text: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_alphanumeric();
    text.len() <= LONGEST
        && text.starts_with(is_edge)
        && text.ends_with(is_edge)
        && text.chars().all(|c| is_edge(c) || "-_.".contains(c))
}
