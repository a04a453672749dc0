//! Contact points that rules and policies name.

use serde_json::json;

use super::{NOTIFICATIONS, Refusal, note, object, read, receiver, update};
use crate::{
    fixtures::{self, RULES, but, folder, stored},
    harness::{
        call::{Call, delete, get, post, put},
        contract::Contract,
    },
};

const KIND: &str = "receivers";
const TREE: &str = "/api/v1/provisioning/policies";

/// A rule of the older addresses that sends to the receiver `<r>`; as the frontend does, so that it has no provenance.
fn sending() -> Call {
    stored(but(
        fixtures::rule("f", "rule"),
        json!({"notification_settings": {"receiver": "<r>"}}),
    ))
}

pub fn contracts() -> Vec<Contract> {
    let mut all = removed();
    all.extend(renamed());
    all
}

/// Removing what is in use.
fn removed() -> Vec<Contract> {
    vec![
        NOTIFICATIONS.contract(
            "a DELETE of a receiver that a rule sends to",
            "is a conflict",
            [read::RECEIVERS, read::ERRORS],
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name"),
                    sending(),
                    get(at.one(KIND, "<name>")).at(&note("grafana.com/inUse/rules"), "1"),
                    delete(at.one(KIND, "<name>"))
                        .refused(409, "Conflict")
                        .detail("alerting.notifications.receivers.used"),
                    delete(format!("{RULES}/<rule>")).is(204),
                    delete(at.one(KIND, "<name>")).is(200),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a DELETE of a receiver that a policy sends to",
            "is a conflict",
            [read::RECEIVERS, read::ERRORS],
            |at| {
                [
                    post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name"),
                    put(TREE, json!({"receiver": "<r>"})).unprovisioned().is(202),
                    get(at.one(KIND, "<name>")).at(&note("grafana.com/inUse/routes"), "1"),
                    delete(at.one(KIND, "<name>"))
                        .refused(409, "Conflict")
                        .detail("alerting.notifications.receivers.used"),
                ]
            },
        ),
    ]
}

/// Renaming what is in use.
fn renamed() -> Vec<Contract> {
    vec![
        NOTIFICATIONS.contract(
            "a new title of a receiver that a rule sends to",
            "is followed by the rule",
            read::RECEIVERS,
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), object(receiver("r")))
                        .keep("/metadata/name", "name")
                        .keep("/metadata/resourceVersion", "version"),
                    sending().unprovisioned(),
                    update(
                        at.one(KIND, "<name>"),
                        "<name>",
                        "<version>",
                        object(receiver("s")),
                    )
                    .is(200),
                    get(format!("{RULES}/<rule>")).at("/notification_settings/receiver", "<s>"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a new title of a receiver that a policy sends to",
            "is followed by the policy",
            read::RECEIVERS,
            |at| {
                [
                    post(at.of(KIND), object(receiver("r")))
                        .keep("/metadata/name", "name")
                        .keep("/metadata/resourceVersion", "version"),
                    put(TREE, json!({"receiver": "<r>"})).unprovisioned().is(202),
                    update(
                        at.one(KIND, "<name>"),
                        "<name>",
                        "<version>",
                        object(receiver("s")),
                    )
                    .is(200),
                    get(TREE).at("/receiver", "<s>"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a new title of a receiver that a provisioned rule sends to",
            "is a conflict",
            [read::RECEIVERS, read::ERRORS],
            |at| {
                [
                    folder("f"),
                    post(at.of(KIND), object(receiver("r")))
                        .keep("/metadata/name", "name")
                        .keep("/metadata/resourceVersion", "version"),
                    sending(),
                    update(
                        at.one(KIND, "<name>"),
                        "<name>",
                        "<version>",
                        object(receiver("s")),
                    )
                    .refused(409, "Conflict")
                    .detail("alerting.notifications.receivers.usedProvisioned"),
                ]
            },
        ),
        NOTIFICATIONS.contract(
            "a new title of a receiver that a provisioned policy sends to",
            "is a conflict",
            [read::RECEIVERS, read::ERRORS],
            |at| {
                [
                    post(at.of(KIND), object(receiver("r")))
                        .keep("/metadata/name", "name")
                        .keep("/metadata/resourceVersion", "version"),
                    put(TREE, json!({"receiver": "<r>"})).is(202),
                    update(
                        at.one(KIND, "<name>"),
                        "<name>",
                        "<version>",
                        object(receiver("s")),
                    )
                    .refused(409, "Conflict")
                    .detail("alerting.notifications.receivers.usedProvisioned"),
                ]
            },
        ),
    ]
}
