//! `/api/prometheus/grafana/api/v1/rules`: how rules are doing.

use serde_json::Value;

use crate::{harness::call::Call, prelude::*};

const API: Source = Code("pkg/services/ngalert/api/api_prometheus.go");

/// Reads the states until they are as expected.
fn states(query: &str) -> Call {
    get(format!("{STATES}{query}")).eventually().is(200)
}

/// A rule that fires at once, and often.
fn firing(name: &str) -> Value {
    but(
        rule("f", name),
        json!({"for": "0s", "data": [node("A", "1 > 0")]}),
    )
}

fn at(rest: &str) -> String {
    format!("/data/groups/name=<group>/rules/name=<r>{rest}")
}

pub fn contracts() -> Vec<Contract> {
    let mut all = rules();
    all.extend(questions());
    all.extend(pages());
    all
}

fn rules() -> Vec<Contract> {
    let start = |rule| [folder("f"), stored(rule), soon("f")];
    vec![
        contract("a rule whose condition is true").quick().given(start(firing("r"))).case(
            always(),
            "fires, with one alert",
            [REAL, API],
            [
                states("")
                    .at(&at("/state"), "firing")
                    .at(&at("/health"), "ok")
                    .at(&at("/type"), "alerting")
                    .at(&at("/alerts/*/state"), "Alerting")
                    .at(&at("/alerts/0/labels/alertname"), "<r>")
                    .at(&at("/alerts/0/labels/grafana_folder"), "<f>"),
            ],
        ),
        contract("a rule whose condition is true for less than its `for`")
            .quick()
            .given(start(but(firing("r"), json!({"for": "1h"}))))
            .case(
                always(),
                "is pending",
                [REAL, API],
                [states("").at(&at("/state"), "pending").at(&at("/alerts/*/state"), "Pending").at(&at("/duration"), 3600)],
            ),
        contract("a rule whose condition is false").quick().given(start(rule("f", "r"))).case(
            always(),
            "is inactive",
            API,
            [states("").at(&at("/state"), "inactive").at(&at("/health"), "ok").at(&at("/alerts/*/state"), "Normal")],
        ),
        contract("a rule that is paused").quick().given([folder("f"), stored(but(firing("r"), json!({"isPaused": true})))]).case(
            always(),
            "reads as if all were well, and was never evaluated",
            API,
            [
                states("")
                    .at(&at("/state"), "inactive")
                    .at(&at("/health"), "ok")
                    .at(&at("/lastEvaluation"), "0001-01-01T00:00:00Z"),
            ],
        ),
        contract("a rule that can't be evaluated")
            .quick()
            .given(start(but(
                rule("f", "r"),
                json!({"data": [{
                    "refId": "A", "datasourceUid": "<source>", "relativeTimeRange": {"from": 600, "to": 0}, "model": {"refId": "A"},
                }]}),
            )))
            .case(
                always(),
                "has an error, and says which",
                API,
                [states("").at(&at("/health"), "error").there(&at("/lastError"))],
            ),
        contract("whether a rule is paused, in the list of states")
            .given([folder("f"), stored(but(rule("f", "r"), json!({"isPaused": true})))])
            .case(before("10.1.0"), "isn't told", API, [states("").there(&at("/name")).lacks(&at("/isPaused"))])
            .unknown(between("10.1.0", "12.0.0"))
            .case(since("12.0.0"), "is told", API, [states("").at(&at("/isPaused"), true)]),
        contract("the uid of a rule in the list of states")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                before("10.1.0"),
                "isn't told",
                API,
                [states("").there(&at("/name")).lacks(&at("/uid")).lacks("/data/groups/name=<group>/folderUid")],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "is told, as is the folder's",
                API,
                [states("").at(&at("/uid"), "<r>").at("/data/groups/name=<group>/folderUid", "<f>")],
            ),
        contract("a group in the list of states")
            .given([folder("f"), stored(rule("f", "r"))])
            .case(
                always(),
                "has its folder's name for a file, and its interval in seconds",
                API,
                [states("").at("/data/groups/name=<group>/file", "<f>").at("/data/groups/name=<group>/interval", 60)],
            ),
        contract("a group of a nested folder in the list of states")
            .given([folder("f")])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "has the folder's whole path for a file",
                API,
                [
                    post(FOLDERS, json!({"uid": "<g>", "title": "<g>", "parentUid": "<f>"})).is(200),
                    stored(rule("g", "r")),
                    states("").at("/data/groups/name=<group>/file", "<f>/<g>"),
                ],
            ),
    ]
}

