//! Whether a Job is under way, read from the object alone.
//!
//! It counts as failed with `FailureTarget`, the controller's first word that it cannot succeed, while pods may still be ending:
//! people should hear of it then. It counts as succeeded with `Complete`, when its pods have ended, not with
//! `SuccessCriteriaMet`; but a Job deleted between the two has succeeded.

use k8s_openapi::api::batch::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Resource;
use serde::Deserialize;

use super::phase::{Phase, Progress, Run, UnderWay, Verdict};

/// How many characters of the uid name a Job: two Jobs of one name are hardly ever there at once.
const UID_CHARACTERS: usize = 10;

/// A Job: no more of it than is read.
#[derive(Resource, Deserialize, Clone, Debug)]
#[resource(inherit = v1::Job)]
pub struct Job {
    /// Its metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Deserialize, Clone, Debug)]
struct Spec {
    suspend: Option<bool>,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Status {
    start_time: Option<Time>,
    conditions: Option<Vec<Condition>>,
}

#[derive(Deserialize, Clone, Debug)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    type_: String,
    status: String,
    reason: Option<String>,
    last_transition_time: Option<Time>,
}

/// What decides whether a Job is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFacts {
    /// The first characters of its uid, without dashes.
    pub revision: String,
    /// `spec.suspend`
    pub suspended: bool,
    /// It has a deletion timestamp.
    pub deleting: bool,
    /// When the controller started or resumed it.
    pub started: Option<Timestamp>,
    /// How it ended.
    pub end: Option<JobEnd>,
}

/// A Job's last word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnd {
    /// The condition: `Complete`, `SuccessCriteriaMet`, `Failed` or `FailureTarget`.
    pub condition: String,
    /// Its reason, for example `BackoffLimitExceeded`.
    pub reason: String,
    /// When it came to hold.
    pub at: Option<Timestamp>,
}

impl JobFacts {
    /// Extracts them.
    pub fn of(job: &Job) -> Self {
        let status = job.status.as_ref();
        let uid = job.metadata.uid.as_deref().unwrap_or_default();
        Self {
            revision: uid.chars().filter(|&c| c != '-').take(UID_CHARACTERS).collect(),
            suspended: job.spec.as_ref().and_then(|spec| spec.suspend).unwrap_or(false),
            deleting: job.metadata.deletion_timestamp.is_some(),
            started: status
                .and_then(|status| status.start_time.as_ref())
                .map(|time| time.0),
            end: end(job),
        }
    }
}

fn end(job: &Job) -> Option<JobEnd> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    // `FailureTarget` before `Failed`: the first has the time at which the failure was certain.
    ["FailureTarget", "Failed", "Complete", "SuccessCriteriaMet"]
        .into_iter()
        .find_map(|wanted| {
            let condition = conditions
                .iter()
                .find(|condition| condition.type_ == wanted && condition.status == "True")?;
            Some(JobEnd {
                condition: wanted.to_owned(),
                reason: condition.reason.clone().unwrap_or_default(),
                at: condition.last_transition_time.as_ref().map(|time| time.0),
            })
        })
}

/// What the Job is doing.
pub fn observe(facts: &JobFacts) -> Phase {
    let run = Run {
        revision: facts.revision.clone(),
        attempt: 1,
    };
    if let Some(end) = &facts.end {
        let reason = end.reason.clone();
        let verdict = Verdict {
            run: run.clone(),
            at: end.at,
            reason,
            standing: None,
        };
        match end.condition.as_str() {
            "Failed" | "FailureTarget" => return Phase::Failed(verdict),
            "Complete" => return Phase::Succeeded(verdict),
            _ if facts.deleting => return Phase::Succeeded(verdict),
            _ => {}
        }
    }
    if facts.deleting {
        return Phase::Gone(run);
    }
    if facts.suspended {
        return Phase::Idle;
    }
    Phase::Running(UnderWay {
        run,
        since: facts.started,
        progress: Progress::Active,
        is_certain: true,
        created: None,
    })
}

#[cfg(test)]
#[path = "migration_tests.rs"]
mod tests;
