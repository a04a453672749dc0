//! Contact points.

use std::fmt;

use serde_json::{Map, Value};

/// What Grafana answers in place of a secret. Sent back in an update it keeps the stored secret.
pub const REDACTED: &str = "[REDACTED]";

/// A contact point with all its integrations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactPoint {
    /// Name, unique within the organisation.
    pub name: String,
    /// What it sends to, each by itself. None is legal from 12.4 on, where Grafana begins with `empty`.
    pub integrations: Vec<Integration>,
}

/// One thing that a contact point sends to.
#[derive(Clone, Default, PartialEq)]
pub struct Integration {
    /// Identity of the integration; the one Grafana ships with has none.
    pub uid: String,
    /// Kind of integration, `slack` for example.
    pub r#type: String,
    /// Settings of that kind, secrets included. What was found has [`REDACTED`] in the place of each that is stored and hidden.
    pub settings: Map<String, Value>,
    /// Sends nothing when an alert resolves.
    pub disable_resolve_message: bool,
    /// Who provisioned it; only found. `None` means nobody.
    pub provenance: Option<String>,
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration")
            .field("uid", &self.uid)
            .field("type", &self.r#type)
            .field("settings", &self.settings.keys().collect::<Vec<_>>())
            .field("disable_resolve_message", &self.disable_resolve_message)
            .field("provenance", &self.provenance)
            .finish()
    }
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
    /// Values of all settings that may be secret going by their names.
    pub fn sensitive_values(&self) -> Vec<&str> {
        let integrations = self.integrations.iter();
        integrations.flat_map(Integration::sensitive_values).collect()
    }

    /// The uids of its integrations.
    pub fn uids(&self) -> impl Iterator<Item = &String> {
        self.integrations.iter().map(|integration| &integration.uid)
    }
}

impl Integration {
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

    /// Hides the value of a setting, where it can have one; a dot leads into an object.
    pub fn hide(&mut self, path: &str) {
        let (above, name) = path
            .rsplit_once('.')
            .map_or((None, path), |(above, name)| (Some(above), name));
        let mut steps = above.into_iter().flat_map(|above| above.split('.'));
        let inner = steps.try_fold(&mut self.settings, |fields, step| {
            let inner = fields.entry(step).or_insert_with(|| Value::Object(Map::new()));
            inner.as_object_mut()
        });
        if let Some(fields) = inner {
            fields.insert(name.to_owned(), REDACTED.into());
        }
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(settings: &Value) -> Integration {
        Integration {
            settings: settings.as_object().cloned().unwrap(),
            ..Integration::default()
        }
    }

    #[test]
    fn settings_do_not_show_in_debug_output() {
        let point = ContactPoint {
            name: "team".to_owned(),
            integrations: vec![with(&json!({"url": "https://hooks.example/s3cr3t"}))],
        };
        assert!(!format!("{point:?}").contains("s3cr3t"));
    }

    #[test]
    fn values_that_may_be_secret_are_found_by_the_names_of_their_settings() {
        let settings = json!({
            "url": "https://x", "title": "a title", "token": "short", "hmacConfig": {"secret": "hmac-secret", "header": "X-Header"},
            "headers": {"X-Api-Key": "header-key"}, "maxAlerts": 5,
        });
        assert_eq!(
            with(&settings).sensitive_values(),
            ["header-key", "hmac-secret", "https://x"]
        );
    }

    #[test]
    fn a_setting_is_hidden_wherever_it_is_and_nothing_beside_it() {
        let mut integration = with(&json!({"url": "s", "auth": {"deep": {"kept": "k"}}, "text": "t"}));
        for path in ["url", "auth.deep.token", "tlsConfig.clientKey", "text.within"] {
            integration.hide(path);
        }
        let expected = json!({
            "url": REDACTED, "auth": {"deep": {"token": REDACTED, "kept": "k"}}, "tlsConfig": {"clientKey": REDACTED}, "text": "t",
        });
        assert_eq!(Value::Object(integration.settings), expected);
    }
}
