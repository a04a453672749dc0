//! One page that holds all it needs: a chart, and a row for each firing.

use std::fmt::Write;

use super::super::common::print::escaped;
use super::super::common::written::PAGE;
use super::tested::{Run, Tested};
use super::text::{self, DAY, SIZES, YEAR, length, moment, number, pages};
use crate::domain::rule::evaluation::machine::State;
use crate::domain::rule::evaluation::threshold;

/// How large the chart is, and the room around it.
const WIDE: f64 = 1000.0;
const HIGH: f64 = 240.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 12.0;
/// How high the row of firings is below it.
const LANE: f64 = 14.0;
/// What is no longer and no higher than this is drawn as a dot.
const SPECK: f64 = 4.0;
/// So many firings have a row.
const MOST: usize = 500;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5d6b7a;--line:#d7dee6;--paper:#fff;--value:#2f6fb0;--fire:#c0392b;--none:#9aa5b1}\
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9fb0c0;--line:#33414f;--paper:#151c24;--value:#6fb1f2;--fire:#ff7a6b;--none:#66727f}}\
body{margin:0 auto;padding:24px;max-width:1120px;font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}\
h1{font-size:22px;margin:0 0 2px;overflow-wrap:anywhere}h1+p{margin:0 0 16px;color:var(--soft)}section+section{margin-top:48px}\
table{border-collapse:collapse;width:100%;margin:12px 0;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:5px 16px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}\
th{font-weight:600;color:var(--soft);font-size:13px}td.n,th.n{text-align:right}td.l{overflow-wrap:anywhere;font-family:ui-monospace,monospace;font-size:13px}\
.scroll{overflow-x:auto}svg{display:block;width:100%;min-width:640px;height:auto}svg text{fill:var(--soft);font-size:12px}ul{padding-left:18px;color:var(--soft)}\
.grid{stroke:var(--line)}.value{fill:none;stroke:var(--value);stroke-width:1.5;stroke-linejoin:round}.dots{stroke-width:5;stroke-linecap:round}.limit{stroke:var(--fire);stroke-dasharray:6 4}.fire{fill:var(--fire)}.none{fill:var(--none)}";

/// The page.
pub(super) fn page(tested: &[Tested<'_>]) -> String {
    let sections: Vec<String> = tested.iter().map(section).collect();
    let title = match tested {
        [one] => escaped(&one.subject.rule.title),
        several => format!("{} rules", several.len()),
    };
    format!(
        "{PAGE}\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}: backtest</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        sections.concat()
    )
}

fn section(tested: &Tested<'_>) -> String {
    let span = tested.span;
    let mut out = format!(
        "<section>\n<h1>{}</h1>\n<p>{} · {} to {} UTC · step {} · {} evaluations</p>\n",
        escaped(&tested.subject.rule.title),
        escaped(&tested.subject.called()),
        moment(span.from),
        moment(span.to),
        length(span.step),
        text::grouped(span.count())
    );
    out.push_str("<div class=\"scroll\"><table>\n<tr><th></th><th class=\"n\">Firings</th><th class=\"n\">Firing</th><th class=\"n\">Longest</th><th class=\"n\">Flaps</th><th>Would page</th><th class=\"n\">No data</th></tr>\n");
    for run in &tested.runs {
        let past = &run.past;
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td></tr>",
            run.called,
            past.of_condition().count(),
            length(past.fired()),
            length(past.longest()),
            past.flaps(),
            escaped(&pages(&run.paged)),
            text::grouped(i64::try_from(past.without_data).unwrap_or(i64::MAX))
        );
    }
    out.push_str("</table></div>\n");
    if let Some(run) = tested.runs.last() {
        let _ = write!(
            out,
            "<div class=\"scroll\">{}</div>\n{}",
            chart(tested, run),
            firings(run)
        );
    }
    out.push_str("<ul>\n");
    for note in &tested.notes {
        let _ = writeln!(out, "<li>{}</li>", escaped(note));
    }
    out.push_str("</ul>\n</section>\n");
    out
}

