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

/// A StatefulSet of three pods whose controller says how many are of `from`, of `to`, there and available.
fn counted(image: &str, (from, to): (&str, &str), counts: [i32; 4], strategy: &serde_json::Value) -> Facts {
    let [current, updated, replicas, available] = counts;
    let object: StatefulSet = serde_json::from_value(json!({
        "metadata": {"generation": 9},
        "spec": {
            "replicas": 3, "selector": {}, "serviceName": "s", "template": {"metadata": {"name": image}}, "updateStrategy": strategy,
        },
        "status": {
            "observedGeneration": 9, "replicas": replicas, "currentReplicas": current, "updatedReplicas": updated,
            "availableReplicas": available, "currentRevision": from, "updateRevision": to,
        },
    }))
    .unwrap();
    object.facts()
}

/// What is seen, look by look; `forgets`: as an operator sees it that restarts before every look.
fn looks(looks: &[Facts], forgets: bool) -> Vec<String> {
    let mut settled = None;
    let phases: Vec<_> = looks
        .iter()
        .map(|facts| {
            let known = settled.as_ref().filter(|_| !forgets);
            let facts = facts.clone().continuing(known);
            let phase = super::observe(&facts, known);
            settled = facts.settled();
            ("2026-01-01T00:00:00Z".parse().unwrap(), phase)
        })
        .collect();
    words(&phases)
}

#[test]
fn a_later_rollout_by_hand_is_one_though_its_controller_never_leaves_the_first_revision() {
    let by_hand = json!({"type": "OnDelete"});
    let b = |counts| counted("b", ("s-a", "s-b"), counts, &by_hand);
    let c = |counts| counted("c", ("s-a", "s-c"), counts, &by_hand);
    // Back to the template of the first revision, which its controller finds again.
    let a = |counts| counted("a", ("s-a", "s-a"), counts, &by_hand);
    // Pods are deleted one after another; one that is on its way out counts in `replicas` alone.
    let replaced = [
        [0, 0, 3, 3],
        [0, 0, 2, 2],
        [0, 1, 3, 2],
        [0, 1, 3, 3],
        [0, 1, 2, 2],
        [0, 2, 3, 3],
        [0, 2, 2, 2],
        [0, 3, 3, 2],
        [0, 3, 3, 3],
    ];
    let rest = b([0, 3, 3, 3]);
    let rolled = ["succeeded 9", "idle", "running 9", "succeeded 9"];
    let from_rest = |more: Vec<Facts>| [vec![rest.clone()], more].concat();
    let second = from_rest(replaced.map(c).to_vec());
    assert_eq!(looks(&second, false), rolled);
    let back = replaced.map(|[_, updated, replicas, available]| a([updated, updated, replicas, available]));
    assert_eq!(looks(&from_rest(back.to_vec()), false), rolled);
    // The last pod too, and the only one of a DaemonSet: none is left of the earlier template.
    assert_eq!(
        looks(
            &[c([0, 0, 3, 3]), c([0, 0, 0, 0]), c([0, 3, 3, 0]), c([0, 3, 3, 3])],
            false
        ),
        ["idle", "still running 9", "running 9", "succeeded 9"]
    );
    // Taken up by an operator that starts while it waits for a person.
    assert_eq!(looks(&second[1..], false), rolled[1..]);
    // In the middle one look doesn't tell it from pods that come back: what is silenced goes on, nothing is silenced for it.
    assert_eq!(looks(&second[4..7], true), ["still running 9"]);
    assert_eq!(
        looks(
            &[
                rest.clone(),
                b([0, 2, 3, 3]),
                b([0, 2, 2, 2]),
                b([0, 3, 3, 2]),
                b([0, 3, 3, 3])
            ],
            false
        ),
        ["succeeded 9", "still running 9", "succeeded 9"],
        "a pod that is deleted at rest"
    );
}

#[test]
fn a_canary_after_a_canary_is_a_rollout_though_neither_is_of_the_revision_that_its_controller_counts() {
    let partition = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}});
    let b = |counts| counted("b", ("s-a", "s-b"), counts, &partition);
    let c = |counts| counted("c", ("s-a", "s-c"), counts, &partition);
    let seen = [
        b([2, 1, 3, 3]),
        c([2, 0, 3, 3]),
        c([2, 0, 2, 2]),
        c([2, 1, 3, 2]),
        c([2, 1, 3, 3]),
    ];
    assert_eq!(
        looks(&seen, false),
        ["succeeded 9", "running 9", "still running 9", "succeeded 9"]
    );
    let at_rest = [b([2, 1, 3, 3]), b([2, 0, 3, 3]), b([2, 0, 2, 2]), b([2, 1, 3, 3])];
    assert_eq!(
        looks(&at_rest, false),
        ["succeeded 9", "still running 9", "succeeded 9"]
    );
}
