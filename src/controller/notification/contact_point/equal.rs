//! Integrations of somebody else's that are equal to what a resource asks for, and became its: they keep their uids, which are remembered.

use tracing::info;

use super::look::{self, fresh, integrations};
use crate::api::ContactPoint;
use crate::cluster::memory::Remembered;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::notification::maker::makers;
use crate::controller::pass;
use crate::domain::notification::contact_point::Integration;
use crate::domain::notification::contact_point::decision::{self, Comparison};
use crate::domain::ownership::{Owners, is_derived};
use crate::domain::tenancy::Adoption;
use crate::grafana::model::{self, Found};

/// The uids that the integrations of a contact point have, or would have.
pub(in crate::controller::notification) fn uids(
    memory: &Remembered,
    mut derived: Vec<String>,
) -> Vec<String> {
    for uid in &mut derived {
        if let Some(kept) = memory.kept_uids.get(uid) {
            uid.clone_from(kept);
        }
    }
    derived
}

/// Has integrations that are to be made for a resource have the uids that they have.
pub(super) fn keep_uids(memory: &Remembered, wish: &mut [Integration]) {
    for integration in wish {
        if let Some(kept) = memory.kept_uids.get(&integration.sent.uid) {
            integration.sent.uid.clone_from(kept);
        }
    }
}

/// Whether an integration is a resource's: it was made for that, or has become its as it was.
pub(super) fn is_own(
    memory: &Remembered,
    found: &model::Integration,
    owners: &Owners,
    resource: (&str, &str),
) -> bool {
    let with_uid = |uid: &String| model::Integration {
        uid: uid.clone(),
        r#type: found.r#type.clone(),
        ..model::Integration::default()
    };
    let mut kept = memory.kept_uids.iter().filter(|(_, kept)| **kept == found.uid);
    decision::is_made_for(found, owners, resource)
        || kept.any(|(derived, _)| decision::is_made_for(&with_uid(derived), owners, resource))
}

/// Makes somebody else's contact point the resource's where it is equal, and nothing is written. Where Grafana hides something of it, it is only where it is to be
/// taken over: what is hidden is sent then, and nothing else. Says whether it was that.
pub(super) async fn claim(
    object: &ContactPoint,
    instance: &Instance,
    context: &Context,
    (name, wish): (&str, &[Integration]),
) -> Result<bool, Failure> {
    let memory = instance.memory()?;
    // Of what Grafana has had from this resource nothing is to be claimed.
    let is_new = memory.read(|memory| {
        let mut wished = wish.iter().map(|i| &i.sent.uid);
        !wished.any(|uid| memory.sent.contains_key(uid) || memory.kept_uids.contains_key(uid))
    });
    if !is_new {
        return Ok(false);
    }
    let equal = |found: Option<&Found<model::ContactPoint>>| {
        // What is provisioned by other means could be neither changed nor deleted here.
        let is_provisioned = found
            .and_then(|found| found.provenance.as_deref())
            .is_some_and(|by| !matches!(by, "" | "api"));
        let found = integrations(found);
        let is_theirs = |i: &model::Integration| {
            // What another operator has made stays that one's.
            !i.uid.is_empty() && !is_derived(&i.uid)
        };
        let is_kept = |memory: &Remembered| {
            let mut kept = memory.kept_uids.values();
            kept.any(|kept| found.iter().any(|i| i.uid == *kept))
        };
        if is_provisioned || found.is_empty() || !found.iter().all(is_theirs) || memory.read(is_kept) {
            return None;
        }
        match decision::compare(wish, found) {
            Comparison::Equal { uids, hidden } => {
                let is_allowed = match instance.adoption(object) {
                    Adoption::Asked => true,
                    Adoption::Equal => hidden.is_empty(),
                    Adoption::Forbidden => false,
                };
                is_allowed.then_some((uids, !hidden.is_empty()))
            }
            Comparison::Other(_) => None,
        }
    };
    // What isn't known, or is to be read anew, is looked at.
    let known = look::known(instance, name);
    if !known.is_unknown() && !pass::is_asked(object) && equal(known.as_ref().present()).is_none() {
        return Ok(false);
    }
    let _turn = instance.rights.notifications.lock().await;
    let found = fresh(instance, name).await?;
    let Some((uids, is_hidden)) = equal(found.as_ref()) else {
        return Ok(false);
    };
    if !makers(name, integrations(found.as_ref()), instance, context).is_empty() {
        return Ok(false);
    }
    let note = |memory: &mut Remembered| {
        for (integration, uid) in wish.iter().zip(&uids) {
            memory.kept_uids.insert(integration.sent.uid.clone(), uid.clone());
            if !is_hidden {
                let mut kept = integration.clone();
                kept.sent.uid.clone_from(uid);
                let code = memory.code(&decision::message(name, &kept));
                memory.sent.insert(uid.clone(), code);
            }
        }
    };
    memory.update(note).await?;
    instance
        .mirror
        .write(|held| held.contact_points.written(name.to_owned(), found));
    let (namespace, resource) = (object.ns(), object.id());
    info!(
        namespace,
        name = resource,
        is_hidden,
        "equal contact point taken over"
    );
    Ok(is_hidden)
}
