//! Whether a contact point in Grafana is a resource's, whatever its status says.

use super::equal;
use super::look::integrations;
use crate::api::ContactPoint;
use crate::controller::connection::Instance;
use crate::controller::context::{Context, Holding};
use crate::controller::engine::claim::Key;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::domain::notification::contact_point::decision;
use crate::grafana::mirror::Lookup;

impl Holding for ContactPoint {
    fn holds(&self, key: &Key, instance: &Instance) -> bool {
        let Key::ContactPoint(_, name) = key else {
            return false;
        };
        let found = instance
            .mirror
            .read(|held| held.contact_points.before(name).cloned());
        match found {
            Lookup::Unknown => self.was_sent(instance),
            found => {
                let found = found.present();
                integrations(found.as_ref())
                    .iter()
                    .any(|i| self.is_own(i, instance))
            }
        }
    }
    fn all(context: &Context) -> &Store<Self> {
        &context.stores.contact_points
    }
}

impl ContactPoint {
    /// Whether Grafana has had something from this resource, as far as is remembered.
    pub(in crate::controller::notification) fn was_sent(&self, instance: &Instance) -> bool {
        let Ok(memory) = instance.memory() else {
            return false;
        };
        memory.read(|memory| {
            let mut owners = instance.owners.all();
            owners.any(|owner| {
                let derived = decision::uids(&self.spec, owner, self.ns(), self.id());
                let uids = equal::uids(memory, derived);
                uids.iter().any(|uid| memory.sent.contains_key(uid))
            })
        })
    }
}
