//! What became of each resource, as a line says it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::meaning::{self, Meaning};
pub(super) use super::sign::Sign;
use super::trees::Trees;
use crate::api::condition::Reason;
use crate::cluster::rehearsed::{Seen, UNKNOWN};
use crate::controller::run::rehearsal::{Name, Outcome, Performance};
use crate::domain::export::texts;
use crate::domain::ownership::Owners;
use crate::domain::routing::difference::{self, Difference, Secrets};
use crate::domain::rule::folder::titles;
use crate::grafana::api::rehearsed::{Change, Concern};

/// How many there are of each.
pub(super) type Counts = BTreeMap<Sign, usize>;

/// One resource.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    #[serde(flatten)]
    pub(super) name: Name,
    #[serde(rename = "change")]
    pub(super) sign: Sign,
    /// Where it is in Grafana.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differences: Vec<Difference>,
    /// Why it is refused, or nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<String>,
    /// What a change of routes means for the alerts of rules that are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) routing: Vec<Meaning>,
    /// Where a rule is now, as a field of its resource would say it; nothing where none can.
    #[serde(skip)]
    pub(super) folder: Option<(&'static str, String)>,
}

/// What is known beside the performance.
pub(super) struct Known<'a> {
    /// The resources that are told of.
    pub(super) selected: &'a BTreeSet<Name>,
    pub(super) owners: &'a Owners,
    pub(super) seen: &'a Seen,
    /// The Secrets of each contact point.
    pub(super) secrets: &'a BTreeMap<Name, BTreeSet<String>>,
    /// The rules that name their folder by its uid.
    pub(super) by_uid: &'a BTreeSet<Name>,
    /// The rules with a `query`, whose texts the operator writes anew.
    pub(super) by_query: &'a BTreeSet<Name>,
    /// What the instance writes in front of every folder.
    pub(super) prefix: &'a str,
}

impl Row {
    /// Tells it the other way round.
    pub(super) fn turn(&mut self) {
        self.sign = match self.sign {
            Sign::Create => Sign::Delete,
            Sign::Delete => Sign::Create,
            other => other,
        };
        for one in &mut self.differences {
            std::mem::swap(&mut one.before, &mut one.after);
        }
        for one in &mut self.routing {
            std::mem::swap(&mut one.before, &mut one.after);
        }
    }
}

/// A line for each resource that is told of.
pub(super) fn rows(performance: &Performance, known: &Known<'_>) -> Vec<Row> {
    let mut trees = Trees::of(performance, known.owners);
    let all = performance
        .outcomes
        .iter()
        .filter(|(name, _)| known.selected.contains(name));
    let mut rows: Vec<Row> = all
        .map(|(name, outcome)| row(name, outcome, performance, known, &trees))
        .collect();
    // What it means is told once for each tree: with its root, or else with the first of its branches.
    for row in &mut rows {
        if !matches!(row.sign, Sign::Equal) && row.name.kind == "NotificationPolicy" {
            row.routing = trees.take_meaning(&row.name);
        }
    }
    rows
}

/// What people should know of what couldn't be read.
pub(super) fn remarks(seen: &Seen, has_cluster: bool) -> Vec<String> {
    let (memory, secrets): (Vec<_>, Vec<_>) = seen.unread().into_iter().partition(|name| is_memory(name));
    let mut remarks = Vec::new();
    if let Some(name) = memory.first() {
        let why = if has_cluster {
            format!("can't be read (Secret {name})")
        } else {
            "isn't known without its cluster".to_owned()
        };
        remarks.push(format!(
            "what the operator remembers of this Grafana {why}: secrets aren't compared, and time intervals, templates and trees that it has made may count as somebody else's"
        ));
    }
    if !secrets.is_empty() {
        remarks.push(format!(
            "Secrets can't be read and aren't compared: {}",
            secrets.join(", ")
        ));
    }
    remarks
}

