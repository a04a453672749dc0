//! Printing, the same for every command: data on standard output, and everything else on standard error.

use std::io::{self, Write};

/// The version of all documents that commands print.
pub(in super::super) const API_VERSION: &str = "cli.alerting.letsrevel.io/v1";

/// Ends as for any wrong arguments.
pub(in super::super) fn wrong(message: &str) -> ! {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, format!("{message}\n")).exit()
}

/// Prints data.
pub(in super::super) fn print(text: &str) -> Result<(), String> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| format!("cannot print what was found: {error}")),
    }
}

/// Says something besides.
pub(in super::super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(text));
}

/// A line of text without what would end it, or what a terminal would take for a command.
pub(in super::super) fn harmless(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

/// Rows below their titles, each column as wide as it must be. The last one is as long as it is.
pub(in super::super) fn table(titles: &[&str], rows: &[Vec<String>], has_titles: bool) -> String {
    let titles: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
    let all: Vec<&Vec<String>> = has_titles.then_some(&titles).into_iter().chain(rows).collect();
    let width = |column: usize| {
        let cells = all.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let mut out = String::new();
    for row in &all {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        out.push_str(harmless(line.join("  ").trim_end()).as_str());
        out.push('\n');
    }
    out
}

/// A text in XML, which has no control characters.
pub(in super::super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_element_or_the_document() {
        assert_eq!(escaped("a<b>&\"\u{1b}\n"), "a&lt;b&gt;&amp;&quot;\u{FFFD}\n");
    }
}
