//! One JSON document, for programs.

use serde_json::{Value, json};

use super::super::common::document::as_json;
use super::super::common::print::API_VERSION;
use super::report::Report;
use crate::domain::lint::finding::Level;

/// Where rules are described.
pub(super) const HELP: &str = "https://github.com/letsrevel/alertwright/blob/main/docs/lints.md";

pub(super) fn all(report: &Report<'_>) -> String {
    let findings = report.entries.iter().map(|entry| {
        let resource = entry
            .object
            .map(|object| json!({"kind": object.kind, "namespace": object.namespace, "name": object.name}));
        json!({
            "rule": entry.rule.name,
            "level": entry.level.to_string(),
            "message": entry.message,
            "file": entry.source.name,
            "line": entry.spot.start.0,
            "column": entry.spot.start.1,
            "endLine": entry.spot.end.0,
            "endColumn": entry.spot.end.1,
            "resource": resource,
            "path": entry.path,
            "help": format!("{HELP}#{}", entry.rule.name),
        })
    });
    let document = json!({
        "apiVersion": API_VERSION,
        "kind": "CheckReport",
        "files": report.files,
        "resources": report.objects.len(),
        "passedOver": report.others,
        "referencesElsewhere": report.unseen,
        "inCluster": report.beside,
        "errors": report.count(Level::Error),
        "warnings": report.count(Level::Warning),
        "infos": report.count(Level::Info),
        "findings": findings.collect::<Value>(),
    });
    as_json(&document)
}
