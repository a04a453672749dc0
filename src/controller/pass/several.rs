//! A pass over a resource that is for several Grafanas: one over what it is in each of them, and one status of what they come to.
//!
//! Nobody waits for a Grafana that is slow but who is in it. What is in no status can't be cleaned up, so that a Grafana is one of the
//! resource's is noted before anything is written there, and forgotten after all has been taken out of it.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kube::ResourceExt;
use kube::runtime::controller::Action;
use tokio::time::timeout;

use super::CHANGED;
use super::kind::{Error, Reconcile, STAYS};
use super::once::{Leaving, bring, enter, leave, suspended};
use super::report::{self, Ended};
use crate::api::condition::{self, Reason};
use crate::api::reference::At;
use crate::cluster::answer::is_conflict;
use crate::cluster::status;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::managed::together::{self, Part};
use crate::telemetry::spans;
use jiff::Timestamp;

/// How long what is known of some Grafanas waits to be told together with what is still to come from others.
const TOGETHER: Duration = Duration::from_secs(1);

/// How soon it is looked again whether two instances are for one Grafana, while one of them can't say.
const UNCLEAR: Duration = Duration::from_secs(10);

/// What a pass in one Grafana has come to.
enum Done<S> {
    /// It is there, or has still to be taken out.
    Ended(Ended<S>),
    /// Nothing of it is there any more.
    Gone,
}

/// A resource with what is known of it.
struct Whole<'a, K: Reconcile> {
    object: &'a K,
    context: &'a Context,
    parts: Vec<K>,
    /// Its status as it was written last.
    status: K::Status,
    /// The version that it had then.
    version: Option<String>,
}

/// Brings every Grafana of a resource to what it asks for, and takes it out of those that it isn't for any more.
pub(super) async fn apply<K: Reconcile>(object: &K, context: &Context) -> Result<Action, Error> {
    let mut whole = Whole::of(object, context);
    let mut noted = whole.status.clone();
    if let Some(places) = K::places_mut(&mut noted) {
        let each = whole.parts.iter().map(|part| At {
            instance: part.instance().to_owned(),
            status: part.status().cloned().unwrap_or_default(),
        });
        *places = each.collect();
    }
    if !whole.write(noted, true).await? {
        return Ok(Action::requeue(CHANGED));
    }
    Ok(whole.work().await?.0)
}

/// Takes a resource that is deleted out of every Grafana.
pub(super) async fn delete<K: Reconcile>(object: &K, context: &Context) -> Result<Action, Error> {
    match Whole::of(object, context).work().await? {
        (action, Some(message)) => Err(Error::Waiting(message, action)),
        (_, None) => Ok(Action::await_change()),
    }
}

impl<'a, K: Reconcile> Whole<'a, K> {
    fn of(object: &'a K, context: &'a Context) -> Self {
        Self {
            object,
            context,
            parts: object.projections(),
            status: object.status().cloned().unwrap_or_default(),
            version: object.resource_version(),
        }
    }

    /// Has a pass over each part. Returns when to look again, and what a part of it that is to go waits for.
    async fn work(&mut self) -> Result<(Action, Option<String>), Error> {
        let parts = std::mem::take(&mut self.parts);
        let (object, context) = (self.object, self.context);
        let passes = parts.iter().map(|part| {
            let twin = twin(part, &parts, object, context);
            async move { (part, pass(part, object.is_deleting(), twin, context).await) }
        });
        let mut passes: FuturesUnordered<_> = passes.collect();
        let (mut again, mut waits) = (None::<Duration>, None);
        while let Some(first) = passes.next().await {
            let mut done = vec![first];
            while let Ok(Some(next)) = timeout(TOGETHER, passes.next()).await {
                done.push(next);
            }
            for (part, done) in &done {
                let Done::Ended(ended) = done else { continue };
                again = again.into_iter().chain(ended.again).min();
                if part.is_deleting() {
                    let message = ended.said.as_ref().map(|said| said.message().to_owned());
                    waits = Some(together::says(part.instance(), &message.unwrap_or_default()));
                }
            }
            if !self.tell(done).await? {
                return Ok((
                    Action::requeue(CHANGED),
                    Some("it has changed meanwhile".to_owned()),
                ));
            }
        }
        let ready = condition::ready(K::conditions(&self.status));
        if let Some(reason) = ready.and_then(|ready| Reason::of(&ready.reason)) {
            spans::reason(reason.as_str());
        }
        Ok((again.map_or_else(Action::await_change, Action::requeue), waits))
    }

