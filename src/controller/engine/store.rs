//! The objects of one kind, as its watch tells: kube's store, and beside it an index by what passes ask for. A resource that is for several
//! Grafanas is found as what it is in each of them.
//!
//! A pass asks the index, so what it costs doesn't grow with the number of objects. Only a listing walks through all of them.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::watcher::Event;
use parking_lot::RwLock;

use super::by::{By, Indexed};
use super::managed::Managed;
use crate::held::few::Few;
use crate::held::touched;

/// An empty store, with its writing end.
pub fn store<K: Indexed>() -> (Store<K>, Writer<K>) {
    let (objects, writer) = reflector::store();
    let store = Store {
        objects,
        index: Arc::default(),
    };
    (store.clone(), Writer { writer, store })
}

/// The objects of one kind that there are.
pub struct Store<K: Indexed> {
    objects: reflector::Store<K>,
    /// Changes together with the objects: whoever holds its lock sees both as they are at one moment.
    index: Arc<RwLock<Index<K>>>,
}

impl<K: Indexed> Clone for Store<K> {
    fn clone(&self) -> Self {
        Self {
            objects: self.objects.clone(),
            index: self.index.clone(),
        }
    }
}

impl<K: Indexed> Store<K> {
    /// The object of this namespace and name, as it is written.
    pub fn get(&self, reference: &ObjectRef<K>) -> Option<Arc<K>> {
        touched::note(1);
        self.objects.get(reference)
    }

    /// The objects that are found by this, in no order.
    pub fn by(&self, key: &By) -> Vec<Arc<K>> {
        let index = self.index.read();
        let found = index.found(key);
        found.filter_map(|entry| self.resolve(&index, entry)).collect()
    }

    /// The objects that are found by this, each as it is written, in no order.
    pub fn whole(&self, key: &By) -> Vec<Arc<K>> {
        let names = self.names(key);
        names
            .iter()
            .filter_map(|reference| self.objects.get(reference))
            .collect()
    }

    /// The names of the objects that are found by this, in no order.
    pub fn names(&self, key: &By) -> Vec<ObjectRef<K>> {
        let index = self.index.read();
        let found = index.found(key).inspect(|_| touched::note(1));
        let mut seen = HashSet::new();
        found
            .filter(|entry| entry.part.is_none() || seen.insert(&entry.reference))
            .map(|entry| entry.reference.clone())
            .collect()
    }

    /// One of the objects that are found by this. `is_meant` is asked under the store's lock, so it mustn't look into the store.
    pub fn find(&self, key: &By, is_meant: impl Fn(&K) -> bool) -> Option<Arc<K>> {
        let index = self.index.read();
        let mut found = index.found(key);
        found.find_map(|entry| self.resolve(&index, entry).filter(|object| is_meant(object)))
    }

    /// How many objects are found by this.
    pub fn count(&self, key: &By) -> usize {
        touched::note(1);
        self.index.read().by.get(key).map_or(0, Few::len)
    }

    fn resolve(&self, index: &Index<K>, entry: &Entry<K>) -> Option<Arc<K>> {
        let Some(part) = entry.part else {
            return self.get(&entry.reference);
        };
        touched::note(1);
        index.parts.get(&entry.reference)?.get(part).cloned()
    }

    /// All objects. For what a listing means; a pass asks for less.
    pub fn all(&self) -> Vec<Arc<K>> {
        let all = self.objects.state();
        touched::note(all.len());
        all
    }

    /// kube's own store, for its controllers and for whoever waits until it is filled.
    pub fn as_reflected(&self) -> &reflector::Store<K> {
        &self.objects
    }
}

impl<K: Indexed + Managed> Store<K> {
    /// What the resource of this namespace and name is in one Grafana, if it is for that, or leaves it.
    pub fn at(&self, reference: &ObjectRef<K>, instance: &str) -> Option<Arc<K>> {
        let index = self.index.read();
        let here = |object: &Arc<K>| object.instance() == instance;
        match index.parts.get(reference) {
            Some(parts) => {
                touched::note(1);
                parts.iter().find(|part| here(part)).cloned()
            }
            None => self.get(reference).filter(here),
        }
    }

    /// What the resource of this namespace and name is in one Grafana; or as it is written, if it isn't for that.
    pub fn here(&self, reference: &ObjectRef<K>, instance: &str) -> Option<Arc<K>> {
        self.at(reference, instance).or_else(|| self.get(reference))
    }

    /// What the resource of this namespace and name is in each of its Grafanas.
    pub fn parts(&self, reference: &ObjectRef<K>) -> Vec<Arc<K>> {
        let index = self.index.read();
        match index.parts.get(reference) {
            Some(parts) => {
                touched::note(parts.len());
                parts.clone()
            }
            None => self.get(reference).into_iter().collect(),
        }
    }
}

