//! Where each type of integration has its settings: in Grafana, and in a ContactPoint. What isn't in here, and what isn't the same again when it is read, is written as `custom`.

use serde_json::{Map, Value, json};

use crate::grafana::model::REDACTED;

/// How a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    /// As it is.
    Itself,
    /// A URL, or a reference to a Secret where Grafana hides it.
    Url,
    /// A reference to a Secret.
    Secret,
    /// A number, which Grafana keeps as a text.
    Number,
    /// A list, which Grafana keeps as one text with this between its entries.
    List(char),
    /// Values by their names, each of them a text or a reference to a Secret.
    Values,
}

type Field = (&'static str, &'static str, As);

/// The type's name in Grafana, its name in a ContactPoint, and its settings: their names in Grafana and in a ContactPoint.
type Type = (&'static str, &'static str, &'static [Field]);

const TITLE: Field = ("title", "title", As::Itself);
const MESSAGE: Field = ("message", "message", As::Itself);
const DESCRIPTION: Field = ("description", "description", As::Itself);
const URL: Field = ("url", "url", As::Url);

const TYPES: [Type; 18] = [
    (
        "email",
        "email",
        &[
            ("addresses", "addresses", As::List(';')),
            ("singleEmail", "singleEmail", As::Itself),
            ("subject", "subject", As::Itself),
            MESSAGE,
        ],
    ),
    (
        "slack",
        "slack",
        &[
            URL,
            TITLE,
            ("token", "token", As::Secret),
            ("recipient", "recipient", As::Itself),
            ("username", "username", As::Itself),
            ("icon_emoji", "iconEmoji", As::Itself),
            ("icon_url", "iconURL", As::Itself),
            ("mentionUsers", "mentionUsers", As::Itself),
            ("mentionGroups", "mentionGroups", As::Itself),
            ("mentionChannel", "mentionChannel", As::Itself),
            ("endpointUrl", "endpointURL", As::Itself),
            ("color", "color", As::Itself),
            ("text", "text", As::Itself),
            ("footer", "footer", As::Itself),
        ],
    ),
    (
        "discord",
        "discord",
        &[
            URL,
            TITLE,
            MESSAGE,
            ("avatar_url", "avatarURL", As::Itself),
            ("use_discord_username", "useDiscordUsername", As::Itself),
            ("use_embed_description", "useEmbedDescription", As::Itself),
        ],
    ),
    (
        "googlechat",
        "googlechat",
        &[
            URL,
            TITLE,
            MESSAGE,
            ("hide_open_button", "hideOpenButton", As::Itself),
            ("hide_version_info", "hideVersionInfo", As::Itself),
        ],
    ),
    (
        "teams",
        "teams",
        &[URL, TITLE, MESSAGE, ("sectiontitle", "sectionTitle", As::Itself)],
    ),
    (
        "telegram",
        "telegram",
        &[
            MESSAGE,
            ("bottoken", "botToken", As::Secret),
            ("chatid", "chatID", As::Itself),
            ("message_thread_id", "messageThreadID", As::Itself),
            ("parse_mode", "parseMode", As::Itself),
            ("disable_web_page_preview", "disableWebPagePreview", As::Itself),
            ("protect_content", "protectContent", As::Itself),
            ("disable_notifications", "disableNotifications", As::Itself),
        ],
    ),
    (
        "webex",
        "webex",
        &[
            MESSAGE,
            ("bot_token", "botToken", As::Secret),
            ("room_id", "roomID", As::Itself),
            ("api_url", "apiURL", As::Itself),
        ],
    ),
    (
        "pagerduty",
        "pagerduty",
        &[
            URL,
            ("integrationKey", "integrationKey", As::Secret),
            ("severity", "severity", As::Itself),
            ("class", "class", As::Itself),
            ("component", "component", As::Itself),
            ("group", "group", As::Itself),
            ("summary", "summary", As::Itself),
            ("source", "source", As::Itself),
            ("client", "client", As::Itself),
            ("client_url", "clientURL", As::Itself),
            ("details", "details", As::Itself),
        ],
    ),
    (
        "opsgenie",
        "opsgenie",
        &[
            MESSAGE,
            DESCRIPTION,
            ("apiKey", "apiKey", As::Secret),
            ("apiUrl", "apiURL", As::Itself),
            ("autoClose", "autoClose", As::Itself),
            ("overridePriority", "overridePriority", As::Itself),
            ("sendTagsAs", "sendTagsAs", As::Itself),
            ("responders", "responders", As::Itself),
        ],
    ),
    (
        "victorops",
        "victorops",
        &[
            URL,
            TITLE,
            DESCRIPTION,
            ("messageType", "messageType", As::Itself),
        ],
    ),
    (
        "oncall",
        "oncall",
        &[
            URL,
            TITLE,
            MESSAGE,
            ("httpMethod", "httpMethod", As::Itself),
            ("username", "username", As::Itself),
            ("password", "password", As::Secret),
            ("authorization_scheme", "authorizationScheme", As::Itself),
            (
                "authorization_credentials",
                "authorizationCredentials",
                As::Secret,
            ),
            ("maxAlerts", "maxAlerts", As::Number),
        ],
    ),
    (
        "webhook",
        "webhook",
        &[
            URL,
            TITLE,
            MESSAGE,
            ("httpMethod", "httpMethod", As::Itself),
            ("username", "username", As::Itself),
            ("password", "password", As::Secret),
            ("authorization_scheme", "authorizationScheme", As::Itself),
            (
                "authorization_credentials",
                "authorizationCredentials",
                As::Secret,
            ),
            ("maxAlerts", "maxAlerts", As::Number),
            ("headers", "headers", As::Values),
            (
                "tlsConfig.insecureSkipVerify",
                "tlsConfig.insecureSkipVerify",
                As::Itself,
            ),
            ("tlsConfig.caCertificate", "tlsConfig.ca", As::Url),
            (
                "tlsConfig.clientCertificate",
                "tlsConfig.clientCertificate",
                As::Url,
            ),
            ("tlsConfig.clientKey", "tlsConfig.clientKey", As::Secret),
            ("payload", "payload", As::Itself),
            ("hmacConfig.secret", "hmacConfig.secret", As::Secret),
            ("hmacConfig.header", "hmacConfig.header", As::Itself),
            (
                "hmacConfig.timestampHeader",
                "hmacConfig.timestampHeader",
                As::Itself,
            ),
        ],
    ),
    (
        "pushover",
        "pushover",
        &[
            TITLE,
            MESSAGE,
            ("apiToken", "apiToken", As::Secret),
            ("userKey", "userKey", As::Secret),
            ("device", "device", As::Itself),
            ("priority", "priority", As::Number),
            ("okPriority", "okPriority", As::Number),
            ("retry", "retry", As::Number),
            ("expire", "expire", As::Number),
            ("sound", "sound", As::Itself),
            ("okSound", "okSound", As::Itself),
            ("uploadImage", "uploadImage", As::Itself),
        ],
    ),
    (
        "prometheus-alertmanager",
        "alertmanager",
        &[
            ("url", "urls", As::List(',')),
            ("basicAuthUser", "username", As::Itself),
            ("basicAuthPassword", "password", As::Secret),
        ],
    ),
    (
        "dingding",
        "dingding",
        &[URL, TITLE, MESSAGE, ("msgType", "messageType", As::Itself)],
    ),
    (
        "LINE",
        "line",
        &[TITLE, DESCRIPTION, ("token", "token", As::Secret)],
    ),
    (
        "kafka",
        "kafka",
        &[
            DESCRIPTION,
            ("kafkaRestProxy", "restProxyURL", As::Itself),
            ("kafkaTopic", "topic", As::Itself),
            ("username", "username", As::Itself),
            ("password", "password", As::Secret),
            ("apiVersion", "apiVersion", As::Itself),
            ("kafkaClusterId", "clusterID", As::Itself),
            ("details", "details", As::Itself),
        ],
    ),
    (
        "threema",
        "threema",
        &[
            TITLE,
            DESCRIPTION,
            ("gateway_id", "gatewayID", As::Itself),
            ("recipient_id", "recipientID", As::Itself),
            ("api_secret", "apiSecret", As::Secret),
        ],
    ),
];

/// Settings as a ContactPoint has them, with the name of their type; `None` where it has no words for one of them. `secret` gives the reference for what Grafana hides, by its name there.
pub(super) fn typed(
    type_: &str,
    settings: &Map<String, Value>,
    secret: &dyn Fn(&str) -> Value,
) -> Option<(&'static str, Value)> {
    let (_, called, fields) = TYPES.iter().find(|(own, ..)| *own == type_)?;
    let mut left = settings.clone();
    let mut written = Map::new();
    for (theirs, ours, how) in *fields {
        if let Some(value) = remove(&mut left, theirs) {
            insert(&mut written, ours, setting(theirs, value, *how, secret)?);
        }
    }
    left.is_empty().then_some((called, Value::Object(written)))
}

fn setting(called: &str, value: Value, how: As, secret: &dyn Fn(&str) -> Value) -> Option<Value> {
    let reference = |called: &str| json!({"secretKeyRef": secret(called)});
    let is_hidden = value == REDACTED;
    Some(match how {
        As::Url | As::Secret if is_hidden => reference(called),
        As::Url => json!({"value": value.as_str()?}),
        As::Secret => return None,
        _ if is_hidden => return None,
        As::Itself => value,
        As::Number => json!(value.as_str()?.parse::<i64>().ok()?),
        As::List(between) => {
            let entries = value.as_str()?.split(between);
            entries.map(Value::from).collect()
        }
        As::Values => {
            let values = value.as_object()?.iter().map(|(name, value)| {
                let value = if *value == REDACTED {
                    reference(&format!("{called}.{name}"))
                } else {
                    json!({"value": value.as_str()?})
                };
                Some((name.clone(), value))
            });
            Value::Object(values.collect::<Option<_>>()?)
        }
    })
}

/// Takes a setting out; an object that is left empty goes with it.
pub(super) fn remove(fields: &mut Map<String, Value>, path: &str) -> Option<Value> {
    let Some((first, rest)) = path.split_once('.') else {
        return fields.remove(path);
    };
    let inner = fields.get_mut(first)?.as_object_mut()?;
    let found = remove(inner, rest);
    if inner.is_empty() {
        fields.remove(first);
    }
    found
}

fn insert(fields: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            fields.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = fields.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Some(inner) = inner.as_object_mut() {
                insert(inner, rest, value);
            }
        }
    }
}
