//! What an API server refuses: by the schema, and by the rules in it.
//!
//! Our schemas are structural, of which an API server knows few words; these are read as it reads them (null, int-or-string, lists with keys), which a
//! validator of JSON Schema would have to be told first.

mod cel;
mod metadata;
mod trail;
mod value;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use serde_json::Value;

use super::finding::{CEL, Finding, Part, SCHEMA};
use super::near::nearest;
use super::object::{API_VERSION, Object};
use super::path::Path;
use super::texts::of_duration;
use crate::api::{self, duration};
use trail::Trail;

/// How deep a value may be nested. An API server refuses much less.
const DEEPEST: usize = 100;

/// The schemas of all kinds, and their rules, as far as they were needed: to read one takes longer than to check a resource.
pub struct Schemas {
    kinds: BTreeMap<&'static str, OnceCell<Option<JSONSchemaProps>>>,
    rules: cel::Rules,
}

impl Default for Schemas {
    fn default() -> Self {
        Self {
            kinds: api::kinds().map(|kind| (kind, OnceCell::new())).collect(),
            rules: cel::Rules::default(),
        }
    }
}

impl Schemas {
    /// The schema of a kind, if there is one of that name.
    fn of(&self, kind: &str) -> Option<&JSONSchemaProps> {
        let read = || api::schema::kept::schema(kind);
        self.kinds.get(kind)?.get_or_init(read).as_ref()
    }

    /// What an API server would say of a resource.
    pub fn check(&self, at: usize, object: &Object) -> Vec<Finding> {
        let mut walk = Walk {
            schemas: self,
            at,
            found: Vec::new(),
        };
        walk.object(object);
        // Whatever else the types don't take: what can't be read must never pass for right.
        if walk.found.is_empty()
            && let Some((field, why)) = object.unreadable()
        {
            walk.say(
                Path::parse(field),
                Part::Value,
                format!("this can't be read: {why}"),
            );
        }
        walk.found
    }
}

struct Walk<'a> {
    schemas: &'a Schemas,
    at: usize,
    found: Vec<Finding>,
}

