//! Whose an object is, and who may write it.

use serde_json::{Value, json};

use super::{
    ALPHA, CURRENT, Group, NOTIFICATIONS, Refusal, annotated, note, object, read, receiver, update, with,
};
use crate::{
    fixtures::{POINTS, point},
    harness::{
        call::{delete, get, post},
        contract::{
            Contract,
            Source::{Code, Unconfirmed},
            contract,
        },
        version::{before, between, since},
    },
};

const KIND: &str = "receivers";
const NOTE: &str = "grafana.com/provenance";

/// Notifications that know managers.
const MANAGED: Group = Group {
    name: NOTIFICATIONS.name,
    served: &[("13.3.0", None, "v1beta1")],
};

fn from(annotations: Value) -> Value {
    with(object(receiver("r")), annotated(annotations))
}

pub fn contracts() -> Vec<Contract> {
    let provenance = Code("pkg/registry/apps/alerting/notifications/provenance/provenance.go");
    let early = Unconfirmed(
        "2025's conversions write everything without a provenance; the release that began to heed it is guessed",
    );
    vec![
        contract("the provenance that a receiver is sent with")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "13.0.0"), "doesn't count", early, [
                post(ALPHA.of(KIND), from(json!({NOTE: "api"}))).is(201).at(&note(NOTE), "none"),
                get(format!("{POINTS}?name=<r>")).lacks("/0/provenance"),
            ])
            .case(since("13.0.0"), "is its provenance", read::RECEIVERS, [
                post(super::BETA.of(KIND), from(json!({NOTE: "api"}))).is(201).at(&note(NOTE), "api"),
                get(format!("{POINTS}?name=<r>")).at("/0/provenance", "api"),
            ]),
        contract("what a receiver without a provenance says of it")
            .absent(before("11.5.0"))
            .case(between("11.5.0", "13.0.0"), "is none", Code("apps/alerting/notifications/pkg/apis/receiver/v0alpha1/receiver_ext.go"), [
                post(ALPHA.of(KIND), object(receiver("r"))).at(&note(NOTE), "none"),
            ])
            .case(since("13.0.0"), "is nothing", read::RECEIVERS, [post(super::BETA.of(KIND), object(receiver("r"))).at(&note(NOTE), "")]),
        CURRENT.contract("the provenance \"none\"", "is no provenance", provenance, |at| {
            [post(at.of(KIND), from(json!({NOTE: "none"}))).is(201).at(&note(NOTE), "")]
        }),
        CURRENT.contract("a provenance that there isn't", "is invalid", read::CONVERSIONS, |at| {
            [post(at.of(KIND), from(json!({NOTE: "mine"}))).refused(400, "BadRequest").detail("alerting.notifications.receivers.invalid")]
        }),
        NOTIFICATIONS.contract("a receiver that the older address has made", "has its provenance", read::CONVERSIONS, |at| {
            [
                post(POINTS, point("r")).is(202),
                get(at.of(KIND)).at(&format!("/items/spec.title=<r>{}", note(NOTE)), "api"),
            ]
        }),
        CURRENT.contract("a PUT without the provenance by a caller who may set one", "takes it off", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), from(json!({NOTE: "api"}))).keep("/metadata/name", "name").keep("/metadata/resourceVersion", "version"),
                update(at.one(KIND, "<name>"), "<name>", "<version>", object(receiver("r"))).is(200).at(&note(NOTE), ""),
            ]
        }),
        CURRENT.contract("a provenance that is set on a receiver that has none", "is set", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name").keep("/metadata/resourceVersion", "version"),
                update(at.one(KIND, "<name>"), "<name>", "<version>", from(json!({NOTE: "api"}))).is(200).at(&note(NOTE), "api"),
            ]
        }),
        CURRENT.contract("a DELETE of a provisioned receiver by a caller who may set a provenance", "succeeds", read::RECEIVERS, |at| {
            [
                post(at.of(KIND), from(json!({NOTE: "api"}))).keep("/metadata/name", "name"),
                delete(at.one(KIND, "<name>")).is(200),
                get(at.one(KIND, "<name>")).is(404),
            ]
        }),
        MANAGED.contract("a manager of a receiver", "is kept, and means a provenance", provenance, |at| {
            [
                post(at.of(KIND), from(json!({"grafana.app/managedBy": "terraform", "grafana.app/managerId": "<id>"})))
                    .is(201)
                    .at(&note("grafana.app/managedBy"), "terraform")
                    .at(&note("grafana.app/managerId"), "<id>")
                    .at(&note(NOTE), "api"),
                get(format!("{POINTS}?name=<r>")).at("/0/provenance", "api"),
            ]
        }),
        MANAGED.contract("a manager that doesn't agree with the provenance", "is invalid", provenance, |at| {
            [post(at.of(KIND), from(json!({"grafana.app/managedBy": "repo", "grafana.app/managerId": "<id>", NOTE: "api"})))
                .refused(400, "BadRequest")
                .detail("alerting.notifications.receivers.invalid")
                .says("inconsistent")]
        }),
    ]
}
