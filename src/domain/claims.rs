//! Who may have a name that only one can have.
//!
//! Names of contact points, titles within a folder, uids and the policy tree are one space per Grafana, but resources of many
//! namespaces can ask for the same one. Who has it keeps it; while nobody does the oldest resource gets it. The others are told who has it.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use jiff::Timestamp;

use crate::held::few::Few;

/// A resource that claims something, ordered by age; namespace and name decide between equals. One that is for several Grafanas is as many
/// claimants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claimant {
    /// When the resource was created.
    pub created: Timestamp,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The GrafanaInstance that it claims it in.
    pub instance: String,
}

impl Claimant {
    /// `namespace/name`, as messages name it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// What can be claimed.
pub trait Claimable: Hash + Eq {
    /// Whether all may have it whose value is that of the first; else the first alone.
    fn is_shared(&self) -> bool {
        false
    }
}

impl Claimable for String {}

/// What a claimant claims, each with whether it is still to get it.
type Claimed<K> = Box<[(Arc<K>, bool)]>;

/// Where a claimant stands: who has something comes before all who are to get it, however old they are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    is_to_come: bool,
    claimant: Arc<Claimant>,
}

/// What resources of one kind claim: keys, each with a value that later claimants may have to agree with.
///
/// Most keys are claimed by one resource, and most resources claim in one Grafana: what is kept for each rule is kept once, and small.
#[derive(Debug)]
pub struct Claims<K, V> {
    by_key: HashMap<Arc<K>, Few<Place, V>>,
    /// By namespace and name: what a resource claims in each of its Grafanas, which is mostly one.
    by_resource: HashMap<(String, String), Few<Arc<Claimant>, Claimed<K>>>,
}

impl<K, V> Default for Claims<K, V> {
    fn default() -> Self {
        Self {
            by_key: HashMap::new(),
            by_resource: HashMap::new(),
        }
    }
}

impl<K: Claimable, V: PartialEq + Clone> Claims<K, V> {
    /// Replaces what a resource claims in one Grafana, and returns the other resources for whom the answer may have changed: all that claim a key
    /// which has another holder now, or one with another value, and the holder of a key which another one gave up. So among many who
    /// share a key, a change of one concerns the others only if it was or is the first; and those who agree with the first, before and after, never.
    /// `has`: whether the resource is known to have one of these already, as its status says.
    pub fn update(
        &mut self,
        claimant: Claimant,
        claims: Vec<(K, V)>,
        has: impl Fn(&K) -> bool,
    ) -> BTreeSet<Claimant> {
        let id = (claimant.namespace.clone(), claimant.name.clone());
        let mut affected = BTreeSet::new();
        let known = self.by_resource.get(&id);
        if known.is_some_and(|known| known.keys().any(|known| known.created != claimant.created)) {
            affected = self.remove(&id.0, &id.1);
        }
        let parts = self.by_resource.get_mut(&id);
        let (claimant, before) = match parts.as_ref().and_then(|parts| parts.get(&claimant)) {
            Some((known, keys)) => (known.clone(), keys.to_vec()),
            None => (Arc::new(claimant), Vec::new()),
        };
        if let Some(parts) = parts {
            parts.remove(&claimant);
        }
        let (kept, given_up): (Vec<_>, Vec<_>) = before
            .into_iter()
            .partition(|(key, _)| claims.iter().any(|(claimed, _)| *claimed == **key));
        for key in given_up {
            affected.extend(self.give_up(&key, &claimant));
        }
        let mut keys = Vec::with_capacity(claims.len());
        for (key, value) in claims {
            let key = match self.by_key.get_key_value(&key) {
                Some((known, _)) => known.clone(),
                None => Arc::new(key),
            };
            let place = |is_to_come| Place {
                is_to_come,
                claimant: claimant.clone(),
            };
            let stood = kept.iter().find(|(known, _)| *known == key);
            let stood = stood.map(|(_, is_to_come)| place(*is_to_come));
            let stands = place(!has(&key));
            keys.push((key.clone(), stands.is_to_come));
            let is_shared = key.is_shared();
            let all = self.by_key.entry(key).or_default();
            let agreed = all.first().map(|(_, value)| value.clone());
            let is = |first: Option<(&Place, &V)>, one: &Place| first.is_some_and(|(place, _)| place == one);
            let was_first = stood.as_ref().is_some_and(|stood| is(all.first(), stood));
            let said = stood.and_then(|stood| all.remove(&stood));
            let is_news = said.as_ref() != Some(&value);
            all.insert(stands.clone(), value);
            let is_first = is(all.first(), &stands);
            // That the first has it now is nothing to those behind it.
            if is_first != was_first || (is_first && is_news) {
                affected.extend(concerned(all, is_shared, agreed.as_ref(), usize::MAX));
            }
        }
        affected.retain(|other| (&other.namespace, &other.name) != (&id.0, &id.1));
        // Most silences claim nothing, and needn't be remembered.
        if !keys.is_empty() {
            let parts = self.by_resource.entry(id).or_default();
            parts.insert(claimant, keys.into());
        } else if self.by_resource.get(&id).is_some_and(Few::is_empty) {
            self.by_resource.remove(&id);
        }
        affected
    }

