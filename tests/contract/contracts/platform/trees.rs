//! Routing trees: the notification policies, and those besides them.

use serde_json::{Value, json};

use super::{
    ALPHA, At, BETA, CURRENT, Group, NOTIFICATIONS, Refusal, delete_version, named, note, object, read,
    receiver, with,
};
use crate::harness::{
    call::{Call, delete, get, post, put},
    contract::{
        Contract,
        Source::{Code, Documentation, Unconfirmed},
        contract,
    },
    version::{before, between, since},
};

const KIND: &str = "routingtrees";
const TREE: &str = "/api/v1/provisioning/policies";
const OWN: &str = "user-defined";

/// Trees that may be named, by default.
const NAMED: Group = Group {
    name: NOTIFICATIONS.name,
    served: &[("13.2.0", None, "v1beta1")],
};

fn tree() -> Value {
    json!({"defaults": {"receiver": "<r>"}, "routes": [
        {"continue": true, "receiver": "<r>", "matchers": [{"type": "=~", "label": "a", "value": "b|c"}], "group_wait": "1m", "routes": [{"continue": false}]},
    ]})
}

fn point(at: &At) -> Call {
    post(at.of("receivers"), object(receiver("r"))).is(201)
}

/// Reads the default tree, and keeps its version.
fn version(at: &At) -> Call {
    get(at.one(KIND, OWN))
        .is(200)
        .keep("/metadata/resourceVersion", "version")
}

fn change(at: &At, version: &str) -> Call {
    put(
        at.one(KIND, OWN),
        with(
            named(OWN, tree()),
            json!({"metadata": {"resourceVersion": version}}),
        ),
    )
}

