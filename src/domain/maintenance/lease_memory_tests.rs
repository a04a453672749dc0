//! How a window ended is remembered as long as its run is the workload's present one, and what ends a window besides the run.

use super::*;
use crate::domain::maintenance::recorded::deployment;

/// A rollout that went back to a known template: its controller goes on saying what it said of the rollout before.
fn rolled_back(available: i32) -> Phase {
    let counts = Counts {
        mark: "Old@time".into(),
        old: 0,
        updated: 3,
        available,
    };
    Phase::Succeeded(standing("a", 3, counts, available == 3))
}

fn opens(changes: &[Change]) -> usize {
    let is_opening = |change: &&Change| matches!(change, Change::Opened | Change::Reopened);
    changes.iter().filter(is_opening).count()
}

#[test]
fn a_failed_rollout_is_not_silenced_again_however_long_ago_it_failed() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    let stuck = Phase::Failed(standing("a", 1, counts("Stuck@time", 1), false));
    assert_eq!(world.at(30, &stuck), [Change::Ended(Outcome::Failed)]);
    let day = 24 * 60 * MINUTE;
    for (at, updated) in [(60, 2), (2 * 60 * MINUTE, 5), (day, 9)] {
        world.forget();
        assert_eq!(world.at(at, &rolling("a", 1, updated)), [], "scaled after {at} s");
        assert_eq!(world.at(at + 1, &stuck), []);
    }
    assert_eq!(world.at(day + 2, &rolling("b", 2, 1)), [Change::Opened]);
    world.forget();
    let left: Vec<_> = world.windows.iter().map(|w| w.run.revision.as_str()).collect();
    assert_eq!(left, ["b"], "the next rollout makes it history");
}

#[test]
fn max_duration_bounds_a_rollout_that_never_ends_also_when_its_silence_is_old() {
    let mut world = World::default();
    let mut changes = Vec::new();
    for minute in 0..600 {
        let further = i32::try_from(minute).unwrap();
        changes.extend(world.at(minute * MINUTE, &rolling("a", 1, further)));
        world.forget();
    }
    assert_eq!(opens(&changes), 1, "{changes:?}");
    assert_eq!(changes.last(), Some(&Change::Ended(Outcome::Overran)));
    assert_eq!(world.ends("a"), 60 * MINUTE);
}

#[test]
fn pods_that_become_ready_and_die_again_are_no_progress() {
    let mut world = World::default();
    let mut changes = Vec::new();
    for minute in 0..90 {
        let up = i32::from(minute / 2 % 2 == 1);
        let flapping = Counts {
            mark: format!("ReplicaSetUpdated@{minute}"),
            old: 2,
            updated: 1,
            available: 2 + up,
        };
        changes.extend(world.at(minute * MINUTE, &rolling_by("a", 1, flapping)));
    }
    let expected = [Change::Opened, Change::Extended, Change::Ended(Outcome::Lapsed)];
    assert_eq!(changes, expected, "the first pod was progress");
    assert!(world.ends("a") <= 10 * MINUTE);
    let lease = Lease {
        lease: Duration::from_secs(20),
        ..Lease::default()
    };
    let mut real = World {
        lease,
        ..World::default()
    };
    let changes = real.replay(&deployment("flapping", false));
    assert_eq!(changes, expected, "by the real controllers");
}

#[test]
fn each_of_the_counts_can_get_further_and_none_twice() {
    let before = counts("m", 2);
    let of = |old, updated, available| {
        let now = Counts {
            mark: "m".into(),
            old,
            updated,
            available,
        };
        Progress::Counts(now).further_than(Progress::Counts(before.clone()).text().as_deref())
    };
    assert_eq!(of(9, 2, 9), None);
    assert_eq!(of(10, 1, 8), None, "losses");
    for (old, updated, available) in [(8, 2, 9), (9, 3, 9), (9, 2, 10)] {
        assert!(
            of(old, updated, available).is_some(),
            "{old} {updated} {available}"
        );
    }
    // Old pods that went took their availability along: what comes after them counts from there.
    let Some(Progress::Counts(furthest)) = of(0, 2, 0) else {
        panic!("it got further");
    };
    assert_eq!((furthest.old, furthest.updated, furthest.available), (0, 2, 0));
}