fn questions() -> Vec<Contract> {
    let fires = || {
        [
            folder("f"),
            stored(firing("r")),
            soon("f"),
            states("").at(&at("/state"), "firing"),
        ]
    };
    let two = || {
        [
            folder("f"),
            folder("g"),
            stored(rule("f", "r")),
            stored(rule("g", "s")),
        ]
    };
    let groups = "/data/groups/*/rules/*/name";
    vec![
        contract("states with `limit_alerts=0`")
            .quick()
            .given(fires())
            .case(
                always(),
                "have no alerts",
                API,
                [states("?limit_alerts=0")
                    .at(&at("/state"), "firing")
                    .lacks(&at("/alerts/*"))],
            ),
        contract("states with `state=firing`")
            .quick()
            .given(fires())
            .case(
                always(),
                "are those of rules that fire",
                API,
                [
                    stored(but(rule("f", "quiet"), json!({"ruleGroup": "<other>"}))),
                    states("?state=firing")
                        .there(&at("/name"))
                        .lacks("/data/groups/name=<other>/rules/*"),
                ],
            ),
        contract("states of a state that there isn't")
            .case(
                before("10.1.0"),
                "are refused",
                API,
                [get(format!("{STATES}?state=sleeping")).either([400, 500])],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "are refused in the words of Prometheus",
                API,
                [get(format!("{STATES}?state=sleeping"))
                    .is(400)
                    .at("/status", "error")
                    .at("/errorType", "bad_data")],
            ),
        contract("states with `state=recovering`")
            .case(
                before("12.0.0"),
                "are refused",
                API,
                [get(format!("{STATES}?state=recovering")).either([400, 500])],
            )
            .unknown(between("12.0.0", "13.0.0"))
            .case(
                since("13.0.0"),
                "are those of rules that recover",
                API,
                [get(format!("{STATES}?state=recovering")).is(200)],
            ),
        contract("the uids in the labels of an alert")
            .quick()
            .given(fires())
            .case(
                always(),
                "are told to those who ask for them",
                API,
                [
                    states("").lacks(&at("/alerts/0/labels/__alert_rule_uid__")),
                    states("?includeInternalLabels=true")
                        .at(&at("/alerts/0/labels/__alert_rule_uid__"), "<r>")
                        .at(&at("/alerts/0/labels/__alert_rule_namespace_uid__"), "<f>"),
                ],
            ),
        contract("a label in underscores that a rule has")
            .quick()
            .given([
                folder("f"),
                stored(but(firing("r"), json!({"labels": {"__mine__": "x"}}))),
                soon("f"),
            ])
            .case(
                always(),
                "is told to everybody",
                API,
                [states("")
                    .at(&at("/alerts/0/labels/__mine__"), "x")
                    .at(&at("/labels/__mine__"), "x")],
            ),
        contract("states with `dashboard_uid`")
            .given([
                folder("f"),
                stored(rule("f", "r")),
                stored(but(
                    rule("f", "s"),
                    json!({"annotations": {"__dashboardUid__": "<dash>", "__panelId__": "1"}}),
                )),
            ])
            .case(
                always(),
                "are those of the rules of a dashboard",
                API,
                [
                    states("?dashboard_uid=<dash>").lists(groups, ["<s>"]),
                    get(format!("{STATES}?panel_id=1")).is(400),
                ],
            ),
        contract("states with `folder_uid`")
            .given(two())
            .case(
                before("10.1.0"),
                "are those of all rules",
                API,
                [states("?folder_uid=<g>")
                    .there("/data/groups/*/rules/name=<r>")
                    .there("/data/groups/*/rules/name=<s>")],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "are those of one folder",
                API,
                [states("?folder_uid=<g>").lists(groups, ["<s>"])],
            ),
        contract("states of a folder that isn't there")
            .given(two())
            .unknown(before("11.6.0"))
            .case(
                since("11.6.0"),
                "are those of all rules",
                API,
                [states("?folder_uid=<none>")
                    .there("/data/groups/*/rules/name=<r>")
                    .there("/data/groups/*/rules/name=<s>")],
            ),
        contract("states with `rule_name`")
            .given(two())
            .unknown(before("11.6.0"))
            .case(
                since("11.6.0"),
                "are those of rules of this name",
                API,
                [states("?rule_name=<s>").lists(groups, ["<s>"])],
            ),
        contract("states with `rule_group`")
            .given([
                folder("f"),
                stored(rule("f", "r")),
                stored(but(rule("f", "s"), json!({"ruleGroup": "<other>"}))),
            ])
            .unknown(before("11.6.0"))
            .case(
                since("11.6.0"),
                "are those of groups of this name",
                API,
                [states("?rule_group=<other>").lists(groups, ["<s>"])],
            ),
        contract("states with `rule_uid`")
            .given(two())
            .case(
                before("12.4.0"),
                "are those of all rules",
                Documentation("pull request #114182"),
                [states("?rule_uid=<s>")
                    .there("/data/groups/*/rules/name=<r>")
                    .there("/data/groups/*/rules/name=<s>")],
            )
            .case(
                since("12.4.0"),
                "are those of one rule",
                Documentation("pull request #114182"),
                [states("?rule_uid=<s>").lists(groups, ["<s>"])],
            ),
    ]
}

