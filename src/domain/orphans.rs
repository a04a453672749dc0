//! What carries our mark in a Grafana and has no resource.

use std::collections::BTreeSet;
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

/// The orphans of one Grafana, as polls find them. One counts only once two polls in a row have found it: its resource may be on its way
/// to us, or what the first poll read may have been older than a deletion.
#[derive(Debug, Default)]
pub struct Orphans {
    seen: BTreeSet<Orphan>,
    counted: BTreeSet<Orphan>,
}

impl Orphans {
    /// Takes over what a poll found, and returns those that count since.
    pub fn poll(&mut self, found: BTreeSet<Orphan>) -> Vec<Orphan> {
        let counted: BTreeSet<Orphan> = found.intersection(&self.seen).cloned().collect();
        let news = counted.difference(&self.counted).cloned().collect();
        self.seen = found;
        self.counted = counted;
        news
    }

    /// Those that count, in order.
    pub fn counted(&self) -> &BTreeSet<Orphan> {
        &self.counted
    }

    /// Notes that one was removed.
    pub fn removed(&mut self, orphan: &Orphan) {
        self.seen.remove(orphan);
        self.counted.remove(orphan);
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
        assert_eq!(*orphans.counted(), all(&["a"]));
        assert_eq!(
            orphans.poll(all(&["a", "b"])),
            [orphan("b")],
            "a is no news any more"
        );
        assert_eq!(*orphans.counted(), all(&["a", "b"]));
        // One that was away in between begins anew.
        assert_eq!(orphans.poll(all(&["b"])), []);
        assert_eq!(*orphans.counted(), all(&["b"]));
        assert_eq!(orphans.poll(all(&["a", "b"])), []);
        assert_eq!(orphans.poll(all(&["a", "b"])), [orphan("a")]);
        orphans.removed(&orphan("a"));
        assert_eq!(*orphans.counted(), all(&["b"]));
    }

    #[test]
    fn any_mark_has_an_owner_id_and_a_resource() {
        assert_eq!(parts("old/ns/a.b"), Some(("old", "ns", "a.b")));
        for other in ["old/ns", "old", ""] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}
