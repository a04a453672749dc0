//! What Grafana has refused. It isn't sent again as it is before its time, whatever asks for a pass: at rest nothing is written.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use parking_lot::Mutex;
use serde::Serialize;

use super::failure::{Failure, Retry};
use crate::api::condition::Reason;

/// The refusals of one Grafana.
#[derive(Default)]
pub struct Refused {
    hasher: RandomState,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_subject: HashMap<String, Refusal>,
    /// The same by time, so that what is over is found without a look at the rest.
    by_time: BinaryHeap<Reverse<(Instant, String)>>,
}

impl Known {
    fn insert(&mut self, subject: String, refusal: Refusal) {
        self.by_time.push(Reverse((refusal.due, subject.clone())));
        self.by_subject.insert(subject, refusal);
    }

    /// Forgets what may be sent again.
    fn forget(&mut self, now: Instant) {
        while let Some(Reverse((due, _))) = self.by_time.peek()
            && *due <= now
        {
            let Some(Reverse((_, subject))) = self.by_time.pop() else {
                break;
            };
            if self
                .by_subject
                .get(&subject)
                .is_some_and(|refusal| refusal.due <= now)
            {
                self.by_subject.remove(&subject);
            }
        }
    }
}

struct Refusal {
    /// Tells whether the same would be sent; nothing can be read from it.
    sent: u64,
    failure: Failure,
    /// When it may be sent again.
    due: Instant,
}

/// One write that may be sent now.
#[must_use = "how it ended is to be noted"]
pub struct Attempt<'a> {
    refused: &'a Refused,
    subject: String,
    sent: u64,
}

impl Refused {
    /// Fails as the last time, if the same about this subject was refused and its time isn't over.
    pub fn attempt(
        &self,
        subject: impl Into<String>,
        sent: &impl Serialize,
        now: Instant,
    ) -> Result<Attempt<'_>, Failure> {
        let subject = subject.into();
        // What can't be written down can't be sent either.
        let sent = self.hasher.hash_one(serde_json::to_vec(sent).unwrap_or_default());
        if let Some(known) = self.known.lock().by_subject.get(&subject)
            && known.sent == sent
            && known.due > now
        {
            return Err(Failure {
                retry: Retry::After(known.due.duration_since(now)),
                ..known.failure.clone()
            });
        }
        Ok(Attempt {
            refused: self,
            subject,
            sent,
        })
    }

    /// How many writes it has refused lately to whoever we log in as.
    pub fn for_want_of_rights(&self) -> usize {
        let known = self.known.lock();
        let all = known.by_subject.values();
        all.filter(|refusal| refusal.failure.reason == Some(Reason::Unauthorized))
            .count()
    }

    /// Lets this be tried anew: what it was refused for may be over.
    pub fn forget(&self, subject: &str) {
        self.known.lock().by_subject.remove(subject);
    }

    /// Lets all be tried anew whose names begin so.
    pub fn forget_like(&self, beginning: &str) {
        let all = &mut self.known.lock().by_subject;
        all.retain(|subject, _| !subject.starts_with(beginning));
    }

    /// Lets everything be tried anew: the Grafana was away, or is another by now.
    pub fn forget_all(&self) {
        *self.known.lock() = Known::default();
    }
}

impl Attempt<'_> {
    /// Notes how the write ended, and passes that on.
    pub fn ended<T>(self, result: Result<T, Failure>, now: Instant) -> Result<T, Failure> {
        let mut known = self.refused.known.lock();
        known.forget(now);
        known.by_subject.remove(&self.subject);
        if let Err(failure) = &result
            && let Some(delay) = failure.refused_for()
        {
            let refusal = Refusal {
                sent: self.sent,
                failure: failure.clone(),
                due: now + delay,
            };
            known.insert(self.subject, refusal);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::condition::Reason;

    const DELAY: Duration = Duration::from_secs(600);

    fn no() -> Failure {
        Failure::new(Reason::Invalid, "no", Retry::After(DELAY))
    }

    /// Sends `what` about `subject`; the answer if it was sent.
    fn send(refused: &Refused, subject: &str, what: &str, answer: Result<(), Failure>, now: Instant) -> bool {
        match refused.attempt(subject, &what, now) {
            Ok(attempt) => {
                let _ = attempt.ended(answer, now);
                true
            }
            Err(failure) => {
                assert_eq!(failure.message, "no");
                false
            }
        }
    }

    #[test]
    fn what_was_refused_is_not_sent_again_as_it_is_before_its_time() {
        let (refused, now) = (Refused::default(), Instant::now());
        assert!(send(&refused, "a", "x", Err(no()), now));
        assert!(!send(&refused, "a", "x", Ok(()), now + DELAY / 2));
        let rest = refused.attempt("a", &"x", now + DELAY / 2).err().map(|f| f.retry);
        assert_eq!(rest, Some(Retry::After(DELAY / 2)));
        assert!(send(&refused, "b", "x", Ok(()), now), "another object");
        assert!(
            send(&refused, "a", "x", Err(no()), now + DELAY),
            "its time is over"
        );
        assert!(!send(&refused, "a", "x", Ok(()), now + DELAY), "and begins anew");
        assert!(send(&refused, "a", "y", Ok(()), now + DELAY), "an edit");
        assert!(send(&refused, "a", "x", Ok(()), now + DELAY), "and back");
    }

    #[test]
    fn what_failed_for_another_reason_is_sent_again_and_so_is_all_after_an_outage() {
        let (refused, now) = (Refused::default(), Instant::now());
        for retry in [Retry::Backoff, Retry::Soon, Retry::OnChange] {
            let failure = Failure::new(Reason::Unavailable, "away", retry);
            assert!(send(&refused, "a", "x", Err(failure), now));
        }
        let throttled = Failure::new(Reason::Throttled, "slowly", Retry::After(DELAY));
        assert!(send(&refused, "a", "x", Err(throttled), now));
        assert!(send(&refused, "a", "x", Err(no()), now));
        refused.forget("b");
        assert!(!send(&refused, "a", "x", Ok(()), now));
        refused.forget("a");
        assert!(send(&refused, "a", "x", Err(no()), now));
        refused.forget_like("b");
        assert!(!send(&refused, "a", "x", Ok(()), now));
        refused.forget_like("");
        assert!(send(&refused, "a", "x", Err(no()), now));
        refused.forget_all();
        assert!(send(&refused, "a", "x", Ok(()), now));
    }
}
