//! A pass over a resource: finalizer, then each of its Grafanas.

use std::sync::Arc;
use std::time::Instant;

use kube::api::{Patch, PatchParams};
use kube::runtime::controller::Action;
use kube::runtime::finalizer::{self, Event as Finalized};
use kube::{Api, ResourceExt};
use serde_json::json;
use tracing::warn;

use super::kind::{Error, Reconcile, key};
use super::once::{Leaving, bring, enter, leave};
use super::{CHANGED, report, several};
use crate::api::FINALIZER;
use crate::cluster::answer::{chain, is_conflict, is_invalid, is_missing};
use crate::controller::context::Context;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::watch::Read;

/// Runs one pass and says when the next is due.
pub async fn run<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    if !object.is_deleting() && context.knows_nothing_yet(&*object) {
        return Ok(Action::await_change());
    }
    // In each of several Grafanas a pass is on its own way.
    if !object.projections().is_empty() {
        let _seat = context.crowd.begin(K::KIND).await;
        return Box::pin(one(object, context)).await;
    }
    let mut under_way = context.metrics.under_way(K::KIND);
    let entry = enter(&*object, &context).await;
    under_way.works();
    // Thousands may wait for a seat, and a pass is large.
    entry.scope(Box::pin(one(object, context.clone()))).await
}

/// Runs one pass over a resource that has nothing in Grafana by itself, and so needs no finalizer.
pub async fn without_finalizer<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    if object.is_deleting() {
        return Ok(Action::await_change());
    }
    let mut under_way = context.metrics.under_way(K::KIND);
    under_way.works();
    let started = Instant::now();
    let ended = bring(&*object, &context).await;
    ended.note();
    let result = report::publish(&*object, &context, ended).await;
    context.metrics.pass(K::KIND, result.is_ok(), started.elapsed());
    if let Err(error) = &result {
        context.tell_if_refused(&object.object_ref(&()), error).await;
    }
    result
}

async fn one<K: Reconcile>(object: Arc<K>, context: Arc<Context>) -> Result<Action, Error> {
    let started = Instant::now();
    let result = match with_finalizer(&object, &context).await {
        Ok(Some(object)) => pass(object, &context).await,
        Ok(None) => Ok(Action::requeue(CHANGED)),
        Err(error) => Err(finalizer::Error::AddFinalizer(error)),
    };
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

async fn pass<K: Reconcile>(object: Arc<K>, context: &Context) -> Result<Action, finalizer::Error<Error>> {
    let api: Api<K> = Api::namespaced(context.client.clone(), object.ns());
    finalizer::finalizer(&api, FINALIZER, object.clone(), |event| async {
        match event {
            Finalized::Apply(object) => apply(&*object, context).await,
            Finalized::Cleanup(object) => delete(&*object, context).await,
        }
    })
    .await
}

/// The object as it is with the finalizer, which is added where it is missing; nothing if it can't be read then. kube's own way ends the pass
/// with that, and what a person waits for would be the next one's.
async fn with_finalizer<K: Reconcile>(object: &Arc<K>, context: &Context) -> kube::Result<Option<Arc<K>>> {
    let finalizers = object.finalizers();
    if object.is_deleting() || finalizers.iter().any(|it| it == FINALIZER) {
        return Ok(Some(object.clone()));
    }
    if context.echoes.has_finalizer(&**object, Instant::now()) {
        let mut object = K::clone(object);
        object.finalizers_mut().push(FINALIZER.to_owned());
        return Ok(Some(Arc::new(object)));
    }
    // Nobody deduplicates them, so it is added to those that were seen, or not at all.
    let (before, at, value) = if finalizers.is_empty() {
        (json!(null), "/metadata/finalizers", json!([FINALIZER]))
    } else {
        (json!(finalizers), "/metadata/finalizers/-", json!(FINALIZER))
    };
    let patch = json!([
        {"op": "test", "path": "/metadata/finalizers", "value": before},
        {"op": "add", "path": at, "value": value},
    ]);
    let patch = Patch::Json::<()>(serde_json::from_value(patch).map_err(kube::Error::SerdeError)?);
    context.echoes.expect_finalizer(&**object);
    let api: Api<Read<K>> = Api::namespaced(context.client.clone(), object.ns());
    let patched = api.patch(object.id(), &PatchParams::default(), &patch).await?;
    context.echoes.finalizer_added(&**object, Instant::now());
    Ok(patched.object().map(Arc::new))
}

async fn apply<K: Reconcile>(object: &K, context: &Context) -> Result<Action, Error> {
    let parts = object.projections();
    if !parts.is_empty() {
        return several::apply(object, context).await;
    }
    let ended = bring(object, context).await;
    ended.note();
    report::publish(object, context, ended).await
}

async fn delete<K: Reconcile>(object: &K, context: &Context) -> Result<Action, Error> {
    if !object.projections().is_empty() {
        return several::delete(object, context).await;
    }
    let Err((message, ended)) = leave(object, context, Leaving::ForGood).await else {
        return Ok(Action::await_change());
    };
    ended.note();
    let action = report::publish(object, context, ended).await?;
    Err(Error::Waiting(message, action))
}
