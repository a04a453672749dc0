//! A collection whose changes are told as they happen.
//!
//! A watch goes on from a poll, so it tells of a key only what is newer than that, in the order in which it happened, but maybe late. What is told of a key
//! that we have written since may be older than our write, or be our write, or newer: it says nothing but that the key is worth a look. The same holds for
//! what the poll itself says of such a key, since no other will follow that knows better. A look is a poll of one key, and has the last word as that has.

use std::collections::HashMap;
use std::hash::Hash;

use super::{Collection, Lookup, Poll, Slot};

/// A watch that goes on from a poll.
#[derive(Debug)]
pub struct Watched<K, V> {
    /// Where the poll did.
    began: u64,
    /// What was told last of keys that we had written, and when.
    doubts: HashMap<K, (Option<V>, u64)>,
}

impl<K, V> Watched<K, V> {
    /// A number that no other watch of the collection has.
    pub fn number(&self) -> u64 {
        self.began
    }

    /// Whether something was told of keys that we had written.
    pub fn has_doubts(&self) -> bool {
        !self.doubts.is_empty()
    }
}

/// What takes over what a watch tells.
pub trait Follow<K, V> {
    /// Takes over that a key has a value now, or none. Whether it looks different for that. After a newer poll, or one that was
    /// ignored, the watch says nothing.
    fn told(&mut self, watched: &mut Watched<K, V>, key: K, value: Option<V>) -> bool;
    /// The keys that are to be looked at: those that were told otherwise than we have left them. One that is being written waits.
    fn doubtful(&self, watched: &mut Watched<K, V>) -> Vec<K>;
    /// Marks the moment before a key is looked at.
    fn begin_look(&mut self) -> Poll;
    /// Takes over what a look has found, unless the key was written since it began, or all of them polled. Whether the key looks different for that.
    fn finish_look(&mut self, watched: &mut Watched<K, V>, look: Poll, key: K, found: Option<V>) -> bool;
}

impl<K: Clone + Hash + Ord, V: PartialEq, G: Eq + Hash> Collection<K, V, G> {
    /// Takes over what a poll read as [`finish_poll`](Self::finish_poll) does, with the watch that goes on from it.
    pub fn finish_list(
        &mut self,
        poll: Poll,
        found: impl IntoIterator<Item = (K, V)>,
    ) -> (Vec<K>, Watched<K, V>) {
        let (began, told) = (poll.began, self.next());
        let mut doubts = HashMap::new();
        let changed = self.take_over(poll, found, |key, value| {
            doubts.insert(key.clone(), (value, told));
        });
        (changed, Watched { began, doubts })
    }

    fn show(&mut self, key: K, known: Lookup<V>, written: u64) -> bool {
        let is_same = match (self.lookup(&key), &known) {
            (Lookup::Present(before), Lookup::Present(now)) => before == now,
            (Lookup::Absent, Lookup::Absent) => true,
            _ => false,
        };
        self.regroup(&key, &known);
        self.slots.insert(key, Slot::new(known, written));
        !is_same
    }
}

impl<K: Clone + Hash + Ord, V: PartialEq, G: Eq + Hash> Follow<K, V> for Collection<K, V, G> {
    fn told(&mut self, watched: &mut Watched<K, V>, key: K, value: Option<V>) -> bool {
        if self.polled != Some(watched.began) {
            return false;
        }
        if self
            .slots
            .get(&key)
            .is_some_and(|slot| slot.outlasts(watched.began))
        {
            let told = self.next();
            watched.doubts.insert(key, (value, told));
            return false;
        }
        let known = value.map_or(Lookup::Absent, Lookup::Present);
        self.show(key, known, 0)
    }

    fn doubtful(&self, watched: &mut Watched<K, V>) -> Vec<K> {
        watched.doubts.retain(|key, (told, _)| match self.lookup(key) {
            Lookup::Present(known) => told.as_ref() != Some(known),
            Lookup::Absent => told.is_some(),
            Lookup::Unknown => true,
        });
        let keys = watched.doubts.keys();
        keys.filter(|key| !self.is_under_way(*key)).cloned().collect()
    }

    fn begin_look(&mut self) -> Poll {
        Poll { began: self.next() }
    }

    fn finish_look(&mut self, watched: &mut Watched<K, V>, look: Poll, key: K, found: Option<V>) -> bool {
        let is_newer = self.slots.get(&key).is_some_and(|slot| slot.outlasts(look.began));
        if is_newer || self.polled != Some(watched.began) {
            return false;
        }
        // What was told meanwhile may be newer.
        if watched
            .doubts
            .get(&key)
            .is_some_and(|(_, told)| *told < look.began)
        {
            watched.doubts.remove(&key);
        }
        let known = found.map_or(Lookup::Absent, Lookup::Present);
        // What the watch tells from here on may be older than this.
        self.show(key, known, look.began)
    }
}

#[cfg(test)]
mod tests;
