//! `alertwright backtest`: a rule over the past.

mod asking;
mod html;
mod json;
mod pace;
mod paged;
pub(super) mod subject;
pub(super) mod tested;
pub(super) mod text;

use std::path::PathBuf;

use jiff::Timestamp;

use self::pace::{Over, Pace, Step, lead_in, resolution};
use self::paged::{Paged, Whose, paged};
use self::subject::{Gathered, Subject, Whom};
use self::tested::{Run, Tested, ended, tell};
use super::common::color::Colors;
use super::common::connect::wait;
use super::common::exit::{self, Exit};
use super::common::print::{print, wrong};
use super::common::terminal::Look;
use super::common::written::write_page;
use crate::api::duration;
use crate::domain::ownership::Owners;
use crate::domain::routing::trees::World;
use crate::domain::rule::evaluation::node::Graph;
use crate::domain::rule::evaluation::past::{Past, Samples, past};
use crate::domain::rule::evaluation::plan::{self, Asked, Span};
use crate::domain::rule::evaluation::threshold;
use crate::grafana::digest;
use crate::grafana::model::{AlertRule, Route, TreeName};

/// Say when a rule would have fired in the past: how often, for how long, and who would have been told.
///
/// Grafana's data sources are asked for the rule's queries over that time, and its expressions and states (`for`, `keepFiringFor`, no data) are worked out here as Grafana does. Only
/// Prometheus and Loki can be asked so. Nothing is written into Grafana or the cluster. Who would have been told is by the policy tree as it stands in Grafana; silences and time intervals of that time aren't known.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright backtest -f alerting/payments.yaml --since 7d --compare\n  alertwright backtest high-error-rate -n payments --for 10m --threshold 0.2\n  GRAFANA_URL=https://grafana.example.com GRAFANA_TOKEN=$(cat token) alertwright backtest -f rule.yaml --html rule.html\n\n{}", exit::HELP_IN_PART_WITHOUT_NO))]
pub(super) struct Backtest {
    #[command(flatten)]
    whom: Whom,
    /// How far back to look.
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = length, conflicts_with = "from")]
    since: i64,
    /// When to begin, for example 2026-12-24T20:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = super::route::time)]
    from: Option<Timestamp>,
    /// When to end, which isn't later than now. Default: now.
    #[arg(long, value_name = "TIME", value_parser = super::route::time)]
    to: Option<Timestamp>,
    /// The time between two evaluations: a duration, or `auto`: the rule's interval, or a multiple of it where that would be more than 100,000 evaluations.
    #[arg(long, value_name = "DURATION", default_value = "auto", value_parser = step)]
    step: Step,
    /// How long the condition must hold, in the place of what the rule says.
    #[arg(long = "for", value_name = "DURATION", value_parser = length)]
    waits: Option<i64>,
    /// The number that the value is compared with, in the place of the rule's.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = number)]
    threshold: Option<f64>,
    /// Also say what the rule as it stands in Grafana would have done.
    #[arg(long)]
    compare: bool,
    #[command(flatten)]
    telling: Telling,
}

/// How it is told.
#[derive(clap::Args, Debug)]
struct Telling {
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// Also write one page with a chart, which needs no network, into this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
}

/// How it is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Counts, a chart of the value, and a line for each firing.
    Table,
    /// The same, however wide the terminal is.
    Wide,
    /// One JSON document.
    Json,
    /// A line for each firing, with titles.
    Csv,
}

fn length(text: &str) -> Result<i64, String> {
    let length = digest::duration(text)
        .ok_or_else(|| format!("{text:?} is no duration; write one such as 30m or 7d"))?;
    i64::try_from(length.as_secs()).map_err(|e| e.to_string())
}

fn number(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("{text:?} is no number"))?;
    if number.is_finite() {
        return Ok(number);
    }
    Err(format!(
        "no value is compared with {text}: give a number such as 0.2"
    ))
}

