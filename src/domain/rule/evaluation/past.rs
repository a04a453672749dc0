//! A rule over the past: when its alerts would have fired.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::{Change, Machine, State};
use super::node::Graph;
use super::plan::Span;
use super::{Known, Labels, Value, Verdict};
use crate::domain::version::Version;
use crate::grafana::model::AlertRule;

/// An alert that fires again so soon after it was resolved, in seconds, is one that flaps.
pub const FLAPS_WITHIN: i64 = 15 * 60;

/// What a series has at a time.
type Sample = (Labels, Option<f64>);

/// The samples of queries, by refId and by the time of the evaluation that they are for.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    series: BTreeMap<String, BTreeMap<Labels, BTreeMap<i64, Option<f64>>>>,
    /// Those of other series with the same labels, which Grafana fails for.
    others: BTreeMap<String, BTreeMap<i64, Vec<Sample>>>,
}

impl Samples {
    /// Notes a sample of a query for an evaluation.
    pub fn add(&mut self, ref_id: &str, labels: &Labels, at: i64, number: Option<f64>) {
        let series = self.series.entry(ref_id.to_owned()).or_default();
        if !series.contains_key(labels) {
            series.insert(labels.clone(), BTreeMap::new());
        }
        if let Some(points) = series.get_mut(labels) {
            points.insert(at, number);
        }
    }

    /// Notes another sample for the same evaluation, of another series with the same labels.
    pub fn add_another(&mut self, ref_id: &str, labels: &Labels, at: i64, number: Option<f64>) {
        let others = self.others.entry(ref_id.to_owned()).or_default();
        others.entry(at).or_default().push((labels.clone(), number));
    }

    /// The time of the first sample.
    pub fn earliest(&self) -> Option<i64> {
        let series = self.series.values().flat_map(BTreeMap::values);
        series.filter_map(|points| points.keys().next().copied()).min()
    }

    /// The samples for an evaluation.
    pub fn at(&self, at: i64) -> Known {
        let each = self.series.iter().map(|(ref_id, series)| {
            let values = series
                .iter()
                .filter_map(|(labels, points)| Some(Value::of(labels.clone(), *points.get(&at)?)));
            let others = self.others.get(ref_id).and_then(|others| others.get(&at));
            let others = others.into_iter().flatten();
            let others = others.map(|(labels, number)| Value::of(labels.clone(), *number));
            (ref_id.clone(), values.chain(others).collect())
        });
        each.collect()
    }
}

/// Once that an alert fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// Its labels: those of the query and the rule.
    pub labels: Labels,
    /// When it began, in seconds since 1970; the beginning of what was looked at, where it fired already then.
    pub started: i64,
    /// When it was resolved; `None` where it fires still.
    pub ended: Option<i64>,
    /// The value that was furthest beyond; `None` where it fired without any.
    pub peak: Option<f64>,
    /// `NoData` or `Error` where it is the alert that Grafana makes of those, and otherwise `Alerting`.
    pub of: State,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// When it was evaluated.
    pub span: Span,
    /// All firings, by their beginning.
    pub firings: Vec<Firing>,
    /// How many evaluations had no data at all.
    pub without_data: usize,
    /// How many evaluations failed, with why the first did.
    pub failed: (usize, Option<String>),
    /// The value that is compared at each evaluation: of the series that meets the condition, or else of that which is furthest beyond.
    pub values: Vec<(i64, Option<f64>)>,
    /// The evaluations at which a series met the condition.
    pub met: BTreeSet<i64>,
    /// Whether low values are those that it fires at.
    pub looks_down: bool,
}