#[test]
fn a_rollback_that_replaces_every_pod_at_once_is_judged_by_its_counts() {
    let mut world = World::default();
    let old = |updated| counts("Old@time", updated);
    world.at(0, &rolling_by("a", 3, old(0)));
    assert_eq!(world.at(160, &rolled_back(0)), [Change::Extended]);
    assert_eq!(
        world.at(320, &rolled_back(1)),
        [Change::Extended],
        "one is available"
    );
    assert_eq!(
        world.at(330, &rolled_back(3)),
        [Change::Ended(Outcome::Succeeded)],
        "complete"
    );
    assert_eq!(world.ends("a"), 330 + 2 * MINUTE);

    // One whose pods never come is told, once, and looked at no more.
    let mut stuck = World::default();
    stuck.at(0, &rolling_by("a", 3, old(0)));
    assert_eq!(stuck.at(1, &rolled_back(0)), []);
    assert_eq!(stuck.recheck, Some(Duration::from_secs(149)));
    assert_eq!(stuck.at(150, &rolled_back(0)), [Change::Extended]);
    assert_eq!(stuck.at(450, &rolled_back(0)), [Change::Ended(Outcome::Lapsed)]);
    assert_eq!(stuck.recheck, None);
}

#[test]
fn a_rollout_that_nobody_saw_begin_is_not_silenced_because_pods_are_missing() {
    assert_eq!(World::default().at(0, &rolled_back(1)), []);
    let unsure = Phase::Running(UnderWay {
        run: run("a", 1),
        since: None,
        progress: Progress::Counts(counts("-", 1)),
        is_certain: false,
        created: None,
    });
    assert_eq!(World::default().at(0, &unsure), []);
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 0));
    assert_eq!(world.at(150, &unsure), [Change::Extended], "what is open goes on");
}

#[test]
fn what_nobody_asks_for_any_more_ends_now_and_goes_on_if_somebody_asks_again() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 0));
    let phase = rolling("a", 1, 0);
    let plan = withdraw(&phase, &world.windows, time(10));
    assert_eq!(plan.steps.len(), 1);
    assert_eq!(plan.steps[0].change, Change::Ended(Outcome::Withdrawn));
    assert_eq!(plan.steps[0].window.ends, time(10));
    world.windows = plan.steps.into_iter().map(|step| step.window).collect();
    assert_eq!(withdraw(&phase, &world.windows, time(11)).steps, []);
    world.forget();
    assert_eq!(world.at(20, &phase), [Change::Reopened]);
    assert_eq!(
        world.windows[0].opened,
        time(0),
        "maxDuration counts from the first time"
    );

    // What is over stays what it was, and a linger time ends too.
    world.at(30, &Phase::Failed(verdict("a", 1, 30)));
    assert_eq!(withdraw(&phase, &world.windows, time(40)).steps, []);
    let mut done = World::default();
    done.at(0, &rolling("a", 1, 0));
    done.at(5, &Phase::Succeeded(verdict("a", 1, 5)));
    let plan = withdraw(&Phase::Succeeded(verdict("a", 1, 5)), &done.windows, time(10));
    assert_eq!(
        (plan.steps[0].window.ends, plan.steps[0].window.retires),
        (time(10), true)
    );
}

#[test]
fn a_silence_that_a_person_deletes_is_over_for_this_run() {
    let mut world = World::default();
    let phase = rolling("a", 1, 0);
    world.at(0, &phase);
    let deleted = world.windows.remove(0);
    let step = removed(&phase, &deleted, time(10)).unwrap();
    assert_eq!(step.change, Change::Ended(Outcome::Removed));
    assert_eq!(step.window.ends, time(10));
    world.windows.push(step.window.clone());
    world.forget();
    assert_eq!(world.at(400, &rolling("a", 1, 5)), []);
    assert_eq!(
        world.at(500, &rolling("a", 2, 0)),
        [Change::Opened],
        "another attempt is another run"
    );

    // Of what had ended already only the outcome is kept, without a word; and nothing of what is history.
    let failed = Window {
        outcome: Some(Outcome::Failed),
        ..deleted.clone()
    };
    let kept = removed(&phase, &failed, time(10)).unwrap();
    assert_eq!(
        (kept.change, kept.window.outcome),
        (Change::Released, Some(Outcome::Failed))
    );
    assert_eq!(removed(&rolling("b", 2, 0), &deleted, time(10)), None);
    let retired = Window {
        retires: true,
        ..deleted
    };
    assert_eq!(removed(&phase, &retired, time(10)), None);
}

