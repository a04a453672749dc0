//! What `/readyz` says.

use parking_lot::Mutex;

/// Whether this process does its work, or what it waits for.
pub struct Readiness {
    waits_for: Mutex<Option<String>>,
}

impl Readiness {
    /// Not ready for this reason.
    pub fn waiting(reason: &str) -> Self {
        Self {
            waits_for: Mutex::new(Some(reason.to_owned())),
        }
    }

    /// From now on it waits for this.
    pub fn wait(&self, reason: impl Into<String>) {
        *self.waits_for.lock() = Some(reason.into());
    }

    /// From now on it is ready.
    pub fn set(&self) {
        *self.waits_for.lock() = None;
    }

    /// What it waits for; `None` when it is ready.
    pub fn waits_for(&self) -> Option<String> {
        self.waits_for.lock().clone()
    }
}
