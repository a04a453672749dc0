//! `alertwright report`: which rules fire, how often and for how long, and which never do.

mod figures;
mod print;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use self::figures::{By, Row, Rule, Silenced, Sort, Window, rows};
use super::common::color::Colors;
use super::common::connect::{Anywhere, Reached, ToGrafana, wait};
use super::common::dns;
use super::common::document::as_yaml;
use super::common::exit::{self, Exit};
use super::common::print::{harmless, note, print};
use super::common::terminal::Look;
use super::common::written::write_page;
use super::export::read::astray;
use crate::api::duration::Duration;
use crate::domain::silence::as_matcher;
use crate::grafana::api::OWNER_LABEL;
use crate::grafana::api::history::{KeptIn, Past};
use crate::grafana::api::{AlertState, RuleState, Window as Part};
use crate::grafana::model::AlertRule;
use crate::grafana::wire;

/// For how long Grafana keeps silences that are over.
const SILENCES_KEPT: SignedDuration = SignedDuration::from_hours(5 * 24);

/// Say which alert rules fire, how often and for how long, and which never do, by the history that Grafana keeps of their states.
///
/// All rules of the organisation are in it, whoever made them, unless a namespace is named. Nothing is written. It shows what Grafana still has: no more.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright report --since 30d\n  alertwright report -n payments --never-fired\n  alertwright report --by team --sort time -o markdown\n  alertwright report --since 7d --html report.html\n\n{}", exit::HELP_IN_PART_WITHOUT_NO))]
pub(super) struct Report {
    #[command(flatten)]
    cluster: Anywhere,
    /// Only the rules of AlertRules in this namespace. Default: all rules of the organisation, whoever made them.
    #[arg(short, long, value_parser = dns::namespace)]
    namespace: Option<String>,
    #[command(flatten)]
    grafana: ToGrafana,
    /// How far back to look, for example 7d.
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = since)]
    since: SignedDuration,
    /// What rules are told together by.
    #[arg(long, value_enum, default_value_t = By::Rule)]
    by: By,
    /// What comes first.
    #[arg(long, value_enum, default_value_t = Sort::Firings)]
    sort: Sort,
    /// Only what never fired in that time.
    #[arg(long)]
    never_fired: bool,
    /// Only so many, the first ones as they are sorted.
    #[arg(long, value_name = "COUNT")]
    top: Option<NonZero<usize>>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// Write a page of HTML into this file too, which needs nothing else to be looked at.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
    /// Nothing but the figures.
    #[arg(short, long)]
    quiet: bool,
}

/// How figures are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each.
    Table,
    /// The same, however wide the terminal is.
    Wide,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
    /// Comma separated, times in seconds.
    Csv,
    /// A table in Markdown.
    Markdown,
}

fn since(text: &str) -> Result<SignedDuration, String> {
    let length = Duration::parse(text).and_then(|duration| duration.checked());
    let length = length.map_err(|error| error.to_string())?;
    let length = SignedDuration::try_from(length).map_err(|error| error.to_string())?;
    Some(length)
        .filter(SignedDuration::is_positive)
        .ok_or_else(|| "nothing can be told of no time".to_owned())
}

impl Report {
    pub(super) fn execute(self) -> Result<Exit, String> {
        let to = Timestamp::now();
        let from = to.checked_sub(self.since).map_err(|error| error.to_string())?;
        let Figures {
            mut rows,
            past,
            window,
            unread,
            astray,
        } = wait(self.read(from, to))?;
        let unended = unended(&rows);
        if self.never_fired {
            rows.retain(|row| row.firings == 0);
        }
        if let Some(top) = self.top {
            rows.truncate(top.get());
        }
        let exit = exit_code(&past, unread.as_deref());
        let mut limits = limits(&past, &window);
        limits.extend(unended);
        limits.extend(unread);
        limits.extend(left_out(&astray));
        let said: &[String] = if self.quiet { &[] } else { &limits };
        print(&match self.output {
            Output::Table | Output::Wide => {
                let look = Look::of_output(self.colors.color, self.output == Output::Wide);
                print::table(&rows, self.by, !self.no_headers, look)
            }
            Output::Json => print::json(&rows, &window, &past, &limits),
            Output::Yaml => as_yaml(&print::json(&rows, &window, &past, &limits))?,
            Output::Csv => print::csv(&rows, !self.no_headers),
            Output::Markdown => print::markdown(&rows, self.by, said),
        })?;
        if let Some(file) = &self.html {
            let page = print::html(&rows, self.by, &window, &limits);
            write_page(file, &page)?;
        }
        for limit in said {
            note(limit);
        }
        Ok(exit)
    }

