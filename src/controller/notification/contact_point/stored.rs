//! What Grafana holds of a contact point, and its writes.

use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use kube::ResourceExt;
use tracing::info;

use super::look::{self, integrations};
use super::sent::{Corrected, changed, code, corrected, is_sent};
use super::strangers::{self, Strangers};
use super::{equal, revision};
use crate::api::{ANNOTATION_RESEND, ContactPoint};
use crate::cluster::memory::{Memory, Remembered, Seen};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::domain::notification::contact_point::Integration;
use crate::domain::notification::contact_point::decision::{self, Plan};
use crate::grafana::Grafana;
use crate::grafana::api::Provenance;
use crate::grafana::api::notifications::{ContactPointWrite, Sent};
use crate::grafana::mirror::{Held, Lookup, Subject};
use crate::grafana::model::{self, Found};
use crate::grafana::turns::Turn;

/// What is remembered of an integration that is about to be made where there is no contact point, in the place of its code: until it was seen alone
/// there, it may have joined one that somebody else has made in that moment.
const MAKING: &str = "making";

/// What became of a contact point.
#[derive(Default)]
pub(super) struct Synced {
    /// Whether anything was written, by an earlier pass whose answer was lost if not by this one.
    pub(super) is_written: bool,
    /// Whether this pass has sent it.
    pub(super) is_sent: bool,
    /// What somebody had changed of it and was put right.
    pub(super) corrected: Option<Corrected>,
    /// What somebody has changed of it, where that is only told of.
    pub(super) drift: Vec<String>,
    /// Those integrations of somebody else, by name, that had to go because the contact point was taken over; it may have had none.
    pub(super) taken: Option<String>,
    /// Why it isn't what is wished all the same: what somebody else has put into it stays.
    pub(super) besides: Option<Failure>,
}

/// Keeps what a look has shown, where nothing is written.
fn note(instance: &Instance, name: &str, found: Option<Found<model::ContactPoint>>) {
    let note = |held: &mut Held| held.contact_points.written(name.to_owned(), found);
    instance.mirror.write(note);
}

/// Brings the integrations of this name to what is wished.
pub(super) async fn sync(
    object: &ContactPoint,
    instance: &Arc<Instance>,
    context: &Context,
    name: &str,
    wish: &[Integration],
    is_resend: bool,
) -> Result<Synced, Failure> {
    let memory = instance.memory()?;
    let is_other = |found: Option<&Found<model::ContactPoint>>| {
        memory.read(|memory| revision::is_other(found, instance, memory))
    };
    let decide = |found: Option<&Found<model::ContactPoint>>, is_other: bool| {
        memory.read(|memory| plan((object, name, wish), instance, memory, found, is_resend, is_other))
    };
    let known = look::known(instance, name);
    let held = known.as_ref().present();
    let is_making = || memory.read(|memory| is_making(memory, wish));
    if !known.is_unknown() && decide(held, is_other(held)).is_done() && !is_making() {
        return Ok(Synced::default());
    }
    let turn = instance.rights.notifications.lock().await;
    // A new integration joins the contact point that somebody else has made under this name, so the look is fresh.
    let found = match known {
        Lookup::Absent => look::before_first_write(instance, name, object).await?,
        _ => look::fresh(instance, name).await?,
    };
    let is_other = is_other(found.as_ref()) && revision::is_as_read(instance).await?;
    let plan = decide(found.as_ref(), is_other);
    if let Some(found) = found.as_ref().filter(|_| plan.is_ours && is_making()) {
        if plan.foreign.is_empty() {
            // Who comes from now on comes to what is there.
            let alone = |memory: &mut Remembered| seen_alone(memory, (name, wish), &plan);
            memory.update(alone).await?;
        } else if !instance.adopts(object) {
            // How it was made isn't known any more.
            leave(object, instance, context, (name, wish), &turn, found.clone()).await?;
            return Err(Failure::again("nothing of somebody else's is left there"));
        }
    }
    let drift = changed(object, memory, (name, wish), found.as_ref(), &plan);
    if !is_resend && !drift.is_empty() && instance.only_reports_drift(object) {
        note(instance, name, found);
        return Ok(Synced {
            drift,
            ..Synced::default()
        });
    }
    let is_remembered = memory.read(|memory| is_remembered(memory, name, wish));
    let seen = (name, found.as_ref(), wish);
    let strangers = strangers::decide(object, instance, context, seen, &plan, is_remembered)?;
    let (kept, besides) = match strangers {
        Strangers::Go => (Vec::new(), None),
        Strangers::Stay(why) => (plan.foreign.clone(), Some(why)),
    };
    if plan.is_done_but_for(&kept) {
        note(instance, name, found);
        return Ok(Synced {
            is_written: true,
            besides,
            ..Synced::default()
        });
    }
    let resend = object.annotation(ANNOTATION_RESEND);
    let sent = (decision::messages(name, wish), resend);
    let attempt = instance
        .refused
        .attempt(format!("contact point {name}"), &sent, Instant::now())?;
    let before = integrations(found.as_ref());
    let open = memory.read(|memory| open(memory, (name, wish), before, &plan, is_other));
    let is_new = found.is_none();
    note_open(memory, &open, is_new).await?;
    let is_taken_over =
        !is_new && besides.is_none() && (!plan.foreign.is_empty() || (!plan.is_ours && !is_remembered));
    let is_changed = !is_resend && !is_taken_over && !drift.is_empty();
    let synced = Synced {
        is_written: true,
        is_sent: true,
        corrected: corrected(is_other, is_changed),
        taken: is_taken_over.then(|| decision::names(before, &plan.foreign)),
        besides,
        ..Synced::default()
    };
    let written = put(instance, &turn, (name, wish), found, plan.changed, kept).await;
    let (sent, deleted) = (written.sent.len(), written.gone.len());
    info!(
        namespace = object.ns(),
        name = object.name_any(),
        sent,
        deleted,
        "contact point written"
    );
    let state = match &written.revision {
        Some(told) if is_other => Some(revision::after_correction(instance, name, told).await),
        told => told.clone(),
    };
    let state = revision::after_write(state.as_ref(), instance);
    let remember = |memory: &mut Remembered| remember(memory, name, wish, &written, state.as_ref());
    // An API that knows states has refused to make what is there already.
    let may_have_joined = is_new && written.revision.is_none() && written.failure.is_none();
    if may_have_joined {
        attempt.ended(Ok(()), Instant::now())?;
        let _turn = is_alone(object, instance, context, (name, wish), turn).await?;
        memory.update(remember).await?;
        return Ok(synced);
    }
    memory.update(remember).await?;
    let refused = |error| Err(instance.suspect(instance.spoken.redact(name, error).into()));
    attempt.ended(written.failure.map_or(Ok(()), refused), Instant::now())?;
    Ok(synced)
}

