//! What of a Grafana can be read, and signs that what was read is no longer so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::failure::{Failure, Retry};
use crate::api::condition::Reason;
use crate::grafana::mirror::Part;

/// How the last read of each part ended.
#[derive(Debug, Default)]
pub struct Reads(BTreeMap<Part, Option<Failure>>);

/// Whether a Grafana can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Not everything was tried yet.
    Starting,
    /// The last read of everything succeeded.
    Up,
    /// Some can't be read. What needs none of it goes on.
    Partly(BTreeMap<Part, Failure>),
    /// Nothing can be read.
    Down(Failure),
}

impl Reads {
    /// Notes how a read ended. Whether that is news to those who wait: the part can be read and could not before, or it can't for another reason.
    pub fn note(&mut self, part: Part, result: Result<(), Failure>) -> bool {
        let why = |failure: &Failure| failure.reason;
        let now = result.as_ref().err().map(why);
        match (self.0.insert(part, result.err()), now) {
            (Some(Some(before)), Some(now)) => why(&before) != now,
            (Some(None), _) => false,
            (_, now) => now.is_none(),
        }
    }

    /// Whether a part was tried at all. Those beyond [`Part::ALWAYS`] count only once they were.
    pub fn is_tried(&self, part: Part) -> bool {
        self.0.contains_key(&part)
    }

    /// Fails unless all of these can be read.
    pub fn check(&self, needs: &[Part]) -> Result<(), Failure> {
        let is_down = matches!(self.health(), Health::Down(_));
        for part in needs {
            match self.0.get(part) {
                None => return Err(Failure::not_yet()),
                Some(None) => {}
                Some(Some(failure)) => {
                    let reason = match failure.reason {
                        Some(reason @ (Reason::Unauthorized | Reason::Throttled)) => reason,
                        _ => Reason::Unavailable,
                    };
                    let message = if is_down {
                        failure.message.clone()
                    } else {
                        unread(*part, failure)
                    };
                    // The poller asks for a pass as soon as it can be read again.
                    return Err(Failure::new(reason, message, Retry::OnChange));
                }
            }
        }
        Ok(())
    }

    /// All in all.
    pub fn health(&self) -> Health {
        let failing = self
            .0
            .iter()
            .filter_map(|(part, failure)| Some((*part, failure.clone()?)));
        let failing: BTreeMap<Part, Failure> = failing.collect();
        let is_whole = Part::ALWAYS.iter().all(|part| self.is_tried(*part));
        if is_whole
            && failing.len() == self.0.len()
            && let Some(failure) = failing.values().next()
        {
            return Health::Down(failure.clone());
        }
        if !is_whole {
            return Health::Starting;
        }
        if failing.is_empty() {
            Health::Up
        } else {
            Health::Partly(failing)
        }
    }
}

/// That a part can't be read, and why.
pub fn unread(part: Part, failure: &Failure) -> String {
    format!("Grafana's {} cannot be read: {}", part.as_str(), failure.message)
}

/// The same of several parts. Those that fail for one reason, such as a Grafana that is away, are told together: then what is said of each
/// differs only in the call, which stands before the first colon.
pub fn all_unread(failing: &BTreeMap<Part, Failure>) -> String {
    let mut told: Vec<(Vec<&str>, &Failure)> = Vec::new();
    for (part, failure) in failing {
        let cause = |failure: &Failure| {
            failure
                .message
                .split_once(": ")
                .map(|(_, cause)| cause.to_owned())
        };
        let same = told.iter_mut().find(|(_, other)| {
            other.message == failure.message || cause(other).is_some() && cause(other) == cause(failure)
        });
        match same {
            Some((parts, _)) => parts.push(part.as_str()),
            None => told.push((vec![part.as_str()], failure)),
        }
    }
    let sentences: Vec<_> = told
        .into_iter()
        .map(|(parts, failure)| {
            let names = match parts.as_slice() {
                [names @ .., last] if !names.is_empty() => format!("{} and {last}", names.join(", ")),
                names => names.join(", "),
            };
            format!("Grafana's {names} cannot be read: {}", failure.message)
        })
        .collect();
    sentences.join("; ")
}

