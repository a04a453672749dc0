//! Notifications: every type of integration is stored as wished, and arrives rendered.

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::{any_release, apply, every_release};
use data_encoding::BASE64;
use serde_json::json;

use crate::alarm::{Sinks, assert_rests, everything_to, fire, integration, secret, world};
use crate::world::{SOON, World};

/// A contact point `all` with every type of integration whose notifications can arrive here, and one of a type whose can't.
async fn every_type(w: &World, sinks: &Sinks) {
    let sink = |path: &str| format!("{}{path}", sinks.http.url());
    let secrets = json!({
        "slack": sink("/slack/hook"), "token": "xoxb-token", "discord": sink("/discord/hook"), "pagerduty": "pd-routing-key",
        "password": "pass-word", "bearer": "bearer-credentials", "teams": sink("/teams"), "telegram": "bot-token",
    });
    secret(w, "keys", secrets).await;
    let from = |key: &str| json!({"secretKeyRef": {"name": "keys", "key": key}});
    let title = "T {{ .CommonLabels.alertname }}";
    let integrations = json!([
        {"email": {"addresses": ["a@example.com", "b@example.com"], "singleEmail": true, "subject": "S {{ .CommonLabels.alertname }}", "message": "M {{ .CommonAnnotations.summary }}"}},
        {"slack": {"url": from("slack"), "title": title, "text": "X {{ .CommonAnnotations.summary }}", "username": "bot", "iconEmoji": ":bell:"}},
        {"slack": {"token": from("token"), "recipient": "#ops", "endpointURL": sink("/slack-api"), "title": title, "mentionChannel": "here"}},
        {"discord": {"url": from("discord"), "title": title, "message": "D {{ .CommonAnnotations.summary }}", "useDiscordUsername": true}},
        {"pagerduty": {"integrationKey": from("pagerduty"), "severityMap": {"critical": "P1", "high": "P2"}, "summary": "P {{ .CommonLabels.alertname }}", "component": "api", "details": {"why": "{{ .CommonAnnotations.summary }}"}}},
        {"webhook": {"url": {"value": sink("/basic")}, "username": "user", "password": from("password"), "httpMethod": "PUT", "maxAlerts": 3}, "disableResolveMessage": true},
        {"webhook": {"url": {"value": sink("/bearer")}, "authorizationScheme": "Token", "authorizationCredentials": from("bearer"), "title": title, "message": "W {{ .CommonAnnotations.summary }}"}},
        {"custom": {"type": "teams", "settings": {"title": title, "message": "C {{ .CommonAnnotations.summary }}"}, "secureSettings": {"url": from("teams")}}},
    ]);
    w.put("ContactPoint", "all", json!({"integrations": integrations}))
        .await;
    // Telegram's address is fixed, so that nothing of it can arrive here.
    let telegram = json!({"type": "telegram", "settings": {"chatid": "1"}, "secureSettings": {"bottoken": from("telegram")}});
    w.put(
        "ContactPoint",
        "telegram",
        json!({"name": "Telegram / ops", "integrations": [{"custom": telegram}]}),
    )
    .await;
    w.synced::<ContactPoint>("all").await;
    w.synced::<ContactPoint>("telegram").await;
}

#[apply(every_release)]
async fn every_type_is_stored_as_wished() {
    let (w, sinks) = world().await;
    every_type(&w, &sinks).await;
    let telegram = w.synced::<ContactPoint>("telegram").await;
    let status = telegram.status.unwrap_or_default();
    assert_eq!(status.name.as_deref(), Some("Telegram / ops"));
    assert_eq!(
        integration(&w, "Telegram / ops", "telegram").await["settings"],
        json!({"chatid": "1", "bottoken": "[REDACTED]"})
    );

    assert_eq!(w.grafana.contact_point("all").await.len(), 8);
    let email = integration(&w, "all", "email").await;
    assert_eq!(email["settings"]["addresses"], "a@example.com;b@example.com");
    assert_eq!(email["provenance"], "api");
    let pagerduty = integration(&w, "all", "pagerduty").await;
    assert_eq!(pagerduty["settings"]["integrationKey"], "[REDACTED]");
    assert_eq!(pagerduty["settings"]["component"], "api");
    // The order in which Grafana lists them differs from run to run.
    let all = w.grafana.contact_point("all").await;
    let webhooks = all.iter().filter(|integration| integration["type"] == "webhook");
    let quiet: Vec<_> = webhooks
        .filter(|webhook| webhook["disableResolveMessage"] == true)
        .map(|webhook| webhook["settings"]["httpMethod"].as_str())
        .collect();
    assert_eq!(quiet, [Some("PUT")]);
    assert_rests(&w).await;
}

