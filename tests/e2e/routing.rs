//! The routing of Revel's document as its explanation means it: by the notifications that arrive, and those that don't.

use alertwright::api::{ContactPoint, NotificationPolicy};
use alertwright_testbed::{any_release, apply, sink::Received, wait};
use serde_json::{Value, json};

use crate::alarm::{Sinks, fire, secret, world};
use crate::world::{self, SOON, World};

/// Where notifications of the example go: PagerDuty, the Slack channels, e-mail.
const PLACES: [&str; 5] = ["pagerduty", "payments", "security", "analytics", "mail"];

/// An alert of the example's table, and who gets it.
struct Case {
    name: &'static str,
    severity: &'static str,
    team: &'static str,
    gets: &'static [&'static str],
}

const fn case(
    name: &'static str,
    severity: &'static str,
    team: &'static str,
    gets: &'static [&'static str],
) -> Case {
    Case {
        name,
        severity,
        team,
        gets,
    }
}

const CASES: [Case; 10] = [
    case("critical", "critical", "backend", &["pagerduty", "mail"]),
    case(
        "critical-of-payments",
        "critical",
        "payments",
        &["pagerduty", "payments", "mail"],
    ),
    case(
        "critical-of-security",
        "critical",
        "security",
        &["pagerduty", "security"],
    ),
    case("of-payments", "high", "payments", &["payments", "mail"]),
    case("info-of-payments", "info", "payments", &["payments", "analytics"]),
    case("of-security", "warning", "security", &["security"]),
    case("info-of-security", "info", "security", &["security"]),
    case("info", "info", "product", &["analytics"]),
    case("anything-else", "high", "compliance", &["mail"]),
    case("a-warning", "warning", "backend", &["mail"]),
];

/// A file of the example.
fn example(file: &str) -> String {
    let path = world::root().join("deploy/examples/revel").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Applies the example's contact points and tree, with the short times of the demonstration, and sinks for addresses.
async fn apply_example(w: &World, sinks: &Sinks) {
    let slack = |channel: &str| format!("{}/slack/{channel}", sinks.http.url());
    let values = json!({
        "slack-payments-url": slack("payments"), "slack-security-url": slack("security"), "slack-analytics-url": slack("analytics"),
        "discord-url": format!("{}/discord/", sinks.http.url()), "pagerduty-integration-key": "routing-key",
    });
    secret(w, "revel-alerting", values).await;
    w.apply(&example("contact-points.yaml")).await;
    w.apply(&example("notification-policy.yaml")).await;
    let overlay = world::root().join("deploy/examples/demo/notification-policy.yaml");
    let overlay = overlay.to_str().expect("a path in UTF-8");
    let patch = [
        "patch",
        "notificationpolicy",
        "revel",
        "-n",
        &w.ns,
        "--type=json",
        "--patch-file",
        overlay,
    ];
    w.plane.kubectl(patch).await.ok();
    w.synced::<ContactPoint>("discord").await;
    w.synced::<NotificationPolicy>("revel").await;
}

/// Who has been told of an alert.
fn told(sinks: &Sinks, alert: &str) -> Vec<&'static str> {
    let names = |text: &str| {
        text.split(|c: char| !(c.is_alphanumeric() || c == '-'))
            .any(|word| word == alert)
    };
    let is_about = |received: &Received| match received.body.pointer("/attachments/0/title") {
        Some(title) => title == &json!(format!("🚨 {alert}")),
        None => received
            .body
            .pointer("/payload/summary")
            .and_then(Value::as_str)
            .is_some_and(names),
    };
    let place = |place: &&'static str| match *place {
        "mail" => sinks
            .mail
            .received()
            .iter()
            .any(|mail| mail.subject == format!("[Revel Alert] {alert}")),
        "pagerduty" => sinks.http.received("/pagerduty").iter().any(is_about),
        channel => sinks
            .http
            .received(&format!("/slack/{channel}"))
            .iter()
            .any(is_about),
    };
    PLACES.iter().copied().filter(place).collect()
}

#[apply(any_release)]
async fn each_alert_of_the_document_reaches_those_it_is_meant_for_and_nobody_else() {
    let (w, sinks) = world().await;
    apply_example(&w, &sinks).await;
    for case in &CASES {
        let annotations =
            json!({"summary": format!("summary of {}", case.name), "description": "what happened"});
        fire(
            &w,
            case.name,
            json!({"severity": case.severity, "team": case.team}),
            annotations,
        )
        .await;
    }
    for case in &CASES {
        wait::until(
            &format!("{} reaches {:?}", case.name, case.gets),
            SOON,
            async || {
                let told = told(&sinks, case.name);
                if case.gets.iter().all(|place| told.contains(place)) {
                    wait::Seen::Yes(())
                } else {
                    wait::not_yet(told)
                }
            },
        )
        .await;
    }
    // A further alert of each kind shows that all of the first ones have long been sent: one group after the other.
    fire(
        &w,
        "last-critical",
        json!({"severity": "critical", "team": "payments"}),
        json!({}),
    )
    .await;
    fire(
        &w,
        "last-info",
        json!({"severity": "info", "team": "product"}),
        json!({}),
    )
    .await;
    fire(
        &w,
        "last-security",
        json!({"severity": "high", "team": "security"}),
        json!({}),
    )
    .await;
    for (alert, places) in [("last-critical", 3), ("last-info", 1), ("last-security", 1)] {
        wait::until(&format!("{alert} arrives"), SOON, async || {
            told(&sinks, alert).len() == places
        })
        .await;
    }
    for case in &CASES {
        assert_eq!(told(&sinks, case.name), case.gets, "{}", case.name);
    }
    assert!(
        sinks.http.received("/discord").is_empty(),
        "no route leads to Discord"
    );
    assert_looks_as_in_the_document(&sinks);
}

/// What the notifications say.
fn assert_looks_as_in_the_document(sinks: &Sinks) {
    let slack = sinks.http.received("/slack/payments");
    let text = slack.iter().find_map(|received| {
        let attachment = received.body.pointer("/attachments/0")?;
        (attachment["title"] == "🚨 of-payments").then(|| attachment["text"].clone())
    });
    assert_eq!(
        text,
        Some(json!(
            "*Summary:* summary of of-payments\n*Description:* what happened"
        ))
    );
    let pages = sinks.http.received("/pagerduty");
    assert!(!pages.is_empty());
    for page in pages {
        assert_eq!(page.body["payload"]["severity"], "critical");
        assert_eq!(page.body["payload"]["custom_details"]["priority"], "P1");
        assert_eq!(page.body["routing_key"], "routing-key");
    }
    let mails = sinks.mail.received();
    assert!(
        mails
            .iter()
            .all(|mail| mail.to == ["devops@letsrevel.io", "team@letsrevel.io"]),
        "{mails:#?}"
    );
}
