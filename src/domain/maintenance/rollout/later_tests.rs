//! Rollouts of StatefulSets after one that its controller never called over: by hand, and with a partition. What its statuses say is as its
//! source has it: only a rolling update of all pods makes `currentRevision` the `updateRevision`.

use serde_json::json;

use super::{Facts, RollsOut, StatefulSet};
use crate::domain::maintenance::recorded::words;

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

/// The same with so many replicas wished.
fn scaled(replicas: i32, facts: Facts) -> Facts {
    Facts {
        wished: replicas,
        ..facts
    }
}

#[test]
fn a_rollout_by_hand_that_is_scaled_down_midway_is_over_when_what_remains_is_updated() {
    let by_hand = json!({"type": "OnDelete"});
    let b = |counts| counted("b", ("s-a", "s-b"), counts, &by_hand);
    let c = |counts| counted("c", ("s-a", "s-c"), counts, &by_hand);
    let begun = [b([0, 3, 3, 3]), c([0, 0, 3, 3]), c([0, 0, 2, 2]), c([0, 1, 3, 3])];
    let with = |more: Vec<Facts>| looks(&[begun.to_vec(), more].concat(), false);
    // The updated one stays alone.
    assert_eq!(
        with(vec![scaled(1, c([0, 1, 1, 1]))]),
        ["succeeded 9", "idle", "running 9", "succeeded 9"]
    );
    // One of those that stay has still to be replaced.
    assert_eq!(
        with(vec![
            scaled(2, c([0, 1, 2, 2])),
            scaled(2, c([0, 1, 1, 1])),
            scaled(2, c([0, 2, 2, 2])),
        ]),
        ["succeeded 9", "idle", "running 9", "succeeded 9"]
    );
    // The updated one goes: what stays waits for a person, who begins anew.
    assert_eq!(
        with(vec![
            scaled(2, c([0, 0, 2, 2])),
            scaled(2, c([0, 0, 1, 1])),
            scaled(2, c([0, 1, 2, 2])),
            scaled(2, c([0, 2, 2, 2])),
        ]),
        [
            "succeeded 9",
            "idle",
            "running 9",
            "idle",
            "running 9",
            "succeeded 9"
        ]
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
