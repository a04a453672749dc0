//! In which states Grafana held contact points after our writes. In another one somebody has stored something else, and it may be a secret, of
//! which nothing else tells.

use tracing::warn;

use crate::cluster::answer::chain;
use crate::cluster::memory::{Remembered, Seen};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::notification::maker::makers;
use crate::grafana::api::{Api, Concern};
use crate::grafana::model::{ContactPoint, Found, Revision};

/// What calls the states so, if anything does: a version of Grafana and of its API. Another one may have other names for them.
pub(in crate::controller) fn by(instance: &Instance) -> Option<String> {
    let version = instance.facts().ok()?.version_text;
    let mut apis = instance.grafana.apis.capabilities().apis;
    match apis.remove(&Concern::Notifications)? {
        Api::Platform(group_version) => Some(format!("{version} {group_version}")),
        Api::Provisioning => None,
    }
}

/// Whether a contact point is in another state than the one that is remembered.
pub(super) fn is_other(
    found: Option<&Found<ContactPoint>>,
    instance: &Instance,
    memory: &Remembered,
) -> bool {
    let known = found.and_then(|found| Some((&found.object.name, found.revision.as_ref()?)));
    let (Some((name, Revision(revision))), Some(by)) = (known, by(instance)) else {
        return false;
    };
    let seen = memory.revisions.get(name);
    seen.is_some_and(|seen| seen.by == by && seen.revision != *revision)
}

/// Whether Grafana is of the version that was read last; one that hides it says nothing else. An upgrade may be seen here first, and is nobody's
/// change.
pub(super) async fn is_as_read(instance: &Instance) -> Result<bool, Failure> {
    let health = instance.grafana.server.health().await;
    let version = health.map_err(|error| instance.suspect(error.into()))?.version;
    let known = instance.facts()?.version_text;
    Ok(version.is_none_or(|version| known.is_empty() || version == known))
}

/// What to call the state that a correction has left and calls this. Where a read right after it says otherwise, somebody may have stored something else in
/// between, and the next poll finds that; or reads have names of their own, and corrections would never end: so of two in a row the read has the last word.
pub(super) async fn after_correction(instance: &Instance, name: &str, told: &Revision) -> Revision {
    let found = instance.grafana.contact_points.get(name).await;
    let read = found.ok().flatten().and_then(|found| found.revision);
    let mut renamed = instance.renamed_states.lock();
    match read.filter(|read| read != told) {
        Some(read) if renamed.remove(name) => read,
        other => {
            if other.is_some() {
                renamed.insert(name.to_owned());
            } else {
                renamed.remove(name);
            }
            told.clone()
        }
    }
}

/// The state that is to be remembered after a write.
pub(super) fn after_write(revision: Option<&Revision>, instance: &Instance) -> Option<Seen> {
    Some(Seen {
        revision: revision?.0.clone(),
        by: by(instance)?,
    })
}

/// Remembers the states that a poll has shown of contact points of which none is remembered yet: ours from before there was a memory of it, or
/// from before Grafana was another. `before` is what called states so when the poll began.
pub(in crate::controller) async fn after_poll(
    instance: &Instance,
    context: &Context,
    before: Option<String>,
) {
    let (Ok(memory), Some(by)) = (instance.memory(), before) else {
        return;
    };
    if self::by(instance).as_ref() != Some(&by) {
        return;
    }
    let unnoted = || {
        let mut new = memory.read(|memory| unnoted(instance, memory, &by));
        // What goes through another GrafanaInstance, which has the same memory, is noted by that one's polls: this mirror may be older than its writes.
        new.retain(|(found, _)| {
            let object = &found.object;
            let makers = makers(&object.name, &object.integrations, instance, context);
            makers.iter().any(|maker| maker.instance() == instance.name)
        });
        new
    };
    if unnoted().is_empty() {
        return;
    }
    let _turn = instance.rights.notifications.lock().await;
    let new = unnoted();
    let noted = memory.update(|memory| {
        let states = new
            .iter()
            .map(|(found, seen)| (found.object.name.clone(), seen.clone()));
        memory.revisions.extend(states);
    });
    if let Err(error) = noted.await {
        warn!(
            instance = instance.name,
            error = chain(&error),
            "cannot remember in which state contact points are"
        );
    }
}

fn unnoted(instance: &Instance, memory: &Remembered, by: &str) -> Vec<(Found<ContactPoint>, Seen)> {
    instance.mirror.read(|held| {
        let polled = held.contact_points.polled_keys();
        let polled = polled.filter_map(|name| held.contact_points.polled(name));
        let ours = polled.filter(|found| found.object.uids().any(|uid| memory.sent.contains_key(uid)));
        let states = ours.filter_map(|found| {
            let known = memory.revisions.get(&found.object.name);
            let is_noted = known.is_some_and(|seen| seen.by == by);
            let Revision(revision) = found.revision.as_ref().filter(|_| !is_noted)?;
            let seen = Seen {
                revision: revision.clone(),
                by: by.to_owned(),
            };
            Some((found.clone(), seen))
        });
        states.collect()
    })
}
