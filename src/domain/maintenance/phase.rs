//! What a workload is doing, as far as its alerts are concerned.

use k8s_openapi::jiff::Timestamp;

/// One run of a workload: a rollout of a template, or a Job.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// What runs: the template's hash, or the first characters of the Job's uid. Part of the silence's name.
    pub revision: String,
    /// Counts the rollouts of a Deployment, as its controller does, and grows with those of other kinds; always 1
    /// for a Job. Tells a rollback to an earlier template from that template's first rollout.
    pub attempt: i64,
}

/// How far a rollout is, by the counts of its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// What the deployment controller says, and when it last saw the rollout move; one word. By this a verdict that stood before a
    /// run is recognised. Of a StatefulSet from which revision it goes to which one: by this a rollout is recognised after a start.
    pub mark: String,
    /// Pods of earlier templates.
    pub old: i32,
    /// Pods of the template that rolls out.
    pub updated: i32,
    /// Available pods of any template.
    pub available: i32,
}

impl Counts {
    /// What to remember if this is further than what was seen before: fewer old pods, more updated ones, or more available
    /// ones since the last time that either of these was the case. Pods that become ready and die again get a rollout
    /// no further, so the number of times that it does is bounded by its pods.
    fn further_than(&self, before: &Self) -> Option<Self> {
        let is_further =
            self.old < before.old || self.updated > before.updated || self.available > before.available;
        is_further.then(|| Self {
            old: self.old.min(before.old),
            updated: self.updated.max(before.updated),
            ..self.clone()
        })
    }

    fn to_text(&self) -> String {
        let Self {
            mark,
            old,
            updated,
            available,
        } = self;
        format!("{mark} old={old} updated={updated} available={available}")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mark = words.next()?.to_owned();
        let mut count = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
        Some(Self {
            mark,
            old: count("old")?,
            updated: count("updated")?,
            available: count("available")?,
        })
    }
}

/// How a run under way shows that it is getting on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Being under way counts: a Job shows nothing else.
    Active,
    /// A rollout is getting on while it gets further by these.
    Counts(Counts),
}

impl Progress {
    /// What has to be remembered in order to notice progress later.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Active => None,
            Self::Counts(counts) => Some(counts.to_text()),
        }
    }

    /// How far the run has ever been, if it got further than what is remembered.
    pub(crate) fn further_than(&self, remembered: Option<&str>) -> Option<Self> {
        let Self::Counts(counts) = self else {
            return Some(Self::Active);
        };
        match remembered.and_then(Counts::parse) {
            Some(before) => counts.further_than(&before).map(Self::Counts),
            None => Some(self.clone()),
        }
    }
}

/// A run that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// What is under way.
    pub run: Run,
    /// Since when, if that can be read from the object.
    pub since: Option<Timestamp>,
    /// How far it is.
    pub progress: Progress,
    /// The object tells that a run is under way. If not, it looks the same when pods break long after the run: what is silenced
    /// goes on, but nothing is silenced because of it.
    pub is_certain: bool,
    /// When the workload was created, where this may be its first rollout though the object doesn't tell: for as long as a lease it counts as
    /// certain.
    pub created: Option<Timestamp>,
}

/// What a verdict rests on that may be older than the run it is said of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How far the run is.
    pub counts: Counts,
    /// All pods are of the present template and available.
    pub is_complete: bool,
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
    /// None where a verdict is final, as a Job's. The deployment controller goes on saying what it said of the rollout before,
    /// until the first pod moved, and through all of a rollback that replaces every pod at once.
    pub standing: Option<Standing>,
}

impl Verdict {
    /// The run as it is if the verdict is not of it.
    pub(crate) fn under_way(&self, standing: &Standing) -> UnderWay {
        UnderWay {
            run: self.run.clone(),
            since: None,
            progress: Progress::Counts(standing.counts.clone()),
            is_certain: false,
            created: None,
        }
    }
}

/// What a workload is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing that would trip an alert: settled long ago, scaled only, paused, suspended.
    Idle,
    /// Rolling out, or running.
    Running(UnderWay),
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
            Self::Gone(run) => Some(run),
            Self::Running(under_way) => Some(&under_way.run),
            Self::Succeeded(verdict) | Self::Failed(verdict) => Some(&verdict.run),
        }
    }

    /// How that run ended is of no use any more: it can't come to be under way again, or another one has taken its place.
    pub(crate) fn is_done_with(&self, run: &Run) -> bool {
        let is_another = self.run().is_some_and(|own| own.revision != run.revision);
        is_another
            || match self {
                Self::Idle | Self::Running(_) => false,
                Self::Gone(_) => true,
                Self::Succeeded(verdict) => verdict.standing.as_ref().is_none_or(|s| s.is_complete),
                Self::Failed(verdict) => verdict.standing.is_none(),
            }
    }
}
