//! `AlertmanagerConfig`s of prometheus-operator and VictoriaMetrics' → the same as a configuration of Alertmanager.

use serde_json::{Map, Value};

use crate::domain::import::name::words;

/// The specification in the words of Alertmanager's own file: `groupWait` is `group_wait` there. What people have named keeps its name.
pub(in super::super) fn configuration(spec: &Value) -> Value {
    match spec {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                let value = if is_of_people(name, value) {
                    value.clone()
                } else {
                    configuration(value)
                };
                (words(name).replace('-', "_"), value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(configuration).collect(),
        other => other.clone(),
    }
}

/// Whether the names within are people's own.
fn is_of_people(name: &str, value: &Value) -> bool {
    value.is_object()
        && matches!(
            name,
            "match" | "match_re" | "matchRE" | "headers" | "details" | "attributes" | "fields"
        )
}
