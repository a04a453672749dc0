//! From changes of states to figures. No I/O; time is passed in.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::api::matcher::Matcher;
use crate::domain::rule::evaluation::past::FLAPS_WITHIN;
use crate::grafana::api::history::StateChange;

/// A firing that begins sooner after the same alert's last one ended is a flap, in the past that `backtest` works out as in that which was.
pub(super) const FLAP: SignedDuration = SignedDuration::from_secs(FLAPS_WITHIN);

/// An alert rule that is reported.
#[derive(Debug, Clone, Default)]
pub(super) struct Rule {
    pub(super) uid: String,
    pub(super) title: String,
    /// Its folder's title, or its uid where nobody says that.
    pub(super) folder: String,
    pub(super) labels: BTreeMap<String, String>,
    /// The namespace of its resource; `None` where it has none.
    pub(super) namespace: Option<String>,
    /// Since when it fires, if it does now.
    pub(super) fires_since: Option<Timestamp>,
    /// Whether Grafana says that none of its alerts fires now.
    pub(super) is_quiet: bool,
}

/// A silence, over or not.
pub(super) struct Silenced {
    pub(super) matchers: Vec<Matcher>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

/// What rules are told together by.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Each by itself.
    Rule,
    /// The label `team`.
    Team,
    /// The label `severity`.
    Severity,
    /// The namespace of the resource.
    Namespace,
}

/// What comes first.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Who fires most often.
    Firings,
    /// Who fires longest.
    Time,
    /// Who flaps most often.
    Flaps,
}

/// What tells a rule from others of its title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Single {
    pub(super) uid: String,
    pub(super) folder: String,
    pub(super) namespace: Option<String>,
}

/// The figures of a rule, or of rules together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    pub(super) name: String,
    /// Which rule it is, where it is one.
    pub(super) of: Option<Single>,
    pub(super) severity: Option<String>,
    /// How many rules it is.
    pub(super) rules: usize,
    /// How often alerts began to fire; those that fired at the beginning count.
    pub(super) firings: usize,
    /// How long alerts fired, each counted by itself.
    pub(super) firing: SignedDuration,
    pub(super) median: Option<SignedDuration>,
    pub(super) flaps: usize,
    /// The share of that time that a silence covered, from 0 to 1.
    pub(super) silenced: Option<f64>,
    pub(super) no_data: usize,
    pub(super) errors: usize,
    /// When an alert last began to fire.
    pub(super) last: Option<Timestamp>,
    /// How many firings have ended, nobody knows when.
    pub(super) unended: usize,
}

/// The firings of rules that are told together.
#[derive(Default)]
struct Sum {
    /// Which rule it is, where it is one.
    of: Option<Single>,
    severities: BTreeSet<Option<String>>,
    rules: usize,
    lengths: Vec<SignedDuration>,
    silenced: SignedDuration,
    flaps: usize,
    /// Evaluations without data: which rule, and when. It may have many alerts.
    no_data: BTreeSet<(usize, Timestamp)>,
    errors: BTreeSet<(usize, Timestamp)>,
    last: Option<Timestamp>,
    /// How many alerts fire at the end.
    fire_still: usize,
    unended: usize,
}

/// What is in force in a part of time.
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Since when changes are kept, which isn't before its beginning.
    pub(super) known: Timestamp,
}