/// What to do about what was found. In another state than it was left in, nothing is known of what Grafana hides.
fn plan(
    (object, name, wish): (&ContactPoint, &str, &[Integration]),
    instance: &Instance,
    memory: &Remembered,
    found: Option<&Found<model::ContactPoint>>,
    is_resend: bool,
    is_other: bool,
) -> Plan {
    decision::decide(
        wish,
        integrations(found),
        is_resend,
        |found| equal::is_own(memory, found, &instance.owners, (object.ns(), object.id())),
        |integration| !is_other && is_sent(memory, name, integration),
    )
}

/// Fails if a contact point that was made a moment ago has joined one that somebody else made between our look and our write. What is ours is taken out of it
/// then, unless it is to be taken over, which the next pass does. Gives the turn back, under which it was seen.
async fn is_alone(
    object: &ContactPoint,
    instance: &Arc<Instance>,
    context: &Context,
    (name, wish): (&str, &[Integration]),
    turn: Turn,
) -> Result<Turn, Failure> {
    let memory = instance.memory()?;
    let decide = |found: &Found<model::ContactPoint>| {
        memory.read(|memory| plan((object, name, wish), instance, memory, Some(found), false, false))
    };
    let looked = look::after_write(instance, turn, name).await;
    if looked.is_err() {
        // The next pass looks for itself.
        let doubt = |held: &mut Held| held.contact_points.unknown(name.to_owned());
        instance.mirror.write(doubt);
    }
    let (turn, found) = looked?;
    let Some(found) = found.filter(|found| !decide(found).foreign.is_empty()) else {
        return Ok(turn);
    };
    if instance.adopts(object) {
        instance
            .mirror
            .write(|held| held.contact_points.written(name.to_owned(), Some(found)));
        let message = format!("somebody else has made the contact point {name} too");
        return Err(Failure::again(message));
    }
    leave(object, instance, context, (name, wish), &turn, found).await?;
    Ok(turn)
}

/// Takes what is ours out of a contact point that it has joined, and says whose that is.
async fn leave(
    object: &ContactPoint,
    instance: &Arc<Instance>,
    context: &Context,
    (name, wish): (&str, &[Integration]),
    turn: &Turn,
    found: Found<model::ContactPoint>,
) -> Result<(), Failure> {
    let left = withdraw(instance, turn, object, found).await?;
    let memory = instance.memory()?;
    let plan = memory.read(|memory| plan((object, name, wish), instance, memory, Some(&left), false, false));
    let seen = (name, Some(&left), wish);
    strangers::decide(object, instance, context, seen, &plan, false).map(drop)
}

