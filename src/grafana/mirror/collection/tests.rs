//! The collection against examples, and against a model of Grafana whose polls take arbitrarily long.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

type Letters = Collection<&'static str, u8>;

fn loaded(found: &[(&'static str, u8)]) -> Letters {
    let mut collection = Letters::default();
    let poll = collection.begin_poll();
    collection.finish_poll(poll, found.iter().copied());
    collection
}

#[test]
fn nothing_is_known_before_the_first_poll_but_what_was_written() {
    let mut collection = Letters::default();
    assert!(!collection.is_loaded());
    assert_eq!(collection.lookup("a"), Lookup::Unknown);
    collection.written("a", Some(1));
    collection.written("b", None);
    assert_eq!(collection.lookup("a"), Lookup::Present(&1));
    assert_eq!(collection.lookup("b"), Lookup::Absent);
    assert_eq!(collection.lookup("c"), Lookup::Unknown);
}

#[test]
fn a_poll_tells_what_appeared_changed_and_disappeared() {
    let mut collection = loaded(&[("a", 1), ("b", 1), ("c", 1)]);
    let poll = collection.begin_poll();
    let mut changed = collection.finish_poll(poll, [("a", 1), ("b", 2), ("d", 1)]);
    changed.sort_unstable();
    assert_eq!(changed, ["b", "c", "d"]);
    assert_eq!(collection.lookup("c"), Lookup::Absent);
    let poll = collection.begin_poll();
    assert!(
        collection
            .finish_poll(poll, [("a", 1), ("b", 2), ("d", 1)])
            .is_empty()
    );
}

#[test]
fn a_poll_that_began_before_a_write_says_nothing_about_it() {
    let mut collection = loaded(&[("a", 1), ("b", 1)]);
    let poll = collection.begin_poll();
    collection.written("a", None);
    collection.written("b", Some(2));
    collection.written("c", Some(3));
    assert!(collection.finish_poll(poll, [("a", 1), ("b", 1)]).is_empty());
    assert_eq!(collection.lookup("a"), Lookup::Absent);
    assert_eq!(collection.lookup("b"), Lookup::Present(&2));
    assert_eq!(collection.lookup("c"), Lookup::Present(&3));
}

#[test]
fn a_lost_answer_makes_a_key_unknown_until_a_later_poll() {
    let mut collection = loaded(&[("a", 1)]);
    let poll = collection.begin_poll();
    collection.unknown("a");
    collection.unknown("b");
    assert!(collection.finish_poll(poll, [("a", 1)]).is_empty());
    assert_eq!(collection.lookup("a"), Lookup::Unknown);
    let poll = collection.begin_poll();
    let mut changed = collection.finish_poll(poll, [("a", 1)]);
    changed.sort_unstable();
    assert_eq!(changed, ["a", "b"]);
    assert_eq!(collection.lookup("a"), Lookup::Present(&1));
    assert_eq!(collection.lookup("b"), Lookup::Absent);
}

#[test]
fn a_poll_overtaken_by_a_newer_one_is_ignored() {
    let mut collection = Letters::default();
    let slow = collection.begin_poll();
    collection.written("a", None);
    let quick = collection.begin_poll();
    collection.finish_poll(quick, []);
    assert!(collection.finish_poll(slow, [("a", 1)]).is_empty());
    assert_eq!(collection.lookup("a"), Lookup::Absent);
}

#[test]
fn a_dropped_poll_changes_nothing() {
    let mut collection = loaded(&[("a", 1)]);
    drop(collection.begin_poll());
    assert_eq!(collection.lookup("a"), Lookup::Present(&1));
}

/// Few keys, so that events meet.
const KEYS: std::ops::Range<u8> = 0..2;

/// What happens between Grafana, others who use it, and us.
#[derive(Debug, Clone)]
enum Step {
    /// We write, and know that we did.
    Write(u8, Option<u8>),
    /// We write, and the answer is lost; the flag says whether Grafana did it.
    Lose(u8, Option<u8>, bool),
    /// Somebody else writes.
    Foreign(u8, Option<u8>),
    /// A poll begins.
    Begin,
    /// Grafana answers the poll of this number.
    Answer(prop::sample::Index),
    /// What it answered arrives.
    Arrive(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let key = KEYS;
    let value = prop::option::of(0..3_u8);
    prop_oneof![
        1 => (key.clone(), value.clone()).prop_map(|(key, value)| Step::Write(key, value)),
        1 => (key.clone(), value.clone(), any::<bool>())
            .prop_map(|(key, value, done)| Step::Lose(key, value, done)),
        1 => (key, value).prop_map(|(key, value)| Step::Foreign(key, value)),
        3 => Just(Step::Begin),
        3 => any::<prop::sample::Index>().prop_map(Step::Answer),
        3 => any::<prop::sample::Index>().prop_map(Step::Arrive),
    ]
}

/// Grafana, and for each key every value it ever had since it was last known for certain.
#[derive(Default)]
struct World {
    held: BTreeMap<u8, u8>,
    possible: BTreeMap<u8, BTreeSet<Option<u8>>>,
}

impl World {
    fn set(&mut self, key: u8, value: Option<u8>) {
        match value {
            Some(value) => self.held.insert(key, value),
            None => self.held.remove(&key),
        };
        self.possible
            .entry(key)
            .or_insert_with(|| [None].into())
            .insert(value);
    }
}

proptest! {
    /// Whatever the order of events, the collection never shows a value older than our last write of a key, a poll that
    /// nothing disturbed makes it equal to Grafana, and exactly the keys that look different afterwards are named. The values of a
    /// group are those that a walk would find.
    #[test]
    fn the_mirror_never_goes_back_behind_a_write(steps in vec(step(), 0..60)) {
        let mut collection = Collection::<u8, u8, u8>::grouped(|value| (value % 3 > 0).then_some(value % 3));
        let mut world = World::default();
        let mut polls: Vec<(Poll, Option<BTreeMap<u8, u8>>)> = Vec::new();
        for step in steps {
            match step {
                Step::Write(key, value) => {
                    world.set(key, value);
                    world.possible.insert(key, [value].into());
                    collection.written(key, value);
                }
                Step::Lose(key, value, done) => {
                    let held = world.held.get(&key).copied();
                    world.possible.insert(key, [held].into());
                    if done {
                        world.set(key, value);
                    }
                    collection.unknown(key);
                }
                Step::Foreign(key, value) => world.set(key, value),
                Step::Begin => polls.push((collection.begin_poll(), None)),
                Step::Answer(index) if !polls.is_empty() => {
                    index.get_mut(&mut polls).1.get_or_insert_with(|| world.held.clone());
                }
                Step::Arrive(index) if !polls.is_empty() => {
                    let (poll, answer) = polls.swap_remove(index.index(polls.len()));
                    if let Some(answer) = answer {
                        let before: Vec<_> = KEYS.map(|key| collection.lookup(&key).cloned()).collect();
                        let was_loaded = collection.is_loaded();
                        let changed = collection.finish_poll(poll, answer);
                        for (key, before) in KEYS.zip(before) {
                            let after = collection.lookup(&key).cloned();
                            let first_absence = !was_loaded && before.is_unknown() && after == Lookup::Absent;
                            if !first_absence {
                                prop_assert_eq!(changed.contains(&key), before != after, "{} {:?}", key, after);
                            }
                        }
                    }
                }
                Step::Answer(_) | Step::Arrive(_) => {}
            }
            for key in KEYS {
                let shown = match collection.lookup(&key) {
                    Lookup::Present(value) => Some(*value),
                    Lookup::Absent => None,
                    Lookup::Unknown => continue,
                };
                let possible = world.possible.entry(key).or_insert_with(|| [None].into());
                prop_assert!(possible.contains(&shown), "{} shows {:?}, possible {:?}", key, shown, possible);
            }
            for group in 1..3 {
                let mut found: Vec<u8> = collection.in_group(&group).copied().collect();
                let mut walked: Vec<u8> = collection.iter().map(|(_, value)| *value).collect();
                walked.retain(|value| value % 3 == group);
                found.sort_unstable();
                walked.sort_unstable();
                prop_assert_eq!(found, walked);
            }
        }
        let poll = collection.begin_poll();
        collection.finish_poll(poll, world.held.clone());
        let shown: BTreeMap<_, _> = collection.iter().map(|(key, value)| (*key, *value)).collect();
        prop_assert_eq!(shown, world.held);
    }
}

#[test]
fn nothing_is_known_while_a_write_is_under_way_and_polls_change_nothing_about_that() {
    let mut collection = loaded(&[("a", 1), ("b", 1)]);
    collection.begins("a");
    collection.begins("new");
    for key in ["a", "new"] {
        assert_eq!(collection.lookup(key), Lookup::Unknown);
        assert!(collection.is_under_way(key));
    }
    assert_eq!(collection.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["b"]);
    // Begins after the write, and may have read what was there before it.
    let poll = collection.begin_poll();
    assert!(collection.finish_poll(poll, [("a", 1), ("b", 1)]).is_empty());
    assert_eq!(collection.lookup("a"), Lookup::Unknown);
    assert_eq!(collection.lookup("new"), Lookup::Unknown);
    let poll = collection.begin_poll();
    collection.written("a", Some(2));
    collection.stands(&"new");
    assert!(collection.finish_poll(poll, [("a", 1), ("b", 1)]).is_empty());
    assert_eq!(collection.lookup("a"), Lookup::Present(&2));
    assert_eq!(collection.lookup("new"), Lookup::Absent, "as before the write");
}