/// Figures of all rules, also of those that nothing is kept of.
pub(super) fn rows(
    rules: &[Rule],
    changes: &[StateChange],
    silences: &[Silenced],
    window: &Window,
    (by, sort): (By, Sort),
) -> Vec<Row> {
    let mut histories: BTreeMap<&str, BTreeMap<&BTreeMap<String, String>, Vec<&StateChange>>> =
        BTreeMap::new();
    for change in changes {
        let of_rule = histories.entry(&change.rule).or_default();
        of_rule.entry(&change.labels).or_default().push(change);
    }
    let mut sums: BTreeMap<(String, String), Sum> = BTreeMap::new();
    for rule in rules {
        let label = |name: &str| rule.labels.get(name).cloned();
        let none = || "–".to_owned();
        let key = match by {
            By::Rule => (rule.title.clone(), rule.uid.clone()),
            By::Team => (label("team").unwrap_or_else(none), String::new()),
            By::Severity => (label("severity").unwrap_or_else(none), String::new()),
            By::Namespace => (rule.namespace.clone().unwrap_or_else(none), String::new()),
        };
        let sum = sums.entry(key).or_default();
        sum.rules += 1;
        sum.of = (by == By::Rule).then(|| Single {
            uid: rule.uid.clone(),
            folder: rule.folder.clone(),
            namespace: rule.namespace.clone(),
        });
        sum.severities.insert(label("severity"));
        let before = sum.fire_still;
        for (labels, changes) in histories.get(rule.uid.as_str()).into_iter().flatten() {
            let mut all = rule.labels.clone();
            all.insert("alertname".to_owned(), rule.title.clone());
            all.extend((*labels).clone());
            sum.add(changes, &all, silences, window, rule.is_quiet);
        }
        // What has fired all the time has changed nothing, so it isn't in the history.
        if let Some(since) = rule.fires_since.filter(|_| sum.fire_still == before) {
            let mut all = rule.labels.clone();
            all.insert("alertname".to_owned(), rule.title.clone());
            let began = since.max(window.from).min(window.to);
            sum.last = sum.last.max(Some(began));
            sum.fired(&[(began, window.to)], &all, silences);
        }
    }
    let mut rows: Vec<Row> = sums.into_iter().map(|((name, _), sum)| sum.row(name)).collect();
    tell_apart(&mut rows);
    // Equal ones stay in the order of their names.
    match sort {
        Sort::Firings => rows.sort_by_key(|row| std::cmp::Reverse(row.firings)),
        Sort::Time => rows.sort_by_key(|row| std::cmp::Reverse(row.firing)),
        Sort::Flaps => rows.sort_by_key(|row| std::cmp::Reverse(row.flaps)),
    }
    rows
}

/// Names the folder of each rule whose title another one has too, and where that doesn't do, its uid.
fn tell_apart(rows: &mut [Row]) {
    let mut titles: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
    for row in rows.iter() {
        let folder = row.of.as_ref().map(|of| of.folder.clone());
        *titles.entry((row.name.clone(), None)).or_default() += 1;
        *titles.entry((row.name.clone(), folder)).or_default() += usize::from(row.of.is_some());
    }
    let is_one = |name: &str, folder: Option<&str>| {
        titles.get(&(name.to_owned(), folder.map(str::to_owned))) == Some(&1)
    };
    for row in rows {
        let Some(of) = row.of.as_ref().filter(|_| !is_one(&row.name, None)) else {
            continue;
        };
        row.name = if is_one(&row.name, Some(&of.folder)) {
            format!("{} (in {})", row.name, of.folder)
        } else {
            format!("{} (in {}, uid {})", row.name, of.folder, of.uid)
        };
    }
}

/// A state without what made it so: `Normal (NoData)` is `Normal`.
fn base(state: &str) -> &str {
    state.split(" (").next().unwrap_or(state)
}

/// Whether an alert in this state is sent. One that recovers (Grafana 12) still is.
fn fires(state: &str) -> bool {
    matches!(base(state), "Alerting" | "Recovering")
}

/// Whether it is for want of data, or for an error, whatever it makes of it.
fn is_for(state: &str, reason: &str) -> bool {
    let (_, why) = state.split_once(" (").unwrap_or_default();
    let mut words = why.trim_end_matches(')').split(", ");
    base(state) == reason || words.any(|word| word == reason)
}

