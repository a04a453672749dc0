//! How rules do.

use jiff::Timestamp;

use super::terms::Answer;

/// The states of rules.
pub trait RuleStates: Send + Sync {
    /// The states in this part of the list, as the replica that answers knows them. Of a Grafana that knows no pages every answer is the
    /// whole list.
    fn page<'a>(&'a self, window: Window<'a>) -> Answer<'a, StatesPage>;
}

/// A part of the list of states, which is ordered by group. A group is never cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window<'a> {
    /// All of it.
    Whole,
    /// One page.
    Page {
        /// Where it begins: at [`StatesPage::next`] of the page before, or with the first group.
        from: Option<&'a str>,
        /// Most groups on it.
        groups: u32,
        /// It ends with the group that brings it to so many rules; since 12.4, before they aren't counted.
        rules: u32,
    },
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatesPage {
    /// The states on it.
    pub states: Vec<RuleState>,
    /// Where the next one begins; none after the last. Means something to Grafana alone.
    pub next: Option<String>,
}

/// How a rule does, from Grafana's last evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleState {
    /// Identity of the rule; 11.0 and later.
    pub uid: Option<String>,
    /// Value of the rule's label [`OWNER_LABEL`].
    pub owner: Option<String>,
    /// Title of the folder; below 12.0 the title alone, later the whole path.
    pub folder: String,
    /// Name of the group.
    pub group: String,
    /// Title of the rule.
    pub title: String,
    /// The most serious state of its alerts.
    pub state: AlertState,
    /// Since when it fires.
    pub active_at: Option<Timestamp>,
    /// Why the last evaluation failed, cut to a safe length.
    pub last_error: Option<String>,
}

/// State of a rule, the least serious first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AlertState {
    /// Not evaluated: new, paused, or not known to the replica that answered.
    Unknown,
    /// The condition does not hold.
    Normal,
    /// The condition no longer holds, but the alert fires on for a while.
    Recovering,
    /// The condition holds, but not for long enough yet.
    Pending,
    /// The queries returned nothing.
    NoData,
    /// The evaluation failed.
    Error,
    /// The alert fires.
    Firing,
}
