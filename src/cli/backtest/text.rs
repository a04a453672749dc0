//! What became of rules, for people: counts, a chart in a line, and a row for each firing.

use std::fmt::Write;

use jiff::Timestamp;

use super::super::common::print::harmless;
use super::super::common::terminal::{Look, Paint, plain};
use super::paged::Paged;
use super::tested::{Run, Tested};
use crate::domain::rule::evaluation::Labels;
use crate::domain::rule::evaluation::machine::State;
use crate::domain::rule::evaluation::past::Firing;

pub(super) const DAY: i64 = 86_400;
pub(super) const YEAR: i64 = 365 * DAY;
/// What the time axis may be divided into, in seconds.
pub(super) const SIZES: [i64; 12] = [
    60,
    300,
    900,
    1800,
    3600,
    10_800,
    21_600,
    43_200,
    DAY,
    2 * DAY,
    7 * DAY,
    30 * DAY,
];
/// How wide the chart is.
const WIDE: usize = 60;
/// From the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// So many firings are shown.
const MOST: usize = 50;

const COUNTED: [&str; 7] = [
    "",
    "FIRINGS",
    "FIRING",
    "LONGEST",
    "FLAPS",
    "WOULD PAGE",
    "NO DATA",
];

/// All rules, one below the other.
pub(super) fn all(tested: &[Tested<'_>], has_titles: bool, look: Look) -> String {
    let each: Vec<String> = tested.iter().map(|one| of(one, has_titles, look)).collect();
    each.join("\n")
}

fn of(tested: &Tested<'_>, has_titles: bool, look: Look) -> String {
    let span = tested.span;
    let head = format!(
        "{}  {}, step {}, {} evaluations",
        tested.subject.rule.title,
        length(tested.length),
        length(span.step),
        grouped(span.count())
    );
    let mut out = format!("{}\n", look.painted(&head, Paint::Bold));
    let rows: Vec<Vec<String>> = tested.runs.iter().map(counts).collect();
    out.push_str(&look.table(&COUNTED, &rows, has_titles, &plain));
    let Some(run) = tested.runs.last() else { return out };
    out.push_str(&chart(run));
    let firings: Vec<Vec<String>> = run
        .past
        .firings
        .iter()
        .take(MOST)
        .map(|firing| row(run, firing))
        .collect();
    if !firings.is_empty() {
        out.push_str(&look.table(
            &["STARTED (UTC)", "LENGTH", "PEAK", "LABELS"],
            &firings,
            has_titles,
            &plain,
        ));
    }
    let more = run.past.firings.len().saturating_sub(MOST);
    if more > 0 {
        let _ = writeln!(out, "and {more} more, which -o csv and -o json show");
    }
    out
}

fn counts(run: &Run) -> Vec<String> {
    let past = &run.past;
    vec![
        format!("  {}", run.called),
        past.of_condition().count().to_string(),
        length(past.fired()),
        length(past.longest()),
        past.flaps().to_string(),
        pages(&run.paged),
        grouped(i64::try_from(past.without_data).unwrap_or(i64::MAX)),
    ]
}

/// Who would have been told how often.
pub(super) fn pages(paged: &Paged) -> String {
    match paged {
        Err(_) => "?".to_owned(),
        Ok(counts) if counts.is_empty() => "nobody".to_owned(),
        Ok(counts) => {
            let each = counts
                .iter()
                .map(|(receiver, count)| format!("{receiver}: {count}"));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

fn row(run: &Run, firing: &Firing) -> Vec<String> {
    let ongoing = if firing.ended.is_none() { "+" } else { "" };
    vec![
        moment(firing.started),
        format!("{}{ongoing}", length(firing.length(run.past.span))),
        firing.peak.map_or_else(|| "–".to_owned(), number),
        shown(firing),
    ]
}

/// The labels of a firing, and what alert it is if not the rule's own.
pub(super) fn shown(firing: &Firing) -> String {
    let labels = braced(&firing.labels);
    match firing.of {
        State::NoData => format!("no data {labels}"),
        State::Error => format!("error {labels}"),
        _ => labels,
    }
}

/// Labels without those that are the operator's and Grafana's own.
pub(super) fn shown_labels(labels: &Labels) -> Labels {
    let shown = labels.iter().filter(|(name, _)| !name.starts_with("__"));
    shown.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The same as people write them.
pub(in super::super) fn braced(labels: &Labels) -> String {
    let shown = shown_labels(labels);
    let each = shown.iter().map(|(name, value)| format!("{name}={value:?}"));
    format!("{{{}}}", each.collect::<Vec<_>>().join(", "))
}

/// The value over time, with days or hours above it.
fn chart(run: &Run) -> String {
    let stretches = run.past.stretches(WIDE);
    let known = || stretches.iter().flatten().filter(|value| value.is_finite());
    let (least, most) = known().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
        (least.min(*value), most.max(*value))
    });
    if known().next().is_none() {
        return String::new();
    }
    let bars: String = stretches.iter().map(|value| bar(*value, least, most)).collect();
    let (from, to) = (run.past.span.from, run.past.span.to);
    let above = axis(from, to, i64::try_from(stretches.len()).unwrap_or(1));
    let (least, most) = (number(least), number(most));
    format!("  {above}\n  {bars}  {least} to {most}\n")
}

/// Days or times above a chart of so many places, each from where it begins on.
fn axis(from: i64, to: i64, places: i64) -> String {
    let long = (to - from).max(1);
    // Names with a space between them.
    let has_room = |size: &i64| size.saturating_mul(places) / long >= 8;
    let size = SIZES.into_iter().find(has_room).unwrap_or(YEAR);
    let name = if size >= DAY { "%a %d" } else { "%H:%M" };
    let mut above = String::new();
    for at in multiples(from, to, size) {
        let place = usize::try_from((at - from) * places / long).unwrap_or_default();
        let before = above.chars().count();
        above.extend(std::iter::repeat_n(' ', place.saturating_sub(before)));
        above.push_str(&formatted(at, name));
    }
    if above.is_empty() {
        return formatted(from, name);
    }
    above
}

/// The multiples of a length of time that are in a span of it.
pub(super) fn multiples(from: i64, to: i64, size: i64) -> impl Iterator<Item = i64> {
    (from.div_euclid(size) + 1..=to.div_euclid(size)).map(move |count| count * size)
}

fn bar(value: Option<f64>, least: f64, most: f64) -> char {
    let Some(value) = value.filter(|value| !value.is_nan()) else {
        return ' ';
    };
    let share = if most > least {
        (value - least) / (most - least)
    } else {
        0.0
    };
    let [lowest, .., highest] = BARS;
    let place = (0_u8..)
        .zip(BARS)
        .filter(|(place, _)| share >= f64::from(*place) / 8.0)
        .last();
    if value == f64::INFINITY {
        return highest;
    }
    place.map_or(lowest, |(_, bar)| bar)
}

/// What is otherwise than in Grafana.
pub(super) fn compared(runs: &[Run]) -> Option<String> {
    let [before, after] = runs else { return None };
    let (before, after) = (
        before.past.of_condition().count(),
        after.past.of_condition().count(),
    );
    Some(match before.cmp(&after) {
        std::cmp::Ordering::Equal => "As many firings as in Grafana.".to_owned(),
        std::cmp::Ordering::Greater => differing(before - after, "fewer"),
        std::cmp::Ordering::Less => differing(after - before, "more"),
    })
}

fn differing(count: usize, how: &str) -> String {
    let firings = if count == 1 { "firing" } else { "firings" };
    format!("{count} {firings} {how} than in Grafana.")
}

/// A line for each firing of each rule, as RFC 4180 has it.
pub(super) fn csv(tested: &[Tested<'_>], has_titles: bool) -> String {
    let mut out = String::new();
    if has_titles {
        out.push_str("rule,of,alert,started,ended,seconds,peak,labels\n");
    }
    for one in tested {
        for run in &one.runs {
            for firing in &run.past.firings {
                let fields = [
                    one.subject.called(),
                    run.called.to_owned(),
                    firing.of.to_string(),
                    stamp(firing.started),
                    firing.ended.map(stamp).unwrap_or_default(),
                    firing.length(run.past.span).to_string(),
                    firing.peak.map(|peak| peak.to_string()).unwrap_or_default(),
                    braced(&firing.labels),
                ];
                let _ = writeln!(out, "{}", fields.map(|field| quoted(&field)).join(","));
            }
        }
    }
    out
}

/// Quoted where it must be, and never what a spreadsheet takes for a formula.
fn quoted(field: &str) -> String {
    let text = harmless(field);
    let is_number = text.parse::<f64>().is_ok();
    let text = if !is_number && text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    };
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A time as JSON and CSV have it.
pub(super) fn stamp(at: i64) -> String {
    Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// A time as people read it, in UTC.
pub(super) fn moment(at: i64) -> String {
    formatted(at, "%a %Y-%m-%d %H:%M")
}

pub(super) fn formatted(at: i64, how: &str) -> String {
    Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.strftime(how).to_string())
}

/// A length of time by its two largest units.
pub(super) fn length(seconds: i64) -> String {
    let mut left = seconds.max(0);
    let mut parts = Vec::new();
    for (unit, size) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        let count = left / size;
        left %= size;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() {
        "0s".to_owned()
    } else {
        parts.join(" ")
    }
}

/// A number with as many places as tell something.
pub(in super::super) fn number(x: f64) -> String {
    if !x.is_finite() || (x.fract() == 0.0 && x.abs() < 1e15) {
        return x.to_string();
    }
    let text = if x.abs() >= 100.0 {
        format!("{x:.1}")
    } else if x.abs() >= 0.01 {
        format!("{x:.4}")
    } else {
        return format!("{x:.3e}");
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A count with its thousands apart.
pub(super) fn grouped(count: i64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_where_it_begins() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        let (from, to) = (at("2026-11-21T13:30:00Z"), at("2026-11-28T13:30:00Z"));
        let above = axis(from, to, 60);
        let column = |text: &str| usize::try_from((at(text) - from) * 60 / (to - from)).unwrap();
        for (day, begins) in [
            ("Sun 22", "2026-11-22T00:00:00Z"),
            ("Tue 24", "2026-11-24T00:00:00Z"),
            ("Sat 28", "2026-11-28T00:00:00Z"),
        ] {
            assert_eq!(above.find(day), Some(column(begins)), "{above}");
        }
        assert!(!above.contains("Sat 21"), "it began before: {above}");
        let above = axis(from, from + 6 * 3600, 60);
        assert_eq!(above.find("14:00"), Some(5), "{above}");
        assert_eq!(axis(from, from + 60, 1), "13:30");
    }

    #[test]
    fn one_firing_is_one() {
        assert_eq!(differing(1, "fewer"), "1 firing fewer than in Grafana.");
        assert_eq!(differing(2, "more"), "2 firings more than in Grafana.");
    }

    #[test]
    fn lengths_and_numbers_say_what_matters() {
        for (seconds, said) in [
            (0, "0s"),
            (51 * 60, "51m"),
            (15_120, "4h 12m"),
            (7 * 86_400, "7d"),
            (90_061, "1d 1h"),
            (86_460, "1d"),
        ] {
            assert_eq!(length(seconds), said);
        }
        for (x, said) in [
            (38.0, "38"),
            (0.123_456, "0.1235"),
            (1234.56, "1234.6"),
            (0.000_12, "1.200e-4"),
            (0.5, "0.5"),
        ] {
            assert_eq!(number(x), said);
        }
        assert_eq!(
            (grouped(999), grouped(10_081)),
            ("999".to_owned(), "10,081".to_owned())
        );
    }

    #[test]
    fn bars_reach_from_the_lowest_to_the_highest_value() {
        let of = |value| bar(value, 0.0, 8.0);
        assert_eq!(
            [Some(0.0), Some(4.0), Some(8.0), Some(f64::INFINITY), None].map(of),
            ['▁', '▅', '█', '█', ' ']
        );
        assert_eq!(bar(Some(3.0), 3.0, 3.0), '▁');
    }

    #[test]
    fn no_field_is_a_formula_or_ends_its_line() {
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("-1.5"), "-1.5");
        assert_eq!(quoted("{a=\"x\"}\n"), "\"{a=\"\"x\"\"}\u{fffd}\"");
    }
}
