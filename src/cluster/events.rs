//! Events: what people read about a resource in `kubectl describe`.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, Recorder, Reporter};
use parking_lot::Mutex;

/// For so long the same words about the same object are said once.
const ONCE_IN: Duration = Duration::from_secs(360);

/// Publishes events.
///
/// kube's recorder counts up an event with the same reason and keeps its first note, but a reason says different things over
/// time: each rollout has its own silence. So each note is an event of its own, and one that was told lately isn't told again.
pub struct Events {
    client: Client,
    reporter: Reporter,
    told: Mutex<Told>,
}

/// The object's uid, and a reason.
type Key = (String, String);

/// What was told lately.
#[derive(Default)]
struct Told {
    /// The last note, and when it was told.
    last: HashMap<Key, (String, Instant)>,
    /// The same by time, so that what is old is found without a look at the rest.
    by_time: VecDeque<(Instant, Key)>,
}

impl Told {
    /// Notes that something is told. Whether it is what was told last, and lately.
    fn note(&mut self, key: Key, note: &str, now: Instant) -> bool {
        while let Some((at, _)) = self.by_time.front()
            && now.duration_since(*at) >= ONCE_IN
        {
            let Some((at, old)) = self.by_time.pop_front() else {
                break;
            };
            if self.last.get(&old).is_some_and(|(_, last)| *last == at) {
                self.last.remove(&old);
            }
        }
        self.by_time.push_back((now, key.clone()));
        let last = self.last.insert(key, (note.to_owned(), now));
        last.is_some_and(|(last, _)| last == note)
    }
}

impl Events {
    /// Events by this reporter.
    pub fn new(client: Client, reporter: Reporter) -> Self {
        Self {
            client,
            reporter,
            told: Mutex::default(),
        }
    }

    /// Publishes an event about an object, unless it is the last one of its reason, and recent.
    pub async fn publish(&self, event: &Event, about: &ObjectReference) -> Result<(), kube::Error> {
        let key = (about.uid.clone().unwrap_or_default(), event.reason.clone());
        let note = event.note.clone().unwrap_or_default();
        if self.told.lock().note(key.clone(), &note, Instant::now()) {
            return Ok(());
        }
        let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
        let published = recorder.publish(event, about).await;
        if published.is_err() {
            self.told.lock().last.remove(&key);
        }
        published
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_in_a_while_and_nothing_is_kept_of_what_is_old() {
        let (mut told, now) = (Told::default(), Instant::now());
        let key = |uid: &str| (uid.to_owned(), "Synced".to_owned());
        assert!(!told.note(key("a"), "one", now));
        assert!(told.note(key("a"), "one", now + ONCE_IN / 2));
        assert!(!told.note(key("a"), "two", now + ONCE_IN / 2));
        assert!(!told.note(key("b"), "one", now + ONCE_IN), "of another object");
        assert!(
            told.note(key("a"), "two", now + ONCE_IN),
            "told half that time ago"
        );
        assert!(!told.note(key("c"), "one", now + ONCE_IN * 2));
        assert_eq!((told.last.len(), told.by_time.len()), (1, 1));
    }
}
