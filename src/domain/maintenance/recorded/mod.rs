//! What a real API server and its controllers (1.36) said of workloads, event by event, cut down to what is read.

use k8s_openapi::jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::migration::{self, Job, JobFacts};
use super::phase::{Phase, UnderWay};
use super::rollout::{self, DaemonSet, Deployment, RollsOut, StatefulSet};

#[derive(Deserialize)]
struct Event<K> {
    sequence: String,
    at: Timestamp,
    object: K,
    #[serde(default)]
    deleted: bool,
}

fn events<K: DeserializeOwned>(text: &str, sequence: &str) -> Vec<Event<K>> {
    let events: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Event<K>>(line).unwrap())
        .filter(|event| event.sequence == sequence)
        .collect();
    assert!(!events.is_empty(), "no sequence {sequence}");
    events
}

/// What the Deployment was doing, event by event. `forgets`: as an operator sees it that restarts before every event.
pub(crate) fn deployment(sequence: &str, forgets: bool) -> Vec<(Timestamp, Phase)> {
    rollout::<Deployment>(include_str!("deployments.jsonl"), sequence, forgets)
}

/// The same of a StatefulSet.
pub(crate) fn stateful_set(sequence: &str, forgets: bool) -> Vec<(Timestamp, Phase)> {
    rollout::<StatefulSet>(include_str!("stateful_sets.jsonl"), sequence, forgets)
}

/// The same of a DaemonSet.
pub(crate) fn daemon_set(sequence: &str, forgets: bool) -> Vec<(Timestamp, Phase)> {
    rollout::<DaemonSet>(include_str!("daemon_sets.jsonl"), sequence, forgets)
}

fn rollout<K: RollsOut + DeserializeOwned>(
    text: &str,
    sequence: &str,
    forgets: bool,
) -> Vec<(Timestamp, Phase)> {
    let mut settled = None;
    events::<K>(text, sequence)
        .iter()
        .map(|event| {
            let facts = event
                .object
                .facts()
                .continuing(settled.as_ref().filter(|_| !forgets));
            let phase = rollout::observe(&facts, settled.as_ref().filter(|_| !forgets));
            settled = facts.settled().or(settled.take());
            (event.at, phase)
        })
        .collect()
}

/// What the Job was doing, event by event.
pub(crate) fn job(sequence: &str) -> Vec<(Timestamp, Phase)> {
    events::<Job>(include_str!("jobs.jsonl"), sequence)
        .iter()
        .map(|event| {
            let mut facts = JobFacts::of(&event.object);
            facts.deleting |= event.deleted;
            (event.at, migration::observe(&facts))
        })
        .collect()
}

/// The phases in words, each as long as it lasts.
pub(crate) fn words(phases: &[(Timestamp, Phase)]) -> Vec<String> {
    let mut words: Vec<_> = phases
        .iter()
        .map(|(_, phase)| match phase {
            Phase::Idle => "idle".to_owned(),
            Phase::Running(UnderWay { run, is_certain, .. }) => {
                let sure = if *is_certain { "running" } else { "still running" };
                format!("{sure} {}", run.attempt)
            }
            Phase::Succeeded(verdict) => format!("succeeded {}", verdict.run.attempt),
            Phase::Failed(verdict) => format!("failed {} {}", verdict.run.attempt, verdict.reason),
            Phase::Gone(run) => format!("gone {}", run.attempt),
        })
        .collect();
    words.dedup();
    words
}
