//! A line for each contact point that is told.

use super::super::common::print::harmless;
use super::super::common::terminal::{Look, Paint};
use crate::domain::routing::answer::{Answer, Told};
use crate::domain::routing::inhibited::Inhibited;
use crate::domain::routing::silenced::Silenced;

const TITLES: [&str; 8] = [
    "#",
    "CONTACT POINT",
    "BY",
    "GROUPED BY",
    "WAIT",
    "INTERVAL",
    "REPEAT",
    "MUTED",
];

/// Where that is said which may be muted.
const MUTED: usize = 7;

pub(super) fn all(answers: &[Answer], is_wide: bool, has_titles: bool, look: Look) -> String {
    if let [only] = answers {
        return one(only, is_wide, has_titles, look);
    }
    let mut rows = Vec::new();
    for answer in answers {
        for told in &answer.contact_points {
            let mut row = row(told, is_wide);
            row.insert(0, answer.alert.clone());
            let quiet: Vec<&str> = answer.silenced.iter().map(|one| one.by.as_str()).collect();
            let held: Vec<&str> = answer.inhibited.iter().map(|one| one.by.as_str()).collect();
            let says = [("silenced by", quiet), ("held back at times by", held)];
            let says = says.iter().filter(|(_, by)| !by.is_empty());
            let says: Vec<String> = says.map(|(how, by)| format!("{how} {}", by.join(", "))).collect();
            row.push(says.join("; "));
            rows.push(row);
        }
    }
    let mut titles = titles(is_wide);
    titles.splice(0..1, ["ALERT"]);
    // Most alerts are neither, and then nobody needs the column.
    if rows
        .iter()
        .any(|row| row.last().is_some_and(|says| !says.is_empty()))
    {
        titles.push("QUIET");
    }
    look.table(&titles, &rows, has_titles, &|row, column| {
        muted_now(&rows, row, column)
    })
}

/// What isn't sent now stands out.
fn muted_now(rows: &[Vec<String>], row: usize, column: usize) -> Option<Paint> {
    let cell = rows.get(row)?.get(column).filter(|_| column == MUTED)?;
    cell.starts_with("yes").then_some(Paint::Yellow)
}

fn one(answer: &Answer, is_wide: bool, has_titles: bool, look: Look) -> String {
    let told = answer.contact_points.iter().enumerate();
    let rows: Vec<Vec<String>> = told
        .map(|(i, told)| {
            let mut row = row(told, is_wide);
            row.insert(0, (i + 1).to_string());
            row
        })
        .collect();
    let paint = |row, column| muted_now(&rows, row, column);
    look.table(&titles(is_wide), &rows, has_titles, &paint) + &silenced(answer) + &inhibited(answer)
}

fn titles(is_wide: bool) -> Vec<&'static str> {
    let mut titles = TITLES.to_vec();
    titles.extend(is_wide.then_some("ROUTE"));
    titles
}

fn row(told: &Told, is_wide: bool) -> Vec<String> {
    let mut row = vec![
        told.contact_point.clone(),
        by(told),
        grouped(&told.group_by),
        told.group_wait.clone(),
        told.group_interval.clone(),
        told.repeat_interval.clone(),
        muted(told),
    ];
    row.extend(is_wide.then(|| format!("{} {}", told.by.resource, told.by.field)));
    row
}

/// What the route asks for, with those above it.
fn by(told: &Told) -> String {
    if told.by.field == "spec.notificationSettings" {
        return "notificationSettings".to_owned();
    }
    let levels: Vec<String> = told
        .matchers
        .iter()
        .filter(|level| !level.is_empty())
        .map(|level| level.join(", "))
        .collect();
    match (levels.is_empty(), told.matchers.is_empty()) {
        (true, true) => "(default)".to_owned(),
        (true, false) => "(catch-all)".to_owned(),
        _ => levels.join(" > "),
    }
}

fn grouped(labels: &[String]) -> String {
    match labels {
        [] => "–".to_owned(),
        [all] if all == "..." => "all labels".to_owned(),
        labels => labels.join(", "),
    }
}

/// When nothing is sent, and whether that is so at the time that is asked for.
fn muted(told: &Told) -> String {
    let mute = told.mute_time_intervals.iter().map(|name| format!("in {name}"));
    let active = told
        .active_time_intervals
        .iter()
        .map(|name| format!("outside {name}"));
    let all: Vec<String> = mute.chain(active).collect();
    let is = match told.is_muted {
        _ if all.is_empty() => return "–".to_owned(),
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    };
    format!("{is}: {}", all.join(", "))
}

/// The Silences that cover an alert.
pub(super) fn silenced(answer: &Answer) -> String {
    let says = |silenced: &Silenced| {
        format!(
            "silenced by {} until {}: {}",
            silenced.by, silenced.until, silenced.comment
        )
    };
    let lines = answer.silenced.iter().map(says);
    let lines: Vec<String> = lines
        .map(|line| harmless(&line.replace('\n', " ")) + "\n")
        .collect();
    lines.concat()
}

/// The InhibitionRules that hold an alert back while others fire.
pub(super) fn inhibited(answer: &Answer) -> String {
    let lines = answer.inhibited.iter().map(Inhibited::words);
    lines.map(|line| harmless(&line) + "\n").collect()
}
