//! Documents for programs that people look at too: on a terminal no text in them moves the cursor or turns the direction of what is shown.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::print::{is_harmful, turns};

/// A document in JSON, with what a terminal would obey written as escapes.
pub(in super::super) fn as_json(document: &Value) -> String {
    let text = format!("{document:#}\n");
    let mut out = String::with_capacity(text.len());
    // Outside of texts there are spaces and ends of lines alone.
    for c in text.chars() {
        if c != '\n' && is_harmful(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// A document, as it is printed in JSON, in YAML.
pub(in super::super) fn as_yaml(json: &str) -> Result<String, String> {
    let document: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    to_yaml(&document)
}

/// Anything in YAML, with what a terminal would obey written as escapes.
pub(in super::super) fn to_yaml(value: &impl Serialize) -> Result<String, String> {
    let write = |value: &Value| {
        serde_saphyr::to_string(value)
            .map_err(|error| format!("cannot write what was found as YAML: {error}"))
    };
    // Control characters are escapes already; what turns the direction is a letter like others there.
    let text = serde_saphyr::to_string(value)
        .map_err(|error| format!("cannot write what was found as YAML: {error}"))?;
    if !text.contains(turns) {
        return Ok(text);
    }
    let mut document = serde_json::to_value(value).map_err(|error| error.to_string())?;
    let sign = sign(&text);
    exchange(&mut document, &|text| stand_in(text, &sign));
    let mut text = write(&document)?;
    let shown = format!("\\uFFFE{sign}");
    for code in TURNING {
        let end = format!("{code:04x}");
        text = text.replace(&format!("{shown}{end}"), &format!("\\u{end}"));
    }
    Ok(text)
}

/// The characters that turn the direction.
const TURNING: [u32; 9] = [
    0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
];

/// A sign that the text doesn't have.
fn sign(text: &str) -> String {
    let mut sign = "x".to_owned();
    while text.contains(&format!("uFFFE{sign}")) || text.contains(&format!("\u{fffe}{sign}")) {
        sign.push('x');
    }
    sign
}

/// The text with a character before each that turns it, for which YAML has no letter, so that the text is written with escapes.
fn stand_in(text: &str, sign: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if turns(c) {
            let _ = write!(out, "\u{fffe}{sign}{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Puts others in the place of all texts, keys too.
fn exchange(value: &mut Value, with: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = with(text),
        Value::Array(items) => items.iter_mut().for_each(|item| exchange(item, with)),
        Value::Object(fields) => {
            let old = std::mem::take(fields);
            for (key, mut value) in old {
                exchange(&mut value, with);
                fields.insert(with(&key), value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::print::API_VERSION;
    use super::*;

    /// Texts that would deceive whoever looks at a terminal.
    fn deceiving() -> Value {
        json!({
            "apiVersion": API_VERSION,
            "a\u{202e}key": ["x\u{1b}[2J", "\u{9b}2J", "\u{7f}", "fine"],
            "turned": "admin\u{202e}txt.exe\u{202c}",
            "isolated": "\u{2066}a: b\u{2069} # \"no\"\nsecond line \\uFFFEx202e",
            "lines": "a\u{85}b\u{2028}c",
            "plain": "a: b – ä 支",
            "like": "uFFFEx \u{fffe}x202e",
        })
    }

    #[test]
    fn a_document_in_json_has_nothing_that_a_terminal_obeys_and_says_the_same() {
        let text = as_json(&deceiving());
        assert!(!text.contains(|c| c != '\n' && is_harmful(c)), "{text:?}");
        assert!(text.contains("admin\\u202etxt.exe\\u202c"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), deceiving());
    }

    #[test]
    fn a_document_in_yaml_has_nothing_that_a_terminal_obeys_and_says_the_same() {
        let text = as_yaml(&as_json(&deceiving())).unwrap();
        assert!(!text.contains(|c| c != '\n' && is_harmful(c)), "{text:?}");
        assert!(text.contains("\"admin\\u202etxt.exe\\u202c\""), "{text}");
        assert_eq!(
            serde_saphyr::from_str::<Value>(&text).unwrap(),
            deceiving(),
            "{text}"
        );
    }

    #[test]
    fn a_document_in_yaml_is_the_one_in_json() {
        let document = json!({"apiVersion": API_VERSION, "all": [{"a": "yes", "b": "1", "c": null, "d": "x\u{1b}[2J\ny: z\u{85}"}]});
        let text = as_yaml(&document.to_string()).unwrap();
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, document, "{text}");
    }
}
