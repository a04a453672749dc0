//! `GET /api/ruler/grafana/api/v1/rules`, the list of all rules with all that is known of them.

use crate::prelude::*;

const DEFINITIONS: Source = Code("pkg/services/ngalert/api/tooling/definitions/cortex-ruler.go");

pub fn contracts() -> Vec<Contract> {
    let here = |rest: &str| format!("/<f>/name=<group>{rest}");
    let alert = |rest: &str| format!("/<f>/name=<group>/rules/0/grafana_alert{rest}");
    let one = || [folder("f"), stored(rule("f", "r"))];
    vec![
        contract("a group in the ruler's list").given(one()).case(
            always(),
            "is under its folder's name, with its interval",
            [REAL, DEFINITIONS],
            [get(RULER)
                .is(200)
                .at(&here("/interval"), "1m")
                .counts(&here("/rules/*"), 1)],
        ),
        contract("a group of a nested folder in the ruler's list")
            .given([folder("f")])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is under the whole path of its folder",
                DEFINITIONS,
                [
                    post(FOLDERS, json!({"uid": "<g>", "title": "<g>", "parentUid": "<f>"})).is(200),
                    stored(rule("g", "r")),
                    get(RULER).is(200).there("/<f>~1<g>/name=<group>"),
                ],
            ),
        contract("a rule in the ruler's list").given(one()).case(
            always(),
            "tells where it is and whose",
            [REAL, DEFINITIONS],
            [get(RULER)
                .is(200)
                .at(&alert("/uid"), "<r>")
                .at(&alert("/title"), "<r>")
                .at(&alert("/namespace_uid"), "<f>")
                .at(&alert("/rule_group"), "<group>")
                .at(&alert("/provenance"), "api")
                .at(&alert("/intervalSeconds"), 60)
                .at(&alert("/version"), 1)
                .there(&alert("/updated"))
                .at(&alert("/orgId"), "<org>")],
        ),
        contract("what a rule does, in the ruler's list")
            .given([
                folder("f"),
                stored(but(
                    rule("f", "r"),
                    json!({"labels": {"a": "b"}, "annotations": {"c": "d"}}),
                )),
            ])
            .case(
                always(),
                "is said with names of its own",
                DEFINITIONS,
                [get(RULER)
                    .is(200)
                    .at(&here("/rules/0/expr"), "")
                    .at(&here("/rules/0/for"), "5m")
                    .at(&here("/rules/0/labels/a"), "b")
                    .at(&here("/rules/0/annotations/c"), "d")
                    .at(&alert("/condition"), "A")
                    .at(&alert("/no_data_state"), "OK")
                    .at(&alert("/exec_err_state"), "Error")
                    .at(&alert("/is_paused"), false)
                    .at(&alert("/data/0/refId"), "A")],
            ),
        contract("a rule without provenance in the ruler's list")
            .given([folder("f"), stored(rule("f", "r")).unprovisioned()])
            .case(
                always(),
                "shows none",
                DEFINITIONS,
                [get(RULER)
                    .is(200)
                    .there(&alert("/uid"))
                    .lacks(&alert("/provenance"))],
            ),
        contract("a rule that was written again, in the ruler's list")
            .given(one())
            .case(
                always(),
                "has the next version",
                DEFINITIONS,
                [
                    put(format!("{RULES}/<r>"), but(rule("f", "r"), json!({"for": "1m"}))).is(200),
                    get(RULER).is(200).at(&alert("/version"), 2),
                ],
            ),
        contract("the numeric id of a folder in the ruler's list")
            .given(one())
            .case(
                before("10.1.0"),
                "is shown",
                DEFINITIONS,
                [get(RULER).is(200).there(&alert("/namespace_id"))],
            )
            .unknown(between("10.1.0", "11.6.0"))
            .case(
                since("11.6.0"),
                "is gone",
                DEFINITIONS,
                [get(RULER).is(200).lacks(&alert("/namespace_id"))],
            ),
        contract("how the editor shows a rule, in the ruler's list")
            .given(one())
            .case(
                before("11.4.0"),
                "isn't kept",
                DEFINITIONS,
                [get(RULER).is(200).lacks(&alert("/metadata"))],
            )
            .case(
                since("11.4.0"),
                "is kept",
                DEFINITIONS,
                [get(RULER).is(200).there(&alert("/metadata/editor_settings"))],
            ),
        contract("the guid of a rule in the ruler's list")
            .given(one())
            .case(
                before("11.5.0"),
                "isn't known",
                Unconfirmed("that 11.6 is the first"),
                [get(RULER).is(200).lacks(&alert("/guid"))],
            )
            .unknown(between("11.5.0", "12.0.0"))
            .case(
                since("12.0.0"),
                "is shown",
                DEFINITIONS,
                [get(RULER).is(200).there(&alert("/guid"))],
            ),
        contract("`keep_firing_for` and missing series in the ruler's list")
            .given([
                folder("f"),
                stored(but(
                    rule("f", "r"),
                    json!({"keep_firing_for": "10m", "missingSeriesEvalsToResolve": 4}),
                )),
            ])
            .case(
                before("12.0.0"),
                "aren't known",
                Documentation("OpenAPI before 2025-04-24"),
                [get(RULER)
                    .is(200)
                    .lacks(&here("/rules/0/keep_firing_for"))
                    .lacks(&alert("/missing_series_evals_to_resolve"))],
            )
            .case(
                since("12.0.0"),
                "are shown",
                DEFINITIONS,
                [get(RULER)
                    .is(200)
                    .at(&here("/rules/0/keep_firing_for"), "10m")
                    .at(&alert("/missing_series_evals_to_resolve"), 4)],
            ),
        contract("the contact point of a rule in the ruler's list")
            .given([
                folder("f"),
                post(POINTS, point("p")).is(202),
                stored(but(
                    rule("f", "r"),
                    json!({"notification_settings": {"receiver": "<p>"}}),
                )),
            ])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is shown",
                DEFINITIONS,
                [get(RULER)
                    .is(200)
                    .at(&alert("/notification_settings/receiver"), "<p>")],
            ),
        contract("a recording rule in the ruler's list")
            .setting("recording_rules.enabled=true")
            .given([folder("f")])
            .unknown(before("12.0.0"))
            .case(
                since("12.0.0"),
                "has no states and no `for`",
                DEFINITIONS,
                [
                    stored(but(
                        rule("f", "r"),
                        json!({"record": {"metric": "m", "from": "A", "target_datasource_uid": "<d>"}}),
                    )),
                    get(RULER)
                        .is(200)
                        .at(&alert("/record/metric"), "m")
                        .lacks(&here("/rules/0/for"))
                        .at(&alert("/no_data_state"), "")
                        .at(&alert("/exec_err_state"), ""),
                ],
            ),
        contract("the ruler's list of a Viewer").given(one()).case(
            always(),
            "holds the rules of the folders that are open to all",
            Code("pkg/services/ngalert/api/authorization.go"),
            [get(RULER).by(Caller::Viewer).is(200).at(&alert("/uid"), "<r>")],
        ),
        contract("the ruler's list without a log-in").case(
            always(),
            "is refused",
            REAL,
            [get(RULER).by(Caller::Nobody).is(401)],
        ),
    ]
}
