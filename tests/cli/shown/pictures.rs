//! Pictures in `docs/pictures` of what commands print in a cluster, on a terminal with colours.

use std::path::PathBuf;

use alertwright_testbed::picture::{folder, terminal};
use regex::Regex;

use super::masks;

/// A picture's name, and the command that it shows. A page of `docs/cli` shows the same in words.
pub const PICTURES: [(&str, &str); 3] = [
    ("status", "kubectl alertwright status -n revel"),
    (
        "route",
        "kubectl alertwright route -n revel --rule gdpr-export-failures --tree",
    ),
    (
        "backtest",
        "kubectl alertwright backtest -n revel stripe-payment-failures --since 7d --for 10m --compare",
    ),
];

/// The picture of a command, if there is one.
pub fn of(command: &str) -> Option<&'static str> {
    PICTURES
        .into_iter()
        .find_map(|(name, shown)| (shown == command).then_some(name))
}

/// Where a picture is kept.
pub fn path(name: &str) -> PathBuf {
    folder().join(format!("{name}.svg"))
}

/// What a kept picture shows, and nothing where there is none.
pub fn read(name: &str) -> Vec<terminal::Line> {
    terminal::read(&std::fs::read_to_string(path(name)).unwrap_or_default())
}

/// What stands out in lines, and how, without what is another at each run.
pub fn painted(lines: &[terminal::Line]) -> Vec<(String, Vec<String>)> {
    // Where cells of a table are painted one by one, their column isn't known.
    let length = Regex::new("^[0-9][0-9.]*(ms|s|m|h|d)( ?[0-9]+(s|m|h|d))*$").expect("a pattern");
    let told = |(class, text): (&str, &str)| {
        let text = if length.is_match(text) { "0s" } else { text };
        (class.to_owned(), masks::masked(&[text.to_owned()]))
    };
    lines.iter().flat_map(terminal::Line::painted).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_compared_without_the_times_that_have_them() {
        let of = |printed: &str| painted(&terminal::lines(printed));
        let standing = "\u{1b}[2ma/b\u{1b}[0m  \u{1b}[2m119s\u{1b}[0m  \u{1b}[2muntil 15:24 by a/b\u{1b}[0m";
        assert_eq!(
            of(&standing.replace("119s", "2m30s").replace("15:24", "09:01")),
            of(standing)
        );
        assert_ne!(of(&standing.replace("119s", "–")), of(standing));
        assert_ne!(of(&standing.replace("[2ma", "[31ma")), of(standing));
    }
}
