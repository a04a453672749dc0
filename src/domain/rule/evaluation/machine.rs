//! From evaluation to evaluation: the states of a rule's alerts, as Grafana keeps them (`pkg/services/ngalert/state/state.go` and `manager.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Labels, Outcome, Verdict};
use crate::domain::version::Version;
use crate::grafana::digest;
use crate::grafana::model::AlertRule;

/// How many evaluations in a row a series may be missing before its alert resolves, where the rule doesn't say it.
const MISSING: i64 = 2;
/// From when on no data and errors that a rule makes another state of are a state of all its alerts, without a toggle (`grafana/grafana#68142`, #77242).
const SPREADS: Version = Version::new(10, 3, 0);
/// From when on the alert of no data or of an error goes with the first evaluation that doesn't say it again (`grafana/grafana#106421`).
const GOES_AT_ONCE: Version = Version::new(12, 1, 0);
/// From when on no data and errors wait too, as long as the rule's `for` (`grafana/grafana#117024`, in the notes of 12.4.0).
const WAITS: Version = Version::new(12, 4, 0);

/// The state of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing is wrong.
    Normal,
    /// The condition holds, and not yet for long enough.
    Pending,
    /// It fires.
    Alerting,
    /// The condition doesn't hold any more, and it fires a while longer.
    Recovering,
    /// There is no data, which is told as an alert of its own.
    NoData,
    /// The evaluation failed, which is told as an alert of its own.
    Error,
}

impl State {
    /// Whether the alert itself fires.
    pub const fn fires(self) -> bool {
        matches!(self, Self::Alerting | Self::Recovering)
    }

    /// Whether Alertmanager knows of it.
    pub const fn is_told(self) -> bool {
        !matches!(self, Self::Normal | Self::Pending)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Normal => "Normal",
            Self::Pending => "Pending",
            Self::Alerting => "Firing",
            Self::Recovering => "Recovering",
            Self::NoData => "NoData",
            Self::Error => "Error",
        };
        f.pad(name)
    }
}

/// What a rule says of no data and of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    /// A state of its own.
    Own,
    Alerting,
    Ok,
    KeepLast,
}

impl Otherwise {
    fn of(text: &str) -> Self {
        match text {
            "Alerting" => Self::Alerting,
            "OK" => Self::Ok,
            "KeepLast" => Self::KeepLast,
            _ => Self::Own,
        }
    }
}

/// The alerts of one rule.
#[derive(Debug)]
pub struct Machine {
    r#for: i64,
    keep: i64,
    no_data: Otherwise,
    error: Otherwise,
    missing: i64,
    /// Labels of the rule itself; those that are templates aren't known here, and tell no two alerts from each other.
    labels: Labels,
    version: Version,
    alerts: BTreeMap<Labels, Alert>,
}

/// An alert.
#[derive(Debug, Clone)]
struct Alert {
    state: State,
    reason: &'static str,
    /// When that state began, as the pending period counts it.
    since: i64,
    missing: i64,
    /// The labels of the condition's value.
    result: Labels,
}

/// An alert that is in another state than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which one.
    pub labels: Labels,
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
    /// Why, where it isn't by the condition itself.
    pub reason: &'static str,
}

impl Machine {
    /// Without any alerts yet.
    pub fn new(rule: &AlertRule, version: Version) -> Self {
        let keep = rule.keep_firing_for.as_deref();
        Self {
            r#for: seconds(&rule.r#for),
            keep: keep
                .map(seconds)
                .filter(|_| version >= Version::KEEP_FIRING_FOR)
                .unwrap_or_default(),
            no_data: Otherwise::of(&rule.no_data_state),
            error: Otherwise::of(&rule.exec_err_state),
            missing: rule
                .missing_series_evals_to_resolve
                .filter(|_| version >= Version::KEEP_FIRING_FOR)
                .unwrap_or(MISSING),
            labels: rule
                .labels
                .iter()
                .filter(|(_, value)| !value.contains("{{"))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            version,
            alerts: BTreeMap::new(),
        }
    }

