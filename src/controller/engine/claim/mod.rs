//! What resources claim in a Grafana, and whom to tell when that changes.

mod ground;
mod kinds;
mod standing;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

pub use ground::Ground;
pub use standing::standing;

use super::by::Indexed;
use super::managed::Managed;
use super::store::Store;
use crate::api::{AlertRule, GrafanaInstanceSpec, Silence};
use crate::cluster::namespace::AllLabels;
use crate::domain::claims::{Claimable, Claimant, Claims};
use crate::domain::ownership::Owner;
use crate::domain::rule;
use crate::grafana::model::TreeName;

/// Where a rule lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Folder {
    /// By the title path, while nobody knows its uid.
    Path(String),
    /// By uid.
    Uid(String),
}

/// What only one resource can have in a Grafana. The first field is the Grafana and organisation, as [`AllClaims::place`] names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// The uid of a rule.
    Uid(Arc<str>, String),
    /// A title within a folder.
    Title(Arc<str>, Folder, String),
    /// A group, whose interval all its rules share; the claim's value is that interval in seconds.
    Group(Arc<str>, Folder, String),
    /// The name of a contact point.
    ContactPoint(Arc<str>, String),
    /// A policy tree, by its name.
    Tree(Arc<str>, TreeName),
    /// The id of a silence that somebody made by hand.
    Silence(Arc<str>, String),
    /// The name of a time interval.
    TimeInterval(Arc<str>, String),
    /// The name of a notification template.
    Template(Arc<str>, String),
    /// The name of an inhibition rule.
    InhibitionRule(Arc<str>, String),
}

impl Claimable for Key {
    fn is_shared(&self) -> bool {
        matches!(self, Self::Group(..))
    }
}

/// All claims.
pub struct AllClaims {
    owner: Owner,
    namespaces: Arc<AllLabels>,
    grounds: RwLock<HashMap<String, Arc<Ground>>>,
    /// The uids of folders by place and title path, as passes found them.
    folders: Mutex<HashMap<(Arc<str>, String), String>>,
    rules: Mutex<Claims<Key, u64>>,
    contact_points: Mutex<Claims<Key, u64>>,
    policies: Mutex<Claims<Key, u64>>,
    silences: Mutex<Claims<Key, u64>>,
    /// The silences made by hand that resources ask to take over, by namespace, name and instance.
    asked: Mutex<HashMap<[String; 3], String>>,
    time_intervals: Mutex<Claims<Key, u64>>,
    templates: Mutex<Claims<Key, u64>>,
    inhibition_rules: Mutex<Claims<Key, u64>>,
}

/// A kind whose resources claim something.
pub trait Claiming: Managed + Indexed {
    /// What the resource claims: nothing where it may not use the instance.
    fn claims(&self, all: &AllClaims, ground: &Ground) -> Vec<(Key, u64)>;
    /// Whether it has what it claims already, as its status says. Of some it can't be said.
    fn has(&self, _: &Key) -> bool {
        false
    }
    /// The claims of this kind.
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>>;
}

impl AllClaims {
    /// No claims yet, by resources of an operator with this owner id, in namespaces of which this is known.
    pub fn new(owner: Owner, namespaces: Arc<AllLabels>) -> Self {
        Self {
            owner,
            namespaces,
            grounds: RwLock::default(),
            folders: Mutex::default(),
            rules: Mutex::default(),
            contact_points: Mutex::default(),
            policies: Mutex::default(),
            silences: Mutex::default(),
            asked: Mutex::default(),
            time_intervals: Mutex::default(),
            templates: Mutex::default(),
            inhibition_rules: Mutex::default(),
        }
    }

    /// Notes what a GrafanaInstance says, or that there is none. Whether that is news: then the claims of all its resources are to be noted
    /// again.
    pub fn set_ground(&self, instance: &str, spec: Option<&GrafanaInstanceSpec>) -> bool {
        let mut grounds = self.grounds.write();
        let known = grounds.get(instance);
        let before = known.and_then(|ground| ground.spec.as_ref());
        if before == spec {
            return false;
        }
        let Some(spec) = spec else {
            grounds.remove(instance);
            return true;
        };
        let organisation = known.and_then(|ground| ground.organisation_by(instance, spec));
        let ground = Ground::new(&self.owner, instance, Some(spec), organisation);
        grounds.insert(instance.to_owned(), Arc::new(ground));
        true
    }