    async fn read(&self, from: Timestamp, to: Timestamp) -> Result<Figures, String> {
        let cluster = if self.grafana.is_given() {
            None
        } else {
            Some(self.cluster.connect().await?)
        };
        let Reached { grafana, whose, .. } = self.grafana.reach(cluster.as_ref(), None).await?;
        let rules = grafana.rules.whole().await;
        let rules = rules.map_err(|e| format!("cannot read alert rules: {}", whose.why(&e)))?;
        let astray = astray(&grafana, &rules).await;
        let astray = astray.map_err(|e| format!("cannot read alert rules: {}", whose.why(&e)))?;
        // Where they may not be read their uids stand for them.
        let folders = grafana.folders.list().await.map(|listed| listed.items);
        let folders: BTreeMap<String, String> = folders
            .unwrap_or_default()
            .into_iter()
            .map(|folder| (folder.uid, folder.title))
            .collect();
        let past = grafana.history.changes(from, to).await;
        let past = past.map_err(|e| format!("cannot read the history of states: {}", whose.why(&e)))?;
        let window = seen(from, to, &past);
        let silences = grafana.silences.list().await;
        let silences = silences.map_err(|e| format!("cannot read silences: {}", whose.why(&e)))?;
        let (states, unread) = match grafana.states.page(Part::Whole).await {
            Ok(page) => (page.states, None),
            Err(error) => (
                Vec::new(),
                Some(format!(
                    "what fires now can't be read, so a rule that has fired all the time counts as one that never fired: {}",
                    whose.why(&error)
                )),
            ),
        };
        let rules: Vec<Rule> = rules
            .into_iter()
            // What records never fires.
            .filter(|rule| rule.record.is_none())
            .map(|rule| Rule {
                namespace: rule.labels.get(OWNER_LABEL).and_then(|mark| namespace(mark)),
                fires_since: fires_since(&states, &rule),
                is_quiet: is_quiet(&states, &rule),
                folder: folders.get(&rule.folder_uid).cloned().unwrap_or(rule.folder_uid),
                uid: rule.uid,
                title: rule.title,
                labels: rule.labels,
            })
            .filter(|rule| is_of(rule, self.namespace.as_deref()))
            .collect();
        if let Some(namespace) = self.namespace.as_deref().filter(|_| rules.is_empty()) {
            if let Some(cluster) = &cluster {
                cluster.check_namespace(namespace).await?;
            }
            if !self.quiet {
                note(&format!(
                    "Grafana has no rule of an AlertRule in namespace {namespace}"
                ));
            }
        }
        let silences: Vec<Silenced> = silences.iter().filter_map(silenced).collect();
        let rows = rows(&rules, &past.changes, &silences, &window, (self.by, self.sort));
        let in_namespace = |rule: &AlertRule| {
            let own = rule.labels.get(OWNER_LABEL).and_then(|mark| namespace(mark));
            self.namespace.is_none() || own == self.namespace
        };
        Ok(Figures {
            rows,
            past,
            window,
            unread,
            astray: astray
                .into_iter()
                .filter(in_namespace)
                .map(|rule| rule.title)
                .collect(),
        })
    }
}

/// The figures, and what they are made of.
struct Figures {
    rows: Vec<Row>,
    past: Past,
    window: Window,
    /// Why the states of now aren't among it.
    unread: Option<String>,
    /// The titles of rules whose folder is gone, or may not be seen.
    astray: Vec<String>,
}

/// So many titles are named.
const NAMED: usize = 5;

/// What is said of rules that can't be read.
fn left_out(titles: &[String]) -> Option<String> {
    let first: Vec<&str> = titles.iter().take(NAMED).map(String::as_str).collect();
    let more = match titles.len() - first.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let first = first.join(", ");
    match titles.len() {
        0 => None,
        1 => Some(format!(
            "1 rule is left out, for its folder isn't there, or may not be seen: {first}"
        )),
        many => Some(format!(
            "{many} rules are left out, for their folders aren't there, or may not be seen: {first}{more}"
        )),
    }
}

fn of<'a>(states: &'a [RuleState], rule: &AlertRule) -> impl Iterator<Item = &'a RuleState> {
    let is_it = |state: &&RuleState| match &state.uid {
        Some(uid) => *uid == rule.uid,
        // Before 11 it has none, and a title is unique within a folder.
        None => state.title == rule.title && Some(&state.group) == rule.group.as_ref(),
    };
    states.iter().filter(is_it)
}

fn fires_now(state: &RuleState) -> bool {
    matches!(state.state, AlertState::Firing | AlertState::Recovering)
}

/// Whether Grafana has evaluated a rule, and none of its alerts fires now.
fn is_quiet(states: &[RuleState], rule: &AlertRule) -> bool {
    let mut known = of(states, rule)
        .filter(|state| state.state != AlertState::Unknown)
        .peekable();
    known.peek().is_some() && !known.any(fires_now)
}

