//! Events of a resource.

use kube::runtime::events::EventType;
use kube::runtime::reflector::ObjectRef;

use super::Context;
use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use crate::controller::engine::by::Indexed;
use crate::controller::engine::managed::{Managed, together};
use crate::controller::engine::store::Store;

impl Context {
    /// Publishes an event of a resource. Of one that is for several Grafanas it says which of them it is about.
    pub async fn event_of<K: Managed>(
        &self,
        object: &K,
        type_: EventType,
        reason: &str,
        action: &str,
        note: &str,
    ) {
        let about = object.object_ref(&());
        if self.is_for_several(object) {
            let note = together::says(object.instance(), note);
            return self.event(&about, type_, reason, action, &note).await;
        }
        self.event(&about, type_, reason, action, note).await;
    }

    fn is_for_several<K: Managed>(&self, object: &K) -> bool {
        let (namespace, name) = (object.ns(), object.id());
        let stores = &self.stores;
        match K::KIND {
            AlertRule::KIND => has_parts(&stores.rules, namespace, name),
            ContactPoint::KIND => has_parts(&stores.contact_points, namespace, name),
            NotificationPolicy::KIND => has_parts(&stores.policies, namespace, name),
            TimeInterval::KIND => has_parts(&stores.time_intervals, namespace, name),
            NotificationTemplate::KIND => has_parts(&stores.templates, namespace, name),
            InhibitionRule::KIND => has_parts(&stores.inhibition_rules, namespace, name),
            Silence::KIND => has_parts(&stores.silences, namespace, name),
            _ => false,
        }
    }
}

fn has_parts<K: Managed + Indexed>(store: &Store<K>, namespace: &str, name: &str) -> bool {
    let whole = store.get(&ObjectRef::new(name).within(namespace));
    whole.is_some_and(|whole| !whole.projections().is_empty())
}
