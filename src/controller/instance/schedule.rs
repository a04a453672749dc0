//! When what of a Grafana is read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::api::condition::Reason;
use crate::api::{GrafanaInstanceSpec, duration};
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::health::Suspected;
use crate::grafana::mirror::Part;

/// How many reads of everything lie between two reads of the settings of a Grafana that hides its version.
const SETTINGS_EVERY: u64 = 10;
/// How many reads lie between two of what is watched: whatever a watch may miss is found after so many resyncs.
const WATCHED_EVERY: u64 = 10;
/// However many signs come, what they ask for is read at most once in this time; of everything, after twice the time whenever that has found
/// nothing that can't be read, up to the resync.
const SUSPICION: Duration = Duration::from_secs(10);
/// The first delay after nothing could be read, and the longest; it doubles.
const DOWN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// The same for a part, while others can be read.
const PARTLY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));
/// The delay where the credentials are refused: a new Secret makes a new connection anyway.
const FORBIDDEN: Duration = Duration::from_secs(30);

/// How often everything is read where the instance doesn't say.
const RESYNC: Duration = Duration::from_secs(60);

/// How often everything in a Grafana is read.
pub(super) fn resync(spec: &GrafanaInstanceSpec) -> Duration {
    interval(spec.resync_interval.as_ref(), RESYNC)
}

/// How often something is done, as the instance says, or else by default.
pub(super) fn interval(text: Option<&duration::Duration>, default: Duration) -> Duration {
    text.and_then(|text| text.checked().ok())
        .filter(|d| !d.is_zero())
        .unwrap_or(default)
}

/// When each part is due.
#[derive(Debug)]
pub(super) struct Schedule {
    resync: Duration,
    /// What there is to read.
    parts: BTreeSet<Part>,
    /// When everything is.
    round: Instant,
    /// How many rounds there were, with those in which something couldn't be read: what never can be makes nothing else be read more often.
    tried: u64,
    /// Whether the round comes sooner because of a suspicion.
    is_suspected: bool,
    last_suspicion: Option<Instant>,
    /// Whether there was a sign since the last round.
    is_asked: bool,
    /// How many rounds in a row came after a sign and could read everything: an object that Grafana can't store has it look in vain.
    in_vain: u32,
    /// When the data sources are, by themselves.
    glance: Option<Instant>,
    last_glance: Option<Instant>,
    /// When each part was due the last time because its watch had ended.
    last_over: BTreeMap<Part, Instant>,
    /// When those that couldn't be read are tried again, and how often they were.
    retries: BTreeMap<Part, (Instant, u32)>,
}

/// What is to be read now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) parts: BTreeSet<Part>,
    /// Whether that is a round.
    pub(super) round: Round,
    /// Whether the settings are to be read even if Grafana says the version that is known.
    pub(super) settings: bool,
    /// Whether they are to be read if Grafana doesn't say its version.
    pub(super) settings_if_hidden: bool,
    /// Whether it is to be read what became of notifications.
    pub(super) deliveries: bool,
}

/// What a round reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    /// It is none: something is tried again.
    Not,
    /// All that isn't watched.
    Unwatched,
    /// All, whatever is watched; and watches that didn't work are tried again.
    Whole,
}

impl Due {
    /// Whether everything was to be read, or is watched.
    pub(super) fn is_round(&self) -> bool {
        self.round != Round::Not
    }
}

impl Schedule {
    /// Everything is due at once, and then each `resync`.
    pub(super) fn new(resync: Duration, now: Instant) -> Self {
        Self {
            resync,
            parts: Part::ALWAYS.into(),
            round: now,
            tried: 0,
            is_suspected: false,
            last_suspicion: None,
            is_asked: false,
            in_vain: 0,
            glance: None,
            last_glance: None,
            last_over: BTreeMap::new(),
            retries: BTreeMap::new(),
        }
    }