    /// Writes what some parts have come to, if that differs. False if the resource has changed meanwhile, and that matters.
    async fn tell(&mut self, done: Vec<(&K, Done<K::Status>)>) -> Result<bool, Error> {
        let mut places = K::places(&self.status).to_vec();
        let mut news = Vec::new();
        for (part, done) in done {
            let place = places.iter().position(|at| at.instance == part.instance());
            match (done, place) {
                (Done::Gone, Some(i)) => drop(places.remove(i)),
                (Done::Ended(Ended { said: Some(said), .. }), Some(i)) => {
                    if let Some(at) = places.get_mut(i) {
                        at.status = said.status.clone();
                    }
                    if status::differs(part.status(), &said.status) {
                        news.push((part, said));
                    }
                }
                _ => {}
            }
        }
        // Its finalizer goes next, and it with that.
        if self.object.is_deleting() && places.is_empty() {
            return Ok(true);
        }
        let next = fold(self.object, &self.status, places, self.context.now());
        let is_alone = K::places(&next).is_empty();
        if !self.write(next, is_alone).await? {
            return Ok(false);
        }
        for (part, said) in news {
            let note = together::says(part.instance(), said.message());
            said.tell(part, self.context, note).await;
        }
        Ok(true)
    }

    /// Writes a status if it differs; with `guarded` only where the resource is as it was seen: somebody may have begun to want it elsewhere. False
    /// if it isn't.
    async fn write(&mut self, next: K::Status, guarded: bool) -> Result<bool, Error> {
        if !status::differs(Some(&self.status), &next) {
            return Ok(true);
        }
        let only = self.version.as_deref().filter(|_| guarded);
        self.context.echoes.expect_status(self.object, &next);
        match status::apply(&self.context.client, self.object, &next, only).await {
            Ok(version) => self.version = version,
            Err(error) => {
                self.context.echoes.status_failed(self.object);
                if guarded && is_conflict(&error) {
                    return Ok(false);
                }
                return Err(Error::Kube(Box::new(error)));
            }
        }
        self.status = next;
        let ready = condition::ready(K::conditions(&self.status));
        if let Some(reason) = ready.and_then(|ready| Reason::of(&ready.reason)) {
            self.context.reported::<K>(self.object, reason);
        }
        Ok(true)
    }
}

/// One pass in one Grafana.
async fn pass<K: Reconcile>(
    part: &K,
    is_deleted: bool,
    twin: Twin<'_>,
    context: &Context,
) -> Done<K::Status> {
    let work = async {
        match twin {
            // What is there is the other's.
            Twin::Is(_) if part.is_deleting() => Done::Gone,
            Twin::Is(twin) => Done::Ended(report::finish(part, context, Err(one_grafana(part, twin))).await),
            Twin::MayBe(twin) if part.is_deleting() => {
                Done::Ended(report::finish(part, context, Err(unclear(twin))).await)
            }
            // Where it is to be may be what can't be read.
            _ if part.is_deleting() && !is_deleted && part.unread().is_some() => {
                Done::Ended(Ended::as_it_is())
            }
            _ if part.is_deleting() && !is_deleted && part.is_suspended() => {
                Done::Ended(suspended(part, context).await)
            }
            _ if part.is_deleting() => {
                let why = if is_deleted {
                    Leaving::ForGood
                } else {
                    Leaving::ForOthers
                };
                match leave(part, context, why).await {
                    Ok(()) => Done::Gone,
                    Err((_, ended)) => Done::Ended(ended),
                }
            }
            _ => Done::Ended(bring(part, context).await),
        }
    };
    let mut under_way = context.metrics.under_way(K::KIND);
    let entry = enter(part, context).await;
    under_way.works();
    entry.scope(Box::pin(work)).await
}

