//! What Grafana holds of a contact point, and its writes.

use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use kube::ResourceExt;
use tracing::info;

use crate::api::condition::Reason;
use crate::api::{ANNOTATION_RESEND, ContactPoint};
use crate::cluster::memory::{Remembered, Seen};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::notification::contact_point::revision;
use crate::controller::notification::maker::makers;
use crate::domain::notification::contact_point::Integration;
use crate::domain::notification::contact_point::decision::{self, Plan};
use crate::grafana::Grafana;
use crate::grafana::api::Provenance;
use crate::grafana::api::notifications::{ContactPointWrite, Sent};
use crate::grafana::mirror::{Lookup, PointsSeen, Subject};
use crate::grafana::model::{self, Found};
use crate::grafana::turns::Turn;

/// What became of a contact point.
#[derive(Default)]
pub(super) struct Synced {
    /// Whether anything was written.
    pub(super) is_written: bool,
    /// Those integrations of somebody else, by name, that had to go because the contact point was taken over.
    pub(super) taken: Option<String>,
}

/// Brings the integrations of this name to what is wished.
pub(super) async fn sync(
    object: &ContactPoint,
    instance: &Arc<Instance>,
    context: &Context,
    name: &str,
    wish: &[Integration],
    is_resend: bool,
    secret_texts: &[&str],
) -> Result<Synced, Failure> {
    let memory = instance.memory()?;
    let is_other = |found: Option<&Found<model::ContactPoint>>| {
        memory.read(|memory| revision::is_other(found, instance, memory))
    };
    // In another state than it was left in, nothing is known of what Grafana hides.
    let decide = |found: Option<&Found<model::ContactPoint>>, is_other: bool| {
        memory.read(|memory| {
            decision::decide(
                wish,
                integrations(found),
                is_resend,
                |found| decision::is_made_for(found, &instance.owners, (object.ns(), object.id())),
                |integration| !is_other && is_sent(memory, name, integration),
            )
        })
    };
    let known = known(instance, name);
    let held = known.as_ref().present();
    if !known.is_unknown() && decide(held, is_other(held)).is_done() {
        return Ok(Synced::default());
    }
    // A POST under a name that somebody else has just taken would join it, so the look is fresh.
    let (turn, found) = match (known, instance.rights.notifications.try_lock()) {
        (_, Some(turn)) => (turn, fresh(instance, name).await?),
        (known, None) => {
            let asked = Instant::now();
            let turn = instance.rights.notifications.lock().await;
            let found = match known {
                Lookup::Absent => fresh_for_all(instance, name, asked).await?,
                _ => fresh(instance, name).await?,
            };
            (turn, found)
        }
    };
    let is_other = is_other(found.as_ref()) && revision::is_as_read(instance).await?;
    let plan = decide(found.as_ref(), is_other);
    if plan.is_done() {
        instance
            .mirror
            .write(|held| held.contact_points.written(name.to_owned(), found));
        return Ok(Synced {
            is_written: true,
            taken: None,
        });
    }
    refuse_what_is_not_ours(
        object,
        instance,
        context,
        (name, integrations(found.as_ref())),
        &plan,
    )?;
    let messages: Vec<_> = wish.iter().map(|i| decision::message(name, i)).collect();
    let sent = (messages, object.annotation(ANNOTATION_RESEND));
    let attempt = instance
        .refused
        .attempt(format!("contact point {name}"), &sent, Instant::now())?;
    // Remembered before the writes: a crash in between leaves what is new to nobody, and nothing unsent that is sent only for its neighbours.
    let open = memory.read(|memory| {
        open(
            memory,
            (name, wish),
            integrations(found.as_ref()),
            &plan,
            is_other,
        )
    });
    if !open.is_empty() {
        memory
            .update(|memory| {
                memory
                    .sent
                    .extend(open.iter().map(|uid| (uid.clone(), String::new())));
            })
            .await?;
    }
    let lost = decision::names(integrations(found.as_ref()), &plan.foreign);
    let written = put(instance, &turn, name, wish, found, plan.changed).await;
    info!(
        namespace = object.ns(),
        name = object.name_any(),
        sent = written.sent.len(),
        deleted = written.gone.len(),
        "contact point written"
    );
    // What a write says of the state may not be what reads say: one that was made for the state alone leaves it to the next poll.
    let state = written.revision.as_ref().filter(|_| !is_other);
    let state = revision::after_write(state, instance);
    memory
        .update(|memory| remember(memory, name, wish, &written, state.as_ref()))
        .await?;
    let outcome = match written.failure {
        Some(error) => Err(instance.suspect(error.redact(secret_texts).into())),
        None => Ok(()),
    };
    attempt.ended(outcome, Instant::now())?;
    let is_taken_over = !plan.is_ours && !plan.foreign.is_empty();
    Ok(Synced {
        is_written: true,
        taken: is_taken_over.then_some(lost),
    })
}

/// How it is remembered that an integration was sent as it is.
fn code(memory: &Remembered, name: &str, integration: &Integration) -> String {
    memory.code(&decision::message(name, integration))
}

fn is_sent(memory: &Remembered, name: &str, integration: &Integration) -> bool {
    memory.sent.get(&integration.sent.uid) == Some(&code(memory, name, integration))
}