    /// Notes what there is to read. What wasn't before is due at once.
    pub(super) fn want(&mut self, parts: BTreeSet<Part>, now: Instant) {
        for part in parts.difference(&self.parts) {
            self.retries.entry(*part).or_insert((now, 0));
        }
        self.parts = parts;
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Instant {
        let retries = self.retries.values().map(|(at, _)| *at);
        retries.chain(self.glance).fold(self.round, Instant::min)
    }

    /// Brings forward what is suspected to be other than it was.
    pub(super) fn suspect(&mut self, suspected: Suspected, now: Instant) {
        let soon = |last: Option<Instant>, wait| last.map_or(now, |last| now.max(last + wait));
        let stretched = SUSPICION.saturating_mul(1 << self.in_vain.min(8));
        let at = soon(self.last_suspicion, stretched);
        self.is_asked |= suspected.everything;
        // Where nothing can be read it is tried all the time.
        if suspected.everything && at < self.round && !self.is_down() {
            self.round = at;
            self.is_suspected = true;
        }
        if suspected.sources {
            let at = soon(self.last_glance, SUSPICION);
            self.glance = Some(self.glance.map_or(at, |glance| glance.min(at)));
        }
    }

    /// Puts off everything that is due before.
    pub(super) fn hold_until(&mut self, moment: Instant) {
        self.round = self.round.max(moment);
        self.glance = self.glance.map(|glance| glance.max(moment));
        for (at, _) in self.retries.values_mut() {
            *at = (*at).max(moment);
        }
    }

    /// Has a part read again whose watch has ended, at once but at most once in each resync by itself: a watch that always ends costs no
    /// more than twice what it spares.
    pub(super) fn over(&mut self, part: Part, now: Instant) {
        let last = self.last_over.get(&part);
        let at = last.map_or(now, |last| now.max(*last + self.resync));
        self.last_over.insert(part, at);
        self.retries.entry(part).or_insert((at, 0));
    }

    /// Data sources and what became of notifications have every second round each: neither is news that somebody waits for, and who misses a data
    /// source has them looked at.
    fn is_of_deliveries(&self) -> bool {
        !self.tried.is_multiple_of(2)
    }

    /// What is due by now, given what is watched.
    pub(super) fn take(&mut self, now: Instant, watched: &BTreeSet<Part>) -> Due {
        let mut parts = BTreeSet::new();
        let mut round = Round::Not;
        if self.round <= now {
            let is_suspected = std::mem::take(&mut self.is_suspected);
            if is_suspected {
                self.last_suspicion = Some(now);
            }
            round = if is_suspected || self.tried.is_multiple_of(WATCHED_EVERY) {
                Round::Whole
            } else {
                Round::Unwatched
            };
            let spares_sources = |part: &Part| *part == Part::DataSources && self.is_of_deliveries();
            let is_spared =
                |part: &Part| round == Round::Unwatched && (watched.contains(part) || spares_sources(part));
            parts.extend(self.parts.iter().filter(|part| !is_spared(part)));
        }
        let retries = self.retries.iter().filter(|(_, (at, _))| *at <= now);
        parts.extend(retries.map(|(part, _)| *part));
        if self.glance.is_some_and(|at| at <= now) {
            parts.insert(Part::DataSources);
            self.glance = None;
            self.last_glance = Some(now);
        }
        // All that couldn't be read, tried again, is as good.
        if round == Round::Not && parts.len() == self.parts.len() {
            round = Round::Unwatched;
        }
        Due {
            parts,
            round,
            deliveries: round != Round::Not && self.has_read() && self.is_of_deliveries(),
            settings: self.retries.contains_key(&Part::Settings),
            settings_if_hidden: self.tried.is_multiple_of(SETTINGS_EVERY),
        }
    }

    /// Notes how reading these ended: those that failed come again soon. `jitter` is between 0 and 1: by so much of a tenth the next round
    /// comes sooner, lest all instances be read at once.
    pub(super) fn read(&mut self, due: &Due, failed: &BTreeMap<Part, Failure>, now: Instant, jitter: f64) {
        let is_down = failed.len() == self.parts.len();
        // Where nothing could be read, that holds for what is watched too.
        let parts: BTreeSet<&Part> = due.parts.iter().chain(failed.keys()).collect();
        for part in parts {
            let Some(failure) = failed.get(part) else {
                self.retries.remove(part);
                continue;
            };
            let tried = self.retries.get(part).map_or(0, |(_, tried)| *tried);
            let delay = delay(failure, tried, is_down);
            self.retries.insert(*part, (now + delay, tried.saturating_add(1)));
        }
        if due.is_round() {
            self.tried += 1;
            let is_in_vain = std::mem::take(&mut self.is_asked) && failed.is_empty();
            self.in_vain = if is_in_vain {
                self.in_vain.saturating_add(1)
            } else {
                0
            };
            self.round = now + self.resync.mul_f64(1.0 - jitter / 10.0);
            self.is_suspected = false;
        }
    }

    /// Whether there was a round before.
    pub(super) fn has_read(&self) -> bool {
        self.tried > 0
    }

    fn is_down(&self) -> bool {
        self.retries.len() == self.parts.len()
    }
}

fn delay(failure: &Failure, tried: u32, is_down: bool) -> Duration {
    let (first, longest) = if is_down { DOWN } else { PARTLY };
    match (failure.reason, failure.retry) {
        (Some(Reason::Unauthorized), _) => FORBIDDEN,
        (_, Retry::After(delay)) => delay,
        _ => first.saturating_mul(1 << tried.min(8)).min(longest),
    }
}

#[cfg(test)]
mod tests;