    /// All alerts that there are, with their states and reasons.
    pub fn alerts(&self) -> impl Iterator<Item = (&Labels, State, &'static str)> {
        self.alerts
            .iter()
            .map(|(labels, alert)| (labels, alert.state, alert.reason))
    }

    /// The results of the condition of which an alert is pending or fires.
    pub fn active(&self) -> BTreeSet<&Labels> {
        let active = self
            .alerts
            .values()
            .filter(|alert| matches!(alert.state, State::Pending | State::Alerting | State::Recovering));
        active.map(|alert| &alert.result).collect()
    }

    /// The labels of the alert of an outcome: those of the rule count before those of the query.
    pub fn labels(&self, outcome: &Outcome) -> Labels {
        let mut labels = outcome.labels.clone().unwrap_or_default();
        labels.extend(self.labels.clone());
        let is_named = match &outcome.verdict {
            Verdict::NoData => true,
            // Where it is made another state, the annotations alone name the query (`AddErrorInformation` in state.go).
            Verdict::Error(_) => self.error == Otherwise::Own,
            Verdict::Normal | Verdict::Alerting => false,
        };
        if let Some((ref_id, source)) = &outcome.blamed
            && is_named
        {
            labels.insert("ref_id".to_owned(), ref_id.clone());
            labels.insert("datasource_uid".to_owned(), source.clone());
        }
        labels.retain(|_, value| !value.is_empty());
        labels
    }

