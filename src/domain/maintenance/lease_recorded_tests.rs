//! By what the real controllers said.

use super::*;
use crate::domain::maintenance::recorded::{daemon_set, deployment, job, stateful_set};

#[test]
fn real_rollouts_get_one_silence_each_and_nothing_else_gets_one() {
    let opened = [Change::Opened];
    let good = [Change::Opened, Change::Ended(Outcome::Succeeded)];
    let bad = [Change::Opened, Change::Ended(Outcome::Failed)];
    // The recording begins within the rollout before.
    let superseded = [
        Change::Opened,
        Change::Ended(Outcome::Superseded),
        Change::Ended(Outcome::Succeeded),
    ];
    let bad_good = [bad, good].concat();
    let superseding = [
        Change::Opened,
        Change::Opened,
        Change::Ended(Outcome::Superseded),
        Change::Ended(Outcome::Succeeded),
    ];
    let paused = [
        Change::Opened,
        Change::Shortened,
        Change::Extended,
        Change::Ended(Outcome::Succeeded),
    ];
    let cases: [(&str, &[Change]); 23] = [
        ("superseded midway", &superseding),
        ("without surge", &good),
        ("surge of all", &good),
        ("paused midway", &paused),
        // With a lease that is longer than it was recorded; `lease_memory_tests` has it end.
        ("flapping", &opened),
        ("deleted", &[]),
        ("first creation", &good),
        ("new image", &good),
        ("rollback", &good),
        ("changed while paused", &good),
        ("without a progress deadline", &good),
        ("recreated", &good),
        ("recreate, new image", &good),
        ("recreate, rolled back", &good),
        ("recreate of 3, rolled back", &[&good[..], &superseded].concat()),
        ("stuck, undone", &bad_good),
        ("stuck, scaled, undone", &bad_good),
        ("stuck without surge, undone", &bad_good),
        // No controller calls this failed: what is stuck with a known template only ends with its lease, or here by the next.
        (
            "back to a template that is stuck",
            &[
                &opened,
                &opened[..],
                &[
                    Change::Ended(Outcome::Superseded),
                    Change::Ended(Outcome::Succeeded),
                ],
            ]
            .concat(),
        ),
        ("scaled only", &[]),
        ("annotated", &[]),
        ("paused and resumed at rest", &[]),
        ("changed at zero replicas", &[]),
    ];
    for (sequence, expected) in cases {
        let changes = World::default().replay(&deployment(sequence, false));
        assert_eq!(changes, expected, "{sequence}");
        let settled_at_first = !["first creation", "stuck, scaled, undone"].contains(&sequence);
        if settled_at_first {
            let opened =
                |changes: &[Change]| changes.iter().filter(|change| **change == Change::Opened).count();
            let forgetful = World::default().replay(&deployment(sequence, true));
            assert_eq!(
                opened(&forgetful),
                opened(expected),
                "{sequence}, restarted before every event"
            );
        }
    }
}

#[test]
fn real_rollouts_of_stateful_sets_and_daemon_sets_get_one_silence_each_and_nothing_else_gets_one() {
    let good = [Change::Opened, Change::Ended(Outcome::Succeeded)];
    let superseding = [
        Change::Opened,
        Change::Opened,
        Change::Ended(Outcome::Superseded),
        Change::Ended(Outcome::Succeeded),
    ];
    let both: [(&str, &[Change]); 9] = [
        ("first creation", &good),
        ("new image", &good),
        ("rolled back", &good),
        ("superseded midway", &superseding),
        ("stuck, undone", &superseding),
        ("annotated", &[]),
        ("a pod is deleted at rest", &[]),
        ("on delete, a pod is deleted after it", &[]),
        ("deleted", &[]),
    ];
    for (sequence, expected) in both {
        let of_set = World::default().replay(&stateful_set(sequence, false));
        assert_eq!(of_set, expected, "StatefulSet: {sequence}");
        let of_daemon = World::default().replay(&daemon_set(sequence, false));
        assert_eq!(of_daemon, expected, "DaemonSet: {sequence}");
    }
    let sets: [(&str, &[Change]); 8] = [
        ("on delete", &good),
        ("partition, the canary", &good),
        ("partition, the canary is deleted at rest", &[]),
        ("partition, the rest", &good),
        ("max unavailable 2", &good),
        ("scaled only", &[]),
        ("scaled midway", &good),
        ("changed at zero replicas", &[]),
    ];
    for (sequence, expected) in sets {
        let changes = World::default().replay(&stateful_set(sequence, false));
        assert_eq!(changes, expected, "StatefulSet: {sequence}");
    }
    let daemons: [(&str, &[Change]); 4] = [
        ("on delete", &good),
        ("surge", &good),
        ("all at once", &good),
        ("a node joins", &[]),
    ];
    for (sequence, expected) in daemons {
        let changes = World::default().replay(&daemon_set(sequence, false));
        assert_eq!(changes, expected, "DaemonSet: {sequence}");
    }
}

#[test]
fn a_first_creation_is_silenced_though_the_operator_saw_nothing_of_its_beginning_and_not_for_longer_than_a_lease()
 {
    let whole = stateful_set("first creation", true);
    let seen_late = World::default().replay(&whole[2..]);
    assert_eq!(seen_late, [Change::Opened, Change::Ended(Outcome::Succeeded)]);
    let at_rest = stateful_set("a pod is deleted at rest", true);
    assert_eq!(World::default().replay(&at_rest), []);
}

#[test]
fn real_jobs_are_silenced_while_they_run() {
    let cases: [(&str, &[Change]); 4] = [
        ("completes", &[Change::Opened, Change::Ended(Outcome::Succeeded)]),
        ("fails", &[Change::Opened, Change::Ended(Outcome::Failed)]),
        (
            "runs out of time",
            &[Change::Opened, Change::Ended(Outcome::Failed)],
        ),
        ("deleted", &[Change::Opened, Change::Ended(Outcome::Gone)]),
    ];
    for (sequence, expected) in cases {
        assert_eq!(World::default().replay(&job(sequence)), expected, "{sequence}");
    }
    let changes = World::default().replay(&job("suspended and resumed"));
    let expected = [
        Change::Opened,
        Change::Shortened,
        Change::Extended,
        Change::Ended(Outcome::Succeeded),
    ];
    assert_eq!(changes, expected);
}
