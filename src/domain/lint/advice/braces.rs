//! What Helm has left in a text, or would have replaced had it been asked.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::super::finding::{Finding, HELM_BRACES, Part};
use super::super::path::Path;

/// What only Helm knows: its objects, and functions that Grafana and LogQL don't have. Nodes of Grafana's `.Values` are called by capital letters.
static OF_HELM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let objects = r"[$.]*\.(Release|Chart|Capabilities|Files|Template)\.|[$.]*\.Values\.[a-z]";
    Regex::new(&format!(
        r"\{{\{{-?\s*(?:(?:if|with|range|toYaml|quote|default\s+\S+)\s+)?(?:{objects}|(?:include|tpl|toYaml|nindent|lookup)\s)"
    ))
    .ok()
});

/// Texts that hold what Helm should have replaced.
pub(super) fn check(at: usize, value: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    walk(at, value, &Path::default(), &mut found);
    found
}

fn walk(at: usize, value: &Value, path: &Path, found: &mut Vec<Finding>) {
    match value {
        Value::String(text) => {
            // Few texts have any braces, and an expression takes its time.
            let place = text
                .contains("{{")
                .then(|| OF_HELM.as_ref()?.find(text))
                .flatten();
            if let Some(place) = place {
                let message = "this is Helm's, and nothing here replaces it: render the chart first, as in helm template . | alertwright check -f -";
                let finding = Finding::new(&HELM_BRACES, at, path.clone(), message);
                found.push(finding.at(Part::Byte(place.start())));
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                walk(at, item, &path.index(i), found);
            }
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                if matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_)) {
                    walk(at, value, &path.field(key), found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
