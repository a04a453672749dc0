//! Whether a workload is rolling out, read from the object alone. Each kind is read into the same [`Facts`].
//!
//! Of a Deployment its controller's `Progressing` condition is the judge, with two corrections seen on real servers. A rollback finds
//! its `ReplicaSet` ready-made, so the condition goes on saying `NewReplicaSetAvailable` (or that the rollout before failed) until
//! the first pod moved, and for ever if none does; pods of an older template tell that a rollout is under way. With the strategy
//! `Recreate` it says so all the way, because old pods go before new ones come: then only the counts tell. And between a
//! change and the controller's first look the condition speaks of the template before.
//!
//! Of a StatefulSet and a DaemonSet no controller says that a rollout is over or stuck: the counts tell, and the lease. Of a Rollout
//! of Argo Rollouts its controller says both ([`argo`]).

pub mod argo;
mod daemon_set;
mod deployment;
mod stateful_set;
mod template;

use k8s_openapi::jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::phase::{Counts, Phase, Progress, Run, Standing, UnderWay, Verdict};
pub use daemon_set::DaemonSet;
pub use deployment::Deployment;
pub use stateful_set::StatefulSet;
pub use template::Template;

use super::window::{Outcome, Window};
use crate::api::maintenance_policy::WorkloadKind;

/// A kind of workload whose pods roll out.
pub trait RollsOut {
    /// The kind.
    const KIND: WorkloadKind;

    /// What decides whether it is rolling out.
    fn facts(&self) -> Facts;
}

/// What decides whether a workload is rolling out; small, so that a store need not keep whole objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, named where it is read"
)]
pub struct Facts {
    /// Hash of the pod template.
    pub template: String,
    /// The controller's number of the rollout, 0 before it has looked. Where it has none, a number that no change of the template leaves as it is.
    pub rollout: i64,
    /// Whether nothing but a changed template changes that number.
    pub is_numbered: bool,
    /// The controller has seen the present specification.
    pub caught_up: bool,
    /// The controller has said something at all.
    pub reported: bool,
    /// Paused or being deleted: nothing rolls out.
    pub held: bool,
    /// Whether a pod is only replaced when somebody deletes it (strategy `OnDelete`).
    pub by_hand: bool,
    /// Wished pods.
    pub wished: i32,
    /// Of these, pods that are to stay with an earlier template: a StatefulSet's partition.
    pub kept: i32,
    /// Pods there are.
    pub pods: i32,
    /// Of these, pods of an earlier template.
    pub old: i32,
    /// Whether pods of an earlier template may be missing in `old`: a StatefulSet's controller counts those of one revision.
    pub misses_old: bool,
    /// Of these, pods of the present template.
    pub updated: i32,
    /// The most of these that there have been at a time, where that has been seen from the template's beginning or one look tells: by this a pod that is
    /// yet to be replaced is told from one that comes back.
    pub reached: Option<i32>,
    /// The template was seen to come, and hasn't been rolled out since.
    pub is_fresh: bool,
    /// Of these, available ones of any template.
    pub available: i32,
    /// From which revision of the controller's to which one it goes, one word, where the object tells: scaling leaves both as they are.
    pub revisions: Option<String>,
    /// The object tells by more than its counts that the rollout isn't over.
    pub is_unfinished: bool,
    /// When the workload was created, where nothing but that tells its first rollout from pods that break.
    pub created: Option<Timestamp>,
    /// The last restart of all pods that was asked for without another template.
    pub restart: Option<Restart>,
    /// The `Progressing` condition; absent where there is none, and where a Deployment's `progressDeadlineSeconds` is its maximum. Of a
    /// Rollout only where it decides anything.
    pub progressing: Option<Progressing>,
}

/// A restart of all pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// When it is to begin.
    pub at: Timestamp,
    /// The controller says that all pods are younger than that.
    pub is_over: bool,
}

/// What its controller says of the rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progressing {
    /// Its reason.
    pub reason: String,
    /// When the controller last saw the rollout move.
    pub updated: Option<Timestamp>,
}

impl Progressing {
    fn mark(&self) -> String {
        match self.updated {
            Some(at) => format!("{}@{at}", self.reason),
            None => self.reason.clone(),
        }
    }
}

/// A workload when its controller had last caught up with it: by this a changed template is noticed before the controller does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Hash of the pod template.
    pub template: String,
    /// The number of the rollout.
    pub rollout: i64,
    /// Pods that were to stay with an earlier template.
    pub kept: i32,
    /// The most pods of the template that there have been at a time, if that is known.
    pub reached: Option<i32>,
    /// The template was seen to come, and hasn't been rolled out since.
    pub is_fresh: bool,
}