/// Takes what is ours out of a contact point that somebody else made between our look and our write, and which that has joined. Gives what is left.
async fn withdraw(
    instance: &Arc<Instance>,
    turn: &Turn,
    object: &ContactPoint,
    found: Found<model::ContactPoint>,
) -> Result<Found<model::ContactPoint>, Failure> {
    // One that is made anew under the uid that it kept is ours too.
    let (owners, resource) = (&instance.owners, (object.ns(), object.id()));
    let uids = |memory: &Remembered| -> Vec<String> {
        let all = found.object.integrations.iter();
        let ours = all.filter(|i| equal::is_own(memory, i, owners, resource));
        ours.map(|integration| integration.uid.clone()).collect()
    };
    let ours = instance.memory()?.read(uids);
    let left = without(&found, &ours);
    let taken_out = remove(instance, turn, found, ours).await;
    let gone = &taken_out.gone;
    instance
        .memory()?
        .update(|memory| {
            memory.sent.retain(|uid, _| !gone.contains(uid));
            memory.kept_uids.retain(|_, kept| !gone.contains(kept));
        })
        .await?;
    match taken_out.failure {
        Some(error) => Err(instance.suspect(instance.spoken.redact(&left.object.name, error).into())),
        None => Ok(left),
    }
}

/// Whether Grafana has had this contact point from this resource, though nothing of it may be left: what a write was about to make is noted without a
/// code, and says nothing before it is made.
fn is_remembered(memory: &Remembered, name: &str, wish: &[Integration]) -> bool {
    let is_noted = memory.revisions.contains_key(name);
    let mut codes = wish.iter().filter_map(|i| memory.sent.get(&i.sent.uid));
    codes.any(|code| is_noted || !(code.is_empty() || code == MAKING))
}

/// Whether the end isn't known of the write that was to make it.
fn is_making(memory: &Remembered, wish: &[Integration]) -> bool {
    let mut codes = wish.iter().filter_map(|i| memory.sent.get(&i.sent.uid));
    codes.any(|code| code == MAKING)
}

/// Notes of what was found with nothing of somebody else's beside it that it is made: as it is, or to be sent again.
fn seen_alone(memory: &mut Remembered, (name, wish): (&str, &[Integration]), plan: &Plan) {
    for integration in wish {
        let uid = &integration.sent.uid;
        let code = if plan.changed.contains(uid) {
            String::new()
        } else {
            code(memory, name, integration)
        };
        if let Some(noted) = memory.sent.get_mut(uid).filter(|noted| *noted == MAKING) {
            *noted = code;
        }
    }
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

/// Remembers that these are about to be sent, before they are: a crash in between leaves what is new to nobody, and nothing unsent that is sent only for its
/// neighbours.
async fn note_open(memory: &Memory, open: &[String], is_new: bool) -> kube::Result<()> {
    if open.is_empty() {
        return Ok(());
    }
    let note = if is_new { MAKING } else { "" };
    let noted = open.iter().map(|uid| (uid.clone(), note.to_owned()));
    memory.update(|memory| memory.sent.extend(noted.clone())).await
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
        memory.kept_uids.retain(|_, kept| kept != uid);
    }
}

/// Brings a contact point to what is wished, where this was found, of which some is kept. What it then is isn't known before the end.
async fn put(
    instance: &Arc<Instance>,
    turn: &Turn,
    (name, wish): (&str, &[Integration]),
    found: Option<Found<model::ContactPoint>>,
    changed: Vec<String>,
    kept: Vec<String>,
) -> Sent {
    let wished = decision::as_sent(name, wish);
    let mut now_there = decision::as_found(name, wish, None);
    let stays = integrations(found.as_ref())
        .iter()
        .filter(|i| kept.contains(&i.uid));
    now_there.object.integrations.extend(stays.cloned());
    let call = async move |grafana: Grafana| {
        let write = ContactPointWrite {
            wish: &wished,
            found: found.as_ref(),
            changed: &changed,
            kept: &kept,
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
    let left = without(&found, &uids);
    let left = (!left.object.integrations.is_empty()).then_some(left);
    let call = async move |grafana: Grafana| grafana.contact_points.remove(&found, &uids).await;
    write(instance, turn, name, call, left).await
}

fn without(found: &Found<model::ContactPoint>, uids: &[String]) -> Found<model::ContactPoint> {
    let mut left = found.clone();
    left.object.integrations.retain(|i| !uids.contains(&i.uid));
    left
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
