//! `/api/v1/provisioning/contact-points`.

use serde_json::json;

use crate::{
    contracts::REAL,
    fixtures::{POINTS, but, point},
    harness::{
        call::{get, post, put},
        contract::{
            Contract,
            Source::{Code, Documentation},
            contract,
        },
        version::{always, before, between, since},
    },
};

/// The pull request that turned 500 into 403, with those that brought it to older lines.
const MISMATCH: &str = "pull requests #127699 and #127812 to #127815";

pub fn contracts() -> Vec<Contract> {
    vec![
        contract("a contact point POST").case(
            always(),
            "stores an integration and hides its secrets",
            [REAL, Code("pkg/services/ngalert/provisioning/contactpoints.go")],
            [
                post(
                    POINTS,
                    but(
                        point("p"),
                        json!({"settings": {"url": "http://127.0.0.1:9", "password": "s"}}),
                    ),
                )
                .is(202)
                .at("/settings/password", "[REDACTED]"),
                get(POINTS)
                    .is(200)
                    .at("/uid=<p>/settings/password", "[REDACTED]")
                    .at("/uid=<p>/provenance", "api"),
            ],
        ),
        contract("a body that is no JSON").case(
            always(),
            "is refused",
            REAL,
            [post(POINTS, json!(null)).text("{").is(400)],
        ),
        contract("contact points that are made at once").case(
            always(),
            "race, and the losers are told to try again",
            [REAL, Documentation("pull request #131069")],
            [
                post(
                    POINTS,
                    but(point("p"), json!({"uid": "<p>-<n>", "name": "<p>-<n>"})),
                )
                .at_once(8)
                .either([202, 409, 500]),
                post(POINTS, point("p")).is(202).there("/settings/url"),
                get(format!("{POINTS}?name=<p>"))
                    .is(200)
                    .counts("/*", 1)
                    .has(json!([{"uid": "<p>", "type": "webhook"}])),
            ],
        ),
        contract("a contact point PUT that would take the provenance off")
            .given([post(POINTS, point("p")).is(202)])
            .case(
                before("11.6.17")
                    .and(between("12.0.0", "12.3.9"))
                    .and(between("12.4.0", "12.4.6"))
                    .and(between("13.0.0", "13.0.4")),
                "is an error of the server",
                [REAL, Documentation(MISMATCH)],
                [put(format!("{POINTS}/<p>"), point("p")).unprovisioned().is(500)],
            )
            .case(
                between("11.6.17", "12.0.0")
                    .and(between("12.3.9", "12.4.0"))
                    .and(between("12.4.6", "13.0.0"))
                    .and(since("13.0.4")),
                "is forbidden",
                Documentation(MISMATCH),
                [put(format!("{POINTS}/<p>"), point("p")).unprovisioned().is(403)],
            ),
        contract("an answer about contact points")
            .case(
                before("13.1.0"),
                "has no header that calls it deprecated",
                Documentation("pull request #121995"),
                [get(POINTS).is(200).no_header("X-API-Deprecation-Date")],
            )
            .case(
                since("13.1.0"),
                "says in its headers that it is deprecated",
                Documentation("pull request #121995"),
                [get(POINTS)
                    .is(200)
                    .header("Warning", "299")
                    .header("X-API-Deprecation-Date", "2026-04-07")
                    .header("X-API-Replacement", "/apis/notifications.alerting.grafana.app")],
            ),
    ]
}
