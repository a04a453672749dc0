//! Every state of a rollout of a StatefulSet and a DaemonSet that the real controllers produce.

use serde_json::json;

use super::{Facts, RollsOut, StatefulSet};
use crate::domain::maintenance::phase::{Phase, Run};
use crate::domain::maintenance::recorded::{daemon_set, stateful_set, words};
use crate::domain::maintenance::window::{Outcome, Window};

/// What was seen, and what an operator sees that restarts before every event; the same where there is no other.
type Case = (
    &'static str,
    &'static [&'static str],
    Option<&'static [&'static str]>,
);

const STATEFUL_SETS: [Case; 17] = [
    (
        "first creation",
        &["running 1", "still running 1", "succeeded 1"],
        None,
    ),
    (
        "new image",
        &["succeeded 1", "running 2", "still running 2", "succeeded 2"],
        Some(&[
            "succeeded 1",
            "still running 2",
            "running 2",
            "still running 2",
            "succeeded 2",
        ]),
    ),
    (
        "rolled back",
        &["succeeded 2", "running 3", "still running 3", "succeeded 3"],
        Some(&[
            "succeeded 2",
            "still running 3",
            "running 3",
            "still running 3",
            "succeeded 3",
        ]),
    ),
    (
        "superseded midway",
        &[
            "succeeded 3",
            "running 4",
            "running 5",
            "still running 5",
            "succeeded 5",
        ],
        Some(&[
            "succeeded 3",
            "still running 4",
            "running 4",
            "running 5",
            "still running 5",
            "succeeded 5",
        ]),
    ),
    ("annotated", &["succeeded 5"], None),
    (
        "scaled only",
        &["succeeded 5", "still running 5", "succeeded 5"],
        Some(&["succeeded 5", "still running 6", "succeeded 6"]),
    ),
    // Only what remembers the rollout knows that scaling is no other one.
    (
        "scaled midway",
        &["succeeded 6", "running 7", "still running 7", "succeeded 7"],
        Some(&[
            "succeeded 6",
            "still running 7",
            "running 7",
            "running 8",
            "still running 8",
            "succeeded 8",
        ]),
    ),
    (
        "changed at zero replicas",
        &["succeeded 8", "idle", "still running 10", "succeeded 10"],
        Some(&["succeeded 8", "idle", "still running 11", "succeeded 11"]),
    ),
    (
        "a pod is deleted at rest",
        &["succeeded 11", "still running 11", "succeeded 11"],
        None,
    ),
    ("deleted", &["succeeded 11", "idle"], None),
    // Its controller calls nothing stuck: the lease does.
    (
        "stuck, undone",
        &[
            "succeeded 1",
            "running 2",
            "running 3",
            "still running 3",
            "succeeded 3",
        ],
        Some(&[
            "succeeded 1",
            "still running 2",
            "running 2",
            "running 3",
            "still running 3",
            "succeeded 3",
        ]),
    ),
    // Nothing is under way before the first pod is there that is replaced; here it was lost once more, which only what remembers it knows.
    (
        "on delete",
        &["succeeded 1", "idle", "running 2", "succeeded 2"],
        Some(&[
            "succeeded 1",
            "still running 2",
            "idle",
            "running 2",
            "idle",
            "running 2",
            "still running 2",
            "succeeded 2",
        ]),
    ),
    (
        "on delete, a pod is deleted after it",
        &["succeeded 2", "still running 2", "succeeded 2"],
        None,
    ),
    (
        "partition, the canary",
        &["succeeded 1", "running 2", "still running 2", "succeeded 2"],
        Some(&["succeeded 1", "still running 2", "succeeded 2"]),
    ),
    (
        "partition, the canary is deleted at rest",
        &["succeeded 2", "still running 2", "succeeded 2"],
        None,
    ),
    (
        "partition, the rest",
        &["succeeded 2", "running 3", "still running 3", "succeeded 3"],
        None,
    ),
    (
        "max unavailable 2",
        &["succeeded 1", "running 2", "still running 2", "succeeded 2"],
        Some(&[
            "succeeded 1",
            "still running 2",
            "running 2",
            "still running 2",
            "succeeded 2",
        ]),
    ),
];

