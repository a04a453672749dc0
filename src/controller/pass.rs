//! One pass over one resource: finalizer, reconcile or clean up, report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::runtime::finalizer::{self, Event as Finalized};
use kube::{Api, ResourceExt};
use tracing::{debug, info, warn};

use super::connection::Instance;
use super::context::Context;
use crate::api::FINALIZER;
use crate::api::condition::{self, Reason};
use crate::api::grafana_instance::OrphanPolicy;
use crate::api::reference::DeletionPolicy;
use crate::cluster::answer::{chain, is_conflict, is_invalid, is_missing};
use crate::cluster::status;
use crate::controller::engine::failure::{Failure, Retry, is_of_instance};
use crate::controller::engine::managed::Managed;
use crate::deadline::{Late, within};
use crate::grafana::approach::Approach;

/// How long a pass may work. What it waits for others isn't in it.
const DEADLINE: Duration = Duration::from_secs(30);

/// How the message begins while a deletion waits.
const WAITS: &str = "the deletion waits: ";

/// What a pass found out and did.
#[derive(Debug)]
pub struct Report<S> {
    /// The reason of `Ready`.
    pub reason: Reason,
    /// The message of `Ready`.
    pub message: String,
    /// The status with the kind's own fields; conditions are set from the above.
    pub status: S,
    /// When to look again without a change.
    pub again: Option<Duration>,
    /// What a person should know though nothing is wrong.
    pub warnings: Vec<String>,
    /// What somebody has changed in Grafana, where that is only told of.
    pub drift: Vec<String>,
}

impl<S> Report<S> {
    /// All is as it should be.
    pub fn synced(status: S, message: impl Into<String>) -> Self {
        Self {
            reason: Reason::Synced,
            message: message.into(),
            status,
            again: None,
            warnings: Vec::new(),
            drift: Vec::new(),
        }
    }

    /// The same where somebody has changed these parts of it in Grafana, and that is only told of.
    #[must_use]
    pub fn drifted(self, drift: Vec<String>) -> Self {
        Self {
            reason: Reason::Drifted,
            message: format!(
                "stored in Grafana, where somebody has changed it ({}), which driftPolicy Report of the GrafanaInstance leaves; Correct puts it right, and so does an edit of this resource",
                drift.join(", ")
            ),
            drift,
            ..self
        }
    }
}

/// What the kinds do differently.
pub trait Reconcile: Managed {
    /// Brings Grafana to what the resource asks for.
    fn reconcile(
        &self,
        context: &Context,
    ) -> impl Future<Output = Result<Report<Self::Status>, Failure>> + Send;

    /// What can be said of the resource without Grafana, and whether or not it is suspended; mostly nothing.
    fn conclude(
        &self,
        _: &Context,
    ) -> impl Future<Output = Result<Option<Report<Self::Status>>, Failure>> + Send {
        async { Ok(None) }
    }

    /// What is wrong with the resource whatever its Grafana says, for as long as that can't be asked; mostly nothing.
    fn mistake(&self, _: &Context) -> impl Future<Output = Option<Failure>> + Send {
        async { None }
    }

    /// Whether the resource may have made something in a Grafana: its status says so, or the answer of a write was lost. One that has
    /// not waits for no Grafana when it is deleted, and leaves nothing behind. What is written right before this process dies is known to
    /// the next one only from Grafana.
    fn may_be_stored(&self, context: &Context) -> bool;

    /// Notes in the status what it has or may have made, though the pass failed.
    fn mark_stored(&self, _: &Context, _: &mut Self::Status) {}

    /// On the way to which write a pass is, if many passes of the kind come to such a one together; mostly to none.
    fn approach(&self, _: &Context) -> Option<Approach> {
        None
    }