#[apply(any_release)]
async fn a_notification_of_each_type_that_can_be_received_here_arrives_rendered() {
    let (w, sinks) = world().await;
    every_type(&w, &sinks).await;
    w.put("NotificationPolicy", "tree", everything_to("all")).await;
    w.synced::<NotificationPolicy>("tree").await;
    fire(
        &w,
        "boom",
        json!({"severity": "high"}),
        json!({"summary": "it burns"}),
    )
    .await;

    let mail = sinks.mail.wait_for(SOON, |_| true).await;
    assert_eq!(mail.subject, "S boom");
    assert!(mail.body.contains("M it burns"), "{}", mail.body);
    assert_eq!(mail.to, ["a@example.com", "b@example.com"]);
    let arrived = async |path: &str| sinks.http.wait_for(path, SOON, |_| true).await;
    let slack = arrived("/slack/hook").await;
    assert_eq!(slack.body["attachments"][0]["title"], "T boom");
    assert_eq!(slack.body["attachments"][0]["text"], "X it burns");
    assert_eq!(slack.body["username"], "bot");
    let slack = arrived("/slack-api").await;
    assert_eq!(slack.headers["authorization"], "Bearer xoxb-token");
    assert_eq!(slack.body["channel"], "#ops");
    assert!(slack.body.to_string().contains("<!here|here>"), "{}", slack.body);
    let discord = arrived("/discord/hook").await;
    assert_eq!(discord.body["content"], "D it burns");
    assert_eq!(discord.body["embeds"][0]["title"], "T boom");
    let pagerduty = arrived("/pagerduty").await;
    assert_eq!(pagerduty.body["routing_key"], "pd-routing-key");
    assert_eq!(pagerduty.body["payload"]["severity"], "error");
    assert_eq!(pagerduty.body["payload"]["summary"], "P boom");
    assert_eq!(pagerduty.body["payload"]["component"], "api");
    assert_eq!(pagerduty.body["payload"]["custom_details"]["priority"], "P2");
    assert_eq!(pagerduty.body["payload"]["custom_details"]["why"], "it burns");
    let basic = arrived("/basic").await;
    assert_eq!(basic.method, "PUT");
    assert_eq!(
        basic.headers["authorization"],
        format!("Basic {}", BASE64.encode(b"user:pass-word"))
    );
    let bearer = arrived("/bearer").await;
    assert_eq!(bearer.headers["authorization"], "Token bearer-credentials");
    assert_eq!(
        (&bearer.body["title"], &bearer.body["message"]),
        (&json!("T boom"), &json!("W it burns"))
    );
    let teams = arrived("/teams").await;
    assert!(
        teams.body.to_string().contains("T boom") && teams.body.to_string().contains("C it burns"),
        "{}",
        teams.body
    );
    assert_rests(&w).await;
}

#[apply(any_release)]
async fn pagerduty_gets_the_severity_and_the_priority_of_the_map() {
    let (w, sinks) = world().await;
    secret(&w, "keys", json!({"pd": "key"})).await;
    let map = json!({"critical": "P1", "high": "P2", "warning": "P3", "info": "P4"});
    let pagerduty =
        json!({"integrationKey": {"secretKeyRef": {"name": "keys", "key": "pd"}}, "severityMap": map});
    w.put(
        "ContactPoint",
        "oncall",
        json!({"integrations": [{"pagerduty": pagerduty}]}),
    )
    .await;
    let mut tree = everything_to("oncall");
    tree["groupBy"] = json!(["alertname"]);
    w.put("NotificationPolicy", "tree", tree).await;
    w.synced::<NotificationPolicy>("tree").await;
    // A severity that the map doesn't have must not go unheard.
    let cases = [
        ("critical", "critical", "P1"),
        ("high", "error", "P2"),
        ("warning", "warning", "P3"),
        ("info", "info", "P4"),
        ("odd", "critical", "P1"),
    ];
    for (severity, ..) in cases {
        fire(&w, severity, json!({"severity": severity}), json!({})).await;
    }
    for (severity, expected, priority) in cases {
        let of_rule = |received: &alertwright_testbed::sink::Received| {
            received.body["payload"]["summary"]
                .as_str()
                .is_some_and(|summary| summary.contains(severity))
        };
        let event = sinks.http.wait_for("/pagerduty", SOON, of_rule).await;
        assert_eq!(event.body["payload"]["severity"], expected, "{severity}");
        assert_eq!(
            event.body["payload"]["custom_details"]["priority"], priority,
            "{severity}"
        );
    }
}
