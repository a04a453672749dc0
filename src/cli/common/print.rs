//! Printing, the same for every command: data on standard output, and everything else on standard error.

use std::fmt::Write as _;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

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

/// Says lines besides in which there is nothing harmful, and maybe colours.
pub(in super::super) fn aside(lines: &str) {
    let _ = io::stderr().lock().write_all(lines.as_bytes());
}

/// A line of text without what would end it, or what a terminal would take for a command.
pub(in super::super) fn harmless(text: &str) -> String {
    text.replace(is_harmful, "\u{fffd}")
}

/// Whether it is a control character, or one of those beside them that end a line of YAML, or turn the direction of what is shown.
pub(in super::super) fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') || turns(c)
}

/// Whether it turns the direction of what is shown.
pub(in super::super) const fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many columns of a terminal a text takes: two for a wide letter, as Chinese has them, and none for what is drawn over another one.
pub(in super::super) fn columns(text: &str) -> usize {
    harmless(text).width()
}

/// A text with spaces behind it, where it takes less than so many columns.
pub(in super::super) fn padded(text: &str, width: usize) -> String {
    let room = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(room))
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
            c if turns(c) => {
                let _ = write!(out, "&#x{:X};", u32::from(c));
            }
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
    fn no_text_ends_its_line_or_turns_it_round() {
        let given = "a\u{85}b\u{2028}c\u{202e}d\u{2069}e\nf – ä";
        let expected = "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f – ä";
        assert_eq!(harmless(given), expected);
    }

    #[test]
    fn no_text_ends_its_element_or_the_document() {
        assert_eq!(
            escaped("a<b>&\"\u{1b}\n\u{202e}"),
            "a&lt;b&gt;&amp;&quot;\u{FFFD}\n&#x202E;"
        );
    }
}
