//! GrafanaInstance: connects, and reports what is known of the Grafana.

mod apis;
mod changed;
pub mod connect;
mod deprecation;
mod folders;
pub(in crate::controller) mod moved;
pub mod poller;
pub(in crate::controller) mod read;
mod resend;
mod schedule;
pub mod states;
pub mod sweep;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use connect::{connect, refuse_another_owner};
use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::{Resource, ResourceExt};
use tracing::{info, warn};

use crate::api::condition::{self, Reason};
use crate::api::{GrafanaInstance, GrafanaInstanceStatus};
use crate::cluster::status;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::failure::Retry;
use crate::controller::engine::health::{Health, all_unread};
use crate::domain::refusal::counted;
use crate::domain::tenancy;
use crate::grafana::mirror::Part;
use crate::telemetry::spans;

/// How long a failed connection attempt waits.
const RETRY: Duration = Duration::from_secs(10);

/// What is said until Grafana has answered, or not.
const CONNECTING: &str = "connecting";

/// What Grafana answers whoever asks for an organisation that isn't there.
const NO_ORGANISATION: &str = "organization not found";

#[cfg(any(test, feature = "cli"))]
pub(super) use apis::preference;
#[cfg(test)]
pub(super) use connect::{fingerprint, read as read_references};

/// An error that ended a pass.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the status")]
pub struct Error(#[from] kube::Error);

/// One pass over one GrafanaInstance.
pub async fn reconcile(object: Arc<GrafanaInstance>, context: Arc<Context>) -> Result<Action, Error> {
    let outcome = connect(&object, &context).await;
    if !context.is_declared(&object) {
        return Ok(Action::await_change());
    }
    if outcome.is_ok() {
        context.broken.write().remove(&object.name_any());
    }
    let mut next = object.status.clone().unwrap_or_default();
    let mut left_behind = None;
    let mut connected = None;
    let (reason, message, action) = match outcome {
        // After a restart, what was known before stands until Grafana has answered.
        Ok(instance)
            if matches!(instance.health(), Health::Starting)
                && next.observed_generation == object.metadata.generation =>
        {
            return Ok(Action::await_change());
        }
        Ok(instance) => {
            resend::as_asked(&instance, &context).await;
            // Before everything has been listed nobody knows what has been made.
            if context.is_ready() {
                left_behind = moved::recognition::note(&instance, &context, &mut next);
                moved::look_after(&instance, &context);
            }
            let (reason, message) = describe(&instance, &context, &mut next);
            let capabilities = instance.grafana.apis.capabilities();
            connected = Some((instance, capabilities));
            (reason, message, Action::await_change())
        }
        // The API server couldn't be asked, so nothing says that the connection there is has become wrong.
        Err(failure)
            if matches!(
                failure.reason,
                None | Some(Reason::Unavailable | Reason::Unauthorized)
            ) && next.observed_generation == object.metadata.generation
                && context.running.read().contains_key(&object.name_any()) =>
        {
            warn!(
                instance = object.name_any(),
                error = failure.message,
                "the connection stays as it is"
            );
            return Ok(Action::requeue(RETRY));
        }
        Err(failure) => {
            let name = object.name_any();
            let before = context.broken.write().insert(name.clone(), failure.clone());
            disconnect(&name, &context);
            if before.as_ref() != Some(&failure) {
                trigger_users(&name, &context);
            }
            let reason = failure.reason.unwrap_or(Reason::Unavailable);
            let action = if failure.retry == Retry::OnChange {
                Action::await_change()
            } else {
                Action::requeue(RETRY)
            };
            next.reachable = Some(false);
            (reason, failure.message, action)
        }
    };
    spans::reason(reason.as_str());
    context
        .metrics
        .set_reachable(&object.name_any(), next.reachable == Some(true));
    next.observed_generation = object.metadata.generation;
    if refuse_another_owner(&object, &context.owner).is_ok() {
        next.owner_id = Some(context.owner.as_str().to_owned());
    }
    let (generation, now) = (object.metadata.generation, context.now());
    condition::report(&mut next.conditions, reason, &message, generation, now);
    deprecation::tell(&mut next, generation, now);
    let capabilities = connected.as_ref().map(|(_, capabilities)| capabilities);
    apis::tell(capabilities, &mut next, generation, now);
    moved::tell(&object.name_any(), &context, &mut next, generation, now);
    if status::differs(object.status.as_ref(), &next) {
        write(&object, &next, &context).await?;
        let about = object.object_ref(&());
        // How connecting ends is told, not that it begins.
        if told_before(&object) != Some(reason.as_str()) && message != CONNECTING {
            let type_ = if reason.is_ready() {
                EventType::Normal
            } else {
                EventType::Warning
            };
            context
                .event(&about, type_, reason.as_str(), "Connect", &message)
                .await;
        }
        if let Some(note) = left_behind {
            context
                .event(&about, EventType::Warning, "LeftBehind", "Connect", &note)
                .await;
        }
    }
    if let Some((instance, capabilities)) = connected {
        apis::told(&object, &instance, &capabilities, &context).await;
    }
    Ok(action)
}

/// The reason that was told last, if any was.
fn told_before(object: &GrafanaInstance) -> Option<&str> {
    let ready = condition::ready(&object.status.as_ref()?.conditions)?;
    (ready.message != CONNECTING).then_some(ready.reason.as_str())
}

/// Writes the status, or says in an event that it may not be written.
async fn write(
    object: &GrafanaInstance,
    next: &GrafanaInstanceStatus,
    context: &Context,
) -> Result<(), Error> {
    if let Err(error) = status::apply(&context.client, object, next, None).await {
        context.tell_if_refused(&object.object_ref(&()), &error).await;
        return Err(error.into());
    }
    Ok(())
}

/// When to try again after an error.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that the controller asks for"
)]
pub fn after_error(object: Arc<GrafanaInstance>, error: &Error, _: Arc<Context>) -> Action {
    warn!(
        instance = object.name_any(),
        error = crate::cluster::answer::chain(error),
        "pass failed"
    );
    Action::requeue(RETRY)
}

