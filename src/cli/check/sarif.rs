//! SARIF 2.1.0: the format of static analysis, which code scanning takes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::common::document::as_json;
use super::json::HELP;
use super::report::{Entry, Report};
use crate::domain::lint::finding::{Level, RULES};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

pub(super) fn all(report: &Report<'_>) -> String {
    let rules = RULES.iter().map(|rule| {
        json!({
            "id": rule.name,
            "shortDescription": {"text": rule.about},
            "helpUri": format!("{HELP}#{}", rule.name),
            "defaultConfiguration": {"level": level(rule.level)},
        })
    });
    let run = json!({
        "tool": {"driver": {
            "name": "alertwright",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": "https://github.com/letsrevel/alertwright",
            "rules": rules.collect::<Value>(),
        }},
        "columnKind": "unicodeCodePoints",
        "results": report.entries.iter().map(result).collect::<Value>(),
    });
    let document = json!({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]});
    as_json(&document)
}

fn result(entry: &Entry<'_>) -> Value {
    let mut location = json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(&entry.source.name)},
        "region": {
            "startLine": entry.spot.start.0,
            "startColumn": entry.spot.start.1,
            "endLine": entry.spot.end.0,
            "endColumn": entry.spot.end.1,
        },
    }});
    // A finding is the same one though lines are put in above it.
    let mut same = vec![entry.source.name.clone(), entry.rule.name.to_owned()];
    if let Some((object, path)) = entry.object.zip(entry.path.as_ref()) {
        let name = format!("{}/{}/{}", object.kind, object.namespace, object.name);
        same.extend([name.clone(), path.clone()]);
        if let Some(fields) = location.as_object_mut() {
            let logical = json!([{"fullyQualifiedName": format!("{name}#{path}"), "kind": "resource"}]);
            fields.insert("logicalLocations".to_owned(), logical);
        }
    }
    let digest = Sha256::digest(same.join("\0"));
    let fingerprint = data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default());
    json!({
        "ruleId": entry.rule.name,
        "ruleIndex": RULES.iter().position(|rule| rule.name == entry.rule.name),
        "level": level(entry.level),
        "message": {"text": entry.message},
        "locations": [location],
        "partialFingerprints": {"resource/v1": fingerprint},
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

/// A path as an address that is relative to the repository.
fn uri(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let name = name.strip_prefix("./").unwrap_or(name);
    name.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_an_address() {
        assert_eq!(uri("./a b/c#ü.yaml"), "a%20b/c%23%C3%BC.yaml");
    }
}
