//! What a workload is doing, as far as its alerts are concerned.

use k8s_openapi::jiff::Timestamp;

/// One run of a workload: a rollout of a template, or a Job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// What runs: the template's hash, or the first characters of the Job's uid. Part of the silence's name.
    pub revision: String,
    /// Counts the rollouts of a Deployment, as its controller does; always 1 for a Job. Tells a rollback to an earlier template
    /// from that template's first rollout.
    pub attempt: i64,
}

/// How a run under way shows that it is getting on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Being under way counts: a Job shows nothing else.
    Active,
    /// Another value than last time means progress.
    Fingerprint(String),
}

impl Progress {
    /// What has to be remembered in order to notice progress later.
    pub(crate) fn mark(&self) -> Option<&str> {
        match self {
            Self::Active => None,
            Self::Fingerprint(mark) => Some(mark),
        }
    }
}

/// How a run ended, in the words of its controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What ended.
    pub run: Run,
    /// When, if its controller says so.
    pub at: Option<Timestamp>,
    /// The controller's reason, for example `ProgressDeadlineExceeded`.
    pub reason: String,
    /// The first word of the fingerprints of runs during which this verdict stood already: such a run is a later one that the
    /// verdict does not speak of.
    pub condition: Option<String>,
}

/// What a workload is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing that would trip an alert: settled long ago, scaled only, paused, suspended.
    Idle,
    /// Rolling out, or running.
    Running {
        /// What is under way.
        run: Run,
        /// Since when, if that can be read from the object.
        since: Option<Timestamp>,
        /// How far it is.
        progress: Progress,
    },
    /// It ended well.
    Succeeded(Verdict),
    /// It ended badly, or is stuck.
    Failed(Verdict),
    /// It was deleted before it ended.
    Gone(Run),
}

impl Phase {
    /// What the phase speaks of; nothing when idle.
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Idle => None,
            Self::Running { run, .. } | Self::Gone(run) => Some(run),
            Self::Succeeded(verdict) | Self::Failed(verdict) => Some(&verdict.run),
        }
    }
}
