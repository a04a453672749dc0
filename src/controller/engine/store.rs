//! The objects of one kind, as its watch tells: kube's store, and beside it an index by what passes ask for.
//!
//! A pass asks the index, so what it costs doesn't grow with the number of objects. Only a listing walks through all of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kube::ResourceExt;
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::watcher::Event;
use parking_lot::RwLock;

use super::by::{By, Indexed};
use crate::touched;

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
    /// The object of this namespace and name.
    pub fn get(&self, reference: &ObjectRef<K>) -> Option<Arc<K>> {
        touched::note(1);
        self.objects.get(reference)
    }

    /// The objects that are found by this, in no order.
    pub fn by(&self, key: &By) -> Vec<Arc<K>> {
        let index = self.index.read();
        let found = index.by.get(key).into_iter().flatten();
        found.filter_map(|reference| self.get(reference)).collect()
    }

    /// The names of the objects that are found by this, in no order.
    pub fn names(&self, key: &By) -> Vec<Arc<ObjectRef<K>>> {
        let index = self.index.read();
        let found = index.by.get(key).into_iter().flatten();
        found.cloned().inspect(|_| touched::note(1)).collect()
    }

    /// One of the objects that are found by this. `is_meant` is asked under the store's lock, so it mustn't look into the store.
    pub fn find(&self, key: &By, is_meant: impl Fn(&K) -> bool) -> Option<Arc<K>> {
        let index = self.index.read();
        let mut found = index.by.get(key).into_iter().flatten();
        found.find_map(|reference| self.get(reference).filter(|object| is_meant(object)))
    }

    /// How many objects are found by this.
    pub fn count(&self, key: &By) -> usize {
        touched::note(1);
        self.index.read().by.get(key).map_or(0, HashSet::len)
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
                index.replace(reference, before.as_deref(), after);
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

/// Names of objects by what they are found by. What an object was found by is worked out from the object as it was before, so
/// nothing is kept for each of them.
struct Index<K: Indexed> {
    by: HashMap<By, HashSet<Arc<ObjectRef<K>>>>,
}

impl<K: Indexed> Default for Index<K> {
    fn default() -> Self {
        Self { by: HashMap::new() }
    }
}

impl<K: Indexed> Index<K> {
    fn of(objects: &[Arc<K>]) -> Self {
        let mut index = Self::default();
        for object in objects {
            index.replace(reference(&**object), None, Some(&**object));
        }
        index
    }

    fn replace(&mut self, reference: ObjectRef<K>, before: Option<&K>, after: Option<&K>) {
        let before = before.map(K::found_by).unwrap_or_default();
        let after = after.map(K::found_by).unwrap_or_default();
        // Most changes are of a status, and of nothing that anybody is found by.
        if before == after {
            return;
        }
        let reference = Arc::new(reference);
        for key in before {
            if let Some(found) = self.by.get_mut(&key) {
                found.remove(&reference);
                if found.is_empty() {
                    self.by.remove(&key);
                }
            }
        }
        for key in after {
            self.by.entry(key).or_default().insert(reference.clone());
        }
    }
}

/// Namespace and name alone: a reference made from the object would keep its version too.
fn reference<K: Indexed>(object: &K) -> ObjectRef<K> {
    ObjectRef::new(&object.name_any()).within(&object.namespace().unwrap_or_default())
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
