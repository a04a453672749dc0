//! Alert rules, by what is intended.

use std::time::Duration;

use jiff::Timestamp;

use super::terms::{Answer, OWNER_LABEL, Provenance, TREE_LABEL};
use super::watch::Listed;
use crate::grafana::Error;
use crate::grafana::digest::RuleDigest;
use crate::grafana::model::{AlertRule, Revision};
use crate::grafana::turns::Turn;

/// Alert rules.
pub trait Rules: Send + Sync {
    /// Every rule that the credentials may see. A rule whose folder is gone is not among them.
    fn list(&self) -> Answer<'_, Listed<FoundRule>>;
    /// The same rules whole, for people to see: they are many, and large.
    #[cfg(feature = "cli")]
    fn whole(&self) -> Answer<'_, Vec<AlertRule>>;
    /// The names and labels of every rule that there is, also of those whose folder is gone, or may not be seen; none where that can't be told.
    #[cfg(feature = "cli")]
    fn named(&self) -> Answer<'_, Vec<AlertRule>> {
        futures::FutureExt::boxed(async { Ok(Vec::new()) })
    }
    /// One rule.
    fn get<'a>(&'a self, uid: &'a str) -> Answer<'a, Option<FoundRule>>;
    /// Creates a rule, or makes the one that was found what is wished, also in another folder or group, with the interval that it shall
    /// have. Waits for its turn where others write to the same group. `Missing` if the one that was found is gone. `Conflict` if there is
    /// one of this uid that wasn't found.
    fn put<'a>(&'a self, write: RuleWrite<'a>) -> Answer<'a, Stored>;
    /// Deletes a rule that was found; one that is gone meanwhile is no error.
    fn delete<'a>(&'a self, found: &'a FoundRule, provenance: Provenance) -> Answer<'a, ()>;
    /// Whether rules can be written through this at all: a server may still list them through another API than that, and serve that no more.
    fn is_served(&self) -> Answer<'_, bool>;
}

/// What one write of a rule is to do.
#[derive(Clone, Copy)]
pub struct RuleWrite<'a> {
    /// What is wished. One that was found without a group stays so whatever is wished.
    pub rule: &'a AlertRule,
    /// What Grafana holds in its place, as far as is known.
    pub found: Option<&'a FoundRule>,
    /// Whether nothing but the interval differs from what was found. An API in which that is the group's leaves the rule itself alone then.
    pub only_interval: bool,
    /// The interval that Grafana gives the rule by itself where it is to be, as far as is known: that of its group, or of a new one. Asked
    /// when the write has its turn, for others may have set it meanwhile.
    pub interval_by_itself: &'a (dyn Fn() -> Duration + Send + Sync),
    /// Whether the rule of this uid, which carries our mark, is one that we write: a copy that somebody has made of one carries the mark too.
    /// `None` where that isn't known, or somebody else provisions it.
    pub has_written: &'a (dyn Fn(&str) -> Option<bool> + Send + Sync),
    /// Who is to have provisioned it.
    pub provenance: Provenance,
}

/// What became of a rule that was written.
#[derive(Debug)]
pub struct Stored {
    /// What a read finds now, its interval and group included.
    pub found: FoundRule,
    /// Why it has another interval than was wished, if it has.
    pub kept: Option<KeptInterval>,
    /// Whether the other rules of its group are known to have this interval too.
    pub is_of_group: bool,
    /// Why the write ended there, if the interval that is wished couldn't be set.
    pub failure: Option<Error>,
    /// Whether it may have been set all the same, for the rule and all others of its group.
    pub is_in_doubt: bool,
    /// The right to write where it was written, if it takes one: to be held until what is said here is known to whoever writes next.
    pub turn: Option<Turn>,
}

/// A group whose interval stays, because it holds a rule that isn't ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptInterval {
    /// The group's interval.
    pub interval: Duration,
    /// Uid of the rule that isn't ours.
    pub because_of: String,
}

