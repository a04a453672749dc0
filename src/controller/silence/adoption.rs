//! Taking over a silence that somebody made by hand. Its matchers are the wished ones: with others it would be another silence.

use jiff::Timestamp;

use crate::api::condition::Reason;
use crate::api::{ANNOTATION_ADOPT, Silence};
use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::domain::refusal::Refusal;
use crate::domain::silence::{self, Wish};
use crate::grafana::wire::{Silence as WireSilence, SilenceMatcher};

/// Of the silences that somebody made by hand the one that a resource asks to take over: by its id, or by `true` one with equal matchers.
pub(super) fn asked(
    object: &Silence,
    instance: &Instance,
    wish: &Wish,
    known: Option<&str>,
    now: Timestamp,
) -> Result<Option<WireSilence>, Failure> {
    let is_same = |found: &WireSilence| found.matchers == wish.matchers;
    let asked = object
        .annotation(ANNOTATION_ADOPT)
        .filter(|_| instance.allows_adoption(object.ns()));
    match asked {
        None => Ok(None),
        Some("true") => Ok(instance.mirror.read(|held| {
            let all = held.silences.iter().map(|(_, found)| found);
            all.filter(|found| is_strangers(found, now) && is_same(found))
                .max_by_key(|found| (found.ends_at, found.id.clone()))
                .cloned()
        })),
        Some(id) => match by_id(instance, id, now) {
            Some(found) if is_same(&found) => Ok(Some(found)),
            Some(found) => Err(Refusal::new(
                Reason::NotOwned,
                format!(
                    "annotation {ANNOTATION_ADOPT}: Grafana's silence {id} has the matchers {}, and this resource asks for {}: other matchers are another silence. Write the same, in a namespace that may cover others' alerts if it does",
                    texts(&found.matchers),
                    texts(&wish.matchers)
                ),
            )
            .into()),
            // One that was taken over and is gone is written anew, as any other.
            None if known.is_some() => Ok(None),
            None => Err(Refusal::missing(format!(
                "annotation {ANNOTATION_ADOPT}: Grafana has no silence {id} that somebody made by hand and that isn't over; give its id, or true for one with equal matchers"
            ))
            .into()),
        },
    }
}

/// The silence of somebody else's that a resource has taken over and that is still as it was: nothing in Grafana says so, but the resource's
/// status has its id.
pub(super) fn taken_over(object: &Silence, instance: &Instance, now: Timestamp) -> Option<WireSilence> {
    let status = object.status.as_ref()?;
    let found = by_id(instance, status.id.as_deref()?, now)?;
    let matchers: Vec<String> = found.matchers.iter().map(silence::matcher_text).collect();
    (matchers == status.matchers).then_some(found)
}

fn by_id(instance: &Instance, id: &str, now: Timestamp) -> Option<WireSilence> {
    let found = instance.mirror.read(|held| held.silences.lookup(id).cloned());
    found.present().filter(|found| is_strangers(found, now))
}

fn is_strangers(found: &WireSilence, now: Timestamp) -> bool {
    silence::is_strangers(found) && silence::is_living(found, now)
}

fn texts(matchers: &[SilenceMatcher]) -> String {
    let texts: Vec<_> = matchers.iter().map(silence::matcher_text).collect();
    texts.join(", ")
}
