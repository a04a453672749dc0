//! What of a rule is kept, added and written otherwise.

use serde_json::Value;

use crate::{harness::call::Call, prelude::*};

const COMPAT: Source = Code("pkg/services/ngalert/api/compat.go");
const QUERY: Source = Code("pkg/services/ngalert/models/alert_query.go");

fn with(changes: Value) -> Call {
    stored(but(rule("f", "r"), changes))
}

fn read() -> Call {
    get(format!("{RULES}/<r>")).is(200)
}

pub fn contracts() -> Vec<Contract> {
    let mut all = queries();
    all.extend(durations());
    all.extend(notifications());
    all.extend(records());
    all
}

fn queries() -> Vec<Contract> {
    vec![
        contract("the model of a query").given([folder("f")]).case(
            always(),
            "gets an interval and a number of points",
            [REAL, QUERY],
            [
                with(json!({})),
                read().at("/data/0/model/intervalMs", 1000).at("/data/0/model/maxDataPoints", 43200),
            ],
        ),
        contract("an interval and a number of points in a query's model").given([folder("f")]).case(
            always(),
            "are kept",
            QUERY,
            [
                with(json!({"data": [but(
                    node("A", "1 == 0"),
                    json!({"model": {"refId": "A", "type": "math", "expression": "1 == 0", "intervalMs": 2000, "maxDataPoints": 7}}),
                )]})),
                read().at("/data/0/model/intervalMs", 2000).at("/data/0/model/maxDataPoints", 7),
            ],
        ),
        contract("the type of a query").given([folder("f")]).case(
            always(),
            "is the one of its model",
            QUERY,
            [
                with(json!({"data": [{
                    "refId": "A", "queryType": "range", "datasourceUid": "<source>", "relativeTimeRange": {"from": 600, "to": 0},
                    "model": {"refId": "A", "queryType": "instant"},
                }]})),
                read().at("/data/0/queryType", "instant"),
            ],
        ),
        contract("the time range of a query").given([folder("f")]).case(
            always(),
            "is kept in seconds",
            COMPAT,
            [
                with(json!({"data": [{
                    "refId": "A", "datasourceUid": "<source>", "relativeTimeRange": {"from": 600, "to": 60}, "model": {"refId": "A"},
                }]})),
                read().at("/data/0/relativeTimeRange", json!({"from": 600, "to": 60})),
            ],
        ),
        contract("the nodes of a rule").given([folder("f")]).case(
            always(),
            "keep their order",
            COMPAT,
            [
                with(json!({"data": [node("C", "1"), node("A", "1 == 0"), node("B", "2")]})),
                read().lists("/data/*/refId", ["C", "A", "B"]),
            ],
        ),
        contract("a rule that isn't said to be paused").given([folder("f")]).case(
            always(),
            "isn't",
            COMPAT,
            [with(json!({})), read().at("/isPaused", false)],
        ),
        contract("annotations and labels of a rule").given([folder("f")]).case(
            always(),
            "are kept word for word",
            COMPAT,
            [
                with(json!({"annotations": {"summary": "{{ $values.A }} <b> $x"}, "labels": {"team": "a b"}})),
                read().at("/annotations/summary", "{{ $values.A }} <b> $x").at("/labels/team", "a b"),
            ],
        ),
        contract("the state KeepLast")
            .given([folder("f")])
            .case(
                before("10.1.0"),
                "isn't known",
                REAL,
                [post(RULES, but(rule("f", "r"), json!({"noDataState": "KeepLast"}))).is(500)],
            )
            .unknown(between("10.1.0", "10.4.1"))
            .case(
                since("10.4.1"),
                "is kept",
                Documentation("pull requests #83940, #84406"),
                [
                    with(json!({"noDataState": "KeepLast", "execErrState": "KeepLast"})),
                    read().at("/noDataState", "KeepLast").at("/execErrState", "KeepLast"),
                ],
            ),
    ]
}