/// Ends the connection to an instance that is gone, and tells whoever used it.
pub fn disconnect(name: &str, context: &Context) {
    let is_declared = context.instance_exists(name);
    if !is_declared {
        context.former.forget(name);
        context.broken.write().remove(name);
    }
    let Some(instance) = context.running.write().remove(name) else {
        return;
    };
    instance.stop.cancel();
    // It may come back elsewhere.
    if is_declared {
        moved::leave(&instance, context);
    }
    sweep::forget(name, context);
    context.metrics.forget_apis(name);
    info!(instance = name, "disconnected from grafana");
    trigger_users(name, context);
}

fn trigger_users(name: &str, context: &Context) {
    let (triggers, stores) = (&context.triggers, &context.stores);
    triggers.rules.all_of(&stores.rules, name);
    triggers.contact_points.all_of(&stores.contact_points, name);
    triggers.policies.all_of(&stores.policies, name);
    triggers.time_intervals.all_of(&stores.time_intervals, name);
    triggers.templates.all_of(&stores.templates, name);
    triggers.inhibition_rules.all_of(&stores.inhibition_rules, name);
    triggers.silences.all_of(&stores.silences, name);
    triggers.imports.all_of(&stores.imports, name);
}

/// What is to be said of an instance.
pub(super) fn describe(
    instance: &Instance,
    context: &Context,
    next: &mut GrafanaInstanceStatus,
) -> (Reason, String) {
    next.resent = resend::acted_upon(instance, context);
    if let Ok(facts) = instance.facts() {
        let version = Some(facts.version_text.clone()).filter(|text| !text.is_empty());
        deprecation::note(instance, version.as_deref(), next);
        if next.version != version {
            let (now, before) = (version.as_deref(), next.version.as_deref());
            info!(
                instance = instance.name,
                version = now,
                before,
                "version of grafana"
            );
        }
        next.version = version;
        next.unsupported = facts.version.lacks(facts.toggles);
        apis::note(instance, &context.metrics, next);
    }
    next.unread.clear();
    let health = instance.health();
    if let Some(message) = no_organisation(instance, &health) {
        next.reachable = Some(true);
        return (Reason::Invalid, message);
    }
    match health {
        Health::Starting => (Reason::Unavailable, CONNECTING.into()),
        Health::Up => {
            count(instance, context, next);
            let warnings = [
                sweep::warning(instance),
                rights(instance),
                blindness(instance, context),
            ];
            let warnings = warnings.into_iter().flatten();
            let message = warnings.fold("connected".to_owned(), |text, warning| {
                format!("{text}. Warning: {warning}")
            });
            (Reason::Synced, message)
        }
        Health::Partly(failing) => {
            count(instance, context, next);
            let unread = failing.iter();
            next.unread = unread
                .map(|(part, failure)| (part.as_str().to_owned(), failure.message.clone()))
                .collect();
            let reason = failing.values().find_map(|failure| failure.reason);
            let message = format!(
                "{}. What needs them waits, all else goes on",
                all_unread(&failing)
            );
            (reason.unwrap_or(Reason::Unavailable), message)
        }
        Health::Down(failure) => {
            next.reachable = Some(false);
            (failure.reason.unwrap_or(Reason::Unavailable), failure.message)
        }
    }
}

