//! Taking over a silence that somebody made by hand. Its matchers are the wished ones: with others it would be another silence. It becomes one
//! resource's, the oldest of those that ask for it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::api::condition::Reason;
use crate::api::{ANNOTATION_ADOPT, Silence};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::silence::stored::look_up_strangers;
use crate::domain::claims::Claimant;
use crate::domain::refusal::Refusal;
use crate::domain::silence::{self, Wish};
use crate::grafana::wire::{Silence as WireSilence, SilenceMatcher};

/// What is found for a resource that asks to take over a silence.
#[derive(Default)]
pub(super) struct Asked {
    /// The silence.
    pub(super) found: Option<WireSilence>,
    /// That there is one like it, which is another resource's.
    pub(super) beside: Option<String>,
}

/// Of the silences that somebody made by hand the one that a resource asks to take over: by its id, or by `true` one with equal matchers that
/// is nobody else's.
pub(super) async fn asked(
    object: &Silence,
    context: &Context,
    instance: &Instance,
    wish: &Wish,
    known: Option<&str>,
    now: Timestamp,
) -> Result<Asked, Failure> {
    let is_same = |found: &WireSilence| found.matchers == wish.matchers;
    let claim = |id: &str| claim(object, context, instance, (id, &wish.matchers), now);
    let Some(asked) = wants(object, instance) else {
        return Ok(Asked::default());
    };
    if asked == "true" {
        let mut all: Vec<WireSilence> = instance.mirror.read(|held| {
            let all = held.silences.iter().map(|(_, found)| found);
            let all = all.filter(|found| is_strangers(found, now) && is_same(found));
            all.cloned().collect()
        });
        all.sort_by_key(|found| Reverse((found.ends_at, found.id.clone())));
        let mut beside = None;
        for found in all {
            let id = found.id.as_deref().unwrap_or_default();
            match claim(id) {
                Ok(()) => {
                    return Ok(Asked {
                        found: Some(found),
                        beside: None,
                    });
                }
                Err(older) => {
                    let path = older.path();
                    beside = Some(format!(
                        "Grafana's silence {id} has equal matchers and is the older Silence {path}'s, so this one is written beside it"
                    ));
                }
            }
        }
        return Ok(Asked { found: None, beside });
    }
    let found = match by_id(instance, asked, now) {
        None if known != Some(asked) => look_up_strangers(instance, asked, now).await?,
        found => found,
    };
    let may_have_it = match &found {
        Some(found) => is_same(found),
        // Whoever has it may have marked it since.
        None => has_another(object, context, instance, asked),
    };
    if !may_have_it {
        // Who can't have it stands in nobody's way.
        settle(object, context, None);
    } else if let Err(older) = claim(asked) {
        return Err(Failure::new(
            Reason::Conflict,
            format!(
                "annotation {ANNOTATION_ADOPT}: Silence {} is older and has Grafana's silence {asked}; name another one, or take the annotation away for a silence of its own",
                older.path()
            ),
            Retry::OnChange,
        ));
    }
    match found {
        Some(found) if is_same(&found) => Ok(Asked {
            found: Some(found),
            beside: None,
        }),
        Some(found) => Err(Refusal::new(
            Reason::NotOwned,
            format!(
                "annotation {ANNOTATION_ADOPT}: Grafana's silence {asked} has the matchers {}, and this resource asks for {}: other matchers are another silence. Write the same, in a namespace that may cover others' alerts if it does",
                texts(&found.matchers),
                texts(&wish.matchers)
            ),
        )
        .into()),
        // One that was taken over and is gone is written anew, as any other.
        None if known.is_some() => Ok(Asked::default()),
        None => Err(Refusal::missing(format!(
            "annotation {ANNOTATION_ADOPT}: Grafana has no silence {asked} that somebody made by hand and that isn't over; give its id, or true for one with equal matchers"
        ))
        .into()),
    }
}

