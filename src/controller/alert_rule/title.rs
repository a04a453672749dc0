//! The title of a rule, which only one rule of a folder can have in Grafana before 12.0.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::reflector::ObjectRef;

use super::mirrored;
use crate::api::AlertRule;
use crate::api::condition::{self, Reason};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::domain::rule;
use crate::domain::version::Version;
use crate::grafana::api::FoundRule;
use crate::grafana::model;
use crate::grafana::turns::Turn;

/// How long to wait before looking again whether a title has become free; it costs no call.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// How many resources that pass on their titles in a ring are seen through.
const RING: usize = 16;

/// Fails while another rule has the title.
///
/// A rule of ours may have it only because it hasn't been renamed yet: two resources may even swap titles. Then this one makes
/// way under a title that nobody else wants, and both come again.
pub(super) async fn free(
    object: &AlertRule,
    context: &Context,
    instance: &Arc<Instance>,
    turn: &Turn,
    rule: &model::AlertRule,
    found: Option<&FoundRule>,
) -> Result<(), Failure> {
    let has_it = found.is_some_and(|f| f.title == rule.title && f.folder_uid == rule.folder_uid);
    if has_it || instance.facts()?.version >= Version::SAME_TITLES {
        return Ok(());
    }
    let holder = instance.mirror.read(|held| {
        let mut titled = held.rules.titled(&rule.folder_uid, &rule.title);
        titled.find(|r| r.uid != rule.uid).cloned()
    });
    let Some(holder) = holder else { return Ok(()) };
    let conflict = |message| Failure::new(Reason::Conflict, message, Retry::After(LOOK_AGAIN));
    let Some((namespace, name)) = holder
        .owner
        .as_deref()
        .and_then(|label| instance.owners.resource(label))
    else {
        let cure = formerly(object, instance, holder.owner.as_deref())
            .unwrap_or_else(|| "choose another title or folder".to_owned());
        return Err(conflict(format!(
            "spec.title: Grafana's rule {} has the title {:?} in the same folder and isn't ours; {cure}",
            holder.uid, rule.title
        )));
    };
    if context
        .stores
        .rules
        .get(&ObjectRef::new(name).within(namespace))
        .is_none()
    {
        return Err(conflict(format!(
            "spec.title: Grafana's rule {} has the title {:?} in the same folder; AlertRule {namespace}/{name}, which made it, isn't there. Delete the rule in Grafana, or choose another title or folder",
            holder.uid, rule.title
        )));
    }
    let (place, folder) = (
        context.claims.place(object.instance()),
        context.claims.folder(object),
    );
    let wants = |title: &str| {
        let key = Key::Title(place.clone(), folder.clone(), title.to_owned());
        context.claims.is_claimed_by::<AlertRule>(&key, namespace, name)
    };
    let is_ring = found.is_some_and(|found| {
        let at = |title: String| Key::Title(place.clone(), folder.clone(), title);
        leads_to(found, &rule.folder_uid, context, instance, (namespace, name), at)
    });
    if wants(&rule.title) || (!is_ring && is_stuck(context, object.instance(), namespace, name)) {
        // The holder may be younger and without a right to it, but nobody takes from it what it has.
        return Err(conflict(format!(
            "spec.title: AlertRule {namespace}/{name} still has this title in the same folder; choose another title or folder for one of the two"
        )));
    }
    context.triggers.rules.one(namespace, name);
    if let Some(found) = found.filter(|_| is_ring) {
        let aside = model::AlertRule {
            title: format!("{} ({})", rule.title, rule.uid),
            provenance: found.provenance.clone(),
            ..rule.clone()
        };
        mirrored::put(context, instance, turn, &aside, Some(found), false).await?;
    }
    Err(Failure::again(format!(
        "the title is still with {namespace}/{name}"
    )))
}

/// Whether the title that a resource wants is this rule's, or is with another one that waits for it: they swap titles, or pass them on in a ring. Each of
/// them may have said by now that it waits, so that one is in conflict doesn't count.
fn leads_to(
    rule: &FoundRule,
    folder_uid: &str,
    context: &Context,
    instance: &Instance,
    (namespace, name): (&str, &str),
    here: impl Fn(String) -> Key,
) -> bool {
    let mut waits = (namespace.to_owned(), name.to_owned());
    for _ in 0..RING {
        let key = ObjectRef::new(&waits.1).within(&waits.0);
        let Some(resource) = context.stores.rules.at(&key, &instance.name) else {
            return false;
        };
        // One that is wrong by itself would never take it.
        if why_not(&resource).is_some_and(|reason| reason != Reason::Conflict.as_str()) {
            return false;
        }
        let title = rule::title(&resource.spec, resource.id()).to_owned();
        // In another folder it is in nobody's way here.
        let wanted = here(title.clone());
        if !context
            .claims
            .is_claimed_by::<AlertRule>(&wanted, &waits.0, &waits.1)
        {
            return false;
        }
        let owner = instance.mirror.read(|held| {
            let mut titled = held.rules.titled(folder_uid, &title);
            titled.find_map(|holder| {
                let is_this = holder.uid == rule.uid;
                let owner = holder
                    .owner
                    .as_deref()
                    .and_then(|mark| instance.owners.resource(mark));
                let owner = owner.map(|(namespace, name)| (namespace.to_owned(), name.to_owned()));
                (is_this || owner.as_ref().is_some_and(|owner| *owner != waits)).then_some((is_this, owner))
            })
        });
        match owner {
            Some((true, _)) => return true,
            Some((false, Some(next))) => waits = next,
            _ => return false,
        }
    }
    false
}

/// Whether the last pass over a resource found that it can't be carried out as it is.
fn is_stuck(context: &Context, instance: &str, namespace: &str, name: &str) -> bool {
    let key = ObjectRef::new(name).within(namespace);
    let holder = context.stores.rules.at(&key, instance);
    holder.is_none_or(|holder| why_not(&holder).is_some())
}

/// The reason why a resource can't be carried out as it is now, if its last pass found one.
fn why_not(resource: &AlertRule) -> Option<String> {
    let status = resource.status.as_ref()?;
    let ready = condition::ready(&status.conditions)?;
    let is_stuck = ready.status == "False" && ready.observed_generation == resource.metadata.generation;
    is_stuck.then(|| ready.reason.clone())
}

/// What helps where a rule carries this very resource's mark under an owner id that isn't known to be a former one, as in a cluster that was
/// built anew.
pub(super) fn formerly(object: &AlertRule, instance: &Instance, mark: Option<&str>) -> Option<String> {
    let (owner, resource) = mark?.split_once('/')?;
    (resource.split_once('/')? == (object.ns(), object.id())).then(|| {
        format!(
            "an operator with the owner id {owner} made it for this very resource. If that was this one, name {owner} in spec.previousOwnerIDs of GrafanaInstance {}, and the rule is taken over; else choose another title or folder",
            instance.name
        )
    })
}
