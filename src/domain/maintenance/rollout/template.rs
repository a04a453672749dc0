//! What rolls out: a pod template. It is large, and nothing of it is read but whether it is another one.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::short_hash;

/// A pod template, read as a short, stable hash of it: eight lower-case letters and digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// The hash.
    pub fn hash(&self) -> &str {
        &self.0
    }

    fn of(template: Value) -> Self {
        // A `Value` has sorted keys, so the hash doesn't depend on the order of the fields.
        Self(short_hash(&without_nulls(template).to_string()))
    }
}

impl Default for Template {
    fn default() -> Self {
        Self::of(Value::Null)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::of)
    }
}

/// An API server writes `creationTimestamp: null` into templates, or leaves it out, by its version.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            fields.map(|(key, value)| (key, without_nulls(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash(template: &str) -> String {
        let template: Template = serde_json::from_str(template).unwrap();
        template.hash().to_owned()
    }

    #[test]
    fn another_template_has_another_hash_and_the_same_in_other_words_has_the_same() {
        let template = r#"{"metadata": {"labels": {"a": "1", "b": "2"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}"#;
        let same = r#"{"spec": {"containers": [{"image": "i:1", "name": "c", "tty": null}]}, "metadata": {"creationTimestamp": null, "labels": {"b": "2", "a": "1"}}}"#;
        assert_eq!(hash(same), hash(template));
        assert_ne!(hash(&template.replace("i:1", "i:2")), hash(template));
        assert_ne!(hash("{}"), hash(template));
        assert_eq!(hash("null"), Template::default().hash());
    }

    #[test]
    fn a_hash_can_be_a_part_of_the_name_of_a_silence() {
        let hash = hash(&json!({"spec": {"containers": []}}).to_string());
        assert!(
            hash.len() == 8 && hash.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()),
            "{hash}"
        );
    }
}
