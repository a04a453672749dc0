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

impl<K: Hash + Eq, V: PartialEq> Claims<K, V> {
    /// Replaces what a resource claims in one Grafana, and returns the other resources for whom the answer may have changed: all that claim a key
    /// which has another holder now, or one with another value, and the holder of a key which another one gave up. So among many who
    /// share a key, a change of one concerns the others only if it was or is the first.
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
            let all = self.by_key.entry(key).or_default();
            let is = |first: Option<(&Place, &V)>, one: &Place| first.is_some_and(|(place, _)| place == one);
            let was_first = stood.as_ref().is_some_and(|stood| is(all.first(), stood));
            let said = stood.and_then(|stood| all.remove(&stood));
            let is_news = said.as_ref() != Some(&value);
            all.insert(stands.clone(), value);
            let is_first = is(all.first(), &stands);
            // That the first has it now is nothing to those behind it.
            if is_first != was_first || (is_first && is_news) {
                affected.extend(all.keys().map(|place| (*place.claimant).clone()));
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
        let was_first = all.first().is_some_and(|(first, _)| *first == place);
        all.remove(&place);
        let concerned = if was_first { all.len() } else { 1 };
        let affected = all.keys().take(concerned);
        let affected = affected.map(|place| (*place.claimant).clone()).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn claimant(created: i64, name: &str) -> Claimant {
        Claimant {
            created: Timestamp::from_second(created).unwrap(),
            namespace: "ns".into(),
            name: name.into(),
            instance: "default".into(),
        }
    }

    fn names(affected: &BTreeSet<Claimant>) -> Vec<&str> {
        affected.iter().map(|c| c.name.as_str()).collect()
    }

    #[test]
    fn the_oldest_holds_and_the_next_inherits() {
        let mut claims = Claims::default();
        claims.update(claimant(2, "young"), vec![("key", ())], |_| false);
        assert!(claims.ahead_of(&"key", "ns", "young").is_none());
        let affected = claims.update(claimant(1, "old"), vec![("key", ())], |_| false);
        assert_eq!(names(&affected), ["young"]);
        assert_eq!(claims.ahead_of(&"key", "ns", "young").unwrap().0.name, "old");
        assert_eq!(names(&claims.remove("ns", "old")), ["young"]);
        assert!(claims.ahead_of(&"key", "ns", "young").is_none());
    }

    #[test]
    fn who_has_it_keeps_it_until_it_is_given_up_however_old_the_others_are() {
        let mut claims = Claims::default();
        let key = || vec![("key", ())];
        claims.update(claimant(2, "young"), key(), |_| true);
        claims.update(claimant(1, "old"), key(), |_| false);
        claims.update(claimant(3, "youngest"), key(), |_| false);
        assert_eq!(claims.ahead_of(&"key", "ns", "old").unwrap().0.name, "young");
        assert_eq!(
            claims.next(&"key", Some(&claimant(2, "young"))).unwrap().name,
            "old"
        );
        assert!(claims.is_claimed_by(&"key", "ns", "old"));
        // It is no more than asked for again, as after it was lost: the oldest is first.
        let affected = claims.update(claimant(2, "young"), key(), |_| false);
        assert_eq!(names(&affected), ["old", "youngest"]);
        assert_eq!(claims.holder(&"key").unwrap().0.name, "old");
        claims.update(claimant(2, "young"), key(), |_| true);
        assert_eq!(names(&claims.remove("ns", "young")), ["old", "youngest"]);
        // The first gets it: nothing is another to those behind it.
        for has in [true, false] {
            assert!(claims.update(claimant(1, "old"), key(), |_| has).is_empty());
        }
        assert_eq!(claims.holder(&"key").unwrap().0.name, "old");
    }

    #[test]
    fn an_unchanged_claim_affects_nobody() {
        let mut claims = Claims::default();
        claims.update(claimant(1, "a"), vec![("key", 1)], |_| false);
        claims.update(claimant(2, "b"), vec![("key", 1)], |_| false);
        assert!(
            claims
                .update(claimant(2, "b"), vec![("key", 1)], |_| false)
                .is_empty()
        );
        assert_eq!(
            names(&claims.update(claimant(1, "a"), vec![("key", 2)], |_| false)),
            ["b"]
        );
    }

    #[test]
    fn a_change_of_one_concerns_the_others_only_if_it_was_or_is_the_first() {
        let concerned = [10, 1000].map(|many| {
            let mut claims = Claims::default();
            for i in 0..many {
                claims.update(
                    claimant(i, &format!("{i:04}")),
                    vec![("shared", 1), ("own", i)],
                    |_| false,
                );
            }
            let last = format!("{:04}", many - 1);
            let claimed = claims.update(
                claimant(many - 1, &last),
                vec![("shared", 2), ("other", 1)],
                |_| false,
            );
            let given_up = claims.update(claimant(many - 1, &last), vec![("other", 1)], |_| false);
            let taken_up = claims.update(
                claimant(many - 1, &last),
                vec![("shared", 1), ("other", 1)],
                |_| false,
            );
            let gone = claims.remove("ns", &last);
            [claimed, given_up, taken_up, gone].map(|affected| names(&affected).join(","))
        });
        assert_eq!(concerned[0], concerned[1]);
        assert_eq!(concerned[0], ["0000", "0000", "", "0000"]);
        let mut claims = Claims::default();
        for i in 0..10 {
            claims.update(claimant(i, &format!("{i:04}")), vec![("shared", 1)], |_| false);
        }
        assert_eq!(
            claims
                .update(claimant(0, "0000"), vec![("shared", 2)], |_| false)
                .len(),
            9
        );
        assert_eq!(
            claims.remove("ns", "0000").len(),
            9,
            "each of them is told who is first now"
        );
        assert_eq!(
            claims
                .update(claimant(-1, "first"), vec![("shared", 2)], |_| false)
                .len(),
            9
        );
    }

    #[test]
    fn a_recreated_resource_loses_its_seniority() {
        let mut claims = Claims::default();
        claims.update(claimant(1, "a"), vec![("key", ())], |_| false);
        claims.update(claimant(2, "b"), vec![("key", ())], |_| false);
        claims.update(claimant(3, "a"), vec![("key", ())], |_| false);
        assert_eq!(claims.holder(&"key").unwrap().0.name, "b");
    }

    #[test]
    fn a_resource_claims_in_each_of_its_grafanas_and_gives_up_in_one_of_them_alone() {
        let mut claims = Claims::default();
        let at = |instance: &str| Claimant {
            instance: instance.to_owned(),
            ..claimant(1, "both")
        };
        claims.update(claimant(2, "young"), vec![("a/name", ()), ("b/name", ())], |_| {
            false
        });
        claims.update(at("a"), vec![("a/name", ())], |_| false);
        assert_eq!(
            names(&claims.update(at("b"), vec![("b/name", ())], |_| false)),
            ["young"]
        );
        for key in ["a/name", "b/name"] {
            assert!(claims.is_claimed_by(&key, "ns", "both"), "{key}");
            assert_eq!(claims.holder(&key).unwrap().0.name, "both", "{key}");
        }
        assert_eq!(
            names(&claims.keep("ns", "both", |instance| instance == "b")),
            ["young"]
        );
        assert_eq!(claims.holder(&"a/name").unwrap().0.name, "young");
        assert_eq!(claims.holder(&"b/name").unwrap().0.name, "both");
        claims.remove("ns", "both");
        assert_eq!(claims.holder(&"b/name").unwrap().0.name, "young");
    }
}
