//! What Grafana holds under a contact point's name.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::api::ContactPoint;
use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::grafana::mirror::{Lookup, PointsSeen};
use crate::grafana::model::{self, Found};
use crate::grafana::turns::Turn;

pub(super) fn integrations(found: Option<&Found<model::ContactPoint>>) -> &[model::Integration] {
    found.map_or(&[], |found| &found.object.integrations)
}

/// What Grafana holds under this name, as far as is known.
pub(super) fn known(instance: &Instance, name: &str) -> Lookup<Found<model::ContactPoint>> {
    instance
        .mirror
        .read(|held| held.contact_points.lookup(name).cloned())
}

/// What Grafana holds under this name right now.
pub(super) async fn fresh(
    instance: &Instance,
    name: &str,
) -> Result<Option<Found<model::ContactPoint>>, Failure> {
    let found = instance.grafana.contact_points.get(name).await;
    found.map_err(|e| instance.suspect(e.into()))
}

/// Looks at what Grafana holds under this name if nothing is known of it. Whoever asks has the right to write, so no write is under way.
pub(in crate::controller::notification) async fn know(
    instance: &Instance,
    name: &str,
) -> Result<(), Failure> {
    if known(instance, name).is_unknown() {
        let found = fresh(instance, name).await?;
        instance
            .mirror
            .write(|held| held.contact_points.written(name.to_owned(), found));
    }
    Ok(())
}

/// What Grafana holds under a name that is to be given to a new contact point. Those that are made together share one look at all there are, if it isn't older than the resource: who
/// takes one of their names after it is found by [`after_write`].
pub(super) async fn before_first_write(
    instance: &Instance,
    name: &str,
    object: &ContactPoint,
) -> Result<Option<Found<model::ContactPoint>>, Failure> {
    let is_free = match &mut *instance.points_seen.lock() {
        Some(look) => look.lacks(name, Instant::now(), age(object)),
        None => false,
    };
    if is_free {
        return Ok(None);
    }
    see_all(instance, name).await
}

/// How long a resource has been there, to the second.
fn age(object: &ContactPoint) -> Option<Duration> {
    let created = object.metadata.creation_timestamp.as_ref()?;
    let age = Timestamp::now().duration_since(created.0);
    Some(Duration::try_from(age).unwrap_or_default())
}

/// Gives the right to write back and has it again, and looks at what Grafana then holds under a name. Those that wait have their writes first, so that
/// one look shows what became of all of them.
pub(super) async fn after_write(
    instance: &Instance,
    turn: Turn,
    name: &str,
) -> Result<(Turn, Option<Found<model::ContactPoint>>), Failure> {
    let written = Instant::now();
    drop(turn);
    if let Some(turn) = instance.rights.notifications.try_lock() {
        return Ok((turn, fresh(instance, name).await?));
    }
    let turn = instance.rights.notifications.lock().await;
    let seen = match &*instance.points_seen.lock() {
        Some(look) => look.since(name, written),
        None => None,
    };
    let found = match seen {
        Some(found) => found,
        None => see_all(instance, name).await?,
    };
    Ok((turn, found))
}

/// Looks at all there are, for others too, and says what it finds of this name.
async fn see_all(instance: &Instance, name: &str) -> Result<Option<Found<model::ContactPoint>>, Failure> {
    let began = Instant::now();
    let all = instance.grafana.contact_points.list().await;
    let all = all.map_err(|e| instance.suspect(e.into()))?.items;
    let look = PointsSeen::new(began, all);
    let found = look.since(name, began).flatten();
    *instance.points_seen.lock() = Some(look);
    Ok(found)
}
