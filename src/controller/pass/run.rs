//! A pass over a resource: finalizer, then each of its Grafanas.

use std::sync::Arc;
use std::time::Instant;

use kube::runtime::controller::Action;
use kube::runtime::finalizer::{self, Event as Finalized};
use kube::{Api, ResourceExt};
use tracing::warn;

use super::kind::{Error, Reconcile, key};
use super::once::{Leaving, bring, come, leave};
use super::{CHANGED, report, several};
use crate::api::FINALIZER;
use crate::cluster::answer::{chain, is_conflict, is_invalid, is_missing};
use crate::controller::context::Context;
use crate::controller::engine::managed::Managed;

/// Runs one pass and says when the next is due.
pub async fn run<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    let parts = object.projections();
    let gets_finalizer = !object.is_deleting() && !object.finalizers().iter().any(|it| it == FINALIZER);
    // In each of several Grafanas a pass is on its own way.
    if !parts.is_empty() && !gets_finalizer {
        return Box::pin(one(object, context)).await;
    }
    let Some(approach) = come(parts.first().unwrap_or(&object), &context) else {
        return Box::pin(one(object, context)).await;
    };
    context.crowd.enter(&approach).await;
    let keys = (key(parts.first().unwrap_or(&object)), parts);
    // Thousands may wait for a place, and a pass is large.
    let result = approach.scope(Box::pin(one(object, context.clone()))).await;
    if gets_finalizer && result.is_ok() {
        let (first, parts) = keys;
        context.crowd.stay(first, approach, Instant::now());
        for part in parts.iter().skip(1) {
            if let Some(approach) = come(part, &context) {
                context.crowd.stay(key(part), approach, Instant::now());
            }
        }
    }
    result
}

/// Runs one pass over a resource that has nothing in Grafana by itself, and so needs no finalizer.
pub async fn without_finalizer<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    if object.is_deleting() {
        return Ok(Action::await_change());
    }
    let started = Instant::now();
    let ended = bring(&*object, &context).await;
    let result = report::publish(&*object, &context, ended).await;
    context.metrics.pass(K::KIND, result.is_ok(), started.elapsed());
    if let Err(error) = &result {
        context.tell_if_refused(&object.object_ref(&()), error).await;
    }
    result
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
        // The store was behind: the object has been changed since, or is gone. Or it was written, and the answer shows what can't be read. The
        // watch brings what it is now, but only if that is true: something on the way may have said so.
        Err(finalizer::Error::AddFinalizer(error) | finalizer::Error::RemoveFinalizer(error))
            if is_missing(&error)
                || is_invalid(&error)
                || is_conflict(&error)
                || matches!(error, kube::Error::SerdeError(_)) =>
        {
            Ok(Action::requeue(CHANGED))
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
    let parts = object.projections();
    if !parts.is_empty() {
        return several::apply(object, context).await;
    }
    let ended = bring(object, context).await;
    report::publish(object, context, ended).await
}

async fn delete<K: Reconcile>(object: &K, context: &Context) -> Result<Action, Error> {
    if !object.projections().is_empty() {
        return several::delete(object, context).await;
    }
    let Err((message, ended)) = leave(object, context, Leaving::ForGood).await else {
        return Ok(Action::await_change());
    };
    let action = report::publish(object, context, ended).await?;
    Err(Error::Waiting(message, action))
}
