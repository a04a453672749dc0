//! A pass over what a resource is in one Grafana.

use std::sync::Arc;
use std::time::Duration;

use tracing::info;

use super::kind::{Reconcile, Report, STAYS, WAITS, key};
use super::report::{self, Ended};
use crate::api::condition::{self, Reason};
use crate::api::grafana_instance::OrphanPolicy;
use crate::api::reference::DeletionPolicy;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry, is_of_instance};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::turns::crowd::{self, Entry};
use crate::deadline::{Late, within};
use crate::grafana::mirror::Subject;

/// How long a pass may work. What it waits for others isn't in it.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until a pass over what a resource is in one Grafana may begin.
pub(super) async fn enter<K: Reconcile>(object: &K, context: &Context) -> Entry {
    let company = object.company(context);
    context.crowd.enter(K::KIND, object.instance(), company).await
}

/// Brings one Grafana to what the resource asks for.
pub(super) async fn bring<K: Reconcile>(object: &K, context: &Context) -> Ended<K::Status> {
    if let Some(problem) = object.unread() {
        let failure = Failure::new(Reason::Invalid, problem, Retry::OnChange);
        return report::finish(object, context, Err(failure)).await;
    }
    match object.conclude(context).await {
        Ok(None) => {}
        Ok(Some(report)) => return report::finish(object, context, Ok(report)).await,
        Err(failure) => return report::finish(object, context, Err(failure)).await,
    }
    if object.is_suspended() {
        return suspended(object, context).await;
    }
    let doubt = Doubt::if_asked(object, context);
    let brought = within(DEADLINE, reconcile(object, context)).await;
    drop(doubt);
    let outcome = match brought {
        // While Grafana can't be read, what was said of this very wish stands: the instance alone says what is wrong with it.
        Ok(Err(failure)) if stands(object) && context.unusable(object).as_ref() == Some(&failure) => {
            return Ended::as_it_is();
        }
        Ok(outcome) => outcome,
        Err(Late) => Err(late()),
    };
    report::finish(object, context, outcome).await
}

/// Where somebody has asked for a pass, what it decides by is read in Grafana, whatever polls have shown. A pass that ends before it has read it leaves
/// it as it was known: others decide by it too.
pub(in crate::controller) struct Doubt {
    instance: Arc<Instance>,
    subject: Subject,
}

impl Doubt {
    fn if_asked<K: Reconcile>(object: &K, context: &Context) -> Option<Self> {
        // What was never written has nothing in Grafana that is its own; what is decided by there may be somebody else's.
        if !is_asked(object) || !object.may_be_stored(context) {
            return None;
        }
        let instance = context.instance(object).ok()?;
        let subject = object.decided_by(&instance)?;
        Some(Self::of(instance, subject))
    }

    /// Nothing counts as known of this until it is read, or for as long as this lives.
    pub(in crate::controller) fn of(instance: Arc<Instance>, subject: Subject) -> Self {
        instance.mirror.write(|held| held.doubts(&subject));
        Self { instance, subject }
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        self.instance.mirror.write(|held| held.trusts(&self.subject));
    }
}

pub(super) async fn suspended<K: Reconcile>(object: &K, context: &Context) -> Ended<K::Status> {
    let mut status = object.status().cloned().unwrap_or_default();
    object.note_place(context, &mut status);
    let report = Report {
        reason: Reason::Suspended,
        ..Report::synced(status, "spec.suspend is set: Grafana is left as it is")
    };
    report::finish(object, context, Ok(report)).await
}

/// What is wrong with a resource by itself is told before that its Grafana can't be asked.
async fn reconcile<K: Reconcile>(object: &K, context: &Context) -> Result<Report<K::Status>, Failure> {
    match context.instance(object) {
        Err(failure) if context.is_ready() => Err(object.mistake(context).await.unwrap_or(failure)),
        _ => object.reconcile(context).await,
    }
}

/// Whether this pass is one that somebody has asked for.
pub(in crate::controller) fn is_asked<K: Reconcile>(object: &K) -> bool {
    let mut status = object.status().cloned().unwrap_or_default();
    let asked = object.requested();
    asked.is_some() && K::handled(&mut status).as_deref() != asked
}

/// Whether the status speaks of what is asked for now.
pub(in crate::controller) fn is_told<K: Managed>(object: &K) -> bool {
    let ready = object.status().and_then(|s| condition::ready(K::conditions(s)));
    ready.is_some_and(|ready| ready.observed_generation == object.meta().generation)
}

/// The same of more than of what is wrong with the instance: that changes.
fn stands<K: Managed>(object: &K) -> bool {
    let ready = object.status().and_then(|s| condition::ready(K::conditions(s)));
    is_told(object) && !ready.is_some_and(|ready| is_of_instance(&ready.message, object.instance()))
}

/// Why something is taken out of a Grafana.
#[derive(Clone, Copy)]
pub(super) enum Leaving {
    /// The resource is deleted.
    ForGood,
    /// It isn't for that Grafana any more.
    ForOthers,
}

/// Takes out of one Grafana what the resource has made there. If that has to wait, what for, and what there is to say of it.
pub(super) async fn leave<K: Reconcile>(
    object: &K,
    context: &Context,
    why: Leaving,
) -> Result<(), (String, Ended<K::Status>)> {
    // What can't be read isn't taken for a default: that might be another Grafana's object, or one that is to stay.
    if let Some(problem) = object.unread_whereabouts()
        && object.may_be_stored(context)
    {
        let message = format!("{WAITS}{problem}");
        let failure = Failure::new(Reason::Invalid, message.clone(), Retry::OnChange);
        return Err((message, report::finish(object, context, Err(failure)).await));
    }
    let outcome = match within(DEADLINE, object.clean_up(context)).await {
        Ok(outcome) => outcome,
        Err(Late) => Err(late()),
    };
    match outcome {
        Ok(()) => {
            crowd::leave().await;
            context.backoff.reset(&key(object));
            let (kind, namespace, name, instance) = (K::KIND, object.ns(), object.id(), object.instance());
            info!(kind, namespace, name, instance, outcome = "deleted", "pass done");
            Ok(())
        }
        Err(mut failure) => {
            if failure.reason.is_some() {
                let begins = match why {
                    Leaving::ForGood => WAITS,
                    Leaving::ForOthers => STAYS,
                };
                failure.message = format!(
                    "{begins}{}. Set spec.deletionPolicy to Orphan to let go of it at once",
                    failure.message
                );
            }
            let message = failure.message.clone();
            Err((message, report::finish(object, context, Err(failure)).await))
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

/// The Grafana that an object of a deleted resource is to be removed from; `None` if there is none, or nothing to remove. What stays behind
/// is said in an event.
pub(in crate::controller) async fn leaving<K: Reconcile>(
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
    let running = context.connection(name);
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
