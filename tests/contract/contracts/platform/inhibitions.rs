//! Inhibition rules.

use serde_json::{Value, json};

use super::{ALPHA, At, CURRENT, Refusal, named, object, read, update, with};
use crate::harness::{
    call::{Call, delete, get, post},
    contract::{
        Contract,
        Source::{Code, Documentation},
        contract,
    },
    version::{before, between, since},
};

const KIND: &str = "inhibitionrules";

fn rule() -> Value {
    json!({
        "source_matchers": [{"type": "=", "label": "alertname", "value": "Source"}],
        "target_matchers": [{"type": "=", "label": "alertname", "value": "Target"}],
        "equal": ["instance"],
    })
}

fn made(at: &At) -> Call {
    post(at.of(KIND), named("<i>", rule()))
        .is(201)
        .keep("/metadata/resourceVersion", "version")
}

pub fn contracts() -> Vec<Contract> {
    vec![
        contract("inhibition rules")
            .absent(before("11.5.0"))
            .case(
                between("11.5.0", "13.0.0"),
                "are not served",
                Documentation("documentation of 13.0"),
                [get(ALPHA.of(KIND)).is(404)],
            )
            .case(
                since("13.0.0"),
                "are served",
                Documentation("documentation of 13.0"),
                [get(ALPHA.of(KIND)).is(200)],
            ),
        CURRENT.contract(
            "an inhibition rule",
            "keeps the name that it is sent with",
            read::INHIBITIONS,
            |at| {
                [
                    made(at)
                        .at("/metadata/name", "<i>")
                        .lists("/spec/equal/*", ["instance"]),
                    get(at.one(KIND, "<i>"))
                        .is(200)
                        .at("/spec/source_matchers/0/value", "Source"),
                    update(
                        at.one(KIND, "<i>"),
                        "<i>",
                        "<version>",
                        object(with(rule(), json!({"equal": ["cluster"]}))),
                    )
                    .is(200)
                    .at("/metadata/name", "<i>")
                    .lists("/spec/equal/*", ["cluster"]),
                    delete(at.one(KIND, "<i>")).is(200),
                    get(at.one(KIND, "<i>")).refused(404, "NotFound"),
                ]
            },
        ),
        CURRENT.contract(
            "an inhibition rule without a name",
            "is a bad request",
            read::INHIBITIONS,
            |at| [post(at.of(KIND), object(rule())).refused(400, "BadRequest")],
        ),
        CURRENT.contract(
            "an inhibition rule with a name that is none in Kubernetes, or a long one",
            "is a bad request",
            Code("pkg/services/ngalert/notifier/legacy_storage/compat.go, InhibitRuleToInhibitionRule"),
            |at| {
                ["Node_down", &"n".repeat(41)].map(|name| {
                    post(at.of(KIND), named(name, rule()))
                        .refused(400, "BadRequest")
                        .detail("alerting.notifications.inhibition-rules.invalidFormat")
                })
            },
        ),
        CURRENT.contract(
            "an inhibition rule without matchers on one side",
            "is a bad request",
            read::INHIBITIONS,
            |at| {
                [
                    post(
                        at.of(KIND),
                        named("<i>", with(rule(), json!({"source_matchers": null}))),
                    )
                    .refused(400, "BadRequest"),
                    post(
                        at.of(KIND),
                        named("<i>", with(rule(), json!({"target_matchers": null}))),
                    )
                    .refused(400, "BadRequest")
                    .detail("alerting.notifications.inhibition-rules.invalidFormat"),
                ]
            },
        ),
        CURRENT.contract(
            "an inhibition rule with a name that is taken",
            "is a bad request",
            read::ERRORS,
            |at| {
                [
                    made(at),
                    post(at.of(KIND), named("<i>", rule()))
                        .refused(400, "BadRequest")
                        .detail("alerting.notifications.inhibition-rules.nameExists"),
                ]
            },
        ),
        CURRENT.contract(
            "a PUT of an inhibition rule for another version",
            "is a conflict",
            read::INHIBITIONS,
            |at| {
                [
                    made(at),
                    update(at.one(KIND, "<i>"), "<i>", "test", object(rule())).refused(409, "Conflict"),
                ]
            },
        ),
    ]
}
