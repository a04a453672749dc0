//! One JSON document, for programs.

use serde_json::json;

use super::super::common::document::as_json;
use super::super::common::print::API_VERSION;
use crate::domain::routing::answer::Answer;

pub(super) fn all(answers: &[Answer]) -> String {
    let document = json!({
        "apiVersion": API_VERSION,
        "kind": "RouteReport",
        "alerts": answers,
    });
    as_json(&document)
}
