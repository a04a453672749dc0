//! How much of the time the runs of a CronJob are silenced: one that runs often, with a linger time after each run, silences for ever.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::migration::JobFacts;
use super::window::later;

/// A run of a CronJob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronRun {
    /// When it began.
    pub began: Timestamp,
    /// When it ended, and whether well; only then it lingers.
    pub ended: Option<(Timestamp, bool)>,
}

impl CronRun {
    /// The run of a Job; none if it hasn't begun.
    pub fn of(facts: &JobFacts) -> Option<Self> {
        let ended = facts
            .end
            .as_ref()
            .and_then(|end| Some((end.at?, end.condition == "Complete")));
        facts.started.map(|began| Self { began, ended })
    }
}

/// That the runs of a CronJob are silenced for much of the time, if they are. The words change only where the share passes a
/// quarter, since every run changes it a little.
pub fn warning<'a>(
    cron_job: &str,
    runs: impl Iterator<Item = &'a CronRun>,
    linger: Duration,
) -> Option<String> {
    let share = match percent_covered(runs.collect(), linger)? {
        95.. => "all",
        75.. => "at least three quarters",
        50.. => "at least half",
        _ => return None,
    };
    Some(format!(
        "the runs of CronJob {cron_job} are silenced for {share} of the time: narrow spec.targets by a selector, shorten spec.silence.linger, or give its jobTemplate the annotation {}: disabled",
        super::workload::ANNOTATION_MAINTENANCE
    ))
}

/// From the first to the last beginning that is known, how much was covered; none with less than two runs.
fn percent_covered(mut runs: Vec<&CronRun>, linger: Duration) -> Option<i64> {
    runs.sort_by_key(|run| run.began);
    let (first, last) = (runs.first()?.began, runs.last()?.began);
    let mut covered = SignedDuration::ZERO;
    let mut until = first;
    for run in runs {
        let end = match run.ended {
            Some((at, true)) => later(at, linger),
            Some((at, false)) => at,
            None => last,
        };
        let (from, to) = (run.began.max(until), end.min(last));
        if to > from {
            covered += to.duration_since(from);
            until = to;
        }
    }
    let span = last.duration_since(first).as_millis();
    let percent = covered.as_millis().checked_mul(100)?.checked_div(span)?;
    i64::try_from(percent).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINGER: Duration = Duration::from_secs(120);

    fn runs(every: i64, takes: i64, is_well: bool) -> Vec<CronRun> {
        (0..3)
            .map(|i| {
                let at = |second| Timestamp::from_second(1_800_000_000 + second).unwrap();
                CronRun {
                    began: at(i * every),
                    ended: Some((at(i * every + takes), is_well)),
                }
            })
            .collect()
    }

    #[test]
    fn a_cron_job_that_is_silenced_for_much_of_the_time_is_named_with_its_share() {
        for (every, share) in [
            (60, Some("all")),
            (160, Some("three quarters")),
            (200, Some("half")),
            (3600, None),
        ] {
            let warning = warning("sync", runs(every, 9, true).iter(), LINGER);
            match share {
                Some(share) => {
                    let warning = warning.unwrap_or_default();
                    assert!(
                        warning.contains("CronJob sync") && warning.contains(share),
                        "every {every} s: {warning}"
                    );
                }
                None => assert_eq!(warning, None, "every {every} s"),
            }
        }
    }

    #[test]
    fn what_lingers_into_the_next_run_counts_once_and_one_run_says_nothing() {
        let often = runs(60, 9, true);
        assert!(warning("sync", often.iter(), LINGER).is_some());
        assert_eq!(warning("nightly", runs(86_400, 600, true).iter(), LINGER), None);
        assert_eq!(warning("sync", often[..1].iter(), LINGER), None);
        assert_eq!(
            warning("fails", runs(60, 9, false).iter(), LINGER),
            None,
            "no linger time"
        );
        // A run that has begun during the one before covers what is left.
        let at = |second| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let long = |began: i64| CronRun {
            began: at(began),
            ended: Some((at(began + 40), false)),
        };
        let overlapping = [long(0), long(10), long(100)];
        let warning = warning("overlaps", overlapping.iter(), LINGER);
        assert!(
            warning
                .as_ref()
                .is_some_and(|text| text.contains("at least half")),
            "{warning:?}"
        );
    }

    #[test]
    fn a_run_has_succeeded_where_its_job_is_complete() {
        for (condition, is_well) in [("Complete", true), ("Failed", false)] {
            let job = serde_json::from_value(serde_json::json!({
                "metadata": {"name": "run"},
                "status": {"startTime": "2026-01-01T00:00:00Z", "conditions": [
                    {"type": condition, "status": "True", "lastTransitionTime": "2026-01-01T00:00:09Z"},
                ]},
            }))
            .unwrap();
            let run = CronRun::of(&JobFacts::of(&job)).unwrap();
            assert_eq!(run.ended.map(|(_, is)| is), Some(is_well), "{condition}");
        }
    }
}
