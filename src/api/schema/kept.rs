//! What the definitions of our kinds say, kept as text: to make them of the types takes many times as long as most that a command does.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionNames, JSONSchemaProps,
};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

/// The group of all kinds, which a test holds against their definitions.
const GROUP: &str = "alerting.letsrevel.io";

/// Their version.
const VERSION: &str = "v1alpha1";
/// A line for each kind: its names, a tab, and its schema without descriptions. `make docs` writes it.
const KEPT: &str = include_str!("kept.txt");

/// How all kinds are called, in the order in which they are installed.
pub fn names() -> Vec<CustomResourceDefinitionNames> {
    lines().map(|(names, _)| names).collect()
}

/// The schema of a kind, without descriptions.
pub fn schema(kind: &str) -> Option<JSONSchemaProps> {
    let (_, schema) = lines().find(|(names, _)| names.kind == kind)?;
    serde_json::from_str(schema).ok()
}

fn lines() -> impl Iterator<Item = (CustomResourceDefinitionNames, &'static str)> {
    KEPT.lines().filter_map(|line| {
        let (names, schema) = line.split_once('\t')?;
        Some((serde_json::from_str(names).ok()?, schema))
    })
}

/// How the API server finds such a kind.
pub fn resource(names: &CustomResourceDefinitionNames) -> ApiResource {
    let gvk = GroupVersionKind::gvk(GROUP, VERSION, &names.kind);
    ApiResource::from_gvk_with_plural(&gvk, &names.plural)
}

/// The text that is to be kept of these definitions.
pub fn text(crds: &[CustomResourceDefinition]) -> String {
    let line = |crd: &CustomResourceDefinition| {
        let names = serde_json::to_value(&crd.spec.names).unwrap_or_default();
        let schema = crd
            .spec
            .versions
            .first()
            .and_then(|version| version.schema.as_ref());
        let schema = schema.and_then(|schema| schema.open_api_v3_schema.as_ref());
        let mut schema = serde_json::to_value(schema).unwrap_or_default();
        undescribed(&mut schema);
        format!("{names}\t{schema}\n")
    };
    crds.iter().map(line).collect()
}

/// Takes descriptions out of a schema. A field that is called so has a schema and no text.
fn undescribed(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.retain(|name, value| name != "description" || !value.is_string());
            fields.values_mut().for_each(undescribed);
        }
        Value::Array(items) => items.iter_mut().for_each(undescribed),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_called_description_stays() {
        let mut schema = serde_json::json!({
            "description": "gone", "properties": {"description": {"type": "string", "description": "gone"}},
        });
        undescribed(&mut schema);
        let expected = serde_json::json!({"properties": {"description": {"type": "string"}}});
        assert_eq!(schema, expected);
    }
}
