//! What a Grafana was found to hold of one kind, and what would have been written since.

use std::collections::BTreeMap;

/// What of one object would be another.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<T> {
    /// What Grafana holds; nothing where it would be new.
    pub before: Option<T>,
    /// What it would hold; nothing where it would be gone.
    pub after: Option<T>,
}

/// Objects of one kind by their keys.
pub(super) struct Known<T> {
    found: BTreeMap<String, T>,
    written: BTreeMap<String, Option<T>>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self {
            found: BTreeMap::new(),
            written: BTreeMap::new(),
        }
    }
}

impl<T: Clone> Known<T> {
    /// Notes what was listed, and gives it as it would be now.
    pub(super) fn list(&mut self, all: Vec<T>, key: impl Fn(&T) -> String) -> Vec<T> {
        self.found = all.into_iter().map(|object| (key(&object), object)).collect();
        let mut now = self.found.clone();
        for (key, written) in &self.written {
            match written {
                Some(object) => now.insert(key.clone(), object.clone()),
                None => now.remove(key),
            };
        }
        now.into_values().collect()
    }

    /// All of them, as they would be.
    pub(super) fn all(&self) -> impl Iterator<Item = &T> {
        let found = self
            .found
            .iter()
            .filter(|(key, _)| !self.written.contains_key(*key));
        found
            .map(|(_, object)| object)
            .chain(self.written.values().flatten())
    }

    /// Notes one that was read by itself.
    pub(super) fn seen(&mut self, key: &str, found: Option<&T>) {
        if let Some(found) = found {
            self.found.insert(key.to_owned(), found.clone());
        }
    }

    /// What would have been written of one; `None` where nothing was.
    pub(super) fn written(&self, key: &str) -> Option<&Option<T>> {
        self.written.get(key)
    }

    /// Whether it is known what one would be now.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.written.contains_key(key) || self.found.contains_key(key)
    }

    /// One as it would be now.
    pub(super) fn now(&self, key: &str) -> Option<&T> {
        match self.written.get(key) {
            Some(written) => written.as_ref(),
            None => self.found.get(key),
        }
    }

    /// Notes a write.
    pub(super) fn write(&mut self, key: &str, now: Option<T>) {
        self.written.insert(key.to_owned(), now);
    }

    /// Notes that what was found under one key is to have another.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        if let Some(found) = self.found.get(from).cloned() {
            self.found.entry(to.to_owned()).or_insert(found);
        }
        self.write(from, None);
    }

    /// What would become of one.
    pub(super) fn change(&self, key: &str) -> Change<T> {
        let before = self.found.get(key).cloned();
        let after = match self.written.get(key) {
            Some(written) => written.clone(),
            None => before.clone(),
        };
        Change { before, after }
    }
}