/// Where things are in the chart.
struct Scale {
    from: f64,
    long: f64,
    least: f64,
    most: f64,
}

impl Scale {
    fn of(run: &Run, limit: Option<f64>) -> Self {
        let span = run.past.span;
        let values = run.past.values.iter().filter_map(|(_, value)| *value);
        let values = values.chain(limit).filter(|value| value.is_finite());
        // A value of nothing is the ground, unless there is something below it.
        let (least, most) = values.fold((0.0_f64, f64::NEG_INFINITY), |(least, most), value| {
            (least.min(value), most.max(value))
        });
        let most = if most > least { most } else { least + 1.0 };
        Self {
            from: seconds(span.from),
            long: seconds((span.to - span.from).max(1)),
            least,
            most: most + (most - least) * 0.05,
        }
    }

    fn x(&self, at: i64) -> f64 {
        LEFT + (seconds(at) - self.from) / self.long * (WIDE - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        let value = value.clamp(self.least, self.most);
        TOP + (self.most - value) / (self.most - self.least) * HIGH
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of our time are exact")]
const fn seconds(at: i64) -> f64 {
    at as f64
}

fn chart(tested: &Tested<'_>, run: &Run) -> String {
    let limit = threshold::of(&run.rule);
    let scale = Scale::of(run, limit);
    let count = u32::try_from(tested.runs.len()).unwrap_or(1);
    let foot = TOP + HIGH + 8.0 + f64::from(count) * (LANE + 4.0);
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDE} {:.0}\" role=\"img\" aria-label=\"The value over time, and when it would have fired\">\n",
        foot + 22.0
    );
    for value in rounds(scale.least, scale.most) {
        let y = scale.y(value);
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDE}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            number(value)
        );
    }
    let span = run.past.span;
    let size = SIZES
        .into_iter()
        .find(|size| (span.to - span.from) / size <= 8)
        .unwrap_or(YEAR);
    for at in text::multiples(span.from, span.to, size) {
        let x = scale.x(at);
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{foot:.1}\"/>"
        );
        // The last one would be cut off.
        if x < WIDE - 50.0 {
            let name = text::formatted(at, if size >= DAY { "%a %d %b" } else { "%H:%M" });
            let _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                x + 3.0,
                foot + 14.0
            );
        }
    }
    lines(&mut out, run, &scale);
    if let Some(limit) = limit {
        let y = scale.y(limit);
        let _ = writeln!(
            out,
            "<line class=\"limit\" x1=\"{LEFT}\" x2=\"{WIDE}\" y1=\"{y:.1}\" y2=\"{y:.1}\"><title>threshold {}</title></line>",
            number(limit)
        );
    }
    for (lane, run) in (0_u32..).zip(&tested.runs) {
        lane_of(
            &mut out,
            run,
            &scale,
            TOP + HIGH + 8.0 + f64::from(lane) * (LANE + 4.0),
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Round numbers from the least to the most, about four of them.
fn rounds(least: f64, most: f64) -> Vec<f64> {
    let rough = (most - least) / 4.0;
    let power = 10.0_f64.powf(rough.log10().floor());
    let size = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|size| *size >= rough);
    let size = size.unwrap_or(rough).max(f64::MIN_POSITIVE);
    let first = (least / size).ceil() * size;
    let all = (0..8_u32).map(|count| first + size * f64::from(count));
    all.take_while(|value| *value <= most).collect()
}

/// The value, broken where there is none.
fn lines(out: &mut String, run: &Run, scale: &Scale) {
    let mut stretches = vec![Vec::new()];
    let size = run.past.values.len().div_ceil(1800).max(1);
    for chunk in run.past.values.chunks(size) {
        let furthest = chunk
            .iter()
            .filter(|(_, value)| value.is_some_and(|value| !value.is_nan()));
        let furthest = furthest.reduce(|best, next| {
            let is_further = if run.past.looks_down {
                next.1 < best.1
            } else {
                next.1 > best.1
            };
            if is_further { next } else { best }
        });
        match (furthest, stretches.last_mut()) {
            (Some((at, Some(value))), Some(stretch)) => stretch.push((scale.x(*at), scale.y(*value))),
            _ => stretches.push(Vec::new()),
        }
    }
    let (mut path, mut dots) = (String::new(), String::new());
    for stretch in &stretches {
        let Some((x, y)) = stretch.first() else { continue };
        if is_speck(stretch) {
            let _ = write!(dots, "M{x:.1} {y:.1}h0");
            continue;
        }
        let each = stretch.iter().map(|(x, y)| format!("{x:.1} {y:.1}"));
        let _ = write!(path, "M{}", each.collect::<Vec<_>>().join("L"));
    }
    let _ = writeln!(out, "<path class=\"value\" d=\"{path}\"/>");
    if !dots.is_empty() {
        let _ = writeln!(out, "<path class=\"value dots\" d=\"{dots}\"/>");
    }
}

/// Whether nobody would see this as a line: a sample alone, or a few beside each other.
fn is_speck(stretch: &[(f64, f64)]) -> bool {
    let Some((x, y)) = stretch.first() else {
        return true;
    };
    stretch
        .iter()
        .all(|other| (other.0 - x).abs() < SPECK && (other.1 - y).abs() < SPECK)
}

/// When it would have fired.
fn lane_of(out: &mut String, run: &Run, scale: &Scale, y: f64) {
    let _ = writeln!(
        out,
        "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDE}\" y1=\"{:.1}\" y2=\"{:.1}\"/>",
        LEFT - 8.0,
        y + LANE - 3.0,
        run.called,
        y + LANE,
        y + LANE
    );
    for firing in &run.past.firings {
        let (begin, end) = (
            scale.x(firing.started),
            scale.x(firing.ended.unwrap_or(run.past.span.to)),
        );
        let class = if firing.of == State::Alerting {
            "fire"
        } else {
            "none"
        };
        let peak = firing
            .peak
            .map(|peak| format!(", peak {}", number(peak)))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "<rect class=\"{class}\" x=\"{begin:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{LANE}\"><title>{}, {}{peak} {}</title></rect>",
            (end - begin).max(1.5),
            moment(firing.started),
            length(firing.length(run.past.span)),
            escaped(&text::shown(firing))
        );
    }
}

