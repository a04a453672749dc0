//! What resources claim in a Grafana, and whom to tell when that changes.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::by::Indexed;
use super::managed::Managed;
use super::store::Store;
use crate::api::{AlertRule, ContactPoint, NotificationPolicy};
use crate::domain::claims::{Claimant, Claims};
use crate::domain::ownership::Owner;
use crate::domain::{notification::contact_point, rule};

/// Where a rule lies, as far as specifications tell.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Folder {
    /// By the title path, without the instance's prefix.
    Path(String),
    /// By uid.
    Uid(String),
}

/// What only one resource can have in a Grafana. The first field is the instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// The uid of a rule.
    Uid(String, String),
    /// A title within a folder.
    Title(String, Folder, String),
    /// A group, whose interval all its rules share; the claim's value is that interval in seconds.
    Group(String, Folder, String),
    /// The name of a contact point.
    ContactPoint(String, String),
    /// The policy tree.
    Tree(String),
}

/// All claims.
#[derive(Default)]
pub struct AllClaims {
    rules: Mutex<Claims<Key, u64>>,
    contact_points: Mutex<Claims<Key, u64>>,
    policies: Mutex<Claims<Key, u64>>,
}

/// A kind whose resources claim something.
pub trait Claiming: Managed + Indexed {
    /// What the resource claims.
    fn claims(&self, owner: &Owner) -> Vec<(Key, u64)>;
    /// The claims of this kind.
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>>;
}

impl AllClaims {
    /// Notes what a resource claims, and returns the others for whom that may matter.
    pub fn note<K: Claiming>(&self, object: &K, owner: &Owner) -> Vec<Claimant> {
        let mut claims = K::of(self).lock();
        if object.is_deleting() {
            // What is on its way out keeps its place until it is gone from Grafana.
            return Vec::new();
        }
        claims
            .update(claimant(object), object.claims(owner))
            .into_iter()
            .collect()
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

    /// The resource that has a key.
    pub fn holder<K: Claiming>(&self, key: &Key) -> Option<Claimant> {
        K::of(self)
            .lock()
            .holder(key)
            .map(|(claimant, _)| claimant.clone())
    }
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
    }
}

/// Where a rule lies, as far as its specification tells.
pub fn folder(object: &AlertRule) -> Folder {
    match &object.spec.folder_uid {
        Some(uid) => Folder::Uid(uid.clone()),
        None => Folder::Path(
            object
                .spec
                .folder
                .clone()
                .unwrap_or_else(|| object.ns().to_owned()),
        ),
    }
}

impl Claiming for AlertRule {
    fn claims(&self, owner: &Owner) -> Vec<(Key, u64)> {
        let instance = || self.instance().to_owned();
        let uid = self
            .spec
            .uid
            .clone()
            .unwrap_or_else(|| owner.rule_uid(self.ns(), self.id()));
        let mut claims = vec![
            (Key::Uid(instance(), uid), 0),
            (
                Key::Title(
                    instance(),
                    folder(self),
                    rule::title(&self.spec, self.id()).to_owned(),
                ),
                0,
            ),
        ];
        // One that can't be read sets the interval of nobody.
        if let Ok(interval) = rule::interval(&self.spec) {
            let group = rule::group(&self.spec, self.id()).to_owned();
            claims.push((Key::Group(instance(), folder(self), group), interval.as_secs()));
        }
        claims
    }
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>> {
        &all.rules
    }
}

impl Claiming for ContactPoint {
    fn claims(&self, _: &Owner) -> Vec<(Key, u64)> {
        let name = contact_point::name(&self.spec, self.id()).to_owned();
        vec![(Key::ContactPoint(self.instance().to_owned(), name), 0)]
    }
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>> {
        &all.contact_points
    }
}

impl Claiming for NotificationPolicy {
    fn claims(&self, _: &Owner) -> Vec<(Key, u64)> {
        vec![(Key::Tree(self.instance().to_owned()), 0)]
    }
    fn of(all: &AllClaims) -> &Mutex<Claims<Key, u64>> {
        &all.policies
    }
}