fn step(text: &str) -> Result<Step, String> {
    if text == "auto" {
        return Ok(Step::Auto);
    }
    match length(text)? {
        0 => Err("a step is at least 1s".to_owned()),
        seconds => Ok(Step::Seconds(seconds)),
    }
}

impl Backtest {
    pub(super) fn execute(self) -> Result<Exit, String> {
        let (from, to) = self.stretch();
        let (gathered, tested, failed) = wait(async {
            let mut gathered = self.whom.gather(self.compare).await?;
            let trees = trees(&gathered).await;
            let mut failed = std::mem::take(&mut gathered.failed);
            let mut all = Vec::new();
            for (at, subject) in gathered.subjects.iter().enumerate() {
                match self.test(&gathered, subject, (from, to), &trees).await {
                    Ok(tested) => all.push((at, tested.span, tested.length, tested.runs, tested.notes)),
                    Err(why) => failed.push(format!("AlertRule {}: {why}", subject.called())),
                }
            }
            Ok((gathered, all, failed))
        })?;
        let exit = ended(tested.len(), &failed, Exit::Done)?;
        let tested: Vec<Tested<'_>> = tested
            .into_iter()
            .filter_map(|(at, span, length, runs, notes)| {
                Some(Tested {
                    subject: gathered.subjects.get(at)?,
                    span,
                    length,
                    runs,
                    notes,
                })
            })
            .collect();
        if let Some(file) = &self.telling.html {
            let page = html::page(&tested);
            write_page(file, &page)?;
        }
        print(&match self.telling.output {
            Output::Table | Output::Wide => {
                let is_wide = self.telling.output == Output::Wide;
                let look = Look::of_output(self.telling.colors.color, is_wide);
                text::all(&tested, !self.telling.no_headers, look)
            }
            Output::Json => json::all(&tested),
            Output::Csv => text::csv(&tested, !self.telling.no_headers),
        })?;
        let notes: Vec<_> = tested
            .iter()
            .map(|one| (one.subject.called(), &one.notes[..]))
            .collect();
        tell(&notes, &failed, self.whom.quiet);
        Ok(exit)
    }

    /// From when to when, in seconds since 1970.
    fn stretch(&self) -> (i64, i64) {
        // What is to come has no samples yet.
        let now = Timestamp::now();
        let to = self.to.map_or(now, |to| to.min(now)).as_second();
        let from = self
            .from
            .map_or(to.saturating_sub(self.since), Timestamp::as_second);
        if from >= to {
            wrong("--from must be before --to, and --since more than nothing");
        }
        if let Step::Seconds(seconds) = self.step
            && plan::step(from, to, seconds) > seconds
        {
            wrong("--step makes more than 100,000 evaluations of that time: take a longer one, or less time");
        }
        (from, to)
    }