/// What is known of a rule that Grafana holds.
#[derive(Debug, Clone)]
pub struct FoundRule {
    /// Identity within the organisation.
    pub uid: String,
    /// Folder that holds it.
    pub folder_uid: String,
    /// Group within the folder; `None` for a rule that was made without and can't get any.
    pub group: Option<String>,
    /// Title, unique within the folder before 12.0.
    pub title: String,
    /// Time between evaluations: of its group, if it has one.
    pub interval: Duration,
    /// Who provisioned it; `None` means nobody.
    pub provenance: Option<String>,
    /// Value of its label [`OWNER_LABEL`].
    pub owner: Option<String>,
    /// Name of the contact point that it has of its own, past the policy tree; 10.4 and later.
    pub receiver: Option<String>,
    /// Name of the policy tree that its alerts go through, where it names one.
    pub tree: Option<String>,
    /// Names of the time intervals that it has of its own, mute and active ones.
    pub intervals: Vec<String>,
    /// Name of the metric that it writes, if it is a recording rule.
    pub metric: Option<String>,
    /// All the rest, comparable.
    pub digest: RuleDigest,
    /// When it was last changed, by Grafana's clock; lists say it. No part of what the rule is: rules are equal whatever it says.
    pub updated: Updated,
    /// In which state it is, where the API has a word for that. No part of what the rule is either.
    pub revision: Option<Revision>,
}

impl PartialEq for FoundRule {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            uid,
            folder_uid,
            group,
            title,
            interval,
            provenance,
            owner,
            receiver,
            tree,
            intervals,
            metric,
            digest,
            updated: _,
            revision: _,
        } = self;
        *digest == other.digest
            && *uid == other.uid
            && *folder_uid == other.folder_uid
            && *group == other.group
            && *title == other.title
            && *interval == other.interval
            && *provenance == other.provenance
            && *owner == other.owner
            && *receiver == other.receiver
            && *tree == other.tree
            && *intervals == other.intervals
            && *metric == other.metric
    }
}

impl Eq for FoundRule {}

impl FoundRule {
    /// What a read finds after `rule` was written with this provenance.
    pub fn written(rule: &AlertRule, provenance: Provenance) -> Self {
        Self {
            provenance: provenance.name().map(str::to_owned),
            ..Self::of(rule)
        }
    }

    /// What was found.
    pub fn of(rule: &AlertRule) -> Self {
        Self {
            uid: rule.uid.clone(),
            folder_uid: rule.folder_uid.clone(),
            group: rule.group.clone(),
            title: rule.title.clone(),
            interval: rule.interval,
            provenance: rule
                .provenance
                .clone()
                .filter(|provenance| !provenance.is_empty()),
            receiver: rule
                .notification_settings
                .as_ref()
                .map(|settings| settings.receiver.clone()),
            tree: tree(rule),
            intervals: rule
                .notification_settings
                .as_ref()
                .map_or_else(Vec::new, |settings| {
                    let muted = settings.mute_time_intervals.iter();
                    muted.chain(&settings.active_time_intervals).cloned().collect()
                }),
            metric: rule.record.as_ref().map(|record| record.metric.clone()),
            owner: rule.labels.get(OWNER_LABEL).cloned(),
            digest: RuleDigest::of(rule),
            updated: Updated::default(),
            revision: None,
        }
    }
}

/// The policy tree that a rule names: in its settings, or by the label that Grafana gives alerts with such settings.
fn tree(rule: &AlertRule) -> Option<String> {
    let settings = rule.notification_settings.as_ref();
    let named = settings.and_then(|settings| settings.policy.as_ref());
    let named = named.or_else(|| rule.labels.get(TREE_LABEL));
    named.filter(|name| !name.is_empty()).cloned()
}

/// When an object was last changed, if Grafana said so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Updated(pub Option<Timestamp>);

impl Updated {
    /// Whether both are known, and this one is the earlier.
    pub fn is_before(self, other: Self) -> bool {
        matches!((self.0, other.0), (Some(this), Some(other)) if this < other)
    }
}
