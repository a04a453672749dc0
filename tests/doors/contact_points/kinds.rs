//! An integration of every type, with all of its secrets.

use alertwright::domain::notification::contact_point::Integration;
use alertwright::grafana::model;
use serde_json::{Value, json};

/// What every secret says.
pub(super) const SECRET: &str = "s3cr3t";

/// A type, what it is given in the clear, and where its secrets go (schemas of github.com/grafana/alerting).
type Kind = (&'static str, Value, Vec<&'static str>);

/// What the others are reached at.
const HOST: &str = "http://127.0.0.1:1";

/// Those that write to people.
fn messengers() -> Vec<Kind> {
    vec![
        ("line", json!({"title": "t"}), vec!["token"]),
        ("dingding", json!({"msgType": "link"}), vec!["url"]),
        ("discord", json!({"use_discord_username": true}), vec!["url"]),
        (
            "email",
            json!({"addresses": "a@example.com;b@example.com", "singleEmail": true, "message": "{{ .Status }}\n\"Ünïcode\" <&> ✓"}),
            vec![],
        ),
        ("googlechat", json!({}), vec!["url"]),
        (
            "pushover",
            json!({"priority": "1", "retry": 30}),
            vec!["userKey", "apiToken"],
        ),
        ("slack", json!({"text": "{{ .Status }}"}), vec!["url"]),
        (
            "slack",
            json!({"recipient": "#ops", "mentionChannel": "here"}),
            vec!["token"],
        ),
        ("teams", json!({"url": HOST, "title": ""}), vec![]),
        (
            "telegram",
            json!({"chatid": "-1", "parse_mode": "HTML"}),
            vec!["bottoken"],
        ),
        (
            "threema",
            json!({"gateway_id": "*1234567", "recipient_id": "12345678"}),
            vec!["api_secret"],
        ),
        ("webex", json!({"room_id": "r"}), vec!["bot_token"]),
        ("wecom", json!({}), vec!["url"]),
        ("wecom", json!({"agent_id": "a", "corp_id": "c"}), vec!["secret"]),
    ]
}

/// Those that tell other servers.
fn services() -> Vec<Kind> {
    let tls = [
        "tlsConfig.caCertificate",
        "tlsConfig.clientCertificate",
        "tlsConfig.clientKey",
    ];
    let signed = [
        "password",
        "hmacConfig.secret",
        "http_config.oauth2.client_secret",
        "http_config.oauth2.tls_config.caCertificate",
        "http_config.oauth2.tls_config.clientCertificate",
        "http_config.oauth2.tls_config.clientKey",
    ];
    vec![
        (
            "jira",
            json!({"api_url": HOST, "project": "P", "issue_type": "Bug", "labels": ["a", "b"]}),
            vec!["api_token"],
        ),
        (
            "jira",
            json!({"api_url": HOST, "project": "P", "issue_type": "Bug", "fields": {"a": {"b": [1, 2.5, null]}}}),
            vec!["user", "password"],
        ),
        (
            "kafka",
            json!({"kafkaRestProxy": HOST, "kafkaTopic": "t", "username": "u"}),
            vec!["password"],
        ),
        (
            "mqtt",
            json!({"brokerUrl": "tcp://127.0.0.1:1", "topic": "t", "qos": 1, "tlsConfig": {"insecureSkipVerify": true}}),
            ["password"].into_iter().chain(tls).collect(),
        ),
        (
            "oncall",
            json!({"url": HOST, "authorization_scheme": "Bearer"}),
            vec!["authorization_credentials"],
        ),
        ("oncall", json!({"url": HOST, "username": "u"}), vec!["password"]),
        (
            "opsgenie",
            json!({"responders": [{"type": "team", "name": "t"}], "autoClose": false}),
            vec!["apiKey"],
        ),
        (
            "pagerduty",
            json!({"severity": "critical", "details": {"a": "b"}}),
            vec!["integrationKey"],
        ),
        (
            "prometheus-alertmanager",
            json!({"url": format!("{HOST},{HOST}"), "basicAuthUser": "u"}),
            vec!["basicAuthPassword"],
        ),
        ("sensugo", json!({"url": HOST}), vec!["apikey"]),
        (
            "sns",
            json!({"topic_arn": "arn:aws:sns:eu-central-1:1:t", "sigv4": {"region": "eu-central-1"}}),
            vec!["sigv4.access_key", "sigv4.secret_key"],
        ),
        ("victorops", json!({"messageType": "CRITICAL"}), vec!["url"]),
        (
            "webhook",
            json!({
                "url": HOST, "username": "u", "httpMethod": "PUT", "maxAlerts": 5, "headers": {"X-A": "b"}, "payload": {"template": "{{ . }}"},
                "hmacConfig": {"header": "h"}, "http_config": {"oauth2": {"client_id": "c", "token_url": HOST, "scopes": ["s"]}},
            }),
            signed.into_iter().chain(tls).collect(),
        ),
        (
            "webhook",
            json!({"url": HOST, "authorization_scheme": "Bearer"}),
            vec!["authorization_credentials"],
        ),
        // Nothing is hidden where there is nothing.
        (
            "webhook",
            json!({"url": HOST, "username": "u", "password": ""}),
            vec![],
        ),
    ]
}

/// An integration of each type, in the ways in which one can log in.
pub(super) fn every_kind() -> Vec<Integration> {
    let all = (0..).zip(messengers().into_iter().chain(services()));
    all.map(|(number, (kind, settings, secrets))| {
        integration(&format!("uid-{number}"), kind, settings, &secrets)
    })
    .collect()
}

/// One with these secrets.
pub(super) fn integration(uid: &str, kind: &str, settings: Value, secrets: &[&str]) -> Integration {
    let mut settings = settings;
    for path in secrets {
        let place = path
            .split('.')
            .fold(&mut settings, |inner, name| &mut inner[name]);
        *place = json!(format!("{SECRET} of {uid}"));
    }
    Integration {
        sent: model::Integration {
            uid: uid.to_owned(),
            r#type: kind.to_owned(),
            settings: settings.as_object().cloned().expect("settings"),
            disable_resolve_message: uid.len().is_multiple_of(2),
            provenance: None,
        },
        secret_fields: secrets.iter().map(|path| (*path).to_owned()).collect(),
    }
}
