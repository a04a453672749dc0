//! Contact points.

use std::collections::HashSet;

use crate::controller::connection::Instance;
use crate::controller::instance::changed::Changed;
use crate::controller::instance::resend::Undone;
use crate::controller::instance::watch::{Begun, Watchable};
use crate::grafana::api::Answer;
use crate::grafana::mirror::{Collection, Held, Lookup, Part};
use crate::grafana::model::{ContactPoint, Found};
use crate::grafana::{self, Grafana};

/// Returns the names of what changed, with what of it nobody of us has written, and how it goes on.
pub(super) async fn read(instance: &Instance) -> grafana::Result<((Vec<String>, Undone), Option<Begun>)> {
    let poll = instance.mirror.write(|held| held.contact_points.begin_poll());
    let listed = instance.grafana.contact_points.list().await?;
    let found = listed.items.into_iter().map(ContactPoints::known);
    Ok(instance.mirror.write(|held| {
        let before: HashSet<String> = held.contact_points.polled_keys().cloned().collect();
        let (changed, watched) = held.contact_points.finish_list(poll, found);
        let is_gone = |name: &&String| {
            before.contains(*name) && matches!(held.contact_points.lookup(*name), Lookup::Absent)
        };
        let undone = Undone {
            gone_contact_points: changed.iter().filter(is_gone).cloned().collect(),
            ..Undone::default()
        };
        let begun = listed
            .watch
            .map(|watch| Begun::of::<ContactPoints>(watched, watch));
        ((changed, undone), begun)
    }))
}

/// Contact points, as they are watched.
struct ContactPoints;

impl Watchable for ContactPoints {
    type Key = String;
    type Item = Found<ContactPoint>;
    type Value = Found<ContactPoint>;
    type Mirrored = Collection<String, Found<ContactPoint>>;
    const PART: Part = Part::ContactPoints;

    fn known(found: Found<ContactPoint>) -> (String, Found<ContactPoint>) {
        (found.object.name.clone(), found)
    }

    fn mirrored(held: &mut Held) -> &mut Self::Mirrored {
        &mut held.contact_points
    }

    fn look<'a>(grafana: &'a Grafana, name: &'a String) -> Answer<'a, Option<Found<ContactPoint>>> {
        grafana.contact_points.get(name)
    }

    fn changed(_: &Held, names: Vec<String>) -> Changed {
        Changed {
            contact_points: names,
            ..Changed::default()
        }
    }

    fn undone(held: &Held, name: &String, now: Option<&Found<ContactPoint>>) -> Undone {
        let is_gone = now.is_none() && held.contact_points.polled(name).is_some();
        Undone {
            gone_contact_points: Vec::from_iter(is_gone.then(|| name.clone())),
            ..Undone::default()
        }
    }
}