/// Where a rule is now, as its resource would say it.
fn folder(
    name: &Name,
    outcome: &Outcome,
    performance: &Performance,
    known: &Known<'_>,
) -> Option<(&'static str, String)> {
    let touched = outcome.touched.iter();
    let mut rules = touched.filter(|(concern, _)| *concern == Concern::Rule);
    let uid = rules
        .find_map(|(_, key)| performance.notes.rule(key).before)?
        .folder_uid;
    if known.by_uid.contains(name) {
        return Some(("folderUID", uid));
    }
    let path = performance.folder_path(&uid)?;
    let path = path.strip_prefix(known.prefix)?;
    (titles(path).is_ok()).then(|| ("folder", path.to_owned()))
}

fn row(name: &Name, outcome: &Outcome, performance: &Performance, known: &Known<'_>, trees: &Trees) -> Row {
    let (change, place) = match name.kind {
        "NotificationPolicy" => (trees.change(name), None),
        _ => change(name, outcome, performance, known),
    };
    let refusal = outcome.reason.and_then(|reason| match reason {
        Reason::Synced | Reason::Expired | Reason::Drifted | Reason::Suspended => None,
        Reason::Unavailable | Reason::Unauthorized | Reason::Throttled => Some(Sign::Unknown),
        _ => Some(Sign::Refused),
    });
    let (sign, differences) = change.unwrap_or((Sign::Equal, Vec::new()));
    let is_suspended = outcome.reason == Some(Reason::Suspended);
    let routing = if sign == Sign::Change && refusal.is_none() {
        routing(outcome, performance)
    } else {
        Vec::new()
    };
    let message = (refusal.is_some() || is_suspended).then(|| outcome.message.clone());
    Row {
        name: name.clone(),
        sign: refusal.unwrap_or(sign),
        place,
        differences,
        message,
        routing,
        folder: folder(name, outcome, performance, known),
    }
}

/// Texts of a rule as its resource has them, not as the operator writes them into Grafana.
fn as_written(one: &mut Difference) {
    if one.field.starts_with("annotations.") || one.field.starts_with("labels.") {
        for value in [&mut one.before, &mut one.after].into_iter().flatten() {
            if let Some(text) = value.as_str() {
                *value = texts::unwritten(text).into();
            }
        }
    }
}

/// What a change of a rule means for its own alerts.
fn routing(outcome: &Outcome, performance: &Performance) -> Vec<Meaning> {
    let touched = outcome.touched.iter();
    let keys = touched.filter(|(concern, _)| *concern == Concern::Rule);
    let keys: Vec<&str> = keys.map(|(_, key)| key.as_str()).collect();
    let change = whole(&keys, |uid| performance.notes.rule(uid));
    meaning::of_rule(&change, performance).into_iter().collect()
}

/// The change of the one object that a resource has. Of several keys it has been under it is one all the same.
fn whole<T>(keys: &[&str], of: impl Fn(&str) -> Change<T>) -> Change<T> {
    let mut all = Change {
        before: None,
        after: None,
    };
    for change in keys.iter().map(|key| of(key)) {
        all.before = all.before.or(change.before);
        all.after = all.after.or(change.after);
    }
    all
}

/// How an object changes, and in what.
fn sign<T: PartialEq>(
    change: &Change<T>,
    compare: impl Fn(&T, &T) -> Vec<Difference>,
) -> Option<(Sign, Vec<Difference>)> {
    match (&change.before, &change.after) {
        (None, None) => None,
        (None, Some(_)) => Some((Sign::Create, Vec::new())),
        (Some(_), None) => Some((Sign::Delete, Vec::new())),
        (Some(before), Some(after)) if before == after => None,
        (Some(before), Some(after)) => Some((Sign::Change, compare(before, after))),
    }
}

type Found = (Option<(Sign, Vec<Difference>)>, Option<String>);

/// Whether it isn't known what was sent of the secrets of a contact point, or is to be: of others nothing follows for it.
fn is_unread(unread: &[String], own: Option<&BTreeSet<String>>) -> bool {
    unread
        .iter()
        .any(|secret| is_memory(secret) || own.is_some_and(|own| own.contains(secret)))
}

/// Whether a Secret holds what the operator remembers.
fn is_memory(secret: &str) -> bool {
    secret.contains("/alertwright-memory-")
}

