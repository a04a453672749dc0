#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(..) reads better without a borrow"
)]

use serde_json::{Value, from_value, json};

use super::*;
use crate::api::reference::SecretKeyRef;

fn owner() -> Owner {
    Owner::parse("prod").unwrap()
}

fn spec(integrations: Value) -> ContactPointSpec {
    from_value(json!({ "integrations": integrations })).unwrap()
}

/// Every key of the Secret `s` has the value `https://secret-` and its name.
fn secrets(keys: &[&str]) -> Values {
    let entry = |key: &&str| {
        let reference = SecretKeyRef {
            name: "s".into(),
            key: (*key).to_owned(),
        };
        (reference, format!("https://secret-{key}"))
    };
    Values {
        secrets: keys.iter().map(entry).collect(),
        ..Values::default()
    }
}

fn from_secret(key: &str) -> Value {
    json!({ "secretKeyRef": {"name": "s", "key": key} })
}

fn work_out(spec: &ContactPointSpec) -> Result<Vec<Integration>, Refusal> {
    integrations(spec, &owner(), "shop", "on-call", &secrets(&["a", "b", "c"]))
}

fn one(receiver: Value) -> Integration {
    work_out(&spec(json!([receiver]))).unwrap().remove(0)
}

fn refused(integrations: Value) -> Refusal {
    work_out(&spec(integrations)).err().unwrap()
}

