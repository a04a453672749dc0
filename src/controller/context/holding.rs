//! Who has what only one resource can have: whom Grafana shows to have it. What a status says may be of another Grafana, to which its instance
//! was pointed before, or of a time before somebody else got it; so it counts only where Grafana shows nobody of those who ask.

use kube::runtime::reflector::ObjectRef;

use super::Context;
use crate::controller::connection::Instance;
use crate::controller::engine::claim::{Claiming, Key};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::domain::claims::Claimant;

/// A kind of which Grafana, or what is remembered of it, shows who has what is claimed.
pub trait Holding: Claiming {
    /// Whether that Grafana is known to have this from the resource.
    fn holds(&self, key: &Key, instance: &Instance) -> bool;
    /// Those that are known to have made what is there, by namespace and name, where that is known without asking each that claims it.
    fn named(_: &Key, _: &Instance) -> Option<Vec<(String, String)>> {
        None
    }
    /// The resources of the kind.
    fn all(context: &Context) -> &Store<Self>;
}

impl Context {
    /// The resource that has a key in a Grafana: the first of those who are known to have it there, and where nobody is of all who claim it.
    pub fn holder<K: Holding>(&self, key: &Key, instance: &Instance) -> Option<Claimant> {
        self.holder_by::<K>(key, Some(instance)).map(|(first, _)| first)
    }

    /// The resource that stands before this one in its Grafana, with the value of its claim.
    pub fn ahead<K: Holding>(&self, key: &Key, object: &K) -> Option<(Claimant, u64)> {
        let instance = self.connection(object.instance());
        let first = self.holder_by::<K>(key, instance.as_deref());
        first.filter(|(first, _)| !is(first, object))
    }

    fn holder_by<K: Holding>(&self, key: &Key, instance: Option<&Instance>) -> Option<(Claimant, u64)> {
        let first = self.claims.first::<K>(key)?;
        let holds = |claimant: &Claimant| {
            let place = ObjectRef::new(&claimant.name).within(&claimant.namespace);
            let object = K::all(self).at(&place, &claimant.instance);
            instance.is_some_and(|instance| object.is_some_and(|object| object.holds(key, instance)))
        };
        if self.claims.is_alone::<K>(key) || holds(&first.0) {
            return Some(first);
        }
        let line = match instance.and_then(|instance| K::named(key, instance)) {
            Some(named) => self.claims.of_line::<K>(key, &named),
            None => self.claims.line::<K>(key),
        };
        line.into_iter()
            .find(|(claimant, _)| holds(claimant))
            .or(Some(first))
    }
}

/// The resource that a mark names, if it is one of ours.
pub fn made_by(instance: &Instance, mark: Option<&str>) -> Vec<(String, String)> {
    let resource = mark.and_then(|mark| instance.owners.resource(mark));
    let owned = |(namespace, name): (&str, &str)| (namespace.to_owned(), name.to_owned());
    resource.map(owned).into_iter().collect()
}

fn is<K: Managed>(claimant: &Claimant, object: &K) -> bool {
    (claimant.namespace.as_str(), claimant.name.as_str()) == (object.ns(), object.id())
}