/// The GrafanaInstance that has what a part of a resource would have, for both are for one Grafana: of several the first one has it.
#[derive(Clone, Copy)]
enum Twin<'a> {
    /// There is none.
    None,
    /// This one.
    Is(&'a str),
    /// This one, if both turn out to be for one organisation.
    MayBe(&'a str),
}

fn twin<'a, K: Managed>(part: &K, parts: &'a [K], object: &K, context: &Context) -> Twin<'a> {
    if object.is_deleting() {
        return Twin::None;
    }
    let before = parts
        .iter()
        .take_while(|other| other.instance() != part.instance());
    let staying: Vec<_> = before.filter(|other| !other.is_deleting()).collect();
    let is_one = |other: &K| context.claims.are_one(other.instance(), part.instance());
    let first = |answer| staying.iter().find(|other| is_one(other) == answer);
    if let Some(twin) = first(Some(true)) {
        Twin::Is(twin.instance())
    } else if let Some(twin) = first(None) {
        Twin::MayBe(twin.instance())
    } else {
        Twin::None
    }
}

fn one_grafana<K: Managed>(part: &K, twin: &str) -> Failure {
    let message = format!(
        "it is for the same Grafana and organisation as GrafanaInstance {twin}; take {} out of spec.instances",
        part.instance()
    );
    Failure::new(Reason::Invalid, message, Retry::OnChange)
}

/// What is taken out of one Grafana must be known not to be in use through another instance.
fn unclear(twin: &str) -> Failure {
    let message = format!(
        "{STAYS}whether GrafanaInstance {twin} is for the same organisation isn't known before its Grafana has said so"
    );
    Failure::new(Reason::Unavailable, message, Retry::After(UNCLEAR))
}

/// The status of a resource that has come to this in its Grafanas. Where only one is left that it is for, the status is what it is there.
fn fold<K: Managed>(object: &K, before: &K::Status, places: Vec<At<K::Status>>, now: Timestamp) -> K::Status {
    let wanted = object.wanted();
    if let ([only], [at]) = (&wanted[..], &places[..])
        && at.instance == *only
        && !object.is_deleting()
    {
        return at.status.clone();
    }
    let all = || places.iter().map(|at| (at.instance.as_str(), &at.status));
    let mut staying: Vec<_> = all().filter(|(instance, _)| wanted.contains(instance)).collect();
    if staying.is_empty() {
        staying = all().collect();
    }
    let mut next = K::together(&staying);
    let parts: Vec<_> = all()
        .map(|(instance, status)| Part {
            instance,
            conditions: K::conditions(status),
        })
        .collect();
    let generation = object.meta().generation;
    let verdict = together::verdict(&parts, generation);
    let mut before = before.clone();
    // A request is handled when it is so in each of them; where the resource is to go nothing is asked for.
    let handled = K::handled(&mut before).take();
    let asked = object.requested().map(str::to_owned);
    let is_handled = |(_, status): (&str, &K::Status)| *K::handled(&mut status.clone()) == asked;
    *K::handled(&mut next) = if asked.is_some() && staying.into_iter().all(is_handled) {
        asked
    } else {
        handled
    };
    let (seen, known) = K::observed(&mut before);
    let (observed, conditions) = K::observed(&mut next);
    *conditions = std::mem::take(known);
    *observed = *seen;
    if let Some((reason, message)) = verdict {
        *observed = generation;
        condition::report(conditions, reason, &message, generation, now);
    }
    if let Some(of_next) = K::places_mut(&mut next) {
        *of_next = places;
    }
    next
}
