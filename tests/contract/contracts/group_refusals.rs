//! `/api/v1/provisioning/folder/{uid}/rule-groups/{group}`: what is refused, and what a write does to neighbours.

use crate::prelude::*;

const API: Source = Code("pkg/services/ngalert/api/api_provisioning.go");
const STORE: Source = Code("pkg/services/ngalert/provisioning/alert_rules.go");

pub fn contracts() -> Vec<Contract> {
    let mut all = refusals();
    all.extend(neighbours());
    all
}

fn refusals() -> Vec<Contract> {
    vec![
        contract("a group PUT with an interval that is no multiple of ten seconds")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "is refused",
                [REAL, API],
                [
                    put(group_of("f"), but(group("f", []), json!({"interval": 7})))
                        .is(400)
                        .says("should be non-zero and divided exactly by scheduler interval: 10"),
                    get(group_of("f")).is(200).at("/interval", 60),
                ],
            ),
        contract("a group PUT without an interval")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "is refused",
                API,
                [put(group_of("f"), but(group("f", []), json!({"interval": null})))
                    .is(400)
                    .says("should be non-zero")],
            ),
        contract("a group PUT with a title that another group has")
            .given([
                folder("f"),
                stored(but(rule("f", "theirs"), json!({"ruleGroup": "<other>"}))),
                stored(rule("f", "ours")),
            ])
            .case(
                before("10.1.0"),
                "is an error of the server",
                REAL,
                [put(
                    group_of("f"),
                    group("f", [but(rule("f", "ours"), json!({"title": "<theirs>"}))]),
                )
                .is(500)],
            )
            .unknown(between("10.1.0", "10.4.0"))
            .case(
                between("10.4.0", "12.0.0"),
                "is refused",
                Documentation("issues #95013, #107804"),
                [put(
                    group_of("f"),
                    group("f", [but(rule("f", "ours"), json!({"title": "<theirs>"}))]),
                )
                .is(400)
                .id("alerting.alert-rule.conflict")],
            )
            .case(
                since("12.0.0"),
                "is accepted",
                Documentation("pull request #102067"),
                [put(
                    group_of("f"),
                    group("f", [but(rule("f", "ours"), json!({"title": "<theirs>"}))]),
                )
                .is(200)],
            ),
        contract("a group PUT with one bad rule of two")
            .given([folder("f"), stored(rule("f", "a")), stored(rule("f", "b"))])
            .case(
                always(),
                "stores neither",
                STORE,
                [
                    put(
                        group_of("f"),
                        group(
                            "f",
                            [
                                but(rule("f", "a"), json!({"for": "1m"})),
                                but(rule("f", "b"), json!({"annotations": {"__panelId__": "1"}})),
                            ],
                        ),
                    )
                    .is(400),
                    get(format!("{RULES}/<a>")).is(200).at("/for", "5m"),
                ],
            ),
        contract("group PUTs that are made at once")
            .given([folder("f"), stored(rule("f", "a"))])
            .case(
                since("11.5.2"),
                "are done one after the other, or told to try again",
                STORE,
                [
                    put(
                        group_of("f"),
                        group("f", [but(rule("f", "a"), json!({"labels": {"n": "number <n>"}}))]),
                    )
                    .at_once(8)
                    .either([200, 409]),
                    get(group_of("f")).is(200).lists("/rules/*/uid", ["<a>"]),
                ],
            )
            .unknown(before("11.5.2")),
        contract("the quota of rules in a group PUT")
            .setting("quota.enabled=true")
            .setting("quota.org_alert_rule=1")
            .given([folder("f"), stored(rule("f", "a"))])
            .case(
                before("10.1.0"),
                "makes it an error of the server",
                Code("pkg/services/ngalert/api/api_provisioning.go of 10.0"),
                [put(
                    group_of("f"),
                    group("f", [rule("f", "a"), but(rule("f", "b"), json!({"uid": ""}))]),
                )
                .is(500)],
            )
            .unknown(between("10.1.0", "11.5.0"))
            .case(
                since("11.5.0"),
                "makes it forbidden",
                API,
                [put(
                    group_of("f"),
                    group("f", [rule("f", "a"), but(rule("f", "b"), json!({"uid": ""}))]),
                )
                .is(403)],
            ),
    ]
}

fn neighbours() -> Vec<Contract> {
    let mixed = || {
        [
            folder("f"),
            stored(rule("f", "ours")),
            stored(rule("f", "theirs")).unprovisioned(),
        ]
    };
    vec![
        contract("a rule of a group")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "is shown without its provenance",
                [REAL, API],
                [get(group_of("f")).is(200).lacks("/rules/*/provenance")],
            ),
        contract("a group PUT beside a rule of somebody else's")
            .given(mixed())
            .case(
                always(),
                "takes that rule over",
                [REAL, STORE],
                [
                    put(
                        group_of("f"),
                        group("f", [rule("f", "ours"), rule("f", "theirs")]),
                    )
                    .is(200),
                    get(format!("{RULES}/<theirs>")).is(200).at("/provenance", "api"),
                ],
            ),
        contract("a group PUT of the interval alone beside a rule of somebody else's")
            .given(mixed())
            .case(
                always(),
                "takes that rule over",
                [REAL, Unconfirmed("the same function as with rules")],
                [
                    put(group_of("f"), but(group("f", []), json!({"interval": 120}))).is(200),
                    get(format!("{RULES}/<theirs>")).is(200).at("/provenance", "api"),
                ],
            ),
        contract("a group PUT without provenance")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "takes the provenance off",
                [REAL, STORE],
                [
                    put(group_of("f"), group("f", [rule("f", "r")]))
                        .unprovisioned()
                        .is(200),
                    get(format!("{RULES}/<r>")).is(200).lacks("/provenance"),
                ],
            ),
    ]
}
