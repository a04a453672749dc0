//! What a write of a rule does.

use crate::prelude::*;

const API: Source = Code("pkg/services/ngalert/api/api_provisioning.go");
const SERVICE: Source = Code("pkg/services/ngalert/provisioning/alert_rules.go");

pub fn contracts() -> Vec<Contract> {
    vec![
        contract("a rule POST").given([folder("f")]).case(
            always(),
            "answers with the rule as it is stored",
            [REAL, API],
            [
                post(RULES, rule("f", "r"))
                    .is(201)
                    .at("/uid", "<r>")
                    .at("/folderUID", "<f>")
                    .at("/ruleGroup", "<group>")
                    .at("/provenance", "api")
                    .there("/id")
                    .there("/updated"),
                get(format!("{RULES}/<r>"))
                    .is(200)
                    .at("/title", "<r>")
                    .at("/provenance", "api"),
            ],
        ),
        contract("a rule POST without a uid").given([folder("f")]).case(
            always(),
            "makes one up",
            API,
            [
                post(RULES, but(rule("f", "r"), json!({"uid": null})))
                    .is(201)
                    .keep("/uid", "uid"),
                get(format!("{RULES}/<uid>")).is(200).at("/title", "<r>"),
            ],
        ),
        contract("the organisation in a rule").given([folder("f")]).case(
            always(),
            "is the caller's, whatever was sent",
            SERVICE,
            [post(RULES, but(rule("f", "r"), json!({"orgID": 999_999})))
                .is(201)
                .at("/orgID", "<org>")],
        ),
        contract("a rule POST into a new group")
            .given([folder("f")])
            .case(
                always(),
                "gives it the default interval of a minute",
                SERVICE,
                [
                    stored(rule("f", "r")),
                    get(group_of("f")).is(200).at("/interval", 60),
                ],
            ),
        contract("a rule POST into a group")
            .given([folder("f"), stored(rule("f", "one"))])
            .case(
                always(),
                "takes the group's interval",
                SERVICE,
                [
                    put(
                        group_of("f"),
                        json!({"title": "<group>", "folderUid": "<f>", "interval": 120}),
                    )
                    .is(200),
                    stored(rule("f", "two")),
                    get(group_of("f"))
                        .is(200)
                        .at("/interval", 120)
                        .lists("/rules/*/uid", ["<one>", "<two>"]),
                ],
            ),
        contract("reading a rule that isn't there").case(
            always(),
            "is 404 without a body",
            API,
            [get(format!("{RULES}/<r>")).is(404).body("")],
        ),
        contract("a rule PUT")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "answers with the rule as it is stored",
                API,
                [
                    put(
                        format!("{RULES}/<r>"),
                        but(rule("f", "r"), json!({"title": "<other>"})),
                    )
                    .is(200)
                    .at("/title", "<other>"),
                    get(format!("{RULES}/<r>")).is(200).at("/title", "<other>"),
                ],
            ),
        contract("a rule PUT to a uid that isn't there")
            .given([folder("f")])
            .case(
                always(),
                "makes nothing and is 404 without a body",
                API,
                [
                    put(format!("{RULES}/<r>"), rule("f", "r")).is(404).body(""),
                    get(format!("{RULES}/<r>")).is(404),
                ],
            ),
        contract("the uid in a rule PUT")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "is the path's, whatever was sent",
                API,
                [
                    put(
                        format!("{RULES}/<r>"),
                        but(rule("f", "r"), json!({"uid": "<other>"})),
                    )
                    .is(200)
                    .at("/uid", "<r>"),
                    get(format!("{RULES}/<other>")).is(404),
                ],
            ),
        contract("a rule PUT without `for` and labels")
            .given([
                folder("f"),
                stored(but(rule("f", "r"), json!({"labels": {"a": "b"}}))),
            ])
            .case(
                always(),
                "takes them away",
                SERVICE,
                [
                    put(format!("{RULES}/<r>"), but(rule("f", "r"), json!({"for": "0s"}))).is(200),
                    get(format!("{RULES}/<r>"))
                        .is(200)
                        .at("/for", "0s")
                        .lacks("/labels/a"),
                ],
            ),
        contract("a rule DELETE")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "is 204, also when the rule is gone already",
                [REAL, API],
                [
                    delete(format!("{RULES}/<r>")).is(204),
                    get(format!("{RULES}/<r>")).is(404),
                    delete(format!("{RULES}/<r>")).is(204),
                ],
            ),
        contract("the last rule of a group")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "takes the group with it",
                [REAL, SERVICE],
                [delete(format!("{RULES}/<r>")).is(204), get(group_of("f")).is(404)],
            ),
        contract("two rules of one title in two folders")
            .given([folder("f"), folder("g")])
            .case(
                always(),
                "are accepted",
                Code("pkg/services/ngalert/store/alert_rule.go"),
                [
                    stored(rule("f", "r")),
                    stored(but(rule("g", "r"), json!({"uid": "<other>"}))),
                ],
            ),
        contract("two rules of one title in one folder")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                before("10.1.0"),
                "are an error of the server",
                REAL,
                [post(RULES, but(rule("f", "r"), json!({"uid": "<other>"})))
                    .is(500)
                    .says("should be unique")],
            )
            .unknown(between("10.1.0", "10.4.0"))
            .case(
                between("10.4.0", "12.0.0"),
                "are refused",
                Documentation("issues #95013, #107804"),
                [post(RULES, but(rule("f", "r"), json!({"uid": "<other>"})))
                    .is(400)
                    .id("alerting.alert-rule.conflict")
                    .says("conflicting alert rule found")],
            )
            .case(
                since("12.0.0"),
                "are accepted",
                Documentation("pull request #102067"),
                [post(RULES, but(rule("f", "r"), json!({"uid": "<other>"}))).is(201)],
            ),
        contract("a rule POST with a uid that is taken")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                before("10.1.0"),
                "is an error of the server",
                REAL,
                [post(RULES, but(rule("f", "r"), json!({"title": "<other>"}))).is(500)],
            )
            .unknown(between("10.1.0", "10.4.0"))
            .case(
                between("10.4.0", "12.1.0"),
                "is refused",
                Documentation("issues #89755, #95013"),
                [post(RULES, but(rule("f", "r"), json!({"title": "<other>"})))
                    .is(400)
                    .id("alerting.alert-rule.conflict")],
            )
            .case(
                since("12.1.0"),
                "is a conflict",
                Documentation("pull request #106608"),
                [post(RULES, but(rule("f", "r"), json!({"title": "<other>"})))
                    .is(409)
                    .id("alerting.alert-rule.conflict")
                    .says("due to conflict")],
            ),
        contract("a rule POST into a folder that isn't there")
            .case(
                before("10.1.0"),
                "stores the rule",
                REAL,
                [post(RULES, rule("f", "r")).is(201)],
            )
            .case(
                between("10.1.0", "11.0.0"),
                "stores the rule, too",
                Unconfirmed("issues #55202 and #74304 tell of it without a release"),
                [post(RULES, rule("f", "r")).is(201)],
            )
            .case(
                since("11.0.0"),
                "is refused",
                SERVICE,
                [post(RULES, rule("f", "r")).is(400).says("folder does not exist")],
            ),
        contract("an answer about rules")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                before("13.0.0"),
                "has no header that calls it deprecated",
                Documentation("pull request #120606"),
                [
                    get(RULES)
                        .is(200)
                        .no_header("X-API-Deprecation-Date")
                        .no_header("X-API-Replacement"),
                    get(group_of("f")).is(200).no_header("X-API-Deprecation-Date"),
                ],
            )
            .case(
                since("13.0.0"),
                "says in its headers that it is deprecated",
                Documentation("pull request #120606"),
                [
                    get(RULES)
                        .is(200)
                        .header("Warning", "299")
                        .header("X-API-Replacement", "/apis/rules.alerting.grafana.app"),
                    get(format!("{RULES}/<r>")).is(200).header("Warning", "299"),
                    get(group_of("f")).is(200).header("Warning", "299"),
                    put(group_of("f"), group("f", [rule("f", "r")]))
                        .is(200)
                        .header("Warning", "299"),
                    delete(format!("{RULES}/<r>")).is(204).header("Warning", "299"),
                ],
            ),
        contract("the quota of rules")
            .setting("quota.enabled=true")
            .setting("quota.org_alert_rule=1")
            .given([folder("f"), stored(rule("f", "one"))])
            .case(
                always(),
                "forbids one more",
                API,
                [post(RULES, rule("f", "two"))
                    .is(403)
                    .says("quota has been exceeded")],
            ),
    ]
}
