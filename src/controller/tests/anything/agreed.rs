//! `alertwright check` and the operator say the same of an object.

use crate::domain::lint::each;
use crate::domain::lint::finding::{Finding, Level};
use crate::domain::lint::object::Object;
use crate::domain::lint::options::Options;
use crate::domain::lint::schema::Schemas;

use super::*;

thread_local!(static SCHEMAS: Schemas = Schemas::default());

/// The rules that are the operator's own. The API server of these tests refuses nothing by itself.
const OF_OPERATOR: [&str; 4] = ["query", "template", "matcher", "refused"];

/// What the operator refuses for what it knows, and nobody can without it: who may read other namespaces, and how to connect.
const ELSEWHERE: [&str; 2] = ["spec.unrestrictedNamespaces", "GrafanaInstance"];

/// The errors that are found in an object.
pub(super) fn found(object: Value) -> Vec<Finding> {
    let options = Options {
        version: None,
        versions: std::collections::BTreeMap::new(),
        asked: None,
        disabled: std::collections::BTreeSet::new(),
        now: "2026-03-01T00:00:00Z".parse().unwrap(),
        zones: None,
    };
    let object = Object::new(object, "");
    let found = SCHEMAS.with(|schemas| each(0, &object, schemas, &options));
    found
        .into_iter()
        .filter(|finding| finding.level == Level::Error)
        .collect()
}

/// Fails where one of the two refuses the object and the other doesn't.
pub(super) fn assert(found: &[Finding], reason: &str, message: &str, what: &str) {
    let is_elsewhere = ELSEWHERE
        .iter()
        .any(|word| message.contains(word) || what.starts_with(word));
    if reason == Reason::Invalid.as_str() && !is_elsewhere {
        assert!(!found.is_empty(), "the operator alone refuses {what}: {message}");
    }
    let own = found
        .iter()
        .find(|finding| OF_OPERATOR.contains(&finding.rule.name));
    if let Some(own) = own {
        assert!(reason != "Synced", "check alone refuses {what}: {own:#?}");
    }
}
