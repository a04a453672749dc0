//! For people: a line for each resource, and one below it for each field.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;

use super::super::common::print::{columns, harmless, padded};
use super::super::common::terminal::{Look, Paint};
use super::judge::{Row, Sign};
use super::meaning::Meaning;
use crate::domain::routing::difference::Difference;

/// The longest value that is told in the line of its field.
const LONGEST: usize = 48;

/// The widest that the names of resources, or of fields, make their column.
const WIDEST: usize = 44;

/// How many lines are told of what a change of routes means.
const MEANINGS: usize = 10;

pub(super) fn all(rows: &[Row], shows_equal: bool, look: Look) -> String {
    let namespaces: BTreeSet<&str> = rows.iter().map(|row| row.name.namespace.as_str()).collect();
    let shown: Vec<&Row> = rows
        .iter()
        .filter(|row| shows_equal || row.sign != Sign::Equal)
        .collect();
    let named = |row: &Row| match namespaces.len() {
        0 | 1 => format!("{}/{}", row.name.kind, row.name.name),
        _ => format!("{}/{}/{}", row.name.kind, row.name.namespace, row.name.name),
    };
    let width = width(shown.iter().map(|row| named(row)));
    let mut out = String::new();
    for row in shown {
        let about = row
            .message
            .as_ref()
            .or(row.place.as_ref())
            .map_or("", String::as_str);
        out.push_str(&look.painted(row.sign.mark(), paint(row.sign)));
        line(&mut out, &format!(" {}  {about}", padded(&named(row), width)));
        fields(&mut out, &row.differences);
        routing(&mut out, &row.routing);
    }
    out
}

const fn paint(sign: Sign) -> Paint {
    match sign {
        Sign::Create => Paint::Green,
        Sign::Change | Sign::Suspended | Sign::Unknown => Paint::Yellow,
        Sign::Delete | Sign::Refused => Paint::Red,
        Sign::Equal => Paint::Dim,
    }
}

fn line(out: &mut String, text: &str) {
    let _ = writeln!(out, "{}", harmless(text.trim_end()));
}

fn width(names: impl Iterator<Item = String>) -> usize {
    let lengths = names.map(|name| columns(&name));
    lengths
        .filter(|length| *length <= WIDEST)
        .max()
        .unwrap_or_default()
}

fn fields(out: &mut String, differences: &[Difference]) {
    let width = width(differences.iter().map(|one| one.field.clone()));
    for one in differences {
        let field = format!("    {}", padded(&one.field, width));
        if let Some((before, after)) = several_lines(one) {
            line(out, &field);
            let (before, after) = changed(&before, &after);
            for text in before {
                line(out, &format!("      - {text}"));
            }
            for text in after {
                line(out, &format!("      + {text}"));
            }
            continue;
        }
        match (shown(one.before.as_ref()), shown(one.after.as_ref())) {
            (None, None) => line(out, &format!("{field}  differs")),
            (None, Some(after)) => line(out, &format!("{field}  + {after}")),
            (Some(before), None) => line(out, &format!("{field}  - {before}")),
            (Some(before), Some(after)) if before.chars().count() + after.chars().count() <= LONGEST => {
                line(out, &format!("{field}  {before} → {after}"));
            }
            (Some(before), Some(after)) => {
                line(out, &format!("{field}  {before}"));
                line(
                    out,
                    &format!(
                        "{:indent$}→ {after}",
                        "",
                        indent = 4 + width.max(columns(&one.field))
                    ),
                );
            }
        }
    }
}

/// A value in a line: plain where nobody can mistake it, else in quotes.
fn shown(value: Option<&Value>) -> Option<String> {
    Some(match value? {
        Value::String(text) => {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:%()".contains(c);
            if !text.is_empty() && text.chars().all(is_plain) {
                text.clone()
            } else {
                format!("{text:?}")
            }
        }
        Value::Array(items) => {
            let items: Vec<_> = items
                .iter()
                .filter_map(|item| match item {
                    Value::String(text) => Some(text.clone()),
                    other => shown(Some(other)),
                })
                .collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    })
}

/// Texts of several lines.
fn several_lines(one: &Difference) -> Option<(String, String)> {
    let text = |value: &Option<Value>| match value {
        None => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
    };
    let (before, after) = (text(&one.before)?, text(&one.after)?);
    let is_long = |text: &str| text.trim_end().contains('\n');
    (is_long(&before) || is_long(&after)).then_some((before, after))
}

/// The lines of two texts without those at both ends that are the same.
fn changed<'a>(before: &'a str, after: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut old, mut new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    while old.last().is_some_and(|last| new.last() == Some(last)) {
        old.pop();
        new.pop();
    }
    let same = old
        .iter()
        .zip(&new)
        .take_while(|(one, other)| one == other)
        .count();
    (old.split_off(same), new.split_off(same))
}

fn routing(out: &mut String, all: &[Meaning]) {
    let labels = |meaning: &Meaning| {
        let all: Vec<_> = meaning
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        match all.as_slice() {
            [] => "(no labels)".to_owned(),
            all => all.join(", "),
        }
    };
    let shown = all.iter().take(MEANINGS);
    let width = width(shown.clone().map(labels));
    for meaning in shown {
        let names = |all: &[String]| {
            if all.is_empty() {
                "nobody".to_owned()
            } else {
                all.join(", ")
            }
        };
        let count = match meaning.rules {
            1 => String::new(),
            many => format!("  ({many} rules)"),
        };
        line(
            out,
            &format!(
                "      {}   {} → {}{count}",
                padded(&labels(meaning), width),
                names(&meaning.before),
                names(&meaning.after)
            ),
        );
    }
    let further = all.len().saturating_sub(MEANINGS);
    if further > 0 {
        line(out, &format!("      and {further} more: -o json has all of them"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(all: &[(&str, Value, Value)]) -> String {
        let value = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
        let all: Vec<_> = all
            .iter()
            .map(|(field, before, after)| Difference {
                field: (*field).to_owned(),
                before: value(before),
                after: value(after),
            })
            .collect();
        let mut out = String::new();
        fields(&mut out, &all);
        out
    }

    #[test]
    fn fields_stand_below_each_other_and_long_values_too() {
        let long = "High error rate detected: {{ $value }} errors/sec";
        assert_eq!(
            told(&[
                ("for", json!("2m"), json!("5m")),
                ("annotations.summary", json!(long), json!("High error rate")),
                ("labels.team", json!(null), json!("pay")),
                ("groupBy", json!(["a", "b"]), json!(null)),
                ("slack", json!(null), json!(null)),
            ]),
            format!(
                "    for                  2m → 5m\n    annotations.summary  {long:?}\n                       → \"High error rate\"\n    labels.team          + pay\n    groupBy              - [a, b]\n    slack                differs\n"
            )
        );
    }

    #[test]
    fn of_a_text_with_several_lines_those_are_told_that_differ() {
        let all = told(&[("template", json!("a\nb\nc"), json!("a\nx\u{1b}\nc"))]);
        assert_eq!(all, "    template\n      - b\n      + x\u{fffd}\n");
    }
}
