//! The tree, drawn, with what became of the alert at each route.

use std::fmt::Write;

use super::super::common::print::harmless;
use super::super::common::terminal::{Look, Paint};
use super::text::{inhibited, silenced};
use crate::domain::routing::answer::{Answer, Said, Stop};

pub(super) fn all(answers: &[Answer], look: Look) -> String {
    let trees: Vec<String> = answers
        .iter()
        .map(|answer| {
            let title = if answers.len() > 1 {
                harmless(&answer.alert) + "\n"
            } else {
                String::new()
            };
            format!(
                "{title}{}{}{}",
                one(answer, look),
                silenced(answer),
                inhibited(answer)
            )
        })
        .collect();
    trees.join("\n")
}

fn one(answer: &Answer, look: Look) -> String {
    let mut out = String::new();
    let Some(root) = &answer.routes else {
        for told in &answer.contact_points {
            let line = format!("{} {} → {}", told.by.resource, told.by.field, told.contact_point);
            let _ = writeln!(out, "{}", harmless(&line));
        }
        return out;
    };
    let taken = if root.verdict == Said::Takes {
        ", told: no route takes the alert"
    } else {
        ""
    };
    let title = format!("{} → {}{taken}", root.at.resource, root.contact_point);
    let _ = writeln!(out, "{}", look.painted(&title, Paint::Bold));
    below(root, "", look, &mut out);
    out
}

fn below(stop: &Stop, indent: &str, look: Look, out: &mut String) {
    let last = stop.routes.len().saturating_sub(1);
    for (i, route) in stop.routes.iter().enumerate() {
        let (corner, further) = if i == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let line = line(stop, route);
        let line = match route.verdict {
            Said::Takes => look.painted(&line, Paint::Green),
            Said::Passes => harmless(&line),
            Said::Misses | Said::NotReached => look.painted(&line, Paint::Dim),
        };
        let _ = writeln!(out, "{indent}{corner}{line}");
        below(route, &format!("{indent}{further}"), look, out);
    }
}

fn line(above: &Stop, route: &Stop) -> String {
    let sign = match route.verdict {
        Said::Takes => "✓",
        Said::Passes => "↓",
        Said::Misses => "✗",
        Said::NotReached => " ",
    };
    let matchers = if route.matchers.is_empty() {
        "(all)".to_owned()
    } else {
        route.matchers.join(", ")
    };
    let mut line = format!("{sign} {matchers} → {}", route.contact_point);
    // A branch says whose it is, which the tree that it stands in doesn't.
    if route.at.resource != above.at.resource {
        let _ = write!(line, " [{}", route.at.resource);
        if let Some(namespace) = route.namespace.as_ref().filter(|namespace| !namespace.is_empty()) {
            let _ = write!(line, ", alerts of namespace {namespace}");
        }
        line.push(']');
    }
    match (route.verdict, route.continues) {
        (Said::Takes | Said::Passes, true) => line.push_str(", continues"),
        (Said::Takes | Said::Passes, false) => line.push_str(", stops here"),
        (Said::Misses, _) => {
            let _ = write!(line, ": {}", route.why.as_deref().unwrap_or_default());
        }
        (Said::NotReached, _) => line.push_str(": not reached"),
    }
    line
}
