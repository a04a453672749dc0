//! The CEL rules of a schema.
//!
//! `kube` walks a schema and has all of its rules compiled first, which takes longer than most people's files are read. So each is compiled when a value
//! has to fulfil it, and once; the same is true of the regular expressions in them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, ValidationRule,
};
use kube::core::cel::KubeCelExt;
use kube::core::cel::cel::extractors::This;
use kube::core::cel::cel::objects::{Key, Map};
use kube::core::cel::cel::{Context, Program, Value as Cel};
use regex::Regex;
use serde_json::Value;

/// What rules of transitions ask for.
const OLD: &str = "oldSelf";

thread_local! {
    static EXPRESSIONS: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
}

pub(super) struct Rules {
    context: Context<'static>,
    programs: RefCell<HashMap<String, Option<Rc<Program>>>>,
    /// How many have been compiled, which takes longest.
    #[cfg(test)]
    pub(super) compiled: std::cell::Cell<usize>,
}

impl Default for Rules {
    fn default() -> Self {
        let mut context = Context::default();
        context.register_all();
        context.add_function("matches", matches);
        Self {
            context,
            programs: RefCell::default(),
            #[cfg(test)]
            compiled: std::cell::Cell::default(),
        }
    }
}

/// Whether a text matches an expression; one that can't be compiled is matched by all, for an API server has let the rule through.
#[expect(clippy::needless_pass_by_value, reason = "functions of CEL get values")]
fn matches(This(text): This<Arc<String>>, expression: Arc<String>) -> bool {
    EXPRESSIONS.with_borrow_mut(|known| {
        let compiled = match known.get(expression.as_str()) {
            Some(compiled) => compiled,
            None => known
                .entry(expression.as_str().to_owned())
                .or_insert_with(|| Regex::new(&expression).ok()),
        };
        compiled.as_ref().is_none_or(|regex| regex.is_match(&text))
    })
}

impl Rules {
    /// The rules of a schema that a value breaks. What can't be told here is left to the API server.
    pub(super) fn broken<'s>(&self, schema: &'s JSONSchemaProps, value: &Value) -> Vec<&'s ValidationRule> {
        let rules = schema.x_kubernetes_validations.iter().flatten();
        let mut rules = rules.filter(|rule| !rule.rule.contains(OLD)).peekable();
        if rules.peek().is_none() {
            return Vec::new();
        }
        let mut scope = self.context.new_inner_scope();
        scope.add_variable_from_value("self", as_cel(schema, value));
        rules
            .filter(|rule| {
                let program = self.program(&rule.rule);
                let holds = program.and_then(|program| program.execute(&scope).ok());
                matches!(holds, Some(Cel::Bool(false)))
            })
            .collect()
    }

    fn program(&self, rule: &str) -> Option<Rc<Program>> {
        let known = self.programs.borrow().get(rule).cloned();
        known.unwrap_or_else(|| {
            #[cfg(test)]
            self.compiled.set(self.compiled.get() + 1);
            let compiled = Program::compile(rule).ok().map(Rc::new);
            self.programs
                .borrow_mut()
                .insert(rule.to_owned(), compiled.clone());
            compiled
        })
    }
}

/// A value as rules see it: fields that are words of CEL have underscores around them, and what is null isn't there.
fn as_cel(schema: &JSONSchemaProps, value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => (number.as_i64().map(Cel::Int))
            .or_else(|| number.as_u64().map(Cel::UInt))
            .unwrap_or_else(|| Cel::Float(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) if schema.format.as_deref() == Some("date-time") => {
            as_time(text).unwrap_or_else(|| Cel::String(Arc::new(text.clone())))
        }
        Value::String(text) => Cel::String(Arc::new(text.clone())),
        Value::Array(items) => {
            let none = JSONSchemaProps::default();
            let of_items = match &schema.items {
                Some(JSONSchemaPropsOrArray::Schema(items)) => items.as_ref(),
                _ => &none,
            };
            Cel::List(Arc::new(
                items.iter().map(|item| as_cel(of_items, item)).collect(),
            ))
        }
        Value::Object(fields) => {
            let none = JSONSchemaProps::default();
            let others = match &schema.additional_properties {
                Some(JSONSchemaPropsOrBool::Schema(others)) => others.as_ref(),
                _ => &none,
            };
            let known = schema.properties.as_ref();
            let entries = fields.iter().filter(|(_, value)| !value.is_null());
            let entries = entries.map(|(key, value)| match known.and_then(|known| known.get(key)) {
                Some(field) => (escaped(key), as_cel(field, value)),
                None => (key.clone(), as_cel(others, value)),
            });
            let map: HashMap<Key, Cel> = entries
                .map(|(key, value)| (Key::String(Arc::new(key)), value))
                .collect();
            Cel::Map(Map { map: Arc::new(map) })
        }
    }
}

/// A time in seconds: CEL compares times, and rules of ours do nothing else with them.
fn as_time(text: &str) -> Option<Cel> {
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok().map(Cel::Int)
}

/// The words of CEL that fields of ours are called by.
const RESERVED: [&str; 12] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "if",
    "in",
    "namespace",
    "null",
    "true",
];

fn escaped(name: &str) -> String {
    if RESERVED.contains(&name) {
        format!("__{name}__")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows every schema within one.
    fn each(schema: &JSONSchemaProps, show: &mut dyn FnMut(&JSONSchemaProps)) {
        show(schema);
        let fields = schema.properties.iter().flatten().map(|(_, field)| field);
        fields.for_each(|field| each(field, show));
        if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
            each(items, show);
        }
        if let Some(JSONSchemaPropsOrBool::Schema(others)) = &schema.additional_properties {
            each(others, show);
        }
    }

    #[test]
    fn every_rule_of_our_schemas_can_be_compiled_here() {
        let rules = Rules::default();
        let mut count = 0;
        for crd in crate::api::crds() {
            let schema = crd
                .spec
                .versions
                .into_iter()
                .next()
                .and_then(|version| version.schema);
            let schema = schema
                .and_then(|schema| schema.open_api_v3_schema)
                .expect("a schema");
            each(&schema, &mut |schema| {
                for rule in schema.x_kubernetes_validations.iter().flatten() {
                    // The parser here doesn't know such texts; what a matcher is, its own parser says (`own`).
                    if rule.message.as_deref() == Some(crate::api::matcher::SYNTAX) {
                        continue;
                    }
                    assert!(rules.program(&rule.rule).is_some(), "{}", rule.rule);
                    count += 1;
                }
            });
        }
        assert!(count > 100, "only {count} rules were found");
    }
}
