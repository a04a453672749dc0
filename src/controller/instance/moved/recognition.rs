//! Which Grafana an instance is connected to, and what stays behind in the one before.

use crate::api::GrafanaInstanceStatus;
use crate::api::condition::Reason;
use crate::cluster::answer::chain;
use crate::cluster::identity::Identity;
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Indexed};
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::grafana::Error;

/// How many Grafanas that things were left in are remembered, the last ones.
const LEFT_BEHIND: usize = 8;

/// Asks the Grafana which organisation the credentials are for, once for each connection, and recalls what is remembered of it.
pub(in crate::controller::instance) async fn recognise(
    instance: &Instance,
    context: &Context,
) -> Result<(), Failure> {
    if instance.memory().is_ok() {
        return Ok(());
    }
    let mut organisation = told(instance).await?;
    if organisation.is_none() {
        // What is in front of a Grafana that is away says the same. Whoever took that for its word would take it for another one for good.
        let health = instance.grafana.server.health().await?;
        if health.database.is_empty() {
            return Err(Failure::new(
                Reason::Unavailable,
                "/api/health isn't answered by grafana",
                Retry::Backoff,
            ));
        }
        organisation = told(instance).await?.or(instance.spec.org_id);
    }
    let identity = Identity::new(&instance.spec.url, organisation);
    let memory = context
        .memories
        .of(&context.client, &context.namespace, &identity)
        .await
        .map_err(|e| {
            Failure::new(
                Reason::Unavailable,
                format!(
                    "what is remembered of this Grafana in Secret {} cannot be read: {}; run the version that wrote it, or delete the Secret (then the policy tree from before is forgotten, and secrets are sent anew)",
                    identity.secret_name(),
                    chain(&e)
                ),
                Retry::Backoff,
            )
        })?;
    // First, for passes begin with that.
    context.recognised(&instance.name, organisation);
    instance.recognised(memory);
    Ok(())
}

/// The number of the organisation as it is told; `None` where nobody says it: not everybody may ask, and not every proxy passes it on.
async fn told(instance: &Instance) -> Result<Option<i64>, Failure> {
    match instance.grafana.server.organisation().await {
        Ok(number) => Ok(Some(number)),
        Err(Error::Status {
            status: 403 | 404, ..
        }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Notes in the status which Grafana the instance is connected to. If it was another one before, in which resources have made something,
/// returns what people should know.
pub(in crate::controller::instance) fn note(
    instance: &Instance,
    context: &Context,
    next: &mut GrafanaInstanceStatus,
) -> Option<String> {
    let here = instance.memory().ok()?.identity();
    let before = next.url.as_deref().map(|url| Identity::new(url, next.org_id));
    if before.as_ref() == Some(here) {
        return None;
    }
    next.url = Some(here.url().to_owned());
    next.org_id = here.organisation();
    let before = before?.to_string();
    let left = what(instance, context);
    if left.is_empty() {
        return None;
    }
    // One that it comes back to has nothing left behind: its resources are at home there again.
    let here = here.to_string();
    next.left_behind.retain(|entry| {
        [&before, &here]
            .iter()
            .all(|grafana| !entry.starts_with(&format!("{grafana}: ")))
    });
    next.left_behind.push(format!("{before}: {left}"));
    let surplus = next.left_behind.len().saturating_sub(LEFT_BEHIND);
    next.left_behind.drain(..surplus);
    Some(format!(
        "this instance was connected to {before} and is connected to {here} now. If these are two, then what was made in the first ({left}) goes on notifying until it is removed there: the condition LeftBehind says how that goes"
    ))
}

/// What the resources of an instance have made in its Grafana, going by their status: `2 AlertRules, 1 ContactPoint`.
fn what(instance: &Instance, context: &Context) -> String {
    fn of<K: Managed + Indexed>(store: &Store<K>, instance: &str) -> Option<String> {
        let all = store.by(&By::Instance(instance.to_owned()));
        let reported = all.iter().filter(|object| object.status().is_some()).count();
        let plural = if K::KIND.ends_with('y') {
            format!("{}ies", K::KIND.trim_end_matches('y'))
        } else {
            format!("{}s", K::KIND)
        };
        match reported {
            0 => None,
            1 => Some(format!("1 {}", K::KIND)),
            several => Some(format!("{several} {plural}")),
        }
    }
    let (stores, name) = (&context.stores, &instance.name);
    [
        of(&stores.rules, name),
        of(&stores.contact_points, name),
        of(&stores.policies, name),
        of(&stores.time_intervals, name),
        of(&stores.templates, name),
        of(&stores.inhibition_rules, name),
        of(&stores.silences, name),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}