fn durations() -> Vec<Contract> {
    vec![
        contract("the `for` of a rule").given([folder("f")]).case(
            always(),
            "is written in its largest units",
            COMPAT,
            [with(json!({"for": "300s"})), read().at("/for", "5m")],
        ),
        contract("a `for` of nothing").given([folder("f")]).case(
            always(),
            "is 0s",
            COMPAT,
            [with(json!({"for": "0s"})), read().at("/for", "0s")],
        ),
        contract("`keep_firing_for`")
            .given([folder("f"), with(json!({"keep_firing_for": "600s"}))])
            .case(
                before("12.0.0"),
                "isn't known and not kept",
                Documentation("OpenAPI before 2025-04-24"),
                [read().lacks("/keep_firing_for")],
            )
            .case(
                since("12.0.0"),
                "is kept",
                Documentation("OpenAPI of 2025-04-24"),
                [read().at("/keep_firing_for", "10m")],
            ),
        contract("`missingSeriesEvalsToResolve`")
            .given([folder("f"), with(json!({"missingSeriesEvalsToResolve": 4}))])
            .case(
                before("12.0.0"),
                "isn't known and not kept",
                Documentation("OpenAPI before 2025-04-24"),
                [read().lacks("/missingSeriesEvalsToResolve")],
            )
            .case(
                since("12.0.0"),
                "is kept",
                Documentation("OpenAPI of 2025-04-24"),
                [read().at("/missingSeriesEvalsToResolve", 4)],
            ),
        contract("a `missingSeriesEvalsToResolve` of 0")
            .given([folder("f")])
            .unknown(before("12.0.0"))
            .case(
                since("12.0.0"),
                "is refused",
                Code("pkg/services/ngalert/models/alert_rule.go"),
                [post(
                    RULES,
                    but(rule("f", "r"), json!({"missingSeriesEvalsToResolve": 0})),
                )
                .is(400)],
            ),
    ]
}

fn notifications() -> Vec<Contract> {
    let settings = |changes| {
        let settings = but(
            json!({"receiver": "<p>", "group_by": ["alertname", "grafana_folder"]}),
            changes,
        );
        but(rule("f", "r"), json!({"notification_settings": settings}))
    };
    let through = |settings: Value| but(rule("f", "r"), json!({"notification_settings": settings}));
    let checks = Code("pkg/services/ngalert/models/notifications.go");
    vec![
        contract("a contact point that a rule names")
            .given([folder("f"), post(POINTS, point("p")).is(202)])
            .case(
                before("10.1.0"),
                "isn't known and not kept",
                Documentation("OpenAPI of 2024-01-05"),
                [
                    post(RULES, settings(json!({}))).is(201),
                    read().lacks("/notification_settings/receiver"),
                ],
            )
            // A toggle in 10.4.
            .unknown(between("10.1.0", "11.0.0"))
            .case(
                since("11.0.0"),
                "is kept, with how it is notified",
                Documentation("OpenAPI of 2024-03-06"),
                [
                    post(
                        RULES,
                        settings(
                            json!({"group_wait": "30s", "group_interval": "300s", "repeat_interval": "4h"}),
                        ),
                    )
                    .is(201),
                    read()
                        .at("/notification_settings/receiver", "<p>")
                        .at(
                            "/notification_settings/group_by",
                            json!(["alertname", "grafana_folder"]),
                        )
                        .at("/notification_settings/group_wait", "30s")
                        .at("/notification_settings/group_interval", "5m")
                        .at("/notification_settings/repeat_interval", "4h"),
                ],
            ),
        contract("a routing tree that a rule names")
            .given([folder("f")])
            .absent(before("13.0.0"))
            // Trees need a toggle.
            .unknown(between("13.0.0", "13.3.0"))
            .case(
                since("13.3.0"),
                "is kept, in the place of a contact point",
                [
                    Code("pkg/services/ngalert/models/notifications.go"),
                    Unconfirmed("that the provisioning API keeps it, which #117628 leaves to another"),
                ],
                [
                    post(
                        "/apis/notifications.alerting.grafana.app/v1beta1/namespaces/<space>/routingtrees",
                        json!({
                            "apiVersion": "notifications.alerting.grafana.app/v1beta1", "kind": "RoutingTree", "metadata": {"name": "<t>"},
                            "spec": {"defaults": {"receiver": "empty"}, "routes": []},
                        }),
                    )
                    .is(201),
                    post(RULES, through(json!({"receiver": "", "policy": "<t>"}))).is(201),
                    read().at("/notification_settings/policy", "<t>"),
                ],
            ),
        contract("a routing tree that a rule names and that isn't there")
            .given([folder("f")])
            .absent(before("13.0.0"))
            .unknown(between("13.0.0", "13.3.0"))
            .case(
                since("13.3.0"),
                "is refused",
                checks,
                [post(RULES, through(json!({"receiver": "", "policy": "<t>"}))).is(400).says("<t>")],
            ),
        contract("the default tree, named by a rule")
            .given([folder("f")])
            .absent(before("13.0.0"))
            .unknown(between("13.0.0", "13.3.0"))
            .case(
                since("13.3.0"),
                "is refused",
                checks,
                [post(RULES, through(json!({"receiver": "", "policy": "user-defined"}))).is(400).says("default tree")],
            ),
        contract("a contact point that a rule names and that isn't there")
            .given([folder("f")])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is refused",
                checks,
                [post(RULES, settings(json!({}))).is(400).says("<p>")],
            ),
        contract("a rule that groups by a label twice")
            .given([folder("f"), post(POINTS, point("p")).is(202)])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is refused",
                checks,
                [post(
                    RULES,
                    settings(json!({"group_by": ["alertname", "grafana_folder", "a", "a"]})),
                )
                .is(400)],
            ),
        contract("a rule that repeats its notifications after no time")
            .given([folder("f"), post(POINTS, point("p")).is(202)])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is refused",
                checks,
                [post(RULES, settings(json!({"repeat_interval": "0s"}))).is(400)],
            ),
        contract("a rule that groups by neither its name nor its folder")
            .given([folder("f"), post(POINTS, point("p")).is(202)])
            .unknown(before("11.0.0"))
            .case(
                between("11.0.0", "12.1.0"),
                "is refused",
                checks,
                [post(RULES, settings(json!({"group_by": ["team"]}))).is(400)],
            )
            .unknown(since("12.1.0")),
        contract("a mute timing that a rule names and that isn't there")
            .given([folder("f"), post(POINTS, point("p")).is(202)])
            .unknown(before("11.0.0"))
            .case(
                since("11.0.0"),
                "is refused",
                checks,
                [post(RULES, settings(json!({"mute_time_intervals": ["<t>"]})))
                    .is(400)
                    .says("<t>")],
            ),
        contract("an active interval that a rule names")
            .given([
                folder("f"),
                post(POINTS, point("p")).is(202),
                post(TIMINGS, timing("t")).is(201),
            ])
            .unknown(before("11.0.0"))
            .case(
                between("11.0.0", "12.1.0"),
                "isn't known and not kept",
                Documentation("OpenAPI of 2025-04-24"),
                [
                    post(RULES, settings(json!({"active_time_intervals": ["<t>"]}))).is(201),
                    read().lacks("/notification_settings/active_time_intervals"),
                ],
            )
            .case(
                since("12.1.0"),
                "is kept",
                Documentation("OpenAPI of 2025-05-16"),
                [
                    post(RULES, settings(json!({"active_time_intervals": ["<t>"]}))).is(201),
                    read().at("/notification_settings/active_time_intervals", json!(["<t>"])),
                ],
            ),
    ]
}

