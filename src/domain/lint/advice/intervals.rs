//! Intervals of a rule that don't fit its other times.

use std::time::Duration;

use super::super::finding::{Finding, INTERVAL, Level};
use super::super::path::Path;
use crate::api::alert_rule::AlertRuleSpec;
use crate::api::duration::{Duration as Text, format};
use crate::domain::rule;

pub(super) fn check(at: usize, spec: &AlertRuleSpec) -> Vec<Finding> {
    let Ok(interval) = rule::interval(spec) else {
        return Vec::new();
    };
    let path = if spec.interval.is_some() {
        "spec.interval"
    } else {
        "spec.query"
    };
    let mut found = Vec::new();
    let finding = |path: &str, message: String| Finding::new(&INTERVAL, at, Path::parse(path), message);
    let base = rule::base_interval(Duration::ZERO);
    if interval.is_zero() || interval.as_nanos() % base.as_nanos() != 0 {
        let message = format!(
            "{} is not a multiple of {}, at which Grafana evaluates rules unless its configuration says otherwise: the operator refuses it there",
            format(interval),
            format(base)
        );
        return vec![finding(path, message).of(Level::Error)];
    }
    let mut say = |path: &str, message: String| found.push(finding(path, message));
    let waits = spec.for_.as_ref().and_then(|text| text.checked().ok());
    if let Some(waits) = waits.filter(|waits| !waits.is_zero() && *waits < interval) {
        say(
            "spec.for",
            format!(
                "the rule is evaluated every {}, so a for of {} is as long as one of {}",
                format(interval),
                format(waits),
                format(interval)
            ),
        );
    }
    let longest = spec.query.as_deref().and_then(longest_range);
    if let Some(longest) = longest.filter(|longest| *longest < interval) {
        say(
            path,
            format!(
                "the query looks back {} and is evaluated every {}: what happens in between is never seen",
                format(longest),
                format(interval)
            ),
        );
    }
    found
}

/// The longest range in a query: what stands in brackets outside of texts.
fn longest_range(query: &str) -> Option<Duration> {
    let mut longest = None;
    let mut quote = None;
    let mut start = None;
    let mut is_escaped = false;
    for (i, c) in query.char_indices() {
        match (quote, c) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some('"' | '\''), '\\') => is_escaped = true,
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '[') => start = Some(i + 1),
            (None, ']') => {
                let inner = start.take().and_then(|start| query.get(start..i));
                // A subquery has its step behind a colon.
                let length = inner.and_then(|inner| inner.split(':').next());
                let length = length.and_then(|text| Text::parse(text.trim()).ok());
                let length = length.and_then(|text| text.checked().ok());
                longest = longest.max(length);
            }
            _ => {}
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_outside_of_texts_and_the_longest_counts() {
        for (query, expected) in [
            ("rate(x[5m])", Some("5m")),
            ("rate(x[5m]) / rate(y[1h:1m])", Some("1h")),
            (r#"count_over_time({a="b"} |= "[1d]" [10m])"#, Some("10m")),
            (r#"count_over_time({a="b"} |~ `[a-z]"` [30s])"#, Some("30s")),
            ("up == 0", None),
            ("rate(x[$__interval])", None),
        ] {
            assert_eq!(longest_range(query).map(format).as_deref(), expected, "{query}");
        }
    }
}