pub fn contracts() -> Vec<Contract> {
    let storage = Code("pkg/registry/apps/alerting/notifications/routingtree/legacy_storage.go");
    let conversions = Code("pkg/registry/apps/alerting/notifications/routingtree/conversions.go");
    let tests = Code("pkg/tests/apis/alerting/notifications/routingtree/routing_tree_test.go");
    let names = Code("pkg/services/ngalert/notifier/legacy_storage/routes.go, validateManagedRouteName");
    vec![
        NOTIFICATIONS.contract("the trees", "have that of the organisation", tests, |at| {
            [get(at.of(KIND)).is(200).there(&format!("/items/metadata.name={OWN}")), get(at.one(KIND, OWN)).there("/spec/defaults/receiver")]
        }),
        NOTIFICATIONS.contract("a PUT of the tree for the stored version", "is what both doors show", [tests, conversions], |at| {
            [
                point(at),
                version(at),
                change(at, "<version>").is(200).at("/spec/routes/0/continue", true).at("/spec/routes/0/group_wait", "1m"),
                get(TREE)
                    .at("/receiver", "<r>")
                    .at("/routes/0/object_matchers", json!([["a", "=~", "b|c"]]))
                    .at("/routes/0/continue", true)
                    .at("/routes/0/group_wait", "1m"),
            ]
        }),
        NOTIFICATIONS.contract("a policy tree that the older address has put", "is the tree", conversions, |at| {
            [
                point(at),
                put(
                    TREE,
                    json!({"receiver": "<r>", "group_by": ["alertname"], "routes": [{"receiver": "<r>", "object_matchers": [["a", "!=", "b"]], "repeat_interval": "2h"}]}),
                )
                .is(202),
                get(at.one(KIND, OWN))
                    .at("/spec/defaults/receiver", "<r>")
                    .lists("/spec/defaults/group_by/*", ["alertname"])
                    .at("/spec/routes/0/matchers", json!([{"type": "!=", "label": "a", "value": "b"}]))
                    .at("/spec/routes/0/continue", false)
                    .at("/spec/routes/0/repeat_interval", "2h")
                    .at(&note("grafana.com/provenance"), "api"),
            ]
        }),
        NOTIFICATIONS.contract("a PUT of the tree for another version", "is a conflict", [tests, read::ERRORS], |at| {
            [point(at), change(at, "test").refused(409, "Conflict").detail("alerting.notifications.routes.conflict")]
        }),
        contract("a PUT of the tree for no version")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "13.0.0"), "is accepted", tests, [point(&ALPHA), change(&ALPHA, "").is(200)])
            .case(
                since("13.0.0"),
                "is a conflict",
                [read::TREES, Unconfirmed("the release")],
                [point(&BETA), change(&BETA, "").refused(409, "Conflict").detail("alerting.notifications.routes.conflict")],
            ),
        NOTIFICATIONS.contract("a tree that names a receiver that there isn't", "is invalid", read::ERRORS, |at| {
            [
                version(at),
                change(at, "<version>").refused(400, "BadRequest").detail("alerting.notifications.routes.invalidFormat").says("<r>"),
            ]
        }),
        NOTIFICATIONS.contract("a matcher of a type that there isn't", "is refused without an id", [conversions, Unconfirmed("that a plain error becomes 500")], |at| {
            [
                point(at),
                version(at),
                put(
                    at.one(KIND, OWN),
                    with(
                        named(OWN, json!({"defaults": {"receiver": "<r>"}, "routes": [{"continue": false, "matchers": [{"type": "~", "label": "a", "value": "b"}]}]})),
                        json!({"metadata": {"resourceVersion": "<version>"}}),
                    ),
                )
                .either([400, 422, 500])
                .lacks("/details/uid"),
            ]
        }),
        NOTIFICATIONS.contract("a DELETE of the tree", "resets it", read::TREES, |at| {
            [
                point(at),
                version(at).keep("/spec/defaults/receiver", "default"),
                change(at, "<version>").is(200),
                delete(at.one(KIND, OWN)).is(200),
                get(TREE).at("/receiver", "<default>").lacks("/provenance"),
            ]
        }),
        NOTIFICATIONS.contract("a DELETE of the tree for another version", "is a conflict", storage, |at| {
            [
                delete_version(at.one(KIND, OWN), "test").refused(409, "Conflict"),
                version(at),
                delete_version(at.one(KIND, OWN), "<version>").is(200),
            ]
        }),
        contract("a PUT of the provisioned tree without its provenance")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "13.0.0"), "is forbidden", tests, [
                point(&ALPHA),
                put(TREE, json!({"receiver": "<r>"})).is(202),
                version(&ALPHA),
                change(&ALPHA, "<version>").refused(403, "Forbidden").detail("alerting.notifications.invalidProvenance"),
                delete(ALPHA.one(KIND, OWN)).refused(403, "Forbidden"),
                delete(TREE).is(202),
            ])
            .unknown(since("13.0.0")),
        CURRENT.contract("the provenance of a tree", "is the one that it is sent with", storage, |at| {
            [
                point(at),
                version(at),
                put(
                    at.one(KIND, OWN),
                    with(named(OWN, tree()), json!({"metadata": {"resourceVersion": "<version>", "annotations": {"grafana.com/provenance": "api"}}})),
                )
                .is(200)
                .at(&note("grafana.com/provenance"), "api"),
                get(TREE).at("/provenance", "api"),
            ]
        }),
        contract("another tree than that of the organisation")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "13.2.0"), "is not found", read::TREES, [
                get(ALPHA.one(KIND, "<t>")).refused(404, "NotFound"),
                put(ALPHA.one(KIND, "<t>"), named("<t>", tree())).refused(404, "NotFound"),
                delete(ALPHA.one(KIND, "<t>")).refused(404, "NotFound"),
            ])
            .case(since("13.2.0"), "is not found before it is made", [read::TREES, read::ERRORS], [
                get(BETA.one(KIND, "<t>")).refused(404, "NotFound").detail("alerting.notifications.routes.notFound"),
            ]),
        contract("a POST of a tree")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "12.4.0"), "is refused", tests, [
                post(ALPHA.of(KIND), named("<t>", tree())).refused(405, "MethodNotAllowed"),
            ])
            .case(between("12.4.0", "13.2.0"), "is not implemented without a toggle", [read::TREES, Documentation("experimental in 12.4")], [
                point(&ALPHA),
                post(ALPHA.of(KIND), named("<t>", tree())).is(501).at("/kind", "Status").detail("alerting.notifications.routes.multipleNotSupported"),
            ])
            .case(since("13.2.0"), "makes one", Documentation("pull request #126160"), [
                point(&BETA),
                post(BETA.of(KIND), named("<t>", tree())).is(201).at("/metadata/name", "<t>"),
                get(BETA.of(KIND)).there("/items/metadata.name=<t>"),
            ]),
        contract("a POST of a tree with the toggle")
            .setting("feature_toggles.enable=alertingMultiplePolicies")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "12.4.0"), "is refused", tests, [
                post(ALPHA.of(KIND), named("<t>", tree())).refused(405, "MethodNotAllowed"),
            ])
            .case(since("12.4.0"), "makes one", [read::TREES, Documentation("experimental in 12.4")], [
                point(&ALPHA),
                post(ALPHA.of(KIND), named("<t>", tree())).is(201).at("/metadata/name", "<t>"),
            ]),
        NAMED.contract("a tree with a name that is taken", "is a conflict", read::ERRORS, |at| {
            [
                point(at),
                post(at.of(KIND), named("<t>", tree())).is(201),
                post(at.of(KIND), named("<t>", tree())).refused(409, "Conflict").detail("alerting.notifications.routes.exists"),
            ]
        }),
        NAMED.contract("a tree with a name that is none", "is refused, and so is one of the default tree's", names, |at| {
            [
                point(at),
                post(at.of(KIND), named("Batch", tree())).refused(400, "BadRequest").detail("alerting.notifications.routes.invalidFormat"),
                post(at.of(KIND), named("a:b", tree())).refused(400, "BadRequest").detail("alerting.notifications.routes.invalidFormat"),
                post(at.of(KIND), named(&"a".repeat(41), tree())).refused(400, "BadRequest").detail("alerting.notifications.routes.invalidFormat"),
                post(at.of(KIND), named("default", tree())).refused(409, "Conflict").detail("alerting.notifications.routes.exists"),
                post(at.of(KIND), named(OWN, tree())).refused(409, "Conflict").detail("alerting.notifications.routes.exists"),
            ]
        }),
        NAMED.contract("a named tree", "is nothing to the older address", Documentation("documentation of 13.3"), |at| {
            [
                point(at),
                get(TREE).keep("/receiver", "default"),
                post(at.of(KIND), named("<t>", tree())).is(201),
                get(TREE).at("/receiver", "<default>"),
                delete(TREE).is(202),
                get(at.one(KIND, "<t>")).is(200),
                delete(at.one(KIND, "<t>")).is(200),
                get(at.one(KIND, "<t>")).is(404),
            ]
        }),
        NAMED.contract("a PUT of a named tree", "must name the stored version", read::TREES, |at| {
            [
                point(at),
                post(at.of(KIND), named("<t>", tree())).keep("/metadata/resourceVersion", "version"),
                put(at.one(KIND, "<t>"), named("<t>", json!({"defaults": {"receiver": "<r>"}, "routes": []}))).refused(409, "Conflict"),
                put(
                    at.one(KIND, "<t>"),
                    with(named("<t>", json!({"defaults": {"receiver": "<r>"}, "routes": []})), json!({"metadata": {"resourceVersion": "<version>"}})),
                )
                .is(200)
                .counts("/spec/routes/*", 0),
            ]
        }),
        NAMED.contract("a DELETE of a receiver that a named tree sends to", "is a conflict", read::ERRORS, |at| {
            [
                point(at).keep("/metadata/name", "name"),
                post(at.of(KIND), named("<t>", tree())).is(201),
                delete(at.one("receivers", "<name>")).refused(409, "Conflict").detail("alerting.notifications.receivers.used"),
            ]
        }),
    ]
}
