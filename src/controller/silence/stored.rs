//! The silences in Grafana that a resource has made, and the calls that change them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::info;

use super::listed;
use crate::api::Silence;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::domain::silence::{self, Decision, Wish};
use crate::grafana::mirror::{Lookup, Subject};
use crate::grafana::turns::Turn;
use crate::grafana::wire::{Silence as WireSilence, SilenceState, SilenceStatus};

/// Who the silences of a resource say has made them: with the present owner id, and with former ones.
pub(super) fn authors(object: &Silence, instance: &Instance) -> Vec<String> {
    let owners = instance.owners.all();
    owners
        .map(|owner| owner.silence_author(object.ns(), object.id()))
        .collect()
}

/// Asks Grafana for a silence that the mirror doesn't know: the mirror may have been read before it was written. Whether there is
/// one, and it is ours.
pub(super) async fn look_up(instance: &Instance, id: &str, authors: &[String]) -> Result<bool, Failure> {
    let found = as_stored(instance, id).await?;
    let found = found.filter(|found| authors.contains(&found.created_by));
    Ok(found.map(|found| note(instance, id, found)).is_some())
}

/// Asks Grafana for a silence of somebody else's that the mirror doesn't know: it may have been made since the last look.
pub(super) async fn look_up_strangers(
    instance: &Instance,
    id: &str,
    now: Timestamp,
) -> Result<Option<WireSilence>, Failure> {
    // What is no name can't be asked for.
    if matches!(id, "" | "." | "..") {
        return Ok(None);
    }
    let found = as_stored(instance, id).await?;
    let found = found.filter(|found| silence::is_strangers(found) && silence::is_living(found, now));
    Ok(found.map(|found| note(instance, id, found)))
}

/// Tells the mirror of a silence as Grafana shows it.
fn note(instance: &Instance, id: &str, mut found: WireSilence) -> WireSilence {
    found.matchers.sort();
    found.updated_at = None;
    instance
        .mirror
        .write(|held| held.silences.written(id.to_owned(), Some(found.clone())));
    found
}

/// The silences in Grafana that this resource has made.
pub(super) fn ours(instance: &Instance, authors: &[String]) -> Vec<WireSilence> {
    instance.mirror.read(|held| {
        let all = authors.iter().flat_map(|author| held.silences.in_group(author));
        all.cloned().collect()
    })
}

/// So much later than a moment it is surely past.
const SURELY: Duration = Duration::from_millis(100);

pub(super) async fn apply(
    object: &Silence,
    instance: &Arc<Instance>,
    turn: &Turn,
    wish: Option<&Wish>,
    decision: Decision,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let (id, superfluous) = match (decision, wish) {
        (Decision::Keep { id, expire }, _) => (Some(id), expire),
        (Decision::Write { update, expire }, Some(wish)) => {
            let update = match update {
                Some(id) => as_stored(instance, &id).await?,
                None => None,
            };
            let body = silence::body(wish, update.as_ref(), now);
            let sent = (&wish.matchers, wish.starts_at, wish.ends_at, &wish.comment);
            let over = |failure| until_over(failure, wish, now);
            let attempt = instance.refused.attempt(&wish.author, &sent, Instant::now());
            let attempt = attempt.map_err(over)?;
            let id = attempt.ended(put(instance, turn, body).await, Instant::now());
            let id = id.map_err(over)?;
            info!(namespace = object.ns(), name = object.id(), id, until = %wish.ends_at, "silence written");
            (Some(id), expire)
        }
        (Decision::Write { .. }, None) => (None, Vec::new()),
        (Decision::Expired { expire }, _) => (None, expire),
    };
    for superfluous in superfluous.iter().filter(|other| Some(*other) != id.as_ref()) {
        expire(instance, turn, superfluous).await?;
    }
    Ok(id)
}

/// How long until a moment is surely past.
pub(super) fn past(moment: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(moment.duration_since(now)).unwrap_or_default() + SURELY
}

