//! The life of a rule, for people.

use std::fmt::Write;

use super::super::common::moments::{ago, at};
use super::super::common::print::harmless;
use super::super::common::terminal::{Look, Paint};
use super::super::status::state::Why;
use super::life::{Life, Query, There};
use crate::api::condition::Reason;
use crate::domain::routing::inhibited::Inhibited;
use crate::domain::rule::folder::titles;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How wide the names of the stations are.
const WIDE: usize = 10;

struct Page {
    text: String,
    look: Look,
}

impl Page {
    /// Something below the name of a station, line by line.
    fn put(&mut self, station: &str, text: &str) {
        let mut name = station;
        for line in text.lines() {
            let space = " ".repeat(WIDE.saturating_sub(name.len()));
            let line = format!("{space}{}", harmless(line));
            let name_of = self.look.painted(name, Paint::Bold);
            let _ = writeln!(self.text, "{name_of}{}", line.trim_end());
            name = "";
        }
    }
}

pub(super) fn all(life: &Life, now: Timestamp, place: &TimeZone, look: Look) -> String {
    let mut page = Page {
        text: String::new(),
        look,
    };
    page.put("RULE", &format!("AlertRule {}, {}", life.rule, born(life, now)));
    page.put("QUERY", &query(&life.query));
    for there in &life.grafanas {
        if life.grafanas.len() > 1 {
            page.text.push('\n');
        }
        grafana(&mut page, there, life.is_recording, now, place);
    }
    page.text
}

fn born(life: &Life, now: Timestamp) -> String {
    let what = if life.is_recording {
        "recording rule"
    } else {
        "alert"
    };
    let mut said = format!("{what} {}", life.title);
    if let Some(severity) = &life.severity {
        let _ = write!(said, ", severity {severity}");
    }
    if let Some(generation) = life.generation {
        let _ = write!(said, ", generation {generation}");
    }
    if life.created.is_some() {
        let _ = write!(said, ", {} old", ago(life.created, now));
    }
    said
}

