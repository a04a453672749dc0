//! Documents for programs that people look at too: on a terminal no text in them moves the cursor or turns the direction of what is shown.

use std::fmt::{Display, Write};

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

/// Anything in YAML, with what a terminal would obey written as escapes: where text would turn the direction, in JSON, which is YAML too.
pub(in super::super) fn to_yaml(value: &impl Serialize) -> Result<String, String> {
    let failed = |error: &dyn Display| format!("cannot write what was found as YAML: {error}");
    // Control characters are escapes already; what turns the direction is a letter like others there.
    let text = serde_saphyr::to_string(value).map_err(|error| failed(&error))?;
    if !text.contains(turns) {
        return Ok(text);
    }
    let document = serde_json::to_value(value).map_err(|error| failed(&error))?;
    Ok(as_json(&document))
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
            "isolated": "\u{2066}a: b\u{2069} # \"no\"\nsecond line",
            "lines": "a\u{85}b\u{2028}c",
            "plain": "a: b – ä 支",
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