const DAEMON_SETS: [Case; 14] = [
    (
        "first creation",
        &["running 1", "still running 1", "succeeded 1"],
        None,
    ),
    (
        "new image",
        &["succeeded 1", "running 2", "still running 2", "succeeded 2"],
        Some(&[
            "succeeded 1",
            "still running 2",
            "running 2",
            "still running 2",
            "succeeded 2",
        ]),
    ),
    (
        "rolled back",
        &["succeeded 2", "running 3", "still running 3", "succeeded 3"],
        Some(&[
            "succeeded 2",
            "still running 3",
            "running 3",
            "still running 3",
            "succeeded 3",
        ]),
    ),
    (
        "superseded midway",
        &[
            "succeeded 3",
            "running 4",
            "running 5",
            "still running 5",
            "succeeded 5",
        ],
        Some(&[
            "succeeded 3",
            "still running 4",
            "running 4",
            "running 5",
            "still running 5",
            "succeeded 5",
        ]),
    ),
    ("annotated", &["succeeded 5"], None),
    (
        "a pod is deleted at rest",
        &["succeeded 5", "still running 5", "succeeded 5"],
        None,
    ),
    ("deleted", &["succeeded 5", "idle"], None),
    (
        "stuck, undone",
        &[
            "succeeded 1",
            "running 2",
            "running 3",
            "still running 3",
            "succeeded 3",
        ],
        Some(&[
            "succeeded 1",
            "still running 2",
            "running 2",
            "running 3",
            "still running 3",
            "succeeded 3",
        ]),
    ),
    (
        "on delete",
        &["succeeded 1", "idle", "running 2", "succeeded 2"],
        Some(&[
            "succeeded 1",
            "still running 2",
            "idle",
            "running 2",
            "still running 2",
            "succeeded 2",
        ]),
    ),
    (
        "on delete, a pod is deleted after it",
        &["succeeded 2", "still running 2", "succeeded 2"],
        None,
    ),
    (
        "surge",
        &["succeeded 1", "running 2", "succeeded 2"],
        Some(&["succeeded 1", "still running 2", "running 2", "succeeded 2"]),
    ),
    (
        "all at once",
        &["succeeded 1", "running 2", "still running 2", "succeeded 2"],
        Some(&[
            "succeeded 1",
            "still running 2",
            "running 2",
            "still running 2",
            "succeeded 2",
        ]),
    ),
    (
        "no node, then one",
        &["running 1", "idle", "still running 2", "succeeded 2"],
        None,
    ),
    (
        "a node joins",
        &["succeeded 1", "still running 1", "succeeded 1"],
        None,
    ),
];

#[test]
fn every_state_of_a_stateful_set_is_read_as_what_it_is() {
    for (sequence, expected, forgetful) in STATEFUL_SETS {
        assert_eq!(words(&stateful_set(sequence, false)), expected, "{sequence}");
        let forgetful = forgetful.unwrap_or(expected);
        assert_eq!(
            words(&stateful_set(sequence, true)),
            forgetful,
            "{sequence}, restarted before every event"
        );
    }
}

#[test]
fn every_state_of_a_daemon_set_is_read_as_what_it_is() {
    for (sequence, expected, forgetful) in DAEMON_SETS {
        assert_eq!(words(&daemon_set(sequence, false)), expected, "{sequence}");
        let forgetful = forgetful.unwrap_or(expected);
        assert_eq!(
            words(&daemon_set(sequence, true)),
            forgetful,
            "{sequence}, restarted before every event"
        );
    }
}

/// A StatefulSet that goes from one revision to another.
fn between(generation: i64, image: &str, from: &str, to: &str) -> Facts {
    let object: StatefulSet = serde_json::from_value(json!({
        "metadata": {"generation": generation},
        "spec": {"replicas": 3, "selector": {}, "serviceName": "s", "template": {"metadata": {"name": image}}},
        "status": {
            "observedGeneration": generation, "replicas": 3, "currentReplicas": 2, "updatedReplicas": 1, "availableReplicas": 3,
            "currentRevision": from, "updateRevision": to,
        },
    }))
    .unwrap();
    object.facts()
}

#[test]
fn a_rollout_that_was_scaled_midway_is_known_again_after_a_start_by_what_its_silence_remembers() {
    let before = between(7, "new", "s-old", "s-new");
    let Phase::Running(under_way) = super::observe(&before, None) else {
        panic!("{before:?}")
    };
    let window = Window {
        run: under_way.run,
        opened: "2026-01-01T00:00:00Z".parse().unwrap(),
        ends: "2026-01-01T00:05:00Z".parse().unwrap(),
        progress: under_way.progress.text(),
        outcome: None,
        retires: false,
        in_force: true,
    };
    let older = Window {
        run: Run {
            attempt: 3,
            ..window.run.clone()
        },
        ..window.clone()
    };
    let of_an_older_version = Window {
        progress: Some("- old=2 updated=1 available=3".to_owned()),
        ..window.clone()
    };
    let succeeded = Window {
        outcome: Some(Outcome::Succeeded),
        ..window.clone()
    };
    let without_progress = Window {
        progress: None,
        ..window.clone()
    };
    let attempt = |facts: Facts, windows: &[&Window]| facts.recalled(windows.iter().copied()).rollout;
    for (facts, windows, expected) in [
        (between(8, "new", "s-old", "s-new"), vec![&older, &window], 7),
        (between(8, "new", "s-old", "s-new"), vec![], 8),
        (between(8, "new", "s-other", "s-new"), vec![&window], 8),
        (between(8, "other", "s-old", "s-new"), vec![&window], 8),
        (between(8, "new", "s-old", "s-new"), vec![&of_an_older_version], 8),
        (between(8, "new", "s-old", "s-new"), vec![&succeeded], 8),
        // One that is over has nothing to be recognised by.
        (between(8, "new", "s-new", "s-new"), vec![&without_progress], 8),
        (between(8, "new", "s-new", "s-new"), vec![&of_an_older_version], 8),
    ] {
        assert_eq!(
            attempt(facts.clone(), &windows),
            expected,
            "{facts:?}, {windows:?}"
        );
    }
}