    /// Drops what a resource claims, and returns the other resources for whom the answer may have changed.
    pub fn remove(&mut self, namespace: &str, name: &str) -> BTreeSet<Claimant> {
        self.keep(namespace, name, |_| false)
    }

    /// Drops what a resource claims in Grafanas that it isn't for any more, and returns the other resources for whom the answer may have
    /// changed.
    pub fn keep(
        &mut self,
        namespace: &str,
        name: &str,
        is_kept: impl Fn(&str) -> bool,
    ) -> BTreeSet<Claimant> {
        let id = (namespace.to_owned(), name.to_owned());
        let Some(parts) = self.by_resource.get_mut(&id) else {
            return BTreeSet::new();
        };
        let gone = parts.keys().filter(|claimant| !is_kept(&claimant.instance));
        let gone: Vec<Arc<Claimant>> = gone.cloned().collect();
        let gone: Vec<_> = gone
            .into_iter()
            .filter_map(|claimant| parts.remove(&claimant).map(|keys| (claimant, keys)))
            .collect();
        if parts.is_empty() {
            self.by_resource.remove(&id);
        }
        let mut affected = BTreeSet::new();
        for (claimant, keys) in gone {
            affected.extend(keys.iter().flat_map(|key| self.give_up(key, &claimant)));
        }
        affected
    }

    fn give_up(&mut self, (key, to_come): &(Arc<K>, bool), claimant: &Arc<Claimant>) -> BTreeSet<Claimant> {
        let place = Place {
            is_to_come: *to_come,
            claimant: claimant.clone(),
        };
        let Some(all) = self.by_key.get_mut(key) else {
            return BTreeSet::new();
        };
        let first = all.first().map(|(first, value)| (first.clone(), value.clone()));
        let was_first = first.as_ref().is_some_and(|(first, _)| *first == place);
        let agreed = first.map(|(_, value)| value);
        all.remove(&place);
        let most = if was_first { all.len() } else { 1 };
        let affected = concerned(all, key.is_shared(), agreed.as_ref(), most).collect();
        if all.is_empty() {
            self.by_key.remove(key);
        }
        affected
    }

    /// Namespace and name of every resource that claims something.
    pub fn resources(&self) -> impl Iterator<Item = &(String, String)> {
        self.by_resource.keys()
    }

    /// The first claimant of a key, with its value: the oldest of those who have it, and while nobody has it of all.
    pub fn holder(&self, key: &K) -> Option<(&Claimant, &V)> {
        self.line(key).next()
    }

    /// All claimants of a key in order, each with its value.
    pub fn line(&self, key: &K) -> impl ExactSizeIterator<Item = (&Claimant, &V)> {
        let all = self.by_key.get(key).map(Few::iter).unwrap_or_default();
        all.map(|(place, value)| (&*place.claimant, value))
    }

    /// What a resource claims by a key, in each of its Grafanas where it does.
    pub fn claims_of(&self, key: &K, resource: &(String, String)) -> Vec<(&Claimant, &V)> {
        let Some(all) = self.by_key.get(key) else {
            return Vec::new();
        };
        let parts = self.by_resource.get(resource).into_iter().flatten();
        let found = parts.filter_map(|(claimant, keys)| {
            let (_, is_to_come) = keys.iter().find(|(claimed, _)| **claimed == *key)?;
            let place = Place {
                is_to_come: *is_to_come,
                claimant: claimant.clone(),
            };
            all.get(&place)
        });
        found.map(|(place, value)| (&*place.claimant, value)).collect()
    }

    /// The first claimant of a key, or the one that is next after another.
    pub fn next(&self, key: &K, after: Option<&Claimant>) -> Option<&Claimant> {
        let mut all = self.line(key).map(|(claimant, _)| claimant);
        if let Some(after) = after {
            all.find(|claimant| *claimant == after)?;
        }
        all.next()
    }

    /// Whether a resource claims a key, be it in vain.
    pub fn is_claimed_by(&self, key: &K, namespace: &str, name: &str) -> bool {
        let parts = self.by_resource.get(&(namespace.to_owned(), name.to_owned()));
        let mut claimed = parts.into_iter().flatten().flat_map(|(_, keys)| keys.iter());
        claimed.any(|(claimed, _)| **claimed == *key)
    }

    /// The claimant that stands before this resource, if there is one.
    pub fn ahead_of(&self, key: &K, namespace: &str, name: &str) -> Option<(&Claimant, &V)> {
        self.holder(key)
            .filter(|(holder, _)| holder.namespace != namespace || holder.name != name)
    }
}

/// Whom it may matter to, of so many at the head of a line, that something has changed there. `agreed`: the value of the first before.
fn concerned<'a, V: PartialEq>(
    all: &'a Few<Place, V>,
    is_shared: bool,
    agreed: Option<&'a V>,
    most: usize,
) -> impl Iterator<Item = Claimant> + 'a {
    let first = all.first().map(|(_, value)| value);
    let is_one = move |value: &V| is_shared && Some(value) == first && Some(value) == agreed;
    let head = all.iter().take(most);
    head.filter(move |(_, value)| !is_one(value))
        .map(|(place, _)| (*place.claimant).clone())
}

#[cfg(test)]
#[path = "claims_tests.rs"]
mod tests;