impl Facts {
    /// With what was seen of the same rollout before. Its number: where that counts other changes too, scaling is no other rollout; without it (the operator
    /// has just started) only [`Self::recalled`] knows that a rollout that was scaled midway is the same. And how far it got.
    #[must_use]
    pub fn continuing(self, settled: Option<&Settled>) -> Self {
        let same = settled.filter(|settled| settled.template == self.template);
        let rollout = same
            .filter(|settled| !self.is_numbered && settled.kept == self.kept)
            .map_or(self.rollout, |settled| settled.rollout);
        // What the counts are of isn't known before the controller has looked.
        let is_new = settled.is_some() && same.is_none() && self.caught_up;
        // All that were replaced may be gone again, as by scaling: a person has yet to begin with what is left.
        let before = same
            .filter(|_| !self.waits_for_all())
            .and_then(|settled| settled.reached);
        let reached = if is_new || before.is_some() || self.is_plain() {
            Some(self.updated.max(before.unwrap_or(0)))
        } else {
            None
        };
        let uncounted = reached.filter(|_| self.misses_old && self.caught_up);
        let old = uncounted.map_or(self.old, |reached| self.old.max(self.pods - reached));
        let is_fresh = is_new || self.waits_for_all() || same.is_some_and(|settled| settled.is_fresh);
        let next = Self {
            rollout,
            old,
            reached,
            ..self
        };
        Self {
            is_fresh: is_fresh && !next.is_complete(),
            ..next
        }
    }

    /// One look tells how many pods of the present template there have ever been: all are, or none is and a person has yet to begin.
    fn is_plain(&self) -> bool {
        self.caught_up && self.pods == self.wished && (self.updated >= self.wished || self.waits_for_all())
    }

    /// All pods are of an earlier template, and a person has yet to begin.
    fn waits_for_all(&self) -> bool {
        let all_are_there = self.pods == self.wished && self.available == self.wished;
        self.by_hand && self.caught_up && self.wished > 0 && self.updated == 0 && all_are_there
    }

    /// With the number that a silence of this very rollout has, for where nothing else is remembered of it, as right after a start: the silence tells
    /// from which revision to which one the rollout went. A rollout that was superseded and begun anew in between, before any of them ended, is the same one.
    #[must_use]
    pub fn recalled<'a>(self, windows: impl Iterator<Item = &'a Window>) -> Self {
        let is_of_this = |window: &&Window| {
            let has_mark = self.revisions.is_some() && window.mark() == self.revisions.as_deref();
            // By hand, and with a partition, the revision that it goes from stays for ever, so one that is over may have looked the same.
            let is_over = window.outcome == Some(Outcome::Succeeded);
            has_mark && !is_over && window.run.revision == self.template
        };
        match windows.filter(is_of_this).map(|window| window.run.attempt).max() {
            Some(rollout) if !self.is_numbered => Self { rollout, ..self },
            _ => self,
        }
    }

    /// What to remember for the next look; none while the controller has not caught up or is held.
    pub fn settled(&self) -> Option<Settled> {
        (self.caught_up && !self.held).then(|| Settled {
            template: self.template.clone(),
            rollout: self.rollout,
            kept: self.kept,
            reached: self.reached,
            is_fresh: self.is_fresh,
        })
    }

    /// Pods of the present template are there, or were: one that is lost comes back.
    fn has_begun(&self) -> bool {
        self.updated.max(self.reached.unwrap_or(0)) > 0
    }

    /// Pods are there that the controller is to replace; or, where that is up to a person, has begun to. The last one may be out of the counts already.
    fn has_old_pods(&self) -> bool {
        if self.by_hand {
            (self.old > 0 || self.is_fresh) && self.has_begun()
        } else {
            self.old > self.kept
        }
    }

    /// There are pods to replace, and a person has yet to begin.
    fn is_waiting(&self) -> bool {
        self.by_hand && !self.has_begun() && self.old > 0
    }

    /// A template that changes begins to roll out by itself.
    fn begins(&self) -> bool {
        !self.by_hand && self.kept < self.wished
    }

    fn is_complete(&self) -> bool {
        self.updated >= self.wished - self.kept
            && self.old <= self.kept
            && self.pods == self.wished
            && self.available == self.wished
    }

    fn run(&self, attempt: i64) -> Run {
        let revision = match &self.restart {
            None => self.template.clone(),
            // The same template once more is another rollout.
            Some(restart) => short_hash(&format!("{} restarted at {}", self.template, restart.at)),
        };
        Run { revision, attempt }
    }

    /// Without a restart that isn't due yet: nothing happens before.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        let restart = self.restart.filter(|restart| restart.at <= now);
        Self { restart, ..self }
    }

    /// Since when pods are restarted, where they are.
    fn restarts_since(&self) -> Option<Timestamp> {
        let restart = self.restart.as_ref().filter(|restart| !restart.is_over);
        restart.map(|restart| restart.at)
    }

    fn counts(&self) -> Counts {
        Counts {
            mark: self
                .progressing
                .as_ref()
                .map(Progressing::mark)
                .or_else(|| self.revisions.clone())
                .unwrap_or_else(|| "-".to_owned()),
            old: self.old,
            updated: self.updated,
            available: self.available,
        }
    }

    /// The counts where they are still those of the template before: all pods are old.
    fn counts_before(&self) -> Counts {
        Counts {
            old: self.pods,
            updated: 0,
            ..self.counts()
        }
    }
}

fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text);
    let short: Vec<u8> = digest.iter().copied().take(5).collect();
    data_encoding::BASE32_DNSSEC.encode(&short)
}

/// What the workload is doing. `settled` is what [`Facts::settled`] last gave for it; without it (the operator has
/// just started) a changed template is noticed when the controller has noticed it too.
pub fn observe(facts: &Facts, settled: Option<&Settled>) -> Phase {
    if facts.held || facts.wished == 0 || facts.is_waiting() {
        return Phase::Idle;
    }
    let under_way = |attempt, since, is_certain| {
        Phase::Running(UnderWay {
            run: facts.run(attempt),
            since,
            progress: Progress::Counts(facts.counts()),
            is_certain,
            created: facts.restarts_since().or(facts.created),
        })
    };
    let rolling = |attempt, since| under_way(attempt, since, true);
    if !facts.caught_up {
        // The controller numbers a rollout shortly before it has caught up.
        match settled {
            Some(settled) if settled.template != facts.template && !facts.begins() => return Phase::Idle,
            Some(settled) if settled.template != facts.template => {
                let attempt = facts.rollout.max(settled.rollout.saturating_add(1));
                return Phase::Running(UnderWay {
                    run: facts.run(attempt),
                    since: None,
                    progress: Progress::Counts(facts.counts_before()),
                    is_certain: true,
                    created: None,
                });
            }
            None if !facts.reported => return rolling(1, None),
            _ => {}
        }
    }
    let Some(progressing) = &facts.progressing else {
        return if facts.has_old_pods() || facts.is_unfinished {
            rolling(facts.rollout, None)
        } else if facts.is_complete() && facts.caught_up && facts.restarts_since().is_none() {
            Phase::Succeeded(verdict(facts, None))
        } else {
            // Not available yet, or not any more: pods that break long after the rollout are what alerts are for. Or restarted one by
            // one, which no count tells.
            under_way(facts.rollout, None, false)
        };
    };
    match progressing.reason.as_str() {
        "NewReplicaSetCreated" => rolling(facts.rollout, progressing.updated),
        "ReplicaSetUpdated" => rolling(facts.rollout, None),
        "NewReplicaSetAvailable" if facts.has_old_pods() => rolling(facts.rollout, None),
        "NewReplicaSetAvailable" => Phase::Succeeded(verdict(facts, Some(progressing))),
        "ProgressDeadlineExceeded" | "ReplicaSetCreateError" | "RolloutAborted" | "InvalidSpec" => {
            Phase::Failed(verdict(facts, Some(progressing)))
        }
        // `FoundNewReplicaSet`, `DeploymentResumed`, and `DeploymentPaused` of one that was resumed this moment: the controller
        // hasn't judged yet. It says `NewReplicaSetAvailable` with its next word where nothing is to be done.
        _ if facts.is_complete() => Phase::Idle,
        "DeploymentResumed" | "RolloutResumed" => rolling(facts.rollout, progressing.updated),
        _ => rolling(facts.rollout, None),
    }
}

fn verdict(facts: &Facts, progressing: Option<&Progressing>) -> Verdict {
    Verdict {
        run: facts.run(facts.rollout),
        at: progressing.and_then(|progressing| progressing.updated),
        reason: progressing
            .map(|progressing| progressing.reason.clone())
            .unwrap_or_default(),
        standing: progressing.map(|_| Standing {
            counts: facts.counts(),
            is_complete: facts.caught_up && facts.is_complete(),
        }),
    }
}

#[cfg(test)]
mod argo_tests;
#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod later_tests;
#[cfg(test)]
mod tests;
