//! Conditions: their types, their reasons, and how they are set.
//!
//! Every kind reports `Ready`, `Reconciling` and `Stalled` as kstatus reads them: `Reconciling` and `Stalled` are present
//! only while they are true.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// The condition that says whether Grafana holds what the resource asks for.
pub const READY: &str = "Ready";
/// The condition that is true while a pass is expected to make progress by itself.
pub const RECONCILING: &str = "Reconciling";
/// The condition that is true when nothing will change until a person changes something.
pub const STALLED: &str = "Stalled";

/// Why a condition holds. The list is closed: scripts may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Stored in Grafana.
    Synced,
    /// Stored in Grafana, where somebody has changed it since, and that is only told of.
    Drifted,
    /// A silence that has run its course.
    Expired,
    /// The specification can't be carried out as it is.
    Invalid,
    /// A Secret, GrafanaInstance or referenced object isn't there yet.
    DependencyMissing,
    /// Another resource claims the same name, uid, group or tree.
    Conflict,
    /// Grafana holds an object of that name that somebody else made.
    NotOwned,
    /// Grafana can't be reached or answers with an error of its own.
    Unavailable,
    /// Grafana asks for fewer requests.
    Throttled,
    /// Grafana refuses the credentials or the permission.
    Unauthorized,
    /// The connected Grafana is too old for a field.
    Unsupported,
    /// `spec.suspend` is set.
    Suspended,
    /// Waiting with the deletion: something still refers to it.
    InUse,
}

impl Reason {
    /// The whole list.
    pub const ALL: [Self; 13] = [
        Self::Synced,
        Self::Drifted,
        Self::Expired,
        Self::Invalid,
        Self::DependencyMissing,
        Self::Conflict,
        Self::NotOwned,
        Self::Unavailable,
        Self::Throttled,
        Self::Unauthorized,
        Self::Unsupported,
        Self::Suspended,
        Self::InUse,
    ];

    /// The reason of this word, if it is one.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.as_str() == word)
    }

    /// The CamelCase word that stands in the condition.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::Drifted => "Drifted",
            Self::Expired => "Expired",
            Self::Invalid => "Invalid",
            Self::DependencyMissing => "DependencyMissing",
            Self::Conflict => "Conflict",
            Self::NotOwned => "NotOwned",
            Self::Unavailable => "Unavailable",
            Self::Throttled => "Throttled",
            Self::Unauthorized => "Unauthorized",
            Self::Unsupported => "Unsupported",
            Self::Suspended => "Suspended",
            Self::InUse => "InUse",
        }
    }

    /// Whether the resource counts as ready for this reason.
    pub fn is_ready(self) -> bool {
        matches!(self, Self::Synced | Self::Drifted | Self::Expired)
    }

    /// Whether only a person's change can help (kstatus `Failed`).
    pub fn is_stalled(self) -> bool {
        matches!(
            self,
            Self::Invalid | Self::NotOwned | Self::Unsupported | Self::Conflict
        )
    }

    /// Whether the operator goes on trying by itself (kstatus `InProgress`).
    pub fn is_reconciling(self) -> bool {
        matches!(
            self,
            Self::DependencyMissing | Self::Unavailable | Self::Throttled | Self::Unauthorized | Self::InUse
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The longest message that a condition may carry (meta/v1 allows 32,768 characters; people read far less).
const MESSAGE_LIMIT: usize = 1024;

/// Sets `Ready`, `Reconciling` and `Stalled` to what `reason` says, keeping transition times of what doesn't flip.
pub fn report(
    conditions: &mut Vec<Condition>,
    reason: Reason,
    message: &str,
    generation: Option<i64>,
    now: Timestamp,
) {
    let word = reason.as_str();
    set(
        conditions,
        READY,
        Some(reason.is_ready()),
        word,
        message,
        generation,
        now,
    );
    let present = |holds: bool| holds.then_some(true);
    set(
        conditions,
        RECONCILING,
        present(reason.is_reconciling()),
        word,
        message,
        generation,
        now,
    );
    set(
        conditions,
        STALLED,
        present(reason.is_stalled()),
        word,
        message,
        generation,
        now,
    );
}

/// Sets another condition, which is present only while it is true: with its reason, in CamelCase, and its message.
pub fn note(
    conditions: &mut Vec<Condition>,
    type_: &str,
    holds: Option<(&str, &str)>,
    generation: Option<i64>,
    now: Timestamp,
) {
    let (reason, message) = holds.unwrap_or_default();
    let status = holds.map(|_| true);
    set(conditions, type_, status, reason, message, generation, now);
}

/// The `Ready` condition, if it was ever reported.
pub fn ready(conditions: &[Condition]) -> Option<&Condition> {
    conditions.iter().find(|c| c.type_ == READY)
}

/// Whether `Ready` is true and speaks of this generation.
pub fn is_ready(conditions: &[Condition], generation: Option<i64>) -> bool {
    ready(conditions).is_some_and(|c| c.status == "True" && c.observed_generation == generation)
}

fn set(
    conditions: &mut Vec<Condition>,
    type_: &str,
    status: Option<bool>,
    reason: &str,
    message: &str,
    generation: Option<i64>,
    now: Timestamp,
) {
    let before = conditions
        .iter()
        .position(|c| c.type_ == type_)
        .map(|i| conditions.remove(i));
    let Some(status) = status else { return };
    let status = if status { "True" } else { "False" };
    let since = before
        .filter(|c| c.status == status)
        .map_or(Time(now), |c| c.last_transition_time);
    conditions.push(Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: cut(message),
        observed_generation: generation,
        last_transition_time: since,
    });
    conditions.sort_by(|a, b| a.type_.cmp(&b.type_));
}

fn cut(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_LIMIT) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message.to_owned(),
    }
}

