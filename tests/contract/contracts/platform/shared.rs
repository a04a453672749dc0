//! Notifications that one door writes and the other reads: `/apis` and the older addresses.

use serde_json::json;

use super::{CURRENT, NOTIFICATIONS, Refusal, note, object, read, receiver, update, webhook, with};
use crate::{
    fixtures::{self, POINTS, but, folder, point, stored},
    harness::{
        call::{Call, delete, get, post, put},
        contract::{Contract, Source::Code, contract},
        version::{before, between, since},
    },
};

const NOTE: &str = "grafana.com/provenance";
const TREE: &str = "/api/v1/provisioning/policies";
const TIMINGS: &str = "/api/v1/provisioning/mute-timings";
const TEMPLATES: &str = "/api/v1/provisioning/templates";

pub fn contracts() -> Vec<Contract> {
    let mut all = receivers();
    all.extend(others());
    all
}

fn receivers() -> Vec<Contract> {
    let kind = "receivers";
    vec![
        NOTIFICATIONS.contract("contact points of one name", "are one receiver with an integration each", read::CONVERSIONS, |at| {
            [
                post(POINTS, point("r")).is(202),
                post(POINTS, but(point("r"), json!({"uid": "<s>"}))).is(202),
                get(at.of(kind)).counts("/items/spec.title=<r>", 1).lists("/items/spec.title=<r>/spec/integrations/*/uid", ["<r>", "<s>"]),
            ]
        }),
        NOTIFICATIONS.contract("a receiver of several integrations", "is a contact point for each, all of one name", read::CONVERSIONS, |at| {
            let two = json!({"title": "<r>", "integrations": [webhook(json!({})), webhook(json!({"httpMethod": "PUT"}))]});
            [
                post(at.of(kind), object(two)).is(201).keep("/spec/integrations/0/uid", "first").keep("/spec/integrations/1/uid", "second"),
                get(format!("{POINTS}?name=<r>")).counts("/*", 2).at("/uid=<first>/type", "webhook").at("/uid=<second>/settings/httpMethod", "PUT"),
            ]
        }),
        NOTIFICATIONS.contract("a receiver that a contact point was changed of", "has another version", read::CONVERSIONS, |at| {
            [
                post(POINTS, point("r")).is(202),
                get(at.of(kind)).keep("/items/spec.title=<r>/metadata/resourceVersion", "was").keep("/items/spec.title=<r>/metadata/name", "name"),
                put(format!("{POINTS}/<r>"), but(point("r"), json!({"settings": {"url": "http://127.0.0.1:8"}}))).is(202),
                get(at.one(kind, "<name>"))
                    .at("/spec/integrations/0/settings/url", "http://127.0.0.1:8")
                    .differs("/metadata/resourceVersion", "<was>"),
                update(at.one(kind, "<name>"), "<name>", "<was>", object(receiver("r"))).refused(409, "Conflict"),
            ]
        }),
        NOTIFICATIONS.contract("a receiver without a provenance", "is a contact point without one", read::CONVERSIONS, |at| {
            [post(at.of(kind), object(receiver("r"))).is(201), get(format!("{POINTS}?name=<r>")).counts("/*", 1).lacks("/0/provenance")]
        }),
        NOTIFICATIONS.contract("a receiver without integrations, at the older address", "is no contact point, yet a policy may name it", read::RECEIVERS, |at| {
            [
                post(at.of(kind), object(json!({"title": "<r>", "integrations": []}))).is(201),
                get(format!("{POINTS}?name=<r>")).is(200).counts("/*", 0),
                get(TREE).keep("/receiver", "default"),
                put(TREE, json!({"receiver": "<default>", "routes": [{"receiver": "<r>", "object_matchers": [["a", "=", "<a>"]]}]})).is(202),
            ]
        }),
        NOTIFICATIONS.contract("the last contact point of a name, removed at the older address", "removes the receiver", read::CONVERSIONS, |at| {
            [
                post(POINTS, point("r")).is(202),
                delete(format!("{POINTS}/<r>")).is(202),
                get(at.of(kind)).lacks("/items/spec.title=<r>"),
            ]
        }),
        CURRENT.contract("a receiver with a provenance, at the older address by a caller without one", "can't be changed", read::RECEIVERS, |at| {
            [
                post(at.of(kind), with(object(receiver("r")), json!({"metadata": {"annotations": {NOTE: "api"}}})))
                    .is(201)
                    .keep("/spec/integrations/0/uid", "uid"),
                put(format!("{POINTS}/<uid>"), but(point("r"), json!({"uid": null}))).unprovisioned().either([403, 409, 500]),
                get(format!("{POINTS}?name=<r>")).at("/0/provenance", "api"),
            ]
        }),
    ]
}