impl Sum {
    /// Adds the history of one alert, the oldest change first. `is_quiet` is whether it is known not to fire at the end.
    fn add(
        &mut self,
        changes: &[&StateChange],
        labels: &BTreeMap<String, String>,
        silences: &[Silenced],
        window: &Window,
        is_quiet: bool,
    ) {
        let mut since = changes
            .first()
            .filter(|first| fires(&first.before))
            .map(|_| window.known);
        let mut ended: Option<Timestamp> = None;
        let mut spans = Vec::new();
        // When it was last known to be in its state.
        let mut seen = window.known;
        if since.is_some() {
            self.last = self.last.max(since);
        }
        for change in changes {
            let begins = |reason| is_for(&change.after, reason) && !is_for(&change.before, reason);
            if begins("NoData") {
                self.no_data.insert((self.rules, change.at));
            }
            if begins("Error") {
                self.errors.insert((self.rules, change.at));
            }
            if let Some(began) = since.filter(|_| !fires(&change.before)) {
                // It ended in between.
                spans.push((began, seen));
                self.unended += 1;
                since = None;
            }
            seen = change.at;
            match (since, fires(&change.after)) {
                (None, true) => {
                    let is_soon = ended.is_some_and(|ended| change.at.duration_since(ended) < FLAP);
                    self.flaps += usize::from(is_soon);
                    self.last = self.last.max(Some(change.at));
                    since = Some(change.at);
                }
                (Some(began), false) => {
                    spans.push((began, change.at));
                    ended = Some(change.at);
                    since = None;
                }
                _ => {}
            }
        }
        if let Some(began) = since {
            self.fire_still += usize::from(!is_quiet);
            self.unended += usize::from(is_quiet);
            spans.push((began, if is_quiet { seen } else { window.to }));
        }
        self.fired(&spans, labels, silences);
    }

    /// Adds an alert's firings.
    fn fired(
        &mut self,
        spans: &[(Timestamp, Timestamp)],
        labels: &BTreeMap<String, String>,
        silences: &[Silenced],
    ) {
        let covering: Vec<&Silenced> = silences
            .iter()
            .filter(|silence| {
                silence
                    .matchers
                    .iter()
                    .all(|matcher| matcher.matches(labels) == Some(true))
            })
            .collect();
        for (from, to) in spans {
            self.lengths.push(to.duration_since(*from));
            self.silenced += covered(&covering, *from, *to);
        }
    }

    fn row(mut self, name: String) -> Row {
        self.lengths.sort_unstable();
        let firing = self
            .lengths
            .iter()
            .fold(SignedDuration::ZERO, |sum, one| sum + *one);
        let middle = |at: usize| self.lengths.get(at).copied();
        let count = self.lengths.len();
        let median = match (middle(count / 2), count % 2) {
            (Some(upper), 0) => middle((count / 2).wrapping_sub(1)).map(|lower| (lower + upper) / 2),
            (found, _) => found,
        };
        let mut severities = self.severities.into_iter();
        let severity = severities
            .next()
            .flatten()
            .filter(|_| severities.next().is_none());
        Row {
            name,
            of: self.of,
            severity,
            rules: self.rules,
            firings: count,
            firing,
            median,
            flaps: self.flaps,
            silenced: (firing > SignedDuration::ZERO)
                .then(|| self.silenced.as_secs_f64() / firing.as_secs_f64()),
            no_data: self.no_data.len(),
            errors: self.errors.len(),
            last: self.last,
            unended: self.unended,
        }
    }
}

/// How much of a span silences cover, each moment counted once.
fn covered(silences: &[&Silenced], from: Timestamp, to: Timestamp) -> SignedDuration {
    let cut = |silence: &&Silenced| (silence.from.max(from), silence.to.min(to));
    let mut spans: Vec<_> = silences.iter().map(cut).filter(|(from, to)| from < to).collect();
    spans.sort_unstable();
    let mut sum = SignedDuration::ZERO;
    let mut done = from;
    for (from, to) in spans {
        let from = from.max(done);
        if from < to {
            sum += to.duration_since(from);
            done = to;
        }
    }
    sum
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
