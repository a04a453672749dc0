//! One screen for people.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::common::moments::{ago, at, lasting};
use super::super::common::terminal::{Look, Paint};
use super::operator::Operator;
use super::routes::Quieted;
use super::screen::{Failing, Firing, Instance, Screen, Waiting, rank};

/// Which parts of the screen there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) firing: bool,
    pub(super) not_ready: bool,
    /// Instances, Silences and the operator.
    pub(super) around: bool,
}

/// How it is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) has_titles: bool,
    /// Whether there are resources that one may not read, so that nobody knows that all is well.
    pub(super) is_partial: bool,
    pub(super) look: Look,
}

/// What it needs to say when something is.
pub(super) struct Clock<'a> {
    pub(super) now: Timestamp,
    pub(super) place: &'a TimeZone,
}

impl Clock<'_> {
    fn ago(&self, moment: Option<Timestamp>) -> String {
        ago(moment, self.now)
    }
}

/// The whole screen; of what may not all be read it doesn't say that all is well.
pub(super) fn all(screen: &Screen, parts: Parts, clock: &Clock<'_>, manner: Manner) -> String {
    let look = manner.look;
    let mut sections = Vec::new();
    if parts.around && !screen.instances.is_empty() {
        sections.push(instances(&screen.instances, manner));
    }
    if parts.firing && !screen.firing.is_empty() {
        sections.push(firing(&screen.firing, clock, manner));
    }
    if parts.firing && !parts.around && screen.firing.iter().any(|firing| !firing.is_quiet()) {
        sections.push(look.line("Silences made in Grafana aren't looked at."));
    }
    if parts.not_ready && !screen.not_in_sync.is_empty() {
        sections.push(not_in_sync(&screen.not_in_sync, clock, manner));
    }
    if parts.not_ready && !screen.in_error.is_empty() {
        sections.push(in_error(&screen.in_error, clock, manner));
    }
    if let Some(quiet) = quiet(screen, parts, manner.is_partial) {
        sections.push(look.line(&quiet));
    }
    if parts.around {
        sections.push(look.line(&silences(screen, clock)) + &look.line(&operator(&screen.operator)));
    }
    sections.join("\n")
}

/// What is said where nothing is to be told.
fn quiet(screen: &Screen, parts: Parts, is_partial: bool) -> Option<String> {
    let no_fire = parts.firing && screen.firing.is_empty();
    let no_wait = parts.not_ready && screen.not_in_sync.is_empty() && screen.in_error.is_empty();
    let in_sync = match screen.resources {
        0 => "there are no resources".to_owned(),
        1 => "the one resource is in sync".to_owned(),
        n => format!("all {n} resources are in sync"),
    };
    let as_far = if is_partial { ", as far as can be read" } else { "" };
    match (no_fire, no_wait) {
        (true, true) => Some(format!("Nothing fires, and {in_sync}{as_far}.")),
        (true, false) => Some(format!("Nothing fires{as_far}.")),
        (false, true) => Some(format!("Nothing waits: {in_sync}{as_far}.")),
        (false, false) => None,
    }
}

