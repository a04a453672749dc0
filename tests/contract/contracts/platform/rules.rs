//! Alert rules: what is stored of them, and how it is shown.

use serde_json::json;

use super::{RULES, Refusal, json_patch, label, merge_patch, note, read, receiver, rule, with};
use crate::{
    fixtures::folder,
    harness::{
        call::{delete, get, post},
        contract::{
            Contract,
            Source::{Code, Documentation, Unconfirmed},
            contract,
        },
        version::{before, between, since},
    },
};

const KIND: &str = "alertrules";

pub fn contracts() -> Vec<Contract> {
    let mut all = shapes();
    all.extend(settings());
    all.extend(lists());
    all
}

/// How a rule is shown.
fn shapes() -> Vec<Contract> {
    vec![
        RULES.contract("a POST of a rule with a name", "has the name as its uid", read::RULE_TESTS, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"metadata": {"name": "<r>"}})))
                    .is(201)
                    .at("/metadata/name", "<r>")
                    .there("/metadata/uid")
                    .at("/metadata/resourceVersion", "1"),
                get(format!("{}/<r>", crate::fixtures::RULES)).is(200).at("/title", "<r>"),
            ]
        }),
        RULES.contract("a POST of a rule without a name", "gets one", read::RULE_TESTS, |at| {
            [
                folder("f"),
                post(at.of(KIND), rule("f", "r")).is(201).keep("/metadata/name", "name"),
                get(at.one(KIND, "<name>")).is(200).at("/spec/title", "<r>"),
            ]
        }),
        RULES.contract("durations of a rule", "are shown as 1m in the trigger and as 5m0s elsewhere, and left out when they are nothing", read::RULES, |at| {
            [
                folder("f"),
                post(
                    at.of(KIND),
                    with(rule("f", "r"), json!({"spec": {
                        "trigger": {"interval": "60s"}, "for": "5m", "keepFiringFor": "90s",
                        "expressions": {"B": {"datasourceUID": "nothing", "relativeTimeRange": {"from": "600s", "to": "0s"}, "model": {}}},
                    }})),
                )
                .is(201)
                .at("/spec/trigger/interval", "1m")
                .at("/spec/for", "5m0s")
                .at("/spec/keepFiringFor", "1m30s")
                .at("/spec/expressions/B/relativeTimeRange", json!({"from": "10m0s", "to": "0s"})),
                post(at.of(KIND), rule("f", "s")).is(201).lacks("/spec/for").lacks("/spec/keepFiringFor"),
            ]
        }),
        RULES.contract("a rule of which little is said", "is shown with defaults and without what isn't there", read::RULES, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"spec": {"noDataState": null, "execErrState": null}})))
                    .is(201)
                    .at("/spec/noDataState", "NoData")
                    .at("/spec/execErrState", "Error")
                    .at("/spec/labels", json!({}))
                    .at("/spec/annotations", json!({}))
                    .lacks("/spec/paused")
                    .lacks("/spec/missingSeriesEvalsToResolve")
                    .lacks("/spec/notificationSettings")
                    .lacks("/spec/panelRef")
                    .lacks("/spec/expressions/A/datasourceUID")
                    .lacks("/spec/expressions/A/queryType")
                    .lacks("/spec/expressions/A/relativeTimeRange")
                    .at("/spec/expressions/A/source", true),
            ]
        }),
        RULES.contract("a state of a rule", "is written Ok, and OK at the other door", read::RULES, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"metadata": {"name": "<r>"}, "spec": {"execErrState": "KeepLast"}})))
                    .is(201)
                    .at("/spec/noDataState", "Ok")
                    .at("/spec/execErrState", "KeepLast"),
                get(format!("{}/<r>", crate::fixtures::RULES)).at("/noDataState", "OK").at("/execErrState", "KeepLast"),
            ]
        }),
        RULES.contract("the folder of a rule", "is in a label that follows the annotation", read::RULE_TESTS, |at| {
            [
                folder("f"),
                folder("g"),
                post(at.of(KIND), rule("f", "r")).is(201).at(&label("grafana.app/folder"), "<f>").keep("/metadata/name", "name"),
                merge_patch(at.one(KIND, "<name>"), json!({"metadata": {"annotations": {"grafana.app/folder": "<g>"}}}))
                    .is(200)
                    .at(&note("grafana.app/folder"), "<g>")
                    .at(&label("grafana.app/folder"), "<g>"),
            ]
        }),
        RULES.contract("a panel of a rule", "is in the annotations too", read::RULES, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"metadata": {"name": "<r>"}, "spec": {"panelRef": {"dashboardUID": "d", "panelID": 7}}})))
                    .is(201)
                    .at("/spec/panelRef", json!({"dashboardUID": "d", "panelID": 7})),
                get(format!("{}/<r>", crate::fixtures::RULES)).at("/annotations/__dashboardUid__", "d").at("/annotations/__panelId__", "7"),
            ]
        }),
    ]
}

