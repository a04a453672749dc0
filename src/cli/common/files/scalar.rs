//! What a text in YAML means, as kubectl reads it: by YAML 1.1, where `yes` and `on` are true.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

use super::document::Style;

/// A number with a fraction or an exponent.
static FLOAT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$").ok());

/// What a plain text means.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Value::Bool(true);
        }
        "false" | "False" | "FALSE" | "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    let begins = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.');
    if !text.starts_with(begins) {
        return Value::String(text.to_owned());
    }
    integer(text)
        .or_else(|| float(text))
        .map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

/// Whether a plain text is a number in YAML that JSON has none for. An API server gets JSON, so kubectl refuses the whole document.
pub(super) fn is_beyond_json(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

fn integer(text: &str) -> Option<Number> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (radix, digits) = if let Some(digits) = digits.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = digits.strip_prefix("0b") {
        (2, digits)
    } else if let Some(digits) = digits.strip_prefix("0o") {
        (8, digits)
    } else if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) {
        (8, digits)
    } else {
        (10, digits)
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let signed = i64::from_str_radix(&format!("{sign}{digits}"), radix).ok();
    signed.map(Number::from).or_else(|| {
        u64::from_str_radix(digits, radix)
            .ok()
            .filter(|_| sign.is_empty())
            .map(Number::from)
    })
}

fn float(text: &str) -> Option<Number> {
    let is_float = FLOAT.as_ref()?.is_match(text);
    let number = is_float
        .then(|| text.replace('_', "").parse::<f64>().ok())
        .flatten()?;
    Number::from_f64(number)
}

/// Where a byte of a value stands in the file. `source` is what is written, from `span` on.
///
/// Folding, indentation and the breaks of lines change nothing but space, so what isn't space is counted: the same in the value and in
/// what is written, but for escapes.
pub(super) fn place(source: &str, span: &Range<usize>, style: Style, value: &str, byte: usize) -> usize {
    let before = value.get(..byte).unwrap_or(value);
    let wanted = before.chars().filter(|c| !c.is_whitespace()).count();
    let is_at_space = value
        .get(byte..)
        .and_then(|rest| rest.chars().next())
        .is_none_or(char::is_whitespace);
    let mut written = Written::new(source, span, style);
    let mut last = written.at;
    for _ in 0..wanted {
        let Some((_, end)) = written.next_solid() else {
            return last;
        };
        last = end;
    }
    if is_at_space {
        // As many spaces on as in the value, if the line goes so far.
        let spaces = before.len() - before.trim_end_matches(' ').len();
        let rest = source.get(last..span.end).unwrap_or_default();
        let there = rest.len() - rest.trim_start_matches(' ').len();
        return last + spaces.min(there);
    }
    written.next_solid().map_or(last, |(start, _)| start)
}

/// What is written of a value, character by character.
struct Written<'a> {
    source: &'a str,
    at: usize,
    end: usize,
    style: Style,
}

impl<'a> Written<'a> {
    fn new(source: &'a str, span: &Range<usize>, style: Style) -> Self {
        let text = source.get(span.clone()).unwrap_or_default();
        let skipped = match style {
            Style::SingleQuoted | Style::DoubleQuoted => text.find(['"', '\'']).map_or(0, |at| at + 1),
            // The header: | or > and what belongs to it, to the end of its line.
            Style::Block if text.starts_with(['|', '>']) => text.find('\n').map_or(text.len(), |at| at + 1),
            Style::Plain | Style::Block => 0,
        };
        Self {
            source,
            at: span.start + skipped,
            end: span.end,
            style,
        }
    }

    /// The next character that isn't space: where it begins, and what is behind it.
    fn next_solid(&mut self) -> Option<(usize, usize)> {
        loop {
            let rest = self.source.get(self.at..self.end)?;
            let c = rest.chars().next()?;
            let start = self.at;
            let (length, is_space) = match (self.style, c) {
                (Style::DoubleQuoted, '\\') => escape(rest),
                (Style::SingleQuoted, '\'') => (2, false),
                _ => (c.len_utf8(), c.is_whitespace()),
            };
            self.at += length;
            if !is_space {
                return Some((start, self.at));
            }
        }
    }
}

/// How long an escape is, and whether it stands for space.
fn escape(rest: &str) -> (usize, bool) {
    let kind = rest.chars().nth(1);
    let length = match kind {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        Some(other) => 1 + other.len_utf8(),
        None => 1,
    };
    (
        length.min(rest.len()),
        matches!(
            kind,
            Some('n' | 't' | 'r' | ' ' | '\n' | '\r' | 'N' | '_' | 'L' | 'P' | 'v' | 'f')
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_texts_mean_what_kubectl_makes_of_them() {
        for (text, expected) in [
            ("5", json!(5)),
            ("-5", json!(-5)),
            ("0x1f", json!(31)),
            ("010", json!(8)),
            ("1_000", json!(1000)),
            ("0.5", json!(0.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("yes", json!(true)),
            ("off", json!(false)),
            ("~", json!(null)),
            ("", json!(null)),
            ("5m", json!("5m")),
            ("1.2.3", json!("1.2.3")),
            ("-", json!("-")),
            ("+", json!("+")),
            ("2026-03-01", json!("2026-03-01")),
            ("y", json!(true)),
            ("Y", json!(true)),
            ("n", json!(false)),
            ("N", json!(false)),
            ("yEs", json!("yEs")),
            ("18446744073709551615", json!(u64::MAX)),
        ] {
            assert_eq!(resolve(text), expected, "{text}");
        }
    }
}