    /// Removes from Grafana what the resource has made. Must not ask for more than it needs.
    fn clean_up(&self, context: &Context) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// An error that ends a pass before it could be reported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server refused a write.
    #[error("cannot write to the API server")]
    Kube(#[source] Box<kube::Error>),
    /// The finalizer couldn't be added or removed.
    #[error("cannot change the finalizer")]
    Finalizer(#[source] Box<finalizer::Error<Error>>),
    /// The clean-up has to wait; what for and how long is in the status and in the action.
    #[error("the deletion waits: {0}")]
    Waiting(String, Action),
}

/// Runs one pass and says when the next is due.
pub async fn run<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    let Some(approach) = come(&*object, &context) else {
        return Box::pin(one(object, context)).await;
    };
    context.crowd.enter(&approach).await;
    let gets_finalizer = object.meta().deletion_timestamp.is_none()
        && !object.finalizers().iter().any(|finalizer| finalizer == FINALIZER);
    let object_key = key(&*object);
    // Thousands may wait for a place, and a pass is large.
    let result = approach.scope(Box::pin(one(object, context.clone()))).await;
    if gets_finalizer && result.is_ok() {
        context.crowd.stay(object_key, approach, Instant::now());
    }
    result
}

/// Runs one pass over a resource that has nothing in Grafana by itself, and so needs no finalizer.
pub async fn without_finalizer<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    if object.is_deleting() {
        return Ok(Action::await_change());
    }
    let started = Instant::now();
    let result = apply(&*object, &context).await;
    context.metrics.pass(K::KIND, result.is_ok(), started.elapsed());
    if let Err(error) = &result {
        context.tell_if_refused(&object.object_ref(&()), error).await;
    }
    result
}

/// On the way to which write a pass is, if it may come to one with others.
fn come<K: Reconcile>(object: &K, context: &Context) -> Option<Approach> {
    let approach = object.approach(context)?;
    Some(context.crowd.come(&key(object), || approach, Instant::now()))
}

async fn one<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    let api: Api<K> = Api::namespaced(context.client.clone(), object.ns());
    let started = Instant::now();
    let result = finalizer::finalizer(&api, FINALIZER, object.clone(), |event| async {
        match event {
            Finalized::Apply(object) => apply(&*object, &context).await,
            Finalized::Cleanup(object) => delete(&*object, &context).await,
        }
    })
    .await;
    let result = match result {
        Ok(action) | Err(finalizer::Error::CleanupFailed(Error::Waiting(_, action))) => Ok(action),
        Err(finalizer::Error::ApplyFailed(error) | finalizer::Error::CleanupFailed(error)) => Err(error),
        // The store was behind: the object has been changed since, or is gone. The watch brings what it is now.
        Err(finalizer::Error::AddFinalizer(error) | finalizer::Error::RemoveFinalizer(error))
            if is_missing(&error) || is_invalid(&error) || is_conflict(&error) =>
        {
            Ok(Action::await_change())
        }
        Err(error) => Err(Error::Finalizer(Box::new(error))),
    };
    context.metrics.pass(K::KIND, result.is_ok(), started.elapsed());
    if let Err(error) = &result {
        context.tell_if_refused(&object.object_ref(&()), error).await;
    }
    result
}

/// When to try again after an error that couldn't be reported.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that the controller asks for"
)]
pub fn after_error<K: Managed>(object: Arc<K>, error: &Error, context: Arc<Context>) -> Action {
    let delay = context
        .backoff
        .next(&key(&*object), object.meta().generation, Instant::now());
    warn!(kind = K::KIND, namespace = object.ns(), name = object.id(),
        error = chain(error), retry_in = ?delay, "pass failed");
    Action::requeue(delay)
}

async fn apply<K: Reconcile>(object: &K, context: &Context) -> Result<Action, Error> {
    match object.conclude(context).await {
        Ok(None) => {}
        Ok(Some(report)) => return finish(object, context, Ok(report)).await,
        Err(failure) => return finish(object, context, Err(failure)).await,
    }
    if object.is_suspended() {
        let status = object.status().cloned().unwrap_or_default();
        let report = Report {
            reason: Reason::Suspended,
            ..Report::synced(status, "spec.suspend is set: Grafana is left as it is")
        };
        return finish(object, context, Ok(report)).await;
    }
    let outcome = match within(DEADLINE, reconcile(object, context)).await {
        // While Grafana can't be read, what was said of this very wish stands: the instance alone says what is wrong with it.
        Ok(Err(failure)) if stands(object) && context.unusable(object).as_ref() == Some(&failure) => {
            return Ok(Action::await_change());
        }
        Ok(outcome) => outcome,
        Err(Late) => Err(late()),
    };
    finish(object, context, outcome).await
}

