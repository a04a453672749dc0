//! Every type with every field, as `deploy/examples/integrations` has them.

#![expect(
    clippy::too_many_lines,
    reason = "one table: a row for each integration of the example"
)]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::ContactPointSpec;
use crate::domain::notification::contact_point::{Integration, Values, integrations, references};
use crate::domain::ownership::Owner;

const EXAMPLE: &str = include_str!("../../../../../deploy/examples/integrations/contact-points.yaml");

/// The integrations of each contact point of the example. What a Secret or a ConfigMap holds is known by its key.
fn all() -> BTreeMap<String, Vec<Integration>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(EXAMPLE).unwrap();
    let owner = Owner::parse("prod").unwrap();
    let found = documents.into_iter().map(|document| {
        let name = document["metadata"]["name"].as_str().unwrap().to_owned();
        let spec: ContactPointSpec = serde_json::from_value(document["spec"].clone()).unwrap();
        let (secrets, texts) = references(&spec);
        let values = Values {
            secrets: secrets
                .into_iter()
                .map(|at| (at.clone(), format!("https://{}", at.key)))
                .collect(),
            texts: texts
                .into_iter()
                .map(|at| (at.clone(), format!("text {}", at.key)))
                .collect(),
        };
        let all = integrations(&spec, &owner, "shop", &name, &values);
        (name, all.unwrap())
    });
    found.collect()
}

const TITLE: &str = r#"{{ template "default.title" . }}"#;
const TEXT: &str = r#"{{ template "default.message" . }}"#;