/// What people read about a condition other than `Ready`: the section of its name in the page on troubleshooting.
#[cfg(test)]
pub fn explanation(type_: &str) -> Option<&'static str> {
    let page = include_str!("../../docs/troubleshooting.md");
    let title = format!("The condition {type_} of a GrafanaInstance\n");
    let mut sections = page.split("\n## ");
    sections.find_map(|section| section.strip_prefix(title.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_explained_to_people_once_with_what_to_do() {
        let page = include_str!("../../docs/troubleshooting.md");
        let rows = |reason: Reason| -> Vec<&str> {
            let first = format!("| `{reason}` | ");
            page.lines()
                .filter_map(|line| line.strip_prefix(&first))
                .collect()
        };
        for reason in Reason::ALL {
            let rows = rows(reason);
            let [row] = rows.as_slice() else {
                panic!("{reason} has {} rows in docs/troubleshooting.md", rows.len());
            };
            let cells: Vec<_> = row.trim_end_matches('|').split(" | ").map(str::trim).collect();
            assert!(
                cells.len() == 2 && cells.iter().all(|cell| cell.ends_with('.')),
                "{reason}: what it means, and what to do: {cells:?}"
            );
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn types(conditions: &[Condition]) -> Vec<(&str, &str)> {
        conditions
            .iter()
            .map(|c| (c.type_.as_str(), c.status.as_str()))
            .collect()
    }

    #[test]
    fn a_transition_time_changes_only_when_the_status_flips() {
        let mut conditions = Vec::new();
        report(
            &mut conditions,
            Reason::Unavailable,
            "connection refused",
            Some(1),
            at(10),
        );
        report(&mut conditions, Reason::Unavailable, "timed out", Some(1), at(20));
        assert_eq!(ready(&conditions).unwrap().last_transition_time.0, at(10));
        assert_eq!(ready(&conditions).unwrap().message, "timed out");
        report(&mut conditions, Reason::Synced, "stored", Some(1), at(30));
        assert_eq!(ready(&conditions).unwrap().last_transition_time.0, at(30));
    }

    #[test]
    fn reconciling_and_stalled_are_present_only_while_true() {
        let mut conditions = Vec::new();
        report(&mut conditions, Reason::DependencyMissing, "m", Some(1), at(1));
        assert_eq!(types(&conditions), [("Ready", "False"), ("Reconciling", "True")]);
        report(&mut conditions, Reason::Invalid, "m", Some(1), at(2));
        assert_eq!(types(&conditions), [("Ready", "False"), ("Stalled", "True")]);
        report(&mut conditions, Reason::Expired, "m", Some(1), at(3));
        assert_eq!(types(&conditions), [("Ready", "True")]);
    }

    #[test]
    fn ready_of_an_older_generation_is_not_ready() {
        let mut conditions = Vec::new();
        report(&mut conditions, Reason::Synced, "m", Some(1), at(1));
        assert!(is_ready(&conditions, Some(1)));
        assert!(!is_ready(&conditions, Some(2)));
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let mut conditions = Vec::new();
        report(&mut conditions, Reason::Invalid, &"ü".repeat(5000), None, at(1));
        assert_eq!(
            ready(&conditions).unwrap().message.chars().count(),
            MESSAGE_LIMIT + 1
        );
    }
}