/// The same failure of what isn't simply tried again, tried again no later than when the silence is over: what Grafana holds of it may end later
/// than the refused write asked for.
fn until_over(mut failure: Failure, wish: &Wish, now: Timestamp) -> Failure {
    let over = past(wish.ends_at, now);
    failure.retry = match failure.retry {
        Retry::OnChange => Retry::After(over),
        Retry::After(later) => Retry::After(later.min(over)),
        again @ (Retry::Backoff | Retry::Soon) => again,
    };
    failure
}

/// The silence as Grafana holds it. It moves a start in the past to its own now, and takes an update with another start for
/// another silence, so what is remembered of our own write isn't good enough.
async fn as_stored(instance: &Instance, id: &str) -> Result<Option<WireSilence>, Failure> {
    let found = instance.grafana.silences.get(id).await;
    let found = found.map_err(|e| instance.suspect(e.into()))?;
    Ok(found.filter(|silence| silence.state() != Some(SilenceState::Expired)))
}

pub(super) async fn put(instance: &Arc<Instance>, turn: &Turn, body: WireSilence) -> Result<String, Failure> {
    let author = body.created_by.clone();
    let sent = body.clone();
    let put = instance.write(
        turn.clone(),
        Subject::SilencesOf(author.clone()),
        |grafana| async move { grafana.silences.put(&sent).await },
        move |held, id: &String| {
            if let Some(old) = body.id.as_ref().filter(|old| *old != id) {
                held.silences.unknown(old.clone());
            }
            let has_begun = body.starts_at <= Timestamp::now();
            let state = if has_begun {
                SilenceState::Active
            } else {
                SilenceState::Pending
            };
            let mut stored = body;
            stored.id = Some(id.clone());
            stored.matchers.sort();
            stored.status = Some(SilenceStatus { state });
            held.silences.written(id.clone(), Some(stored));
            held.has_read_of(&author);
        },
    );
    put.await.map_err(|e| instance.suspect(e.into()))
}

/// Ends a silence that has no resource.
pub(in crate::controller) async fn end(instance: &Arc<Instance>, id: &str) -> Result<(), Failure> {
    let known = instance.mirror.read(|held| held.silences.lookup(id).cloned());
    let Some(found) = known.present() else {
        return Ok(());
    };
    let turn = instance.object(&found.created_by).await;
    expire(instance, &turn, id).await
}

/// Ends all silences that a resource has made, and no others that it has taken over.
pub(in crate::controller) async fn end_all(
    object: &Silence,
    context: &Context,
    instance: &Arc<Instance>,
) -> Result<(), Failure> {
    let authors = authors(object, instance);
    let turn = instance
        .object(&instance.owners.now().silence_author(object.ns(), object.id()))
        .await;
    listed::ensure(object, context, instance, &authors).await?;
    for found in ours(instance, &authors) {
        if let Some(id) = found
            .id
            .as_ref()
            .filter(|_| found.state() != Some(SilenceState::Expired))
        {
            expire(instance, &turn, id).await?;
        }
    }
    Ok(())
}

/// Whether a resource has silences in Grafana that have yet to end.
pub(in crate::controller) fn has_any(object: &Silence, instance: &Instance) -> bool {
    let all = ours(instance, &authors(object, instance));
    all.iter()
        .any(|found| found.state() != Some(SilenceState::Expired))
}

pub(super) async fn expire(instance: &Arc<Instance>, turn: &Turn, id: &str) -> Result<(), Failure> {
    let known = instance.mirror.read(|held| held.silences.lookup(id).cloned());
    let author = known.as_ref().present().map(|s| s.created_by.clone());
    let (id, key) = (id.to_owned(), id.to_owned());
    let expired = instance.write(
        turn.clone(),
        Subject::SilencesOf(author.clone().unwrap_or_default()),
        |grafana| async move { grafana.silences.expire(&id).await },
        move |held, ()| {
            if let Lookup::Present(found) = known {
                let status = Some(SilenceStatus {
                    state: SilenceState::Expired,
                });
                held.silences.written(key, Some(WireSilence { status, ..found }));
            }
            held.has_read_of(&author.unwrap_or_default());
        },
    );
    expired.await.map_err(|e| instance.suspect(e.into()))
}
