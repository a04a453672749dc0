//! Giving a policy tree back.

use std::sync::Arc;

use super::held::{Writer, called, found, put, reset, sibling};
use crate::cluster::memory::PolicyTree;
use crate::controller::connection::Instance;
use crate::controller::engine::failure::Failure;
use crate::domain::notification::tree::Holder;
use crate::grafana::Class;
use crate::grafana::api::Provenance;
use crate::grafana::model::{Found, Route, TreeName};
use crate::grafana::turns::Turn;

/// What is said when the tree from before ours is there again.
const BACK: &str = "the policy tree that was there before is back";

/// Forgets the tree from before ours, and that there was ours. What another resource has written, and was before that, is remembered for it:
/// the memory of two GrafanaInstances for one Grafana is one.
pub(in crate::controller::notification) async fn forget(
    instance: &Instance,
    name: &TreeName,
    writer: impl Fn(&str) -> Writer,
) -> Result<(), Failure> {
    let is_ours = |mark: &str| writer(mark) == Writer::Us;
    // Of a Grafana that has never answered there is nothing to forget.
    let Ok(memory) = instance.memory() else {
        return Ok(());
    };
    let is_another = |memory: &PolicyTree| memory.was_ours && !memory.was_of(is_ours);
    let is_noted = |memory: &PolicyTree| memory.was_ours || memory.previous.is_some();
    if memory.read(|memory| is_noted(memory.tree(name)) && !is_another(memory.tree(name))) {
        memory.update(|memory| memory.forget_tree(name)).await?;
    }
    Ok(())
}

/// Puts the tree back that was there before ours, or Grafana's own, and says which; beside the default one there is none then. Does so only if the
/// tree that is there now is this resource's by its mark; says nothing if there never was one of ours. `in_use` says why it can't be without any tree of
/// this name.
pub(in crate::controller::notification) async fn give_back(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: &TreeName,
    writer: impl Fn(&str) -> Writer,
    in_use: Option<Failure>,
) -> Result<Option<String>, Failure> {
    let is_ours = |mark: &str| writer(mark) == Writer::Us;
    let found = found(instance, name).await?;
    let holder = Holder::of(name, found.as_ref(), is_ours, false);
    // Grafana's own tree in the place of ours may be what a way back left that broke off after its reset.
    let is_on_its_way = || {
        let memory = instance.memory()?;
        let broke_off = |memory: &PolicyTree| memory.was_of(is_ours) && memory.previous.is_some();
        Ok::<_, Failure>(memory.read(|memory| broke_off(memory.tree(name))))
    };
    match &holder {
        Holder::Us => restore(instance, turn, name, found.as_ref(), in_use)
            .await
            .map(Some),
        Holder::Nobody if is_on_its_way()? => restore(instance, turn, name, found.as_ref(), in_use)
            .await
            .map(Some),
        // Somebody has deleted it.
        Holder::Nobody if !name.is_default() => Ok(None),
        Holder::Other(_) if sibling(&holder, &writer, instance).is_some() => Ok(None),
        Holder::Nobody | Holder::Other(_) => {
            let is_back = |memory: &PolicyTree| {
                let previous = memory.previous.as_ref();
                previous.is_some() && previous == found.as_ref().map(|found| &found.object)
            };
            let memory = instance.memory()?;
            let (had_tree, is_back) = memory.read(|memory| {
                let memory = memory.tree(name);
                (memory.was_of(is_ours), is_back(memory))
            });
            // A way back whose end nobody has noted.
            let note = if is_back {
                BACK
            } else {
                "somebody has replaced this resource's policy tree in Grafana, so what is there stays"
            };
            Ok(had_tree.then(|| note.to_owned()))
        }
    }
}

async fn restore(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: &TreeName,
    ours: Option<&Found<Route>>,
    in_use: Option<Failure>,
) -> Result<String, Failure> {
    let suspect = |e: crate::grafana::Error| instance.suspect(e.into());
    let (previous, provenance) = instance.memory()?.read(|memory| {
        let memory = memory.tree(name);
        let provenance = if memory.was_editable {
            Provenance::None
        } else {
            Provenance::Api
        };
        (memory.previous.clone(), provenance)
    });
    let otherwise = if name.is_default() {
        "Grafana's own policy tree is back".to_owned()
    } else {
        format!("Grafana's {} is gone", called(name))
    };
    let mut what = otherwise.clone();
    let mut is_restored = false;
    let mut there = ours.cloned();
    if let Some(tree) = previous {
        let mut result = put(instance, turn, name, &tree, there.as_ref(), provenance).await;
        if result
            .as_ref()
            .is_err_and(|error| error.class() == Class::Foreign)
        {
            // Some versions don't make editable what was provisioned, but start anew with one that is.
            reset(instance, turn, name, there.as_ref())
                .await
                .map_err(suspect)?;
            there = match there {
                Some(Found {
                    revision: Some(_), ..
                }) => found(instance, name).await?,
                _ => None,
            };
            result = put(instance, turn, name, &tree, there.as_ref(), provenance).await;
        }
        match result {
            Ok(()) => {
                is_restored = true;
                BACK.clone_into(&mut what);
            }
            Err(error) if error.class() == Class::Rejected => {
                what = format!(
                    "the policy tree that was there before is no longer valid ({error}); {otherwise}"
                );
            }
            Err(error) => return Err(suspect(error)),
        }
    }
    if !is_restored {
        if let Some(in_use) = in_use {
            return Err(in_use);
        }
        reset(instance, turn, name, there.as_ref())
            .await
            .map_err(suspect)?;
    }
    found(instance, name).await?;
    Ok(what)
}
