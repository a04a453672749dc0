//! The schema of routes within routes.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::super::matcher::{SHORT_PATTERN, SYNTAX};

/// How deep routes may be nested below the root. An OpenAPI schema can't refer to itself, so it is written out to here.
pub const MAX_DEPTH: usize = 5;

/// How deep routes have CEL rules: an API server multiplies a rule's cost by `maxItems` at every level and refuses the whole type when
/// the product is too high.
const CEL_DEPTH: usize = 3;

/// The same for durations and `groupBy`, whose rules cost more.
const DURATION_DEPTH: usize = 2;

/// The same for matchers, whose rules cost the most, and are in short even there.
const MATCHER_DEPTH: usize = 1;

/// The rules of a matcher. A route may ask for the operator's own label, so only the syntax is left.
const MATCHER_RULES: &str = "/properties/matchers/items/x-kubernetes-validations";

const DURATIONS: [&str; 4] = [
    "/properties/groupWait",
    "/properties/groupInterval",
    "/properties/repeatInterval",
    "/properties/groupBy",
];

/// The schema of a list of routes with `depth` levels in it; below the last one anything may stand, and the operator refuses it.
pub(super) fn routes<R: JsonSchema>(generator: &mut SchemaGenerator, depth: usize) -> Schema {
    let deepest = json!({
        "type": "array",
        "description": format!("Routes can be nested {MAX_DEPTH} levels deep. Default: none."),
        "items": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
    });
    if depth == 0 {
        return Schema::try_from(deepest).unwrap_or_default();
    }
    let route = R::json_schema(generator).to_value();
    let schema = (1..=depth).fold(deepest, |below, level| {
        let mut item = route.clone();
        without_costly_cel(&mut item, depth - level);
        if let Some(routes) = item.pointer_mut("/properties/routes") {
            *routes = below;
        }
        let description = if level == depth {
            "Routes, tried in this order; the first that matches takes the alert unless it says `continue`. Default: none."
        } else {
            "Routes below this one. Default: none."
        };
        json!({ "type": "array", "maxItems": 64, "description": description, "items": item })
    });
    Schema::try_from(without_defaults(schema)).unwrap_or_default()
}

/// Takes away the rules of a route so far below the first ones (0) that an API server couldn't afford. The operator checks all the same.
fn without_costly_cel(route: &mut Value, below: usize) {
    let paths: &[&str] = match below {
        0..DURATION_DEPTH => &[],
        DURATION_DEPTH..CEL_DEPTH => &DURATIONS,
        _ => &[
            "",
            "/properties/receiverRef",
            DURATIONS[0],
            DURATIONS[1],
            DURATIONS[2],
            DURATIONS[3],
        ],
    };
    let references: &[&str] = match below {
        0 => &[],
        _ => &[
            "/properties/muteTimeIntervalRefs/items",
            "/properties/activeTimeIntervalRefs/items",
        ],
    };
    let matchers: &[&str] = match below {
        0..MATCHER_DEPTH => &[],
        _ => &["/properties/matchers/items"],
    };
    if let Some(rules) = route.pointer_mut(MATCHER_RULES) {
        *rules = json!([{ "rule": format!("self.matches(r'''{SHORT_PATTERN}''')"), "message": SYNTAX }]);
    }
    for path in paths.iter().chain(references).chain(matchers) {
        if let Some(Value::Object(schema)) = route.pointer_mut(path) {
            schema.remove("x-kubernetes-validations");
        }
    }
}

/// Nothing is defaulted by the API server, so that what users wrote is what they read.
fn without_defaults(mut schema: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Object(map) => {
                if map.contains_key("type") {
                    map.remove("default");
                }
                map.values_mut().for_each(walk);
            }
            Value::Array(items) => items.iter_mut().for_each(walk),
            _ => {}
        }
    }
    walk(&mut schema);
    schema
}
