//! `alertwright crds --schema`: JSON Schemas of all kinds, for editors and for kubeconform.

use std::io;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Map, Value, json};

/// The dialect that both editors and kubeconform know.
const DIALECT: &str = "http://json-schema.org/draft-07/schema#";

/// The file for manifests of several kinds, which is made of the others.
const ALL: &str = "all.json";

/// A file for each version of each kind, named as kubeconform's `{{.ResourceKind}}_{{.ResourceAPIVersion}}.json` asks for, and one for all.
pub(super) fn files(crds: &[CustomResourceDefinition]) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut each = Vec::new();
    for crd in crds {
        let (group, kind) = (&crd.spec.group, &crd.spec.names.kind);
        for version in &crd.spec.versions {
            let schema = version
                .schema
                .as_ref()
                .and_then(|schema| schema.open_api_v3_schema.as_ref());
            let Some(schema) = schema else { continue };
            let mut schema = serde_json::to_value(schema)?;
            convert(&mut schema);
            let api_version = format!("{group}/{}", version.name);
            head(&mut schema, &api_version, kind);
            let name = format!("{}_{}.json", kind.to_lowercase(), version.name);
            each.push(json!({
                "if": {"required": ["apiVersion", "kind"], "properties": {"apiVersion": {"const": api_version}, "kind": {"const": kind}}},
                "then": {"$ref": name},
            }));
            files.push((name, format!("{schema:#}\n")));
        }
    }
    let all =
        json!({"$schema": DIALECT, "title": "Whatever is ours among manifests of any kind", "allOf": each});
    files.push((ALL.to_owned(), format!("{all:#}\n")));
    Ok(files)
}

/// What a manifest has beside what the kind's own schema says.
fn head(schema: &mut Value, api_version: &str, kind: &str) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    fields.insert("$schema".to_owned(), DIALECT.into());
    fields.insert("title".to_owned(), kind.into());
    let properties = fields.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert(
            "apiVersion".to_owned(),
            json!({"type": "string", "const": api_version}),
        );
        properties.insert("kind".to_owned(), json!({"type": "string", "const": kind}));
        properties.insert("metadata".to_owned(), json!({"type": "object"}));
    }
    let required = fields.entry("required").or_insert_with(|| json!([]));
    if let Some(required) = required.as_array_mut() {
        required.extend(["apiVersion", "kind", "metadata"].map(Value::from));
    }
    fields.insert("additionalProperties".to_owned(), false.into());
}

/// From a structural schema of Kubernetes to one that JSON Schema means the same by: unknown fields are wrong, and what may be null says so by its type.
fn convert(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let is_open = fields.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    if fields.contains_key("properties") && !is_open {
        fields.insert("additionalProperties".to_owned(), false.into());
    }
    if fields.remove("nullable") == Some(Value::Bool(true)) {
        allow_null(fields);
    }
    fields.retain(|name, _| !name.starts_with("x-kubernetes-"));
    if let Some(Value::Object(properties)) = fields.get_mut("properties") {
        properties.values_mut().for_each(convert);
    }
    for inner in ["items", "additionalProperties", "not"] {
        if let Some(inner) = fields.get_mut(inner) {
            convert(inner);
        }
    }
}

fn allow_null(fields: &mut Map<String, Value>) {
    if let Some(own) = fields.get_mut("type") {
        *own = json!([own.take(), "null"]);
    }
    if let Some(Value::Array(values)) = fields.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_says_in_its_own_words_is_said_in_those_of_json_schema() {
        let mut schema = json!({
            "type": "object", "x-kubernetes-validations": [{"rule": "true"}], "properties": {
                "list": {"type": "array", "nullable": true, "items": {"type": "object", "properties": {"a": {"type": "string", "enum": ["x"], "nullable": true}}}},
                "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {}},
            },
        });
        convert(&mut schema);
        assert_eq!(
            schema,
            json!({
                "type": "object", "additionalProperties": false, "properties": {
                    "list": {"type": ["array", "null"], "items": {"type": "object", "additionalProperties": false, "properties": {"a": {"type": ["string", "null"], "enum": ["x", null]}}}},
                    "open": {"type": "object", "properties": {}},
                },
            })
        );
    }
}
