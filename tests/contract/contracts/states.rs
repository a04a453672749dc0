//! `/api/prometheus/grafana/api/v1/rules`, and what counts rules.

use serde_json::json;

use crate::{
    contracts::REAL,
    fixtures::{RULES, STATES, but, folder, node, rule, soon, stored},
    harness::{
        call::{get, post},
        contract::{Contract, Source::Code, contract},
        version::always,
    },
};

pub fn contracts() -> Vec<Contract> {
    vec![
        contract("a rule whose condition is true")
            .quick()
            .given([
                folder("f"),
                stored(but(
                    rule("f", "r"),
                    json!({"for": "0s", "data": [node("A", "1 > 0")]}),
                )),
                soon("f"),
            ])
            .case(
                always(),
                "fires",
                REAL,
                [get(STATES)
                    .eventually()
                    .is(200)
                    .at("/data/groups/name=<group>/rules/name=<r>/state", "firing")],
            ),
        contract("a rule above the quota")
            .setting("quota.enabled=true")
            .setting("quota.org_alert_rule=1")
            .given([folder("f"), stored(rule("f", "one"))])
            .case(
                always(),
                "is forbidden",
                Code("pkg/services/ngalert/api/api_provisioning.go"),
                [post(RULES, rule("f", "two")).is(403).says("quota")],
            ),
    ]
}
