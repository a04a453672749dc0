//! All silences of a Grafana, read in one call: by the poller, and for passes that can't rely on what it has read.

use std::collections::HashMap;

use crate::api::Silence;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::pass;
use crate::deadline::waiting;
use crate::grafana;
use crate::grafana::wire::Silence as WireSilence;

/// Ids of what differs from what was known, with the author where it is known.
pub(in crate::controller) type Changed = Vec<(String, Option<String>)>;

/// Reads all silences into the mirror.
pub(in crate::controller) async fn read(instance: &Instance) -> grafana::Result<Changed> {
    let poll = instance.mirror.write(|held| held.silences.begin_poll());
    let found = instance.grafana.silences.list().await?;
    let found = found.into_iter().filter_map(|mut silence| {
        // The order of matchers says nothing.
        silence.matchers.sort();
        silence.updated_at = None;
        Some((silence.id.clone()?, silence))
    });
    Ok(instance.mirror.write(|held| {
        let before: HashMap<String, String> = held
            .silences
            .iter()
            .map(|(id, s): (&String, &WireSilence)| (id.clone(), s.created_by.clone()))
            .collect();
        let changed = held.silences.finish_poll(poll, found);
        let author = |id: &String| {
            held.silences
                .lookup(id)
                .present()
                .map(|s| s.created_by.clone())
                .or_else(|| before.get(id).cloned())
        };
        changed
            .into_iter()
            .map(|id| {
                let author = author(&id);
                (id, author)
            })
            .collect()
    }))
}

/// Asks for a pass over the resources of silences that have changed.
pub(in crate::controller) fn trigger<'a>(
    instance: &Instance,
    context: &Context,
    changed: impl IntoIterator<Item = &'a (String, Option<String>)>,
) {
    let (triggers, silences) = (&context.triggers.silences, &context.stores.silences);
    for (id, author) in changed {
        let author = author.as_deref();
        if let Some((namespace, name)) = author.and_then(|a| instance.owners.silence_resource(a)) {
            triggers.one(namespace, name);
        } else {
            // Somebody else's, which a resource may have taken over.
            let holder = By::Stored {
                instance: instance.name.clone(),
                id: id.clone(),
            };
            triggers.all_by(silences, &holder);
        }
    }
}

/// Has all silences read where the answer of a write of these authors was lost, or somebody has asked for a pass over this resource. A new silence's id isn't
/// known without its answer, and what was taken over has another author, so there is nothing less to read; but one read is for all who want one by
/// the time it begins.
pub(super) async fn ensure(
    object: &Silence,
    context: &Context,
    instance: &Instance,
    authors: &[String],
) -> Result<(), Failure> {
    let is_lost = || {
        instance
            .mirror
            .read(|held| authors.iter().any(|author| held.is_unknown_of(author)))
    };
    let is_asked = pass::is_asked(object);
    if !is_asked && !is_lost() {
        return Ok(());
    }
    let mut served = waiting(instance.silences_served.lock()).await;
    let request = object.requested().filter(|_| is_asked);
    let is_served = request.is_none_or(|request| served.get(&id(object)).is_some_and(|it| it == request));
    if is_served && !is_lost() {
        return Ok(());
    }
    let asking = asking(context, instance);
    let changed = read(instance).await.map_err(|e| instance.suspect(e.into()))?;
    *served = asking;
    // This very pass sees what has become of its own.
    let is_own = |author: &Option<String>| author.as_ref().is_some_and(|author| authors.contains(author));
    trigger(
        instance,
        context,
        changed.iter().filter(|(_, author)| !is_own(author)),
    );
    Ok(())
}

/// The requests that stand, by namespace and name.
fn asking(context: &Context, instance: &Instance) -> HashMap<(String, String), String> {
    let all = context.stores.silences.by(&By::Instance(instance.name.clone()));
    let all = all.iter().filter(|silence| pass::is_asked(&***silence));
    all.filter_map(|silence| Some((id(silence), silence.requested()?.to_owned())))
        .collect()
}

fn id(object: &Silence) -> (String, String) {
    (object.ns().to_owned(), object.id().to_owned())
}
