//! GrafanaInstance: connects, and reports what is known of the Grafana.

mod apis;
mod deprecation;
pub mod poller;
mod read;
mod recognition;
mod resend;
mod schedule;
pub mod sweep;

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::controller::Action;
use kube::runtime::events::EventType;
use kube::{Resource, ResourceExt};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tracing::{info, warn};
use url::Url;

use crate::api::condition::{self, Reason};
use crate::api::grafana_instance::{self, Auth, Tls};
use crate::api::reference::{SecretKeyRef, ValueSource};
use crate::api::{GrafanaInstance, GrafanaInstanceSpec, GrafanaInstanceStatus};
use crate::cluster::identity::Identity;
use crate::cluster::leader::Term;
use crate::cluster::{secrets, status};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::By;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::health::{Health, all_unread};
use crate::domain::notification::contact_point::Secrets;
use crate::domain::ownership::{Owner, Owners};
use crate::grafana::transport::{self, Connection, Supervisor};
use crate::grafana::{Class, Grafana};
use crate::metrics::Metrics;

/// How long a failed connection attempt waits.
const RETRY: Duration = Duration::from_secs(10);

/// What is said until Grafana has answered, or not.
const CONNECTING: &str = "connecting";

/// An error that ended a pass.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the status")]
pub struct Error(#[from] kube::Error);

/// One pass over one GrafanaInstance.
pub async fn reconcile(object: Arc<GrafanaInstance>, context: Arc<Context>) -> Result<Action, Error> {
    let outcome = connect(&object, &context).await;
    if outcome.is_ok() {
        context.broken.write().remove(&object.name_any());
    }
    let mut next = object.status.clone().unwrap_or_default();
    let mut left_behind = None;
    let mut capabilities = None;
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
                left_behind = recognition::note(&instance, &context, &mut next);
            }
            let (reason, message) = describe(&instance, &context, &mut next);
            capabilities = Some(instance.grafana.apis.capabilities());
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
    context
        .metrics
        .set_reachable(&object.name_any(), next.reachable == Some(true));
    next.observed_generation = object.metadata.generation;
    if refuse_another_owner(&object, &context.owner).is_ok() {
        next.owner_id = Some(context.owner.as_str().to_owned());
    }
    condition::report(
        &mut next.conditions,
        reason,
        &message,
        object.metadata.generation,
        context.now(),
    );
    deprecation::tell(&mut next, object.metadata.generation, context.now());
    apis::tell(
        capabilities.as_ref(),
        &mut next,
        object.metadata.generation,
        context.now(),
    );
    if status::differs(object.status.as_ref(), &next) {
        write(&object, &next, &context).await?;
        context.metrics.kubernetes_write("GrafanaInstance", "status");
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
    if let Err(error) = status::apply(&context.client, object, next).await {
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
    let Some(instance) = context.running.write().remove(name) else {
        return;
    };
    instance.stop.cancel();
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
    triggers.silences.all_of(&stores.silences, name);
}

/// Lets Grafana be written to only while this process holds the Lease, and counts the calls.
struct Leader {
    term: Arc<Term>,
    metrics: Arc<Metrics>,
}

impl Supervisor for Leader {
    fn may_write(&self) -> bool {
        self.term.holds()
    }

    fn ended(&self, operation: &'static str, error: Option<Class>, took: Duration) {
        self.metrics.grafana_call(operation, error, took);
    }

    fn deprecated(&self, operation: &'static str) {
        self.metrics.grafana_deprecated_call(operation);
    }
}

/// The connection that fits the specification and its Secrets; a new one if they have changed.
async fn connect(object: &GrafanaInstance, context: &Arc<Context>) -> Result<Arc<Instance>, Failure> {
    refuse_another_owner(object, &context.owner)?;
    let name = object.name_any();
    let spec = &object.spec;
    let values = secrets::read(
        &context.client,
        &context.namespace,
        grafana_instance::references(spec),
    )
    .await?;
    let fingerprint = fingerprint(object, &values);
    let running = context.running.read().get(&name).cloned();
    if let Some(instance) = running
        && instance.fingerprint == fingerprint
    {
        return Ok(instance);
    }
    let connection = connection(spec, &values)?;
    let supervisor = Arc::new(Leader {
        term: context.term.clone(),
        metrics: context.metrics.clone(),
    });
    let grafana = Grafana::connect(&connection, supervisor).map_err(|e| {
        Failure::new(
            Reason::Invalid,
            format!("spec.{}", crate::cluster::answer::chain(&e)),
            Retry::OnChange,
        )
    })?;
    let instance = Arc::new(Instance::new(
        name.clone(),
        spec.clone(),
        fingerprint,
        grafana,
        Owners::new(context.owner.clone(), &spec.previous_owner_ids),
        context.rights.of(Identity::new(&spec.url, None).url()),
        context.namespace.clone(),
    ));
    if let Some(old) = context.running.write().insert(name.clone(), instance.clone()) {
        old.stop.cancel();
    }
    info!(instance = name, url = spec.url, "connecting to grafana");
    tokio::spawn(poller::run(instance.clone(), context.clone()));
    Ok(instance)
}

/// Fails where the operator worked with another owner id before: it would find nothing of what it has made, and make all of it again.
fn refuse_another_owner(object: &GrafanaInstance, owner: &Owner) -> Result<(), Failure> {
    let before = object
        .status
        .as_ref()
        .and_then(|status| status.owner_id.as_deref());
    let owners = Owners::new(owner.clone(), &object.spec.previous_owner_ids);
    match before.filter(|before| owners.all().all(|owner| owner.as_str() != *before)) {
        None => Ok(()),
        Some(before) => Err(Failure::new(
            Reason::NotOwned,
            format!(
                "what this operator has made in this Grafana carries the owner id {before}, and now it runs with {}: to take over what is there, put {before} into spec.previousOwnerIDs; or run it with --owner-id={before} again. To leave all of it behind, delete this GrafanaInstance and create it anew",
                owner.as_str()
            ),
            Retry::OnChange,
        )),
    }
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
        next.version = version;
        next.unsupported = facts.version.lacks();
        apis::note(instance, &context.metrics, next);
    }
    match instance.health() {
        Health::Starting => (Reason::Unavailable, CONNECTING.into()),
        Health::Up => {
            count(instance, context, next);
            let warnings = sweep::warning(instance).into_iter().chain(rights(instance));
            let message = warnings.fold("connected".to_owned(), |text, warning| {
                format!("{text}. Warning: {warning}")
            });
            (Reason::Synced, message)
        }
        Health::Partly(failing) => {
            count(instance, context, next);
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

/// What a person should know of credentials that may read and not write.
fn rights(instance: &Instance) -> Option<String> {
    let refused = instance.refused.for_want_of_rights();
    (refused > 0).then(|| {
        format!(
            "Grafana lets these credentials read and has refused what they wrote for {refused} resources; whom spec.auth names needs the role Admin"
        )
    })
}

fn count(instance: &Instance, context: &Context, next: &mut GrafanaInstanceStatus) {
    next.reachable = Some(true);
    // Before everything has been listed there is nothing to count; the pass is repeated then.
    if context.is_ready() {
        let (in_sync, not_in_sync) = counts(instance, context);
        next.in_sync = Some(in_sync);
        next.not_in_sync = Some(not_in_sync);
        sweep::report(instance, next);
    }
}

/// How many resources of the instance are in sync, and how many aren't.
fn counts(instance: &Instance, context: &Context) -> (i64, i64) {
    let of = |is_synced| {
        let synced = By::Synced(instance.name.clone(), is_synced);
        let stores = &context.stores;
        let all = stores.rules.count(&synced)
            + stores.contact_points.count(&synced)
            + stores.policies.count(&synced)
            + stores.silences.count(&synced);
        i64::try_from(all).unwrap_or_default()
    };
    (of(true), of(false))
}

/// Differs when the specification or a secret value does; nothing can be read from it.
pub(super) fn fingerprint(object: &GrafanaInstance, values: &Secrets) -> String {
    let mut hash = Sha256::new();
    hash.update(object.metadata.uid.as_deref().unwrap_or_default());
    hash.update(serde_json::to_vec(&object.spec).unwrap_or_default());
    for (reference, value) in values {
        for part in [&reference.name, &reference.key, value] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

fn connection(spec: &GrafanaInstanceSpec, values: &Secrets) -> Result<Connection, Failure> {
    let invalid = |message: String| Failure::new(Reason::Invalid, message, Retry::OnChange);
    let url = Url::parse(&spec.url).map_err(|e| invalid(format!("spec.url: {e}")))?;
    let secret =
        |reference: &SecretKeyRef| SecretString::from(values.get(reference).cloned().unwrap_or_default());
    let text = |source: &ValueSource| {
        source.value.clone().or_else(|| {
            source
                .secret_key_ref
                .as_ref()
                .and_then(|r| values.get(r).cloned())
        })
    };
    let auth = match &spec.auth {
        Auth {
            token: Some(token), ..
        } => transport::Auth::Token(secret(&token.secret_key_ref)),
        Auth {
            basic: Some(basic), ..
        } => transport::Auth::Basic {
            user: text(&basic.username).unwrap_or_default(),
            password: secret(&basic.password.secret_key_ref),
        },
        Auth {
            token: None,
            basic: None,
        } => {
            return Err(invalid("spec.auth: give exactly one of token and basic".into()));
        }
    };
    let tls = spec.tls.as_ref().map(|tls: &Tls| transport::Tls {
        ca_pem: tls.ca.as_ref().and_then(text),
        client_cert_pem: tls.client_certificate.as_ref().and_then(text),
        client_key_pem: tls.client_key.as_ref().map(|key| secret(&key.secret_key_ref)),
        insecure_skip_verify: tls.insecure_skip_verify.unwrap_or(false),
    });
    Ok(Connection {
        url,
        auth,
        org_id: spec.org_id,
        tls: tls.unwrap_or_default(),
        user_agent: concat!("alertwright/", env!("CARGO_PKG_VERSION")).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn another_owner_id_is_refused_until_the_former_one_is_named() {
        let refused = |before: Option<&str>, former: &[&str]| {
            let object: GrafanaInstance = from_value(json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "GrafanaInstance", "metadata": {"name": "default"},
                "spec": {"url": "http://grafana", "auth": {}, "previousOwnerIDs": former},
                "status": {"ownerID": before},
            }))
            .unwrap();
            refuse_another_owner(&object, &Owner::parse("new").unwrap()).err()
        };
        assert_eq!(refused(None, &[]), None);
        assert_eq!(refused(Some("new"), &[]), None);
        assert_eq!(refused(Some("old"), &["older", "old"]), None);
        let failure = refused(Some("old"), &["older"]).unwrap();
        assert_eq!(failure.reason, Some(Reason::NotOwned));
        for part in [
            "put old into spec.previousOwnerIDs",
            "--owner-id=old",
            "runs with new",
        ] {
            assert!(failure.message.contains(part), "{}", failure.message);
        }
    }
}