fn instances(all: &[Instance], manner: Manner) -> String {
    let count = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    let row = |instance: &Instance| {
        vec![
            instance.name.clone(),
            instance.grafana.clone().unwrap_or_else(|| "–".to_owned()),
            instance.version.clone().unwrap_or_else(|| "–".to_owned()),
            match instance.is_reachable {
                Some(true) => "yes".to_owned(),
                Some(false) => "no".to_owned(),
                None => "–".to_owned(),
            },
            count(instance.in_sync),
            count(instance.not_in_sync),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let titles = ["INSTANCE", "GRAFANA", "VERSION", "REACHED", "IN SYNC", "NOT"];
    let paint = |row: usize, column: usize| {
        let instance = all.get(row)?;
        match column {
            3 => instance
                .is_reachable
                .map(|is| if is { Paint::Green } else { Paint::Red }),
            5 => instance
                .not_in_sync
                .filter(|count| *count > 0)
                .map(|_| Paint::Yellow),
            _ => None,
        }
    };
    manner.look.table(&titles, &rows, manner.has_titles, &paint)
}

fn firing(all: &[Firing], clock: &Clock<'_>, manner: Manner) -> String {
    let several = several(all.iter().map(|firing| firing.instance.as_str()));
    let row = |firing: &Firing| {
        let to = match &firing.to {
            Some(to) if to.is_empty() => "nobody".to_owned(),
            Some(to) => to.join(", "),
            None => "not known".to_owned(),
        };
        vec![
            within(&firing.rule, several.then_some(firing.instance.as_str())),
            firing.severity.clone().unwrap_or_else(|| "–".to_owned()),
            clock.ago(firing.since),
            to,
            kept_quiet(firing, clock),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let title = format!("FIRING ({})", all.len());
    let paint = |row: usize, column: usize| {
        let firing = all.get(row)?;
        if firing.is_quiet() {
            return Some(Paint::Dim);
        }
        match (column, rank(firing.severity.as_deref())) {
            (1, 0 | 1) => Some(Paint::Red),
            (1, 2) => Some(Paint::Yellow),
            // Nobody hears of it.
            (3, _) if firing.to.as_ref().is_none_or(Vec::is_empty) => Some(Paint::Yellow),
            _ => None,
        }
    };
    let titles = [&title, "SEVERITY", "SINCE", "TO", "SILENCED"];
    manner.look.table(&titles, &rows, manner.has_titles, &paint)
}

/// What keeps it quiet; a Silence before what holds it back.
fn kept_quiet(firing: &Firing, clock: &Clock<'_>) -> String {
    match firing.inhibited.as_slice() {
        [first, others @ ..] if firing.silenced.is_empty() => {
            let more = match others.len() {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            format!("while {} fires, by {}{more}", first.source, first.inhibition_rule)
        }
        _ => match firing.perhaps_silenced.first() {
            Some(first) if firing.silenced.is_empty() => {
                let more = match firing.perhaps_silenced.len() {
                    1 => String::new(),
                    n => format!(" and {} more", n - 1),
                };
                format!("perhaps, by {} ({}){more}", first.silence, first.on)
            }
            _ => silenced(&firing.silenced, clock),
        },
    }
}

/// Until when it is quiet, and why.
fn silenced(all: &[Quieted], clock: &Clock<'_>) -> String {
    let Some(longest) = all.first() else {
        return "–".to_owned();
    };
    let until = at(longest.until, clock.now, clock.place);
    let by = longest.maintenance.as_ref().unwrap_or(&longest.silence);
    let more = match all.len() {
        1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    format!("until {until} by {by}{more}")
}

fn not_in_sync(all: &[Waiting], clock: &Clock<'_>, manner: Manner) -> String {
    let row = |waiting: &Waiting| {
        let path = format!(
            "{}/{}/{}",
            waiting.namespace,
            waiting.kind.to_lowercase(),
            waiting.name
        );
        vec![
            within(&path, waiting.instance.as_deref()),
            waiting.why.reason.clone(),
            clock.ago(waiting.why.since),
            one_line(&waiting.why.message),
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let title = format!("NOT IN SYNC ({})", all.len());
    let paint = |row: usize, column: usize| {
        let waiting = all.get(row).filter(|_| column == 1)?;
        let is_doubt = waiting.why.is_ready || matches!(waiting.why.reason.as_str(), "Unseen" | "Outdated");
        Some(if is_doubt { Paint::Yellow } else { Paint::Red })
    };
    let titles = [&title, "REASON", "FOR", "WHAT"];
    manner.look.table(&titles, &rows, manner.has_titles, &paint)
}

fn in_error(all: &[Failing], clock: &Clock<'_>, manner: Manner) -> String {
    let several = several(all.iter().map(|failing| failing.instance.as_str()));
    let row = |failing: &Failing| {
        let why = match (&failing.message, failing.state.as_str()) {
            (Some(message), _) => one_line(message),
            (None, "NoData") => "its query returns nothing".to_owned(),
            (None, _) => "–".to_owned(),
        };
        vec![
            within(&failing.rule, several.then_some(failing.instance.as_str())),
            failing.state.clone(),
            clock.ago(failing.since),
            failing.to.as_ref().map_or_else(
                || "–".to_owned(),
                |to| {
                    if to.is_empty() {
                        "nobody".to_owned()
                    } else {
                        to.join(", ")
                    }
                },
            ),
            silenced(&failing.silenced, clock),
            why,
        ]
    };
    let rows: Vec<_> = all.iter().map(row).collect();
    let title = format!("IN ERROR ({})", all.len());
    let paint = |row: usize, column: usize| {
        let failing = all.get(row).filter(|_| column == 1)?;
        Some(if failing.state == "NoData" {
            Paint::Yellow
        } else {
            Paint::Red
        })
    };
    let titles = [&title, "STATE", "SINCE", "TO", "SILENCED", "WHY"];
    manner.look.table(&titles, &rows, manner.has_titles, &paint)
}

fn silences(screen: &Screen, clock: &Clock<'_>) -> String {
    let all = &screen.silences;
    let mut line = format!("SILENCES  {} active, {} pending", all.active, all.pending);
    if let Some(next) = &all.next_to_end {
        let left = lasting(next.ends_at.duration_since(clock.now));
        let _ = write!(line, ", next to end: {} in {left}", next.silence);
    }
    line.push_str("; those made in Grafana aren't looked at");
    line
}

fn operator(operator: &Operator) -> String {
    let leader = operator.leader.as_ref().map(|leader| format!("leader {leader}"));
    let line = if operator.deployment.is_some() {
        let version = operator
            .version
            .clone()
            .unwrap_or_else(|| "version not known".to_owned());
        let replicas = format!("{} of {} replicas ready", operator.ready, operator.wanted);
        [Some(version), leader, Some(replicas)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    } else {
        let unseen = if operator.is_unseen {
            "not known, for its Deployment can't be read"
        } else {
            "no Deployment of it is seen"
        };
        let unseen = unseen.to_owned();
        [Some(unseen), leader]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    };
    format!("OPERATOR  {line}")
}

fn several<'a>(mut all: impl Iterator<Item = &'a str>) -> bool {
    let first = all.next();
    all.any(|other| Some(other) != first)
}

/// Something in one of several Grafanas.
fn within(what: &str, instance: Option<&str>) -> String {
    match instance {
        Some(instance) => format!("{what} in {instance}"),
        None => what.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
