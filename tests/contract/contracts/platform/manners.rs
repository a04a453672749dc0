//! What Kubernetes' own API server does with every kind, tried with time intervals.

use serde_json::json;

use super::{
    NOTIFICATIONS, Refusal, delete_version, json_patch, merge_patch, named, object, read, update, with,
};
use crate::harness::{
    call::{delete, get, post, put},
    contract::{
        Contract,
        Source::{Code, Unconfirmed},
    },
};

const KIND: &str = "timeintervals";

fn interval() -> serde_json::Value {
    json!({"name": "<i>", "time_intervals": [{"weekdays": ["saturday"]}]})
}

pub fn contracts() -> Vec<Contract> {
    vec![
        NOTIFICATIONS.contract("a POST of an object", "answers 201 and what the server has added", read::INTERVALS, |at| {
            [post(at.of(KIND), object(interval()))
                .is(201)
                .at("/kind", "TimeInterval")
                .at("/apiVersion", format!("{}/{}", at.group, at.version))
                .at("/metadata/namespace", "<space>")
                .there("/metadata/name")
                .there("/metadata/uid")
                .there("/metadata/resourceVersion")]
        }),
        NOTIFICATIONS.contract("a POST of another version of the group", "is a bad request", read::SERVER, |at| {
            [post(at.of(KIND), with(object(interval()), json!({"apiVersion": "other/v1"}))).refused(400, "BadRequest")]
        }),
        NOTIFICATIONS.contract("a POST of another namespace", "is a bad request", read::SERVER, |at| {
            [post(at.of(KIND), with(object(interval()), json!({"metadata": {"namespace": "org-9999"}}))).refused(400, "BadRequest")]
        }),
        NOTIFICATIONS.contract("a body that isn't JSON", "is a bad request", read::SERVER, |at| {
            [post(at.of(KIND), json!({})).text("no").refused(400, "BadRequest")]
        }),
        NOTIFICATIONS.contract("a GET of an object that isn't there", "is a Status with the kind and the name", read::INTERVALS, |at| {
            [get(at.one(KIND, "Nothing"))
                .refused(404, "NotFound")
                .at("/apiVersion", "v1")
                .at("/details/name", "Nothing")
                .at("/details/group", at.group)
                .at("/details/kind", KIND)]
        }),
        NOTIFICATIONS.contract("a PUT of an object that isn't there", "makes none", read::INTERVALS, |at| {
            [
                put(at.one(KIND, "Nothing"), named("Nothing", interval())).refused(404, "NotFound"),
                get(at.one(KIND, "Nothing")).is(404),
            ]
        }),
        NOTIFICATIONS.contract("a PUT of an object without its name or with another one", "is a bad request", read::SERVER, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name"),
                put(at.one(KIND, "<name>"), object(interval())).refused(400, "BadRequest"),
                put(at.one(KIND, "<name>"), named("other", interval())).refused(400, "BadRequest"),
            ]
        }),
        NOTIFICATIONS.contract("a merge patch", "changes what it names", read::SERVER, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name").keep("/metadata/resourceVersion", "was"),
                merge_patch(at.one(KIND, "<name>"), json!({"spec": {"time_intervals": [{"weekdays": ["sunday"]}]}}))
                    .is(200)
                    .at("/spec/name", "<i>")
                    .lists("/spec/time_intervals/0/weekdays/*", ["sunday"]),
                delete_version(at.one(KIND, "<name>"), "<was>").refused(409, "Conflict"),
            ]
        }),
        NOTIFICATIONS.contract("a JSON patch", "changes what it names", read::TEMPLATES, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name"),
                json_patch(
                    at.one(KIND, "<name>"),
                    json!([{"op": "replace", "path": "/spec/time_intervals/0/weekdays", "value": ["sunday"]}]),
                )
                .is(200)
                .lists("/spec/time_intervals/0/weekdays/*", ["sunday"]),
            ]
        }),
        NOTIFICATIONS.contract("a JSON patch of what isn't there", "can't be processed", read::SERVER, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name"),
                json_patch(at.one(KIND, "<name>"), json!([{"op": "remove", "path": "/spec/nothing"}])).refused(422, "Invalid"),
                get(at.one(KIND, "<name>")).is(200),
            ]
        }),
        NOTIFICATIONS.contract("a patch that can't be read", "is a bad request", read::SERVER, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name"),
                json_patch(at.one(KIND, "<name>"), json!({"op": "none"})).refused(400, "BadRequest"),
            ]
        }),
        NOTIFICATIONS.contract("a patch of a kind that isn't known", "is refused", read::SERVER, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name"),
                crate::harness::call::patch(at.one(KIND, "<name>"), json!({})).with("Content-Type", "application/json").refused(415, "UnsupportedMediaType"),
            ]
        }),
        NOTIFICATIONS.contract("a DELETE of an object", "answers with the object as it was", read::SERVER, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name"),
                delete(at.one(KIND, "<name>")).is(200).at("/kind", "TimeInterval").at("/spec/name", "<i>"),
                get(at.one(KIND, "<name>")).is(404),
                delete(at.one(KIND, "<name>")).refused(404, "NotFound"),
            ]
        }),
        NOTIFICATIONS.contract("a DELETE of another version", "is a conflict", read::INTERVALS, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name").keep("/metadata/resourceVersion", "version"),
                delete_version(at.one(KIND, "<name>"), "something").refused(409, "Conflict"),
                delete_version(at.one(KIND, "<name>"), "<version>").is(200),
            ]
        }),
        NOTIFICATIONS.contract("a selector by a field that there isn't", "is a bad request", read::SERVER, |at| {
            [get(format!("{}?fieldSelector=spec.nothing%3Dx", at.of(KIND))).refused(400, "BadRequest")]
        }),
        NOTIFICATIONS.contract("a selector that can't be read", "is a bad request", read::SERVER, |at| {
            [get(format!("{}?labelSelector=a%20in%20(", at.of(KIND))).refused(400, "BadRequest")]
        }),
        NOTIFICATIONS.contract("a selector by the name", "finds the one", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(interval())).keep("/metadata/name", "name"),
                get(format!("{}?fieldSelector=metadata.name%3D<name>", at.of(KIND))).lists("/items/*/spec/name", ["<i>"]),
                get(format!("{}?fieldSelector=metadata.name%3Dnothing", at.of(KIND))).counts("/items/*", 0),
            ]
        }),
        NOTIFICATIONS.contract("a list", "is of the kind, comes whole whatever limit is asked, and has no version", Code("timeinterval/legacy_storage.go, List"), |at| {
            [
                post(at.of(KIND), object(interval())),
                post(at.of(KIND), object(with(interval(), json!({"name": "<other>"})))),
                get(format!("{}?limit=1", at.of(KIND)))
                    .is(200)
                    .at("/kind", "TimeIntervalList")
                    .lacks("/metadata/continue")
                    .lacks("/metadata/resourceVersion")
                    .counts("/items/*", 2),
            ]
        }),
        NOTIFICATIONS.contract(
            "a dry run",
            "writes all the same",
            Unconfirmed("the storages don't look at the options of a write, and have a note that dry runs are still to be supported"),
            |at| {
                [
                    post(format!("{}?dryRun=All", at.of(KIND)), object(interval())).is(201).keep("/metadata/name", "name"),
                    get(at.one(KIND, "<name>")).is(200),
                ]
            },
        ),
        NOTIFICATIONS.contract("fields that there aren't", "are let go", read::SERVER, |at| {
            [
                post(at.of(KIND), object(with(interval(), json!({"nothing": 1})))).is(201).lacks("/spec/nothing").keep("/metadata/name", "name").keep("/metadata/resourceVersion", "version"),
                update(at.one(KIND, "<name>"), "<name>", "<version>", with(object(interval()), json!({"other": 1}))).is(200),
            ]
        }),
    ]
}
