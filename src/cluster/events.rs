//! Events: what people read about a resource in `kubectl describe`.

use std::collections::HashMap;
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
    told: Mutex<HashMap<(String, String), (String, Instant)>>,
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
        let is_known = {
            let mut told = self.told.lock();
            told.retain(|_, (_, at)| at.elapsed() < ONCE_IN);
            let last = told.insert(key.clone(), (note.clone(), Instant::now()));
            last.is_some_and(|(last, _)| last == note)
        };
        if is_known {
            return Ok(());
        }
        let recorder = Recorder::new(self.client.clone(), self.reporter.clone());
        let published = recorder.publish(event, about).await;
        if published.is_err() {
            self.told.lock().remove(&key);
        }
        published
    }
}