    /// Notes which organisation a Grafana has told an instance. Whether the instance is elsewhere than was known by that: then the claims of all
    /// its resources are to be noted again.
    pub fn set_organisation(&self, instance: &str, organisation: Option<i64>) -> bool {
        let mut grounds = self.grounds.write();
        let Some(spec) = grounds.get(instance).and_then(|ground| ground.spec.as_ref()) else {
            return false;
        };
        let ground = Ground::new(&self.owner, instance, Some(spec), organisation);
        let place = ground.place.clone();
        let before = grounds.insert(instance.to_owned(), Arc::new(ground));
        before.is_none_or(|before| before.place != place)
    }

    /// Whether two instances are for one Grafana and organisation; `None` while that isn't known.
    pub fn are_one(&self, one: &str, other: &str) -> Option<bool> {
        self.ground(one).is_one_with(&self.ground(other))
    }

    /// Names the Grafana and organisation that an instance is for, as keys have it.
    pub fn place(&self, instance: &str) -> Arc<str> {
        self.ground(instance).place.clone()
    }

    /// Where a rule lies, as far as is known.
    pub fn folder(&self, object: &AlertRule) -> Folder {
        self.folder_on(object, &self.ground(object.instance()))
    }

    /// Notes where a rule's folder was found, and what the rule claims there; returns the others for whom that may matter.
    pub fn settle(&self, object: &AlertRule, folder_uid: &str) -> Vec<Claimant> {
        let ground = self.ground(object.instance());
        if let Some(path) = rule::folder_path(&object.spec, object.ns(), ground.prefix()) {
            let mut folders = self.folders.lock();
            folders.insert((ground.place.clone(), path), folder_uid.to_owned());
        }
        self.note(object)
    }

    /// Notes which silence made by hand a resource asks to take over, or that it asks for none; returns the others for whom that may matter.
    pub fn ask(&self, object: &Silence, id: Option<&str>) -> Vec<Claimant> {
        if self.asks(object).as_deref() == id {
            return Vec::new();
        }
        match id {
            Some(id) => self.asked.lock().insert(asking(object), id.to_owned()),
            None => self.asked.lock().remove(&asking(object)),
        };
        self.note(object)
    }

    /// The silence made by hand that a resource asks to take over.
    pub fn asks(&self, object: &Silence) -> Option<String> {
        self.asked.lock().get(&asking(object)).cloned()
    }

    /// Forgets what a resource that is gone has asked for.
    pub fn asks_no_more(&self, object: &Silence) {
        let mut asked = self.asked.lock();
        asked.retain(|[namespace, name, _], _| {
            (namespace.as_str(), name.as_str()) != (object.ns(), object.id())
        });
    }

    /// Notes what a resource claims, and returns the others for whom that may matter.
    pub fn note<K: Claiming>(&self, object: &K) -> Vec<Claimant> {
        if object.is_deleting() {
            // What is on its way out keeps its place until it is gone from Grafana.
            return Vec::new();
        }
        if object.has_unread_claims() {
            // It claims what it claimed before.
            return Vec::new();
        }
        let wanted = object.claims(self, &self.ground(object.instance()));
        let mut claims = K::of(self).lock();
        let affected = claims.update(claimant(object), wanted, |key| object.has(key));
        affected.into_iter().collect()
    }

    /// Notes what a resource as it is written claims, in each Grafana that it is for, and returns the others for whom that may matter.
    pub fn note_all<K: Claiming>(&self, object: &K) -> Vec<Claimant> {
        if object.has_unread_claims() {
            return Vec::new();
        }
        let parts = object.projections();
        if parts.is_empty() {
            let mut affected = self.note(object);
            let own = |instance: &str| instance == object.instance();
            affected.extend(K::of(self).lock().keep(object.ns(), object.id(), own));
            return affected;
        }
        let mut affected: Vec<_> = parts.iter().flat_map(|part| self.note(part)).collect();
        let is_part = |instance: &str| parts.iter().any(|part| part.instance() == instance);
        affected.extend(K::of(self).lock().keep(object.ns(), object.id(), is_part));
        affected
    }

    /// Notes that a resource is gone, and returns the others for whom that may matter.
    pub fn forget<K: Claiming>(&self, object: &K) -> Vec<Claimant> {
        K::of(self)
            .lock()
            .remove(object.ns(), object.id())
            .into_iter()
            .collect()
    }

