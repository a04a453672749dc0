//! What is told against examples, and against a model of Grafana that tells everything late.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

type Letters = Collection<&'static str, u8>;

/// A collection that was listed, and the watch that goes on from there.
fn listed(found: &[(&'static str, u8)]) -> (Letters, Watched<&'static str, u8>) {
    let mut collection = Letters::default();
    let poll = collection.begin_poll();
    let (_, watched) = collection.finish_list(poll, found.iter().copied());
    (collection, watched)
}

#[test]
fn what_is_told_is_taken_over_at_once_and_changes_what_differs() {
    let (mut collection, mut watched) = listed(&[("a", 1), ("b", 1)]);
    assert!(collection.told(&mut watched, "a", Some(2)));
    assert!(collection.told(&mut watched, "b", None));
    assert!(collection.told(&mut watched, "c", Some(1)));
    assert!(!collection.told(&mut watched, "c", Some(1)), "told again");
    assert!(!collection.told(&mut watched, "d", None), "it never was there");
    assert_eq!(collection.lookup("a"), Lookup::Present(&2));
    assert_eq!(collection.lookup("b"), Lookup::Absent);
    assert_eq!(collection.lookup("c"), Lookup::Present(&1));
    assert!(!watched.has_doubts());
}

#[test]
fn what_is_told_of_a_key_says_nothing_while_it_is_written_or_after_it_was() {
    let (mut collection, mut watched) = listed(&[("a", 1), ("b", 1)]);
    collection.begins("a");
    collection.written("b", Some(5));
    for key in ["a", "b"] {
        assert!(!collection.told(&mut watched, key, Some(3)));
    }
    assert_eq!(collection.lookup("a"), Lookup::Unknown);
    assert_eq!(collection.lookup("b"), Lookup::Present(&5));
    assert_eq!(
        collection.doubtful(&mut watched),
        ["b"],
        "the other one waits for its outcome"
    );
    collection.written("a", Some(4));
    let mut doubtful = collection.doubtful(&mut watched);
    doubtful.sort_unstable();
    assert_eq!(doubtful, ["a", "b"]);
}

#[test]
fn our_own_write_that_is_told_needs_no_look() {
    let (mut collection, mut watched) = listed(&[("a", 1)]);
    collection.begins("a");
    assert!(!collection.told(&mut watched, "a", Some(2)), "before its answer");
    collection.written("a", Some(2));
    collection.written("b", Some(1));
    assert!(!collection.told(&mut watched, "b", Some(1)), "after its answer");
    collection.written("c", None);
    assert!(!collection.told(&mut watched, "c", None));
    assert!(collection.doubtful(&mut watched).is_empty());
    assert!(!watched.has_doubts());
}

#[test]
fn a_look_tells_what_a_doubtful_key_is() {
    let (mut collection, mut watched) = listed(&[("a", 1)]);
    collection.written("a", Some(2));
    collection.told(&mut watched, "a", Some(3));
    let look = collection.begin_look();
    assert!(collection.finish_look(&mut watched, look, "a", Some(3)));
    assert_eq!(collection.lookup("a"), Lookup::Present(&3));
    assert!(collection.doubtful(&mut watched).is_empty());
    // What was looked at is newer than what may still be told.
    assert!(!collection.told(&mut watched, "a", Some(2)));
    assert_eq!(collection.lookup("a"), Lookup::Present(&3));
    let look = collection.begin_look();
    assert!(!collection.finish_look(&mut watched, look, "a", Some(3)));
    assert!(!watched.has_doubts());
}

#[test]
fn a_look_that_began_before_a_write_says_nothing() {
    let (mut collection, mut watched) = listed(&[("a", 1)]);
    collection.written("a", Some(2));
    collection.told(&mut watched, "a", Some(1));
    let look = collection.begin_look();
    collection.written("a", Some(4));
    assert!(!collection.finish_look(&mut watched, look, "a", Some(2)));
    assert_eq!(collection.lookup("a"), Lookup::Present(&4));
    assert_eq!(collection.doubtful(&mut watched), ["a"]);
}

#[test]
fn after_a_newer_poll_a_watch_and_its_looks_say_nothing() {
    let (mut collection, mut watched) = listed(&[("a", 1)]);
    collection.written("a", Some(2));
    collection.told(&mut watched, "a", Some(9));
    let look = collection.begin_look();
    let poll = collection.begin_poll();
    collection.finish_poll(poll, [("a", 3), ("b", 3)]);
    assert!(!collection.finish_look(&mut watched, look, "a", Some(2)));
    assert!(!collection.told(&mut watched, "b", None));
    assert_eq!(collection.lookup("a"), Lookup::Present(&3));
    assert_eq!(collection.lookup("b"), Lookup::Present(&3));
}

#[test]
fn what_a_list_says_of_a_key_that_is_written_meanwhile_is_looked_at_too() {
    let mut collection = Letters::default();
    let poll = collection.begin_poll();
    for key in ["a", "b", "c", "d"] {
        collection.written(key, (key != "d").then_some(1));
    }
    // Somebody may have been there after us, or the list is older.
    let (changed, mut watched) = collection.finish_list(poll, [("a", 1), ("b", 2), ("d", 1)]);
    assert!(changed.is_empty());
    let mut doubtful = collection.doubtful(&mut watched);
    doubtful.sort_unstable();
    assert_eq!(doubtful, ["b", "c", "d"]);
    assert_eq!(collection.lookup("b"), Lookup::Present(&1));
}

/// Few keys, so that events meet.
const KEYS: std::ops::Range<u8> = 0..2;

/// What happens between Grafana, others who use it, and us.
#[derive(Debug, Clone)]
enum Step {
    /// We send a write.
    Send(u8, Option<u8>),
    /// Grafana carries out what was sent.
    Carry(u8),
    /// We learn of what was carried out.
    Learn(u8),
    /// We learn that the answer was lost, whether or not it was carried out.
    Lose(u8),
    /// Somebody else writes.
    Foreign(u8, Option<u8>),
    /// The list is answered, or else the next change is told.
    Tell,
    /// What is doubtful is asked for.
    Look,
    /// What was asked for is answered, and the answer arrives.
    Answer,
    Arrive,
}

fn step() -> impl Strategy<Value = Step> {
    let key = KEYS;
    let value = prop::option::of(0..3_u8);
    prop_oneof![
        2 => (key.clone(), value.clone()).prop_map(|(key, value)| Step::Send(key, value)),
        3 => key.clone().prop_map(Step::Carry),
        3 => key.clone().prop_map(Step::Learn),
        1 => key.clone().prop_map(Step::Lose),
        2 => (key, value).prop_map(|(key, value)| Step::Foreign(key, value)),
        4 => Just(Step::Tell),
        2 => Just(Step::Look),
        2 => Just(Step::Answer),
        2 => Just(Step::Arrive),
    ]
}

/// Grafana, what it has yet to tell, our write under way of each key (and whether it was carried out), and for each key every value it had
/// since it was last known for certain.
#[derive(Default)]
struct World {
    held: BTreeMap<u8, u8>,
    to_tell: VecDeque<(u8, Option<u8>)>,
    sent: BTreeMap<u8, (Option<u8>, bool)>,
    possible: BTreeMap<u8, BTreeSet<Option<u8>>>,
}

impl World {
    fn set(&mut self, key: u8, value: Option<u8>) {
        match value {
            Some(value) => self.held.insert(key, value),
            None => self.held.remove(&key),
        };
        self.to_tell.push_back((key, value));
        self.possible(key).insert(value);
    }

    fn possible(&mut self, key: u8) -> &mut BTreeSet<Option<u8>> {
        self.possible.entry(key).or_insert_with(|| [None].into())
    }
}

proptest! {
    /// However late changes are told, the collection never shows a value from before our last write of a key; and when everything has
    /// been told and looked at, it shows what Grafana holds, but for keys of which an answer was lost and nothing was told.
    #[test]
    fn a_watch_never_goes_back_behind_a_write_and_misses_nothing(steps in vec(step(), 0..80)) {
        let mut collection = Collection::<u8, u8>::default();
        let mut world = World::default();
        let mut list = Some(collection.begin_poll());
        let mut watched = None;
        let mut look: Option<(u8, Poll, Option<Option<u8>>)> = None;
        for step in steps {
            match step {
                Step::Send(key, value) if !world.sent.contains_key(&key) => {
                    world.sent.insert(key, (value, false));
                    collection.begins(key);
                }
                Step::Carry(key) => {
                    if let Some((value, false)) = world.sent.get(&key).copied() {
                        world.sent.insert(key, (value, true));
                        world.possible.insert(key, BTreeSet::new());
                        world.set(key, value);
                    }
                }
                Step::Learn(key) => {
                    if let Some((value, true)) = world.sent.get(&key).copied() {
                        world.sent.remove(&key);
                        collection.written(key, value);
                    }
                }
                Step::Lose(key) if world.sent.contains_key(&key) => {
                    // Grafana may carry it out later only until we look again.
                    world.sent.remove(&key);
                    collection.unknown(key);
                }
                Step::Foreign(key, value) => world.set(key, value),
                Step::Tell => {
                    if let Some(poll) = list.take() {
                        world.to_tell.clear();
                        watched = Some(collection.finish_list(poll, world.held.clone()).1);
                    } else if let (Some((key, value)), Some(watched)) = (world.to_tell.pop_front(), &mut watched) {
                        let before = collection.lookup(&key).cloned();
                        let is_news = collection.told(watched, key, value);
                        prop_assert_eq!(is_news, before != collection.lookup(&key).cloned());
                    }
                }
                Step::Look => {
                    if let (None, Some(watched)) = (&look, &mut watched)
                        && let Some(key) = collection.doubtful(watched).pop()
                    {
                        look = Some((key, collection.begin_look(), None));
                    }
                }
                Step::Answer => {
                    if let Some((key, _, answer @ None)) = &mut look {
                        *answer = Some(world.held.get(key).copied());
                    }
                }
                Step::Arrive => match (look.take(), &mut watched) {
                    (Some((key, begun, Some(answer))), Some(watched)) => {
                        let before = collection.lookup(&key).cloned();
                        let is_news = collection.finish_look(watched, begun, key, answer);
                        prop_assert_eq!(is_news, before != collection.lookup(&key).cloned());
                    }
                    (other, _) => look = other,
                },
                Step::Send(..) | Step::Lose(_) => {}
            }
            for key in KEYS {
                let shown = match collection.lookup(&key) {
                    Lookup::Present(value) => Some(*value),
                    Lookup::Absent => None,
                    Lookup::Unknown => continue,
                };
                let possible = world.possible(key);
                prop_assert!(possible.contains(&shown), "{} shows {:?}, possible {:?}", key, shown, possible);
            }
        }
        for (key, (value, is_carried)) in std::mem::take(&mut world.sent) {
            if is_carried {
                collection.written(key, value);
            } else {
                collection.unknown(key);
            }
        }
        let mut watched = watched.unwrap_or_else(|| {
            world.to_tell.clear();
            let poll = list.take().expect("no list yet");
            collection.finish_list(poll, world.held.clone()).1
        });
        for (key, value) in std::mem::take(&mut world.to_tell) {
            collection.told(&mut watched, key, value);
        }
        for key in collection.doubtful(&mut watched) {
            let begun = collection.begin_look();
            collection.finish_look(&mut watched, begun, key, world.held.get(&key).copied());
        }
        prop_assert!(!watched.has_doubts());
        for key in KEYS {
            let shown = collection.lookup(&key).cloned();
            let held = world.held.get(&key).copied().map_or(Lookup::Absent, Lookup::Present);
            prop_assert!(shown == held || shown.is_unknown(), "{} shows {:?}, Grafana {:?}", key, shown, held);
        }
    }
}