fn records() -> Vec<Contract> {
    let record =
        || json!({"record": {"metric": "a_metric", "from": "A", "target_datasource_uid": "<source>"}});
    vec![
        contract("a recording rule")
            .setting("recording_rules.enabled=true")
            .given([folder("f")])
            .case(
                before("11.1.0"),
                "is an alert rule to a release that doesn't know them",
                Documentation("OpenAPI of 2024-03-06"),
                [with(record()), read().lacks("/record/metric").at("/for", "5m")],
            )
            // A toggle in some, and the target came later.
            .unknown(between("11.1.0", "12.0.0"))
            .case(
                since("12.0.0"),
                "has no condition, no states and no `for`",
                [
                    Documentation("OpenAPI of 2025-04-24"),
                    Code("pkg/services/ngalert/models/alert_rule.go"),
                ],
                [
                    with(record()),
                    read()
                        .at("/record/metric", "a_metric")
                        .at("/record/from", "A")
                        .at("/record/target_datasource_uid", "<source>")
                        .at("/condition", "")
                        .at("/noDataState", "")
                        .at("/execErrState", "")
                        .at("/for", "0s"),
                ],
            ),
        contract("a recording rule with a name that is no metric's")
            .setting("recording_rules.enabled=true")
            .given([folder("f")])
            .unknown(before("12.0.0"))
            .case(
                since("12.0.0"),
                "is refused",
                Code("pkg/services/ngalert/models/alert_rule.go"),
                [post(
                    RULES,
                    but(
                        rule("f", "r"),
                        json!({"record": {"metric": "no metric", "from": "A"}}),
                    ),
                )
                .is(400)],
            ),
    ]
}