    /// Takes the outcomes of an evaluation at a time, in seconds; gives what is in another state than before.
    pub fn step(&mut self, at: i64, outcomes: &[Outcome]) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut touched = BTreeSet::new();
        if let Some(first) = self.spread(outcomes) {
            // It concerns the alerts there are, not some of its own.
            let all: Vec<Labels> = self.alerts.keys().cloned().collect();
            for labels in all {
                changes.extend(self.take(at, &labels, first));
                touched.insert(labels);
            }
        } else {
            for outcome in outcomes {
                let labels = self.labels(outcome);
                let alert = self.alerts.entry(labels.clone()).or_insert_with(|| Alert {
                    state: State::Normal,
                    reason: "",
                    since: at,
                    missing: 0,
                    result: Labels::new(),
                });
                alert.result = outcome.labels.clone().unwrap_or_default();
                changes.extend(self.take(at, &labels, outcome));
                touched.insert(labels);
            }
        }
        changes.extend(self.miss(&touched));
        changes
    }

    /// What all alerts take, where no outcome has data or each failed, and the rule makes another state of it (`setNextStateForRule` in manager.go of 12.4).
    fn spread<'a>(&self, outcomes: &'a [Outcome]) -> Option<&'a Outcome> {
        let first = outcomes.first()?;
        let otherwise = |outcome: &Outcome| match outcome.verdict {
            Verdict::NoData => Some((false, self.no_data)),
            Verdict::Error(_) => Some((true, self.error)),
            Verdict::Normal | Verdict::Alerting => None,
        };
        let (_, what) = otherwise(first)?;
        let is_all = outcomes
            .iter()
            .all(|outcome| otherwise(outcome) == otherwise(first));
        let is_spread = self.version >= SPREADS && what != Otherwise::Own && is_all;
        (is_spread && !self.alerts.is_empty()).then_some(first)
    }

    /// Alerts whose series is gone: they stay as they are for some evaluations, and then go.
    fn miss(&mut self, touched: &BTreeSet<Labels>) -> Vec<Change> {
        let mut changes = Vec::new();
        let (limit, version) = (self.missing, self.version);
        self.alerts.retain(|labels, alert| {
            if touched.contains(labels) {
                alert.missing = 0;
                return true;
            }
            alert.missing += 1;
            let goes = match alert.state {
                State::NoData | State::Error => version >= GOES_AT_ONCE,
                State::Pending => version >= WAITS && matches!(alert.reason, "NoData" | "Error"),
                _ => false,
            };
            if alert.missing < if goes { 1 } else { limit } {
                return true;
            }
            if alert.state != State::Normal {
                changes.push(Change {
                    labels: labels.clone(),
                    from: alert.state,
                    to: State::Normal,
                    reason: "MissingSeries",
                });
            }
            false
        });
        changes
    }

    fn take(&mut self, at: i64, labels: &Labels, outcome: &Outcome) -> Option<Change> {
        let (r#for, keep) = (self.r#for, self.keep);
        let (no_data, error) = (self.no_data, self.error);
        let waits = if self.version >= WAITS { r#for } else { 0 };
        let alert = self.alerts.get_mut(labels)?;
        let from = alert.state;
        match &outcome.verdict {
            Verdict::Normal => alert.normal(at, keep, ""),
            Verdict::Alerting => alert.alerting(at, r#for, ""),
            Verdict::NoData => match no_data {
                Otherwise::Own => alert.own(at, waits, State::NoData, "NoData"),
                Otherwise::Alerting => alert.alerting(at, r#for, "NoData"),
                Otherwise::Ok => alert.normal(at, keep, "NoData"),
                Otherwise::KeepLast => alert.keep(at, r#for, keep, "NoData, KeepLast"),
            },
            Verdict::Error(_) => match error {
                Otherwise::Own => alert.own(at, waits, State::Error, "Error"),
                Otherwise::Alerting => alert.alerting(at, r#for, "Error"),
                Otherwise::Ok => alert.normal(at, keep, "Error"),
                Otherwise::KeepLast => alert.keep(at, r#for, keep, "Error, KeepLast"),
            },
        }
        (alert.state != from).then(|| Change {
            labels: labels.clone(),
            from,
            to: alert.state,
            reason: alert.reason,
        })
    }
}

impl Alert {
    fn set(&mut self, at: i64, state: State, reason: &'static str) {
        if self.state != state {
            self.since = at;
        }
        (self.state, self.reason) = (state, reason);
    }

    /// A state of its own, once it has waited.
    fn own(&mut self, at: i64, r#for: i64, state: State, reason: &'static str) {
        match self.state {
            State::Normal if r#for > 0 => self.set(at, State::Pending, reason),
            State::Pending if at - self.since < r#for => self.reason = reason,
            _ => self.set(at, state, ""),
        }
    }

    fn alerting(&mut self, at: i64, r#for: i64, reason: &'static str) {
        match self.state {
            // From recovering it goes on as if nothing had been.
            State::Alerting | State::Recovering => (self.state, self.reason) = (State::Alerting, reason),
            _ if r#for == 0 => self.set(at, State::Alerting, reason),
            State::Pending => {
                self.reason = reason;
                if at - self.since >= r#for {
                    self.set(at, State::Alerting, reason);
                }
            }
            State::Normal | State::NoData | State::Error => self.set(at, State::Pending, reason),
        }
    }

    fn normal(&mut self, at: i64, keep: i64, reason: &'static str) {
        match self.state {
            State::Alerting if keep > 0 => self.set(at, State::Recovering, reason),
            State::Recovering if at - self.since < keep => self.reason = reason,
            _ => self.set(at, State::Normal, reason),
        }
    }

    /// What isn't Normal, pending or firing is no state to be kept (`resultKeepLast` in state.go of 12).
    fn keep(&mut self, at: i64, r#for: i64, keep: i64, reason: &'static str) {
        match self.state {
            State::Alerting | State::Pending => self.alerting(at, r#for, reason),
            State::Normal | State::Recovering | State::NoData | State::Error => self.normal(at, keep, reason),
        }
    }
}

/// A duration in seconds; none where it can't be read, as Grafana has no rule of such.
fn seconds(text: &str) -> i64 {
    let length = digest::duration(text).unwrap_or_default();
    i64::try_from(length.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
