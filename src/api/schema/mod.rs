//! What the derived schemas need beyond what schemars writes.

#[cfg(feature = "cli")]
pub mod kept;
mod places;

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceColumnDefinition, CustomResourceDefinition, CustomResourceDefinitionVersion,
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::not_yet;

/// Reads `null` as nothing given, as templates write it where a value is empty.
pub fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// How many arrays and objects may stand within each other in [`free_form_object`], itself included. A schema can't say so, so the operator
/// does. Grafana shows it with some more around it, which must be read whole.
pub const FREE_FORM_LEVELS: usize = 64;

/// Any JSON object, kept by the API server as it is written.
pub fn free_form_object(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Conditions as a list keyed by their type.
pub fn conditions(generator: &mut SchemaGenerator) -> Schema {
    let mut schema =
        generator.subschema_for::<Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition>>();
    schema.insert("x-kubernetes-list-type".into(), "map".into());
    schema.insert("x-kubernetes-list-map-keys".into(), serde_json::json!(["type"]));
    schema
}

/// A list whose entries are a status each: `places` says what is in it, for a type can't describe itself.
pub fn list_of_statuses(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": { "type": "object" } })
}

/// An enumeration without its own text and those of its values: else they would stand in place of the text of the field that has it, which
/// also says the default.
pub fn values_only(schema: &mut Schema) {
    schema.remove("description");
    let Some(serde_json::Value::Array(variants)) = schema.remove("oneOf") else {
        return;
    };
    let values = variants
        .iter()
        .filter_map(|variant| variant.get("const"))
        .cloned()
        .collect();
    schema.insert("type".into(), "string".into());
    schema.insert("enum".into(), serde_json::Value::Array(values));
}

/// Removes what API servers warn about or refuse (integer formats that OpenAPI v3 doesn't know), and says of every list how server-side
/// apply merges it (as a whole, unless the field says otherwise) and of lists, maps and enumerations that may be left out that they may be
/// null. Adds the fields that are refused because they aren't there yet or have another name.
pub fn finish(crd: &mut CustomResourceDefinition) {
    let kind = &crd.spec.names.kind;
    for version in &mut crd.spec.versions {
        add_columns(version);
        if let Some(root) = version
            .schema
            .as_mut()
            .and_then(|s| s.open_api_v3_schema.as_mut())
        {
            not_yet::add(kind, root);
            places::add(kind, root);
            walk(root);
        }
    }
}

/// What the fields of a selector of labels are. Kubernetes' own text says neither what they are for nor what they are unless they are given.
const SELECTOR: [(&str, &str); 3] = [
    (
        "matchLabels",
        "Labels with their values, all of which must be there. Default: none.",
    ),
    (
        "matchExpressions",
        "Conditions on labels, all of which must hold. Default: none.",
    ),
    (
        "values",
        "The values of `In` and `NotIn`; the other operators have none. Default: none.",
    ),
];

fn describe_selector(schema: &mut JSONSchemaProps) {
    let of_selector = |all: &&mut BTreeMap<String, JSONSchemaProps>| {
        all.contains_key("matchExpressions") || all.contains_key("operator")
    };
    let Some(fields) = schema.properties.as_mut().filter(of_selector) else {
        return;
    };
    for (name, text) in SELECTOR {
        if let Some(field) = fields.get_mut(name) {
            field.description = Some(text.to_owned());
        }
    }
}

/// A text with one line for each paragraph and each entry of a list: whoever shows it breaks lines where they are too long.
fn in_paragraphs(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_new = true;
    for line in text.lines() {
        let words = line.trim();
        let begins = is_new || words.is_empty() || words.starts_with("- ") || words.starts_with("* ");
        match lines.last_mut().filter(|_| !begins) {
            Some(last) => {
                last.push(' ');
                last.push_str(words);
            }
            None => lines.push(words.to_owned()),
        }
        is_new = words.is_empty();
    }
    lines.join("\n")
}

/// Where a resource is: in each kind that can be in any Grafana. The columns are of the specification, for in a status stand only several of them.
fn add_columns(version: &mut CustomResourceDefinitionVersion) {
    let schema = version
        .schema
        .as_ref()
        .and_then(|all| all.open_api_v3_schema.as_ref());
    let spec = schema.and_then(|root| root.properties.as_ref()?.get("spec"));
    let fields = spec.and_then(|spec| spec.properties.as_ref());
    let has = |name: &str| fields.is_some_and(|fields| fields.contains_key(name));
    let shown = [
        ("instance", "Instance", "string"),
        ("instances", "Instances", "string"),
    ];
    for (field, name, type_) in shown.into_iter().filter(|(field, ..)| has(field)) {
        let column = CustomResourceColumnDefinition {
            name: name.to_owned(),
            type_: type_.to_owned(),
            json_path: format!(".spec.{field}"),
            priority: Some(1),
            ..CustomResourceColumnDefinition::default()
        };
        // The message is long, so it stays the last one.
        let columns = version.additional_printer_columns.get_or_insert_default();
        let at = columns.iter().position(|column| column.name == "Message");
        columns.insert(at.unwrap_or(columns.len()), column);
    }
}

fn walk(schema: &mut JSONSchemaProps) {
    describe_selector(schema);
    if schema.format.as_deref().is_some_and(|f| f.starts_with("uint")) {
        schema.format = None;
    }
    // An API server refuses null for an enumeration even where it is among the values, and takes it away from one that may not be null in some
    // requests only: not in a server-side apply. Of what is null it looks at nothing else than that, so the values stand one level below: in
    // `oneOf`, which follows the text where it is written down, and with which `kubectl explain` shows the type (with `allOf` it takes such a
    // field for an object). A wrong value is told in three lines for it.
    if let Some(values) = schema.enum_.take() {
        let values = values.into_iter().filter(|value| !value.0.is_null()).collect();
        if schema.nullable == Some(true) {
            let any_of_them = JSONSchemaProps {
                enum_: Some(values),
                ..JSONSchemaProps::default()
            };
            schema.one_of.get_or_insert_default().push(any_of_them);
        } else {
            schema.enum_ = Some(values);
        }
    }
    if let Some(text) = &mut schema.description {
        *text = in_paragraphs(text);
    }
    if schema.type_.as_deref() == Some("array") {
        schema
            .x_kubernetes_list_type
            .get_or_insert_with(|| "atomic".to_owned());
    }
    let required = schema.required.as_deref().unwrap_or_default();
    for (name, property) in schema.properties.iter_mut().flatten() {
        let is_collection =
            property.type_.as_deref() == Some("array") || property.additional_properties.is_some();
        if is_collection && !required.contains(name) {
            property.nullable = Some(true);
        }
        walk(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        walk(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        walk(values);
    }
}
