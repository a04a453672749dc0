//! Pictures of what is printed: kept ones stay as long as they show what is printed now.

use std::collections::BTreeSet;

use alertwright_testbed::picture::{page, terminal};
use regex::Regex;

use super::filled::Filled;
use super::shown::pictures;

/// A picture that is kept, and what it is to be, where that is another one.
pub type Changed = (&'static str, String);

/// How large the page is in its picture.
const SIZE: (usize, usize) = (1000, 820);

/// What a command prints on a terminal: the lines for its page, and its picture if it has one.
pub async fn printed(
    filled: &Filled,
    command: &str,
) -> (Vec<String>, Option<(&'static str, Vec<terminal::Line>)>) {
    let Some(name) = pictures::of(command) else {
        return (filled.desk.types(command).await, None);
    };
    let printed = filled.desk.types(&format!("{command} --color always")).await;
    let lines = terminal::typed(command, &printed.join("\n"));
    let texts = lines.iter().skip(1).map(terminal::Line::text);
    (texts.collect(), Some((name, lines)))
}

/// The picture of lines, where that which is kept has other colours, shows something else than its page, or this says something else now.
pub fn changed(same: bool, name: &'static str, lines: &[terminal::Line], page: &[String]) -> Option<Changed> {
    let kept = pictures::read(name);
    let shows_page = kept
        .iter()
        .skip(1)
        .map(terminal::Line::text)
        .eq(page.iter().cloned());
    let is_kept = same && shows_page && pictures::painted(&kept) == pictures::painted(lines);
    let shown = lines.first().map(terminal::Line::text).unwrap_or_default();
    (!is_kept).then(|| (name, terminal::svg(shown.trim_start_matches("$ "), lines)))
}

/// A page's picture without what is another at each run: numbers and days in its body, and the chart, of which only the parts count.
fn told(picture: &str) -> String {
    let (head, body) = picture.split_once("<body").unwrap_or((picture, ""));
    let (before, rest) = body.split_once("<svg ").unwrap_or((body, ""));
    let (chart, behind) = rest.split_once("</svg>").unwrap_or((rest, ""));
    let parts: BTreeSet<&str> = chart
        .split("class=\"")
        .skip(1)
        .filter_map(|part| part.split('"').next())
        .collect();
    let mut told = format!("{before}{parts:?}{behind}");
    for (text, name) in [
        ("(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ", ""),
        ("[0-9]+(h|m|s)( [0-9]+(m|s))?", "0s"),
        ("[0-9][0-9,.:-]*", "0"),
    ] {
        let pattern = Regex::new(text).expect("a pattern");
        told = pattern.replace_all(&told, name).into_owned();
    }
    head.to_owned() + &told
}

/// The page that `backtest` writes, as a picture, where it is another one than that which is kept.
pub async fn backtest_page(filled: &Filled) -> Option<Changed> {
    let name = "backtest-page";
    let (_, command) = pictures::PICTURES
        .into_iter()
        .find(|(name, _)| *name == "backtest")?;
    let (said, code) = filled.desk.runs(&format!("{command} --html page.html")).await;
    assert_eq!(code, Some(0), "{said}");
    let html = std::fs::read_to_string(filled.desk.path("page.html")).expect("a page");
    let title = format!("The page of {command} --html");
    let now = page(&title, &html, SIZE.0, SIZE.1).expect("a page with a style and a body");
    let kept = std::fs::read_to_string(pictures::path(name)).unwrap_or_default();
    (told(&kept) != told(&now)).then_some((name, now))
}
