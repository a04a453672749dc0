//! The contact points that resources refer to.

use std::sync::Arc;

use kube::runtime::reflector::ObjectRef;

use super::contact_point::uids;
use super::maker::makers;
use super::not_yet::not_yet;
use super::users::refers;
use crate::api::{ANNOTATION_SHARED_WITH, ContactPoint};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::claim::Key;
use crate::controller::engine::managed::Managed;
use crate::domain::notification::contact_point;
use crate::domain::notification::contact_point::decision;
use crate::domain::notification::receiver::Target;
use crate::domain::refusal::Refusal;
use crate::domain::tenancy;
use crate::grafana::model::Route;

/// The name in Grafana of what is meant, whatever Grafana has; `None` for a resource that isn't there.
pub(super) fn called(target: &Target, from: &str, context: &Context) -> Option<String> {
    match target {
        Target::Grafana { name } => Some(name.clone()),
        Target::ContactPoint { namespace, name } => {
            let place = ObjectRef::new(name).within(namespace.as_deref().unwrap_or(from));
            let point = context.stores.contact_points.get(&place)?;
            Some(contact_point::name(&point.spec, name).to_owned())
        }
    }
}

/// The name in Grafana of what a receiver refers to, for a resource of the namespace `from`; or why it can't be used.
pub(in crate::controller) fn name_of(
    target: &Target,
    from: &str,
    context: &Context,
    instance: &Instance,
) -> Result<String, Refusal> {
    let (namespace, name) = match target {
        Target::Grafana { name } => {
            let known = instance
                .mirror
                .read(|held| held.contact_points.lookup(name).cloned());
            if known.is_unknown() {
                return Err(Refusal::missing(format!(
                    "it isn't known right now what Grafana has of contact point {name}"
                )));
            }
            let found = known.present();
            let integrations = found.as_ref().map_or(&[][..], |found| &found.object.integrations);
            let mut owners = makers(name, integrations, instance, context);
            owners.extend(claimer(name, instance, context));
            if let Some(owner) = owners.first()
                && owners.iter().all(|owner| owner.ns() != from)
            {
                return Err(Refusal::invalid(
                    "grafanaName",
                    format!(
                        "{name} belongs to ContactPoint {}/{}; refer to it by name and namespace",
                        owner.ns(),
                        owner.id()
                    ),
                ));
            }
            return if found.is_some() || is_referred_to(name, instance) {
                Ok(name.clone())
            } else {
                Err(Refusal::missing(format!(
                    "Grafana has no contact point {name}; create it or correct grafanaName"
                )))
            };
        }
        Target::ContactPoint { namespace, name } => (namespace.as_deref().unwrap_or(from), name),
    };
    let found = context
        .stores
        .contact_points
        .here(&ObjectRef::new(name).within(namespace), &instance.name);
    let missing = || Refusal::missing(format!("ContactPoint {namespace}/{name} is not there; create it"));
    let contact_point = found.ok_or_else(missing)?;
    let place = (namespace, name.as_str());
    let shared_with = contact_point.annotation(ANNOTATION_SHARED_WITH);
    tenancy::refuse_unshared(ContactPoint::KIND, place, from, shared_with)?;
    tenancy::refuse_other_instance(
        ContactPoint::KIND,
        place,
        &contact_point.instances(),
        &instance.name,
    )?;
    let grafana_name = contact_point::name(&contact_point.spec, name);
    let key = Key::ContactPoint(context.claims.place(&instance.name), grafana_name.to_owned());
    // The name may be somebody else's, who had it first.
    let derived = decision::uids(&contact_point.spec, &context.owner, namespace, name);
    let own = match instance.memory() {
        Ok(memory) => memory.read(|memory| uids(memory, derived)),
        Err(_) => derived,
    };
    let is_stored = instance.mirror.read(|held| {
        let found = held.contact_points.lookup(grafana_name).present();
        found.is_some_and(|found| found.object.integrations.iter().any(|i| own.contains(&i.uid)))
    });
    if is_stored && context.ahead(&key, &*contact_point).is_none() {
        return Ok(grafana_name.to_owned());
    }
    let conditions = contact_point.status.as_ref().map(|status| &*status.conditions);
    Err(not_yet(&format!("ContactPoint {namespace}/{name}"), conditions))
}

/// The ContactPoint that has the name, if Grafana has had it from that one, as far as is remembered: it is its, though somebody may have taken out all that
/// it has made there.
fn claimer(name: &str, instance: &Instance, context: &Context) -> Option<Arc<ContactPoint>> {
    let key = Key::ContactPoint(context.claims.place(&instance.name), name.to_owned());
    let holder = context.holder::<ContactPoint>(&key, instance)?;
    let place = ObjectRef::new(&holder.name).within(&holder.namespace);
    let point = context.stores.contact_points.get(&place)?;
    point.was_sent(instance).then_some(point)
}

/// Whether a tree that Grafana holds, or one from before ours, sends to this name. Then Grafana has it, though a contact point without
/// integrations is in none of its lists: a new one from 12.4 on begins with such a one, `empty`.
fn is_referred_to(name: &str, instance: &Instance) -> bool {
    let sends = |tree: &Route| refers(tree, name);
    instance
        .mirror
        .read(|held| held.trees.iter().any(|(_, tree)| sends(&tree.object)))
        || instance
            .memory()
            .is_ok_and(|memory| memory.read(|memory| memory.previous_trees().any(sends)))
}
