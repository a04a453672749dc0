use super::*;
use crate::domain::maintenance::phase::{Counts, Progress, Run, Standing};

#[path = "lease_memory_tests.rs"]
mod memory;
#[path = "lease_properties.rs"]
mod properties;
#[path = "lease_recorded_tests.rs"]
mod recorded;

const MINUTE: u64 = 60;

fn time(seconds: u64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::try_from(seconds).unwrap()).unwrap()
}

fn run(revision: &str, attempt: i64) -> Run {
    Run {
        revision: revision.to_owned(),
        attempt,
    }
}

/// How far a rollout is; more updated pods are further.
fn counts(mark: &str, updated: i32) -> Counts {
    Counts {
        mark: mark.to_owned(),
        old: 9,
        updated,
        available: 9,
    }
}

/// A rollout with so many updated pods.
fn rolling(revision: &str, attempt: i64, updated: i32) -> Phase {
    rolling_by(revision, attempt, counts("Moves@time", updated))
}

fn rolling_by(revision: &str, attempt: i64, counts: Counts) -> Phase {
    Phase::Running(UnderWay {
        run: run(revision, attempt),
        since: None,
        progress: Progress::Counts(counts),
        is_certain: true,
        created: None,
    })
}

fn job_running(since: u64) -> Phase {
    Phase::Running(UnderWay {
        run: run("job", 1),
        since: Some(time(since)),
        progress: Progress::Active,
        is_certain: true,
        created: None,
    })
}

fn verdict(revision: &str, attempt: i64, at: u64) -> Verdict {
    Verdict {
        run: run(revision, attempt),
        at: Some(time(at)),
        reason: "Because".into(),
        standing: None,
    }
}

/// What the deployment controller says; it may be of the rollout before.
fn standing(revision: &str, attempt: i64, counts: Counts, is_complete: bool) -> Verdict {
    Verdict {
        standing: Some(Standing { counts, is_complete }),
        ..verdict(revision, attempt, 0)
    }
}

/// A cluster with one workload: what is decided is what is written, and read again.
#[derive(Default)]
struct World {
    lease: Lease,
    windows: Vec<Window>,
    recheck: Option<Duration>,
    is_grafana_away: bool,
}

impl World {
    fn see(&mut self, now: Timestamp, phase: &Phase) -> Vec<Change> {
        let plan = decide(&self.lease, phase, &self.windows, now);
        for step in &plan.steps {
            self.windows
                .retain(|window| window.run.revision != step.window.run.revision);
            let annotations = step.window.to_annotations();
            let read = Window::from_annotations(&annotations, step.window.ends).unwrap();
            self.windows.push(Window {
                retires: step.window.retires,
                in_force: step.window.in_force,
                ..read
            });
        }
        let has_been_taken =
            |window: &mut Window| window.in_force = window.is_open(now) && !self.is_grafana_away;
        self.windows.iter_mut().for_each(has_been_taken);
        self.recheck = plan.recheck;
        let again = decide(&self.lease, phase, &self.windows, now);
        let is_superseding = |step: &Step| step.change == Change::Ended(Outcome::Superseded);
        assert!(
            again.steps.iter().all(is_superseding),
            "decided twice for {phase:?}: {:?}",
            again.steps
        );
        let is_seen = |change: &Change| *change != Change::Released;
        let steps = plan.steps.iter().map(|step| step.change).filter(is_seen);
        if again.steps.is_empty() {
            assert_eq!(again.recheck, plan.recheck);
            return steps.collect();
        }
        // Grafana has the new silence now, so the old one may end.
        let before: Vec<_> = steps.collect();
        [before, self.see(now, phase)].concat()
    }

    /// The silence that ended so long ago that nobody wants to look at it is deleted.
    fn forget(&mut self) {
        self.windows.retain(|window| !window.retires);
    }

    fn at(&mut self, seconds: u64, phase: &Phase) -> Vec<Change> {
        self.see(time(seconds), phase)
    }

    fn ends(&self, revision: &str) -> u64 {
        let window = self
            .windows
            .iter()
            .find(|window| window.run.revision == revision)
            .unwrap();
        u64::try_from(window.ends.as_second() - 1_800_000_000).unwrap()
    }

    /// Every change of a recorded sequence.
    fn replay(&mut self, phases: &[(Timestamp, Phase)]) -> Vec<Change> {
        phases
            .iter()
            .flat_map(|(at, phase)| self.see(*at, phase))
            .collect()
    }
}

#[test]
fn a_rollout_is_silenced_until_the_linger_time_after_its_success() {
    let mut world = World::default();
    assert_eq!(world.at(0, &rolling("a", 1, 1)), [Change::Opened]);
    assert_eq!(world.ends("a"), 5 * MINUTE);
    assert_eq!(
        world.at(40, &Phase::Succeeded(verdict("a", 1, 40))),
        [Change::Ended(Outcome::Succeeded)]
    );
    assert_eq!(world.ends("a"), 40 + 2 * MINUTE);
    assert_eq!(world.recheck, None);
}

