//! Time intervals.

use serde_json::{Value, json};

use super::{ALPHA, At, BETA, CURRENT, NOTIFICATIONS, Refusal, note, object, read, update, with};
use crate::harness::{
    call::{Call, delete, get, post, put},
    contract::{
        Contract,
        Source::{Code, Unconfirmed},
        contract,
    },
    version::{before, between, since},
};

const KIND: &str = "timeintervals";
const TIMINGS: &str = "/api/v1/provisioning/mute-timings";
const TREE: &str = "/api/v1/provisioning/policies";

fn interval(name: &str) -> Value {
    json!({"name": format!("<{name}>"), "time_intervals": [{"times": [{"start_time": "08:00", "end_time": "09:00"}], "weekdays": ["monday:friday"], "location": "Europe/Berlin"}]})
}

fn made(at: &At) -> Call {
    post(at.of(KIND), object(interval("i")))
        .is(201)
        .keep("/metadata/name", "name")
        .keep("/metadata/resourceVersion", "version")
}

fn renamed(at: &At) -> Call {
    update(
        at.one(KIND, "<name>"),
        "<name>",
        "<version>",
        object(interval("j")),
    )
}

pub fn contracts() -> Vec<Contract> {
    let errors = Code("pkg/services/ngalert/provisioning/errors.go");
    vec![
        NOTIFICATIONS.contract(
            "a time interval",
            "is a mute timing at the other door",
            Code("pkg/registry/apps/alerting/notifications/timeinterval/conversions.go"),
            |at| {
                [
                    made(at),
                    get(format!("{TIMINGS}/<i>"))
                        .is(200)
                        .at("/time_intervals/0/times/0/start_time", "08:00")
                        .lists("/time_intervals/0/weekdays/*", ["monday:friday"])
                        .at("/time_intervals/0/location", "Europe/Berlin"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a mute timing of the older address",
            "is a time interval, with its provenance",
            read::INTERVALS,
            |at| {
                [
                    post(TIMINGS, interval("i")).is(201),
                    get(at.of(KIND))
                        .at(
                            "/items/spec.name=<i>/spec/time_intervals/0/location",
                            "Europe/Berlin",
                        )
                        .at(
                            &format!("/items/spec.name=<i>{}", note("grafana.com/provenance")),
                            "api",
                        ),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a POST of a time interval with a name of the object",
            "is a bad request",
            Code("timeinterval/legacy_storage.go, Create"),
            |at| {
                [post(
                    at.of(KIND),
                    with(object(interval("i")), json!({"metadata": {"name": "own"}})),
                )
                .refused(400, "BadRequest")]
            },
        ),
        NOTIFICATIONS.contract(
            "a time interval with a name that is taken",
            "is a bad request",
            [read::INTERVALS, errors],
            |at| {
                [
                    made(at),
                    post(at.of(KIND), object(interval("i")))
                        .refused(400, "BadRequest")
                        .detail("alerting.notifications.time-intervals.nameExists"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a PUT of a time interval for another version",
            "is a conflict",
            [read::INTERVALS, errors],
            |at| {
                [
                    made(at),
                    update(at.one(KIND, "<name>"), "<name>", "test", object(interval("i")))
                        .refused(409, "Conflict")
                        .detail("alerting.notifications.conflict"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a PUT of a time interval for no version",
            "is accepted",
            read::INTERVALS,
            |at| {
                [
                    made(at),
                    update(
                        at.one(KIND, "<name>"),
                        "<name>",
                        "",
                        object(with(interval("i"), json!({"time_intervals": []}))),
                    )
                    .is(200),
                ]
            },
        ),
        contract("a PUT of a time interval with another name")
            .absent(before("11.5.0"))
            .case(
                between("11.5.0", "13.0.0"),
                "is a bad request",
                Unconfirmed("2025's code says that the name can't be changed"),
                [
                    made(&ALPHA),
                    renamed(&ALPHA).refused(400, "BadRequest"),
                    get(ALPHA.one(KIND, "<name>")).is(200),
                ],
            )
            .case(
                since("13.0.0"),
                "renames it",
                [errors, Unconfirmed("the release")],
                [
                    made(&BETA),
                    renamed(&BETA).is(200).keep("/metadata/name", "new"),
                    get(BETA.one(KIND, "<name>")).is(404),
                    get(BETA.one(KIND, "<new>")).at("/spec/name", "<j>"),
                ],
            ),
        NOTIFICATIONS.contract(
            "a DELETE of a time interval that a policy names",
            "is a conflict",
            errors,
            |at| {
                [
                    made(at),
                    get(TREE).keep("/receiver", "default"),
                    put(
                        TREE,
                        json!({"receiver": "<default>", "routes": [{"mute_time_intervals": ["<i>"]}]}),
                    )
                    .is(202),
                    delete(at.one(KIND, "<name>"))
                        .refused(409, "Conflict")
                        .detail("alerting.notifications.time-intervals.used"),
                    delete(TREE).is(202),
                    delete(at.one(KIND, "<name>")).is(200),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a time interval of times that there aren't",
            "is a bad request",
            errors,
            |at| {
                [post(
                    at.of(KIND),
                    object(json!({"name": "<i>", "time_intervals": [{"weekdays": ["someday"]}]})),
                )
                .refused(400, "BadRequest")]
            },
        ),
        CURRENT.contract(
            "the provenance of a time interval",
            "is the one that it is sent with",
            Code("timeinterval/conversions.go"),
            |at| {
                [
                    post(
                        at.of(KIND),
                        with(
                            object(interval("i")),
                            json!({"metadata": {"annotations": {"grafana.com/provenance": "api"}}}),
                        ),
                    )
                    .is(201)
                    .at(&note("grafana.com/provenance"), "api"),
                    get(format!("{TIMINGS}/<i>")).at("/provenance", "api"),
                ]
            },
        ),
    ]
}
