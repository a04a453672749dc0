//! Texts that the parsers of the domain can't read, each with the very place.

use super::finding::{DURATION, Finding, MATCHER, Part, TEMPLATE, byte_at};
use super::path::Path;
use crate::api::duration::{self, Duration};
use crate::api::matcher::{self, Matcher, MatcherText};
use crate::domain::rule::template::TemplateError;

/// What is wrong with a text that should be a duration.
pub(super) fn of_duration(at: usize, path: Path, text: &str) -> Finding {
    let problem = Duration::parse(text).err();
    let said = problem.map_or_else(|| duration::SYNTAX.to_owned(), |problem| problem.to_string());
    Finding::new(&DURATION, at, path, said)
}

/// What is wrong with a text that should be a matcher.
pub(super) fn of_matcher(at: usize, path: Path, text: &str) -> Finding {
    let Err(problem) = Matcher::parse(text) else {
        return Finding::new(&MATCHER, at, path, matcher::SYNTAX);
    };
    let byte = problem.position().map(|position| {
        let before = text.char_indices().nth(position.saturating_sub(1));
        before.map_or(text.len(), |(byte, _)| byte)
    });
    let finding = Finding::new(&MATCHER, at, path, problem.to_string());
    match byte {
        Some(byte) => finding.at(Part::Byte(byte)),
        None => finding,
    }
}

/// The matchers of a list that can't be read.
pub(super) fn of_matchers(at: usize, list: &Path, matchers: &[MatcherText], found: &mut Vec<Finding>) {
    for (i, text) in matchers.iter().enumerate() {
        if Matcher::parse(text.as_str()).is_err() {
            found.push(of_matcher(at, list.index(i), text.as_str()));
        }
    }
}

/// What was said of a template.
pub(super) fn of_template(
    at: usize,
    path: Path,
    text: &str,
    read: Result<(), TemplateError>,
) -> Option<Finding> {
    let error = read.err()?;
    let byte = byte_at(text, error.line, error.column);
    Some(Finding::new(&TEMPLATE, at, path, error.problem.to_string()).at(Part::Byte(byte)))
}
