//! For people: each with the line that is meant.

use annotate_snippets::{AnnotationKind, Level as Shown, Renderer, Snippet, normalize_untrusted_str};

use super::report::{Entry, Report};
use crate::domain::lint::finding::Level;

/// The longest line that is shown, in bytes. Of a longer one only the place is told.
const LONGEST: usize = 2000;

pub(super) fn all(report: &Report<'_>, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for entry in &report.entries {
        out.push_str(&one(entry, &renderer));
        out.push_str("\n\n");
    }
    out
}

fn one(entry: &Entry<'_>, renderer: &Renderer) -> String {
    let level = match entry.level {
        Level::Error => Shown::ERROR,
        Level::Warning => Shown::WARNING,
        Level::Info => Shown::INFO,
    };
    let title = level
        .primary_title(normalize_untrusted_str(&entry.message))
        .id(entry.rule.name);
    let (start, line) = entry.source.line(entry.spot.start.0);
    let is_short = line.len() <= LONGEST;
    let line = if is_short { line } else { "" };
    let place = |byte: usize| byte.saturating_sub(start).min(line.len());
    let span = place(entry.spot.bytes.0)..place(entry.spot.bytes.1);
    let label = entry.label.as_deref().map(normalize_untrusted_str);
    let snippet = Snippet::source(line)
        .path(entry.source.name.as_str())
        .line_start(entry.spot.start.0)
        .annotation(AnnotationKind::Primary.span(span).label(label));
    renderer.render(&[title.element(snippet)])
}