/// What is wrong with a resource by itself is told before that its Grafana can't be asked.
async fn reconcile<K: Reconcile>(object: &K, context: &Context) -> Result<Report<K::Status>, Failure> {
    match context.instance(object) {
        Err(failure) if context.is_ready() => Err(object.mistake(context).await.unwrap_or(failure)),
        _ => object.reconcile(context).await,
    }
}

/// Whether the status speaks of what is asked for now.
pub(super) fn is_told<K: Managed>(object: &K) -> bool {
    let ready = object.status().and_then(|s| condition::ready(K::conditions(s)));
    ready.is_some_and(|ready| ready.observed_generation == object.meta().generation)
}

/// The same of more than of what is wrong with the instance: that changes.
fn stands<K: Managed>(object: &K) -> bool {
    let ready = object.status().and_then(|s| condition::ready(K::conditions(s)));
    is_told(object) && !ready.is_some_and(|ready| is_of_instance(&ready.message, object.instance()))
}

async fn delete<K: Reconcile>(object: &K, context: &Context) -> Result<Action, Error> {
    let outcome = match within(DEADLINE, object.clean_up(context)).await {
        Ok(outcome) => outcome,
        Err(Late) => Err(late()),
    };
    match outcome {
        Ok(()) => {
            context.crowd.leave().await;
            context.backoff.reset(&key(object));
            info!(
                kind = K::KIND,
                namespace = object.ns(),
                name = object.id(),
                outcome = "deleted",
                "pass done"
            );
            Ok(Action::await_change())
        }
        Err(mut failure) => {
            if failure.reason.is_some() {
                failure.message = format!(
                    "{WAITS}{}. Set spec.deletionPolicy to Orphan to let go of it at once",
                    failure.message
                );
            }
            let message = failure.message.clone();
            let action = finish(object, context, Err(failure)).await?;
            Err(Error::Waiting(message, action))
        }
    }
}

fn late() -> Failure {
    Failure::new(
        Reason::Unavailable,
        format!(
            "not done within {} s, without the time that it waited for others",
            DEADLINE.as_secs()
        ),
        Retry::Backoff,
    )
}

/// Decides the status as a value, writes it if it differs, and says when to look again.
async fn finish<K: Reconcile>(
    object: &K,
    context: &Context,
    outcome: Result<Report<K::Status>, Failure>,
) -> Result<Action, Error> {
    context.crowd.leave().await;
    let (reason, message, mut next, warnings, action) = match outcome {
        Ok(mut report) => {
            if let Some(drift) = K::drift(&mut report.status) {
                *drift = report.drift;
            }
            context.backoff.reset(&key(object));
            let action = report.again.map_or_else(Action::await_change, Action::requeue);
            (
                report.reason,
                report.message,
                report.status,
                report.warnings,
                action,
            )
        }
        Err(failure) => {
            tell(object, &failure);
            let (action, is_told) = next_try(object, context, failure.retry);
            let Some(reason) = failure.reason.filter(|_| is_told) else {
                return Ok(action);
            };
            let mut last = object.status().cloned().unwrap_or_default();
            if object.may_be_stored(context) {
                object.mark_stored(context, &mut last);
            }
            (reason, failure.message, last, Vec::new(), action)
        }
    };
    let message = warnings
        .iter()
        .fold(message, |text, warning| format!("{text}. Warning: {warning}"));
    let generation = object.meta().generation;
    let before = object
        .status()
        .map(|s| condition::ready(K::conditions(s)).cloned())
        .unwrap_or_default();
    // A deletion that begins to wait is news also where the reason was the same before.
    let waits = before.as_ref().is_some_and(|c| c.message.starts_with(WAITS));
    let begins_to_wait = message.starts_with(WAITS) && !waits;
    let (observed, conditions) = K::observed(&mut next);
    *observed = generation;
    if let Some(status) = object.status() {
        conditions.clone_from(K::conditions(status));
    }
    condition::report(conditions, reason, &message, generation, context.now());
    if !status::differs(object.status(), &next) {
        return Ok(action);
    }
    status::apply(&context.client, object, &next)
        .await
        .map_err(|e| Error::Kube(Box::new(e)))?;
    context.metrics.kubernetes_write(K::KIND, "status");
    context.reported::<K>(object, reason);
    let is_other = before.as_ref().map(|c| c.reason.as_str()) != Some(reason.as_str());
    if is_other || begins_to_wait || !warnings.is_empty() {
        info!(
            kind = K::KIND,
            namespace = object.ns(),
            name = object.id(),
            outcome = reason.as_str(),
            detail = message,
            "pass done"
        );
        let is_well = (reason.is_ready() && reason != Reason::Drifted || reason == Reason::Suspended)
            && warnings.is_empty();
        let type_ = if is_well {
            EventType::Normal
        } else {
            EventType::Warning
        };
        context
            .event(
                &object.object_ref(&()),
                type_,
                reason.as_str(),
                "Reconcile",
                &message,
            )
            .await;
    }
    Ok(action)
}

