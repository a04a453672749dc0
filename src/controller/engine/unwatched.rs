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
    /// The namespaces that are to be watched; none means all.
    namespaces: Vec<String>,
    metrics: Arc<Metrics>,
}

impl Unwatched {
    /// Everything in these namespaces (none: in all) can be watched, as far as is known.
    pub fn new(namespaces: &[String], metrics: Arc<Metrics>) -> Self {
        Self {
            places: Mutex::default(),
            namespaces: namespaces.to_vec(),
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

    /// Notes that a kind isn't installed, which is nobody's fault. The namespace is as in [`Self::begins`].
    pub fn is_missing(&self, kind: &str, namespace: &str) {
        self.places.lock().insert((kind.to_owned(), namespace.to_owned()));
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

    /// Whether a kind is watched in a namespace, so that what isn't in its store isn't there.
    pub fn sees(&self, kind: &str, namespace: &str) -> bool {
        if !(self.namespaces.is_empty() || self.namespaces.iter().any(|watched| watched == namespace)) {
            return false;
        }
        let places = self.places.lock();
        places.is_empty()
            || !(places.contains(&(kind.to_owned(), namespace.to_owned()))
                || places.contains(&(kind.to_owned(), String::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_not_to_be_watched_is_not_seen() {
        let metrics = Arc::new(Metrics::new());
        let some = Unwatched::new(&["a".to_owned()], metrics.clone());
        assert!(some.sees("AlertRule", "a") && !some.sees("AlertRule", "b"));
        some.begins("AlertRule", "a");
        assert!(!some.sees("AlertRule", "a") && some.sees("Silence", "a"));
        assert!(Unwatched::new(&[], metrics).sees("AlertRule", "b"));
    }
}
