//! How much of the time the runs of a CronJob are silenced: one that runs often, with a linger time after each run, silences for ever.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::window::later;

/// A run of a CronJob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronRun {
    /// The CronJob.
    pub cron_job: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended, and whether well; only then it lingers.
    pub ended: Option<(Timestamp, bool)>,
}

/// Each `CronJob` whose runs are silenced for much of the time, in words. The words change only where the share passes a
/// quarter, since every run changes it a little.
pub fn warnings(runs: &[CronRun], linger: Duration) -> Vec<String> {
    let mut by_owner: BTreeMap<&str, Vec<&CronRun>> = BTreeMap::new();
    for run in runs {
        by_owner.entry(&run.cron_job).or_default().push(run);
    }
    by_owner
        .into_iter()
        .filter_map(|(owner, runs)| {
            let share = match percent_covered(runs, linger)? {
                95.. => "all",
                75.. => "at least three quarters",
                50.. => "at least half",
                _ => return None,
            };
            Some(format!(
                "the runs of CronJob {owner} are silenced for {share} of the time: narrow spec.targets by a selector, shorten spec.silence.linger, or give its jobTemplate the annotation {}: disabled",
                super::workload::ANNOTATION_MAINTENANCE
            ))
        })
        .collect()
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

    fn runs(cron_job: &str, every: i64, takes: i64, is_well: bool) -> Vec<CronRun> {
        (0..3)
            .map(|i| {
                let at = |second| Timestamp::from_second(1_800_000_000 + second).unwrap();
                CronRun {
                    cron_job: cron_job.into(),
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
            let warnings = warnings(&runs("sync", every, 9, true), LINGER);
            match share {
                Some(share) => {
                    assert_eq!(warnings.len(), 1, "every {every} s");
                    assert!(
                        warnings[0].contains("CronJob sync") && warnings[0].contains(share),
                        "{warnings:?}"
                    );
                }
                None => assert_eq!(warnings, Vec::<String>::new(), "every {every} s"),
            }
        }
    }

    #[test]
    fn what_lingers_into_the_next_run_counts_once_and_one_run_says_nothing() {
        let mut all = runs("sync", 60, 9, true);
        all.extend(runs("nightly", 86_400, 600, true));
        assert_eq!(warnings(&all, LINGER).len(), 1);
        assert_eq!(warnings(&all[..1], LINGER), Vec::<String>::new());
        assert_eq!(
            warnings(&runs("fails", 60, 9, false), LINGER),
            Vec::<String>::new(),
            "no linger time"
        );
    }
}
