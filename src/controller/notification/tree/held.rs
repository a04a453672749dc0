//! One policy tree of a Grafana: looking at it, and writing it. Whoever writes notifications to a Grafana has the right to.

use std::sync::Arc;

use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::domain::notification::tree::Holder;
use crate::grafana::api::Provenance;
use crate::grafana::mirror::Subject;
use crate::grafana::model::{Found, Revision, Route, TreeName};
use crate::grafana::turns::Turn;

/// How trees begin to be called among what Grafana has refused.
const TREE: &str = "policy tree";

/// What a tree is called.
pub(in crate::controller::notification) fn called(name: &TreeName) -> String {
    if name.is_default() {
        TREE.to_owned()
    } else {
        format!("{TREE} {}", name.0)
    }
}

/// The same among trees: the tree, or which of them.
pub(in crate::controller::notification) fn what(name: &TreeName) -> String {
    if name.is_default() {
        "tree".to_owned()
    } else {
        format!("tree {}", name.0)
    }
}

/// Lets all trees be tried anew: one is refused for a contact point or time interval that Grafana lacks, so it may be when one is there that
/// wasn't.
pub(in crate::controller::notification) fn try_anew(instance: &Instance) {
    instance.refused.forget_like(TREE);
}

/// The tree that is there right now.
pub(super) async fn found(instance: &Instance, name: &TreeName) -> Result<Option<Found<Route>>, Failure> {
    let found = instance.grafana.trees.get(name).await;
    let found = found.map_err(|e| instance.suspect(e.into()))?;
    instance
        .mirror
        .write(|held| held.trees.written(name.clone(), found.clone()));
    Ok(found)
}

/// Looks at a tree if nothing is known of it: a write of it may have ended without an answer.
pub(in crate::controller::notification) async fn know(
    instance: &Instance,
    name: &TreeName,
) -> Result<(), Failure> {
    let is_unknown = instance.mirror.read(|held| held.trees.lookup(name).is_unknown());
    if is_unknown {
        found(instance, name).await?;
    }
    Ok(())
}

/// The same of every tree.
pub(in crate::controller::notification) async fn know_all(instance: &Instance) -> Result<(), Failure> {
    know(instance, &TreeName::default()).await?;
    let unknown: Vec<_> = instance
        .mirror
        .read(|held| held.trees.unknown_keys().cloned().collect());
    for name in unknown {
        found(instance, &name).await?;
    }
    Ok(())
}

/// Replaces the tree, in the state in which it was found. One that is in another state by now is a lost race.
pub(super) async fn put(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: &TreeName,
    tree: &Route,
    found: Option<&Found<Route>>,
    provenance: Provenance,
) -> crate::grafana::Result<()> {
    let tree = tree.clone();
    let written = tree.clone();
    let found = found.and_then(|found| found.revision.clone());
    let (name, noted) = (name.clone(), name.clone());
    let put = instance.write(
        turn.clone(),
        Subject::Tree(name.clone()),
        |grafana| async move { grafana.trees.put(&name, &tree, found.as_ref(), provenance).await },
        move |held, revision: &Option<Revision>| {
            let written = Found {
                object: written,
                provenance: provenance.name().map(str::to_owned),
                revision: revision.clone(),
            };
            held.trees.written(noted, Some(written));
        },
    );
    put.await.map(drop)
}

/// Goes back to Grafana's own tree, whatever that is, or to none beside the default one, from the tree in the state in which it was found. One that is in another state by now is a lost race.
pub(super) async fn reset(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: &TreeName,
    found: Option<&Found<Route>>,
) -> crate::grafana::Result<()> {
    let found = found.and_then(|found| found.revision.clone());
    let name = name.clone();
    let reset = instance.write(
        turn.clone(),
        Subject::Tree(name.clone()),
        |grafana| async move { grafana.trees.remove(&name, found.as_ref()).await },
        |_, ()| {},
    );
    reset.await
}

/// Who writes a tree, as its mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::controller::notification) enum Writer {
    /// The one that asks: its resource isn't there any more, or stands in the same line.
    Us,
    /// Another resource of ours, which has it and asks for it in the same place, whatever the statuses of both say.
    Rival,
    /// Another resource of ours, which has it through another GrafanaInstance.
    Sibling,
    /// None of ours.
    Nobody,
}

/// The resource of ours that has the tree, if it isn't the one that asks.
pub(super) fn sibling(
    holder: &Holder,
    writer: impl Fn(&str) -> Writer,
    instance: &Instance,
) -> Option<String> {
    let Holder::Other(Some(mark)) = holder else {
        return None;
    };
    if !matches!(writer(mark), Writer::Rival | Writer::Sibling) {
        return None;
    }
    let (namespace, name) = instance.owners.resource(mark)?;
    Some(format!("{namespace}/{name}"))
}
