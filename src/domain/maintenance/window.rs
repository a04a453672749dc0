//! One generated silence, and how long it may last. Times are whole seconds, as Kubernetes writes them.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::phase::{Run, Verdict};

/// How long a window lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// It ends this soon unless progress is seen; it is extended when half of this is left.
    pub lease: Duration,
    /// It stays this long after success, for late evaluations; within `max_duration`.
    pub linger: Duration,
    /// It never lasts longer than this.
    pub max_duration: Duration,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5 * 60),
            linger: Duration::from_secs(2 * 60),
            max_duration: Duration::from_secs(60 * 60),
        }
    }
}

/// Why a window needs no more attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The run succeeded; the window lingers.
    Succeeded,
    /// The run failed or is stuck.
    Failed,
    /// The workload was deleted before the run ended.
    Gone,
    /// Another run of the workload took its place.
    Superseded,
    /// No progress was seen for a lease. The only outcome that is not final: progress takes it up again.
    Lapsed,
    /// It reached `maxDuration`.
    Overran,
}

/// One generated silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What it is for.
    pub run: Run,
    /// When the run began, or was first seen.
    pub opened: Timestamp,
    /// When it ends; in the silence's `endsAt`.
    pub ends: Timestamp,
    /// The run's fingerprint when the window was last extended; none if being under way counts.
    pub progress: Option<String>,
    /// What became of it; none while it is a lease.
    pub outcome: Option<Outcome>,
}

impl Window {
    /// It silences now.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.ends > now
    }

    /// It is still, or again, to be extended: nothing final became of it.
    pub(crate) fn is_lease(&self) -> bool {
        matches!(self.outcome, None | Some(Outcome::Lapsed))
    }

    /// Ends it now. A second after its opening at the earliest: a silence ends after it starts.
    pub(crate) fn ended(&self, now: Timestamp, outcome: Outcome) -> Self {
        let ends = self.ends.min(now.max(later(self.opened, Duration::from_secs(1))));
        Self {
            ends,
            outcome: Some(outcome),
            ..self.clone()
        }
    }

    /// When half of the lease is left: the time to extend it.
    pub(crate) fn due(&self, lease: &Lease) -> Timestamp {
        let half = SignedDuration::try_from(lease.lease / 2).unwrap_or(SignedDuration::MAX);
        self.ends.checked_sub(half).unwrap_or(Timestamp::MIN)
    }

    /// It never ends later than this.
    pub(crate) fn latest(&self, lease: &Lease) -> Timestamp {
        later(self.opened, lease.max_duration)
    }

    /// A verdict that stood already when the window was last extended speaks of an earlier run.
    pub(crate) fn concerns(&self, verdict: &Verdict) -> bool {
        !verdict.condition.as_deref().is_some_and(|condition| {
            self.progress.as_deref().and_then(|mark| mark.split(' ').next()) == Some(condition)
        })
    }
}

/// The time so much later; the end of all times where there is none.
pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| time.checked_add(by).ok())
        .map_or(Timestamp::MAX, whole_seconds)
}

/// As Kubernetes stores it.
pub(crate) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
