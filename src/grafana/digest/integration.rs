//! Integrations of contact points, without their secrets.

use serde_json::{Map, Value};

use super::canonical::Canonical;
use crate::grafana::model::Integration;

/// What of an integration can be compared: all but its secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntegrationDigest(u64);

impl IntegrationDigest {
    /// The digest of an integration without the named fields of its settings; a dot leads into an object.
    ///
    /// To compare, leave out of both sides what is known to be secret and what the found one has
    /// [redacted](Integration::redacted_fields): which fields are secret depends on the version.
    pub fn of<S: AsRef<str>>(integration: &Integration, secret_fields: &[S]) -> Self {
        let mut settings = integration.settings.clone();
        for field in secret_fields {
            remove(&mut settings, field.as_ref());
        }
        Self(Canonical::hash(|hash| {
            hash.text(&integration.r#type);
            hash.flag(integration.disable_resolve_message);
            hash.object(settings.iter());
        }))
    }
}

/// Takes a field out. An object that is left empty goes too: it may have held nothing but secrets.
fn remove(fields: &mut Map<String, Value>, path: &str) {
    let Some((first, rest)) = path.split_once('.') else {
        fields.remove(path);
        return;
    };
    if let Some(Value::Object(inner)) = fields.get_mut(first) {
        remove(inner, rest);
        if inner.is_empty() {
            fields.remove(first);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhook(settings: Value) -> Integration {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        Integration {
            r#type: "webhook".to_owned(),
            settings,
            ..Integration::default()
        }
    }

    #[test]
    fn secrets_are_left_out_at_any_depth() {
        let sent = webhook(json!({
            "url": "https://x", "password": "s3cr3t", "tlsConfig": {"clientKey": "k"}, "hmacConfig": {"secret": "s", "header": "h"},
        }));
        let found = webhook(json!({
            "url": "https://x", "password": "[REDACTED]", "hmacConfig": {"secret": "[REDACTED]", "header": "h"},
        }));
        assert_eq!(found.redacted_fields(), ["hmacConfig.secret", "password"]);
        let secrets = ["password", "tlsConfig.clientKey", "hmacConfig.secret"];
        assert_eq!(
            IntegrationDigest::of(&sent, &secrets),
            IntegrationDigest::of(&found, &secrets)
        );
        assert_ne!(
            IntegrationDigest::of(&sent, &["password"]),
            IntegrationDigest::of(&found, &["password"])
        );
    }

    #[test]
    fn everything_else_counts() {
        let digest = |integration: &Integration| IntegrationDigest::of::<&str>(integration, &[]);
        let one = webhook(json!({"url": "https://x", "maxAlerts": 5}));
        assert_eq!(
            digest(&one),
            digest(&webhook(
                json!({"maxAlerts": 5.0, "title": null, "url": "https://x"})
            ))
        );
        for other in [
            webhook(json!({"url": "https://y", "maxAlerts": 5})),
            Integration {
                r#type: "teams".to_owned(),
                ..one.clone()
            },
            Integration {
                disable_resolve_message: true,
                ..one.clone()
            },
        ] {
            assert_ne!(digest(&one), digest(&other));
        }
    }
}
