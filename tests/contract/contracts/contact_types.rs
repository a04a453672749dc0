//! `/api/v1/provisioning/contact-points`: the types of contact points, and their secrets.

use serde_json::Value;

use crate::prelude::*;

const SERVICE: Source = Code("pkg/services/ngalert/provisioning/contactpoints.go");

/// A contact point of a type.
fn of(kind: &str, settings: Value) -> Value {
    but(point("p"), json!({"type": kind, "settings": settings}))
}

pub fn contracts() -> Vec<Contract> {
    let mut all = secrets();
    all.extend(kinds());
    all
}

fn secrets() -> Vec<Contract> {
    let hidden = |kind: &str, settings: Value, fields: &[&str]| {
        let read = fields.iter().fold(get(POINTS).is(200), |read, field| {
            read.at(&format!("/uid=<p>/settings/{field}"), "[REDACTED]")
        });
        [post(POINTS, of(kind, settings)).is(202), read]
    };
    let web = |changes| {
        of(
            "webhook",
            but(json!({"url": "http://127.0.0.1:9", "username": "u"}), changes),
        )
    };
    let clear_then_hidden = |subject, kind: &'static str| {
        contract(subject)
            .case(
                before("10.1.0"),
                "is told to everybody who may read",
                [REAL, Documentation("terraform-provider-grafana")],
                [
                    post(POINTS, of(kind, json!({"url": "http://127.0.0.1:9/x"}))).is(202),
                    get(POINTS)
                        .is(200)
                        .at("/uid=<p>/settings/url", "http://127.0.0.1:9/x"),
                ],
            )
            .unknown(between("10.1.0", "12.4.0"))
            .case(
                since("12.4.0"),
                "is a secret",
                Documentation("terraform-provider-grafana, 2025"),
                hidden(kind, json!({"url": "http://127.0.0.1:9/x"}), &["url"]),
            )
    };
    vec![
        contract("the password of a webhook").case(always(), "is a secret", [REAL, SERVICE], hidden(
            "webhook",
            json!({"url": "http://127.0.0.1:9", "username": "u", "password": "s"}),
            &["password"],
        )),
        contract("the credentials of a webhook").case(always(), "are a secret", [REAL, SERVICE], hidden(
            "webhook",
            json!({"url": "http://127.0.0.1:9", "authorization_scheme": "Bearer", "authorization_credentials": "s"}),
            &["authorization_credentials"],
        )),
        contract("the address of a Slack webhook").case(always(), "is a secret", [REAL, SERVICE], hidden(
            "slack",
            json!({"url": "http://127.0.0.1:9"}),
            &["url"],
        )),
        contract("the token of a Slack app").case(always(), "is a secret", [REAL, SERVICE], hidden(
            "slack",
            json!({"token": "t", "recipient": "#r"}),
            &["token"],
        )),
        contract("the key of a PagerDuty service").case(always(), "is a secret", [REAL, SERVICE], hidden(
            "pagerduty",
            json!({"integrationKey": "k"}),
            &["integrationKey"],
        )),
        contract("the token of a Telegram bot").case(always(), "is a secret", [REAL, SERVICE], hidden(
            "telegram",
            json!({"bottoken": "t", "chatid": "1"}),
            &["bottoken"],
        )),
        contract("the key of Opsgenie").case(always(), "is a secret", [REAL, SERVICE], hidden(
            "opsgenie",
            json!({"apiKey": "k"}),
            &["apiKey"],
        )),
        contract("the address of Teams").case(always(), "is told to everybody who may read", [REAL, SERVICE], [
            post(POINTS, of("teams", json!({"url": "http://127.0.0.1:9/x"}))).is(202),
            get(POINTS).is(200).at("/uid=<p>/settings/url", "http://127.0.0.1:9/x"),
        ]),
        clear_then_hidden("the address of a Discord webhook", "discord"),
        contract("a secret that is sent as [REDACTED]").given([post(POINTS, web(json!({"password": "s"}))).is(202)]).case(
            always(),
            "stays as it is",
            [REAL, SERVICE],
            [
                put(format!("{POINTS}/<p>"), web(json!({"password": "[REDACTED]"}))).is(202),
                get(POINTS).is(200).at("/uid=<p>/settings/password", "[REDACTED]"),
            ],
        ),
        contract("a secret that is left out").given([post(POINTS, web(json!({"password": "s"}))).is(202)]).case(
            always(),
            "is removed",
            [REAL, SERVICE],
            [put(format!("{POINTS}/<p>"), web(json!({}))).is(202), get(POINTS).is(200).lacks("/uid=<p>/settings/password")],
        ),
        contract("the answer to a contact point POST")
            .case(before("10.1.0"), "shows secrets that weren't sent, too", REAL, [
                post(POINTS, web(json!({}))).is(202).at("/settings/password", "[REDACTED]"),
                get(POINTS).is(200).lacks("/uid=<p>/settings/password"),
            ])
            .unknown(since("10.1.0")),
    ]
}

fn kinds() -> Vec<Contract> {
    let provider = Documentation("acceptance tests of terraform-provider-grafana");
    let jira = || {
        of(
            "jira",
            json!({"api_url": "http://127.0.0.1:9", "project": "P", "issue_type": "Bug", "api_token": "t"}),
        )
    };
    vec![
        contract("a contact point of the type jira")
            .case(
                before("10.1.0"),
                "is refused",
                Code("pkg/services/ngalert/notifier/channels_config/available_channels.go of 10.0"),
                [post(POINTS, jira()).is(400)],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "is accepted",
                provider,
                [post(POINTS, jira())
                    .is(202)
                    .at("/settings/api_token", "[REDACTED]")],
            ),
        contract("a contact point of the type oncall")
            .case(
                before("10.1.0"),
                "is refused",
                Code("pkg/services/ngalert/notifier/channels_config/available_channels.go of 10.0"),
                [post(POINTS, of("oncall", json!({"url": "http://127.0.0.1:9"}))).is(400)],
            )
            .unknown(between("10.1.0", "10.2.0"))
            .case(
                since("10.2.0"),
                "is accepted",
                provider,
                [post(POINTS, of("oncall", json!({"url": "http://127.0.0.1:9"}))).is(202)],
            ),
        contract("a contact point of the type mqtt")
            .case(
                before("10.1.0"),
                "is refused",
                Code("pkg/services/ngalert/notifier/channels_config/available_channels.go of 10.0"),
                [post(
                    POINTS,
                    of("mqtt", json!({"brokerUrl": "tcp://127.0.0.1:9", "topic": "t"})),
                )
                .is(400)],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "is accepted",
                SERVICE,
                [post(
                    POINTS,
                    of("mqtt", json!({"brokerUrl": "tcp://127.0.0.1:9", "topic": "t"})),
                )
                .is(202)],
            ),
    ]
}