fn pages() -> Vec<Contract> {
    let two = || {
        [
            folder("f"),
            folder("g"),
            stored(rule("f", "r")),
            stored(rule("g", "s")),
        ]
    };
    vec![
        contract("states page by page")
            .given(two())
            .unknown(before("11.6.0"))
            .case(
                since("11.6.0"),
                "are told in the order of folders and groups, without totals",
                API,
                [
                    get(format!("{STATES}?group_limit=1&rule_group=<group>"))
                        .is(200)
                        .lists("/data/groups/*/file", ["<f>"])
                        .lacks("/data/totals")
                        .keep("/data/groupNextToken", "next"),
                    get(format!(
                        "{STATES}?group_limit=1&rule_group=<group>&group_next_token=<next>"
                    ))
                    .is(200)
                    .lists("/data/groups/*/file", ["<g>"])
                    .lacks("/data/groupNextToken"),
                ],
            ),
        contract("states page by page where the title of a folder begins another's")
            .given([
                folder("f"),
                post(FOLDERS, json!({"uid": "<g>", "title": "<f>-EU"})),
                stored(rule("f", "r")),
                stored(rule("g", "s")),
            ])
            .unknown(before("11.6.0"))
            .case(
                between("11.6.0", "12.4.0"),
                "lead back to where they began",
                API,
                [
                    get(format!("{STATES}?group_limit=1&rule_group=<group>"))
                        .is(200)
                        .lists("/data/groups/*/file", ["<f>"])
                        .keep("/data/groupNextToken", "next"),
                    get(format!(
                        "{STATES}?group_limit=1&rule_group=<group>&group_next_token=<next>"
                    ))
                    .is(200)
                    .lists("/data/groups/*/file", ["<f>"])
                    .at("/data/groupNextToken", "<next>"),
                ],
            )
            .case(
                since("12.4.0"),
                "are told one after the other",
                Code("pkg/services/ngalert/store/alert_rule.go"),
                [
                    get(format!("{STATES}?group_limit=1&rule_group=<group>"))
                        .is(200)
                        .lists("/data/groups/*/file", ["<f>"])
                        .keep("/data/groupNextToken", "next"),
                    get(format!(
                        "{STATES}?group_limit=1&rule_group=<group>&group_next_token=<next>"
                    ))
                    .is(200)
                    .lists("/data/groups/*/file", ["<f>-EU"])
                    .lacks("/data/groupNextToken"),
                ],
            ),
        contract("states with `rule_limit`")
            .given(two())
            .case(
                before("12.4.0"),
                "are those of all rules",
                Documentation("pull request #114055"),
                [get(format!("{STATES}?rule_limit=1&rule_group=<group>"))
                    .is(200)
                    .there("/data/groups/*/rules/name=<r>")
                    .there("/data/groups/*/rules/name=<s>")],
            )
            .case(
                since("12.4.0"),
                "end with the group that brings them to so many rules",
                API,
                [
                    get(format!("{STATES}?rule_limit=1&rule_group=<group>"))
                        .is(200)
                        .lists("/data/groups/*/file", ["<f>"])
                        .lacks("/data/totals")
                        .keep("/data/groupNextToken", "next"),
                    get(format!(
                        "{STATES}?rule_limit=1&rule_group=<group>&group_next_token=<next>"
                    ))
                    .is(200)
                    .lists("/data/groups/*/file", ["<g>"])
                    .lacks("/data/groupNextToken"),
                ],
            ),
        contract("states after a token that can't be read")
            .given(two())
            .unknown(before("11.6.0"))
            .case(
                since("11.6.0"),
                "begin at the beginning",
                API,
                [get(format!(
                    "{STATES}?group_limit=1&rule_group=<group>&group_next_token=!!"
                ))
                .is(200)
                .lists("/data/groups/*/file", ["<f>"])],
            ),
    ]
}
