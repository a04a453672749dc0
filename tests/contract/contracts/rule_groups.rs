//! `/api/v1/provisioning/folder/{uid}/rule-groups/{group}`.

use serde_json::json;

use crate::{
    contracts::REAL,
    fixtures::{RULES, folder, group, group_of, rule, stored},
    harness::{
        call::{delete, get, put},
        contract::{
            Contract, Source,
            Source::{Code, Documentation},
            contract,
        },
        version::{always, before, since},
    },
};

const STORE: Source = Code("pkg/services/ngalert/provisioning/alert_rules.go");

pub fn contracts() -> Vec<Contract> {
    vec![
        contract("a group PUT with a new uid")
            .given([folder("f")])
            .case(
                before("11.5.2"),
                "is refused",
                [REAL, Documentation("issue #98283")],
                [
                    put(group_of("f"), group("f", [rule("f", "r")])).is(500),
                    get(format!("{RULES}/<r>")).is(404).body(""),
                ],
            )
            .case(
                since("11.5.2"),
                "is accepted",
                Documentation("issue #98283, pull request #99858"),
                [
                    put(group_of("f"), group("f", [rule("f", "r")])).is(200),
                    get(format!("{RULES}/<r>")).is(200).at("/ruleGroup", "<group>"),
                ],
            ),
        contract("a group PUT without rules")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "changes the interval and deletes nothing",
                [REAL, STORE],
                [
                    put(
                        group_of("f"),
                        json!({"title": "<group>", "folderUid": "<f>", "interval": 120, "rules": []}),
                    )
                    .is(200),
                    get(group_of("f"))
                        .is(200)
                        .at("/interval", 120)
                        .lists("/rules/*/uid", ["<r>"]),
                ],
            ),
        contract("reading a group that isn't there")
            .given([folder("f")])
            .case(
                always(),
                "is not found",
                [REAL, STORE],
                [get(group_of("f")).is(404)],
            ),
        contract("a rule of a group")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "is shown without its provenance",
                [REAL, STORE],
                [get(group_of("f")).is(200).lacks("/rules/*/provenance")],
            ),
        contract("the list of rules")
            .case(
                before("13.0.0"),
                "isn't called deprecated",
                Documentation("pull request #120606"),
                [get(RULES)
                    .is(200)
                    .no_header("X-API-Deprecation-Date")
                    .header("Content-Type", "json")],
            )
            .unknown(since("13.0.0")),
        contract("a group DELETE")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                since("11.0.0"),
                "deletes its rules",
                Documentation("OpenAPI of 2024-03-06"),
                [
                    delete(group_of("f")).is(204),
                    get(format!("{RULES}/<r>")).is(404),
                    delete(group_of("f")).is(404).id("alerting.alert-rule.notFound"),
                ],
            )
            // In the OpenAPI of March 2024, so in 10.4 or in 11.0.
            .unknown(before("11.0.0")),
    ]
}
