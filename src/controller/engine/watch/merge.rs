//! Making one watch of several.

use std::collections::HashMap;

use futures::StreamExt;
use futures::stream::{self, BoxStream, select_all};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};

/// Makes one watch of several, each over another namespace: one beginning and one end of the first listing. What one of them
/// lists again later is told as changes, or the store would forget what the others hold.
pub(super) fn merge<K>(watches: Vec<BoxStream<'static, Event<K>>>) -> BoxStream<'static, Event<K>>
where
    K: Resource + Clone + Send + 'static,
{
    let mut merged = Merged {
        parts: watches.iter().map(|_| Part::default()).collect(),
        has_begun: false,
        is_done: false,
    };
    let numbered = watches
        .into_iter()
        .enumerate()
        .map(|(i, events)| events.map(move |event| (i, event)).boxed());
    select_all(numbered)
        .flat_map(move |(i, event)| stream::iter(merged.step(i, event)))
        .boxed()
}

struct Merged<K> {
    parts: Vec<Part<K>>,
    has_begun: bool,
    is_done: bool,
}

struct Part<K> {
    known: HashMap<String, K>,
    listing: HashMap<String, K>,
    is_done: bool,
}

impl<K> Default for Part<K> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            listing: HashMap::new(),
            is_done: false,
        }
    }
}

impl<K: Resource + Clone> Merged<K> {
    fn step(&mut self, i: usize, event: Event<K>) -> Vec<Event<K>> {
        let Some(part) = self.parts.get_mut(i) else {
            return Vec::new();
        };
        match event {
            Event::Init => {
                part.listing.clear();
                if std::mem::replace(&mut self.has_begun, true) {
                    Vec::new()
                } else {
                    vec![Event::Init]
                }
            }
            Event::InitApply(object) => {
                part.listing.insert(object.name_any(), object.clone());
                if self.is_done {
                    vec![Event::Apply(object)]
                } else {
                    Vec::new()
                }
            }
            Event::Apply(object) => {
                part.known.insert(object.name_any(), object.clone());
                if self.is_done {
                    vec![Event::Apply(object)]
                } else {
                    Vec::new()
                }
            }
            Event::Delete(object) => {
                part.known.remove(&object.name_any());
                if self.is_done {
                    vec![Event::Delete(object)]
                } else {
                    Vec::new()
                }
            }
            Event::InitDone => {
                let listing = std::mem::take(&mut part.listing);
                let gone: Vec<_> = part
                    .known
                    .drain()
                    .filter(|(name, _)| !listing.contains_key(name))
                    .map(|(_, object)| Event::Delete(object))
                    .collect();
                part.known = listing;
                part.is_done = true;
                if self.is_done {
                    return gone;
                }
                if !self.parts.iter().all(|part| part.is_done) {
                    return Vec::new();
                }
                self.is_done = true;
                let all = self.parts.iter().flat_map(|part| part.known.values().cloned());
                all.map(Event::InitApply).chain([Event::InitDone]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AlertRule, AlertRuleSpec};

    fn rule(name: &str) -> AlertRule {
        AlertRule::new(name, AlertRuleSpec::default())
    }

    fn told(events: &[Event<AlertRule>]) -> Vec<String> {
        let mut told: Vec<_> = events
            .iter()
            .map(|event| match event {
                Event::Init => "begin".to_owned(),
                Event::InitApply(o) => format!("list {}", o.name_any()),
                Event::InitDone => "end".to_owned(),
                Event::Apply(o) => format!("apply {}", o.name_any()),
                Event::Delete(o) => format!("delete {}", o.name_any()),
            })
            .collect();
        told.sort();
        told
    }

    fn two() -> Merged<AlertRule> {
        Merged {
            parts: vec![Part::default(), Part::default()],
            has_begun: false,
            is_done: false,
        }
    }

    #[test]
    fn the_listing_ends_when_every_namespace_has_been_listed() {
        let mut merged = two();
        assert_eq!(told(&merged.step(0, Event::Init)), ["begin"]);
        assert!(merged.step(1, Event::Init).is_empty());
        assert!(merged.step(0, Event::InitApply(rule("a"))).is_empty());
        assert!(merged.step(0, Event::InitDone).is_empty());
        assert!(merged.step(0, Event::Apply(rule("b"))).is_empty());
        assert!(merged.step(0, Event::Delete(rule("a"))).is_empty());
        assert!(merged.step(1, Event::InitApply(rule("c"))).is_empty());
        assert_eq!(
            told(&merged.step(1, Event::InitDone)),
            ["end", "list b", "list c"]
        );
    }

    #[test]
    fn a_later_listing_of_one_namespace_leaves_the_other_alone() {
        let mut merged = two();
        for i in 0..2 {
            merged.step(i, Event::Init);
            merged.step(i, Event::InitApply(rule(&format!("old-{i}"))));
            merged.step(i, Event::InitDone);
        }
        assert!(merged.step(0, Event::Init).is_empty());
        assert_eq!(
            told(&merged.step(0, Event::InitApply(rule("new")))),
            ["apply new"]
        );
        assert_eq!(told(&merged.step(0, Event::InitDone)), ["delete old-0"]);
    }
}
