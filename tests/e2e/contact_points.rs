//! ContactPoints: what is stored, what arrives, and whose it is.

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::proxy::Fault;
use alertwright_testbed::wait;
use data_encoding::BASE64;
use reqwest::Method;
use serde_json::{Value, json};

use crate::alarm::{annotate, assert_rests, everything_to, fire, resyncs, secret, world};
use crate::world::{self, SOON, World};

const POINTS: &str = "/api/v1/provisioning/contact-points";

/// Two integrations that need no Secret.
fn mail_and_hook() -> Value {
    json!({"receivers": [
        {"email": {"addresses": ["a@example.com", "b@example.com"]}},
        {"webhook": {"url": {"value": "http://127.0.0.1:9/hook"}}},
    ]})
}

async fn integration(w: &World, name: &str, type_: &str) -> Value {
    let found = w.grafana.contact_point(name).await;
    let of_type = found
        .iter()
        .find(|integration| integration["type"] == type_)
        .cloned();
    of_type.unwrap_or_else(|| panic!("no {type_} in {found:#?}"))
}

/// Waits until a contact point has integrations of these types, in any order.
async fn has_types(w: &World, name: &str, types: &[&str]) {
    let mut expected = types.to_vec();
    expected.sort_unstable();
    wait::until(&format!("{name} has {expected:?}"), SOON, async || {
        let found = w.grafana.contact_point(name).await;
        let mut types: Vec<_> = found
            .iter()
            .filter_map(|integration| integration["type"].as_str())
            .collect();
        types.sort_unstable();
        if types == expected {
            wait::Seen::Yes(())
        } else {
            wait::not_yet(&found)
        }
    })
    .await;
}