/// Those that are to be sent and that nothing but what is remembered would say it of after a crash.
fn open(
    memory: &Remembered,
    (name, wish): (&str, &[Integration]),
    found: &[model::Integration],
    plan: &Plan,
    is_other: bool,
) -> Vec<String> {
    let is_one_of_several = plan.changed.len() + plan.surplus.len() > 1;
    let is_open = |i: &&Integration| {
        if found.iter().any(|found| found.uid == i.sent.uid) {
            (is_one_of_several || is_other) && is_sent(memory, name, i)
        } else {
            !memory.sent.contains_key(&i.sent.uid)
        }
    };
    let changed = wish.iter().filter(|i| plan.changed.contains(&i.sent.uid));
    changed.filter(is_open).map(|i| i.sent.uid.clone()).collect()
}

/// Notes how far a write came, and in which state it has left the contact point.
fn remember(memory: &mut Remembered, name: &str, wish: &[Integration], written: &Sent, state: Option<&Seen>) {
    match state {
        Some(state) => drop(memory.revisions.insert(name.to_owned(), state.clone())),
        None if written.failure.is_none() => drop(memory.revisions.remove(name)),
        None => {}
    }
    for integration in wish.iter().filter(|i| written.sent.contains(&i.sent.uid)) {
        let code = code(memory, name, integration);
        memory.sent.insert(integration.sent.uid.clone(), code);
    }
    for uid in &written.gone {
        memory.sent.remove(uid);
    }
}

/// Fails if somebody else has made the contact point, and it isn't to be taken over or can't be.
fn refuse_what_is_not_ours(
    object: &ContactPoint,
    instance: &Instance,
    context: &Context,
    (name, found): (&str, &[model::Integration]),
    plan: &Plan,
) -> Result<(), Failure> {
    if plan.is_out_of_reach() {
        return Err(Failure::new(
            Reason::NotOwned,
            format!(
                "spec.name: Grafana's own contact point {name} has an integration without a uid, which can be neither replaced nor deleted by its API; choose another name"
            ),
            Retry::OnChange,
        ));
    }
    if plan.foreign.is_empty() || plan.is_ours {
        return Ok(());
    }
    // Two that took it over from each other would never come to rest.
    if let Some(maker) = makers(name, found, instance, context).first() {
        return Err(Failure::new(
            Reason::NotOwned,
            format!(
                "spec.name: ContactPoint {}/{} has made the contact point {name} that Grafana has; choose another name",
                maker.ns(),
                maker.id()
            ),
            Retry::OnChange,
        ));
    }
    if !instance.adopts(object) {
        return Err(Failure::new(
            Reason::NotOwned,
            format!(
                "spec.name: Grafana has a contact point {name} that this resource didn't make; choose another name, or {}. Its integrations would be lost for good then: {}",
                instance.how_to_adopt(object.ns()),
                decision::names(found, &plan.foreign)
            ),
            Retry::OnChange,
        ));
    }
    Ok(())
}

/// Brings a contact point to what is wished, where this was found. What it then is isn't known before the end.
async fn put(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: &str,
    wish: &[Integration],
    found: Option<Found<model::ContactPoint>>,
    changed: Vec<String>,
) -> Sent {
    let wished = decision::as_sent(name, wish);
    let now_there = decision::as_found(name, wish, None);
    let call = async move |grafana: Grafana| {
        let write = ContactPointWrite {
            wish: &wished,
            found: found.as_ref(),
            changed: &changed,
            provenance: Provenance::Api,
        };
        grafana.contact_points.put(write).await
    };
    write(instance, turn, name.to_owned(), call, Some(now_there)).await
}

/// Takes integrations out of a contact point.
pub(super) async fn remove(
    instance: &Arc<Instance>,
    turn: &Turn,
    found: Found<model::ContactPoint>,
    uids: Vec<String>,
) -> Sent {
    let name = found.object.name.clone();
    let mut left = found.clone();
    left.object.integrations.retain(|i| !uids.contains(&i.uid));
    let left = (!left.object.integrations.is_empty()).then_some(left);
    let call = async move |grafana: Grafana| grafana.contact_points.remove(&found, &uids).await;
    write(instance, turn, name, call, left).await
}

/// Sends a write, after which this is there.
async fn write<F: Future<Output = Sent> + Send + 'static>(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: String,
    call: impl FnOnce(Grafana) -> F + Send + 'static,
    then_there: Option<Found<model::ContactPoint>>,
) -> Sent {
    let subject = Subject::ContactPoint(name.clone());
    let under_way = subject.clone();
    let sent = instance.write(
        turn.clone(),
        subject,
        |grafana| call(grafana).map(Ok),
        move |held, sent: &Sent| {
            if sent.failure.is_none() {
                let there = then_there.map(|there| Found {
                    revision: sent.revision.clone(),
                    ..there
                });
                held.contact_points.written(name, there);
            } else if sent.changed_nothing() {
                held.stands(&under_way);
            }
        },
    );
    sent.await.unwrap_or_else(|error| Sent {
        failure: Some(error),
        ..Sent::default()
    })
}

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

/// The same by one look for up to ten that are new and waited for their turns when it began. Nobody of us writes to their names meanwhile, and
/// it isn't older than five seconds.
async fn fresh_for_all(
    instance: &Instance,
    name: &str,
    asked: Instant,
) -> Result<Option<Found<model::ContactPoint>>, Failure> {
    let shared = match &mut *instance.points_seen.lock() {
        Some(look) => look.serve(name, asked, Instant::now()),
        None => None,
    };
    if let Some(found) = shared {
        return Ok(found);
    }
    let began = Instant::now();
    let all = instance.grafana.contact_points.list().await;
    let mut look = PointsSeen::new(began, all.map_err(|e| instance.suspect(e.into()))?);
    let found = look.serve(name, asked, began).flatten();
    *instance.points_seen.lock() = Some(look);
    Ok(found)
}