/// That the organisation isn't there which `spec.orgID` names: then Grafana answers whatever is asked with that.
fn no_organisation(instance: &Instance, health: &Health) -> Option<String> {
    let number = instance.spec.org_id?;
    let failure = match health {
        Health::Down(failure) => failure,
        Health::Partly(failing) => failing.get(&Part::Settings)?,
        Health::Starting | Health::Up => return None,
    };
    failure.message.contains(NO_ORGANISATION).then(|| {
        format!(
            "spec.orgID: Grafana has no organisation {number} ({}); correct it, or create the organisation. Until then nothing is read or written there",
            failure.message
        )
    })
}

/// What a person should know of credentials that may read and not write.
fn rights(instance: &Instance) -> Option<String> {
    let refused = instance.refused.for_want_of_rights();
    (refused > 0).then(|| {
        format!(
            "Grafana lets these credentials read and has refused what they wrote for {}; whom spec.auth names needs the role Admin, or the rights that docs/grafana-versions.md lists for its version",
            counted(refused, "resource")
        )
    })
}

/// What a person should know where namespaces are chosen by labels that can't be seen.
fn blindness(instance: &Instance, context: &Context) -> Option<String> {
    tenancy::selector(&instance.spec)?;
    let why = context.namespaces.refused()?;
    Some(format!(
        "spec.allowedNamespaces.selector chooses by labels that the operator cannot see now: {why}; give its ServiceAccount the right to list and watch namespaces by a ClusterRoleBinding, or list the namespaces in names"
    ))
}

fn count(instance: &Instance, context: &Context, next: &mut GrafanaInstanceStatus) {
    next.reachable = Some(true);
    // Before everything has been listed there is nothing to count; the pass is repeated then.
    if context.is_ready() {
        let (in_sync, not_in_sync) = counts(instance, context);
        next.in_sync = Some(in_sync);
        next.not_in_sync = Some(not_in_sync);
        next.drifted = Some(of_all(&By::Drifted(instance.name.clone()), context)).filter(|count| *count > 0);
        next.waiting.clear();
        if not_in_sync > 0 {
            let reasons = Reason::ALL.map(|reason| {
                let by = By::Waiting(instance.name.clone(), reason.as_str().to_owned());
                (reason.as_str().to_owned(), of_all(&by, context))
            });
            next.waiting = reasons.into_iter().filter(|(_, count)| *count > 0).collect();
        }
        sweep::report(instance, next);
    }
}

/// How many resources are found by this.
fn of_all(by: &By, context: &Context) -> i64 {
    let stores = &context.stores;
    let all = stores.rules.count(by)
        + stores.contact_points.count(by)
        + stores.policies.count(by)
        + stores.time_intervals.count(by)
        + stores.templates.count(by)
        + stores.inhibition_rules.count(by)
        + stores.silences.count(by);
    i64::try_from(all).unwrap_or_default()
}

/// How many resources of the instance are in sync, and how many aren't.
fn counts(instance: &Instance, context: &Context) -> (i64, i64) {
    let of = |is_synced| of_all(&By::Synced(instance.name.clone(), is_synced), context);
    (of(true), of(false))
}