    async fn test<'a>(
        &self,
        gathered: &'a Gathered,
        subject: &'a Subject,
        (from, to): (i64, i64),
        trees: &Result<Vec<(TreeName, Route)>, String>,
    ) -> Result<Tested<'a>, String> {
        let (reached, facts) = (&gathered.reached, &gathered.facts);
        let rule = self.changed(&subject.rule)?;
        let standing = subject.standing(&gathered.held).filter(|_| self.compare);
        // The same for all, as what is asked for one is used for the other.
        let lead_in = standing.map_or(0, lead_in).max(lead_in(&rule));
        let over = Over { from, to, lead_in };
        let own = Pace::of(&rule, self.step, over)?;
        let mut notes = Vec::new();
        let mut runs = Vec::new();
        let mut asked: Vec<(Vec<Asked>, Span, Samples)> = Vec::new();
        let objects: Vec<_> = gathered.objects.clone();
        let world = World::new(
            &objects,
            &gathered.instance,
            Owners::new(gathered.owner.clone(), &[]),
        );
        let called = if gathered.is_of_files {
            "this file"
        } else {
            "this rule"
        };
        let mut ways = Vec::new();
        let mut notices = Vec::new();
        let mut theirs = None;
        if self.compare {
            match standing {
                Some(standing) => {
                    // Grafana evaluates it as often as it says there, whatever is written here.
                    let pace = Pace::of(standing, self.step, over)?;
                    theirs = Some(pace);
                    ways.push(("in Grafana", standing.clone(), pace));
                }
                None => {
                    notes.push("Grafana has no such rule yet: there is nothing to compare with".to_owned());
                }
            }
        }
        notes.insert(0, resolution(called, own, theirs));
        if rule.is_paused {
            notes.push("The rule is paused: as it is written it doesn't fire at all.".to_owned());
        }
        ways.push((called, rule, own));
        for (called, rule, pace) in ways {
            let span = pace.span;
            let graph = Graph::of(&rule, facts.version)?;
            let queries = plan::asked(&graph, &facts.sources, span.step)?;
            // What was asked already isn't asked again.
            let known = asked
                .iter()
                .position(|(before, over, _)| *before == queries && *over == span);
            let at = if let Some(at) = known {
                at
            } else {
                let early = span.led_in(lead_in);
                let samples = asking::ask(reached, &queries, early, self.whom.quiet, &mut notices).await?;
                asked.push((queries, span, samples));
                asked.len() - 1
            };
            let Some((_, _, samples)) = asked.get(at) else {
                continue;
            };
            let past = past(&rule, facts.version, span, lead_in, samples)?;
            let whose = if called == "in Grafana" {
                Whose::Standing(&rule, subject.folder.as_deref().ok())
            } else {
                Whose::Written(&world, &subject.object)
            };
            let paged = trees
                .as_ref()
                .map_err(Clone::clone)
                .and_then(|trees| paged(trees, &whose, &past));
            if called != "in Grafana" {
                notes.extend(said(&rule, &past, samples, &paged));
            }
            runs.push(Run {
                called,
                rule,
                past,
                paged,
            });
        }
        notes.extend(notices);
        notes.extend(text::compared(&runs));
        Ok(Tested {
            subject,
            span: own.span,
            length: to - from,
            runs,
            notes,
        })
    }

    /// The rule with what is asked for in its place.
    fn changed(&self, rule: &AlertRule) -> Result<AlertRule, String> {
        let mut rule = match self.threshold {
            Some(threshold) => threshold::replaced(rule, threshold)?,
            None => rule.clone(),
        };
        if let Some(seconds) = self.waits {
            rule.r#for = duration::format(std::time::Duration::from_secs(seconds.unsigned_abs()));
        }
        Ok(rule)
    }
}

/// The policy trees as they stand.
async fn trees(gathered: &Gathered) -> Result<Vec<(TreeName, Route)>, String> {
    let all = gathered.reached.grafana.trees.list().await;
    let all = all.map_err(|e| {
        format!(
            "the policy tree can't be read: {}",
            gathered.reached.whose.why(&e)
        )
    })?;
    Ok(all
        .items
        .into_iter()
        .map(|(name, found)| (name, found.object))
        .collect())
}

/// What people should know of the data.
fn said(rule: &AlertRule, past: &Past, samples: &Samples, paged: &Paged) -> Vec<String> {
    let mut notes = Vec::new();
    match samples.earliest() {
        None => notes.push("The data source has no samples of this query in that time.".to_owned()),
        Some(first) if first > past.span.from + past.span.step => notes.push(format!(
            "The first sample is of {}: what was before isn't kept, or wasn't there yet.",
            text::moment(first)
        )),
        Some(_) => notes.push("The data source has samples from the beginning on.".to_owned()),
    }
    if past.without_data > 0 {
        notes.push(format!(
            "No data counts as {}, as the rule's noDataState says.",
            rule.no_data_state
        ));
    }
    if let (count, Some(why)) = &past.failed
        && *count > 0
    {
        notes.push(format!("{count} evaluations fail: {why}"));
    }
    if let Err(why) = paged {
        notes.push(format!("Who would be told isn't known: {why}."));
    }
    notes
}
