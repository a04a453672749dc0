//! What a pass has come to: the status as a value, and writing it if it differs.

use std::time::{Duration, Instant};

use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use tracing::{debug, info, warn};

use super::kind::{Error, Reconcile, Report, STAYS, WAITS, key};
use crate::api::condition::{self, Reason};
use crate::cluster::status;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::turns::crowd;
use crate::telemetry::spans;

/// What a pass over a resource in one Grafana has come to.
pub(super) struct Ended<S> {
    /// When to look again without a change.
    pub(super) again: Option<Duration>,
    /// What there is to say; nothing where the status stays as it is.
    pub(super) said: Option<Said<S>>,
}

impl<S> Ended<S> {
    /// Nothing is to be said, and a change brings the next pass.
    pub(super) fn as_it_is() -> Self {
        Self {
            again: None,
            said: None,
        }
    }

    /// Notes in the pass's trace what there is to say.
    pub(super) fn note(&self) {
        if let Some(said) = &self.said {
            spans::reason(said.reason.as_str());
        }
    }

    /// When the next pass is due.
    pub(super) fn action(&self) -> Action {
        self.again.map_or_else(Action::await_change, Action::requeue)
    }
}

/// What there is to say after a pass.
pub(super) struct Said<S> {
    /// The whole status.
    pub(super) status: S,
    pub(super) reason: Reason,
    pub(super) message: String,
    has_warnings: bool,
    /// Whether a line in the log is due if the status is written.
    is_news: bool,
    /// Whether an event is, too: that all is well from the beginning is said by the status alone.
    is_event: bool,
}

/// Decides the status as a value, and when to look again.
pub(super) async fn finish<K: Reconcile>(
    object: &K,
    context: &Context,
    outcome: Result<Report<K::Status>, Failure>,
) -> Ended<K::Status> {
    crowd::leave().await;
    // A request stands until something was found out.
    let is_handled = match &outcome {
        Ok(report) => report.reason != Reason::Suspended,
        Err(failure) => !failure.is_unanswered(),
    };
    let (reason, message, mut next, warnings, again) = match outcome {
        Ok(mut report) => {
            if let Some(drift) = K::drift(&mut report.status) {
                *drift = report.drift;
            }
            context.backoff.reset(&key(object));
            (
                report.reason,
                report.message,
                report.status,
                report.warnings,
                report.again,
            )
        }
        Err(failure) => {
            tell(object, &failure);
            let (again, is_told) = next_try(object, context, failure.retry);
            let Some(reason) = failure.reason.filter(|_| is_told) else {
                return Ended { again, said: None };
            };
            let mut last = object.status().cloned().unwrap_or_default();
            if object.unread().is_none() && object.may_be_stored(context) {
                object.mark_stored(context, &mut last);
            }
            (reason, failure.message, last, Vec::new(), again)
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
    // What begins to wait with its deletion is news also where the reason was the same before.
    let waits = |message: &str| message.starts_with(WAITS) || message.starts_with(STAYS);
    let begins_to_wait = waits(&message) && !before.as_ref().is_some_and(|c| waits(&c.message));
    let (observed, conditions) = K::observed(&mut next);
    *observed = generation;
    if let Some(status) = object.status() {
        conditions.clone_from(K::conditions(status));
    }
    condition::report(conditions, reason, &message, generation, context.now());
    if let Some(asked) = object.requested().filter(|_| is_handled) {
        *K::handled(&mut next) = Some(asked.to_owned());
    }
    let is_other = before.as_ref().map(|c| c.reason.as_str()) != Some(reason.as_str());
    let has_warnings = !warnings.is_empty();
    let is_news = is_other || begins_to_wait || has_warnings;
    let is_well_at_once = before.is_none() && reason == Reason::Synced && !has_warnings;
    let said = Said {
        status: next,
        reason,
        message,
        has_warnings,
        is_news,
        is_event: is_news && !is_well_at_once,
    };
    Ended {
        again,
        said: Some(said),
    }
}

/// Writes the status if it differs.
pub(super) async fn publish<K: Reconcile>(
    object: &K,
    context: &Context,
    ended: Ended<K::Status>,
) -> Result<Action, Error> {
    let action = ended.action();
    let Some(said) = ended
        .said
        .filter(|said| status::differs(object.status(), &said.status))
        .filter(|said| !context.echoes.has_status(object, &said.status))
    else {
        return Ok(action);
    };
    context.echoes.expect_status(object, &said.status);
    if let Err(error) = status::apply(&context.client, object, &said.status, None).await {
        context.echoes.status_failed(object);
        return Err(Error::Kube(Box::new(error)));
    }
    context.reported::<K>(object, said.reason);
    said.tell(object, context, said.message.clone()).await;
    Ok(action)
}

impl<S> Said<S> {
    /// Logs what has changed, and publishes it in an event of the resource, in these words.
    pub(super) async fn tell<K: Managed>(&self, object: &K, context: &Context, note: String) {
        if !self.is_news {
            return;
        }
        let reason = self.reason;
        info!(
            kind = K::KIND,
            namespace = object.ns(),
            name = object.id(),
            instance = object.instance(),
            outcome = reason.as_str(),
            detail = self.message,
            "pass done"
        );
        if !self.is_event {
            return;
        }
        let is_well = (reason.is_ready() && reason != Reason::Drifted || reason == Reason::Suspended)
            && !self.has_warnings;
        let type_ = if is_well {
            EventType::Normal
        } else {
            EventType::Warning
        };
        let about = object.object_ref(&());
        context
            .event(&about, type_, reason.as_str(), "Reconcile", &note)
            .await;
    }

    /// The message of `Ready`.
    pub(super) fn message(&self) -> &str {
        &self.message
    }
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
fn next_try<K: Managed>(object: &K, context: &Context, retry: Retry) -> (Option<Duration>, bool) {
    let (key, generation, now) = (key(object), object.meta().generation, Instant::now());
    let backoff = || Some(context.backoff.next(&key, generation, now));
    match retry {
        Retry::Backoff => (backoff(), true),
        Retry::After(delay) => (Some(delay), true),
        Retry::OnChange => (None, true),
        Retry::Soon => match context.backoff.soon(&key, generation, now) {
            Some(delay) => (Some(delay), false),
            None => (backoff(), true),
        },
    }
}
