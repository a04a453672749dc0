//! Commands of GitHub's workflows: each finding is shown at its line.

use std::fmt::Write;

use super::report::Report;
use crate::domain::lint::finding::Level;

pub(super) fn all(report: &Report<'_>) -> String {
    let mut out = String::new();
    for entry in &report.entries {
        let command = match entry.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Info => "notice",
        };
        let _ = writeln!(
            out,
            "::{command} file={},line={},endLine={},col={},endColumn={},title={}::{}",
            property(&entry.source.name),
            entry.spot.start.0,
            entry.spot.end.0,
            entry.spot.start.1,
            entry.spot.end.1,
            property(entry.rule.name),
            data(&entry.message),
        );
    }
    out
}

/// A text after the command: what ends a line would begin another command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A text within the command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_begin_a_command_of_its_own() {
        assert_eq!(data("a\n::add-mask::100%"), "a%0A::add-mask::100%25");
        assert_eq!(property("a:b,c\r"), "a%3Ab%2Cc%0D");
    }
}