fn change(name: &Name, outcome: &Outcome, performance: &Performance, known: &Known<'_>) -> Found {
    let seen = known.seen;
    let notes = &performance.notes;
    let Some((concern, _)) = outcome.touched.first() else {
        return (None, None);
    };
    let of = |own: &(Concern, String)| own.0 == *concern;
    let keys: Vec<&str> = outcome
        .touched
        .iter()
        .filter(|own| of(own))
        .map(|(_, key)| key.as_str())
        .collect();
    match concern {
        Concern::Rule => {
            let change = whole(&keys, |uid| notes.rule(uid));
            let titled = |uid: &str| performance.folder(uid);
            let rule = change.after.as_ref().or(change.before.as_ref());
            let place = rule.map(|rule| {
                let folder = titled(&rule.folder_uid).unwrap_or_else(|| rule.folder_uid.clone());
                match &rule.group {
                    Some(group) if change.before.is_none() => format!("folder {folder}, group {group}"),
                    _ => format!("folder {folder}"),
                }
            });
            let found = sign(&change, |before, after| {
                let mut told = difference::rule(before, after, titled);
                if known.by_query.contains(name) {
                    told.iter_mut().for_each(as_written);
                }
                told
            });
            (
                found.filter(|(sign, told)| *sign != Sign::Change || !told.is_empty()),
                place,
            )
        }
        Concern::ContactPoint => {
            let change = whole(&keys, |name| notes.contact_point(name));
            let secrets = seen.values();
            let found = sign(&change, |before, after| {
                let secrets = Secrets {
                    values: &secrets,
                    unknown: UNKNOWN,
                };
                difference::contact_point(before, after, &secrets)
            });
            // Where it isn't known what was sent, what Grafana hides is no difference.
            let found = found.and_then(|(sign, mut told)| {
                if sign == Sign::Change && told.is_empty() {
                    if is_unread(&seen.unread(), known.secrets.get(name)) {
                        return None;
                    }
                    told.push(Difference::of_hidden());
                }
                Some((sign, told))
            });
            (found, None)
        }
        Concern::TimeInterval => {
            let change = whole(&keys, |name| notes.time_interval(name));
            (sign(&change, difference::time_interval), None)
        }
        Concern::Template => {
            let change = whole(&keys, |name| notes.template(name));
            (sign(&change, difference::template), None)
        }
        Concern::InhibitionRule => {
            let change = whole(&keys, |name| notes.inhibition_rule(name));
            (sign(&change, difference::inhibition_rule), None)
        }
        Concern::Silence => {
            let change = whole(&keys, |id| notes.silence(id));
            (sign(&change, difference::silence), None)
        }
        Concern::Tree => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_of_one_contact_point_hides_nothing_of_another() {
        let own = BTreeSet::from(["revel/slack".to_owned()]);
        let of = |unread: &str| is_unread(&[unread.to_owned()], Some(&own));
        assert!(of("revel/slack") && of("home/alertwright-memory-0123"));
        assert!(!of("revel/pagerduty") && !is_unread(&["revel/slack".to_owned()], None));
    }

    #[test]
    fn a_text_is_told_as_its_resource_has_it() {
        let rewritten = "{{ with $values.B }}{{ . }}{{ end }} failures";
        let told = |field: &str| {
            let mut one = Difference {
                field: field.to_owned(),
                before: Some(format!("HAND {rewritten}").into()),
                after: Some(rewritten.into()),
            };
            as_written(&mut one);
            one
        };
        let text = told("annotations.summary");
        assert_eq!(text.before, Some("HAND {{ $value }} failures".into()));
        assert_eq!(text.after, Some("{{ $value }} failures".into()));
        assert_eq!(told("data[A].model.expr").after, Some(rewritten.into()));
    }

    #[test]
    fn the_other_way_round_what_would_be_made_would_be_deleted() {
        for (sign, turned) in [
            (Sign::Create, Sign::Delete),
            (Sign::Delete, Sign::Create),
            (Sign::Change, Sign::Change),
            (Sign::Refused, Sign::Refused),
        ] {
            let mut row = Row {
                name: Name {
                    kind: "Silence",
                    namespace: "revel".to_owned(),
                    name: "s".to_owned(),
                },
                sign,
                place: None,
                differences: Vec::new(),
                message: None,
                routing: Vec::new(),
                folder: None,
            };
            row.turn();
            assert_eq!(row.sign, turned);
        }
    }
}
