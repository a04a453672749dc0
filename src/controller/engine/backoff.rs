//! Delays between failed passes, for each object its own.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use parking_lot::Mutex;

/// The first delay.
const FIRST: Duration = Duration::from_secs(1);
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(300);

/// Failures of each object; kube has no backoff of this kind.
#[derive(Default)]
pub struct Backoff {
    objects: Mutex<HashMap<String, Failures>>,
}

struct Failures {
    generation: Option<i64>,
    delays: ExponentialBackoff,
    /// When the next try is due.
    due: Instant,
}

impl Failures {
    fn new(generation: Option<i64>, now: Instant) -> Self {
        Self {
            generation,
            delays: delays(),
            due: now,
        }
    }
}

impl Backoff {
    /// The delay after a failure of this generation of an object: 1 s, doubling to 5 min, each with some jitter. A try that came
    /// before it was due (somebody else's news asked for it) counts for nothing: it waits for the rest.
    pub fn next(&self, object: &str, generation: Option<i64>, now: Instant) -> Duration {
        let mut objects = self.objects.lock();
        let failures = objects
            .entry(object.to_owned())
            .or_insert_with(|| Failures::new(generation, now));
        if failures.generation != generation {
            *failures = Failures::new(generation, now);
        }
        if now >= failures.due {
            failures.due = now + failures.delays.next().unwrap_or(LONGEST);
        }
        failures.due.saturating_duration_since(now)
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
        let mut now = Instant::now();
        let first = backoff.next("a", Some(1), now);
        assert!(first >= FIRST && first <= FIRST * 2, "{first:?}");
        let mut later = first;
        for _ in 0..12 {
            now += later;
            later = backoff.next("a", Some(1), now);
        }
        assert!(later >= LONGEST, "{later:?}");
        assert!(backoff.next("a", Some(2), now) <= FIRST * 2);
        assert!(backoff.next("b", Some(1), now) <= FIRST * 2);
        backoff.reset("a");
        assert_eq!(backoff.len(), 1);
    }

    #[test]
    fn a_try_before_its_time_waits_for_the_rest_and_makes_no_delay_longer() {
        let backoff = Backoff::default();
        let now = Instant::now();
        let first = backoff.next("a", Some(1), now);
        let early = now + first / 2;
        let rest = (now + first).duration_since(early);
        assert_eq!(backoff.next("a", Some(1), early), rest);
        assert_eq!(backoff.next("a", Some(1), early), rest);
        assert!(backoff.next("a", Some(1), now + first) >= FIRST * 2);
    }
}
