//! One collection of Grafana's objects, as far as polls and our own writes tell.
//!
//! A poll takes time, and what it read may be older than a write that ended meanwhile. So every write and every beginning of a
//! poll takes the next number of one sequence, and a poll says nothing about a key that was written after it began, or that is
//! being written.

mod watched;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use crate::held::few::Few;
use crate::held::touched;

pub use watched::{Follow, Watched};

/// Values by key, with what is known about each, and maybe by a group, which several of them may share.
#[derive(Debug)]
pub struct Collection<K, V, G = ()> {
    slots: HashMap<K, Slot<V>>,
    /// The group of a value, if it has one.
    group: Option<fn(&V) -> Option<G>>,
    /// The keys of values that were last known to be there.
    groups: HashMap<G, Few<K>>,
    sequence: u64,
    /// Where the newest finished poll began.
    polled: Option<u64>,
}

#[derive(Debug)]
struct Slot<V> {
    /// In a box: a table has room for many that aren't there.
    known: Lookup<Box<V>>,
    /// When we wrote it last; 0 if a poll told.
    written: u64,
    /// Whether a write is under way, so that what is known says what was there before it.
    is_under_way: bool,
}

/// A poll under way. Dropped, it has no effect.
#[derive(Debug)]
#[must_use]
pub struct Poll {
    began: u64,
}

/// What is known about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<V> {
    /// It is there.
    Present(V),
    /// It is not there.
    Absent,
    /// Nothing was read yet, a write is under way, or the answer of one was lost: read it before relying on it.
    Unknown,
}

impl<V> Lookup<V> {
    /// The value, if it is known to be there.
    pub fn present(self) -> Option<V> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// Whether nothing can be relied on.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// The same about a reference.
    pub fn as_ref(&self) -> Lookup<&V> {
        match self {
            Self::Present(value) => Lookup::Present(value),
            Self::Absent => Lookup::Absent,
            Self::Unknown => Lookup::Unknown,
        }
    }
}

impl<V> Lookup<Box<V>> {
    fn as_deref(&self) -> Lookup<&V> {
        match self {
            Self::Present(value) => Lookup::Present(value),
            Self::Absent => Lookup::Absent,
            Self::Unknown => Lookup::Unknown,
        }
    }
}

impl<V: Clone> Lookup<&V> {
    /// The same about an owned value.
    pub fn cloned(self) -> Lookup<V> {
        match self {
            Self::Present(value) => Lookup::Present(value.clone()),
            Lookup::Absent => Lookup::Absent,
            Lookup::Unknown => Lookup::Unknown,
        }
    }
}

impl<K, V, G> Default for Collection<K, V, G> {
    fn default() -> Self {
        Self {
            slots: HashMap::new(),
            group: None,
            groups: HashMap::new(),
            sequence: 0,
            polled: None,
        }
    }
}

impl<K: Clone + Hash + Ord, V: PartialEq, G: Eq + Hash> Collection<K, V, G> {
    /// A collection whose values are found by their group too, if they have one.
    pub fn grouped(group: fn(&V) -> Option<G>) -> Self {
        Self {
            group: Some(group),
            ..Self::default()
        }
    }

    /// Marks the moment before a poll asks Grafana.
    pub fn begin_poll(&mut self) -> Poll {
        Poll { began: self.next() }
    }

    /// Takes over what a poll read, and returns the keys that appeared, changed or disappeared. Keys written since the poll
    /// began stay as the write left them. A poll that began before the newest finished one is ignored.
    pub fn finish_poll(&mut self, poll: Poll, found: impl IntoIterator<Item = (K, V)>) -> Vec<K> {
        self.take_over(poll, found, |_, _| ())
    }

    /// The same, and tells `apart` of each key that stays as a write left it what the poll says of it.
    #[expect(clippy::needless_pass_by_value, reason = "a poll ends once")]
    fn take_over(
        &mut self,
        poll: Poll,
        found: impl IntoIterator<Item = (K, V)>,
        mut apart: impl FnMut(&K, Option<V>),
    ) -> Vec<K> {
        let Poll { began } = poll;
        if self.polled.is_some_and(|polled| polled > began) {
            return Vec::new();
        }
        self.polled = Some(began);
        let mut changed = Vec::new();
        let mut before = std::mem::take(&mut self.slots);
        for (key, value) in found {
            // The key that is there stays: others may share it.
            let (key, slot) = match before.remove_entry(&key) {
                Some((known, slot)) => (known, Some(slot)),
                None => (key, None),
            };
            let slot = match slot {
                Some(slot) if slot.outlasts(began) => {
                    apart(&key, Some(value));
                    slot
                }
                Some(Slot {
                    known: Lookup::Present(known),
                    ..
                }) if *known == value => Slot::polled(value),
                _ => {
                    changed.push(key.clone());
                    Slot::polled(value)
                }
            };
            self.slots.insert(key, slot);
        }
        for (key, slot) in before {
            if slot.outlasts(began) {
                apart(&key, None);
                self.slots.insert(key, slot);
            } else if !matches!(slot.known, Lookup::Absent) {
                changed.push(key);
            }
        }
        if !changed.is_empty() {
            self.group_anew();
        }
        changed
    }

    /// Notes that a write is about to be sent: until its outcome is noted nothing is known, whatever polls say.
    pub fn begins(&mut self, key: K) {
        let unseen = if self.is_loaded() {
            Lookup::Absent
        } else {
            Lookup::Unknown
        };
        let written = self.next();
        let slot = self
            .slots
            .entry(key)
            .or_insert_with(|| Slot::new(unseen, written));
        slot.written = written;
        slot.is_under_way = true;
    }

