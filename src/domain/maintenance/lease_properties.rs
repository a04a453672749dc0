use proptest::prelude::*;

use super::super::*;
use super::{World, counts, rolling, run, standing, time, verdict};
use crate::domain::maintenance::phase::Progress;
use crate::domain::maintenance::window::later;

fn any_phase() -> impl Strategy<Value = Phase> {
    let revision = prop::sample::select(vec!["a", "b", "c"]);
    (0..6u8, revision, 1..4i64, 0..4u8, 0..900u64).prop_map(
        |(kind, revision, attempt, mark, at)| match kind {
            0 => Phase::Idle,
            1 | 2 => rolling(revision, attempt, i32::from(mark)),
            3 => Phase::Running(UnderWay {
                run: run(revision, attempt),
                since: Some(time(at * 10)),
                progress: Progress::Active,
                is_certain: true,
                created: None,
            }),
            4 | 5 if mark > 1 => {
                let mark = if at < 450 { "Moves@time" } else { "Done@time" };
                let verdict = standing(revision, attempt, counts(mark, 1), at % 2 == 0);
                if kind == 4 {
                    Phase::Succeeded(verdict)
                } else {
                    Phase::Failed(verdict)
                }
            }
            4 => Phase::Succeeded(verdict(revision, attempt, at * 10)),
            _ => Phase::Failed(verdict(revision, attempt, at * 10)),
        },
    )
}

proptest! {
    #[test]
    fn whatever_happens_no_silence_outlasts_max_duration_or_a_failure(
        events in prop::collection::vec((0..600u64, any_phase()), 1..60),
        lease in 1..900u64, linger in 0..900u64, max_duration in 1..3600u64,
    ) {
        let of = Duration::from_secs;
        let lease = Lease { lease: of(lease), linger: of(linger), max_duration: of(max_duration), is_suspended: false, lingers_after_failure: false };
        let mut world = World { lease, ..World::default() };
        let mut now = 0;
        for (passed, phase) in events {
            now += passed;
            let before = world.windows.clone();
            world.at(now, &phase);
            for window in &world.windows {
                prop_assert!(window.ends <= later(window.opened, lease.max_duration));
                prop_assert!(window.opened < window.ends);
                prop_assert!(window.opened <= time(now));
                let a_second_old = window.opened < time(now);
                if matches!(&phase, Phase::Failed(verdict) if verdict.standing.is_none()) && a_second_old {
                    let lingers = window.outcome == Some(Outcome::Succeeded)
                        && phase.run().map(|run| &run.revision) == Some(&window.run.revision);
                    prop_assert!(lingers || !window.is_open(time(now)));
                }
            }
            if let Some(recheck) = world.recheck {
                prop_assert!(recheck >= Duration::from_secs(1));
            } else if matches!(phase, Phase::Running { .. }) {
                let leases = world.windows.iter().filter(|window| window.outcome.is_none());
                prop_assert_eq!(leases.count(), 0, "a lease nobody looks after, from {:?}", before);
            }
        }
    }
}
