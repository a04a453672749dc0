//! The workloads that a policy looks after, kept as they come, change and go: what a policy says of them is told without a walk
//! through all of its namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kube::ResourceExt;

use super::coverage::{self, CronRun};
use super::migration::{Job, JobFacts};
use crate::api::maintenance_policy::WorkloadKind;

/// The workloads that a policy looks after, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// How long a silence stays after success.
    linger: Duration,
    /// What rolls out, by kind and name.
    rolling: BTreeSet<(WorkloadKind, String)>,
    /// Jobs that no `CronJob` has made.
    jobs: BTreeSet<String>,
    /// The owners of the other Jobs.
    cron_job_of: BTreeMap<String, String>,
    /// The Jobs of each `CronJob`, with the runs that have begun.
    cron_jobs: BTreeMap<String, BTreeMap<String, Option<CronRun>>>,
    /// Of each `CronJob` what there is to be said.
    warnings: BTreeMap<String, String>,
}

impl Selected {
    /// None yet, of a policy with this linger time.
    pub fn new(linger: Duration) -> Self {
        Self {
            linger,
            ..Self::default()
        }
    }

    /// Notes whether a workload that rolls out is among them. Whether the policy has something else to say then.
    pub fn note_rolling(&mut self, kind: WorkloadKind, name: &str, is_selected: bool) -> bool {
        let key = (kind, name.to_owned());
        if is_selected {
            self.rolling.insert(key)
        } else {
            self.rolling.remove(&key)
        }
    }

    /// Notes a Job as it is now if it is among them, and that it isn't otherwise. Whether the policy has something else to say then.
    pub fn note_job(&mut self, name: &str, job: Option<&Job>) -> bool {
        let before = self.cron_job_of.remove(name);
        // A name of another namespace says so, and its CronJob's too.
        let place = name.rsplit_once('/').map_or("", |(place, _)| place);
        let place = if place.is_empty() {
            String::new()
        } else {
            format!("{place}/")
        };
        let after = job.and_then(cron_job).map(|cron_job| place + &cron_job);
        let concerned: BTreeSet<String> = [&before, &after].into_iter().flatten().cloned().collect();
        let told = |selected: &Self| {
            let warnings = concerned
                .iter()
                .map(|cron_job| selected.warnings.get(cron_job).cloned());
            (selected.count(), warnings.collect::<Vec<_>>())
        };
        let told_before = told(self);
        self.jobs.remove(name);
        if let Some(runs) = before.and_then(|cron_job| self.cron_jobs.get_mut(&cron_job)) {
            runs.remove(name);
        }
        match (job, after) {
            (None, _) => {}
            (Some(_), None) => drop(self.jobs.insert(name.to_owned())),
            (Some(job), Some(cron_job)) => {
                self.cron_job_of.insert(name.to_owned(), cron_job.clone());
                let runs = self.cron_jobs.entry(cron_job).or_default();
                runs.insert(name.to_owned(), CronRun::of(&JobFacts::of(job)));
            }
        }
        for cron_job in &concerned {
            self.judge(cron_job);
        }
        told_before != told(self)
    }

    fn judge(&mut self, cron_job: &str) {
        let runs = self.cron_jobs.get(cron_job).filter(|runs| !runs.is_empty());
        let Some(runs) = runs else {
            self.cron_jobs.remove(cron_job);
            self.warnings.remove(cron_job);
            return;
        };
        match coverage::warning(cron_job, runs.values().flatten(), self.linger) {
            Some(warning) => drop(self.warnings.insert(cron_job.to_owned(), warning)),
            None => drop(self.warnings.remove(cron_job)),
        }
    }

    /// How many they are. The runs of a `CronJob` count as one, so that not every run changes the status.
    pub fn count(&self) -> usize {
        self.rolling.len() + self.jobs.len() + self.cron_jobs.len()
    }

    /// What there is to be said of them.
    pub fn warnings(&self) -> impl Iterator<Item = &String> {
        self.warnings.values()
    }
}

fn cron_job(job: &Job) -> Option<String> {
    let owners = job.owner_references();
    let owner = owners.iter().find(|owner| owner.kind == "CronJob");
    owner.map(|owner| owner.name.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LINGER: Duration = Duration::from_secs(120);

    /// A run of a `CronJob` that begins in this minute of an hour and takes nine seconds; of none if it has no name.
    fn run(cron_job: &str, minute: u32) -> Job {
        let owners = if cron_job.is_empty() {
            json!([])
        } else {
            json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job, "uid": "1"}])
        };
        let at = |second| format!("2026-01-01T00:{minute:02}:{second:02}Z");
        let ended = json!([{"type": "Complete", "status": "True", "lastTransitionTime": at(9)}]);
        serde_json::from_value(json!({
            "metadata": {"name": "run", "ownerReferences": owners}, "status": {"startTime": at(0), "conditions": ended},
        }))
        .unwrap()
    }

    #[test]
    fn the_runs_of_a_cron_job_count_as_one_and_what_is_told_of_them_is_news_when_it_changes() {
        let mut selected = Selected::new(LINGER);
        let deployment = WorkloadKind::Deployment;
        assert!(
            selected.note_rolling(deployment, "web", true) && !selected.note_rolling(deployment, "web", true)
        );
        assert!(selected.note_job("alone", Some(&run("", 0))));
        let mut of_another = run("batch", 0);
        of_another.metadata.owner_references.as_mut().unwrap()[0].kind = "Workflow".to_owned();
        assert!(selected.note_job("of-another", Some(&of_another)));
        assert!(selected.cron_jobs.is_empty(), "its owner is no CronJob");
        assert!(selected.note_job("of-another", None));
        assert!(selected.note_job("a", Some(&run("sync", 0))));
        assert_eq!((selected.count(), selected.warnings().count()), (3, 0));
        // The second run tells how often they come.
        assert!(selected.note_job("b", Some(&run("sync", 1))));
        assert_eq!((selected.count(), selected.warnings().count()), (3, 1));
        assert!(!selected.note_job("c", Some(&run("sync", 2))), "no news");
        assert!(!selected.note_job("c", None) && selected.note_job("b", None));
        assert_eq!(selected.warnings().count(), 0);
        assert!(
            !selected.note_job("a", Some(&run("other", 0))),
            "one CronJob in another's place"
        );
        for name in ["a", "alone"] {
            selected.note_job(name, None);
        }
        selected.note_rolling(deployment, "web", false);
        assert_eq!(selected, Selected::new(LINGER), "nothing is left of what is gone");
    }
}