async fn foreign(w: &World, name: &str) {
    let point = json!({"name": name, "type": "email", "settings": {"addresses": "foreign@example.com"}});
    w.grafana
        .write_as_frontend(Method::POST, POINTS, point)
        .await
        .ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_stored_as_wished_and_its_notification_arrives_rendered() {
    let (w, sinks) = world().await;
    let sink = |path: &str| format!("{}{path}", sinks.http.url());
    let secrets = json!({
        "slack": sink("/slack/hook"), "token": "xoxb-token", "discord": sink("/discord/hook"), "pagerduty": "pd-routing-key",
        "password": "pass-word", "bearer": "bearer-credentials", "teams": sink("/teams"), "telegram": "bot-token",
    });
    secret(&w, "keys", secrets).await;
    let from = |key: &str| json!({"secretKeyRef": {"name": "keys", "key": key}});
    let title = "T {{ .CommonLabels.alertname }}";
    let receivers = json!([
        {"email": {"addresses": ["a@example.com", "b@example.com"], "singleEmail": true, "subject": "S {{ .CommonLabels.alertname }}", "message": "M {{ .CommonAnnotations.summary }}"}},
        {"slack": {"url": from("slack"), "title": title, "text": "X {{ .CommonAnnotations.summary }}", "username": "bot", "iconEmoji": ":bell:"}},
        {"slack": {"token": from("token"), "recipient": "#ops", "endpointURL": sink("/slack-api"), "title": title, "mentionChannel": "here"}},
        {"discord": {"url": from("discord"), "title": title, "message": "D {{ .CommonAnnotations.summary }}", "useDiscordUsername": true}},
        {"pagerduty": {"integrationKey": from("pagerduty"), "severityMap": {"critical": "P1", "high": "P2"}, "summary": "P {{ .CommonLabels.alertname }}", "component": "api", "details": {"why": "{{ .CommonAnnotations.summary }}"}}},
        {"webhook": {"url": {"value": sink("/basic")}, "username": "user", "password": from("password"), "httpMethod": "PUT", "maxAlerts": 3}, "disableResolveMessage": true},
        {"webhook": {"url": {"value": sink("/bearer")}, "authorizationScheme": "Token", "authorizationCredentials": from("bearer"), "title": title, "message": "W {{ .CommonAnnotations.summary }}"}},
        {"custom": {"type": "teams", "settings": {"title": title, "message": "C {{ .CommonAnnotations.summary }}"}, "secureSettings": {"url": from("teams")}}},
    ]);
    w.put("ContactPoint", "all", json!({"receivers": receivers}))
        .await;
    // Telegram's address is fixed, so that nothing of it can arrive here.
    let telegram = json!({"type": "telegram", "settings": {"chatid": "1"}, "secureSettings": {"bottoken": from("telegram")}});
    w.put(
        "ContactPoint",
        "telegram",
        json!({"name": "Telegram / ops", "receivers": [{"custom": telegram}]}),
    )
    .await;
    w.synced::<ContactPoint>("all").await;
    let status = w
        .synced::<ContactPoint>("telegram")
        .await
        .status
        .unwrap_or_default();
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
    // Grafana lists the integrations of a contact point in the order of their uids, so the two webhooks come in any.
    let all = w.grafana.contact_point("all").await;
    let webhooks = all.iter().filter(|integration| integration["type"] == "webhook");
    let quiet: Vec<_> = webhooks
        .filter(|webhook| webhook["disableResolveMessage"] == true)
        .map(|webhook| webhook["settings"]["httpMethod"].as_str())
        .collect();
    assert_eq!(quiet, [Some("PUT")]);

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

#[tokio::test(flavor = "multi_thread")]
async fn pagerduty_gets_the_severity_and_the_priority_of_the_map() {
    let (w, sinks) = world().await;
    secret(&w, "keys", json!({"pd": "key"})).await;
    let map = json!({"critical": "P1", "high": "P2", "warning": "P3", "info": "P4"});
    let pagerduty =
        json!({"integrationKey": {"secretKeyRef": {"name": "keys", "key": "pd"}}, "severityMap": map});
    w.put(
        "ContactPoint",
        "oncall",
        json!({"receivers": [{"pagerduty": pagerduty}]}),
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

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_point_is_created_changed_and_deleted_with_no_call_too_many() {
    let w = world::start().await;
    w.proxy.reset();
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;
    let calls = w.proxy.reset();
    assert_eq!(calls.of("GET", "contact-points?name=").len(), 1, "{calls}");
    assert_eq!(calls.of("POST", POINTS).len(), 2, "{calls}");
    assert_eq!(calls.writes().len(), 2, "{calls}");
    assert_rests(&w).await;

    let before = integration(&w, "team", "email").await["uid"].clone();
    w.proxy.reset();
    let changed = json!({"receivers": [{"email": {"addresses": ["c@example.com"]}}, {"custom": {"type": "teams", "settings": {"url": "http://127.0.0.1:9"}}}]});
    w.put("ContactPoint", "team", changed).await;
    w.synced::<ContactPoint>("team").await;
    let calls = w.proxy.reset();
    let counts = [("POST", 1), ("PUT", 1), ("DELETE", 1)]
        .map(|(method, count)| (calls.of(method, POINTS).len(), count));
    assert!(counts.iter().all(|(seen, expected)| seen == expected), "{calls}");
    has_types(&w, "team", &["email", "teams"]).await;
    let email = integration(&w, "team", "email").await;
    assert_eq!(
        (&email["uid"], &email["settings"]["addresses"]),
        (&before, &json!("c@example.com"))
    );

    w.proxy.reset();
    w.delete::<ContactPoint>("team").await;
    let calls = w.proxy.reset();
    assert_eq!(
        (calls.of("DELETE", POINTS).len(), calls.writes().len()),
        (2, 2),
        "{calls}"
    );
    assert!(w.grafana.contact_point("team").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_in_grafana_is_changed_back() {
    let w = world::start().await;
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;

    let mut edited = integration(&w, "team", "email").await;
    edited["settings"]["addresses"] = json!("mallory@example.com");
    let path = format!("{POINTS}/{}", edited["uid"].as_str().unwrap_or_default());
    w.grafana.put(&path, edited).await.ok();
    wait::until("the address is back", SOON, async || {
        integration(&w, "team", "email").await["settings"]["addresses"] == "a@example.com;b@example.com"
    })
    .await;

    foreign(&w, "team").await;
    has_types(&w, "team", &["email", "email", "webhook"]).await;
    has_types(&w, "team", &["email", "webhook"]).await;
    assert_eq!(
        integration(&w, "team", "email").await["settings"]["addresses"],
        "a@example.com;b@example.com"
    );

    let uid = integration(&w, "team", "webhook").await["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    w.grafana.delete(&format!("{POINTS}/{uid}")).await.ok();
    has_types(&w, "team", &["email", "webhook"]).await;
    for integration in w.grafana.contact_point("team").await {
        let uid = integration["uid"].as_str().unwrap_or_default().to_owned();
        w.grafana.delete(&format!("{POINTS}/{uid}")).await.ok();
    }
    has_types(&w, "team", &["email", "webhook"]).await;
    assert_rests(&w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_contact_point_of_the_same_name_is_left_alone_until_it_is_adopted() {
    let w = world::start().await;
    foreign(&w, "team").await;
    let before = w.grafana.contact_point("team").await;
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.reason::<ContactPoint>("team", "NotOwned").await;
    assert!(
        w.message::<ContactPoint>("team")
            .await
            .contains("alerting.letsrevel.io/adopt")
    );
    assert_rests(&w).await;
    assert_eq!(w.grafana.contact_point("team").await, before);
    // Nor does a policy take the stranger for ours.
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.reason::<NotificationPolicy>("tree", "DependencyMissing").await;

    annotate(&w, "contactpoint", "team", "alerting.letsrevel.io/adopt=true").await;
    w.synced::<ContactPoint>("team").await;
    has_types(&w, "team", &["email", "webhook"]).await;
    assert_eq!(
        integration(&w, "team", "email").await["settings"]["addresses"],
        "a@example.com;b@example.com"
    );
    w.synced::<NotificationPolicy>("tree").await;

    // Deleting one that wasn't adopted leaves the stranger where it is.
    foreign(&w, "other").await;
    w.put("ContactPoint", "other", mail_and_hook()).await;
    w.reason::<ContactPoint>("other", "NotOwned").await;
    w.delete::<ContactPoint>("other").await;
    has_types(&w, "other", &["email"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_resources_with_one_name_the_younger_waits_and_inherits() {
    let w = world::start().await;
    let named = |address: &str| json!({"name": "Team", "receivers": [{"email": {"addresses": [address]}}]});
    w.put("ContactPoint", "old", named("old@example.com")).await;
    w.synced::<ContactPoint>("old").await;
    // Creation times have whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    w.put("ContactPoint", "a-young", named("young@example.com")).await;
    w.reason::<ContactPoint>("a-young", "Conflict").await;
    let message = w.message::<ContactPoint>("a-young").await;
    assert!(message.contains(&format!("{}/old", w.ns)), "{message}");
    assert_eq!(
        integration(&w, "Team", "email").await["settings"]["addresses"],
        "old@example.com"
    );
    w.delete::<ContactPoint>("old").await;
    w.synced::<ContactPoint>("a-young").await;
    let all = w.grafana.contact_point("Team").await;
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0]["settings"]["addresses"], "young@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_grafana_refuses_is_invalid_and_says_why() {
    let w = world::start().await;
    w.put(
        "ContactPoint",
        "pigeon",
        json!({"receivers": [{"custom": {"type": "carrierpigeon", "settings": {"x": "y"}}}]}),
    )
    .await;
    w.reason::<ContactPoint>("pigeon", "Invalid").await;
    let message = w.message::<ContactPoint>("pigeon").await;
    assert!(message.contains("carrierpigeon"), "{message}");
    secret(&w, "keys", json!({"url": "://hunter2-is-no-url"})).await;
    let slack = json!({"url": {"secretKeyRef": {"name": "keys", "key": "url"}}});
    w.put("ContactPoint", "slack", json!({"receivers": [{"slack": slack}]}))
        .await;
    w.reason::<ContactPoint>("slack", "Invalid").await;
    let message = w.message::<ContactPoint>("slack").await;
    assert!(
        message.contains("invalid URL") && !message.contains("hunter2"),
        "{message}"
    );
    assert!(w.grafana.contact_point("slack").await.is_empty());
    assert_rests(&w).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_makes_no_second_integration() {
    let w = world::start().await;
    w.proxy.fault(Fault::drop_after().on("POST", POINTS).times(2));
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;
    assert_eq!(w.grafana.contact_point("team").await.len(), 2);
    w.proxy.fault(Fault::drop_after().on("DELETE", POINTS).times(1));
    w.delete::<ContactPoint>("team").await;
    assert!(w.grafana.contact_point("team").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_race_for_grafanas_configuration_is_run_again() {
    let w = world::start().await;
    let lost = || {
        Fault::status(500)
            .body(json!({"message": "could not find object using provided id and hash"}).to_string())
    };
    w.proxy.fault(lost().on("POST", POINTS).times(2));
    w.put("ContactPoint", "team", mail_and_hook()).await;
    w.synced::<ContactPoint>("team").await;
    has_types(&w, "team", &["email", "webhook"]).await;
    w.proxy.fault(lost().on("PUT", "/policies").times(2));
    w.put("NotificationPolicy", "tree", everything_to("team")).await;
    w.synced::<NotificationPolicy>("tree").await;
    assert_eq!(w.grafana.policy_tree().await["receiver"], "team");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_point_that_the_tree_refers_to_outlives_its_deletion() {
    let w = world::start().await;
    for name in ["first", "second"] {
        w.put("ContactPoint", name, mail_and_hook()).await;
    }
    w.put(
        "NotificationPolicy",
        "tree",
        json!({"receiver": "first", "routes": [{"receiver": "second", "matchers": ["a=b"]}]}),
    )
    .await;
    w.synced::<NotificationPolicy>("tree").await;
    w.plane
        .kubectl(["delete", "contactpoint", "second", "-n", &w.ns, "--wait=false"])
        .await
        .ok();
    w.reason::<ContactPoint>("second", "InUse").await;
    let message = w.message::<ContactPoint>("second").await;
    assert!(
        message.contains(&format!("NotificationPolicy {}/tree", w.ns)),
        "{message}"
    );
    has_types(&w, "second", &["email", "webhook"]).await;
    w.put("NotificationPolicy", "tree", json!({"receiver": "first"}))
        .await;
    let api = w.api::<ContactPoint>().await;
    wait::until("it goes", SOON, async || {
        api.get_opt("second").await.is_ok_and(|found| found.is_none())
    })
    .await;
    assert!(w.grafana.contact_point("second").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_stay_in_grafana() {
    let w = world::start().await;
    let mut spec = mail_and_hook();
    spec["deletionPolicy"] = json!("Orphan");
    w.put("ContactPoint", "team", spec).await;
    w.synced::<ContactPoint>("team").await;
    w.delete::<ContactPoint>("team").await;
    resyncs(&w, 1).await;
    has_types(&w, "team", &["email", "webhook"]).await;
    // Whoever comes next under another name of its own is a stranger to it.
    w.put(
        "ContactPoint",
        "heir",
        json!({"name": "team", "receivers": [{"email": {"addresses": ["c@example.com"]}}]}),
    )
    .await;
    w.reason::<ContactPoint>("heir", "NotOwned").await;
}
