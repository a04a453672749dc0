//! `/api/v1/provisioning/policies`: the one tree of an organisation.

use serde_json::Value;

use crate::{harness::call::Call, prelude::*};

const VALIDATION: Source = Code("definition/alertmanager_validation.go of grafana/alerting");
const SERVICE: Source = Code("pkg/services/ngalert/provisioning/notification_policies.go");
const API: Source = Code("pkg/services/ngalert/api/api_provisioning.go");
const PROVIDER: Source = Documentation("acceptance tests of terraform-provider-grafana");

fn tree(changes: Value) -> Value {
    but(json!({"receiver": "<p>", "group_by": ["alertname"]}), changes)
}

fn set(changes: Value) -> Call {
    put(POLICIES, tree(changes))
}

pub fn contracts() -> Vec<Contract> {
    let mut all = writes();
    all.extend(refusals());
    all.extend(provenance());
    all
}

fn given() -> [Call; 1] {
    [post(POINTS, point("p")).is(202)]
}

fn writes() -> Vec<Contract> {
    let new = || {
        get(POLICIES)
            .by(Caller::ServerAdmin)
            .with("X-Grafana-Org-Id", "<new>")
            .eventually()
            .is(200)
    };
    vec![
        contract("the tree of a new organisation")
            .given([post("/api/orgs", json!({"name": "<new>"})).by(Caller::ServerAdmin).is(200).keep("/orgId", "new")])
            .case(
                before("12.4.0"),
                "sends mail",
                [REAL, Documentation("pull request #116368")],
                [
                    new()
                        .at("/receiver", "grafana-default-email")
                        .at("/group_by", json!(["grafana_folder", "alertname"]))
                        .lacks("/provenance")
                        .lacks("/routes/*"),
                ],
            )
            .case(
                since("12.4.0"),
                "sends nothing",
                Documentation("pull request #116368"),
                [new().at("/receiver", "empty").lacks("/provenance").lacks("/routes/*")],
            ),
        contract("a tree that is put").given(given()).case(
            always(),
            "is accepted, and read back with its provenance",
            [REAL, API],
            [
                set(json!({"routes": [{"receiver": "<p>", "object_matchers": [["team", "=", "a"]], "continue": true, "group_wait": "45s"}]}))
                    .is(202)
                    .at("/message", "policies updated"),
                get(POLICIES)
                    .is(200)
                    .at("/provenance", "api")
                    .at("/receiver", "<p>")
                    .at("/routes/0/object_matchers", json!([["team", "=", "a"]]))
                    .at("/routes/0/continue", true)
                    .at("/routes/0/group_wait", "45s"),
            ],
        ),
        contract("a tree that is deleted").given(given()).case(
            always(),
            "becomes the default one",
            [REAL, SERVICE],
            [
                set(json!({})).is(202),
                delete(POLICIES).is(202).there("/receiver"),
                get(POLICIES).is(200).lacks("/provenance").lacks("/routes/*"),
                delete(format!("{POINTS}/<p>")).is(202),
            ],
        ),
        contract("routes of routes").given(given()).case(always(), "keep their order", VALIDATION, [
            set(json!({"routes": [
                {"receiver": "<p>", "object_matchers": [["a", "=", "1"]], "routes": [{"receiver": "<p>", "object_matchers": [["b", "!=", "2"]]}]},
                {"receiver": "<p>", "object_matchers": [["c", "=~", "3"]]},
            ]}))
            .is(202),
            get(POLICIES)
                .is(200)
                .at("/routes/0/routes/0/object_matchers", json!([["b", "!=", "2"]]))
                .at("/routes/1/object_matchers", json!([["c", "=~", "3"]])),
        ]),
        contract("a route without a receiver")
            .given(given())
            .case(before("10.1.0"), "is refused", REAL, [
                set(json!({"routes": [{"object_matchers": [["a", "=", "1"]]}]})).is(400).says("receiver '' does not exist"),
            ])
            .unknown(between("10.1.0", "11.0.0"))
            .case(since("11.0.0"), "takes its parent's", PROVIDER, [set(json!({"routes": [{"object_matchers": [["a", "=", "1"]]}]})).is(202)]),
        contract("a mute timing of a route").given([post(POINTS, point("p")).is(202), post(TIMINGS, timing("t")).is(201)]).case(
            always(),
            "is kept",
            SERVICE,
            [
                set(json!({"routes": [{"receiver": "<p>", "object_matchers": [["a", "=", "1"]], "mute_time_intervals": ["<t>"]}]})).is(202),
                get(POLICIES).is(200).at("/routes/0/mute_time_intervals", json!(["<t>"])),
            ],
        ),
        contract("an active interval of a route")
            .given([post(POINTS, point("p")).is(202), post(TIMINGS, timing("t")).is(201)])
            .case(before("11.2.0"), "isn't known and not kept", Documentation("OpenAPI of 2024-06-25"), [
                set(json!({"routes": [{"receiver": "<p>", "object_matchers": [["a", "=", "1"]], "active_time_intervals": ["<t>"]}]})).is(202),
                get(POLICIES).is(200).there("/routes/0").lacks("/routes/0/active_time_intervals"),
            ])
            .unknown(between("11.2.0", "11.3.0"))
            .case(since("11.3.0"), "is kept", Documentation("OpenAPI of 2024-08-26"), [
                set(json!({"routes": [{"receiver": "<p>", "object_matchers": [["a", "=", "1"]], "active_time_intervals": ["<t>"]}]})).is(202),
                get(POLICIES).is(200).at("/routes/0/active_time_intervals", json!(["<t>"])),
            ]),
        contract("the receiver `empty`")
            .unknown(before("12.4.0"))
            .case(since("12.4.0"), "may be named, though no list shows it", Documentation("pull request #116368"), [
                put(POLICIES, json!({"receiver": "empty"})).is(202),
                get(POINTS).is(200).lacks("/name=empty"),
            ]),
        contract("the route of a rule's own contact point")
            .given([
                folder("f"),
                post(POINTS, point("p")).is(202),
                stored(but(rule("f", "r"), json!({"notification_settings": {"receiver": "<p>"}}))),
            ])
            .unknown(before("11.0.0"))
            .case(since("11.0.0"), "isn't shown in the tree", SERVICE, [
                set(json!({})).is(202),
                get(POLICIES).is(200).lacks("/routes/*"),
            ]),
        contract("an answer about the tree")
            .case(before("13.1.0"), "has no header that calls it deprecated", Documentation("pull request #121995"), [
                get(POLICIES).is(200).no_header("X-API-Deprecation-Date"),
            ])
            .case(since("13.1.0"), "says in its headers that it is deprecated", Documentation("pull request #121995"), [
                get(POLICIES).is(200).header("X-API-Deprecation-Date", "2026-04-07"),
            ]),
    ]
}

