//! Delays between failed passes, for each object its own.

use std::collections::HashMap;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use parking_lot::Mutex;

/// The first delay.
const FIRST: Duration = Duration::from_secs(1);
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(300);

/// Failures of each object; kube has no backoff of this kind.
#[derive(Default)]
pub struct Backoff {
    objects: Mutex<HashMap<String, (Option<i64>, ExponentialBackoff)>>,
}

impl Backoff {
    /// The delay after a failure of this generation of an object: 1 s, doubling to 5 min, each with some jitter.
    pub fn next(&self, object: &str, generation: Option<i64>) -> Duration {
        let mut objects = self.objects.lock();
        let entry = objects
            .entry(object.to_owned())
            .or_insert_with(|| (generation, delays()));
        if entry.0 != generation {
            *entry = (generation, delays());
        }
        entry.1.next().unwrap_or(LONGEST)
    }

    /// Forgets the failures of an object.
    pub fn reset(&self, object: &str) {
        self.objects.lock().remove(object);
    }

    /// How many objects are in backoff.
    pub fn len(&self) -> usize {
        self.objects.lock().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.objects.lock().is_empty()
    }
}

fn delays() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(FIRST)
        .with_max_delay(LONGEST)
        .with_factor(2.0)
        .without_max_times()
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_longest_and_start_anew_with_a_new_generation() {
        let backoff = Backoff::default();
        let first = backoff.next("a", Some(1));
        assert!(first >= FIRST && first <= FIRST * 2, "{first:?}");
        let later = (0..12).map(|_| backoff.next("a", Some(1))).last().unwrap();
        assert!(later >= LONGEST, "{later:?}");
        assert!(backoff.next("a", Some(2)) <= FIRST * 2);
        assert!(backoff.next("b", Some(1)) <= FIRST * 2);
        backoff.reset("a");
        assert_eq!(backoff.len(), 1);
    }
}
