//! By what the real controllers said.

use super::*;
use crate::domain::maintenance::recorded::{deployment, job};

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
    let cases: [(&str, &[Change]); 17] = [
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