fn refusals() -> Vec<Contract> {
    vec![
        contract("a tree that names a receiver that isn't there")
            .case(before("11.4.0"), "is refused", [REAL, PROVIDER], [
                set(json!({})).is(400).says("invalid object specification: receiver '<p>' does not exist"),
            ])
            .case(since("11.4.0"), "is refused in other words", PROVIDER, [
                set(json!({})).is(400).says("Invalid format of the submitted route: receiver '<p>' does not exist"),
            ]),
        contract("a tree that names a mute timing that isn't there").given(given()).case(always(), "is refused", [REAL, SERVICE], [
            set(json!({"routes": [{"receiver": "<p>", "object_matchers": [["a", "=", "1"]], "mute_time_intervals": ["<t>"]}]})).is(400).says("<t>"),
        ]),
        contract("a tree without a receiver").case(always(), "is refused", [REAL, VALIDATION], [
            put(POLICIES, json!({"group_by": ["alertname"]})).is(400),
        ]),
        contract("a root with matchers").given(given()).case(always(), "is refused", VALIDATION, [
            set(json!({"object_matchers": [["a", "=", "1"]]})).is(400),
        ]),
        contract("a root with mute timings").given([post(POINTS, point("p")).is(202), post(TIMINGS, timing("t")).is(201)]).case(
            always(),
            "is refused",
            VALIDATION,
            [set(json!({"mute_time_intervals": ["<t>"]})).is(400)],
        ),
        contract("a tree that groups by a label twice").given(given()).case(always(), "is refused", VALIDATION, [
            set(json!({"group_by": ["a", "a"]})).is(400),
        ]),
        contract("a tree that groups by everything and a label").given(given()).case(always(), "is refused", VALIDATION, [
            set(json!({"group_by": ["...", "a"]})).is(400),
        ]),
        contract("a tree whose groups are sent after no time").given(given()).case(always(), "is refused", VALIDATION, [
            set(json!({"group_interval": "0s"})).is(400),
            set(json!({"repeat_interval": "0s"})).is(400),
        ]),
        contract("a tree with something that is no duration").given(given()).case(always(), "is refused", [REAL, VALIDATION], [
            set(json!({"group_wait": "soon"})).is(400),
        ]),
        contract("a route with something that is no matcher").given(given()).case(always(), "is refused", [REAL, VALIDATION], [
            set(json!({"routes": [{"receiver": "<p>", "object_matchers": [["a", "?", "1"]]}]})).is(400),
            set(json!({"routes": [{"receiver": "<p>", "object_matchers": [["a", "=~", "("]]}]})).is(400),
        ]),
        contract("a tree of a Viewer").given(given()).case(always(), "is forbidden", Code("pkg/services/ngalert/api/authorization.go"), [
            set(json!({})).by(Caller::Viewer).is(403).at("/title", "Access denied"),
        ]),
    ]
}

fn provenance() -> Vec<Contract> {
    vec![
        contract("a tree that is put without provenance")
            .given(given())
            .case(
                always(),
                "has none",
                [REAL, SERVICE],
                [
                    set(json!({})).unprovisioned().is(202),
                    get(POLICIES).is(200).at("/receiver", "<p>").lacks("/provenance"),
                ],
            ),
        contract("a tree PUT that takes the provenance off")
            .given([post(POINTS, point("p")).is(202), set(json!({})).is(202)])
            .case(
                before("11.2.0"),
                "is accepted",
                [REAL, PROVIDER],
                [
                    set(json!({})).unprovisioned().is(202),
                    get(POLICIES).is(200).lacks("/provenance"),
                ],
            )
            .case(
                since("11.2.0"),
                "is forbidden",
                [PROVIDER, SERVICE],
                [
                    set(json!({}))
                        .unprovisioned()
                        .is(403)
                        .id("alerting.notifications.invalidProvenance"),
                    get(POLICIES).is(200).at("/provenance", "api"),
                ],
            ),
        contract("a tree PUT that puts the provenance on")
            .given([
                post(POINTS, point("p")).is(202),
                set(json!({})).unprovisioned().is(202),
            ])
            .case(
                always(),
                "is accepted",
                SERVICE,
                [
                    set(json!({})).is(202),
                    get(POLICIES).is(200).at("/provenance", "api"),
                ],
            ),
        contract("a tree that is deleted and put without provenance")
            .given([post(POINTS, point("p")).is(202), set(json!({})).is(202)])
            .case(
                always(),
                "has none",
                SERVICE,
                [
                    delete(POLICIES).is(202),
                    set(json!({})).unprovisioned().is(202),
                    get(POLICIES).is(200).at("/receiver", "<p>").lacks("/provenance"),
                ],
            ),
    ]
}