    /// Notes that the write that is under way has changed nothing: what was known before it stands.
    pub fn stands<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let written = self.next();
        if let Some(slot) = self.slots.get_mut(key) {
            slot.written = written;
            slot.is_under_way = false;
        }
    }

    /// Whether a write is under way.
    pub fn is_under_way<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.slots.get(key).is_some_and(|slot| slot.is_under_way)
    }

    /// Notes what a write left behind: a value, or nothing.
    pub fn written(&mut self, key: K, value: Option<V>) {
        let known = value.map_or(Lookup::Absent, Lookup::Present);
        self.note(key, known);
    }

    /// Notes that the answer of a write was lost.
    pub fn unknown(&mut self, key: K) {
        self.note(key, Lookup::Unknown);
    }

    /// What is known about a key.
    pub fn lookup<Q>(&self, key: &Q) -> Lookup<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        match self.slots.get(key) {
            Some(slot) if slot.is_under_way => Lookup::Unknown,
            Some(slot) => slot.known.as_deref(),
            None if self.is_loaded() => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// The keys of which nothing is known though something was, in no order.
    pub fn unknown_keys(&self) -> impl Iterator<Item = &K> {
        let unknown = |slot: &Slot<V>| slot.is_under_way || slot.known.is_unknown();
        let slots = self.slots.iter().filter(move |(_, slot)| unknown(slot));
        slots.map(|(key, _)| key)
    }

    /// What was known about a key before the write that is under way; what is known, if none is.
    pub fn before<Q>(&self, key: &Q) -> Lookup<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        match self.slots.get(key) {
            Some(slot) => slot.known.as_deref(),
            None => self.lookup(key),
        }
    }

    /// What the last poll showed, if nothing was written since.
    pub fn polled<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let slot = self.slots.get(key).filter(|slot| slot.is_polled())?;
        slot.known.as_deref().present()
    }

    /// The keys of all that the last poll showed, but for what was written since.
    pub fn polled_keys(&self) -> impl Iterator<Item = &K> {
        let polled = self.slots.iter().filter(|(_, slot)| slot.is_polled());
        polled.map(|(key, _)| key)
    }

    /// A key as it is kept here, if it is.
    pub fn kept<Q>(&self, key: &Q) -> Option<&K>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.slots.get_key_value(key).map(|(key, _)| key)
    }

    /// Whether a poll has finished, so that absence is known.
    pub fn is_loaded(&self) -> bool {
        self.polled.is_some()
    }

    /// Those of a group that are known to be there, in no order.
    pub fn in_group<'a>(&'a self, group: &G) -> impl Iterator<Item = &'a V> + use<'a, K, V, G> {
        let keys = self.groups.get(group).into_iter().flat_map(Few::keys);
        keys.inspect(|_| touched::note(1))
            .filter_map(|key| self.lookup(key).present())
    }

    /// Everything that is known to be there, in no order. For whoever compares all with all; a pass asks for less.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.slots
            .iter()
            .inspect(|_| touched::note(1))
            .filter(|(_, slot)| !slot.is_under_way)
            .filter_map(|(key, slot)| Some((key, slot.known.as_deref().present()?)))
    }

    fn note(&mut self, key: K, known: Lookup<V>) {
        let written = self.next();
        self.regroup(&key, &known);
        self.slots.insert(key, Slot::new(known, written));
    }

    /// Takes a key out of the group that its value had, and into that of another one.
    fn regroup(&mut self, key: &K, known: &Lookup<V>) {
        let Some(group) = self.group else { return };
        if let Some(Slot {
            known: Lookup::Present(before),
            ..
        }) = self.slots.get(key)
        {
            let left = group(before);
            if let Some(keys) = left.as_ref().and_then(|left| self.groups.get_mut(left)) {
                keys.remove(key);
            }
            if let Some(left) = left.filter(|left| self.groups.get(left).is_some_and(Few::is_empty)) {
                self.groups.remove(&left);
            }
        }
        if let Lookup::Present(value) = known
            && let Some(group) = group(value)
        {
            self.groups.entry(group).or_default().insert(key.clone(), ());
        }
    }

    fn group_anew(&mut self) {
        let Some(group) = self.group else { return };
        self.groups.clear();
        for (key, slot) in &self.slots {
            if let Lookup::Present(value) = &slot.known
                && let Some(group) = group(value)
            {
                self.groups.entry(group).or_default().insert(key.clone(), ());
            }
        }
    }

    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }
}

impl<V> Slot<V> {
    fn new(known: Lookup<V>, written: u64) -> Self {
        let known = match known {
            Lookup::Present(value) => Lookup::Present(Box::new(value)),
            Lookup::Absent => Lookup::Absent,
            Lookup::Unknown => Lookup::Unknown,
        };
        Self {
            known,
            written,
            is_under_way: false,
        }
    }

    fn polled(value: V) -> Self {
        Self::new(Lookup::Present(value), 0)
    }

    /// Whether a poll has told of it, and it wasn't written since.
    fn is_polled(&self) -> bool {
        self.written == 0 && !self.is_under_way && matches!(self.known, Lookup::Present(_))
    }

    /// Whether it is newer than a poll that began then.
    fn outlasts(&self, began: u64) -> bool {
        self.is_under_way || self.written > began
    }
}

#[cfg(test)]
mod tests;
