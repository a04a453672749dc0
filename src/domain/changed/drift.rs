//! What somebody has changed in Grafana since it was stored there as it is wished, told field by field.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What is said of an object that is gone from Grafana.
pub const DELETED: &str = "deleted";

/// A fingerprint of what is wished; another wish has another one.
pub fn code(wish: &impl Serialize) -> String {
    let text = serde_json::to_vec(wish).unwrap_or_default();
    let hash = Sha256::digest(text);
    data_encoding::HEXLOWER.encode(hash.get(..8).unwrap_or_default())
}

/// The fields of the wish that matter and that are others in what was found. `matters` says of the wish, with one field as it was found, whether
/// it is another wish.
pub fn fields(wish: &Value, found: &Value, matters: impl Fn(&Value) -> bool) -> Vec<String> {
    let none = Map::new();
    let (wish, found) = (
        wish.as_object().unwrap_or(&none),
        found.as_object().unwrap_or(&none),
    );
    let names: BTreeSet<&String> = wish.keys().chain(found.keys()).collect();
    let differs = |name: &&&String| {
        let mut other = wish.clone();
        match found.get(**name) {
            Some(value) => drop(other.insert((**name).clone(), value.clone())),
            None => drop(other.remove(**name)),
        }
        wish.get(**name) != found.get(**name) && matters(&Value::Object(other))
    };
    names.iter().filter(differs).map(|name| (*name).clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_named_where_what_was_found_would_be_another_wish() {
        let wish = json!({"a": 1, "b": [1], "c": "x", "e": null});
        let found = json!({"a": 2, "b": [1], "d": true});
        assert_eq!(fields(&wish, &found, |_| true), ["a", "c", "d", "e"]);
        assert_eq!(fields(&wish, &found, |other| other.get("c").is_none()), ["c"]);
        assert_eq!(code(&wish), code(&wish.clone()));
        assert_ne!(code(&wish), code(&found));
    }
}
