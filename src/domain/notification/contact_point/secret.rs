//! Which settings of an integration are secrets, to tell who writes one in the clear.

use serde_json::{Map, Value};

use crate::api::ContactPointSpec;
use crate::api::contact_point::Custom;

/// Settings that are secrets whatever the type, in lower case: Grafana heeds no case here. From its documentation of contact points.
const SECRETS: [&str; 20] = [
    "access_key",
    "api_secret",
    "api_token",
    "apikey",
    "apitoken",
    "authorization_credentials",
    "basicauthpassword",
    "bot_token",
    "bottoken",
    "client_secret",
    "clientkey",
    "integrationkey",
    "password",
    "secret",
    "secret_key",
    "sessiontoken",
    "token",
    "userkey",
    "webhook_url",
    "x-api-key",
];

/// Types whose `url` lets everybody who has it send messages.
const SECRET_URLS: [&str; 6] = ["dingding", "discord", "googlechat", "slack", "victorops", "wecom"];

/// What a person should know: every secret that stands in the clear.
pub(super) fn warnings(spec: &ContactPointSpec) -> Vec<String> {
    let customs = spec.integrations.iter().enumerate();
    let customs = customs.filter_map(|(i, integration)| Some((i, integration.custom.as_ref()?)));
    customs
        .flat_map(|(i, custom)| in_the_clear(custom).into_iter().map(move |path| (i, path)))
        .map(|(i, path)| {
            format!(
                "spec.integrations[{i}].custom.settings.{path} is a secret in the clear, for everybody who may read this resource; give it in secureSettings, from a Secret"
            )
        })
        .collect()
}

fn in_the_clear(custom: &Custom) -> Vec<String> {
    fn walk(fields: &Map<String, Value>, above: &str, has_secret_url: bool, found: &mut Vec<String>) {
        for (key, value) in fields {
            let path = format!("{above}{key}");
            let name = key.to_lowercase();
            let is_secret =
                SECRETS.contains(&name.as_str()) || (has_secret_url && above.is_empty() && name == "url");
            match value {
                Value::Object(inner) => walk(inner, &format!("{path}."), has_secret_url, found),
                Value::String(text) if is_secret && !text.is_empty() => found.push(path),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    if let Some(Value::Object(fields)) = &custom.settings {
        let type_ = custom.type_.to_lowercase();
        walk(fields, "", SECRET_URLS.contains(&type_.as_str()), &mut found);
    }
    found
}

/// The setting that is given in the clear and from a Secret, if there is one.
pub(super) fn given_twice(custom: &Custom) -> Option<&str> {
    fn has(fields: &Map<String, Value>, path: &str) -> bool {
        let (first, rest) = path.split_once('.').map_or((path, None), |(f, r)| (f, Some(r)));
        let mut same = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(first));
        match rest {
            None => same.next().is_some(),
            Some(rest) => same.any(|(_, inner)| inner.as_object().is_some_and(|inner| has(inner, rest))),
        }
    }
    let fields = custom.settings.as_ref()?.as_object()?;
    let mut paths = custom.secure_settings.keys().map(String::as_str);
    paths.find(|path| has(fields, path))
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn told(integration: &Value) -> Vec<String> {
        let spec = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}, integration]});
        let spec: ContactPointSpec = from_value(spec).unwrap();
        warnings(&spec)
    }

    #[test]
    fn a_secret_in_the_clear_is_told_without_showing_it() {
        let told_of =
            |settings: Value, type_: &str| told(&json!({"custom": {"type": type_, "settings": settings}}));
        for (type_, settings, path) in [
            (
                "opsgenie",
                json!({"apiKey": "hunter2", "apiUrl": "https://x"}),
                "apiKey",
            ),
            (
                "webhook",
                json!({"url": "https://x", "PASSWORD": "hunter2"}),
                "PASSWORD",
            ),
            (
                "webhook",
                json!({"tlsConfig": {"clientKey": "hunter2"}}),
                "tlsConfig.clientKey",
            ),
            ("slack", json!({"url": "https://hooks/hunter2"}), "url"),
        ] {
            let told = told_of(settings, type_);
            assert_eq!(told.len(), 1, "{told:?}");
            let start = format!("spec.integrations[1].custom.settings.{path} is a secret in the clear");
            assert!(told[0].starts_with(&start), "{told:?}");
            assert!(!told[0].contains("hunter2"), "{told:?}");
        }
        for (type_, settings) in [
            (
                "webhook",
                json!({"url": "https://x", "password": "", "maxAlerts": 3}),
            ),
            ("kafka", json!({"kafkaRestProxy": "https://x", "kafkaTopic": "t"})),
        ] {
            assert_eq!(told_of(settings, type_), Vec::<String>::new());
        }
    }

    #[test]
    fn a_setting_that_is_given_in_both_ways_is_found() {
        let of = |settings: Value, path: &str| {
            let secure = json!({path: {"secretKeyRef": {"name": "s", "key": "k"}}});
            let custom = json!({"type": "webhook", "settings": settings, "secureSettings": secure});
            let custom: Custom = from_value(custom).unwrap();
            given_twice(&custom).map(str::to_owned)
        };
        assert_eq!(of(json!({"Password": "x"}), "password"), Some("password".into()));
        assert_eq!(
            of(json!({"headers": {"X-Key": "x"}}), "headers.X-Key"),
            Some("headers.X-Key".into())
        );
        assert_eq!(of(json!({"headers": {"X-Team": "x"}}), "headers.X-Key"), None);
        assert_eq!(of(json!({"url": "x"}), "password"), None);
    }
}
