//! What the kinds have in common whose objects have a name in Grafana and no place for a mark.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::cluster::memory;
use crate::controller::connection::Instance;
use crate::controller::context::{Context, Holding, made_by};
use crate::controller::engine::claim::{Claiming, Key};
use crate::controller::engine::failure::Failure;
use crate::controller::engine::store::Store;
use crate::controller::engine::trigger::Trigger;
use crate::controller::pass::Reconcile;
use crate::domain::changed::orphans;
use crate::domain::notification::named::Holder;
use crate::domain::ownership::Owner;
use crate::grafana::Grafana;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::mirror::{Collection, Held, Subject};
use crate::grafana::model::Found;

/// How everything is written.
pub(super) const BY: Provenance = Provenance::Api;

/// How soon what waits for others to let go of a name looks again by itself.
pub(super) const IN_USE: Duration = Duration::from_secs(10);

/// A kind whose objects have names of their own in Grafana.
pub(super) trait Named: Reconcile + Claiming {
    /// What Grafana holds of it.
    type Object: Clone + Serialize + Send + Sync + PartialEq + 'static;
    /// What people call it.
    const CALLED: &'static str;

    /// Its name in Grafana.
    fn called(&self) -> &str;
    /// What Grafana should hold.
    fn wish(&self, context: &Context) -> impl Future<Output = Result<Self::Object, Failure>> + Send;
    /// Whether two do the same.
    fn is_same(one: &Self::Object, other: &Self::Object) -> bool;
    /// In words, how what was found differs from what is wished.
    fn difference(found: &Self::Object, wish: &Self::Object) -> String;
    /// The parts of it that somebody has changed in what was found.
    fn changed(found: &Self::Object, wish: &Self::Object) -> Vec<String>;
    /// The fingerprint of what was stored last.
    fn stored(status: &Self::Status) -> Option<&str>;
    /// Who has it, be it only by its name, so that it can't go.
    fn users(&self, instance: &Instance, context: &Context, name: &str) -> Users;
    /// Fails where Grafana must not be sent this beside what was found, because of what others there say. Asked under the right to write.
    fn objection(
        &self,
        _wish: &Self::Object,
        _found: Option<&Found<Self::Object>>,
        _instance: &Instance,
    ) -> Result<(), Failure> {
        Ok(())
    }
    /// The resources of the kind.
    fn store(context: &Context) -> &Store<Self>;
    /// Asks for passes over them.
    fn trigger(context: &Context) -> &Trigger<Self>;
    /// What has the claim on a name.
    fn key(place: Arc<str>, name: String) -> Key;
    /// What a write of it changes.
    fn subject(name: String) -> Subject;
    /// What is mirrored of the kind.
    fn mirrored(held: &mut Held) -> &mut Collection<String, Found<Self::Object>>;
    /// The same, to be read.
    fn held(held: &Held) -> &Collection<String, Found<Self::Object>>;
    /// One of a name, right now.
    fn get<'a>(grafana: &'a Grafana, name: &'a str) -> Answer<'a, Option<Found<Self::Object>>>;
    /// Makes it what is wished, in the place of what was found.
    fn put<'a>(
        grafana: &'a Grafana,
        wish: &'a Self::Object,
        found: Option<&'a Found<Self::Object>>,
    ) -> Answer<'a, Found<Self::Object>>;
    /// Removes what was found.
    fn delete<'a>(grafana: &'a Grafana, found: &'a Found<Self::Object>) -> Answer<'a, ()>;
}

/// Most of those that refer to something that are named.
const NAMED: usize = 4;

/// Who refers to an object, in words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Users {
    /// Those that let go of it by themselves when the namespace goes, and those that nothing in Grafana says it of yet.
    pub(super) leaving: Vec<String>,
    /// All others.
    pub(super) staying: Vec<String>,
}

impl Users {
    /// In words: who still refers to it, if anybody does.
    pub(super) fn still_refer(&self) -> Option<String> {
        let all: Vec<&str> = self
            .leaving
            .iter()
            .chain(&self.staying)
            .map(String::as_str)
            .collect();
        let named = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        match all.len() {
            0 => None,
            1 => Some(format!("{named} still refers to it")),
            count if count > NAMED => Some(format!("{named} and {} more still refer to it", count - NAMED)),
            _ => Some(format!("{named} still refer to it")),
        }
    }
}

/// What Grafana holds under this name right now.
pub(super) async fn fresh<K: Named>(
    instance: &Instance,
    name: &str,
) -> Result<Option<Found<K::Object>>, Failure> {
    let found = K::get(&instance.grafana, name).await;
    let found = found.map_err(|e| instance.suspect(e.into()))?;
    instance
        .mirror
        .write(|held| K::mirrored(held).written(name.to_owned(), found.clone()));
    Ok(found)
}

impl<K: Named> Holding for K {
    fn holds(&self, key: &Key, instance: &Instance) -> bool {
        let mark = noted::<K>(key, instance);
        mark.is_some_and(|mark| instance.owners.marks(&mark, self.ns(), self.id()))
    }
    fn named(key: &Key, instance: &Instance) -> Option<Vec<(String, String)>> {
        Some(made_by(instance, noted::<K>(key, instance).as_deref()))
    }
    fn all(context: &Context) -> &Store<Self> {
        K::store(context)
    }
}