    /// Forgets what is in no store any more, and returns the others for whom that may matter.
    pub fn keep_only<K: Claiming>(&self, store: &Store<K>) -> Vec<Claimant> {
        let mut claims = K::of(self).lock();
        let known: HashSet<(String, String)> = store
            .all()
            .iter()
            .map(|object| (object.ns().to_owned(), object.id().to_owned()))
            .collect();
        let gone: Vec<_> = claims
            .resources()
            .filter(|id| !known.contains(*id))
            .cloned()
            .collect();
        gone.iter()
            .flat_map(|(namespace, name)| claims.remove(namespace, name))
            .collect()
    }

    /// The resource that stands before this one, with the value of its claim.
    pub fn ahead<K: Claiming>(&self, key: &Key, object: &K) -> Option<(Claimant, u64)> {
        let claims = K::of(self).lock();
        claims
            .ahead_of(key, object.ns(), object.id())
            .map(|(claimant, value)| (claimant.clone(), *value))
    }

    /// Whether a resource claims a key, be it in vain.
    pub fn is_claimed_by<K: Claiming>(&self, key: &Key, namespace: &str, name: &str) -> bool {
        K::of(self).lock().is_claimed_by(key, namespace, name)
    }

    /// The first that claims a key, as far as statuses say who has it, with the value of its claim.
    pub fn first<K: Claiming>(&self, key: &Key) -> Option<(Claimant, u64)> {
        let claims = K::of(self).lock();
        let first = claims.holder(key);
        first.map(|(claimant, value)| (claimant.clone(), *value))
    }

    /// Whether no more than one claims a key.
    pub fn is_alone<K: Claiming>(&self, key: &Key) -> bool {
        K::of(self).lock().line(key).len() < 2
    }

    /// Whether all that claim a key claim it with this value.
    pub fn agree<K: Claiming>(&self, key: &Key, value: u64) -> bool {
        K::of(self).lock().line(key).all(|(_, other)| *other == value)
    }

    /// Those of these resources, by namespace and name, that claim a key.
    pub fn of_line<K: Claiming>(&self, key: &Key, named: &[(String, String)]) -> Vec<(Claimant, u64)> {
        let claims = K::of(self).lock();
        let all = named.iter().flat_map(|resource| claims.claims_of(key, resource));
        all.map(|(claimant, value)| (claimant.clone(), *value)).collect()
    }

    /// All that claim a key, in the order of [`AllClaims::first`].
    pub fn line<K: Claiming>(&self, key: &Key) -> Vec<(Claimant, u64)> {
        let claims = K::of(self).lock();
        let all = claims.line(key);
        all.map(|(claimant, value)| (claimant.clone(), *value)).collect()
    }

    /// The oldest resource that claims a key, or the one that is next after another.
    pub fn next<K: Claiming>(&self, key: &Key, after: Option<&Claimant>) -> Option<Claimant> {
        K::of(self).lock().next(key, after).cloned()
    }

    fn ground(&self, instance: &str) -> Arc<Ground> {
        let known = self.grounds.read().get(instance).cloned();
        known.unwrap_or_else(|| Arc::new(Ground::new(&self.owner, instance, None, None)))
    }

    fn folder_on(&self, object: &AlertRule, ground: &Ground) -> Folder {
        if let Some(uid) = &object.spec.folder_uid {
            return Folder::Uid(uid.clone());
        }
        let path = rule::folder_path(&object.spec, object.ns(), ground.prefix()).unwrap_or_default();
        let found = (ground.place.clone(), path);
        let seen = self.folders.lock().get(&found).cloned();
        // After a restart the status still says where it was found.
        let reported = || {
            let status = object.status.as_ref()?;
            let is_here = status.folder.as_deref() == Some(&found.1);
            status.folder_uid.clone().filter(|_| is_here)
        };
        seen.or_else(reported).map_or(Folder::Path(found.1), Folder::Uid)
    }
}

fn asking(object: &Silence) -> [String; 3] {
    [object.ns(), object.id(), object.instance()].map(str::to_owned)
}

fn claimant<K: Managed>(object: &K) -> Claimant {
    Claimant {
        created: object
            .meta()
            .creation_timestamp
            .as_ref()
            .map(|time| time.0)
            .unwrap_or_default(),
        namespace: object.ns().to_owned(),
        name: object.id().to_owned(),
        instance: object.instance().to_owned(),
    }
}

#[cfg(test)]
mod tests;
