//! `alertwright test rule`: what a rule says now.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::super::backtest::subject::{Gathered, Subject, Whom};
use super::super::backtest::tested::{ended, tell};
use super::super::backtest::text::{braced, number};
use super::super::common::color::Colors;
use super::super::common::connect::wait;
use super::super::common::document;
use super::super::common::exit::{self, Exit};
use super::super::common::print::{API_VERSION, harmless, print};
use super::super::common::terminal::{Look, Paint};
use crate::domain::rule::evaluation::machine::{Machine, State};
use crate::domain::rule::evaluation::node::{Graph, outcomes};
use crate::domain::rule::evaluation::{Known, Labels, Outcome, Value, Verdict};
use crate::domain::rule::folder::titles;
use crate::domain::version::Version;
use crate::grafana::api::Would;
use crate::grafana::wire::{Answered, Folder};

/// From when on Grafana renders the annotations of a rule that isn't stored (`grafana/grafana#69755`).
const RENDERS: Version = Version::new(10, 1, 0);

/// Say what a rule's value is now, of each series, and which state its alerts would have, were it new.
///
/// Grafana evaluates the queries and expressions itself, also those that `backtest` can't. From 10.1 on it renders the annotations too. Nothing is written into Grafana or the
/// cluster, and nobody is told. The exit code is 1 if any state isn't Normal, or a query fails: the rule would fire, wait for its `for`, have no data or fail.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright test rule -f alerting/payments.yaml\n  alertwright test rule high-error-rate -n payments -o json\n  GRAFANA_URL=https://grafana.example.com GRAFANA_TOKEN=$(cat token) alertwright test rule -f rule.yaml --at 2026-12-24T20:00:00Z\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Rule {
    #[command(flatten)]
    whom: Whom,
    /// The time that it is evaluated at, for example 2026-12-24T20:00:00Z; annotations aren't rendered then. Default: now.
    #[arg(long, value_name = "TIME", value_parser = super::super::route::time)]
    at: Option<Timestamp>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
}

/// How it is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each series, and its annotations below it.
    Table,
    /// The same, however wide the terminal is.
    Wide,
    /// One JSON document.
    Json,
}

/// What came of one rule.
struct Tested {
    called: String,
    at: Timestamp,
    series: Vec<Series>,
    notes: Vec<String>,
}

/// An alert of it.
struct Series {
    labels: Labels,
    value: Option<f64>,
    state: State,
    /// What made it so, where that isn't the condition.
    reason: &'static str,
    error: Option<String>,
    /// As Grafana renders them; `None` where it doesn't.
    annotations: Option<BTreeMap<String, String>>,
}

impl Rule {
    pub(super) fn execute(self) -> Result<Exit, String> {
        let (tested, failed) = wait(async {
            let mut gathered = self.whom.gather(false).await?;
            let mut failed = std::mem::take(&mut gathered.failed);
            let mut all = Vec::new();
            for subject in &gathered.subjects {
                match self.test(&gathered, subject).await {
                    Ok(one) => all.push(one),
                    Err(why) => failed.push(format!("AlertRule {}: {why}", subject.called())),
                }
            }
            Ok((all, failed))
        })?;
        let exit = ended(tested.len(), &failed, answer(&tested))?;
        print(&match self.output {
            Output::Table | Output::Wide => {
                let look = Look::of_output(self.colors.color, self.output == Output::Wide);
                text(&tested, !self.no_headers, look)
            }
            Output::Json => as_json(&tested),
        })?;
        let notes: Vec<_> = tested
            .iter()
            .map(|one| (one.called.clone(), &one.notes[..]))
            .collect();
        tell(&notes, &failed, self.whom.quiet);
        Ok(exit)
    }

