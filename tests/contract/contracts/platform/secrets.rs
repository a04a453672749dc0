//! Secrets of integrations: never read, and kept, replaced or removed by a write.

use serde_json::{Value, json};

use super::{At, NOTIFICATIONS, Refusal, delete_version, object, read, update, webhook, with};
use crate::{
    fixtures::POINTS,
    harness::{
        call::{Call, get, post},
        contract::Contract,
    },
};

const KIND: &str = "receivers";

/// Makes a receiver with a secret.
fn made(at: &At) -> Call {
    post(at.of(KIND), object(json!({"title": "<r>", "integrations": [webhook(json!({"username": "me", "password": "first"}))]})))
        .is(201)
        .keep("/metadata/name", "name")
        .keep("/metadata/resourceVersion", "version")
        .keep("/spec/integrations/0/uid", "uid")
}

/// Puts it back with other settings, and what is said of the secrets.
fn put_back(at: &At, settings: Value, secrets: Value) -> Call {
    let kept = Value::from_iter([("uid", json!("<uid>")), ("secureFields", secrets)]);
    let integration = with(webhook(settings), kept);
    update(
        at.one(KIND, "<name>"),
        "<name>",
        "<version>",
        object(json!({"title": "<r>", "integrations": [integration]})),
    )
    .is(200)
}

pub fn contracts() -> Vec<Contract> {
    vec![
        NOTIFICATIONS.contract("a secret of a receiver", "is told to be there and not shown", read::RECEIVERS, |at| {
            [
                made(at).at("/spec/integrations/0/secureFields/password", true).lacks("/spec/integrations/0/settings/password"),
                get(at.one(KIND, "<name>"))
                    .at("/spec/integrations/0/secureFields", json!({"password": true}))
                    .at("/spec/integrations/0/settings/username", "me")
                    .lacks("/spec/integrations/0/settings/password"),
            ]
        }),
        NOTIFICATIONS.contract("a secret that a PUT says is to be kept", "is kept", read::CONVERSIONS, |at| {
            [
                made(at),
                put_back(at, json!({"username": "me"}), json!({"password": true}))
                    .at("/spec/integrations/0/secureFields/password", true)
                    .at("/metadata/resourceVersion", "<version>"),
            ]
        }),
        NOTIFICATIONS.contract("a secret that a PUT has in its settings", "is replaced, which its version shows", read::CONVERSIONS, |at| {
            [
                made(at),
                put_back(at, json!({"username": "me", "password": "second"}), json!({"password": true}))
                    .at("/spec/integrations/0/secureFields/password", true)
                    .lacks("/spec/integrations/0/settings/password"),
                delete_version(at.one(KIND, "<name>"), "<version>").refused(409, "Conflict"),
            ]
        }),
        NOTIFICATIONS.contract("a secret that a PUT doesn't name", "is removed", read::CONVERSIONS, |at| {
            [made(at), put_back(at, json!({"username": "me"}), json!({})).lacks("/spec/integrations/0/secureFields/password")]
        }),
        NOTIFICATIONS.contract("a secret that is to be kept of an integration without a uid", "is not there", read::CONVERSIONS, |at| {
            [
                made(at),
                update(
                    at.one(KIND, "<name>"),
                    "<name>",
                    "<version>",
                    object(json!({"title": "<r>", "integrations": [with(webhook(json!({})), json!({"secureFields": {"password": true}}))]})),
                )
                .is(200)
                .lacks("/spec/integrations/0/secureFields/password"),
            ]
        }),
        NOTIFICATIONS.contract("a secret that is kept by one door", "is redacted at the other", read::RECEIVERS, |at| {
            [made(at), get(format!("{POINTS}?name=<r>")).is(200).at("/0/settings/password", "[REDACTED]")]
        }),
    ]
}