/// Has the poller look sooner than it would. How soon is the poller's to say: signs come in swarms.
#[derive(Debug, Default)]
pub struct Suspicion {
    wake: Notify,
    everything: AtomicBool,
    sources: AtomicBool,
    /// What somebody needs though it isn't read of every Grafana.
    asked_for: Mutex<BTreeSet<Part>>,
}

/// What is suspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspected {
    /// That the Grafana isn't as it was at all: a write of it failed.
    pub everything: bool,
    /// That its data sources are others.
    pub sources: bool,
}

impl Suspicion {
    /// Anything may have changed.
    pub fn of_everything(&self) {
        self.everything.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Data sources may have changed.
    pub fn of_sources(&self) {
        self.sources.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Has parts read with every round from now on, and at once. Those that are read of every Grafana are anyway.
    pub fn ask_for(&self, parts: &[Part]) {
        let parts = parts.iter().filter(|part| !Part::ALWAYS.contains(part));
        let mut known = self.asked_for.lock();
        let before = known.len();
        known.extend(parts);
        if known.len() > before {
            self.wake.notify_one();
        }
    }

    /// What is to be read in a round.
    pub fn parts(&self) -> BTreeSet<Part> {
        let asked_for = self.asked_for.lock();
        Part::ALWAYS.iter().chain(asked_for.iter()).copied().collect()
    }

    /// Waits for the next signs, and takes them.
    pub async fn next(&self) -> Suspected {
        self.wake.notified().await;
        Suspected {
            everything: self.everything.swap(false, Ordering::AcqRel),
            sources: self.sources.swap(false, Ordering::AcqRel),
        }
    }
}

/// The parts whose changes Grafana tells as they happen.
#[derive(Debug, Default)]
pub struct WatchedParts(Mutex<Watches>);

#[derive(Debug, Default)]
struct Watches {
    /// Those whose watch works now, each by the number of the watch.
    working: BTreeMap<Part, u64>,
    /// Those of which people are told that they are watched: also while another watch is to follow one that has ended, which is nobody's concern.
    shown: BTreeSet<Part>,
}

impl WatchedParts {
    /// Notes that a watch works, maybe in the place of another one. Whether that is to be told.
    pub fn begin(&self, part: Part, number: u64) -> bool {
        let mut known = self.0.lock();
        known.working.insert(part, number);
        known.shown.insert(part)
    }

    /// Notes that a watch has ended, if none has taken its place.
    pub fn end(&self, part: Part, number: u64) {
        let mut known = self.0.lock();
        if known.working.get(&part) == Some(&number) {
            known.working.remove(&part);
        }
    }

    /// Notes that no watch follows the one that has ended. Whether that is to be told.
    pub fn give_up(&self, part: Part) -> bool {
        let mut known = self.0.lock();
        !known.working.contains_key(&part) && known.shown.remove(&part)
    }

    /// Whether the watch of a part works.
    pub fn has(&self, part: Part) -> bool {
        self.0.lock().working.contains_key(&part)
    }

    /// All whose watch works.
    pub fn all(&self) -> BTreeSet<Part> {
        self.0.lock().working.keys().copied().collect()
    }

    /// Those of which people are told that they are watched.
    pub fn shown(&self) -> BTreeSet<Part> {
        self.0.lock().shown.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(reason: Reason, message: &str) -> Failure {
        Failure::new(reason, message, Retry::Backoff)
    }

    fn read(all: &mut Reads) {
        for part in Part::ALWAYS {
            all.note(part, Ok(()));
        }
    }

    #[test]
    fn what_cannot_be_read_stops_only_what_needs_it() {
        let mut reads = Reads::default();
        assert_eq!(reads.check(&[Part::Rules]), Err(Failure::not_yet()));
        assert_eq!(reads.health(), Health::Starting);
        read(&mut reads);
        assert_eq!(reads.health(), Health::Up);
        let not_ready = failure(Reason::Unavailable, "alertmanager is not ready");
        assert!(!reads.note(Part::Silences, Err(not_ready.clone())));
        assert_eq!(reads.check(&[Part::Rules, Part::Folders]), Ok(()));
        let stopped = reads.check(&[Part::Silences]).unwrap_err();
        assert_eq!(
            stopped.message,
            "Grafana's silences cannot be read: alertmanager is not ready"
        );
        assert_eq!(
            reads.health(),
            Health::Partly([(Part::Silences, not_ready)].into())
        );
        assert!(reads.note(Part::Silences, Ok(())), "it can be read again");
        assert!(!reads.note(Part::Silences, Ok(())));
    }

    #[test]
    fn what_only_some_ask_for_counts_once_it_was_read() {
        let mut reads = Reads::default();
        read(&mut reads);
        assert_eq!(reads.health(), Health::Up);
        assert_eq!(reads.check(&[Part::TimeIntervals]), Err(Failure::not_yet()));
        let refused = failure(Reason::Unauthorized, "no rights");
        reads.note(Part::TimeIntervals, Err(refused.clone()));
        assert_eq!(
            reads.health(),
            Health::Partly([(Part::TimeIntervals, refused.clone())].into())
        );
        for part in Part::ALWAYS {
            reads.note(part, Err(refused.clone()));
        }
        assert_eq!(reads.health(), Health::Down(refused.clone()));
        reads.note(Part::TimeIntervals, Ok(()));
        assert!(matches!(reads.health(), Health::Partly(_)));
        let suspicion = Suspicion::default();
        suspicion.ask_for(&[Part::Rules]);
        assert_eq!(suspicion.parts().len(), Part::ALWAYS.len());
        suspicion.ask_for(&[Part::Templates]);
        assert_eq!(suspicion.parts().len(), Part::ALWAYS.len() + 1);
    }

    #[test]
    fn what_fails_for_one_reason_is_told_once() {
        let lost = |call| {
            failure(
                Reason::Unavailable,
                &format!("the connection was lost during {call}: reset by peer"),
            )
        };
        let refused = |call| {
            failure(
                Reason::Unauthorized,
                &format!("grafana refused {call}: no rights"),
            )
        };
        let failing = BTreeMap::from([
            (Part::Rules, lost("rules.list")),
            (Part::Folders, lost("folders.list")),
            (Part::Silences, lost("silences.list")),
            (Part::ContactPoints, refused("contact_points.list")),
            (Part::Policy, failure(Reason::Unavailable, "too large")),
        ]);
        let told = all_unread(&failing);
        assert_eq!(told.matches("reset by peer").count(), 1, "{told}");
        for part in [
            Part::Rules,
            Part::Folders,
            Part::Silences,
            Part::ContactPoints,
            Part::Policy,
        ] {
            assert!(told.contains(part.as_str()), "{told}");
        }
        assert!(told.contains("policy tree cannot be read: too large"), "{told}");
        let one = BTreeMap::from([(Part::Rules, lost("rules.list"))]);
        assert_eq!(all_unread(&one), unread(Part::Rules, &lost("rules.list")));
    }

    #[test]
    fn a_grafana_of_which_nothing_can_be_read_is_down() {
        let mut reads = Reads::default();
        for part in Part::ALWAYS {
            reads.note(part, Err(failure(Reason::Unauthorized, "the token is refused")));
        }
        let down = failure(Reason::Unauthorized, "the token is refused");
        assert_eq!(reads.health(), Health::Down(down.clone()));
        let stopped = reads.check(&[Part::Policy]).unwrap_err();
        assert_eq!((stopped.reason, stopped.message), (down.reason, down.message));
    }

    #[test]
    fn an_answer_that_would_make_a_resource_invalid_says_nothing_of_the_resource() {
        let mut reads = Reads::default();
        read(&mut reads);
        reads.note(Part::Rules, Err(failure(Reason::Invalid, "moved to /login")));
        let stopped = reads.check(&[Part::Rules]).unwrap_err();
        assert_eq!(stopped.reason, Some(Reason::Unavailable));
    }
}
