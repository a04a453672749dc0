//! One generated silence, and how long it may last. Times are whole seconds, as Kubernetes writes them.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::phase::{Run, Standing, Verdict};

/// The shortest lease. One is extended when half of it is left, and neither the API server nor Grafana answers at once.
pub const SHORTEST: Duration = Duration::from_secs(5);

/// How long a window lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// It ends this soon unless progress is seen; it is extended when half of this is left.
    pub lease: Duration,
    /// It stays this long after success, for late evaluations; within `max_duration`.
    pub linger: Duration,
    /// It never lasts longer than this.
    pub max_duration: Duration,
    /// Nothing is opened or extended any more; what is open ends as it would.
    pub is_suspended: bool,
    /// It stays for `linger` also after a failure that is final, a Job's.
    pub lingers_after_failure: bool,
}

impl Default for Lease {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5 * 60),
            linger: Duration::from_secs(2 * 60),
            max_duration: Duration::from_secs(60 * 60),
            is_suspended: false,
            lingers_after_failure: false,
        }
    }
}

/// Why a window needs no more attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The run succeeded; the window lingers.
    Succeeded,
    /// The run failed or is stuck; the window lingers only where that is asked for.
    Failed,
    /// The workload was deleted before the run ended.
    Gone,
    /// Another run of the workload took its place.
    Superseded,
    /// No progress was seen for a lease. Not final: progress takes it up again.
    Lapsed,
    /// Nothing was under way any more: paused, suspended or scaled to zero. Not final: what goes on takes it up again.
    Paused,
    /// It reached `maxDuration`.
    Overran,
    /// Nothing asks for it any more. Not final: it goes on if something asks again while the run is under way.
    Withdrawn,
    /// A person deleted it: this run isn't silenced any more.
    Removed,
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
    /// How far the run was when the window was last extended; none if being under way counts.
    pub progress: Option<String>,
    /// What became of it; none while it is a lease.
    pub outcome: Option<Outcome>,
    /// What became of it needn't be remembered any longer than people may want to look at it.
    pub retires: bool,
    /// Grafana holds it, and it silences.
    pub in_force: bool,
}

impl Window {
    /// It silences now.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.ends > now
    }

    /// It is still, or again, to be extended: nothing final became of it.
    pub(crate) fn is_lease(&self) -> bool {
        matches!(
            self.outcome,
            None | Some(Outcome::Lapsed | Outcome::Paused | Outcome::Withdrawn)
        )
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

    /// The same window for a later attempt; numbers never go back, though what is read before a rollout is numbered may.
    pub(crate) fn of_attempt(&self, run: &Run) -> Self {
        let mut window = self.clone();
        window.run.attempt = window.run.attempt.max(run.attempt);
        window
    }

    /// Both stand for the same run.
    pub(crate) fn is_the_same(&self, other: &Self) -> bool {
        self.run.revision == other.run.revision
    }

    /// What the deployment controller said when the window was last extended.
    pub(crate) fn mark(&self) -> Option<&str> {
        self.progress.as_deref()?.split(' ').next()
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

    /// What a verdict rests on, if it stood already when the window was last extended: it is an earlier run's.
    pub(crate) fn stood_before<'a>(&self, verdict: &'a Verdict) -> Option<&'a Standing> {
        let standing = verdict.standing.as_ref()?;
        (self.mark()? == standing.counts.mark).then_some(standing)
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
