//! Who may have a name that only one can have.
//!
//! Names of contact points, titles within a folder, uids and the policy tree are one space per Grafana, but resources of many
//! namespaces can ask for the same one. The oldest resource gets it; the others are told who has it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use jiff::Timestamp;

/// A resource that claims something, ordered by age; namespace and name decide between equals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claimant {
    /// When the resource was created.
    pub created: Timestamp,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Claimant {
    /// `namespace/name`, as messages name it.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// What resources of one kind claim: keys, each with a value that later claimants may have to agree with.
#[derive(Debug)]
pub struct Claims<K, V> {
    by_key: HashMap<K, BTreeMap<Claimant, V>>,
    by_resource: HashMap<(String, String), (Claimant, Vec<K>)>,
}

impl<K, V> Default for Claims<K, V> {
    fn default() -> Self {
        Self {
            by_key: HashMap::new(),
            by_resource: HashMap::new(),
        }
    }
}

impl<K: Hash + Eq + Clone, V: PartialEq> Claims<K, V> {
    /// Replaces what a resource claims, and returns the other resources for whom the answer may have changed.
    pub fn update(&mut self, claimant: Claimant, claims: Vec<(K, V)>) -> BTreeSet<Claimant> {
        let id = (claimant.namespace.clone(), claimant.name.clone());
        let unchanged = self.by_resource.get(&id).is_some_and(|(known, keys)| {
            *known == claimant
                && keys.len() == claims.len()
                && claims.iter().zip(keys).all(|((key, value), held)| {
                    key == held && self.by_key.get(key).and_then(|all| all.get(&claimant)) == Some(value)
                })
        });
        if unchanged {
            return BTreeSet::new();
        }
        let mut affected = self.remove(&id.0, &id.1);
        let keys = claims.iter().map(|(key, _)| key.clone()).collect();
        for (key, value) in claims {
            let all = self.by_key.entry(key).or_default();
            affected.extend(all.keys().cloned());
            all.insert(claimant.clone(), value);
        }
        affected.remove(&claimant);
        self.by_resource.insert(id, (claimant, keys));
        affected
    }

    /// Drops what a resource claims, and returns the other resources for whom the answer may have changed.
    pub fn remove(&mut self, namespace: &str, name: &str) -> BTreeSet<Claimant> {
        let Some((claimant, keys)) = self.by_resource.remove(&(namespace.to_owned(), name.to_owned())) else {
            return BTreeSet::new();
        };
        let mut affected = BTreeSet::new();
        for key in keys {
            if let Some(all) = self.by_key.get_mut(&key) {
                all.remove(&claimant);
                affected.extend(all.keys().cloned());
                if all.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
        affected
    }

    /// Namespace and name of every resource that claims something.
    pub fn resources(&self) -> impl Iterator<Item = &(String, String)> {
        self.by_resource.keys()
    }

    /// The oldest claimant of a key, with its value.
    pub fn holder(&self, key: &K) -> Option<(&Claimant, &V)> {
        self.by_key.get(key).and_then(BTreeMap::first_key_value)
    }

    /// Whether a resource claims a key, be it in vain.
    pub fn is_claimed_by(&self, key: &K, namespace: &str, name: &str) -> bool {
        self.by_resource
            .get(&(namespace.to_owned(), name.to_owned()))
            .is_some_and(|(_, keys)| keys.contains(key))
    }

    /// The claimant that stands before this resource, if there is one.
    pub fn ahead_of(&self, key: &K, namespace: &str, name: &str) -> Option<(&Claimant, &V)> {
        self.holder(key)
            .filter(|(holder, _)| holder.namespace != namespace || holder.name != name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimant(created: i64, name: &str) -> Claimant {
        Claimant {
            created: Timestamp::from_second(created).unwrap(),
            namespace: "ns".into(),
            name: name.into(),
        }
    }

    fn names(affected: &BTreeSet<Claimant>) -> Vec<&str> {
        affected.iter().map(|c| c.name.as_str()).collect()
    }

    #[test]
    fn the_oldest_holds_and_the_next_inherits() {
        let mut claims = Claims::default();
        claims.update(claimant(2, "young"), vec![("key", ())]);
        assert!(claims.ahead_of(&"key", "ns", "young").is_none());
        let affected = claims.update(claimant(1, "old"), vec![("key", ())]);
        assert_eq!(names(&affected), ["young"]);
        assert_eq!(claims.ahead_of(&"key", "ns", "young").unwrap().0.name, "old");
        assert_eq!(names(&claims.remove("ns", "old")), ["young"]);
        assert!(claims.ahead_of(&"key", "ns", "young").is_none());
    }

    #[test]
    fn an_unchanged_claim_affects_nobody() {
        let mut claims = Claims::default();
        claims.update(claimant(1, "a"), vec![("key", 1)]);
        claims.update(claimant(2, "b"), vec![("key", 1)]);
        assert!(claims.update(claimant(2, "b"), vec![("key", 1)]).is_empty());
        assert_eq!(names(&claims.update(claimant(2, "b"), vec![("key", 2)])), ["a"]);
    }

    #[test]
    fn a_recreated_resource_loses_its_seniority() {
        let mut claims = Claims::default();
        claims.update(claimant(1, "a"), vec![("key", ())]);
        claims.update(claimant(2, "b"), vec![("key", ())]);
        claims.update(claimant(3, "a"), vec![("key", ())]);
        assert_eq!(claims.holder(&"key").unwrap().0.name, "b");
    }
}
