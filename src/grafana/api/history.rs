//! What became of alerts in the past, as far as Grafana keeps it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::terms::Answer;

/// The history of states.
pub trait History: Send + Sync {
    /// Every change of a state between two times, in the order of time.
    fn changes(&self, from: Timestamp, to: Timestamp) -> Answer<'_, Past>;
}

/// What the history says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Where Grafana keeps it.
    pub kept_in: KeptIn,
    /// The changes, the oldest first.
    pub changes: Vec<StateChange>,
    /// Whether there are more than were read: those are the newest.
    pub is_cut: bool,
    /// Why what a Loki keeps isn't among them, where one failed.
    pub failed: Option<String>,
}

/// Where Grafana keeps the history of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptIn {
    /// Annotations in its database, which is the default.
    Annotations,
    /// A Loki.
    Loki,
}

/// One alert of one rule that changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Uid of the rule.
    pub rule: String,
    /// The alert's labels, which tell it from the rule's others.
    pub labels: BTreeMap<String, String>,
    /// When it was.
    pub at: Timestamp,
    /// The state before, `Normal` for example, or `Normal (NoData)` with what made it so.
    pub before: String,
    /// The state from then on.
    pub after: String,
}
