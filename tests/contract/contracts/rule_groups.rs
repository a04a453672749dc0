//! `/api/v1/provisioning/folder/{uid}/rule-groups/{group}`.

use crate::prelude::*;

const API: Source = Code("pkg/services/ngalert/api/api_provisioning.go");
const STORE: Source = Code("pkg/services/ngalert/provisioning/alert_rules.go");
const DELTAS: Source = Code("pkg/services/ngalert/store/deltas.go");

pub fn contracts() -> Vec<Contract> {
    let mut all = writes();
    all.extend(contents());
    all
}

fn writes() -> Vec<Contract> {
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
                    get(format!("{RULES}/<r>"))
                        .is(200)
                        .at("/ruleGroup", "<group>")
                        .at("/provenance", "api"),
                ],
            ),
        contract("a group PUT")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "answers with what was sent, not with what is stored",
                [REAL, API],
                [put(
                    group_of("f"),
                    group("f", [but(rule("f", "r"), json!({"uid": "", "title": "<other>"}))]),
                )
                .is(200)
                .at("/rules/0/uid", "")
                .at("/rules/0/id", 0)
                .at("/rules/0/title", "<other>")],
            ),
        contract("a group PUT of rules without uids, done twice")
            .given([
                folder("f"),
                put(
                    group_of("f"),
                    group("f", [but(rule("f", "r"), json!({"uid": ""}))]),
                )
                .is(200),
            ])
            .case(
                before("10.1.0"),
                "is an error of the server",
                REAL,
                [put(
                    group_of("f"),
                    group("f", [but(rule("f", "r"), json!({"uid": ""}))]),
                )
                .is(500)
                .says("should be unique")],
            )
            .unknown(between("10.1.0", "11.5.2"))
            .case(
                since("11.5.2"),
                "makes the rules anew",
                [DELTAS, Documentation("pull request #67868")],
                [
                    get(group_of("f")).is(200).keep("/rules/0/uid", "first"),
                    put(
                        group_of("f"),
                        group("f", [but(rule("f", "r"), json!({"uid": ""}))]),
                    )
                    .is(200),
                    get(format!("{RULES}/<first>")).is(404),
                    get(group_of("f")).is(200).counts("/rules/*", 1),
                ],
            ),
        contract("folder and title in the body of a group PUT")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "don't count against the path",
                API,
                [
                    put(
                        group_of("f"),
                        but(
                            group("f", [rule("f", "r")]),
                            json!({"title": "x", "folderUid": "y"}),
                        ),
                    )
                    .is(200),
                    get(format!("{RULES}/<r>"))
                        .is(200)
                        .at("/ruleGroup", "<group>")
                        .at("/folderUID", "<f>"),
                ],
            ),
        contract("a group PUT without rules")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "changes the interval and deletes nothing",
                [REAL, STORE],
                [
                    put(group_of("f"), but(group("f", []), json!({"interval": 120}))).is(200),
                    get(group_of("f"))
                        .is(200)
                        .at("/interval", 120)
                        .lists("/rules/*/uid", ["<r>"]),
                    put(
                        group_of("f"),
                        json!({"title": "<group>", "folderUid": "<f>", "interval": 180}),
                    )
                    .is(200),
                    get(group_of("f"))
                        .is(200)
                        .at("/interval", 180)
                        .lists("/rules/*/uid", ["<r>"]),
                ],
            ),
        contract("reading a group that isn't there")
            .given([folder("f")])
            .case(
                before("10.1.0"),
                "is not found, without a word",
                Unconfirmed("how 10.0.0 says it elsewhere"),
                [get(group_of("f")).is(404)],
            )
            .unknown(between("10.1.0", "11.0.0"))
            .case(
                since("11.0.0"),
                "is not found",
                API,
                [get(group_of("f")).is(404).id("alerting.alert-rule.notFound")],
            ),
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
        contract("a group PUT into a folder that isn't there")
            .case(
                before("11.5.2"),
                "is only about the rules",
                Unconfirmed("that a new uid is refused first"),
                [put(group_of("f"), group("f", [rule("f", "r")])).is(500)],
            )
            .case(
                since("11.5.2"),
                "stores the rules",
                STORE,
                [
                    put(group_of("f"), group("f", [rule("f", "r")])).is(200),
                    get(format!("{RULES}/<r>")).is(200),
                ],
            ),
    ]
}