fn query(query: &Query) -> String {
    let mut lines = Vec::new();
    for (name, text) in &query.queries {
        let prefix = format!("{name}: ");
        let mut first = prefix.as_str();
        let indent = " ".repeat(prefix.len());
        for line in text.lines() {
            lines.push(format!("{first}{line}"));
            first = &indent;
        }
    }
    let mut when: Vec<String> = Vec::new();
    when.extend(
        query
            .comparison
            .as_ref()
            .map(|comparison| format!("fires where A {comparison}")),
    );
    when.extend(query.note.clone());
    when.extend(query.r#for.as_ref().map(|length| format!("for {length}")));
    when.push(format!("every {}", query.interval));
    let source = query.datasource.as_ref();
    when.push(source.map_or_else(
        || "the instance's default data source".to_owned(),
        |source| {
            let s = if source.contains(", ") { "s" } else { "" };
            format!("data source{s} {source}")
        },
    ));
    lines.push(when.join(", "));
    lines.join("\n")
}

fn grafana(page: &mut Page, there: &There, is_recording: bool, now: Timestamp, place: &TimeZone) {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    let instance = there.instance.as_deref().unwrap_or_default();
    let mut stored = format!("instance {instance}");
    if there.uid.is_some() {
        let _ = write!(stored, ", folder {}", folder(&known(&there.folder)));
        if let Some(group) = &there.group {
            let _ = write!(stored, ", group {group}");
        }
        let _ = write!(stored, ", uid {}", known(&there.uid));
    }
    page.put("GRAFANA", &stored);
    match &there.why {
        None => page.put("", &format!("in sync for {}", ago(there.in_sync_since, now))),
        Some(why) => {
            let how = if why.is_ready {
                "in sync, but"
            } else {
                "not in sync:"
            };
            page.put(
                "",
                &format!(
                    "{how} {} for {}: {}",
                    why.reason,
                    ago(why.since, now),
                    why.message
                ),
            );
        }
    }
    page.put("STATE", &state(there, now));
    if is_recording {
        page.put("ROUTE", "nobody: a recording rule has no alerts");
    } else {
        page.put("ROUTE", &route(there));
    }
    let quiet = if is_recording {
        "–".to_owned()
    } else {
        silenced(there, now, place)
    };
    page.put("SILENCED", &quiet);
    let held = there.route.iter().flat_map(|answer| &answer.inhibited);
    let held: Vec<String> = held.map(|rule| inhibited(rule, there)).collect();
    if !held.is_empty() {
        page.put("INHIBITED", &held.join("\n"));
    }
    page.put("SENT", &sent(there, now));
    page.put("LINK", &known(&there.url));
}

/// A folder as people see it in Grafana: of one title the title itself, of several the path.
fn folder(path: &str) -> String {
    match titles(path).as_deref() {
        Ok([only]) => only.clone(),
        _ => path.to_owned(),
    }
}

/// What holds its alerts back while others fire, and which of them do.
fn inhibited(rule: &Inhibited, there: &There) -> String {
    let mut now = there.inhibited.iter();
    let now = now.find(|held| rule.by == format!("InhibitionRule {}", held.inhibition_rule));
    let now = now.map_or_else(String::new, |held| format!(", as {} does now", held.source));
    format!("{}{now}", rule.words())
}

fn state(there: &There, now: Timestamp) -> String {
    let is_anothers = |why: &Why| why.reason == Reason::NotOwned.as_str();
    if there.state.is_none() && there.why.as_ref().is_some_and(is_anothers) {
        return "not known: what Grafana has is somebody else's".to_owned();
    }
    let Some(state) = &there.state else {
        return "not evaluated yet, as far as the operator has seen".to_owned();
    };
    let mut said = format!("{state} for {}", ago(there.state_since, now));
    if let Some(message) = &there.state_message {
        let _ = write!(said, ": {message}");
    }
    said
}

fn route(there: &There) -> String {
    let Some(answer) = &there.route else {
        return format!("not known: {}", there.why_not.as_deref().unwrap_or_default());
    };
    let mut lines = there.as_written.clone();
    lines.extend(
        there
            .other_name
            .map(|name| format!("of the alert {name}, which Grafana has in this state")),
    );
    for told in &answer.contact_points {
        let levels: Vec<String> = told
            .matchers
            .iter()
            .filter(|all| !all.is_empty())
            .map(|all| all.join(", "))
            .collect();
        let by = match levels.as_slice() {
            [] => String::new(),
            levels => format!(" by {}", levels.join(" > ")),
        };
        let muted = if told.is_muted == Some(true) {
            ", muted now"
        } else {
            ""
        };
        lines.push(format!(
            "{}{by} ({}, {}){muted}",
            told.contact_point, told.by.resource, told.by.field
        ));
    }
    if answer.contact_points.is_empty() {
        lines.push("nobody".to_owned());
    }
    if !there.unknown_labels.is_empty() {
        lines.push(format!(
            "without {}, which come from templates and aren't known before it fires",
            there.unknown_labels.join(", ")
        ));
    }
    lines.join("\n")
}

fn silenced(there: &There, now: Timestamp, place: &TimeZone) -> String {
    let perhaps = there.perhaps_silenced.iter();
    let perhaps = perhaps.map(|perhaps| format!("perhaps, by Silence {} ({})", perhaps.silence, perhaps.on));
    if there.silenced.is_empty() && there.perhaps_silenced.is_empty() {
        return "by no resource; silences made in Grafana aren't looked at".to_owned();
    }
    let line = |quieted: &super::super::status::routes::Quieted| {
        let why = quieted.maintenance.as_deref().unwrap_or(&quieted.comment);
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        format!(
            "until {} by Silence {}: {why}",
            at(quieted.until, now, place),
            quieted.silence
        )
    };
    there
        .silenced
        .iter()
        .map(line)
        .chain(perhaps)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether the last notifications went out, of whichever alert they were, and since when that is so.
fn sent(there: &There, now: Timestamp) -> String {
    if there.told().is_none_or(|told| told.is_empty()) {
        return "–".to_owned();
    }
    let line = |delivery: &super::life::Delivery| {
        let name = &delivery.contact_point;
        match (&delivery.resource, &delivery.said) {
            (None, _) => format!("{name}: no ContactPoint that can be seen"),
            (Some(_), None) => {
                format!("{name}: not known: Grafana tells of no attempt since it was last stored or started")
            }
            (Some(_), Some(said)) if delivery.last_sent.is_some() => {
                // Not every attempt is noted, but that which made it so is.
                format!("{name}: {said} since {} ago", ago(delivery.last_sent, now))
            }
            (Some(_), Some(said)) => format!("{name}: {said}"),
        }
    };
    there.deliveries.iter().map(line).collect::<Vec<_>>().join("\n")
}
