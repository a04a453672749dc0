//! Contact points.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::null_as_default;

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