/// Since when a rule fires, if it does; for ever where Grafana doesn't say.
fn fires_since(states: &[RuleState], rule: &AlertRule) -> Option<Timestamp> {
    let mut all = of(states, rule).filter(|state| fires_now(state));
    all.next()
        .map(|state| state.active_at.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The namespace in a mark, whoever's: `owner/namespace/name`.
fn namespace(mark: &str) -> Option<String> {
    mark.split('/').nth(1).map(str::to_owned)
}

/// Whether a rule is of an AlertRule in this namespace, where one is named.
fn is_of(rule: &Rule, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|namespace| rule.namespace.as_deref() == Some(namespace))
}

/// In part where figures are known to be too small: some of the time, or what fires now, couldn't be read.
fn exit_code(past: &Past, unread: Option<&str>) -> Exit {
    if past.is_cut || past.failed.is_some() || unread.is_some() {
        Exit::InPart
    } else {
        Exit::Done
    }
}

/// A silence as it was; one whose matchers aren't understood covers nothing that is known.
fn silenced(silence: &wire::Silence) -> Option<Silenced> {
    let matchers = silence.matchers.iter().map(as_matcher);
    Some(Silenced {
        matchers: matchers.collect::<Option<_>>()?,
        from: silence.starts_at,
        to: silence.ends_at,
    })
}

/// The part of the time that was read: of too many changes the newest are, and of what was before them nothing is known.
fn seen(from: Timestamp, to: Timestamp, past: &Past) -> Window {
    let first = past.changes.first().map_or(from, |first| first.at.max(from));
    Window {
        from: if past.is_cut { first } else { from },
        to,
        known: first,
    }
}

/// What is said of firings whose end isn't in the history.
fn unended(rows: &[Row]) -> Option<String> {
    match rows.iter().map(|row| row.unended).sum::<usize>() {
        0 => None,
        1 => Some(
            "1 firing has ended without a change that says so, and counts as far as it is known".to_owned(),
        ),
        many => Some(format!(
            "{many} firings have ended without a change that says so, and count as far as they are known"
        )),
    }
}

/// What the figures can't say.
fn limits(past: &Past, window: &Window) -> Vec<String> {
    let kept = match past.kept_in {
        KeptIn::Annotations => "annotations in Grafana's database; labels are read from their texts",
        KeptIn::Loki => "a Loki",
    };
    let mut all = vec![match past.changes.first() {
        None => format!(
            "no change of a state is kept in this time, in {kept}: nothing changed, or Grafana keeps no history"
        ),
        Some(first) if past.is_cut => format!(
            "too much is kept to be read: the figures are of the time since {}, from {kept}; look at less with --since",
            first.at.strftime("%Y-%m-%d %H:%M UTC")
        ),
        Some(first) => format!(
            "the first change that is kept is of {}, in {kept}; what fired already then counts from there, and a rule that fires now without a change counts as one firing",
            first.at.strftime("%Y-%m-%d %H:%M UTC")
        ),
    }];
    if let Some(why) = &past.failed {
        all.push(format!(
            "the Loki that keeps the history can't be read, and what is only there isn't in the figures: {}",
            harmless(why)
        ));
    }
    if window.to.duration_since(window.from) > SILENCES_KEPT {
        all.push("silences are known for five days after their end, so what was silenced before counts as not silenced".to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grafana::api::history::StateChange;

    #[test]
    fn figures_that_are_known_to_be_too_small_end_in_part() {
        let code = |is_cut, unread: Option<&str>| {
            let past = Past {
                kept_in: KeptIn::Loki,
                changes: Vec::new(),
                is_cut,
                failed: None,
            };
            exit_code(&past, unread)
        };
        assert_eq!(code(false, None), Exit::Done);
        assert_eq!(code(true, None), Exit::InPart);
        let failed = Past {
            kept_in: KeptIn::Annotations,
            changes: Vec::new(),
            is_cut: false,
            failed: Some("no".to_owned()),
        };
        assert_eq!(exit_code(&failed, None), Exit::InPart);
        assert_eq!(code(false, Some("no")), Exit::InPart);
    }

    #[test]
    fn rules_without_a_folder_are_counted_and_some_named() {
        let titles: Vec<String> = (1..=7).map(|at| format!("r{at}")).collect();
        assert_eq!(left_out(&[]), None);
        let said = |count: usize| left_out(&titles[..count]).unwrap();
        assert!(said(1).starts_with("1 rule is left out") && said(1).ends_with("seen: r1"));
        assert!(
            said(7).starts_with("7 rules are left out")
                && said(7).ends_with(": r1, r2, r3, r4, r5 and 2 more")
        );
    }

    #[test]
    fn of_a_namespace_are_the_rules_of_its_alert_rules_alone() {
        let rule = |namespace: Option<&str>| Rule {
            namespace: namespace.map(str::to_owned),
            ..Rule::default()
        };
        assert!(is_of(&rule(None), None) && is_of(&rule(Some("shop")), None));
        assert!(is_of(&rule(Some("shop")), Some("shop")));
        assert!(!is_of(&rule(Some("ops")), Some("shop")) && !is_of(&rule(None), Some("shop")));
    }

    #[test]
    fn of_changes_that_are_cut_the_first_one_that_was_read_begins_the_time() {
        let at = |minute| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        let from = |is_cut| {
            let change = StateChange {
                rule: "a".to_owned(),
                labels: std::collections::BTreeMap::new(),
                at: at(20),
                before: "Alerting".to_owned(),
                after: "Normal".to_owned(),
            };
            let past = Past {
                kept_in: KeptIn::Loki,
                changes: vec![change],
                is_cut,
                failed: None,
            };
            let window = seen(at(0), at(60), &past);
            (window.from, window.known)
        };
        assert_eq!((from(false), from(true)), ((at(0), at(20)), (at(20), at(20))));
    }
}
