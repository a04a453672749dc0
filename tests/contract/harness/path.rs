//! Where something is in a JSON body: `/rules/0/title`, `/uid=abc/provenance`, `/*/name`.

use serde_json::Value;

/// All values at a path, in their order.
///
/// A step is a key, an index, `key=value` for the entries of a list that have this (`spec.title=x` where it is deeper), or `*` for every entry. `~1` is a
/// slash, `~0` a tilde, as in a JSON pointer.
pub fn find<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let steps = path.split('/').skip(1);
    steps.fold(vec![value], |found, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        found.into_iter().flat_map(|value| one(value, &step)).collect()
    })
}

fn one<'a>(value: &'a Value, step: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(map) if step == "*" => map.values().collect(),
        Value::Object(map) => map.get(step).into_iter().collect(),
        Value::Array(list) if step == "*" => list.iter().collect(),
        Value::Array(list) => {
            if let Some((key, wanted)) = step.split_once('=') {
                let key = format!("/{}", key.replace('.', "/"));
                let has = |entry: &&Value| entry.pointer(&key).is_some_and(|found| is(found, wanted));
                return list.iter().filter(has).collect();
            }
            let index = step.parse::<usize>().ok();
            index.and_then(|index| list.get(index)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn is(value: &Value, text: &str) -> bool {
    match value {
        Value::String(value) => text == value,
        Value::Number(number) => number.to_string() == *text,
        _ => false,
    }
}

/// Whether a body contains another: objects may have more keys, lists are as long, everything else is equal.
pub fn contains(body: &Value, wanted: &Value) -> bool {
    match (body, wanted) {
        (Value::Object(body), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| body.get(key).is_some_and(|body| contains(body, wanted))),
        (Value::Array(body), Value::Array(wanted)) => {
            body.len() == wanted.len()
                && body
                    .iter()
                    .zip(wanted)
                    .all(|(body, wanted)| contains(body, wanted))
        }
        _ => body == wanted,
    }
}