    async fn test(&self, gathered: &Gathered, subject: &Subject) -> Result<Tested, String> {
        let at = self.at.unwrap_or_else(Timestamp::now);
        let (grafana, whose) = (&gathered.reached.grafana, &gathered.reached.whose);
        let answered = grafana.queries.at(&subject.rule, at).await;
        let answered =
            answered.map_err(|error| format!("Grafana doesn't evaluate it: {}", whose.why(&error)))?;
        let version = gathered.facts.version;
        let outcomes = said(&answered, &subject.rule.condition);
        let shown = Graph::of(&subject.rule, version).map(|graph| graph.shown().to_owned());
        let shown = shown.unwrap_or_else(|_| subject.rule.condition.clone());
        let mut machine = Machine::new(&subject.rule, version);
        let labels: Vec<Labels> = outcomes.iter().map(|outcome| machine.labels(outcome)).collect();
        machine.step(at.as_second(), &outcomes);
        let states: BTreeMap<Labels, (State, &'static str)> = machine
            .alerts()
            .map(|(labels, state, reason)| (labels.clone(), (state, reason)))
            .collect();
        let mut notes = subject.warnings.clone();
        let would = if self.at.is_some() {
            notes.push("Annotations are rendered for now alone: there are none with --at.".to_owned());
            None
        } else {
            rendered(gathered, subject)
                .await
                .map_err(|why| notes.push(why))
                .ok()
        };
        let known = |labels: &Labels| states.get(labels).copied().unwrap_or((State::Normal, ""));
        let series = outcomes.iter().zip(labels).map(|(outcome, labels)| Series {
            value: outcome.values.get(&shown).copied(),
            state: known(&labels).0,
            reason: known(&labels).1,
            error: match &outcome.verdict {
                Verdict::Error(why) => Some(why.clone()),
                _ => None,
            },
            annotations: would.as_ref().and_then(|would| of(would, &labels)),
            labels: outcome.labels.clone().unwrap_or_default(),
        });
        Ok(Tested {
            called: subject.called(),
            at,
            series: series.collect(),
            notes,
        })
    }
}

/// A query that fails isn't well, also where the rule makes a Normal of it (`execErrState`).
fn answer(tested: &[Tested]) -> Exit {
    let mut series = tested.iter().flat_map(|one| &one.series);
    if series.all(|one| one.state == State::Normal && one.error.is_none()) {
        Exit::Done
    } else {
        Exit::No
    }
}

/// What Grafana's evaluation says of each alert.
fn said(answered: &Answered, condition: &str) -> Vec<Outcome> {
    let failed = |why: String| {
        vec![Outcome {
            labels: None,
            verdict: Verdict::Error(why),
            values: BTreeMap::new(),
            blamed: None,
        }]
    };
    // Of a chain of nodes the first that fails says why.
    let errors = || {
        answered
            .results
            .iter()
            .filter_map(|(id, node)| Some((id, node.error.as_ref()?)))
    };
    let first = errors()
        .find(|(_, error)| !error.contains("dependency"))
        .or_else(|| errors().next());
    if let Some((id, error)) = first {
        return failed(format!("{id}: {error}"));
    }
    let mut known = Known::new();
    for (id, node) in &answered.results {
        let series = node.series();
        // What has times, and more than one, is no number.
        if id == condition && series.iter().any(|one| one.points.len() > 1) {
            return failed(format!(
                "{id} is a series over time, and only a number can fire: reduce it"
            ));
        }
        let numbers = series.into_iter().filter(|one| one.points.len() == 1);
        let numbers = numbers.filter_map(|one| Some(Value::of(one.labels, one.points.first()?.1)));
        known.insert(id.clone(), numbers.collect());
    }
    outcomes(&known, condition)
}

/// The alerts that there would be, with their annotations; or why there are none.
async fn rendered(gathered: &Gathered, subject: &Subject) -> Result<Vec<Would>, String> {
    if gathered.facts.version < RENDERS {
        return Err("Annotations aren't rendered: Grafana does that from 10.1 on.".to_owned());
    }
    let (grafana, whose) = (&gathered.reached.grafana, &gathered.reached.whose);
    let folders = grafana.folders.list().await;
    let folders = folders
        .map_err(|error| {
            format!(
                "Annotations aren't rendered: folders can't be read: {}",
                whose.why(&error)
            )
        })?
        .items;
    let found = folders
        .iter()
        .find(|folder| is_meant(&subject.folder, folder, &folders));
    let Some(folder) = found else {
        let (Ok(name) | Err(name)) = &subject.folder;
        return Err(format!(
            "Annotations aren't rendered: Grafana needs the rule's folder for that, and has no {name} yet."
        ));
    };
    let would = grafana
        .queries
        .alerts(&subject.rule, (&folder.uid, &folder.title))
        .await;
    would.map_err(|error| format!("Annotations aren't rendered: {}", whose.why(&error)))
}

/// Whether a folder is that of a rule, which has its path or its uid.
fn is_meant(of_rule: &Result<String, String>, folder: &Folder, all: &[Folder]) -> bool {
    match of_rule {
        Ok(path) => titles(path).is_ok_and(|wished| titles_of(folder, all) == wished),
        Err(uid) => folder.uid == *uid,
    }
}

/// The titles of a folder and those above it.
fn titles_of<'a>(folder: &'a Folder, all: &'a [Folder]) -> Vec<&'a str> {
    let mut titles = vec![folder.title.as_str()];
    let mut above = folder.parent_uid.as_deref();
    while let Some(found) = above.and_then(|uid| all.iter().find(|folder| folder.uid == uid)) {
        titles.push(&found.title);
        above = found.parent_uid.as_deref().filter(|_| titles.len() < 32);
    }
    titles.reverse();
    titles
}

/// The annotations of the alert with these labels, without Grafana's own.
fn of(would: &[Would], labels: &Labels) -> Option<BTreeMap<String, String>> {
    let is_it = |one: &&Would| {
        labels
            .iter()
            .all(|(name, value)| one.labels.get(name) == Some(value))
    };
    let mut found: Vec<&Would> = would.iter().filter(is_it).collect();
    // Of several that fit, that with the fewest labels beside is it.
    found.sort_by_key(|one| one.labels.len());
    let is_own = |name: &str| name.starts_with("__") || name == "grafana_state_reason";
    let annotations = found
        .first()?
        .annotations
        .iter()
        .filter(|(name, _)| !is_own(name));
    Some(
        annotations
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect(),
    )
}

fn text(tested: &[Tested], has_titles: bool, look: Look) -> String {
    let mut out = String::new();
    for (at, one) in tested.iter().enumerate() {
        if tested.len() > 1 {
            let space = if at > 0 { "\n" } else { "" };
            let _ = writeln!(out, "{space}{}", harmless(&one.called));
        }
        let rows: Vec<Vec<String>> = one.series.iter().map(row).collect();
        let paint = |row: usize, column: usize| one.series.get(row).filter(|_| column == 2).map(paint);
        let rows = look.table(&["LABELS", "VALUE", "STATE"], &rows, has_titles, &paint);
        let mut lines = rows.lines();
        if has_titles {
            let _ = writeln!(out, "{}", lines.next().unwrap_or_default());
        }
        for (line, series) in lines.zip(&one.series) {
            let _ = writeln!(out, "{line}");
            for (name, text) in series.annotations.iter().flatten() {
                let _ = writeln!(out, "  {}", harmless(&format!("{name}: {text}")));
            }
            if let Some(error) = &series.error {
                let _ = writeln!(out, "  {}", harmless(&format!("error: {error}")));
            }
        }
    }
    out
}

fn paint(series: &Series) -> Paint {
    match series.state {
        State::Normal if series.error.is_none() => Paint::Green,
        State::Normal | State::Pending | State::Recovering | State::NoData => Paint::Yellow,
        State::Alerting | State::Error => Paint::Red,
    }
}

fn row(series: &Series) -> Vec<String> {
    vec![
        braced(&series.labels),
        series.value.map_or_else(|| "–".to_owned(), number),
        match series.reason {
            "" => series.state.to_string(),
            reason => format!("{} ({reason})", series.state),
        },
    ]
}

fn as_json(tested: &[Tested]) -> String {
    let rules: Vec<Json> = tested
        .iter()
        .map(|one| {
            let series = one.series.iter().map(|series| {
                json!({
                    "labels": series.labels, "value": series.value, "state": series.state.to_string(), "reason": series.reason,
                    "error": series.error, "annotations": series.annotations,
                })
            });
            json!({"rule": one.called, "at": one.at.to_string(), "series": series.collect::<Vec<_>>(), "notes": one.notes})
        })
        .collect();
    let document = json!({"apiVersion": API_VERSION, "kind": "RuleTestReport", "rules": rules});
    document::as_json(&document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_found_by_its_titles_whatever_is_in_them() {
        let folder = |uid: &str, title: &str, above: Option<&str>| Folder {
            uid: uid.to_owned(),
            title: title.to_owned(),
            parent_uid: above.map(str::to_owned),
        };
        let all = [
            folder("a", "Payments / EU", None),
            folder("b", "Cards", Some("a")),
        ];
        let is_it = |path: &str, at: usize| is_meant(&Ok(path.to_owned()), &all[at], &all);
        assert!(is_it(r"Payments \/ EU", 0) && is_it(r"Payments \/ EU/Cards", 1));
        assert!(!is_it("Payments/EU", 0));
    }

    #[test]
    fn a_query_that_fails_is_not_well_whatever_the_rule_makes_of_it() {
        let of = |state, error: Option<&str>| {
            answer(&[Tested {
                called: "shop/errors".to_owned(),
                at: Timestamp::UNIX_EPOCH,
                series: vec![Series {
                    labels: Labels::new(),
                    value: None,
                    state,
                    reason: "",
                    error: error.map(str::to_owned),
                    annotations: None,
                }],
                notes: Vec::new(),
            }])
        };
        assert_eq!(of(State::Normal, None), Exit::Done);
        assert_eq!(of(State::Normal, Some("A: no")), Exit::No);
        assert_eq!(of(State::Alerting, None), Exit::No);
    }
}