#[test]
fn a_lease_is_extended_at_half_its_length_and_only_after_progress() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    assert_eq!(world.recheck, Some(Duration::from_secs(150)));
    assert_eq!(world.at(149, &rolling("a", 1, 2)), []);
    assert_eq!(world.at(150, &rolling("a", 1, 2)), [Change::Extended]);
    assert_eq!(world.ends("a"), 150 + 5 * MINUTE);
    assert_eq!(world.at(400, &rolling("a", 1, 2)), []);
    assert_eq!(world.recheck, Some(Duration::from_secs(50)));
    assert_eq!(
        world.at(450, &rolling("a", 1, 2)),
        [Change::Ended(Outcome::Lapsed)]
    );
    assert_eq!(world.recheck, None);
}

#[test]
fn progress_after_a_lapse_takes_the_lease_up_again() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    world.at(300, &rolling("a", 1, 1));
    assert_eq!(world.at(400, &rolling("a", 1, 2)), [Change::Reopened]);
    assert_eq!(world.ends("a"), 400 + 5 * MINUTE);
}

#[test]
fn a_failure_ends_the_silence_at_once_and_for_good() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    let failed = Phase::Failed(verdict("a", 1, 30));
    assert_eq!(world.at(30, &failed), [Change::Ended(Outcome::Failed)]);
    assert_eq!(world.ends("a"), 30);
    // Scaling a stuck rollout moves its replica counts.
    assert_eq!(world.at(60, &rolling("a", 1, 2)), []);
    assert_eq!(world.at(90, &failed), []);
    assert_eq!(world.at(95, &rolling("a", 3, 3)), [Change::Opened]);
}

#[test]
fn a_silence_never_ends_before_it_has_started() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    world.at(0, &Phase::Failed(verdict("a", 1, 0)));
    assert_eq!(world.ends("a"), 1);
}

#[test]
fn the_next_rollout_supersedes_what_is_open_after_its_own_has_opened() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    assert_eq!(
        world.at(20, &rolling("b", 2, 1)),
        [Change::Opened, Change::Ended(Outcome::Superseded)]
    );
    assert_eq!(world.ends("a"), 20);
    world.at(60, &Phase::Succeeded(verdict("b", 2, 60)));
    assert_eq!(
        world.at(70, &rolling("a", 3, 2)),
        [Change::Opened, Change::Ended(Outcome::Superseded)]
    );
    assert_eq!(world.ends("b"), 70);
    assert_eq!(world.ends("a"), 70 + 5 * MINUTE);
}

#[test]
fn a_rollback_opens_anew_whatever_became_of_the_first_time() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    world.at(300, &rolling("a", 1, 1));
    let day = 24 * 60 * MINUTE;
    assert_eq!(world.at(day, &rolling("a", 3, 2)), [Change::Opened]);
    assert_eq!(world.ends("a"), day + 5 * MINUTE);
}

#[test]
fn scaling_opens_nothing() {
    let mut world = World::default();
    assert_eq!(world.at(0, &Phase::Succeeded(verdict("a", 1, 0))), []);
    assert_eq!(world.at(10, &Phase::Idle), []);
    assert_eq!(world.recheck, None);
}

#[test]
fn a_pause_shortens_the_silence_and_a_resume_lengthens_it() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    assert_eq!(world.at(10, &Phase::Idle), [Change::Shortened]);
    assert_eq!(world.ends("a"), 10 + 2 * MINUTE);
    assert_eq!(world.at(60, &rolling("a", 1, 2)), [Change::Extended]);
    assert_eq!(world.ends("a"), 60 + 5 * MINUTE);
}

#[test]
fn what_runs_out_in_a_pause_lacked_no_progress_and_goes_on_with_the_work() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    world.at(10, &Phase::Idle);
    let over = 10 + 2 * MINUTE;
    assert_eq!(world.at(over, &Phase::Idle), [Change::Ended(Outcome::Paused)]);
    assert_eq!(world.at(over + 10, &Phase::Idle), []);
    assert_eq!(world.at(over + 20, &rolling("a", 1, 1)), [Change::Reopened]);
}

#[test]
fn a_pause_without_linger_time_is_told_as_a_pause() {
    let lease = Lease {
        linger: Duration::ZERO,
        ..Lease::default()
    };
    let mut world = World {
        lease,
        ..World::default()
    };
    world.at(0, &rolling("a", 1, 1));
    assert_eq!(world.at(10, &Phase::Idle), [Change::Shortened]);
    assert_eq!(world.recheck, Some(Duration::from_secs(1)));
    assert_eq!(world.at(11, &Phase::Idle), [Change::Ended(Outcome::Paused)]);
}

#[test]
fn max_duration_ends_a_run_that_never_ends() {
    let mut world = World::default();
    let mut changes = Vec::new();
    for minute in 0..90 {
        changes.extend(world.at(minute * MINUTE, &job_running(0)));
    }
    assert_eq!(changes.first(), Some(&Change::Opened));
    assert_eq!(changes.last(), Some(&Change::Ended(Outcome::Overran)));
    assert_eq!(
        changes
            .iter()
            .filter(|change| **change != Change::Extended)
            .count(),
        2
    );
    assert_eq!(world.ends("job"), 60 * MINUTE);
}