/// What else a rule says, and how it is changed.
fn settings() -> Vec<Contract> {
    vec![
        RULES.contract("a receiver of a rule", "is shown with the type of the settings", [read::RULES, read::RULE_TESTS], |at| {
            [
                folder("f"),
                post(format!("/apis/{}/v1beta1/namespaces/<space>/receivers", super::NOTIFICATIONS.name), super::object(receiver("p"))).is(201),
                post(
                    at.of(KIND),
                    with(rule("f", "r"), json!({"spec": {"notificationSettings": {"type": "SimplifiedRouting", "receiver": "<p>", "groupWait": "60s"}}})),
                )
                .is(201)
                .at("/spec/notificationSettings/type", "SimplifiedRouting")
                .at("/spec/notificationSettings/receiver", "<p>")
                .at("/spec/notificationSettings/groupWait", "1m")
                .keep("/metadata/name", "name"),
                merge_patch(at.one(KIND, "<name>"), json!({"spec": {"notificationSettings": null}})).is(200).lacks("/spec/notificationSettings"),
            ]
        }),
        contract("notification settings of a rule without a type")
            .absent(before("13.0.0"))
            .case(between("13.0.0", "13.3.0"), "name a receiver", Code("apps/alerting/rules/kinds/v0alpha1/alertRule_spec.cue"), [
                folder("f"),
                post(format!("/apis/{}/v0alpha1/namespaces/<space>/alertrules", RULES.name), with(rule("f", "r"), json!({"spec": {"notificationSettings": {"receiver": "empty"}}})))
                    .is(201)
                    .at("/spec/notificationSettings/type", "SimplifiedRouting"),
            ])
            .case(since("13.3.0"), "are refused by v1beta1", [Documentation("documentation of 13.3"), Unconfirmed("the status")], [
                folder("f"),
                post(format!("/apis/{}/v1beta1/namespaces/<space>/alertrules", RULES.name), with(rule("f", "r"), json!({"spec": {"notificationSettings": {"receiver": "empty"}}})))
                    .either([400, 403, 422])
                    .at("/kind", "Status"),
            ]),
        contract("a routing tree of a rule")
            .absent(before("13.0.0"))
            .unknown(between("13.0.0", "13.3.0"))
            .case(since("13.3.0"), "is shown with the type of the settings", [read::RULE_TESTS, Code("grafana/grafana#117628, #120463: the toggle is the user interface's")], [
                folder("f"),
                post(super::BETA.of("routingtrees"), super::named("<t>", json!({"defaults": {"receiver": "empty"}, "routes": []}))).is(201),
                post(
                    format!("/apis/{}/v0alpha1/namespaces/<space>/alertrules", RULES.name),
                    with(rule("f", "r"), json!({"spec": {"notificationSettings": {"type": "NamedRoutingTree", "routingTree": "<t>"}}})),
                )
                .is(201)
                .at("/spec/notificationSettings", json!({"type": "NamedRoutingTree", "routingTree": "<t>"}))
                .keep("/metadata/name", "name"),
                get(format!("{}/<name>", crate::fixtures::RULES)).at("/notification_settings/policy", "<t>"),
            ]),
        RULES.contract("a JSON patch of a rule", "changes what it names", read::RULE_TESTS, |at| {
            [
                folder("f"),
                post(at.of(KIND), rule("f", "r")).keep("/metadata/name", "name"),
                json_patch(at.one(KIND, "<name>"), json!([{"op": "replace", "path": "/spec/title", "value": "<s>"}])).is(200).at("/spec/title", "<s>"),
            ]
        }),
        RULES.contract("a rule as it was read", "can be put back", read::RULES, |at| {
            [
                folder("f"),
                post(at.of(KIND), with(rule("f", "r"), json!({"spec": {"for": "1h", "expressions": {"B": {"datasourceUID": "x", "relativeTimeRange": {"from": "1h", "to": "0s"}, "model": {}}}}})))
                    .keep("/metadata/name", "name")
                    .keep("/spec/for", "for")
                    .keep("/spec/expressions/B/relativeTimeRange/from", "from"),
                merge_patch(at.one(KIND, "<name>"), json!({"spec": {"for": "<for>", "expressions": {"B": {"relativeTimeRange": {"from": "<from>"}}}}}))
                    .is(200)
                    .at("/spec/for", "1h0m0s")
                    .at("/spec/expressions/B/relativeTimeRange/from", "1h0m0s"),
            ]
        }),
    ]
}

