//! Whether a Deployment is rolling out, read from the object alone.
//!
//! The deployment controller's `Progressing` condition is the judge, with two corrections seen on real servers. A rollback finds
//! its `ReplicaSet` ready-made, so the condition goes on saying `NewReplicaSetAvailable` (or that the rollout before failed) until
//! the first pod moved, and for ever if none does; pods of an older template tell that a rollout is under way. With the strategy
//! `Recreate` it says so all the way, because old pods go before new ones come: then only the counts tell. And between a
//! change and the controller's first look the condition speaks of the template before.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::phase::{Counts, Phase, Progress, Run, Standing, UnderWay, Verdict};

/// Where the deployment controller counts a Deployment's rollouts.
const REVISION_ANNOTATION: &str = "deployment.kubernetes.io/revision";

/// What decides whether a Deployment is rolling out; small, so that a store need not keep whole objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentFacts {
    /// Hash of the pod template.
    pub template: String,
    /// The controller's number of the rollout, 0 before it has looked.
    pub rollout: i64,
    /// The controller has seen the present specification.
    pub caught_up: bool,
    /// The controller has said something at all.
    pub reported: bool,
    /// Paused or being deleted: nothing rolls out.
    pub held: bool,
    /// Wished pods.
    pub wished: i32,
    /// Pods there are.
    pub pods: i32,
    /// Of these, pods of the present template.
    pub updated: i32,
    /// Of these, available ones of any template.
    pub available: i32,
    /// The `Progressing` condition; absent where `progressDeadlineSeconds` is its maximum.
    pub progressing: Option<Progressing>,
}

/// What the deployment controller says of the rollout.
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

/// A Deployment when its controller had last caught up with it: by this a changed template is noticed before the controller does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Hash of the pod template.
    pub template: String,
    /// The controller's number of the rollout.
    pub rollout: i64,
}

impl DeploymentFacts {
    /// Extracts them.
    pub fn of(deployment: &Deployment) -> Self {
        let metadata = &deployment.metadata;
        let spec = deployment.spec.as_ref();
        let status = deployment.status.as_ref();
        let observed = status.and_then(|status| status.observed_generation);
        let count = |of: Option<i32>| of.unwrap_or(0);
        let progressing = status
            .and_then(|status| status.conditions.as_ref())
            .and_then(|all| all.iter().find(|condition| condition.type_ == "Progressing"))
            .map(|condition| Progressing {
                reason: condition.reason.clone().unwrap_or_default(),
                updated: condition.last_update_time.as_ref().map(|time| time.0),
            });
        Self {
            template: template_hash(deployment),
            rollout: metadata
                .annotations
                .as_ref()
                .and_then(|all| all.get(REVISION_ANNOTATION))
                .and_then(|number| number.parse().ok())
                .unwrap_or(0),
            caught_up: observed.unwrap_or(0) >= metadata.generation.unwrap_or(0),
            reported: observed.is_some() || progressing.is_some(),
            held: spec.and_then(|spec| spec.paused).unwrap_or(false) || metadata.deletion_timestamp.is_some(),
            wished: spec.and_then(|spec| spec.replicas).unwrap_or(1),
            pods: count(status.and_then(|status| status.replicas)),
            updated: count(status.and_then(|status| status.updated_replicas)),
            available: count(status.and_then(|status| status.available_replicas)),
            progressing,
        }
    }

    /// What to remember for the next look; none while the controller has not caught up or is held.
    pub fn settled(&self) -> Option<Settled> {
        (self.caught_up && !self.held).then(|| Settled {
            template: self.template.clone(),
            rollout: self.rollout,
        })
    }

    fn has_old_pods(&self) -> bool {
        self.pods > self.updated
    }

    fn is_complete(&self) -> bool {
        self.updated == self.wished && self.pods == self.wished && self.available == self.wished
    }

    fn run(&self, attempt: i64) -> Run {
        Run {
            revision: self.template.clone(),
            attempt,
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            mark: self
                .progressing
                .as_ref()
                .map_or_else(|| "-".to_owned(), Progressing::mark),
            old: self.pods.saturating_sub(self.updated),
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

/// A short, stable hash of the pod template: what a rollout rolls out. Eight lower-case letters and digits.
pub fn template_hash(deployment: &Deployment) -> String {
    // A `Value` has sorted keys, so the hash doesn't depend on the order in which a library writes fields.
    let template = deployment
        .spec
        .as_ref()
        .and_then(|spec| serde_json::to_value(&spec.template).ok());
    let digest = Sha256::digest(template.unwrap_or_default().to_string());
    let short: Vec<u8> = digest.iter().copied().take(5).collect();
    data_encoding::BASE32_DNSSEC.encode(&short)
}

/// What the Deployment is doing. `settled` is what [`DeploymentFacts::settled`] last gave for it; without it (the operator has
/// just started) a changed template is noticed when the controller has noticed it too.
pub fn observe(facts: &DeploymentFacts, settled: Option<&Settled>) -> Phase {
    if facts.held || facts.wished == 0 {
        return Phase::Idle;
    }
    let under_way = |attempt, since, is_certain| {
        Phase::Running(UnderWay {
            run: facts.run(attempt),
            since,
            progress: Progress::Counts(facts.counts()),
            is_certain,
        })
    };
    let rolling = |attempt, since| under_way(attempt, since, true);
    if !facts.caught_up {
        // The controller numbers a rollout shortly before it has caught up.
        match settled {
            Some(settled) if settled.template != facts.template => {
                let attempt = facts.rollout.max(settled.rollout.saturating_add(1));
                return Phase::Running(UnderWay {
                    run: facts.run(attempt),
                    since: None,
                    progress: Progress::Counts(facts.counts_before()),
                    is_certain: true,
                });
            }
            None if !facts.reported => return rolling(1, None),
            _ => {}
        }
    }
    let Some(progressing) = &facts.progressing else {
        return if facts.has_old_pods() || facts.updated == 0 {
            rolling(facts.rollout, None)
        } else if facts.is_complete() && facts.caught_up {
            Phase::Succeeded(verdict(facts, None))
        } else {
            // Not available yet, or not any more: pods that break long after the rollout are what alerts are for.
            under_way(facts.rollout, None, false)
        };
    };
    match progressing.reason.as_str() {
        "NewReplicaSetCreated" => rolling(facts.rollout, progressing.updated),
        "ReplicaSetUpdated" => rolling(facts.rollout, None),
        "NewReplicaSetAvailable" if facts.has_old_pods() => rolling(facts.rollout, None),
        "NewReplicaSetAvailable" => Phase::Succeeded(verdict(facts, Some(progressing))),
        "ProgressDeadlineExceeded" | "ReplicaSetCreateError" => {
            Phase::Failed(verdict(facts, Some(progressing)))
        }
        // `FoundNewReplicaSet`, `DeploymentResumed`, and `DeploymentPaused` of one that was resumed this moment: the controller
        // hasn't judged yet. It says `NewReplicaSetAvailable` with its next word where nothing is to be done.
        _ if facts.is_complete() => Phase::Idle,
        "DeploymentResumed" => rolling(facts.rollout, progressing.updated),
        _ => rolling(facts.rollout, None),
    }
}

fn verdict(facts: &DeploymentFacts, progressing: Option<&Progressing>) -> Verdict {
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
#[path = "rollout_tests.rs"]
mod tests;