#[test]
fn a_linger_time_ends_with_max_duration() {
    let mut world = World::default();
    for minute in 0..60 {
        world.at(minute * MINUTE, &job_running(0));
    }
    world.at(
        60 * MINUTE - 5,
        &Phase::Succeeded(verdict("job", 1, 60 * MINUTE - 5)),
    );
    assert_eq!(world.ends("job"), 60 * MINUTE);
}

#[test]
fn a_job_that_has_run_for_longer_than_max_duration_is_not_silenced_now() {
    assert_eq!(World::default().at(61 * MINUTE, &job_running(0)), []);
}

#[test]
fn a_resumed_job_is_silenced_anew() {
    let mut world = World::default();
    world.at(0, &job_running(0));
    world.at(10, &Phase::Idle);
    assert_eq!(
        world.at(3 * MINUTE, &Phase::Idle),
        [Change::Ended(Outcome::Paused)]
    );
    let resumed = 26 * 60 * MINUTE;
    assert_eq!(world.at(resumed, &job_running(resumed)), [Change::Opened]);
    assert_eq!(world.ends("job"), resumed + 5 * MINUTE);
}

#[test]
fn an_operator_that_was_away_takes_up_what_is_under_way() {
    let mut world = World::default();
    world.at(0, &job_running(0));
    assert_eq!(world.at(20 * MINUTE, &job_running(0)), [Change::Reopened]);
    assert_eq!(world.ends("job"), 25 * MINUTE);
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    assert_eq!(
        world.at(20 * MINUTE, &rolling("a", 1, 1)),
        [Change::Ended(Outcome::Lapsed)]
    );
}

#[test]
fn an_operator_that_was_away_counts_the_linger_time_from_the_end_of_the_run() {
    for (completed, expected) in [(240, 360), (60, 300)] {
        let mut world = World::default();
        world.at(0, &rolling("a", 1, 1));
        assert_eq!(
            world.at(300, &Phase::Succeeded(verdict("a", 1, completed))),
            [Change::Ended(Outcome::Succeeded)]
        );
        assert_eq!(world.ends("a"), expected, "completed after {completed} s");
    }
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    world.at(200, &Phase::Succeeded(verdict("a", 1, 10)));
    assert_eq!(world.ends("a"), 200, "the linger time had passed");
}

#[test]
fn an_operator_that_missed_a_rollout_ends_what_the_one_before_left() {
    let mut world = World::default();
    world.at(0, &rolling("a", 1, 1));
    assert_eq!(
        world.at(100, &Phase::Succeeded(verdict("b", 2, 90))),
        [Change::Ended(Outcome::Superseded)]
    );
    assert_eq!(world.ends("a"), 100);
}

#[test]
fn a_verdict_that_stood_before_the_run_is_not_about_it() {
    let mut world = World::default();
    world.at(0, &rolling_by("a", 2, counts("Old@time", 0)));
    let old = standing("a", 2, counts("Old@time", 0), false);
    assert_eq!(world.at(1, &Phase::Failed(old.clone())), []);
    assert_eq!(world.at(1, &Phase::Succeeded(old)), []);
    let new = standing("a", 2, counts("New@time", 0), false);
    assert_eq!(world.at(2, &Phase::Failed(new)), [Change::Ended(Outcome::Failed)]);
}

#[test]
fn a_job_deleted_while_it_runs_ends_its_silence() {
    let mut world = World::default();
    world.at(0, &job_running(0));
    assert_eq!(
        world.at(30, &Phase::Gone(run("job", 1))),
        [Change::Ended(Outcome::Gone)]
    );
    assert_eq!(world.ends("job"), 30);
}

#[test]
fn a_job_deleted_right_after_success_still_lingers() {
    let mut world = World::default();
    world.at(0, &job_running(0));
    let (lease, done) = (world.lease, Phase::Succeeded(verdict("job", 1, 30)));
    let open = world.windows[0].clone();
    let lingering = Some(time(30 + 2 * MINUTE));
    assert_eq!(outlives_job(&lease, Some(&done), &open, time(31)), lingering);
    world.at(30, &done);
    let marked = world.windows[0].clone();
    assert_eq!(
        outlives_job(&lease, None, &marked, time(31)),
        lingering,
        "nobody saw the Job's end but the silence"
    );
    assert_eq!(outlives_job(&lease, None, &marked, time(200)), None);
    let gone = Phase::Gone(run("job", 1));
    let failed = Phase::Failed(verdict("job", 1, 30));
    for last in [None, Some(&gone), Some(&failed), Some(&job_running(0))] {
        assert_eq!(outlives_job(&lease, last, &open, time(31)), None, "{last:?}");
    }
}

#[test]
fn workloads_share_nothing() {
    let (mut web, mut api) = (World::default(), World::default());
    web.at(0, &rolling("a", 1, 1));
    api.at(5, &rolling("a", 1, 1));
    web.at(10, &Phase::Failed(verdict("a", 1, 10)));
    assert_eq!((web.ends("a"), api.ends("a")), (10, 305));
}
