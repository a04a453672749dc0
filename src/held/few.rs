//! Entries of which there is mostly one.

use std::borrow::Borrow;
use std::collections::{BTreeMap, btree_map};
use std::fmt;

/// An ordered map of mostly one entry; of nothing more than keys, an ordered set. A tree has room for eleven entries as soon as it has one, and a hash
/// table for three: where each rule has several of its own, that is most of what they take.
#[derive(Clone)]
pub(crate) struct Few<K, V = ()>(Kept<K, V>);

#[derive(Clone)]
enum Kept<K, V> {
    One(K, V),
    /// None, or at least two. In a box, so that the one needn't take as much.
    #[expect(clippy::box_collection, reason = "it makes the place of the one smaller")]
    Other(Option<Box<BTreeMap<K, V>>>),
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Kept::Other(None))
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Few<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K, V> Few<K, V> {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.iter().len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in the order of their keys.
    pub(crate) fn iter(&self) -> Iter<'_, K, V> {
        match &self.0 {
            Kept::One(key, value) => Iter::One(Some((key, value))),
            Kept::Other(all) => all.as_ref().map(|all| Iter::Many(all.iter())).unwrap_or_default(),
        }
    }

    /// Their keys, in order.
    pub(crate) fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The one with the least key.
    pub(crate) fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }
}

impl<K: Ord, V> Few<K, V> {
    /// The one of this key.
    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        match &self.0 {
            Kept::One(one, value) => (one.borrow() == key).then_some((one, value)),
            Kept::Other(all) => all.as_ref()?.get_key_value(key),
        }
    }

    /// Sets what is of this key, and returns what was before. The key stays as it is where there is an equal one.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match &mut self.0 {
            Kept::One(one, before) if *one == key => Some(std::mem::replace(before, value)),
            Kept::Other(Some(all)) => all.insert(key, value),
            kept => {
                *kept = match std::mem::replace(kept, Kept::Other(None)) {
                    Kept::One(one, before) => {
                        Kept::Other(Some(Box::new(BTreeMap::from([(one, before), (key, value)]))))
                    }
                    Kept::Other(_) => Kept::One(key, value),
                };
                None
            }
        }
    }

    /// Takes away what is of this key.
    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        match &mut self.0 {
            Kept::One(one, _) if (*one).borrow() == key => {
                match std::mem::replace(&mut self.0, Kept::Other(None)) {
                    Kept::One(_, value) => Some(value),
                    Kept::Other(_) => None,
                }
            }
            Kept::One(..) => None,
            Kept::Other(all) => {
                let all = all.as_mut()?;
                let gone = all.remove(key);
                if all.len() == 1
                    && let Some((one, value)) = all.pop_first()
                {
                    self.0 = Kept::One(one, value);
                }
                gone
            }
        }
    }
}

impl<'a, K, V> IntoIterator for &'a Few<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// What goes through all of them.
pub(crate) enum Iter<'a, K, V> {
    /// There is one, or that was it.
    One(Option<(&'a K, &'a V)>),
    /// There are several.
    Many(btree_map::Iter<'a, K, V>),
}

impl<K, V> Default for Iter<'_, K, V> {
    fn default() -> Self {
        Self::One(None)
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::One(one) => one.take(),
            Self::Many(all) => all.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::One(one) => (usize::from(one.is_some()), Some(usize::from(one.is_some()))),
            Self::Many(all) => all.size_hint(),
        }
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few keys, so that there are none, one and several of them, again and again.
        #[test]
        fn it_holds_what_an_ordered_map_does(steps in vec((0..5_u8, prop::option::of(any::<u8>())), 0..40)) {
            let (mut few, mut map) = (Few::default(), BTreeMap::new());
            for (key, value) in steps {
                let (found, expected) = if let Some(value) = value {
                    (few.insert(key, value), map.insert(key, value))
                } else {
                    (few.remove(&key), map.remove(&key))
                };
                prop_assert_eq!(found, expected);
                prop_assert_eq!(few.iter().collect::<Vec<_>>(), map.iter().collect::<Vec<_>>());
                prop_assert_eq!(few.keys().collect::<Vec<_>>(), map.keys().collect::<Vec<_>>());
                prop_assert_eq!((few.len(), few.is_empty()), (map.len(), map.is_empty()));
                prop_assert_eq!(few.first(), map.first_key_value());
                for key in 0..5 {
                    prop_assert_eq!(few.get(&key), map.get_key_value(&key));
                }
                prop_assert_eq!(format!("{few:?}"), format!("{map:?}"));
                prop_assert_eq!(matches!(few.0, Kept::One(..)), map.len() == 1, "what it is for");
            }
        }
    }

    #[test]
    fn one_takes_as_much_as_itself() {
        assert_eq!(size_of::<Few<Arc<str>>>(), size_of::<Arc<str>>());
        assert_eq!(size_of::<Few<Arc<u8>, u64>>(), size_of::<(Arc<u8>, u64)>());
    }

    #[test]
    fn the_key_that_is_there_stays() {
        let (there, equal): (Arc<str>, Arc<str>) = ("a".into(), "a".into());
        let mut few = Few::default();
        few.insert(there.clone(), ());
        few.insert(equal.clone(), ());
        assert!(few.keys().all(|key| Arc::ptr_eq(key, &there)));
        few.insert("b".into(), ());
        few.insert(equal, ());
        assert!(few.first().is_some_and(|(key, ())| Arc::ptr_eq(key, &there)));
    }
}