/// The mark of the resource that is remembered to have what is claimed.
fn noted<K: Named>(key: &Key, instance: &Instance) -> Option<String> {
    let (Key::TimeInterval(_, name) | Key::Template(_, name) | Key::InhibitionRule(_, name)) = key else {
        return None;
    };
    let key = orphans::key(K::KIND, name);
    let memory = instance.memory().ok()?;
    memory.read(|memory| memory.names.get(&key).map(|entry| entry.mark.clone()))
}

/// What is remembered of a resource's names.
pub(super) struct Names<'a, K> {
    object: &'a K,
    memory: &'a memory::Memory,
    instance: &'a Instance,
}

impl<'a, K: Named> Names<'a, K> {
    pub(super) fn of(object: &'a K, instance: &'a Instance) -> Result<Self, Failure> {
        Ok(Self {
            object,
            memory: instance.memory()?,
            instance,
        })
    }

    pub(super) fn entry(&self, name: &str) -> Option<memory::Named> {
        let key = orphans::key(K::KIND, name);
        self.memory.read(|memory| memory.names.get(&key).cloned())
    }

    pub(super) fn is_own(&self, mark: &str) -> bool {
        let owners = &self.instance.owners;
        owners.marks(mark, self.object.ns(), self.object.id())
    }

    /// Whether the end isn't known of the write that was to make it.
    pub(super) fn is_making(&self, name: &str) -> bool {
        self.entry(name).is_some_and(|entry| entry.making.is_some())
    }

    /// Whose what was found under a name is.
    pub(super) fn holder(&self, name: &str, found: Option<&Found<K::Object>>) -> Holder {
        let Some(found) = found else {
            return Holder::Nobody;
        };
        match self.entry(name) {
            Some(entry) if self.is_own(&entry.mark) => match entry.making {
                Some(code) if code != self.code(&found.object) => Holder::Other(None),
                _ => Holder::Us,
            },
            Some(entry) => Holder::Other(Some(entry.mark)),
            None => Holder::Other(None),
        }
    }

    /// The resource that is remembered to have a name, if it is another one.
    pub(super) fn maker(&self, name: &str) -> Option<(String, String)> {
        let entry = self.entry(name).filter(|entry| !self.is_own(&entry.mark))?;
        let (namespace, id) = self.instance.owners.resource(&entry.mark)?;
        Some((namespace.to_owned(), id.to_owned()))
    }

    pub(super) fn code(&self, object: &K::Object) -> String {
        let sent = serde_json::to_vec(object).unwrap_or_default();
        self.memory.read(|memory| memory.code(&sent))
    }

    /// All names that Grafana knows the resource's objects by, be it from before it was renamed.
    pub(super) fn all(&self) -> Vec<String> {
        let kind = orphans::key(K::KIND, "");
        self.memory.read(|memory| {
            let own = memory.names.iter().filter(|(_, named)| self.is_own(&named.mark));
            own.filter_map(|(key, _)| key.strip_prefix(&kind).map(str::to_owned))
                .collect()
        })
    }

    /// Those that it has no more.
    pub(super) fn former(&self, name: &str) -> Vec<String> {
        let mut all = self.all();
        all.retain(|former| former != name);
        all
    }

    /// Remembers that the resource has a name, or that it is being made as is wished.
    pub(super) async fn note(&self, name: &str, making: Option<&K::Object>) -> Result<(), Failure> {
        let owner: &Owner = self.instance.owners.now();
        let named = memory::Named {
            mark: owner.label(self.object.ns(), self.object.id()),
            making: making.map(|wish| self.code(wish)),
        };
        if self.entry(name).as_ref() == Some(&named) {
            return Ok(());
        }
        let key = orphans::key(K::KIND, name);
        let note = self.memory.update(|memory| {
            memory.names.insert(key.clone(), named.clone());
        });
        Ok(note.await?)
    }

    /// Forgets that it has had a name.
    pub(super) async fn forget(&self, name: &str) -> Result<(), Failure> {
        let key = orphans::key(K::KIND, name);
        if self.memory.read(|memory| memory.names.contains_key(&key)) {
            let forget = self.memory.update(|memory| {
                memory.names.remove(&key);
            });
            forget.await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_named_up_to_a_few() {
        let users = |leaving: &[&str], staying: &[&str]| Users {
            leaving: leaving.iter().map(|who| (*who).to_owned()).collect(),
            staying: staying.iter().map(|who| (*who).to_owned()).collect(),
        };
        let told = |leaving: &[&str], staying: &[&str]| users(leaving, staying).still_refer();
        assert_eq!(told(&[], &[]), None);
        assert_eq!(told(&["a"], &[]).as_deref(), Some("a still refers to it"));
        assert_eq!(told(&["a"], &["b"]).as_deref(), Some("a, b still refer to it"));
        assert_eq!(
            told(&["a"], &["b", "c", "d", "e", "f"]).as_deref(),
            Some("a, b, c, d and 2 more still refer to it")
        );
    }
}