#[test]
fn what_may_be_given_in_more_than_one_way_becomes_the_settings_that_grafana_knows() {
    let cases = [
        (
            json!({"email": {"addresses": ["a@x.org", "b@x.org"]}}),
            "email",
            json!({"addresses": "a@x.org;b@x.org", "singleEmail": false}),
            vec![],
        ),
        (
            json!({"email": {"addresses": ["a@x.org"], "singleEmail": true, "subject": "S", "message": "M"}}),
            "email",
            json!({"addresses": "a@x.org", "singleEmail": true, "subject": "S", "message": "M"}),
            vec![],
        ),
        (
            json!({"slack": {"url": {"value": "https://hook"}}}),
            "slack",
            json!({"url": "https://hook"}),
            vec![],
        ),
        (
            json!({"webhook": {"url": from_secret("a"), "httpMethod": "PUT", "username": "u", "password": from_secret("b"), "maxAlerts": 3, "title": "T", "message": "M"}}),
            "webhook",
            json!({"url": "https://secret-a", "httpMethod": "PUT", "username": "u", "password": "https://secret-b", "maxAlerts": "3", "title": "T", "message": "M"}),
            vec!["url", "password"],
        ),
        (
            json!({"webhook": {"url": {"value": "h"}, "authorizationScheme": "Bearer", "authorizationCredentials": from_secret("c")}}),
            "webhook",
            json!({"url": "h", "authorization_scheme": "Bearer", "authorization_credentials": "https://secret-c"}),
            vec!["authorization_credentials"],
        ),
        (
            json!({"custom": {"type": "line", "settings": {"title": "T", "deep": {"kept": 1}}, "secureSettings": {"token": from_secret("a"), "deep.er.key": from_secret("b")}}}),
            "line",
            json!({"title": "T", "token": "https://secret-a", "deep": {"kept": 1, "er": {"key": "https://secret-b"}}}),
            vec!["deep.er.key", "token"],
        ),
        (json!({"custom": {"type": "kafka"}}), "kafka", json!({}), vec![]),
    ];
    for (receiver, type_, settings, secret_fields) in cases {
        let integration = one(receiver.clone());
        assert_eq!(integration.sent.r#type, type_, "{receiver}");
        assert_eq!(Value::Object(integration.sent.settings), settings, "{receiver}");
        assert_eq!(integration.secret_fields, secret_fields, "{receiver}");
    }
}

#[test]
fn a_severity_map_decides_severity_and_priority() {
    let map = json!({"critical": "P1", "high": "P2"});
    let point = |details: Value| {
        one(
            json!({"pagerduty": {"integrationKey": from_secret("a"), "severityMap": map, "details": details}}),
        )
    };
    let settings = point(json!({"k": "v"})).sent.settings;
    let by_severity = |critical, high, otherwise| {
        format!(
            "{{{{ if eq .CommonLabels.severity \"critical\" }}}}{critical}{{{{ else if eq .CommonLabels.severity \"high\" }}}}{high}{{{{ else }}}}{otherwise}{{{{ end }}}}"
        )
    };
    assert_eq!(
        settings["severity"],
        json!(by_severity("critical", "error", "critical"))
    );
    assert_eq!(
        settings["details"],
        json!({"k": "v", "priority": by_severity("P1", "P2", "P1")})
    );
    // What the user says of the priority stands.
    assert_eq!(
        point(json!({"priority": "mine"})).sent.settings["details"],
        json!({"priority": "mine"})
    );
}

#[test]
fn an_integration_carries_the_flag_and_a_uid_of_its_own() {
    let mut spec = spec(json!([
        {"email": {"addresses": ["a@x.org"]}, "disableResolveMessage": true},
        {"email": {"addresses": ["b@x.org"]}},
        {"discord": {"url": {"value": "h"}}},
    ]));
    let found = work_out(&spec).unwrap();
    let points: Vec<_> = found
        .iter()
        .map(|i| (i.sent.uid.clone(), i.sent.disable_resolve_message))
        .collect();
    let uid = |type_, ordinal| owner().integration_uid("shop", "on-call", type_, ordinal);
    let expected = [
        (uid("email", 0), true),
        (uid("email", 1), false),
        (uid("discord", 0), false),
    ];
    assert_eq!(points, expected);
    assert!(found.iter().all(|i| i.sent.provenance.is_none()));
    // Another name in Grafana leaves the identity alone.
    spec.name = Some("On call".into());
    let renamed = work_out(&spec).unwrap();
    assert_eq!(name(&spec, "on-call"), "On call");
    assert_eq!(renamed[1].sent.uid, found[1].sent.uid);
}

#[test]
fn another_receiver_leaves_the_uids_of_those_that_are_there() {
    let (email, discord) = (
        json!({"email": {"addresses": ["a@x.org"]}}),
        json!({"discord": {"url": {"value": "h"}}}),
    );
    let custom = json!({"custom": {"type": "line"}});
    let uids = |integrations: Value| -> Vec<String> {
        work_out(&spec(integrations))
            .unwrap()
            .into_iter()
            .map(|i| i.sent.uid)
            .collect()
    };
    let before = uids(json!([email, discord]));
    assert_eq!(uids(json!([custom, email, discord]))[1..], before);
    assert_eq!(uids(json!([email, discord, email]))[..2], before);
    assert_eq!(uids(json!([discord]))[0], before[1]);
}

#[test]
fn a_missing_secret_key_is_named_with_its_place() {
    let refusal =
        refused(json!([{"email": {"addresses": ["a@x.org"]}}, {"slack": {"url": from_secret("gone")}}]));
    assert_eq!(refusal.reason, Reason::DependencyMissing);
    assert_eq!(
        refusal.message,
        "spec.integrations[1].slack.url: Secret s has no key gone"
    );
}

#[test]
fn a_secret_cannot_lead_into_what_is_no_object() {
    let refusal = refused(
        json!([{"custom": {"type": "line", "settings": {"a": "text"}, "secureSettings": {"a.b": from_secret("a")}}}]),
    );
    assert_eq!(refusal.reason, Reason::Invalid);
    assert_eq!(
        refusal.message,
        "spec.integrations[0].custom.secureSettings[a.b]: leads into a setting that is not an object"
    );
}

#[test]
fn a_secret_that_is_no_url_is_refused_by_the_field_of_the_resource_and_not_shown() {
    let point = json!({"webhook": {"url": from_secret("a"), "authorizationScheme": "Bearer", "authorizationCredentials": from_secret("b")}});
    let with = |url: &str, credentials: &str| {
        let spec = spec(json!([point]));
        let (keys, _) = references(&spec);
        let values = keys
            .into_iter()
            .cloned()
            .zip([url, credentials].map(str::to_owned));
        let values = Values {
            secrets: values.collect(),
            ..Values::default()
        };
        integrations(&spec, &owner(), "shop", "x", &values).err()
    };
    assert_eq!(with("https://hooks.example.com/a", "hunter2"), None);
    for url in [
        "hooks.example.com/hunter2",
        "https\\://hunter2",
        "https://x/ hunter2",
        "hunter2",
    ] {
        let refusal = with(url, "b").unwrap();
        assert_eq!(refusal.reason, Reason::Invalid, "{url}");
        assert_eq!(
            refusal.message,
            "spec.integrations[0].webhook.url: what key a of Secret s holds is no URL: one begins with http:// or https:// and has no spaces"
        );
    }
    let message = with("https://x", "[REDACTED]").unwrap().message;
    let field = "spec.integrations[0].webhook.authorizationCredentials: ";
    assert!(message.starts_with(field), "{message}");
}

#[test]
fn custom_settings_are_an_object() {
    for settings in [json!([1]), json!("text")] {
        let refusal = refused(json!([{"custom": {"type": "line", "settings": settings}}]));
        assert_eq!(
            refusal.message,
            "spec.integrations[0].custom.settings: must be an object"
        );
    }
}

#[test]
fn settings_are_nested_as_deep_as_is_read_back_and_no_deeper() {
    let nested = |levels| (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
    let path = |levels| ["b"].repeat(levels).join(".");
    let custom = |settings, path: String| json!({"custom": {"type": "line", "settings": settings, "secureSettings": {path: from_secret("a")}}});
    one(custom(nested(64), path(64)));
    let refusal = refused(json!([custom(nested(65), path(1))]));
    assert_eq!(
        refusal.message,
        "spec.integrations[0].custom.settings: is nested deeper than 64 levels of arrays and objects; write it flatter"
    );
    let refusal = refused(json!([custom(nested(1), path(65))]));
    assert!(
        refusal
            .message
            .ends_with("leads more than 64 levels deep; write it flatter"),
        "{}",
        refusal.message
    );
}

#[test]
fn a_receiver_without_a_type_and_a_value_without_a_source_are_refused() {
    assert_eq!(refused(json!([{}])).reason, Reason::Invalid);
    let refusal = refused(json!([{"discord": {"url": {}}}]));
    assert_eq!(
        refusal.message,
        "spec.integrations[0].discord.url: give value or secretKeyRef"
    );
}

#[test]
fn every_secret_that_is_needed_is_asked_for() {
    let wanted = json!([
        {"slack": {"url": from_secret("a"), "token": from_secret("b")}},
        {"discord": {"url": from_secret("c")}},
        {"pagerduty": {"integrationKey": from_secret("d")}},
        {"webhook": {"url": from_secret("e"), "password": from_secret("f"), "authorizationCredentials": from_secret("g")}},
        {"custom": {"type": "line", "secureSettings": {"x": from_secret("h")}}},
        {"email": {"addresses": ["a@x.org"]}},
        {"discord": {"url": {"value": "in the clear"}}},
    ]);
    let spec = spec(wanted);
    let (keys, _) = references(&spec);
    let keys: String = keys.into_iter().map(|reference| reference.key.as_str()).collect();
    assert_eq!(keys, "abcdefgh");
    let all = secrets(&["a", "b", "c", "d", "e", "f", "g", "h"]);
    assert!(integrations(&spec, &owner(), "shop", "x", &all).is_ok());
}

#[test]
fn a_template_that_nothing_closes_is_refused_by_its_field() {
    for (receiver, start) in [
        (
            json!({"webhook": {"url": {"value": "h"}, "title": "{{ .CommonLabels.a"}}),
            "spec.integrations[0].webhook.title: line 1, column 1: ",
        ),
        (
            json!({"custom": {"type": "webhook", "settings": {"payload": {"template": "a\n{{ range .Alerts }}"}}}}),
            "spec.integrations[0].custom.settings.payload.template: line 2, column 1: ",
        ),
    ] {
        let message = refused(json!([receiver])).message;
        assert!(message.starts_with(start), "{message}");
    }
    // Nobody looks into a Secret.
    let mut secrets = secrets(&["a"]);
    for value in secrets.secrets.values_mut() {
        value.push_str("{{");
    }
    let spec = spec(json!([{"custom": {"type": "x", "secureSettings": {"deep.key": from_secret("a")}}}]));
    assert!(integrations(&spec, &owner(), "shop", "on-call", &secrets).is_ok());
}

#[test]
fn a_webhook_of_ones_own_has_headers_and_nested_secrets() {
    let settings = one(json!({"custom": {
        "type": "webhook",
        "settings": {"url": "u", "headers": {"X-Team": "web"}, "http_config": {"oauth2": {"client_id": "a"}}},
        "secureSettings": {"headers.X-Api-Key": from_secret("a"), "http_config.oauth2.client_secret": from_secret("b")},
    }}));
    assert_eq!(
        Value::Object(settings.sent.settings),
        json!({
            "url": "u", "headers": {"X-Team": "web", "X-Api-Key": "https://secret-a"},
            "http_config": {"oauth2": {"client_id": "a", "client_secret": "https://secret-b"}},
        })
    );
    assert_eq!(
        settings.secret_fields,
        ["headers.X-Api-Key", "http_config.oauth2.client_secret"]
    );
}

#[test]
fn the_mask_that_an_export_holds_in_place_of_a_secret_is_refused_wherever_it_comes_from() {
    let settings = json!({"severity": "critical", "auth": [{"token": "[REDACTED]"}]});
    let refusal = refused(json!([{"custom": {"type": "line", "settings": settings}}]));
    assert_eq!(
        refusal.message,
        "spec.integrations[0].custom.settings.auth[0].token: [REDACTED] is what Grafana shows in place of a secret; take the secret from a Secret by secureSettings"
    );
    let exported = spec(json!([{"webhook": {"url": from_secret("url")}}]));
    let (keys, _) = references(&exported);
    let masked = keys
        .into_iter()
        .map(|key| (key.clone(), "[REDACTED]\n".to_owned()));
    let secret = Values {
        secrets: masked.collect(),
        ..Values::default()
    };
    let refusal = integrations(&exported, &owner(), "shop", "x", &secret)
        .err()
        .unwrap();
    assert_eq!(refusal.reason, Reason::Invalid);
    assert!(
        refusal.message.contains("write the secret itself there"),
        "{}",
        refusal.message
    );
}

#[test]
fn a_setting_in_the_clear_and_from_a_secret_is_refused() {
    let both = json!([{"custom": {
        "type": "webhook", "settings": {"url": "u", "Password": "hunter2"}, "secureSettings": {"password": from_secret("a")},
    }}]);
    let message = refused(both).message;
    assert!(
        message.starts_with(
            "spec.integrations[0].custom.secureSettings[password]: is given in custom.settings too"
        ),
        "{message}"
    );
    assert!(!message.contains("hunter2"), "{message}");
}

#[test]
fn what_came_after_a_version_is_named_and_nothing_else_is() {
    let spec = spec(json!([
        {"email": {"addresses": ["a@x.org"]}},
        {"webhook": {"url": {"value": "https://x"}, "hmacConfig": {"secret": from_secret("a")}}},
        {"slack": {"url": {"value": "https://x"}, "footer": "f"}},
    ]));
    let told = |major, minor| refuse_what_is_too_new(&spec, Version::new(major, minor, 0)).err();
    let refusal = told(11, 5).unwrap();
    assert_eq!(refusal.reason, Reason::Unsupported);
    assert_eq!(
        refusal.message,
        "spec.integrations[1].webhook.hmacConfig needs Grafana 11.6 or newer, spec.integrations[2].slack.footer needs Grafana 12.4 or newer; this one is 11.5. Remove them or upgrade Grafana"
    );
    assert_eq!(
        told(12, 3).unwrap().message,
        "spec.integrations[2].slack.footer needs Grafana 12.4 or newer; this one is 12.3. Remove it or upgrade Grafana"
    );
    assert_eq!(told(12, 4), None);
}