/// Logs why a pass failed; what the API server refuses is seen nowhere else if it refuses the status too.
fn tell<K: Managed>(object: &K, failure: &Failure) {
    let (namespace, name, detail) = (object.ns(), object.id(), &failure.message);
    if failure.is_of_kubernetes {
        warn!(kind = K::KIND, namespace, name, detail, "pass failed");
    } else {
        debug!(kind = K::KIND, namespace, name, detail, "pass failed");
    }
}

/// When to try again, and whether the failure is told until then.
fn next_try<K: Managed>(object: &K, context: &Context, retry: Retry) -> (Action, bool) {
    let (key, generation, now) = (key(object), object.meta().generation, Instant::now());
    let backoff = || Action::requeue(context.backoff.next(&key, generation, now));
    match retry {
        Retry::Backoff => (backoff(), true),
        Retry::After(delay) => (Action::requeue(delay), true),
        Retry::OnChange => (Action::await_change(), true),
        Retry::Soon => match context.backoff.soon(&key, generation, now) {
            Some(delay) => (Action::requeue(delay), false),
            None => (backoff(), true),
        },
    }
}

fn key<K: Managed>(object: &K) -> String {
    format!("{}/{}/{}", K::KIND, object.ns(), object.id())
}

/// The Grafana that an object of a deleted resource is to be removed from; `None` if there is none, or nothing to remove. What stays behind
/// is said in an event.
pub(super) async fn leaving<K: Reconcile>(
    object: &K,
    context: &Context,
) -> Result<Option<Arc<Instance>>, Failure> {
    if !context.is_ready() {
        return Err(Failure::not_yet());
    }
    let name = object.instance();
    let declared = context.declared_instance(name);
    // What the instance says counts as declared, whether Grafana answers or not.
    let default = declared.as_ref().and_then(|i| i.spec.default_deletion_policy);
    let lets_go = object.deletion_policy().or(default) == Some(DeletionPolicy::Orphan);
    let running = context.running.read().get(name).cloned();
    let is_stored = object.may_be_stored(context);
    let Some(instance) = running else {
        if !is_stored {
            return Ok(None);
        }
        // What is let go of is remembered in the instance's memory, or it would be removed as an orphan.
        let is_swept = declared.as_ref().and_then(|i| i.spec.orphans) == Some(OrphanPolicy::Delete);
        if declared.is_some() && (!lets_go || is_swept) {
            return Err(context.unconnected(name));
        }
        let note =
            format!("GrafanaInstance {name} is gone, so what this resource made in Grafana stays there");
        context.left_behind(object, name, &note).await;
        return Ok(None);
    };
    match instance.check(K::NEEDS_TO_LEAVE) {
        Err(_) if !is_stored => Ok(None),
        Err(failure) if !lets_go => Err(failure),
        _ => Ok(Some(instance)),
    }
}