/// Evaluates a rule at all times of a span, and before it, so that what fired already at its beginning is known.
pub fn past(
    rule: &AlertRule,
    version: Version,
    span: Span,
    lead_in: i64,
    samples: &Samples,
) -> Result<Past, String> {
    let graph = Graph::of(rule, version)?;
    let mut machine = Machine::new(rule, version);
    let mut past = Past {
        span,
        firings: Vec::new(),
        without_data: 0,
        failed: (0, None),
        values: Vec::new(),
        met: BTreeSet::new(),
        looks_down: graph.looks_down(),
    };
    let shown = graph.shown().to_owned();
    let mut firing: BTreeMap<(Labels, State), Firing> = BTreeMap::new();
    for at in span.led_in(lead_in).times() {
        let active = machine.active();
        let outcomes = graph.evaluate(samples.at(at), &|labels| active.contains(labels));
        let is_within = at >= span.from;
        let mut furthest = None;
        let mut values: BTreeMap<Labels, f64> = BTreeMap::new();
        for outcome in &outcomes {
            let value = outcome.values.get(&shown).copied();
            furthest = further(furthest, value, past.looks_down);
            if let (Verdict::Alerting, Some(value)) = (&outcome.verdict, value) {
                values.insert(machine.labels(outcome), value);
            }
            match &outcome.verdict {
                Verdict::NoData if is_within && outcome.labels.is_none() => past.without_data += 1,
                Verdict::Error(why) if is_within => {
                    past.failed.0 += 1;
                    past.failed.1.get_or_insert_with(|| why.clone());
                }
                _ => {}
            }
        }
        if is_within {
            // Of `== 0` no value is beyond another, and the one that meets it is what people look for.
            let meeting = values.values().fold(None, |furthest, value| {
                further(furthest, Some(*value), past.looks_down)
            });
            past.values.push((at, meeting.or(furthest)));
            past.met.extend(meeting.map(|_| at));
        }
        for change in machine.step(at, &outcomes) {
            past.firings.extend(turned(&mut firing, change, at));
        }
        for ((labels, _), firing) in &mut firing {
            firing.peak = further(firing.peak, values.get(labels).copied(), past.looks_down);
        }
    }
    past.firings.extend(firing.into_values());
    past.firings
        .retain(|firing| firing.ended.is_none_or(|ended| ended > span.from));
    for firing in &mut past.firings {
        firing.started = firing.started.max(span.from);
    }
    past.firings
        .sort_by(|a, b| (a.started, &a.labels).cmp(&(b.started, &b.labels)));
    Ok(past)
}

/// Of two values that which is further beyond.
fn further(a: Option<f64>, b: Option<f64>, looks_down: bool) -> Option<f64> {
    match (a.filter(|a| !a.is_nan()), b.filter(|b| !b.is_nan())) {
        (Some(a), Some(b)) => Some(if looks_down { a.min(b) } else { a.max(b) }),
        (a, b) => a.or(b),
    }
}

/// An alert's change of state: what begins to fire by it, and what ends.
fn turned(firing: &mut BTreeMap<(Labels, State), Firing>, change: Change, at: i64) -> Option<Firing> {
    let told = |state: State| {
        state
            .is_told()
            .then_some(if state.fires() { State::Alerting } else { state })
    };
    let (before, after) = (told(change.from), told(change.to));
    if before == after {
        return None;
    }
    let ended = before.and_then(|before| firing.remove(&(change.labels.clone(), before)));
    if let Some(of) = after {
        let begun = Firing {
            labels: change.labels.clone(),
            started: at,
            ended: None,
            peak: None,
            of,
        };
        firing.insert((change.labels, of), begun);
    }
    ended.map(|firing| Firing {
        ended: Some(at),
        ..firing
    })
}

impl Firing {
    /// How long it fired within what was looked at, in seconds.
    pub fn length(&self, span: Span) -> i64 {
        self.ended.unwrap_or(span.to) - self.started
    }
}

impl Past {
    /// The firings of the condition itself, without the alerts that Grafana makes of no data and of errors.
    pub fn of_condition(&self) -> impl Iterator<Item = &Firing> {
        self.firings.iter().filter(|firing| firing.of == State::Alerting)
    }

    /// How long alerts fired, added up, in seconds.
    pub fn fired(&self) -> i64 {
        self.of_condition().map(|firing| firing.length(self.span)).sum()
    }

    /// How long the longest firing was.
    pub fn longest(&self) -> i64 {
        let lengths = self.of_condition().map(|firing| firing.length(self.span));
        lengths.max().unwrap_or_default()
    }

    /// How many began soon after the one before of the same alert had ended.
    pub fn flaps(&self) -> usize {
        let mut ended: BTreeMap<&Labels, i64> = BTreeMap::new();
        let mut flaps = 0;
        for firing in self.of_condition() {
            let before = ended.get(&firing.labels);
            flaps += usize::from(before.is_some_and(|before| firing.started - before < FLAPS_WITHIN));
            ended.insert(&firing.labels, firing.ended.unwrap_or(i64::MAX));
        }
        flaps
    }

    /// The values in so many equal stretches, of each the one that is furthest beyond, of those that meet the condition where there are any.
    pub fn stretches(&self, count: usize) -> Vec<Option<f64>> {
        let size = self.values.len().div_ceil(count.max(1)).max(1);
        let each = self.values.chunks(size).map(|chunk| {
            let any_met = chunk.iter().any(|(at, _)| self.met.contains(at));
            let counts = |at: &i64| !any_met || self.met.contains(at);
            let values = chunk.iter().filter(|(at, _)| counts(at)).map(|(_, value)| *value);
            values.fold(None, |furthest, value| further(furthest, value, self.looks_down))
        });
        each.collect()
    }
}

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
