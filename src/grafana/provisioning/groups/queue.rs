//! Who waits to write or delete a rule of a group, and how they are told what became of it.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{Abilities, Key, Wish};
use crate::grafana::error::Error;
use crate::grafana::turns::{Rights, Turn};

/// Who waits, and what this Grafana can do for them.
#[derive(Default)]
pub(in crate::grafana::provisioning) struct Together {
    pub(in crate::grafana::provisioning) abilities: Mutex<Abilities>,
    pub(in crate::grafana::provisioning) writes: Queue<Coming>,
    /// Uids of rules.
    pub(in crate::grafana::provisioning) deletes: Queue<String>,
    /// Groups of which it isn't known how a write or deletion has ended: the next one goes rule by rule.
    broken: Mutex<HashSet<Key>>,
    /// Who looks whether a folder is there: what one of those that wait for the same folder sees, all know.
    pub(in crate::grafana::provisioning) looks: Rights<String>,
    /// When each folder was seen to be there.
    folders: Mutex<HashMap<String, Instant>>,
}

/// So long a folder that was seen to be there counts as there: groups that come together ask for it once, also where it takes a
/// while to write them all. A read of all rules ends it too, for that may find those of a folder gone.
const SEEN_FOR: Duration = Duration::from_secs(30);

impl Together {
    /// Notes which version of Grafana this is.
    pub(in crate::grafana::provisioning) fn learn(&self, version: Option<&str>) {
        *self.abilities.lock() = Abilities::of(version);
    }

    /// Notes that it isn't known how a write or deletion of a group has ended.
    pub(in crate::grafana::provisioning) fn breaks(&self, key: &Key) {
        self.broken.lock().insert(key.clone());
    }

    /// Whether that is noted; asked once, it is no longer.
    pub(in crate::grafana::provisioning) fn was_broken(&self, key: &Key) -> bool {
        self.broken.lock().remove(key)
    }

    /// Whether a folder was seen to be there a short while ago.
    pub(in crate::grafana::provisioning) fn has_seen(&self, folder_uid: &str, now: Instant) -> bool {
        let folders = self.folders.lock();
        let seen = folders.get(folder_uid);
        seen.is_some_and(|at| now.saturating_duration_since(*at) < SEEN_FOR)
    }

    /// Notes that all has been read: what goes with a folder isn't to be made again in one that was there before.
    pub(in crate::grafana::provisioning) fn has_read(&self) {
        self.folders.lock().clear();
    }

    /// Notes that a folder is there, and forgets those of which that is long ago.
    pub(in crate::grafana::provisioning) fn saw(&self, folder_uid: &str, now: Instant) {
        let mut folders = self.folders.lock();
        folders.retain(|_, at| now.saturating_duration_since(*at) < SEEN_FOR);
        folders.insert(folder_uid.to_owned(), now);
    }
}

/// A rule that is to be written into a group.
#[derive(Debug, Clone)]
pub(in crate::grafana::provisioning) struct Coming {
    /// As it is to be.
    pub(in crate::grafana::provisioning) wish: Wish,
    /// The group that it is in before, if that is another one.
    pub(in crate::grafana::provisioning) from: Option<Key>,
}

/// What became of one that waited.
pub(in crate::grafana::provisioning) enum Ended {
    /// It was done with others, under this right to write there.
    Together(Turn),
    /// It has to be done alone; perhaps the right to write there is at hand.
    Alone(Option<Turn>),
    /// It was tried with others, and this is how it ended for all of them.
    Failed(Error),
}

impl Ended {
    fn clone_of(&self) -> Self {
        match self {
            Self::Together(turn) => Self::Together(turn.clone()),
            Self::Alone(_) => Self::Alone(None),
            Self::Failed(error) => Self::Failed(error.clone()),
        }
    }
}

/// One that waits, and is told how it ended.
pub(in crate::grafana::provisioning) struct Waiting<T> {
    pub(in crate::grafana::provisioning) what: T,
    told: oneshot::Sender<Ended>,
}

impl<T> Waiting<T> {
    fn tell(self, how: &Ended) {
        // Who was cut off needs not know.
        let _ = self.told.send(how.clone_of());
    }
}

pub(in crate::grafana::provisioning) fn tell_all<T>(all: impl IntoIterator<Item = Waiting<T>>, how: &Ended) {
    all.into_iter().for_each(|one| one.tell(how));
}

/// A place in a queue.
pub(in crate::grafana::provisioning) struct Place<T> {
    pub(in crate::grafana::provisioning) what: T,
    pub(in crate::grafana::provisioning) verdict: oneshot::Receiver<Ended>,
}

/// What it comes to for one that waits.
pub(in crate::grafana::provisioning) enum Come<T> {
    Ends(Ended),
    /// It does it for all of these.
    Leads(Vec<Waiting<T>>, Turn),
}

/// Those that wait, by group.
pub(in crate::grafana::provisioning) struct Queue<T>(Mutex<HashMap<Key, Vec<Waiting<T>>>>);

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Queue<T> {
    pub(in crate::grafana::provisioning) fn join(&self, key: &Key, what: T) -> Place<T> {
        let (told, verdict) = oneshot::channel();
        let waiting = Waiting {
            what: what.clone(),
            told,
        };
        self.0.lock().entry(key.clone()).or_default().push(waiting);
        Place { what, verdict }
    }

    /// Takes all that wait, but for those that were cut off.
    pub(in crate::grafana::provisioning) fn take(&self, key: &Key) -> Vec<Waiting<T>> {
        let mut all = self.0.lock().remove(key).unwrap_or_default();
        all.retain(|one| !one.told.is_closed());
        all
    }

    /// Has these wait on, before those that have come meanwhile.
    pub(in crate::grafana::provisioning) fn put_back(&self, key: &Key, mut waiting: Vec<Waiting<T>>) {
        if !waiting.is_empty() {
            let mut queues = self.0.lock();
            let queue = queues.entry(key.clone()).or_default();
            waiting.append(queue);
            *queue = waiting;
        }
    }
}