impl Walk<'_> {
    fn say(&mut self, path: Path, part: Part, message: impl Into<String>) {
        self.found
            .push(Finding::new(&SCHEMA, self.at, path, message).at(part));
    }

    fn object(&mut self, object: &Object) {
        let version = object.value.get("apiVersion").and_then(Value::as_str);
        if version != Some(API_VERSION) {
            let message = format!(
                "{} is no version that there is; write {API_VERSION}",
                version.unwrap_or_default()
            );
            return self.say(Path::parse("apiVersion"), Part::Value, message);
        }
        let schemas = self.schemas;
        let Some(schema) = schemas.of(&object.kind) else {
            let hint = meant(&object.kind, schemas.kinds.keys().copied());
            let message = if object.kind.is_empty() {
                let kinds: Vec<&str> = schemas.kinds.keys().copied().collect();
                format!("it says no kind; write one of {}", kinds.join(", "))
            } else {
                format!("there is no kind {}{hint}", object.kind)
            };
            return self.say(Path::parse("kind"), Part::Value, message);
        };
        self.metadata(object.value.get("metadata"));
        let root = Trail::default();
        let known = ["apiVersion", "kind", "metadata", "spec", "status"];
        for key in object
            .value
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.keys())
        {
            if !known.contains(&key.as_str()) {
                let hint = meant(key, known);
                let is_of_spec = fields(schema, "spec").is_some_and(|spec| spec.contains_key(key));
                let hint = if is_of_spec {
                    "; it belongs below spec".to_owned()
                } else {
                    hint
                };
                self.say(
                    root.field(key).path(),
                    Part::Key,
                    format!("unknown field {key}{hint}"),
                );
            }
        }
        let spec = schema.properties.as_ref().and_then(|fields| fields.get("spec"));
        match (spec, object.value.get("spec")) {
            (Some(spec), Some(value)) if !value.is_null() => {
                self.walk(spec, value, &root.field("spec"));
            }
            (Some(_), _) => self.say(Path::default(), Part::Key, "spec is missing"),
            (None, _) => {}
        }
    }

    /// Whether nothing is wrong with a value.
    fn walk(&mut self, schema: &JSONSchemaProps, value: &Value, trail: &Trail<'_>) -> bool {
        if value.is_null() && schema.nullable == Some(true) {
            return true;
        }
        if trail.depth() > DEEPEST {
            self.say(trail.path(), Part::Value, "this is nested too deep");
            return false;
        }
        if let Some(problem) = value::problem(schema, value) {
            self.say(trail.path(), Part::Value, problem);
            return false;
        }
        let is_well = match value {
            Value::Object(fields) => self.fields(schema, fields, trail),
            Value::Array(items) => self.items(schema, items, trail),
            _ => true,
        };
        if is_well {
            self.rules(schema, value, trail)
        } else {
            false
        }
    }

    fn fields(
        &mut self,
        schema: &JSONSchemaProps,
        fields: &serde_json::Map<String, Value>,
        trail: &Trail<'_>,
    ) -> bool {
        let mut is_well = true;
        let known = schema.properties.as_ref();
        let others = match &schema.additional_properties {
            Some(JSONSchemaPropsOrBool::Schema(others)) => Some(others.as_ref()),
            _ => None,
        };
        let keeps = schema.x_kubernetes_preserve_unknown_fields == Some(true)
            || matches!(
                schema.additional_properties,
                Some(JSONSchemaPropsOrBool::Bool(true))
            );
        for (key, value) in fields {
            let here = trail.field(key);
            match known.and_then(|known| known.get(key)) {
                // An API server takes away what is null and may not be.
                Some(_) if value.is_null() => {}
                Some(field) => is_well &= self.walk(field, value, &here),
                None => match others {
                    Some(others) => is_well &= self.walk(others, value, &here),
                    None if keeps => {}
                    None => {
                        is_well = false;
                        let names = known.into_iter().flat_map(|known| known.keys());
                        let hint = meant(key, names.map(String::as_str));
                        self.say(here.path(), Part::Key, format!("unknown field {key}{hint}"));
                    }
                },
            }
        }
        for name in schema.required.iter().flatten() {
            if fields.get(name).is_none_or(Value::is_null) {
                is_well = false;
                self.say(trail.path(), Part::Key, format!("{name} is missing"));
            }
        }
        is_well
    }

    fn items(&mut self, schema: &JSONSchemaProps, items: &[Value], trail: &Trail<'_>) -> bool {
        let mut is_well = true;
        if let Some(JSONSchemaPropsOrArray::Schema(of_items)) = &schema.items {
            for (i, item) in items.iter().enumerate() {
                is_well &= self.walk(of_items, item, &trail.index(i));
            }
        }
        for (i, said) in value::repeated(schema, items) {
            is_well = false;
            self.say(
                trail.index(i).path(),
                Part::Value,
                format!("{said} is given twice"),
            );
        }
        is_well
    }

    /// The rules of a value with which nothing else is wrong.
    fn rules(&mut self, schema: &JSONSchemaProps, value: &Value, trail: &Trail<'_>) -> bool {
        let broken = self.schemas.rules.broken(schema, value);
        let mut is_well = broken.is_empty();
        for rule in broken {
            let field = rule.field_path.as_deref().unwrap_or_default();
            let path = trail.path().join(&Path::parse(field));
            let said = rule
                .message
                .clone()
                .unwrap_or_else(|| format!("fails {}", rule.rule));
            let finding = match (said.as_str(), value.as_str()) {
                (duration::SYNTAX, Some(text)) => of_duration(self.at, path, text),
                _ => Finding::new(&CEL, self.at, path, said),
            };
            self.found.push(finding);
        }
        // No rule says how long the longest duration is, so the operator does.
        let mut all = schema.x_kubernetes_validations.iter().flatten();
        let is_duration = all.any(|rule| rule.message.as_deref() == Some(duration::SYNTAX));
        if is_well
            && is_duration
            && let Some(text) = value.as_str()
            && duration::Duration::parse(text).is_err()
        {
            is_well = false;
            self.found.push(of_duration(self.at, trail.path(), text));
        }
        is_well
    }
}

fn fields<'a>(schema: &'a JSONSchemaProps, name: &str) -> Option<&'a BTreeMap<String, JSONSchemaProps>> {
    schema.properties.as_ref()?.get(name)?.properties.as_ref()
}

fn meant<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(text, names).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// A DNS-1123 subdomain.
pub fn is_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_part)
}

/// A DNS-1123 label, as namespaces are called.
pub fn is_label(name: &str) -> bool {
    name.len() <= 63 && is_part(name)
}

/// What a name has between its dots.
fn is_part(part: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(is_edge) && part.ends_with(is_edge) && part.chars().all(|c| is_edge(c) || c == '-')
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