/// The same for the other kinds of notifications.
fn others() -> Vec<Contract> {
    let race = Code("pkg/services/ngalert/store/alertmanager.go; pull request #131069");
    let at_once = |status| -> [Call; 2] {
        [
            post(
                super::ALPHA.of("timeintervals"),
                object(json!({"name": "<i><n>", "time_intervals": [{"weekdays": ["sunday"]}]})),
            )
            .at_once(8)
            .either([201, status]),
            get(super::ALPHA.of("timeintervals")).is(200),
        ]
    };
    vec![
        NOTIFICATIONS.contract("policies that the older address has written", "are the tree user-defined", read::TREES, |at| {
            [
                get(TREE).keep("/receiver", "default"),
                get(at.one("routingtrees", "user-defined")).keep("/metadata/resourceVersion", "was"),
                put(TREE, json!({"receiver": "<default>", "routes": [{"receiver": "<default>", "object_matchers": [["a", "=", "<a>"]]}]})).is(202),
                get(at.one("routingtrees", "user-defined"))
                    .at("/spec/routes/0/matchers/0/value", "<a>")
                    .at(&note(NOTE), "api")
                    .differs("/metadata/resourceVersion", "<was>"),
            ]
        }),
        NOTIFICATIONS.contract("the tree user-defined, when /apis has written it", "is the policies of the older address", read::TREES, |at| {
            [
                get(at.one("routingtrees", "user-defined")).keep("/metadata/resourceVersion", "version").keep("/spec/defaults/receiver", "default"),
                update(
                    at.one("routingtrees", "user-defined"),
                    "user-defined",
                    "<version>",
                    object(json!({
                        "defaults": {"receiver": "<default>"},
                        "routes": [{"receiver": "<default>", "matchers": [{"type": "=", "label": "a", "value": "<a>"}], "continue": false}],
                    })),
                )
                .is(200),
                get(TREE).at("/routes/0/object_matchers/0/2", "<a>").lacks("/provenance"),
            ]
        }),
        NOTIFICATIONS.contract("matchers of older forms, which the older address has written", "are matchers of the tree", Code("pkg/registry/apps/alerting/notifications/routingtree/conversions.go, convertRouteToK8sSubRoute"), |at| {
            [
                get(TREE).keep("/receiver", "default"),
                put(
                    TREE,
                    json!({"receiver": "<default>", "routes": [
                        {"receiver": "<default>", "matchers": ["a=\"<a>\""]}, {"receiver": "<default>", "match": {"b": "<a>"}}, {"receiver": "<default>", "match_re": {"c": "d|e"}},
                    ]}),
                )
                .is(202),
                get(at.one("routingtrees", "user-defined"))
                    .at("/spec/routes/0/matchers", json!([{"type": "=", "label": "a", "value": "<a>"}]))
                    .at("/spec/routes/1/matchers", json!([{"type": "=", "label": "b", "value": "<a>"}]))
                    .at("/spec/routes/2/matchers", json!([{"type": "=~", "label": "c", "value": "d|e"}])),
            ]
        }),
        NOTIFICATIONS.contract(
            "a matcher with quotes at the ends of its value, of the tree user-defined",
            "loses one at each end, whichever door reads it",
            Code("pkg/services/ngalert/api/tooling/definitions/alertmanager.go, ObjectMatchers.UnmarshalJSON; notifier/legacy_storage/v1/compat.go, ToModel"),
            |at| {
                [
                    get(at.one("routingtrees", "user-defined")).keep("/metadata/resourceVersion", "version").keep("/spec/defaults/receiver", "default"),
                    update(
                        at.one("routingtrees", "user-defined"),
                        "user-defined",
                        "<version>",
                        object(json!({
                            "defaults": {"receiver": "<default>"},
                            "routes": [{"receiver": "<default>", "matchers": [{"type": "=", "label": "a", "value": "\"\"b\""}], "continue": false}],
                        })),
                    )
                    .is(200),
                    get(at.one("routingtrees", "user-defined")).at("/spec/routes/0/matchers/0/value", "\"b"),
                    get(TREE).at("/routes/0/object_matchers/0/2", "\"b"),
                ]
            },
        ),
        NOTIFICATIONS.contract("a mute timing", "is a time interval with its provenance", read::INTERVALS, |at| {
            [
                post(TIMINGS, json!({"name": "<i>", "time_intervals": [{"weekdays": ["sunday"]}]})).is(201),
                get(at.of("timeintervals")).at(&format!("/items/spec.name=<i>{}", note(NOTE)), "api"),
            ]
        }),
        NOTIFICATIONS.contract("a group of templates", "is a template of the older address", read::TEMPLATES, |at| {
            [
                post(at.of("templategroups"), object(json!({"title": "<t>", "content": "{{ define \"<t>\" }}x{{ end }}", "kind": "grafana"}))).is(201),
                get(format!("{TEMPLATES}/<t>")).is(200).at("/template", "{{ define \"<t>\" }}x{{ end }}"),
            ]
        }),
        NOTIFICATIONS.contract("a mute timing that a tree of /apis uses", "can't be removed at the older address", read::INTERVALS, |at| {
            [
                post(TIMINGS, json!({"name": "<i>", "time_intervals": [{"weekdays": ["sunday"]}]})).is(201),
                get(at.one("routingtrees", "user-defined")).keep("/spec/defaults/receiver", "default").keep("/metadata/resourceVersion", "version"),
                update(
                    at.one("routingtrees", "user-defined"),
                    "user-defined",
                    "<version>",
                    object(json!({
                        "defaults": {"receiver": "<default>"},
                        "routes": [{"matchers": [{"type": "=", "label": "a", "value": "b"}], "continue": false, "mute_time_intervals": ["<i>"]}],
                    })),
                )
                .is(200),
                delete(format!("{TIMINGS}/<i>")).either([409, 500]),
            ]
        }),
        NOTIFICATIONS.contract("a rule that names a receiver", "keeps it from being removed below /apis", read::RECEIVERS, |at| {
            [
                folder("f"),
                post(at.of("receivers"), object(receiver("r"))).is(201).keep("/metadata/name", "name"),
                stored(but(fixtures::rule("f", "r"), json!({"notification_settings": {"receiver": "<r>"}}))),
                delete(at.one("receivers", "<name>")).refused(409, "Conflict"),
            ]
        }),
        contract("writes of notifications at once")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "13.3.0"), "may lose, with an internal error", race, at_once(500))
            .case(since("13.3.0"), "may lose, with a conflict", race, at_once(409)),
    ]
}
