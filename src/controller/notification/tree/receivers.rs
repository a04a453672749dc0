//! Contact points that have to go out of our policy trees.

use std::sync::Arc;

use super::held::{found, put, reset};
use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::controller::notification::users::refers;
use crate::domain::notification::policy;
use crate::domain::notification::tree::Holder;
use crate::grafana::Class;
use crate::grafana::api::Provenance;
use crate::grafana::model::{Found, Route, TreeName};
use crate::grafana::turns::Turn;

/// Which of our trees, as they are right now, send to a contact point of this name.
async fn ours_with(instance: &Instance, receiver: &str) -> Result<Vec<(TreeName, Found<Route>)>, Failure> {
    let is_ours = |mark: &str| instance.owners.resource(mark).is_some();
    let named: Vec<_> = instance.mirror.read(|held| {
        let all = held.trees.iter().map(|(name, _)| name);
        let all = all.chain(held.trees.unknown_keys());
        all.filter(|name| !name.is_default()).cloned().collect()
    });
    let mut all = Vec::new();
    for name in std::iter::once(TreeName::default()).chain(named) {
        let found = found(instance, &name).await?;
        let is_it = |found: &Found<Route>| Holder::of(&name, Some(found), is_ours, false) == Holder::Us;
        if let Some(ours) = found.filter(|found| is_it(found) && refers(&found.object, receiver)) {
            all.push((name, ours));
        }
    }
    Ok(all)
}

/// Whether a tree of ours, as it is right now, sends to a contact point of this name.
pub(in crate::controller::notification) async fn ours_refers(
    instance: &Instance,
    receiver: &str,
) -> Result<bool, Failure> {
    Ok(!ours_with(instance, receiver).await?.is_empty())
}

/// Takes a contact point that has to go out of our trees; `false` if it is in none of ours. The parent's takes its place, and the
/// previous tree's at the root.
pub(in crate::controller::notification) async fn replace_receiver(
    instance: &Arc<Instance>,
    turn: &Turn,
    receiver: &str,
) -> Result<bool, Failure> {
    let all = ours_with(instance, receiver).await?;
    for (name, ours) in &all {
        let otherwise = instance
            .memory()?
            .read(|memory| memory.tree(name).previous.as_ref()?.receiver.clone());
        let otherwise = otherwise.filter(|other| other != receiver).unwrap_or_default();
        let tree = policy::without(&ours.object, receiver, &otherwise);
        let suspect = |e: crate::grafana::Error| instance.suspect(e.into());
        match put(instance, turn, name, &tree, Some(ours), Provenance::Api).await {
            // Nothing is left that the root could refer to.
            Err(error) if error.class() == Class::Rejected => {
                reset(instance, turn, name, Some(ours)).await.map_err(suspect)?;
            }
            result => result.map_err(suspect)?,
        }
        found(instance, name).await?;
    }
    Ok(!all.is_empty())
}
