//! What is remembered of workloads while the process runs.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

use crate::api::Silence;
use crate::controller::engine::sources::Wanted;
use crate::domain::maintenance::held::Written;
use crate::domain::maintenance::phase::Phase;
use crate::domain::maintenance::rollout::Settled;
use crate::domain::maintenance::selected::Selected;
use crate::domain::maintenance::window::Lease;
use crate::held::touched;

/// A workload's uid, and the name of one of its Silences.
pub type Key = (String, String);

/// Something of each Silence of each workload.
pub struct OfSilences<V> {
    by_workload: HashMap<String, BTreeMap<String, V>>,
}

impl<V> Default for OfSilences<V> {
    fn default() -> Self {
        Self {
            by_workload: HashMap::new(),
        }
    }
}

impl<V> OfSilences<V> {
    /// What is known of one Silence.
    pub fn get(&self, (workload, name): &Key) -> Option<&V> {
        self.by_workload.get(workload)?.get(name)
    }

    /// What is known of a workload's Silences, by their names.
    pub fn of(&self, workload: &str) -> impl Iterator<Item = (&String, &V)> {
        let known = self.by_workload.get(workload).into_iter().flatten();
        known.inspect(|_| touched::note(1))
    }

    /// Notes something of a Silence.
    pub fn insert(&mut self, (workload, name): Key, value: V) {
        self.by_workload.entry(workload).or_default().insert(name, value);
    }

    /// Forgets a Silence, and returns what was known of it.
    pub fn remove(&mut self, (workload, name): &Key) -> Option<V> {
        let silences = self.by_workload.get_mut(workload)?;
        let removed = silences.remove(name);
        if silences.is_empty() {
            self.by_workload.remove(workload);
        }
        removed
    }

    /// Forgets the Silences of a workload.
    pub fn remove_all(&mut self, workload: &str) {
        self.by_workload.remove(workload);
    }

    /// Forgets what isn't to be kept. This walks through everything.
    pub fn retain(&mut self, mut is_kept: impl FnMut(Key, &V) -> bool) {
        self.by_workload.retain(|workload, silences| {
            silences.retain(|name, value| is_kept((workload.clone(), name.clone()), value));
            !silences.is_empty()
        });
    }

    /// How many Silences something is known of.
    pub fn len(&self) -> usize {
        self.by_workload.values().map(BTreeMap::len).sum()
    }

    /// Whether nothing is known of any.
    pub fn is_empty(&self) -> bool {
        self.by_workload.is_empty()
    }
}

/// A Silence that was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Awaited {
    /// It was in force before, for the same run.
    pub is_again: bool,
    /// Its id in Grafana when it was asked for.
    pub id: Option<String>,
}

/// What is remembered of workloads while the process runs. It only makes things faster and words exact: without it the same is
/// read from the objects themselves, a little later.
#[derive(Default)]
pub struct Workloads {
    /// By uid: what rolls out, when its controller had last caught up with it.
    pub settled: Mutex<HashMap<String, Settled>>,
    /// By uid: the last phase of a Job that asks for a silence, and its lease.
    pub jobs: Mutex<HashMap<String, (Phase, Lease)>>,
    /// The Silences as they were written last. The store shows it a little later.
    pub written: Mutex<OfSilences<Written>>,
    /// Silences that a person deleted, until it is noted that they are over.
    pub deleted: Mutex<OfSilences<Silence>>,
    /// Silences that were asked for and of which it isn't told yet that they are in force.
    pub awaited: Mutex<OfSilences<Awaited>>,
    /// By namespace and name of a MaintenancePolicy: the workloads that it looks after.
    pub selected: Mutex<HashMap<(String, String), Selected>>,
    /// Whether a policy names Rollouts of Argo Rollouts, which need not be installed.
    pub rollouts: Wanted,
}

impl Workloads {
    /// What was written for a workload.
    pub fn written_of(&self, uid: &str) -> Vec<Written> {
        let written = self.written.lock();
        written.of(uid).map(|(_, own)| own.clone()).collect()
    }

    /// The Silences of a workload that a person deleted.
    pub fn deleted_of(&self, uid: &str) -> Vec<(Key, Silence)> {
        let deleted = self.deleted.lock();
        let own = deleted.of(uid);
        own.map(|(name, silence)| ((uid.to_owned(), name.clone()), silence.clone()))
            .collect()
    }

