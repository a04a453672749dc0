//! The test of a contact point's integration.

use serde_json::json;

use super::{CURRENT, Refusal, object, receiver, webhook, with};
use crate::harness::{
    call::{Caller, post},
    contract::{Contract, Source::Code},
};

const KIND: &str = "receivers";
const INVALID: &str = "alerting.notifications.receivers.testing.invalid";

pub fn contracts() -> Vec<Contract> {
    let handler = Code("pkg/registry/apps/alerting/notifications/receiver/subresource.go");
    let errors = Code("pkg/services/ngalert/models/errors.go");
    vec![
        CURRENT.contract("a test of a receiver that can't be reached", "succeeds, and says that the delivery failed", handler, |at| {
            [post(format!("{}/-/test", at.of(KIND)), json!({"alert": {"labels": {"a": "b"}}, "integration": webhook(json!({}))}))
                .is(200)
                .at("/status", "failure")
                .there("/duration")
                .there("/error")]
        }),
        CURRENT.contract("a test of a stored integration", "needs only its uid", handler, |at| {
            [
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name").keep("/spec/integrations/0/uid", "uid"),
                post(format!("{}/<name>/test", at.of(KIND)), json!({"alert": {}, "integrationRef": {"uid": "<uid>"}})).is(200).at("/status", "failure"),
                post(format!("{}/<name>/test", at.of(KIND)), json!({"alert": {}, "integrationRef": {"uid": "nothing"}}))
                    .refused(404, "NotFound")
                    .detail("alerting.notifications.receivers.testing.integrationNotFound"),
            ]
        }),
        CURRENT.contract("a test of nothing or of two integrations", "is invalid", [handler, errors], |at| {
            [
                post(format!("{}/-/test", at.of(KIND)), json!({"alert": {}})).refused(400, "BadRequest").detail(INVALID),
                post(format!("{}/-/test", at.of(KIND)), json!({"alert": {}, "integration": webhook(json!({})), "integrationRef": {"uid": "x"}}))
                    .refused(400, "BadRequest")
                    .detail(INVALID),
            ]
        }),
        CURRENT.contract("a test of a new receiver with the uid of an integration", "is invalid", [handler, errors], |at| {
            [post(format!("{}/-/test", at.of(KIND)), json!({"alert": {}, "integration": with(webhook(json!({})), json!({"uid": "x"}))}))
                .refused(400, "BadRequest")
                .detail(INVALID)]
        }),
        CURRENT.contract("a test that keeps secrets of an integration without a uid", "is invalid", [handler, errors], |at| {
            [
                post(at.of(KIND), object(receiver("r"))).keep("/metadata/name", "name"),
                post(
                    format!("{}/<name>/test", at.of(KIND)),
                    json!({"alert": {}, "integration": with(webhook(json!({})), json!({"secureFields": {"password": true}}))}),
                )
                .refused(400, "BadRequest")
                .detail(INVALID),
            ]
        }),
        CURRENT.contract("a test of a receiver by a Viewer", "is forbidden", Code("pkg/tests/apis/alerting/notifications/receivers/integration_testing_test.go"), |at| {
            [post(format!("{}/-/test", at.of(KIND)), json!({"alert": {}, "integration": webhook(json!({}))}))
                .by(Caller::Viewer)
                .refused(403, "Forbidden")]
        }),
    ]
}