fn firings(run: &Run) -> String {
    if run.past.firings.is_empty() {
        return "<p>It would not have fired.</p>\n".to_owned();
    }
    let mut out = "<div class=\"scroll\"><table>\n<tr><th>Started (UTC)</th><th class=\"n\">Length</th><th class=\"n\">Peak</th><th>Labels</th></tr>\n".to_owned();
    for firing in run.past.firings.iter().take(MOST) {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}{}</td><td class=\"n\">{}</td><td class=\"l\">{}</td></tr>",
            moment(firing.started),
            length(firing.length(run.past.span)),
            if firing.ended.is_none() {
                ", fires still"
            } else {
                ""
            },
            firing.peak.map_or_else(|| "–".to_owned(), number),
            escaped(&text::shown(firing))
        );
    }
    out.push_str("</table></div>\n");
    let more = run.past.firings.len().saturating_sub(MOST);
    if more > 0 {
        let _ = writeln!(out, "<p>And {more} more.</p>");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_would_see_as_a_line_is_a_dot() {
        assert!(is_speck(&[(100.0, 50.0)]));
        assert!(is_speck(&[(100.0, 50.0), (101.0, 51.0)]));
        assert!(!is_speck(&[(100.0, 50.0), (101.0, 90.0)]), "it is high");
        assert!(
            !is_speck(&[(100.0, 50.0), (102.0, 50.0), (104.0, 50.0)]),
            "it is long"
        );
    }

    #[test]
    fn lines_stand_at_round_numbers() {
        assert_eq!(rounds(0.0, 11.55), [0.0, 5.0, 10.0]);
        assert_eq!(rounds(-3.0, 1.0), [-3.0, -2.0, -1.0, 0.0, 1.0]);
        assert_eq!(rounds(0.0, 0.1), [0.0, 0.05, 0.1]);
        assert!(rounds(0.0, 1e300).len() < 9);
    }
}
