//! A pass that is only rehearsed: what it would come to, told to nobody.

use super::kind::Reconcile;
use super::once::{Leaving, bring, leave};
use crate::api::condition::Reason;
use crate::controller::context::Context;

/// How often a pass that looks like a lost race is run again.
const TRIES: usize = 8;

/// What a pass would come to.
pub(in crate::controller) struct Rehearsed<S> {
    /// The reason of `Ready`; none where the resource would be gone, or nothing can be said of it.
    pub(in crate::controller) reason: Option<Reason>,
    /// The message of `Ready`.
    pub(in crate::controller) message: String,
    /// The status that would be written.
    pub(in crate::controller) status: Option<S>,
}

/// The pass over a resource that is for one Grafana.
pub(in crate::controller) async fn rehearse<K: Reconcile>(
    object: &K,
    context: &Context,
) -> Rehearsed<K::Status> {
    let nothing = |message: String| Rehearsed {
        reason: None,
        message,
        status: None,
    };
    for _ in 0..TRIES {
        let ended = if object.is_deleting() {
            match leave(object, context, Leaving::ForGood).await {
                Ok(()) => return nothing(String::new()),
                Err((_, ended)) => ended,
            }
        } else {
            bring(object, context).await
        };
        if let Some(said) = ended.said {
            return Rehearsed {
                reason: Some(said.reason),
                message: said.message,
                status: Some(said.status),
            };
        }
        // What Grafana can't be asked for now isn't there a moment later either.
        if let Some(failure) = context.unusable(object) {
            return Rehearsed {
                reason: Some(failure.reason.unwrap_or(Reason::Unavailable)),
                message: failure.message,
                status: None,
            };
        }
    }
    Rehearsed {
        reason: Some(Reason::Unavailable),
        message: "nothing could be found out about it".to_owned(),
        status: None,
    }
}
