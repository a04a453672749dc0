//! Whether a Grafana was put back to what it was before, going by what polls show of our objects.
//!
//! A backup brings back the secrets of its time, and Grafana shows none. So they are sent again where something else shows that it was
//! played back. Contact points that show it themselves are sent whole by their own decision.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// As many objects that are gone at once count as a backup from before they were made. Fewer are somebody's doing.
pub const SEVERAL: usize = 3;

/// How soon secrets may be sent again for a sign like the last one: whoever deletes our objects over and over doesn't make us write at
/// his pace.
pub const PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// What one poll shows of objects that stood as the poll before had shown them, weren't written by us since, and whose resource is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Found {
    /// Rules that are other ones, and that Grafana says were last changed earlier than what they were before.
    pub older: usize,
    /// Rules and contact points that are gone.
    pub gone: usize,
}

impl Found {
    fn and(self, other: Self) -> Self {
        Self {
            older: self.older + other.older,
            gone: self.gone + other.gone,
        }
    }
}

/// Why a Grafana is taken for one that was put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// So many rules are what they were before. One is enough: an edit, by whomever, is never earlier than what it changes.
    Older(usize),
    /// So many objects are gone at once.
    Gone(usize),
}

impl Sign {
    /// The sign in what a poll has found, if it is one.
    ///
    /// Not a sign: an edit, of however many objects; one or two that are gone; a silence that is gone, since an Alertmanager that
    /// restarts loses the newest; the first poll after a start, which has nothing to compare with.
    pub fn of(found: Found) -> Option<Self> {
        match found {
            Found { older, .. } if older > 0 => Some(Self::Older(older)),
            Found { gone, .. } if gone >= SEVERAL => Some(Self::Gone(gone)),
            Found { .. } => None,
        }
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older(1) => f.write_str("a rule is what it was at an earlier time"),
            Self::Older(count) => write!(f, "{count} rules are what they were at an earlier time"),
            Self::Gone(count) => write!(f, "{count} rules and contact points were gone at once"),
        }
    }
}

/// What is known of one Grafana's being put back, and what is still to be done about it.
#[derive(Debug, Default)]
pub struct Restored {
    /// What was told since the last poll.
    told: Found,
    pending: Option<Sign>,
    done: Option<Timestamp>,
}

impl Restored {
    /// Takes over what was told of one object as it happened. It counts with what the next poll finds, so "at once" is the time between two
    /// polls however it is noticed.
    pub fn told(&mut self, found: Found) {
        self.told = self.told.and(found);
    }

    /// Takes over what a poll found.
    pub fn poll(&mut self, found: Found) {
        let found = std::mem::take(&mut self.told).and(found);
        self.pending = Sign::of(found).or(self.pending);
    }

    /// The sign that the secrets are to be sent again for now, if there is one.
    pub fn due(&self, now: Timestamp) -> Option<Sign> {
        // A clock that was put back makes nothing wait.
        let is_over = |done| now < done || now.duration_since(done) >= PAUSE;
        self.pending.filter(|_| self.done.is_none_or(is_over))
    }

    /// Notes that they are on their way.
    pub fn done(&mut self, now: Timestamp) {
        self.pending = None;
        self.done = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(older: usize, gone: usize) -> Found {
        Found { older, gone }
    }

    #[test]
    fn one_rule_that_goes_back_in_time_is_a_sign_and_only_several_that_are_gone_are() {
        for (older, gone, expected) in [
            (0, 0, None),
            (0, SEVERAL - 1, None),
            (0, SEVERAL, Some(Sign::Gone(SEVERAL))),
            (1, 0, Some(Sign::Older(1))),
            (2, 9, Some(Sign::Older(2))),
        ] {
            assert_eq!(Sign::of(found(older, gone)), expected, "{older} {gone}");
        }
    }

    #[test]
    fn a_sign_is_acted_upon_once() {
        let (mut restored, now) = (Restored::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(restored.due(now), None);
        restored.poll(found(1, 0));
        // Until it is done, it stays: what stores it may fail.
        for _ in 0..2 {
            assert_eq!(restored.due(now), Some(Sign::Older(1)));
            restored.poll(found(0, 0));
        }
        restored.done(now);
        restored.poll(found(0, 0));
        assert_eq!(restored.due(now + PAUSE), None);
    }

    #[test]
    fn what_is_told_one_by_one_counts_with_the_next_poll_and_no_other() {
        let (mut restored, now) = (Restored::default(), Timestamp::UNIX_EPOCH);
        restored.told(found(0, 1));
        restored.poll(found(0, 1));
        assert_eq!(restored.due(now), None);
        restored.told(found(0, 1));
        restored.told(found(0, 1));
        assert_eq!(restored.due(now), None, "a poll takes it over");
        restored.poll(found(0, 1));
        assert_eq!(restored.due(now), Some(Sign::Gone(3)));
        restored.done(now);
        restored.told(found(1, 0));
        restored.poll(found(0, 0));
        assert_eq!(restored.due(now + PAUSE), Some(Sign::Older(1)));
    }

    #[test]
    fn a_sign_that_comes_again_soon_waits_and_is_not_forgotten() {
        let (mut restored, now) = (Restored::default(), Timestamp::UNIX_EPOCH);
        restored.poll(found(0, 5));
        restored.done(now);
        restored.poll(found(0, 3));
        restored.poll(found(0, 0));
        assert_eq!(restored.due(now + PAUSE / 2), None);
        assert_eq!(restored.due(now + PAUSE), Some(Sign::Gone(3)));
    }
}