fn contents() -> Vec<Contract> {
    let two = || [folder("f"), stored(rule("f", "a")), stored(rule("f", "b"))];
    vec![
        contract("a rule that a group PUT leaves out").given(two()).case(
            always(),
            "is deleted",
            [REAL, DELTAS],
            [
                put(group_of("f"), group("f", [rule("f", "a")])).is(200),
                get(format!("{RULES}/<b>")).is(404),
                get(group_of("f")).is(200).lists("/rules/*/uid", ["<a>"]),
            ],
        ),
        contract("a group PUT in another order")
            .given(two())
            .case(
                before("11.5.2"),
                "doesn't change the order",
                [REAL, Documentation("issue #98283")],
                [
                    put(group_of("f"), group("f", [rule("f", "b"), rule("f", "a")])).is(200),
                    get(group_of("f")).is(200).lists("/rules/*/uid", ["<a>", "<b>"]),
                ],
            )
            .case(
                since("11.5.2"),
                "changes the order",
                Documentation("pull request #99858"),
                [
                    put(group_of("f"), group("f", [rule("f", "b"), rule("f", "a")])).is(200),
                    get(group_of("f")).is(200).lists("/rules/*/uid", ["<b>", "<a>"]),
                ],
            ),
        contract("a group PUT with the uid of a rule elsewhere")
            .given([folder("f"), folder("g"), stored(but(rule("g", "r"), json!({"ruleGroup": "<other>"})))])
            .case(
                always(),
                "moves that rule here",
                [DELTAS, STORE],
                [
                    put(group_of("f"), group("f", [rule("f", "r")])).is(200),
                    get(format!("{RULES}/<r>")).is(200).at("/folderUID", "<f>").at("/ruleGroup", "<group>"),
                    get("/api/v1/provisioning/folder/<g>/rule-groups/<other>").is(404),
                ],
            ),
        contract("title, states and condition that a group PUT leaves empty").given([folder("f"), stored(rule("f", "r"))]).case(
            always(),
            "stay as they are",
            [DELTAS, Code("pkg/services/ngalert/models/alert_rule.go")],
            [
                put(
                    group_of("f"),
                    group("f", [but(
                        rule("f", "r"),
                        json!({"title": "", "noDataState": "", "execErrState": "", "condition": "", "data": []}),
                    )]),
                )
                .is(200),
                get(format!("{RULES}/<r>"))
                    .is(200)
                    .at("/title", "<r>")
                    .at("/noDataState", "OK")
                    .at("/execErrState", "Error")
                    .at("/condition", "A"),
            ],
        ),
        contract("`for` and labels that a group PUT leaves out")
            .given([folder("f"), stored(but(rule("f", "r"), json!({"labels": {"a": "b"}})))])
            .case(
                always(),
                "go",
                DELTAS,
                [
                    put(group_of("f"), group("f", [but(rule("f", "r"), json!({"for": "0s"}))])).is(200),
                    get(format!("{RULES}/<r>")).is(200).at("/for", "0s").lacks("/labels/a"),
                ],
            ),
        contract("a group PUT that swaps two titles")
            .given(two())
            .case(
                before("10.1.0"),
                "is an error of the server",
                [Documentation("issue #66158"), DELTAS],
                [put(group_of("f"), swapped()).is(500)],
            )
            .unknown(between("10.1.0", "10.4.0"))
            .case(
                since("10.4.0"),
                "swaps them",
                Documentation("pull request #67868"),
                [
                    put(group_of("f"), swapped()).is(200),
                    get(format!("{RULES}/<a>")).is(200).at("/title", "<b>"),
                    get(format!("{RULES}/<b>")).is(200).at("/title", "<a>"),
                ],
            ),
        contract("a group PUT that gives a rule the title of one that it deletes")
            .given(two())
            .case(
                before("10.1.0"),
                "is an error of the server",
                [Documentation("issue #66158"), DELTAS],
                [put(group_of("f"), group("f", [but(rule("f", "a"), json!({"title": "<b>"}))])).is(500)],
            )
            .unknown(between("10.1.0", "10.4.0"))
            .case(
                since("10.4.0"),
                "is accepted",
                Documentation("pull request #67868"),
                [
                    put(group_of("f"), group("f", [but(rule("f", "a"), json!({"title": "<b>"}))])).is(200),
                    get(format!("{RULES}/<a>")).is(200).at("/title", "<b>"),
                ],
            ),
        contract("a group PUT that changes nothing").given([folder("f"), stored(rule("f", "r"))]).case(
            always(),
            "writes nothing",
            [DELTAS, STORE],
            [
                put(group_of("f"), group("f", [rule("f", "r")])).is(200),
                get(format!("{RULES}/<r>")).is(200).keep("/updated", "updated"),
                put(group_of("f"), group("f", [rule("f", "r")])).is(200),
                get(format!("{RULES}/<r>")).is(200).at("/updated", "<updated>"),
            ],
        ),
        contract("a change of one rule of a group").given(two()).case(
            always(),
            "counts up the versions of its siblings too",
            STORE,
            [
                get(RULER).is(200).keep("/*/name=<group>/rules/1/grafana_alert/version", "version"),
                put(group_of("f"), group("f", [but(rule("f", "a"), json!({"for": "1m"})), rule("f", "b")])).is(200),
                get(RULER).is(200).lacks("/*/name=<group>/rules/1/grafana_alert/version=<version>"),
                get(format!("{RULES}/<b>")).is(200).at("/for", "5m"),
            ],
        ),
    ]
}

fn swapped() -> serde_json::Value {
    group(
        "f",
        [
            but(rule("f", "a"), json!({"title": "<b>"})),
            but(rule("f", "b"), json!({"title": "<a>"})),
        ],
    )
}