    /// Forgets a workload that is gone, but for a Job whose Silence may have to linger.
    pub fn forget(&self, uid: &str) {
        self.settled.lock().remove(uid);
        self.deleted.lock().remove_all(uid);
    }

    /// Forgets a Silence that is gone.
    pub fn forget_silence(&self, key: &Key) {
        self.written.lock().remove(key);
        self.awaited.lock().remove(key);
    }

    /// Forgets what rolls out and vanished while nobody was told.
    pub fn keep_rolling(&self, is_there: impl Fn(&str) -> bool) {
        self.settled.lock().retain(|uid, _| is_there(uid));
    }

    /// Forgets Jobs that vanished while nobody was told. `is_there`: it is there, or a Silence of it is.
    pub fn keep_jobs(&self, is_there: impl Fn(&str) -> bool) {
        self.jobs.lock().retain(|uid, _| is_there(uid));
    }

    /// Forgets Silences that vanished while nobody was told, and returns them. `latest` is the newest version that was listed:
    /// what was written later than that need not have been listed.
    pub fn keep_silences(&self, is_there: impl Fn(&Silence) -> bool, latest: u64) -> Vec<Silence> {
        let mut vanished = Vec::new();
        self.written.lock().retain(|key, own| {
            let version = own.stored.metadata.resource_version.as_deref();
            let is_listed = version
                .and_then(|version| version.parse().ok())
                .is_some_and(|version: u64| version <= latest);
            let is_gone = is_listed && !is_there(&own.stored);
            if is_gone {
                vanished.push(own.stored.clone());
                self.awaited.lock().remove(&key);
            }
            !is_gone
        });
        vanished
    }

    /// How many entries there are in all.
    pub fn len(&self) -> usize {
        let Self {
            settled,
            jobs,
            written,
            deleted,
            awaited,
            selected,
            rollouts: _,
        } = self;
        settled.lock().len()
            + jobs.lock().len()
            + written.lock().len()
            + deleted.lock().len()
            + awaited.lock().len()
            + selected.lock().len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::maintenance::phase::Run;
    use crate::domain::maintenance::window::Window;

    fn silence(name: &str, uid: &str, version: &str) -> Silence {
        let object = serde_json::json!({
            "metadata": {"name": name, "uid": uid, "resourceVersion": version}, "spec": {},
        });
        serde_json::from_value(object).unwrap()
    }

    fn written(stored: Silence) -> Written {
        let window = Window {
            run: Run {
                revision: "a".into(),
                attempt: 1,
            },
            opened: jiff::Timestamp::UNIX_EPOCH,
            ends: jiff::Timestamp::UNIX_EPOCH,
            progress: None,
            outcome: None,
            retires: false,
            in_force: false,
        };
        Written {
            window,
            asked: stored.spec.clone(),
            stored,
        }
    }

    fn full() -> Workloads {
        let workloads = Workloads::default();
        let key = ("w".to_owned(), "s".to_owned());
        let settled = Settled {
            template: "a".into(),
            rollout: 1,
            kept: 0,
            reached: None,
            is_fresh: false,
        };
        workloads.settled.lock().insert("w".into(), settled);
        workloads
            .jobs
            .lock()
            .insert("w".into(), (Phase::Idle, Lease::default()));
        workloads
            .written
            .lock()
            .insert(key.clone(), written(silence("s", "1", "10")));
        workloads
            .deleted
            .lock()
            .insert(key.clone(), silence("s", "1", "10"));
        workloads.awaited.lock().insert(key, Awaited::default());
        workloads
    }

    #[test]
    fn nothing_is_left_of_what_is_gone() {
        let workloads = full();
        workloads.forget("w");
        workloads.forget_silence(&("w".into(), "s".into()));
        workloads.jobs.lock().remove("w");
        assert!(workloads.is_empty());
        let vanished = full();
        vanished.keep_rolling(|_| false);
        vanished.keep_jobs(|_| false);
        assert_eq!(vanished.keep_silences(|_| false, 10).len(), 1);
        vanished.forget("w");
        assert!(vanished.is_empty());
    }

    #[test]
    fn what_was_written_after_a_listing_is_not_missing_from_it() {
        let workloads = full();
        assert_eq!(workloads.keep_silences(|_| false, 9), Vec::<Silence>::new());
        assert_eq!(workloads.written_of("w").len(), 1);
        assert_eq!(workloads.keep_silences(|_| true, 99), Vec::<Silence>::new());
    }
}
