//! Delays between failed passes, for each object its own.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use parking_lot::Mutex;

/// The first delay.
const FIRST: Duration = Duration::from_secs(1);
/// How often in a row a lost race may be run again before it is told.
const RACES: u32 = 5;
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(300);
/// How long after the time of its next try an object is forgotten that was not tried: it has vanished, and nobody may have told.
const FORGET: Duration = Duration::from_secs(600);

/// Failures of each object; kube has no backoff of this kind.
#[derive(Default)]
pub struct Backoff {
    objects: Mutex<Objects>,
}

#[derive(Default)]
struct Objects {
    failures: HashMap<String, Failures>,
    /// When those that have vanished were forgotten last.
    swept: Option<Instant>,
}

impl Objects {
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|last| now < last + FORGET) {
            return;
        }
        self.swept = Some(now);
        self.failures.retain(|_, failures| now < failures.due + FORGET);
    }
}

struct Failures {
    generation: Option<i64>,
    delays: ExponentialBackoff,
    /// When the next try is due.
    due: Instant,
    /// Races that were lost in a row.
    races: u32,
}

impl Failures {
    fn new(generation: Option<i64>, now: Instant) -> Self {
        Self {
            generation,
            delays: delays(),
            due: now,
            races: 0,
        }
    }
}

impl Backoff {
    /// The delay after a failure of this generation of an object: 1 s, doubling to 5 min, each with some jitter. A try that came
    /// before it was due (somebody else's news asked for it) counts for nothing: it waits for the rest.
    pub fn next(&self, object: &str, generation: Option<i64>, now: Instant) -> Duration {
        self.of(object, generation, now, |failures| {
            if now >= failures.due {
                failures.due = now + failures.delays.next().unwrap_or(LONGEST);
            }
            failures.due.saturating_duration_since(now)
        })
    }

    /// The delay after a lost race of this generation of an object: 1 s each time, as long as there have been few. `None` where it goes on for
    /// so long that it is none. A try before its time counts for nothing here too.
    pub fn soon(&self, object: &str, generation: Option<i64>, now: Instant) -> Option<Duration> {
        self.of(object, generation, now, |failures| {
            if now >= failures.due && failures.races <= RACES {
                failures.races += 1;
                if failures.races <= RACES {
                    failures.due = now + FIRST;
                }
            }
            (failures.races <= RACES).then(|| failures.due.saturating_duration_since(now))
        })
    }

    fn of<T>(
        &self,
        object: &str,
        generation: Option<i64>,
        now: Instant,
        change: impl FnOnce(&mut Failures) -> T,
    ) -> T {
        let mut objects = self.objects.lock();
        objects.sweep(now);
        let failures = objects
            .failures
            .entry(object.to_owned())
            .or_insert_with(|| Failures::new(generation, now));
        if failures.generation != generation {
            *failures = Failures::new(generation, now);
        }
        change(failures)
    }

    /// Forgets the failures of an object.
    pub fn reset(&self, object: &str) {
        self.objects.lock().failures.remove(object);
    }

    /// How many objects are in backoff.
    pub fn len(&self) -> usize {
        self.objects.lock().failures.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.objects.lock().failures.is_empty()
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
    fn a_race_is_run_again_a_few_times_and_then_it_is_none() {
        let backoff = Backoff::default();
        let mut now = Instant::now();
        for _ in 0..RACES {
            assert_eq!(backoff.soon("a", Some(1), now), Some(FIRST));
            let early = now + FIRST / 4;
            assert_eq!(backoff.soon("a", Some(1), early), Some(FIRST * 3 / 4), "early");
            now += FIRST;
        }
        assert_eq!(backoff.soon("a", Some(1), now), None);
        // From here on the delays grow, and it stays so.
        let first = backoff.next("a", Some(1), now);
        assert_eq!(backoff.soon("a", Some(1), now + first), None);
        assert!(backoff.next("a", Some(1), now + first) >= FIRST * 2);
        assert_eq!(backoff.soon("a", Some(2), now), Some(FIRST), "an edit");
        backoff.reset("a");
        assert_eq!(backoff.soon("a", Some(2), now), Some(FIRST), "a success");
    }

    #[test]
    fn an_object_that_is_not_tried_again_is_forgotten() {
        let backoff = Backoff::default();
        let mut now = Instant::now();
        let mut delay = backoff.next("stays", Some(1), now);
        backoff.next("vanishes", Some(1), now);
        let end = now + 3 * FORGET;
        while now < end {
            now += delay;
            delay = backoff.next("stays", Some(1), now);
        }
        assert_eq!(backoff.len(), 1);
        assert!(delay >= LONGEST, "what is tried keeps its delay: {delay:?}");
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
