//! Checks, for people and for programs.

use std::fmt::Write;

use serde_json::json;

use super::super::common::document::as_json;
use super::super::common::print::{API_VERSION, columns, harmless, padded};
use super::verdict::{Check, Verdict};

pub(super) fn text(checks: &[Check], has_color: bool) -> String {
    let widths = checks.iter().map(|check| columns(&check.name));
    let width = widths.max().unwrap_or_default();
    let mut out = String::new();
    for check in checks {
        let (mark, color) = match check.verdict {
            Verdict::Good => ('✓', 32),
            Verdict::Doubt => ('!', 33),
            Verdict::Bad => ('✗', 31),
        };
        let cure = check.cure.as_ref().map(|cure| format!(" → {cure}"));
        let line = format!(
            "{}  {}{}",
            padded(&check.name, width),
            check.message,
            cure.unwrap_or_default()
        );
        let line = harmless(&line.replace('\n', " "));
        let _ = if has_color {
            writeln!(out, "\u{1b}[{color}m{mark}\u{1b}[0m {line}")
        } else {
            writeln!(out, "{mark} {line}")
        };
    }
    out
}

pub(super) fn json(checks: &[Check]) -> String {
    let each = checks.iter().map(|check| {
        let verdict = match check.verdict {
            Verdict::Good => "ok",
            Verdict::Doubt => "warning",
            Verdict::Bad => "failed",
        };
        json!({"name": check.name, "verdict": verdict, "message": check.message, "cure": check.cure})
    });
    let all: Vec<_> = each.collect();
    as_json(&json!({"apiVersion": API_VERSION, "kind": "DoctorReport", "checks": all}))
}
