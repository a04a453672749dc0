//! Events of a resource.

use std::error::Error;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Resource;
use kube::runtime::events::{Event, EventType};
use kube::runtime::reflector::ObjectRef;
use tracing::warn;

use super::Context;
use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use crate::cluster::answer::{chain, code_within};
use crate::controller::engine::by::Indexed;
use crate::controller::engine::managed::{Managed, together};
use crate::controller::engine::store::Store;

impl Context {
    /// Publishes an event. A failure is only logged.
    pub async fn event(
        &self,
        about: &ObjectReference,
        type_: EventType,
        reason: &str,
        action: &str,
        note: &str,
    ) {
        let event = Event {
            type_,
            reason: reason.to_owned(),
            note: Some(note.to_owned()),
            action: action.to_owned(),
            secondary: None,
        };
        self.events.publish(&event, about).await;
    }

    /// Says in an event that the API server refuses a write, for where the status that should say so can't be written either.
    pub async fn tell_if_refused(&self, about: &ObjectReference, error: &(impl Error + Sync + 'static)) {
        if code_within(error) != Some(403) {
            return;
        }
        let note = format!(
            "{}. If the operator lacks a right: deploy/rbac.yaml and the chart have all of them",
            chain(error)
        );
        self.event(about, EventType::Warning, "WriteRefused", "Reconcile", &note)
            .await;
    }

    /// Says that an object of somebody else's in Grafana was taken over, and what that has cost it, if anything.
    pub async fn adopted<K: Managed>(&self, object: &K, what: &str, lost: Option<&str>) {
        let lost = lost.map_or_else(String::new, |lost| format!(". Lost with it: {lost}"));
        let type_ = if lost.is_empty() {
            EventType::Normal
        } else {
            EventType::Warning
        };
        let note = format!("took over Grafana's {what}, which this resource hadn't made{lost}");
        self.event_of(object, type_, "Adopted", "Reconcile", &note).await;
    }

    /// Says that something stays in Grafana though its resource goes. The instance is told too: in a namespace that is on its way out the API server
    /// takes no events.
    pub async fn left_behind<K: Managed>(&self, object: &K, instance: &str, note: &str) {
        let (namespace, name) = (object.ns(), object.id());
        warn!(kind = K::KIND, namespace, name, instance, note, "left in grafana");
        let (type_, reason, action) = (EventType::Warning, "LeftBehind", "Delete");
        self.event_of(object, type_, reason, action, note).await;
        let note = format!("{} {namespace}/{name}: {note}", K::KIND);
        self.event_of_instance(instance, EventType::Warning, reason, action, &note)
            .await;
    }

    /// Publishes an event of a GrafanaInstance, if there still is one of this name.
    pub async fn event_of_instance(
        &self,
        name: &str,
        type_: EventType,
        reason: &str,
        action: &str,
        note: &str,
    ) {
        if let Some(declared) = self.declared_instance(name) {
            let about = declared.object_ref(&());
            self.event(&about, type_, reason, action, note).await;
        }
    }

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