/// The silence of somebody else's that a resource has taken over and that is still as it was: nothing in Grafana says so, but the resource's
/// status has its id.
pub(super) fn taken_over(
    object: &Silence,
    context: &Context,
    instance: &Instance,
    now: Timestamp,
) -> Option<WireSilence> {
    let status = object.status.as_ref()?;
    let id = status.id.as_deref()?;
    let found = by_id(instance, id, now)?;
    let matchers: Vec<String> = found.matchers.iter().map(silence::matcher_text).collect();
    let is_as_it_was = matchers == status.matchers;
    (is_as_it_was && claim(object, context, instance, (id, &found.matchers), now).is_ok()).then_some(found)
}

/// Lets go of the silence that a resource has asked for, if it is another one's that stands for it now.
pub(super) fn settle(object: &Silence, context: &Context, id: Option<&str>) {
    if context.claims.asks(object).as_deref() != id {
        tell(context.claims.ask(object, None), context);
    }
}

/// Whether another resource has the silence with this id.
fn has_another(object: &Silence, context: &Context, instance: &Instance, id: &str) -> bool {
    let stored = By::Stored {
        instance: instance.name.clone(),
        id: id.to_owned(),
    };
    let all = context.stores.silences.by(&stored);
    all.iter().any(|other| !is_self(object, other))
}

fn is_self(object: &Silence, other: &Silence) -> bool {
    (other.ns(), other.id()) == (object.ns(), object.id())
}

/// Notes who asks for a silence that somebody made by hand. Fails with the older resource that does.
fn claim(
    object: &Silence,
    context: &Context,
    instance: &Instance,
    (id, matchers): (&str, &[SilenceMatcher]),
    now: Timestamp,
) -> Result<(), Claimant> {
    let mut concerned: BTreeSet<Claimant> = context.claims.ask(object, Some(id)).into_iter().collect();
    let asking = |asked: &str| By::Adopting {
        instance: instance.name.clone(),
        asked: asked.to_owned(),
    };
    let stored = By::Stored {
        instance: instance.name.clone(),
        id: id.to_owned(),
    };
    let all = [stored, asking(id), asking("true")].into_iter();
    for other in all.flat_map(|by| context.stores.silences.by(&by)) {
        if !is_self(object, &other) && asks_for(&other, context, instance, (id, matchers), now) {
            concerned.extend(context.claims.ask(&other, Some(id)));
        }
    }
    concerned.retain(|other| (other.namespace.as_str(), other.name.as_str()) != (object.ns(), object.id()));
    tell(concerned, context);
    let key = Key::Silence(context.claims.place(&instance.name), id.to_owned());
    context
        .claims
        .ahead(&key, object)
        .map_or(Ok(()), |(older, _)| Err(older))
}

fn tell(concerned: impl IntoIterator<Item = Claimant>, context: &Context) {
    for other in concerned {
        context.triggers.silences.one(&other.namespace, &other.name);
    }
}

/// Whether a resource has a silence that somebody made by hand, or would take it.
fn asks_for(
    other: &Silence,
    context: &Context,
    instance: &Instance,
    (id, matchers): (&str, &[SilenceMatcher]),
    now: Timestamp,
) -> bool {
    if let Some(stored) = other.status.as_ref().and_then(|status| status.id.as_deref()) {
        return stored == id;
    }
    let may_be_meant = match wants(other, instance).filter(|_| !other.is_suspended()) {
        Some("true") => context.claims.asks(other).is_none_or(|asked| asked == id),
        asked => asked == Some(id),
    };
    let could_have_it = || {
        let (selection, _) = other.select(context, instance);
        let wish = silence::wish(&other.spec, &selection, &other.around(instance, now));
        matches!(wish, Ok(Some(wish)) if wish.matchers == matchers && wish.ends_at > now)
    };
    may_be_meant && could_have_it()
}

/// What a resource says of what it would take over, if it may.
fn wants<'a>(object: &'a Silence, instance: &Instance) -> Option<&'a str> {
    object
        .annotation(ANNOTATION_ADOPT)
        .filter(|_| instance.allows_adoption(object.ns()))
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
