//! `alertwright backtest`: a rule over the past.

mod asking;
mod html;
mod json;
mod paged;
pub(super) mod subject;
pub(super) mod tested;
pub(super) mod text;

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;

use self::paged::{Paged, Whose, paged};
use self::subject::{Gathered, Subject, Whom};
use self::tested::{Run, Tested, ended, tell};
use super::common::color::Colors;
use super::common::connect::wait;
use super::common::exit::{self, Exit};
use super::common::print::{print, wrong};
use super::common::terminal::Look;
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
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
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

/// The time between two evaluations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Auto,
    Seconds(i64),
}

fn length(text: &str) -> Result<i64, String> {
    let length = digest::duration(text)
        .ok_or_else(|| format!("{text:?} is no duration; write one such as 30m or 7d"))?;
    i64::try_from(length.as_secs()).map_err(|e| e.to_string())
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
                    Ok(tested) => all.push((at, tested.span, tested.runs, tested.notes)),
                    Err(why) => failed.push(format!("AlertRule {}: {why}", subject.called())),
                }
            }
            Ok((gathered, all, failed))
        })?;
        let exit = ended(tested.len(), &failed, Exit::Done)?;
        let tested: Vec<Tested<'_>> = tested
            .into_iter()
            .filter_map(|(at, span, runs, notes)| {
                Some(Tested {
                    subject: gathered.subjects.get(at)?,
                    span,
                    runs,
                    notes,
                })
            })
            .collect();
        if let Some(file) = &self.telling.html {
            let page = html::page(&tested);
            fs::write(file, page).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
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
        let own = self.pace(&rule, (from, to))?;
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
        let mut theirs = None;
        if self.compare {
            match subject.standing(&gathered.held) {
                Some(standing) => {
                    // Grafana evaluates it as often as it says there, whatever is written here.
                    let pace = self.pace(standing, (from, to))?;
                    theirs = Some(pace);
                    ways.push(("in Grafana", standing.clone(), pace));
                }
                None => {
                    notes.push("Grafana has no such rule yet: there is nothing to compare with".to_owned());
                }
            }
        }
        notes.insert(0, resolution(called, own, theirs));
        ways.push((called, rule, own));
        // The same for all, as what is asked for one is used for the other.
        let lead_in = ways
            .iter()
            .map(|(_, rule, _)| lead_in(rule))
            .max()
            .unwrap_or_default();
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
                let samples = asking::ask(reached, &queries, early, self.whom.quiet).await?;
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
                notes.extend(said(&past, samples, &paged));
            }
            runs.push(Run {
                called,
                rule,
                past,
                paged,
            });
        }
        notes.extend(text::compared(&runs));
        Ok(Tested {
            subject,
            span: own.span,
            runs,
            notes,
        })
    }

    /// How often a rule is evaluated, and when here.
    fn pace(&self, rule: &AlertRule, (from, to): (i64, i64)) -> Result<Pace, String> {
        let interval = i64::try_from(rule.interval.as_secs()).unwrap_or(60);
        let step = match self.step {
            Step::Auto => plan::step(from, to, interval),
            Step::Seconds(seconds) => seconds,
        };
        let span = Span::within(from, to, step)
            .ok_or("there is no evaluation in so short a time: take a shorter --step or a longer --since")?;
        Ok(Pace { span, interval })
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

/// How long before the first evaluation a rule may have begun to fire what fires then, in seconds.
fn lead_in(rule: &AlertRule) -> i64 {
    let keep = rule.keep_firing_for.as_deref().and_then(digest::duration);
    let both = digest::duration(&rule.r#for).unwrap_or_default() + keep.unwrap_or_default();
    i64::try_from(both.as_secs()).unwrap_or_default()
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

/// How often a rule is evaluated by itself, and when it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    span: Span,
    interval: i64,
}

/// How fine what was looked at is, and whose interval that is: of the rule that is written, and of the one in Grafana where that counts too.
fn resolution(called: &str, own: Pace, theirs: Option<Pace>) -> String {
    let shown = text::length;
    let is_same = theirs.is_some_and(|theirs| theirs == own);
    let own = match own.span.step == own.interval {
        true if is_same => return format!("Evaluated every {}, as in Grafana.", shown(own.interval)),
        true => format!("every {}, as {called} says", shown(own.interval)),
        false => {
            let whose = if is_same { "Grafana" } else { called };
            format!("every {}, where {}", shown(own.span.step), coarse(own, whose))
        }
    };
    match theirs.filter(|_| !is_same) {
        None => format!("Evaluated {own}."),
        Some(theirs) if theirs.span.step == theirs.interval => {
            format!(
                "Evaluated {own}; Grafana evaluates every {}.",
                shown(theirs.interval)
            )
        }
        Some(theirs) => format!(
            "Evaluated {own}; that in Grafana every {}, where {}.",
            shown(theirs.span.step),
            coarse(theirs, "Grafana")
        ),
    }
}

/// Which interval isn't kept to, and what that means.
fn coarse(pace: Pace, whose: &str) -> String {
    let verb = if whose == "Grafana" { "evaluates" } else { "says" };
    let meaning = if pace.span.step > pace.interval {
        "what is shorter isn't seen, and a rule waits in whole steps"
    } else {
        "Grafana sees less"
    };
    format!("{whose} {verb} every {}: {meaning}", text::length(pace.interval))
}

/// What people should know of the data.
fn said(past: &Past, samples: &Samples, paged: &Paged) -> Vec<String> {
    let mut notes = Vec::new();
    match samples.earliest() {
        None => notes.push("The data source has no samples of this query in that time.".to_owned()),
        Some(first) if first > past.span.from + past.span.step => notes.push(format!(
            "The first sample is of {}: what was before isn't kept, or wasn't there yet.",
            text::moment(first)
        )),
        Some(_) => notes.push("The data source has samples from the beginning on.".to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    const fn pace(interval: i64, step: i64) -> Pace {
        let span = Span {
            from: 0,
            to: 3600,
            step,
        };
        Pace { span, interval }
    }

    #[test]
    fn each_interval_is_said_with_whose_it_is() {
        let minute = pace(60, 60);
        assert_eq!(
            resolution("this file", minute, Some(minute)),
            "Evaluated every 1m, as in Grafana."
        );
        assert_eq!(
            resolution("this rule", minute, None),
            "Evaluated every 1m, as this rule says."
        );
        assert_eq!(
            resolution("this file", minute, Some(pace(1, 1))),
            "Evaluated every 1m, as this file says; Grafana evaluates every 1s."
        );
        assert_eq!(
            resolution("this file", minute, Some(pace(1, 7))),
            "Evaluated every 1m, as this file says; that in Grafana every 7s, where Grafana evaluates every 1s: what is shorter isn't seen, and a rule waits in whole steps."
        );
        assert_eq!(
            resolution("this file", pace(60, 10), Some(pace(60, 10))),
            "Evaluated every 10s, where Grafana evaluates every 1m: Grafana sees less."
        );
        assert_eq!(
            resolution("this file", pace(60, 120), None),
            "Evaluated every 2m, where this file says every 1m: what is shorter isn't seen, and a rule waits in whole steps."
        );
    }
}
