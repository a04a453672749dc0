//! Making a policy tree what is wished, and telling what somebody has changed of it.

use std::sync::Arc;
use std::time::Instant;

use super::held::{Writer, called, found, put, sibling, what};
use crate::api::condition::Reason;
use crate::cluster::memory::Memory;
use crate::controller::connection::Instance;
use crate::controller::engine::failure::{Failure, Retry};
use crate::domain::notification::tree::{self, Holder, TreeDecision};
use crate::domain::tenancy::Adoption;
use crate::grafana::api::Provenance;
use crate::grafana::mirror::Lookup;
use crate::grafana::model::{Found, Route, TreeName};

/// What became of the tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::controller::notification) struct Brought {
    /// Whether it was written.
    pub is_written: bool,
    /// Whether it now stands in the place of somebody else's.
    pub is_taken_over: bool,
}

/// Makes the tree of this name what is wished, which carries its mark. `writer` says of a mark whose the tree is to write; `adoption`
/// whether it replaces somebody else's, and `cure` how to have that.
pub(in crate::controller::notification) async fn bring(
    instance: &Arc<Instance>,
    name: &TreeName,
    wish: &Route,
    writer: impl Fn(&str) -> Writer,
    adoption: Adoption,
    cure: &str,
) -> Result<Brought, Failure> {
    let memory = instance.memory()?;
    let own = tree::mark(wish);
    let is_ours = |mark: &str| writer(mark) == Writer::Us;
    let is_noted = || is_noted(memory, name, own);
    let decide = |found: Option<&Found<Route>>| {
        let had_it = memory.read(|memory| memory.tree(name).was_of(is_ours));
        let holder = Holder::of(name, found, is_ours, had_it);
        // Two resources that take it from each other would never come to rest.
        let adoption = match adoption {
            Adoption::Asked if sibling(&holder, &writer, instance).is_some() => Adoption::Equal,
            adoption => adoption,
        };
        (tree::decide(wish, found, &holder, adoption), holder)
    };
    let known = instance.mirror.read(|held| held.trees.lookup(name).cloned());
    if let Lookup::Present(found) = &known
        && decide(Some(found)).0 == TreeDecision::Keep
        && is_noted()
    {
        return Ok(Brought::default());
    }
    let turn = instance.rights.notifications.lock().await;
    let found = found(instance, name).await?;
    let (decision, holder) = decide(found.as_ref());
    match decision {
        TreeDecision::NotOwned => {
            let sibling = sibling(&holder, &writer, instance);
            // It was looked at for this, so the next pass knows who stands before.
            if let (Holder::Other(Some(mark)), Some(rival)) = (&holder, &sibling)
                && writer(mark) == Writer::Rival
            {
                return Err(Failure::again(format!(
                    "NotificationPolicy {rival} holds the {} of this Grafana",
                    what(name)
                )));
            }
            return Err(not_owned(
                (&holder, sibling),
                name,
                (found.as_ref(), wish),
                instance,
                cure,
            ));
        }
        TreeDecision::Keep => {
            taken(instance, name, own).await?;
            return Ok(Brought::default());
        }
        TreeDecision::Correct | TreeDecision::TakeOver => {}
    }
    let attempt = instance.refused.attempt(called(name), wish, Instant::now())?;
    // Remembered before it is replaced.
    if holder != Holder::Us {
        let previous = match &found {
            Some(found) => {
                let whole = instance.grafana.trees.whole(name, found).await;
                Some(whole.map_err(|e| instance.suspect(e.into()))?)
            }
            None => None,
        };
        memory
            .update(|memory| {
                let memory = memory.tree_mut(name);
                memory.was_editable = found.as_ref().is_some_and(|tree| !tree.is_provisioned());
                memory.previous.clone_from(&previous);
            })
            .await?;
    }
    let put = put(instance, &turn, name, wish, found.as_ref(), Provenance::Api).await;
    attempt.ended(put.map_err(|e| instance.suspect(e.into())), Instant::now())?;
    taken(instance, name, own).await?;
    Ok(Brought {
        is_written: true,
        is_taken_over: matches!(holder, Holder::Other(_)),
    })
}

