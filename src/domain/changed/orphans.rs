//! What carries our mark in a Grafana and has no resource.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// An object in Grafana whose mark names a resource that isn't there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Orphan {
    /// The kind of the resource, such as `AlertRule`.
    pub kind: &'static str,
    /// The namespace that the mark names.
    pub namespace: String,
    /// The name that the mark names.
    pub name: String,
    /// The object's identity in Grafana: a rule's uid, a silence's id.
    pub id: String,
}

impl Orphan {
    /// How it is remembered that it was left in Grafana on purpose.
    pub fn key(&self) -> String {
        key(self.kind, &self.id)
    }
}

/// How it is remembered that the object of a kind's resource was left in Grafana on purpose.
pub fn key(kind: &str, id: &str) -> String {
    format!("{kind} {id}")
}

impl fmt::Display for Orphan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
            id,
        } = self;
        write!(f, "{kind} {namespace}/{name} ({id})")
    }
}

/// How many polls in a row must have found an orphan before it counts: its resource may be on its way to us, or what the first poll read may
/// have been older than a deletion.
const COUNTED: u32 = 2;
/// How many before it may be removed, ten minutes by default: a cluster that is built anew gets its resources one after another.
const REMOVABLE: u32 = 10;

/// The orphans of one Grafana, as polls find them.
#[derive(Debug, Default)]
pub struct Orphans {
    /// How many polls in a row have found each, up to now.
    seen: BTreeMap<Orphan, u32>,
}

impl Orphans {
    /// Takes over what a poll found, and returns those that count since.
    pub fn poll(&mut self, found: BTreeSet<Orphan>) -> Vec<Orphan> {
        let before = std::mem::take(&mut self.seen);
        let times = |orphan: &Orphan| before.get(orphan).map_or(1, |times| times.saturating_add(1));
        self.seen = found
            .into_iter()
            .map(|orphan| (orphan.clone(), times(&orphan)))
            .collect();
        self.since(|times| times == COUNTED).cloned().collect()
    }

    /// Those that count, in order.
    pub fn counted(&self) -> BTreeSet<Orphan> {
        self.since(|times| times >= COUNTED).cloned().collect()
    }

    /// Those that may be removed, in order.
    pub fn removable(&self) -> Vec<Orphan> {
        self.since(|times| times >= REMOVABLE).cloned().collect()
    }

    /// Notes that one was removed.
    pub fn removed(&mut self, orphan: &Orphan) {
        self.seen.remove(orphan);
    }

    fn since(&self, is_long: impl Fn(u32) -> bool) -> impl Iterator<Item = &Orphan> {
        let long = self.seen.iter().filter(move |(_, times)| is_long(**times));
        long.map(|(orphan, _)| orphan)
    }
}

/// The owner id and the resource that any mark names (`ownerID/namespace/name`), whosever it is.
pub fn parts(mark: &str) -> Option<(&str, &str, &str)> {
    let (owner, resource) = mark.split_once('/')?;
    let (namespace, name) = resource.split_once('/')?;
    Some((owner, namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orphan(id: &str) -> Orphan {
        Orphan {
            kind: "AlertRule",
            namespace: "ns".into(),
            name: "r".into(),
            id: id.into(),
        }
    }

    fn all(ids: &[&str]) -> BTreeSet<Orphan> {
        ids.iter().map(|id| orphan(id)).collect()
    }

    #[test]
    fn an_orphan_counts_once_two_polls_in_a_row_have_found_it() {
        let mut orphans = Orphans::default();
        assert_eq!(orphans.poll(all(&["a"])), []);
        assert!(orphans.counted().is_empty());
        assert_eq!(orphans.poll(all(&["a", "b"])), [orphan("a")]);
        assert_eq!(orphans.counted(), all(&["a"]));
        assert_eq!(
            orphans.poll(all(&["a", "b"])),
            [orphan("b")],
            "a is no news any more"
        );
        assert_eq!(orphans.counted(), all(&["a", "b"]));
        // One that was away in between begins anew.
        assert_eq!(orphans.poll(all(&["b"])), []);
        assert_eq!(orphans.counted(), all(&["b"]));
        assert_eq!(orphans.poll(all(&["a", "b"])), []);
        assert_eq!(orphans.poll(all(&["a", "b"])), [orphan("a")]);
        orphans.removed(&orphan("a"));
        assert_eq!(orphans.counted(), all(&["b"]));
    }

    #[test]
    fn an_orphan_is_removed_only_after_ten_polls_in_a_row() {
        let mut orphans = Orphans::default();
        for _ in 0..9 {
            orphans.poll(all(&["a", "b"]));
            assert_eq!(orphans.removable(), []);
        }
        orphans.poll(all(&["a"]));
        assert_eq!(orphans.removable(), [orphan("a")]);
        orphans.poll(all(&["a", "b"]));
        assert_eq!(orphans.removable(), [orphan("a")], "b begins anew");
    }

    #[test]
    fn any_mark_has_an_owner_id_and_a_resource() {
        assert_eq!(parts("old/ns/a.b"), Some(("old", "ns", "a.b")));
        for other in ["old/ns", "old", ""] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