#[test]
fn what_is_superseded_goes_on_until_grafana_holds_what_takes_its_place() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 0));
    world.is_grafana_away = true;
    assert_eq!(world.at(20, &rolling("b", 2, 0)), [Change::Opened]);
    assert_eq!(world.ends("a"), 5 * MINUTE, "or nothing would silence");
    assert_eq!(world.at(21, &rolling("b", 2, 0)), []);
    world.is_grafana_away = false;
    world.at(30, &rolling("b", 2, 0));
    assert_eq!(world.ends("a"), 30);
    // What replaces it may end first: then nothing is waited for.
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 0));
    world.is_grafana_away = true;
    world.at(20, &rolling("b", 2, 0));
    let failed = Phase::Failed(verdict("b", 2, 40));
    let expected = [Change::Ended(Outcome::Failed), Change::Ended(Outcome::Superseded)];
    assert_eq!(world.at(40, &failed), expected);
}

#[test]
fn a_suspended_policy_opens_and_extends_nothing_but_its_silences_end_as_they_would() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 0));
    world.lease.is_suspended = true;
    assert_eq!(world.at(200, &rolling("a", 1, 5)), []);
    assert_eq!(
        world.at(300, &rolling("a", 1, 6)),
        [Change::Ended(Outcome::Lapsed)]
    );
    assert_eq!(world.at(310, &rolling("b", 2, 0)), []);
    let mut failing = World::default();
    failing.at(0, &rolling("a", 1, 0));
    failing.lease.is_suspended = true;
    assert_eq!(
        failing.at(30, &Phase::Failed(verdict("a", 1, 30))),
        [Change::Ended(Outcome::Failed)]
    );
}

#[test]
fn a_policy_that_asks_for_less_shortens_what_is_open() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 0));
    world.lease.lease = Duration::from_secs(MINUTE);
    assert_eq!(world.at(10, &rolling("a", 1, 0)), [Change::Bounded]);
    assert_eq!(world.ends("a"), 10 + MINUTE);
    world.lease.max_duration = Duration::from_secs(20);
    assert_eq!(world.at(15, &rolling("a", 1, 0)), [Change::Bounded]);
    assert_eq!(world.ends("a"), 20);
    world.lease.max_duration = Duration::from_secs(5);
    assert_eq!(
        world.at(16, &rolling("a", 1, 0)),
        [Change::Ended(Outcome::Overran)]
    );
}

#[test]
fn a_failed_job_lingers_only_where_that_is_asked_for_and_a_failed_rollout_never_does() {
    let failed = Phase::Failed(verdict("job", 1, 30));
    let mut world = World::default();
    world.at(0, &job_running(0));
    world.at(31, &failed);
    assert_eq!(world.ends("job"), 31);

    let mut world = World::default();
    world.lease.lingers_after_failure = true;
    world.at(0, &job_running(0));
    let open = world.windows[0].clone();
    let plan = world.at(31, &failed);
    assert_eq!(plan, [Change::Ended(Outcome::Failed)]);
    assert_eq!(world.ends("job"), 30 + 2 * MINUTE, "counted from its end");
    assert_eq!(world.at(40, &failed), [], "that is all");
    // Deleted right after it failed.
    let lingering = Some(time(30 + 2 * MINUTE));
    assert_eq!(
        outlives_job(&world.lease, Some(&failed), &open, time(31)),
        lingering
    );
    let marked = world.windows[0].clone();
    assert_eq!(outlives_job(&world.lease, None, &marked, time(31)), lingering);
    // Nothing asks for it any more.
    let withdrawn = withdraw(&failed, &[marked], time(50));
    assert_eq!(withdrawn.steps[0].window.ends, time(50));

    let mut world = World::default();
    world.lease.lingers_after_failure = true;
    world.at(0, &rolling("a", 1, 1));
    let stuck = Verdict {
        standing: Some(Standing {
            counts: counts("Stuck@time", 1),
            is_complete: false,
        }),
        ..verdict("a", 1, 30)
    };
    world.at(31, &Phase::Failed(stuck));
    assert_eq!(world.ends("a"), 31);
}