/// The writing end of a store.
pub struct Writer<K: Indexed> {
    writer: reflector::store::Writer<K>,
    store: Store<K>,
}

impl<K: Indexed> Writer<K> {
    /// Takes over what a watch tells. Returns the object as it was known before, if this is about one.
    pub fn apply(&mut self, event: &Event<K>) -> Option<Arc<K>> {
        match event {
            Event::Init | Event::InitApply(_) => {
                self.writer.apply_watcher_event(event);
                None
            }
            Event::Apply(object) | Event::Delete(object) => {
                let reference = reference(object);
                let mut index = self.store.index.write();
                let before = self.store.objects.get(&reference);
                self.writer.apply_watcher_event(event);
                let after = matches!(event, Event::Apply(_)).then_some(object);
                index.replace(&reference, before.as_deref(), after);
                before
            }
            Event::InitDone => {
                let mut index = self.store.index.write();
                self.writer.apply_watcher_event(event);
                *index = Index::of(&self.store.objects.state());
                None
            }
        }
    }

    /// The reading end.
    pub fn as_reader(&self) -> Store<K> {
        self.store.clone()
    }
}

/// An object by its name, and which of its parts, if it is found in parts.
struct Entry<K: Indexed> {
    reference: ObjectRef<K>,
    part: Option<usize>,
}

impl<K: Indexed> Entry<K> {
    fn place(&self) -> (Option<&str>, &str, Option<usize>) {
        let Self { reference, part } = self;
        (reference.namespace.as_deref(), &reference.name, *part)
    }
}

impl<K: Indexed> PartialEq for Entry<K> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl<K: Indexed> Eq for Entry<K> {}

impl<K: Indexed> PartialOrd for Entry<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Indexed> Ord for Entry<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

/// Names of objects by what they are found by. What an object was found by is worked out from the object as it was before, so
/// nothing is kept for each of them but for the few that are found in parts.
struct Index<K: Indexed> {
    by: HashMap<By, Few<Arc<Entry<K>>>>,
    parts: HashMap<ObjectRef<K>, Vec<Arc<K>>>,
}

impl<K: Indexed> Default for Index<K> {
    fn default() -> Self {
        Self {
            by: HashMap::new(),
            parts: HashMap::new(),
        }
    }
}

impl<K: Indexed> Index<K> {
    fn of(objects: &[Arc<K>]) -> Self {
        let mut index = Self::default();
        for object in objects {
            index.replace(&reference(&**object), None, Some(&**object));
        }
        index
    }

    fn found(&self, key: &By) -> impl Iterator<Item = &Entry<K>> {
        let found = self.by.get(key).into_iter().flat_map(Few::keys);
        found.map(|entry| &**entry)
    }

    fn replace(&mut self, reference: &ObjectRef<K>, before: Option<&K>, after: Option<&K>) {
        let parts = after.map(K::parts).unwrap_or_default();
        let parts: Vec<Arc<K>> = parts.into_iter().map(Arc::new).collect();
        let parts_before = self.parts.remove(reference).unwrap_or_default();
        let before = keys(before, &parts_before);
        let after = keys(after, &parts);
        if !parts.is_empty() {
            self.parts.insert(reference.clone(), parts);
        }
        // Most changes are of a status, and of nothing that anybody is found by.
        if before == after {
            return;
        }
        for (part, keys) in before {
            let entry = Entry {
                reference: reference.clone(),
                part,
            };
            for key in keys {
                if let Some(found) = self.by.get_mut(&key) {
                    found.remove(&entry);
                    if found.is_empty() {
                        self.by.remove(&key);
                    }
                }
            }
        }
        for (part, keys) in after {
            let entry = Arc::new(Entry {
                reference: reference.clone(),
                part,
            });
            for key in keys {
                self.by.entry(key).or_default().insert(entry.clone(), ());
            }
        }
    }
}

/// What an object is found by, or each of its parts in its place.
fn keys<K: Indexed>(object: Option<&K>, parts: &[Arc<K>]) -> Vec<(Option<usize>, Vec<By>)> {
    if parts.is_empty() {
        return object
            .map(|object| (None, object.found_by()))
            .into_iter()
            .collect();
    }
    let parts = parts.iter().enumerate();
    parts.map(|(i, part)| (Some(i), part.found_by())).collect()
}

/// Namespace and name alone: a reference made from the object would keep its version too.
fn reference<K: Indexed>(object: &K) -> ObjectRef<K> {
    ObjectRef::new(&object.name_any()).within(&object.namespace().unwrap_or_default())
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