/// Lists, and what is in none.
fn lists() -> Vec<Contract> {
    vec![
        RULES.contract("a list of rules", "comes in pages", read::RULE_STORAGE, |at| {
            [
                folder("f"),
                post(
                    at.of(KIND),
                    with(rule("f", "a"), json!({"metadata": {"name": "<a>"}})),
                ),
                post(
                    at.of(KIND),
                    with(rule("f", "b"), json!({"metadata": {"name": "<b>"}})),
                ),
                get(format!("{}?limit=1", at.of(KIND)))
                    .is(200)
                    .counts("/items/*", 1)
                    .lacks("/metadata/resourceVersion")
                    .keep("/metadata/continue", "next"),
                get(format!("{}?limit=1&continue=<next>", at.of(KIND)))
                    .is(200)
                    .counts("/items/*", 1)
                    .lacks("/metadata/continue"),
            ]
        }),
        RULES.contract(
            "a list of rules of one folder",
            "is chosen by the label",
            [
                read::RULE_TESTS,
                Code("pkg/registry/apps/alerting/rules/common/selectors.go"),
            ],
            |at| {
                [
                    folder("f"),
                    folder("g"),
                    post(at.of(KIND), rule("f", "a")),
                    post(at.of(KIND), rule("g", "b")),
                    get(format!("{}?labelSelector=grafana.app/folder%3D<f>", at.of(KIND)))
                        .lists("/items/*/spec/title", ["<a>"]),
                    get(format!("{}?labelSelector=grafana.app/folder!%3D<f>", at.of(KIND)))
                        .lists("/items/*/spec/title", ["<b>"]),
                    get(format!(
                        "{}?labelSelector=grafana.app/folder%20in%20(<f>,<g>)",
                        at.of(KIND)
                    ))
                    .counts("/items/*", 2),
                ]
            },
        ),
        RULES.contract(
            "a list of rules by a field",
            "is chosen by title, pause or panel, and by no other",
            [read::RULE_TESTS, Code("apps/alerting/rules/kinds/alertRule.cue")],
            |at| {
                [
                    folder("f"),
                    post(
                        at.of(KIND),
                        with(rule("f", "a"), json!({"spec": {"paused": true}})),
                    )
                    .is(201)
                    .at("/spec/paused", true),
                    post(
                        at.of(KIND),
                        with(
                            rule("f", "b"),
                            json!({"spec": {"panelRef": {"dashboardUID": "d", "panelID": 3}}}),
                        ),
                    ),
                    get(format!("{}?fieldSelector=spec.title%3D<a>", at.of(KIND)))
                        .lists("/items/*/spec/title", ["<a>"]),
                    get(format!("{}?fieldSelector=spec.paused%3Dtrue", at.of(KIND)))
                        .lists("/items/*/spec/title", ["<a>"]),
                    get(format!("{}?fieldSelector=spec.paused%3Dfalse", at.of(KIND)))
                        .lists("/items/*/spec/title", ["<b>"]),
                    get(format!("{}?fieldSelector=spec.panelRef.panelID%3D3", at.of(KIND)))
                        .lists("/items/*/spec/title", ["<b>"]),
                    get(format!("{}?fieldSelector=spec.labels%3Dx", at.of(KIND))).refused(400, "BadRequest"),
                ]
            },
        ),
        RULES.contract(
            "a GET of a rule that isn't there",
            "is not found",
            read::RULE_STORAGE,
            |at| {
                [
                    get(at.one(KIND, "nothing"))
                        .refused(404, "NotFound")
                        .at("/details/kind", KIND)
                        .lacks("/details/uid"),
                    delete(at.one(KIND, "nothing")).refused(404, "NotFound"),
                ]
            },
        ),
        contract("the status of a rule")
            .absent(before("13.2.0"))
            .case(
                since("13.2.0"),
                "comes after its evaluation",
                Documentation("documentation of 13.3"),
                [
                    folder("f"),
                    post(
                        format!("/apis/{}/v0alpha1/namespaces/<space>/alertrules", RULES.name),
                        with(rule("f", "r"), json!({"spec": {"trigger": {"interval": "10s"}}})),
                    )
                    .is(201)
                    .keep("/metadata/name", "name"),
                    get(format!(
                        "/apis/{}/v0alpha1/namespaces/<space>/alertrules/<name>",
                        RULES.name
                    ))
                    .at("/status/health", "OK")
                    .there("/status/lastEvaluationTime")
                    .eventually(),
                ],
            )
            .setting("double.status_interval=100ms")
            .quick(),
        contract("an alert rule where the group is only there by a toggle")
            .setting("feature_toggles.enable=kubernetesAlertingRules")
            .absent(before("12.4.0"))
            .case(
                since("12.4.0"),
                "is kept",
                Code("pkg/registry/apps/alerting/rules/register_test.go"),
                [
                    folder("f"),
                    post(
                        format!("/apis/{}/v0alpha1/namespaces/<space>/alertrules", RULES.name),
                        rule("f", "r"),
                    )
                    .is(201)
                    .at("/spec/title", "<r>"),
                ],
            ),
    ]
}
