//! All rules.

use std::fmt::Write;

use crate::domain::lint::finding::RULES;

/// A line for each rule, with its level.
pub(super) fn rules() -> String {
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    let mut out = format!("{:width$}  LEVEL    WHAT IT FINDS\n", "RULE");
    for rule in RULES {
        let level = rule.level.to_string();
        let _ = writeln!(out, "{:width$}  {level:7}  {}", rule.name, rule.about);
    }
    out
}
