//! Contact points, each as one object.

use serde_json::json;

use super::{
    CURRENT, NOTIFICATIONS, Refusal, delete_version, json_patch, note, object, read, receiver, update,
    webhook, with,
};
use crate::harness::{
    call::{delete, get, post},
    contract::{Contract, Source::Documentation, contract},
    version::{before, between, since},
};

const KIND: &str = "receivers";

pub fn contracts() -> Vec<Contract> {
    vec![
        NOTIFICATIONS.contract("a POST of a receiver", "gives it a name and its integration a uid", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(receiver("r")))
                    .is(201)
                    .at("/spec/title", "<r>")
                    .at("/spec/integrations/0/type", "webhook")
                    .at("/spec/integrations/0/version", "v1")
                    .at("/spec/integrations/0/disableResolveMessage", false)
                    .there("/spec/integrations/0/uid")
                    .keep("/metadata/name", "name"),
                get(at.one(KIND, "<name>")).is(200).at("/spec/title", "<r>"),
            ]
        }),
        contract("the default receiver")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "12.4.0"), "is an e-mail, and its name the base64 of its title", read::CONVERSIONS, [
                get(super::ALPHA.one(KIND, "Z3JhZmFuYS1kZWZhdWx0LWVtYWls"))
                    .is(200)
                    .at("/spec/title", "grafana-default-email")
                    .at("/spec/integrations/0/type", "email"),
            ])
            .case(since("12.4.0"), "is empty, and its name the base64 of its title", [read::RECEIVERS, Documentation("pull request #116368")], [
                get(super::ALPHA.one(KIND, "ZW1wdHk")).is(200).at("/spec/title", "empty").counts("/spec/integrations/*", 0),
            ]),
        NOTIFICATIONS.contract("a POST of a receiver with a name", "is a bad request", read::RECEIVERS, |at| {
            [post(at.of(KIND), with(object(receiver("r")), json!({"metadata": {"name": "own"}}))).refused(400, "BadRequest").says("metadata.name should be empty")]
        }),
        NOTIFICATIONS.contract("a POST of a receiver with a title that is taken", "is a conflict", [read::RECEIVERS, read::ERRORS], |at| {
            [
                post(at.of(KIND), object(receiver("r"))).is(201),
                post(at.of(KIND), object(receiver("r"))).refused(409, "Conflict").detail("alerting.notifications.receivers.exists"),
            ]
        }),
        NOTIFICATIONS.contract("a receiver without integrations", "is kept", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(json!({"title": "<r>", "integrations": []}))).is(201).keep("/metadata/name", "name"),
                get(at.one(KIND, "<name>")).is(200).counts("/spec/integrations/*", 0),
                delete(at.one(KIND, "<name>")).is(200),
                get(at.one(KIND, "<name>")).is(404),
            ]
        }),
        NOTIFICATIONS.contract("a GET of a receiver that isn't there", "is not found", [read::RECEIVERS, read::ERRORS], |at| {
            [get(at.one(KIND, "Notfound")).refused(404, "NotFound").detail("alerting.notifications.receivers.notFound")]
        }),
        NOTIFICATIONS.contract("a receiver of a type that there isn't", "is invalid", read::CONVERSIONS, |at| {
            [post(at.of(KIND), object(json!({"title": "<r>", "integrations": [{"type": "pigeon", "version": "v1", "settings": {}}]})))
                .refused(400, "BadRequest")
                .detail("alerting.notifications.receivers.invalid")]
        }),
        NOTIFICATIONS.contract("a receiver without a setting that its type needs", "is invalid", read::RECEIVERS, |at| {
            [post(at.of(KIND), object(json!({"title": "<r>", "integrations": [{"type": "webhook", "version": "v1", "settings": {}}]})))
                .refused(400, "BadRequest")
                .detail("alerting.notifications.receivers.invalid")]
        }),
        NOTIFICATIONS.contract("a receiver of a version of its type that there isn't", "is invalid", read::CONVERSIONS, |at| {
            [post(at.of(KIND), object(json!({"title": "<r>", "integrations": [with(webhook(json!({})), json!({"version": "v99"}))]})))
                .refused(400, "BadRequest")
                .detail("alerting.notifications.receivers.invalid")]
        }),
        NOTIFICATIONS.contract("a PUT of a receiver for another version", "is a conflict", [read::RECEIVERS, read::ERRORS], |at| {
            [
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name"),
                update(at.one(KIND, "<name>"), "<name>", "test", object(receiver("r")))
                    .refused(409, "Conflict")
                    .detail("alerting.notifications.receivers.conflict"),
            ]
        }),
        NOTIFICATIONS.contract("a PUT of a receiver for no version", "is a conflict", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name"),
                update(at.one(KIND, "<name>"), "<name>", "", object(receiver("r"))).refused(409, "Conflict"),
            ]
        }),
        NOTIFICATIONS.contract("the version of a receiver", "changes with its content", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name").keep("/metadata/resourceVersion", "was"),
                json_patch(at.one(KIND, "<name>"), json!([{"op": "add", "path": "/spec/integrations/0/settings/title", "value": "x"}])).is(200),
                delete_version(at.one(KIND, "<name>"), "<was>").refused(409, "Conflict").detail("alerting.notifications.receivers.conflict"),
                get(at.one(KIND, "<name>")).keep("/metadata/resourceVersion", "is"),
                delete_version(at.one(KIND, "<name>"), "<is>").is(200),
            ]
        }),
        NOTIFICATIONS.contract("a PUT of a receiver as it was read", "leaves its version", read::CONVERSIONS, |at| {
            [
                post(at.of(KIND), object(receiver("r")))
                    .keep("/metadata/name", "name")
                    .keep("/metadata/resourceVersion", "was")
                    .keep("/spec/integrations/0/uid", "uid"),
                update(
                    at.one(KIND, "<name>"),
                    "<name>",
                    "<was>",
                    object(json!({"title": "<r>", "integrations": [with(webhook(json!({})), json!({"uid": "<uid>"}))]})),
                )
                .is(200)
                .at("/metadata/resourceVersion", "<was>"),
            ]
        }),
        NOTIFICATIONS.contract("a PUT of a receiver with another title", "renames it, and the object has another name", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name").keep("/metadata/resourceVersion", "version"),
                update(at.one(KIND, "<name>"), "<name>", "<version>", object(receiver("s"))).is(200).at("/spec/title", "<s>").keep("/metadata/name", "new"),
                get(at.one(KIND, "<name>")).is(404),
                get(at.one(KIND, "<new>")).is(200).at("/spec/title", "<s>"),
            ]
        }),
        NOTIFICATIONS.contract("a PUT of a receiver with a title that is taken", "is a conflict", read::ERRORS, |at| {
            [
                post(at.of(KIND), object(receiver("other"))).is(201),
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name").keep("/metadata/resourceVersion", "version"),
                update(at.one(KIND, "<name>"), "<name>", "<version>", object(receiver("other")))
                    .refused(409, "Conflict")
                    .detail("alerting.notifications.receivers.exists"),
            ]
        }),
        NOTIFICATIONS.contract("what a receiver says of its use", "is how many policies and rules name it", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(receiver("r"))).is(201).lacks(&note("grafana.com/inUse/rules")).keep("/metadata/name", "name"),
                get(at.one(KIND, "<name>"))
                    .at(&note("grafana.com/inUse/routes"), "0")
                    .at(&note("grafana.com/inUse/rules"), "0"),
            ]
        }),
        CURRENT.contract("what a receiver says of the use that it may be of", "is that it may be used", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name"),
                get(at.one(KIND, "<name>")).at(&note("grafana.com/canUse"), "true"),
            ]
        }),
    ]
}