#[test]
fn every_field_of_every_type_is_under_grafanas_name_and_the_secrets_are_known() {
    let url = "https://url";
    let tls = json!({"insecureSkipVerify": false, "caCertificate": "text ca.crt", "clientCertificate": "https://tls.crt", "clientKey": "https://tls.key"});
    // By name of the contact point: Grafana's type, its settings, and which of them came from Secrets.
    let expected: Vec<(&str, &str, Value, &[&str])> = vec![
        (
            "alertmanager",
            "prometheus-alertmanager",
            json!({"url": "http://alertmanager-0:9093,http://alertmanager-1:9093", "basicAuthUser": "grafana", "basicAuthPassword": "https://password"}),
            &["basicAuthPassword"],
        ),
        (
            "custom",
            "webhook",
            json!({"url": "https://example.com/hook", "password": "https://password"}),
            &["password"],
        ),
        (
            "dingtalk",
            "dingding",
            json!({"url": url, "msgType": "actionCard", "title": TITLE, "message": TEXT}),
            &["url"],
        ),
        (
            "discord",
            "discord",
            json!({
                "url": url, "title": TITLE, "message": "text message", "avatar_url": "https://example.com/bell.png",
                "use_discord_username": true, "use_embed_description": true,
            }),
            &["url"],
        ),
        (
            "email",
            "email",
            json!({
                "addresses": "oncall@example.com;team@example.com", "singleEmail": true,
                "subject": "[{{ .Status }}] {{ .CommonLabels.alertname }}", "message": "text message",
            }),
            &[],
        ),
        (
            "google-chat",
            "googlechat",
            json!({"url": url, "title": TITLE, "message": TEXT, "hide_open_button": true, "hide_version_info": true}),
            &["url"],
        ),
        (
            "jira",
            "jira",
            json!({
                "api_url": "https://example.atlassian.net/rest/api/3", "user": "https://username", "password": "https://password",
                "project": "OPS", "issue_type": "Bug", "summary": TITLE, "description": "text message",
                "labels": ["grafana", "{{ .CommonLabels.team }}"], "priority": "High", "resolve_transition": "Done",
                "reopen_transition": "Reopen", "reopen_duration": "1d12h", "wont_fix_resolution": "Won't do", "dedup_key_field": "10001",
                "fields": {"components": r#"[{"name": "web"}]"#, "customfield_10002": "text"},
            }),
            &["user", "password"],
        ),
        (
            "jira",
            "jira",
            json!({"api_url": "https://jira.example.com/rest/api/2", "api_token": "https://token", "project": "OPS", "issue_type": "Task"}),
            &["api_token"],
        ),
        (
            "kafka",
            "kafka",
            json!({
                "kafkaRestProxy": "https://kafka-rest:8082/kafka", "kafkaTopic": "alerts", "username": "grafana",
                "password": "https://password", "apiVersion": "v3", "kafkaClusterId": "lkc-abcde", "description": TITLE, "details": TEXT,
            }),
            &["password"],
        ),
        (
            "line",
            "LINE",
            json!({"token": "https://token", "title": TITLE, "description": TEXT}),
            &["token"],
        ),
        (
            "mqtt",
            "mqtt",
            json!({
                "brokerUrl": "ssl://broker:8883", "topic": "grafana/alerts", "messageFormat": "text", "clientId": "grafana",
                "message": "text message", "username": "grafana", "password": "https://password", "qos": "1", "retain": true,
                "tlsConfig": tls,
            }),
            &["password", "tlsConfig.clientCertificate", "tlsConfig.clientKey"],
        ),
        (
            "oncall",
            "oncall",
            json!({
                "url": url, "httpMethod": "PUT", "username": "grafana", "password": "https://password", "maxAlerts": "100",
                "title": TITLE, "message": TEXT,
            }),
            &["url", "password"],
        ),
        (
            "oncall",
            "oncall",
            json!({
                "url": "https://oncall.example.com/integrations/v1/alertmanager/", "authorization_scheme": "Token",
                "authorization_credentials": "https://token",
            }),
            &["authorization_credentials"],
        ),
        (
            "opsgenie",
            "opsgenie",
            json!({
                "apiKey": "https://token", "apiUrl": "https://api.eu.opsgenie.com/v2/alerts", "message": TITLE, "description": TEXT,
                "autoClose": false, "overridePriority": false, "sendTagsAs": "both",
                "responders": [
                    {"type": "team", "name": "web"},
                    {"type": "user", "username": "oncall@example.com"},
                    {"type": "{{ .CommonLabels.kind }}", "id": "4513b7ea-3b91-438f-b7e4-e3e54af9147c"},
                ],
            }),
            &["apiKey"],
        ),
        (
            "pagerduty",
            "pagerduty",
            json!({
                "integrationKey": "https://token", "url": "https://events.eu.pagerduty.com/v2/enqueue",
                "severity": r#"{{ if eq .CommonLabels.severity "critical" }}critical{{ else }}critical{{ end }}"#,
                "class": "deploy", "component": "web", "group": "shop", "summary": TITLE, "source": "cluster-1",
                "client": "Grafana of the shop", "client_url": "https://grafana.example.com",
                "details": {
                    "runbook": "{{ .CommonAnnotations.runbook_url }}",
                    "priority": r#"{{ if eq .CommonLabels.severity "critical" }}P1{{ else }}P1{{ end }}"#,
                },
            }),
            &["integrationKey"],
        ),
        (
            "pushover",
            "pushover",
            json!({
                "apiToken": "https://token", "userKey": "https://username", "device": "phone", "priority": "2", "okPriority": "-1",
                "retry": "60", "expire": "3600", "sound": "siren", "okSound": "magic", "uploadImage": false, "title": TITLE,
                "message": TEXT,
            }),
            &["apiToken", "userKey"],
        ),
        (
            "sensu-go",
            "sensugo",
            json!({
                "url": "https://sensu:8080", "apikey": "https://token", "entity": "web", "check": "grafana", "handler": "email",
                "namespace": "shop", "message": TEXT,
            }),
            &["apikey"],
        ),
        (
            "slack",
            "slack",
            json!({
                "token": "https://token", "recipient": "#alerts", "username": "Grafana", "icon_emoji": ":bell:",
                "icon_url": "https://example.com/bell.png", "mentionUsers": "U01,U02", "mentionGroups": "S01", "mentionChannel": "here",
                "endpointUrl": "https://slack.example.com/api/chat.postMessage",
                "color": r#"{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}"#, "title": TITLE, "text": "text message",
                "footer": "the shop",
            }),
            &["token"],
        ),
        ("slack", "slack", json!({"url": url}), &["url"]),
        (
            "sns",
            "sns",
            json!({
                "api_url": "https://sns.eu-south-1.amazonaws.com",
                "sigv4": {
                    "region": "eu-south-1", "access_key": "https://username", "secret_key": "https://password", "profile": "alerts",
                    "role_arn": "arn:aws:iam::123456789012:role/grafana",
                },
                "topic_arn": "arn:aws:sns:eu-south-1:123456789012:alerts",
                "target_arn": "arn:aws:sns:eu-south-1:123456789012:endpoint/GCM/shop/1", "phone_number": "+390000000000",
                "subject": TITLE, "message": TEXT, "attributes": {"team": "web"},
            }),
            &["sigv4.access_key", "sigv4.secret_key"],
        ),
        (
            "teams",
            "teams",
            json!({"url": url, "title": TITLE, "sectiontitle": "Alerts", "message": TEXT}),
            &["url"],
        ),
        (
            "telegram",
            "telegram",
            json!({
                "bottoken": "https://token", "chatid": "-1001234567890", "message_thread_id": "42", "message": TEXT,
                "parse_mode": "MarkdownV2", "disable_web_page_preview": true, "protect_content": true, "disable_notifications": true,
            }),
            &["bottoken"],
        ),
        (
            "threema",
            "threema",
            json!({
                "gateway_id": "*MYGRAFA", "recipient_id": "ABCDEFGH", "api_secret": "https://password", "title": TITLE,
                "description": TEXT,
            }),
            &["api_secret"],
        ),
        (
            "victorops",
            "victorops",
            json!({"url": url, "messageType": "WARNING", "title": TITLE, "description": TEXT}),
            &["url"],
        ),
        (
            "webex",
            "webex",
            json!({
                "bot_token": "https://token", "room_id": "Y2lzY29zcGFyazovL3VzL1JPT00v",
                "api_url": "https://webexapis.com/v1/messages", "message": TEXT,
            }),
            &["bot_token"],
        ),
        (
            "webhook",
            "webhook",
            json!({
                "url": url, "httpMethod": "PUT", "username": "grafana", "password": "https://password", "maxAlerts": "10",
                "title": TITLE, "message": TEXT, "headers": {"X-Team": "web", "X-Api-Key": "https://token"},
                "payload": {"template": "text payload", "vars": {"team": "web"}},
                "hmacConfig": {"secret": "https://password", "header": "X-Signature", "timestampHeader": "X-Time"},
                "tlsConfig": tls,
                "http_config": {"oauth2": {
                    "token_url": "https://login.example.com/token", "client_id": "grafana", "client_secret": "https://password",
                    "scopes": ["alerts.write"], "endpoint_params": {"audience": "alerts"},
                    "tls_config": {"caCertificate": "text ca.crt", "insecureSkipVerify": true},
                    "proxy_config": {
                        "proxy_url": "http://proxy:3128", "no_proxy": ".example.com",
                        "proxy_connect_header": {"X-Proxy-Key": "https://token"},
                    },
                }},
            }),
            &[
                "url",
                "password",
                "headers.X-Api-Key",
                "hmacConfig.secret",
                "tlsConfig.clientCertificate",
                "tlsConfig.clientKey",
                "http_config.oauth2.client_secret",
                "http_config.oauth2.proxy_config.proxy_connect_header.X-Proxy-Key",
            ],
        ),
        (
            "webhook",
            "webhook",
            json!({
                "url": "https://example.com/hook", "authorization_scheme": "Token", "authorization_credentials": "https://token",
            }),
            &["authorization_credentials"],
        ),
        (
            "wecom",
            "wecom",
            json!({
                "secret": "https://password", "agent_id": "1000002", "corp_id": "ww0123456789abcdef", "msgtype": "text",
                "touser": "oncall|lead", "title": TITLE, "message": TEXT,
            }),
            &["secret"],
        ),
        ("wecom", "wecom", json!({"url": url}), &["url"]),
    ];
    let found = all();
    let found: Vec<_> = found
        .iter()
        .flat_map(|(name, all)| all.iter().map(move |integration| (name.as_str(), integration)))
        .collect();
    assert_eq!(found.len(), expected.len());
    for ((name, integration), (expected_name, type_, settings, secrets)) in found.into_iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert_eq!(integration.sent.r#type, type_, "{name}");
        assert_eq!(
            Value::Object(integration.sent.settings.clone()),
            settings,
            "{name}"
        );
        assert_eq!(integration.secret_fields, secrets, "{name}");
    }
}