/// What somebody has changed of the tree that was stored as it is wished.
pub(in crate::controller::notification) async fn drift(
    instance: &Instance,
    name: &TreeName,
    wish: &Route,
) -> Result<Vec<String>, Failure> {
    let known = instance.mirror.read(|held| held.trees.lookup(name).cloned());
    let found = match known {
        Lookup::Unknown => found(instance, name).await?,
        known => known.present(),
    };
    Ok(tree::drift(wish, found.as_ref()))
}

/// What the tree from before ours said and ours can't, for as long as ours stands in its place; `None` if that is nothing.
pub(in crate::controller::notification) fn lost(
    instance: &Instance,
    name: &TreeName,
    wish: &Route,
) -> Result<Option<String>, Failure> {
    let memory = instance.memory()?;
    Ok(memory.read(|memory| {
        let memory = memory.tree(name);
        tree::lost(name, memory.previous.as_ref()?, Some(wish), !memory.was_editable)
    }))
}

/// Remembers that Grafana has our tree, with this mark. Not before it does: what was refused has made nothing ours. Where this gets lost, the mark in the
/// tree says the same.
async fn taken(instance: &Instance, name: &TreeName, mark: Option<&str>) -> Result<(), Failure> {
    let memory = instance.memory()?;
    if !is_noted(memory, name, mark) {
        let note = memory.update(|memory| {
            let memory = memory.tree_mut(name);
            memory.was_ours = true;
            memory.mark = mark.map(str::to_owned);
        });
        note.await?;
    }
    Ok(())
}

fn is_noted(memory: &Memory, name: &TreeName, mark: Option<&str>) -> bool {
    memory.read(|memory| {
        let memory = memory.tree(name);
        memory.was_ours && memory.mark.as_deref() == mark
    })
}

/// Why a tree of somebody else's stays, and what would be lost with it.
fn not_owned(
    (holder, sibling): (&Holder, Option<String>),
    name: &TreeName,
    (found, wish): (Option<&Found<Route>>, &Route),
    instance: &Instance,
    cure: &str,
) -> Failure {
    if let Some(sibling) = sibling {
        return Failure::new(
            Reason::Conflict,
            format!(
                "NotificationPolicy {sibling} holds the {} of this Grafana, of which there is one, through another GrafanaInstance; delete one of the two. If that instance is for another Grafana by now, {} the policy tree in this one",
                what(name),
                if name.is_default() { "reset" } else { "delete" },
            ),
            Retry::OnChange,
        );
    }
    let whose = match holder {
        Holder::Other(Some(mark)) if instance.owners.resource(mark).is_some() => format!(
            "Grafana has a {} with the mark of another resource of ours in it, {mark} (ownerID/namespace/name), as one has that was copied",
            called(name)
        ),
        Holder::Other(Some(mark)) => {
            format!(
                "Grafana has a {} of another operator's, whose mark in it is {mark} (ownerID/namespace/name)",
                called(name)
            )
        }
        _ => format!("Grafana has a {} that somebody else made", called(name)),
    };
    let lost = found.and_then(|tree| tree::lost(name, &tree.object, Some(wish), tree.is_provisioned()));
    let lost = lost.map_or_else(String::new, |lost| {
        format!(". What it says and yours doesn't would have no effect until then: {lost}")
    });
    let differ = found.and_then(|tree| tree::difference(wish, &tree.object));
    let differ = differ.unwrap_or_else(|| "what yours can't say".to_owned());
    Failure::new(
        Reason::NotOwned,
        format!(
            "{whose}; {cure} (it comes back when this resource is deleted). They differ in {differ}{lost}"
        ),
        Retry::OnChange,
    )
}
