//! Alert rules, by what is intended.

use std::time::Duration;

use super::{Answer, FoundRule, Provenance};
use crate::grafana::model::AlertRule;

/// Alert rules.
pub trait Rules: Send + Sync {
    /// Every rule that the credentials may see. A rule whose folder is gone is not among them.
    fn list(&self) -> Answer<'_, Vec<FoundRule>>;
    /// One rule.
    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>>;
    /// Creates a rule, or makes the one that was found what is wished, also in another folder or group, with the interval that it shall
    /// have. `Missing` if the one that was found is gone. `Conflict` if there is one of this uid that wasn't found.
    fn put<'a>(&'a self, write: RuleWrite<'a>) -> Answer<'a, Stored>;
    /// Deletes a rule that was found; one that is gone meanwhile is no error.
    fn delete<'a>(&'a self, found: &'a FoundRule, provenance: Provenance) -> Answer<'a, ()>;
}

/// What one write of a rule is to do.
#[derive(Debug, Clone, Copy)]
pub struct RuleWrite<'a> {
    /// What is wished.
    pub rule: &'a AlertRule,
    /// What Grafana holds in its place, as far as is known.
    pub found: Option<&'a FoundRule>,
    /// Who is to have provisioned it.
    pub provenance: Provenance,
}

/// What became of a rule that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What a read finds now, its interval and group included.
    pub found: FoundRule,
    /// Why it has another interval than was wished, if it has.
    pub kept: Option<KeptInterval>,
    /// Whether the other rules of its group have this interval now, too.
    pub is_of_group: bool,
}

/// A group whose interval stays, because it holds a rule that isn't ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptInterval {
    /// The group's interval.
    pub interval: Duration,
    /// Uid of the rule that isn't ours.
    pub because_of: String,
}
