//! Which kinds can't be watched where, because the API server refuses.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::error;

use crate::metrics::Metrics;

/// The kinds and namespaces that can't be watched at present. What isn't in a store because it can't be seen is not gone: whoever
/// takes absence for a reason to remove something asks here first.
pub struct Unwatched {
    places: Mutex<BTreeSet<(String, String)>>,
    metrics: Arc<Metrics>,
}

impl Unwatched {
    /// Everything can be watched, as far as is known.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            places: Mutex::default(),
            metrics,
        }
    }

    /// Notes that a kind can't be watched in a namespace (empty: in any of those that are watched).
    pub fn begins(&self, kind: &str, namespace: &str) {
        let is_new = self.places.lock().insert((kind.to_owned(), namespace.to_owned()));
        if is_new {
            error!(
                kind,
                namespace,
                "cannot be watched: give the operator's ServiceAccount its role there, or take the namespace out of --watch-namespaces"
            );
            self.metrics.set_unwatched(kind, namespace, true);
        }
    }

    /// Notes that a kind can be watched in a namespace again.
    pub fn ends(&self, kind: &str, namespace: &str) {
        let was_there = self
            .places
            .lock()
            .remove(&(kind.to_owned(), namespace.to_owned()));
        if was_there {
            self.metrics.set_unwatched(kind, namespace, false);
        }
    }

    /// Whether a kind can be watched in every namespace that is to be watched.
    pub fn sees_all(&self, kind: &str) -> bool {
        let places = self.places.lock();
        let first = places.range((kind.to_owned(), String::new())..).next();
        first.is_none_or(|(unseen, _)| unseen != kind)
    }

    /// Whether a kind can be watched in a namespace, so that what isn't in its store isn't there.
    pub fn sees(&self, kind: &str, namespace: &str) -> bool {
        let places = self.places.lock();
        places.is_empty()
            || !(places.contains(&(kind.to_owned(), namespace.to_owned()))
                || places.contains(&(kind.to_owned(), String::new())))
    }
}
