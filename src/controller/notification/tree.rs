//! Writing the policy tree, and giving it back. Whoever writes notifications to a Grafana has the right to.

use std::sync::Arc;
use std::time::Instant;

use super::users::refers;
use crate::api::condition::Reason;
use crate::cluster::memory::Remembered;
use crate::controller::connection::Instance;
use crate::controller::engine::failure::{Failure, Retry};
use crate::domain::notification::policy;
use crate::domain::notification::tree::{self, Holder, TreeDecision};
use crate::grafana::Class;
use crate::grafana::api::Provenance;
use crate::grafana::api::notifications::TreeName;
use crate::grafana::mirror::{Lookup, Subject};
use crate::grafana::model::{Found, Revision, Route};
use crate::grafana::turns::Turn;

/// What the tree is called among what Grafana has refused. A tree is refused for a contact point that Grafana lacks, so it may be tried anew
/// when one is there that wasn't.
pub(super) const TREE: &str = "policy tree";

/// What is said when the tree from before ours is there again.
const BACK: &str = "the policy tree that was there before is back";

/// What became of the tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// Whether it was written.
    pub is_written: bool,
    /// Whether it now stands in the place of somebody else's.
    pub is_taken_over: bool,
}

/// Makes the tree what is wished, which carries its mark. `is_ours` says of a mark whether the tree is this resource's to write; `adopt` has
/// it replace somebody else's, and `cure` says how to have that.
pub(super) async fn bring(
    instance: &Arc<Instance>,
    wish: &Route,
    is_ours: impl Fn(&str) -> bool,
    adopt: bool,
    cure: &str,
) -> Result<Brought, Failure> {
    let memory = instance.memory()?;
    let own = tree::mark(wish);
    let is_noted = || memory.read(|memory| memory.had_tree && memory.tree_mark.as_deref() == own);
    let decide = |found: Option<&Found<Route>>| {
        let holder = Holder::of(
            found,
            &is_ours,
            memory.read(|memory| memory.had_tree_of(&is_ours)),
        );
        // Two resources that take it from each other would never come to rest.
        let adopt = adopt && sibling(&holder, instance).is_none();
        (tree::decide(wish, found, &holder, adopt), holder)
    };
    let known = instance.mirror.read(|held| held.tree().cloned());
    if let Lookup::Present(found) = &known
        && decide(Some(found)).0 == TreeDecision::Keep
        && is_noted()
    {
        return Ok(Brought::default());
    }
    let turn = instance.rights.notifications.lock().await;
    let found = found(instance).await?;
    let (decision, holder) = decide(found.as_ref());
    match decision {
        TreeDecision::NotOwned => return Err(not_owned(&holder, (found.as_ref(), wish), instance, cure)),
        TreeDecision::Keep => {
            taken(instance, own).await?;
            return Ok(Brought::default());
        }
        TreeDecision::Correct | TreeDecision::TakeOver => {}
    }
    let attempt = instance.refused.attempt(TREE, wish, Instant::now())?;
    // Remembered before it is replaced.
    if holder != Holder::Us {
        let previous = match &found {
            Some(found) => {
                let whole = instance.grafana.trees.whole(&TreeName::default(), found).await;
                Some(whole.map_err(|e| instance.suspect(e.into()))?)
            }
            None => None,
        };
        memory
            .update(|memory| {
                memory.was_editable = found.as_ref().is_some_and(|tree| !tree.is_provisioned());
                memory.previous_tree.clone_from(&previous);
            })
            .await?;
    }
    let put = put(instance, &turn, wish, found.as_ref(), Provenance::Api).await;
    attempt.ended(put.map_err(|e| instance.suspect(e.into())), Instant::now())?;
    taken(instance, own).await?;
    Ok(Brought {
        is_written: true,
        is_taken_over: matches!(holder, Holder::Other(_)),
    })
}

/// What somebody has changed of the tree that was stored as it is wished.
pub(super) async fn drift(instance: &Instance, wish: &Route) -> Result<Vec<String>, Failure> {
    let known = instance.mirror.read(|held| held.tree().cloned());
    let found = match known {
        Lookup::Unknown => found(instance).await?,
        known => known.present(),
    };
    Ok(tree::drift(wish, found.as_ref()))
}

/// What the tree from before ours said and ours can't, for as long as ours stands in its place; `None` if that is nothing.
pub(super) fn lost(instance: &Instance, wish: &Route) -> Result<Option<String>, Failure> {
    let memory = instance.memory()?;
    Ok(memory.read(|memory| tree::lost(memory.previous_tree.as_ref()?, Some(wish), !memory.was_editable)))
}

/// The tree that is there right now.
async fn found(instance: &Instance) -> Result<Option<Found<Route>>, Failure> {
    let found = instance.grafana.trees.get(&TreeName::default()).await;
    let found = found.map_err(|e| instance.suspect(e.into()))?;
    instance
        .mirror
        .write(|held| held.trees.written(TreeName::default(), found.clone()));
    Ok(found)
}

/// Remembers that Grafana has our tree, with this mark. Not before it does: what was refused has made nothing ours. Where this gets lost, the mark in the
/// tree says the same.
async fn taken(instance: &Instance, mark: Option<&str>) -> Result<(), Failure> {
    let memory = instance.memory()?;
    if !memory.read(|memory| memory.had_tree && memory.tree_mark.as_deref() == mark) {
        let note = memory.update(|memory| {
            memory.had_tree = true;
            memory.tree_mark = mark.map(str::to_owned);
        });
        note.await?;
    }
    Ok(())
}

/// Forgets the tree from before ours, and that there was ours. What another resource has written, and was before that, is remembered for it:
/// the memory of two GrafanaInstances for one Grafana is one.
pub(super) async fn forget(instance: &Instance, is_ours: impl Fn(&str) -> bool) -> Result<(), Failure> {
    // Of a Grafana that has never answered there is nothing to forget.
    let Ok(memory) = instance.memory() else {
        return Ok(());
    };
    let is_another = |memory: &Remembered| memory.had_tree && !memory.had_tree_of(&is_ours);
    let is_noted = |memory: &Remembered| memory.had_tree || memory.previous_tree.is_some();
    if memory.read(|memory| is_noted(memory) && !is_another(memory)) {
        let forget = memory.update(|memory| {
            memory.previous_tree = None;
            memory.had_tree = false;
            memory.tree_mark = None;
        });
        forget.await?;
    }
    Ok(())
}

/// Puts the tree back that was there before ours, or Grafana's own, and says which. Does so only if the tree that is there now is this
/// resource's by its mark; says nothing if there never was one of ours.
pub(super) async fn give_back(
    instance: &Arc<Instance>,
    turn: &Turn,
    is_ours: impl Fn(&str) -> bool,
) -> Result<Option<String>, Failure> {
    let found = found(instance).await?;
    let holder = Holder::of(found.as_ref(), &is_ours, false);
    // Grafana's own tree in the place of ours may be what a way back left that broke off after its reset.
    let is_on_its_way = || {
        let memory = instance.memory()?;
        let broke_off = |memory: &Remembered| memory.had_tree_of(&is_ours) && memory.previous_tree.is_some();
        Ok::<_, Failure>(memory.read(broke_off))
    };
    match &holder {
        Holder::Us => restore(instance, turn, found.as_ref()).await.map(Some),
        Holder::Nobody if is_on_its_way()? => restore(instance, turn, found.as_ref()).await.map(Some),
        Holder::Other(_) if sibling(&holder, instance).is_some() => Ok(None),
        Holder::Nobody | Holder::Other(_) => {
            let is_back = |memory: &Remembered| {
                let previous = memory.previous_tree.as_ref();
                previous.is_some() && previous == found.as_ref().map(|found| &found.object)
            };
            let memory = instance.memory()?;
            let (had_tree, is_back) = memory.read(|memory| (memory.had_tree_of(is_ours), is_back(memory)));
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
    ours: Option<&Found<Route>>,
) -> Result<String, Failure> {
    let suspect = |e: crate::grafana::Error| instance.suspect(e.into());
    let (previous, provenance) = instance.memory()?.read(|memory| {
        let provenance = if memory.was_editable {
            Provenance::None
        } else {
            Provenance::Api
        };
        (memory.previous_tree.clone(), provenance)
    });
    let mut what = "Grafana's own policy tree is back".to_owned();
    let mut is_restored = false;
    let mut there = ours.cloned();
    if let Some(tree) = previous {
        let mut result = put(instance, turn, &tree, there.as_ref(), provenance).await;
        if result
            .as_ref()
            .is_err_and(|error| error.class() == Class::Foreign)
        {
            // Some versions don't make editable what was provisioned, but start anew with one that is.
            reset(instance, turn, there.as_ref()).await.map_err(suspect)?;
            there = match there {
                Some(Found {
                    revision: Some(_), ..
                }) => found(instance).await?,
                _ => None,
            };
            result = put(instance, turn, &tree, there.as_ref(), provenance).await;
        }
        match result {
            Ok(()) => {
                is_restored = true;
                BACK.clone_into(&mut what);
            }
            Err(error) if error.class() == Class::Rejected => {
                what = format!(
                    "the policy tree that was there before is no longer valid ({error}); Grafana's own is back"
                );
            }
            Err(error) => return Err(suspect(error)),
        }
    }
    if !is_restored {
        reset(instance, turn, there.as_ref()).await.map_err(suspect)?;
    }
    found(instance).await?;
    Ok(what)
}

/// Replaces the tree, in the state in which it was found. One that is in another state by now is a lost race.
async fn put(
    instance: &Arc<Instance>,
    turn: &Turn,
    tree: &Route,
    found: Option<&Found<Route>>,
    provenance: Provenance,
) -> crate::grafana::Result<()> {
    let tree = tree.clone();
    let written = tree.clone();
    let found = found.and_then(|found| found.revision.clone());
    let put = instance.write(
        turn.clone(),
        Subject::Tree(TreeName::default()),
        |grafana| async move {
            let name = TreeName::default();
            grafana.trees.put(&name, &tree, found.as_ref(), provenance).await
        },
        move |held, revision: &Option<Revision>| {
            let written = Found {
                object: written,
                provenance: provenance.name().map(str::to_owned),
                revision: revision.clone(),
            };
            held.trees.written(TreeName::default(), Some(written));
        },
    );
    put.await.map(drop)
}

/// Goes back to Grafana's own tree, whatever that is, from the tree in the state in which it was found. One that is in another state by now is a lost race.
async fn reset(
    instance: &Arc<Instance>,
    turn: &Turn,
    found: Option<&Found<Route>>,
) -> crate::grafana::Result<()> {
    let found = found.and_then(|found| found.revision.clone());
    let reset = instance.write(
        turn.clone(),
        Subject::Tree(TreeName::default()),
        |grafana| async move { grafana.trees.remove(&TreeName::default(), found.as_ref()).await },
        |_, ()| {},
    );
    reset.await
}

/// Looks at the tree if nothing is known of it: a write of it may have ended without an answer.
pub(super) async fn know(instance: &Instance) -> Result<(), Failure> {
    let is_unknown = instance.mirror.read(|held| held.tree().is_unknown());
    if is_unknown {
        found(instance).await?;
    }
    Ok(())
}

/// Whether our tree, as it is right now, sends to a contact point of this name.
pub(super) async fn ours_refers(instance: &Instance, name: &str) -> Result<bool, Failure> {
    let is_ours = |mark: &str| instance.owners.resource(mark).is_some();
    let found = found(instance).await?;
    let ours = found.filter(|found| Holder::of(Some(found), is_ours, false) == Holder::Us);
    Ok(ours.is_some_and(|ours| refers(&ours.object, name)))
}

/// Takes a contact point that has to go out of our tree; `false` if the tree isn't ours. The parent's takes its place, and the
/// previous tree's at the root.
pub(super) async fn replace_receiver(
    instance: &Arc<Instance>,
    turn: &Turn,
    name: &str,
) -> Result<bool, Failure> {
    let is_ours = |mark: &str| instance.owners.resource(mark).is_some();
    let ours = found(instance)
        .await?
        .filter(|found| Holder::of(Some(found), is_ours, false) == Holder::Us);
    let Some(ours) = ours else {
        return Ok(false);
    };
    let otherwise = instance
        .memory()?
        .read(|memory| memory.previous_tree.as_ref()?.receiver.clone());
    let otherwise = otherwise.filter(|other| other != name).unwrap_or_default();
    let tree = policy::without(&ours.object, name, &otherwise);
    let suspect = |e: crate::grafana::Error| instance.suspect(e.into());
    match put(instance, turn, &tree, Some(&ours), Provenance::Api).await {
        // Nothing is left that the root could refer to.
        Err(error) if error.class() == Class::Rejected => {
            reset(instance, turn, Some(&ours)).await.map_err(suspect)?;
        }
        result => result.map_err(suspect)?,
    }
    found(instance).await?;
    Ok(true)
}

/// The resource of ours that has the tree, if it isn't the one that asks.
fn sibling(holder: &Holder, instance: &Instance) -> Option<String> {
    let Holder::Other(Some(mark)) = holder else {
        return None;
    };
    let (namespace, name) = instance.owners.resource(mark)?;
    Some(format!("{namespace}/{name}"))
}

/// Why a tree of somebody else's stays, and what would be lost with it.
fn not_owned(
    holder: &Holder,
    (found, wish): (Option<&Found<Route>>, &Route),
    instance: &Instance,
    cure: &str,
) -> Failure {
    if let Some(sibling) = sibling(holder, instance) {
        return Failure::new(
            Reason::Conflict,
            format!(
                "NotificationPolicy {sibling} holds the tree of this Grafana, of which there is one, through another GrafanaInstance; delete one of the two. If that instance is for another Grafana by now, reset the policy tree in this one"
            ),
            Retry::OnChange,
        );
    }
    let whose = match holder {
        Holder::Other(Some(mark)) => {
            format!(
                "Grafana has a policy tree of another operator's, whose mark in it is {mark} (ownerID/namespace/name)"
            )
        }
        _ => "Grafana has a policy tree that somebody else made".to_owned(),
    };
    let lost = found.and_then(|tree| tree::lost(&tree.object, Some(wish), tree.is_provisioned()));
    let lost = lost.map_or_else(String::new, |lost| {
        format!(". What it says and yours doesn't would have no effect until then: {lost}")
    });
    Failure::new(
        Reason::NotOwned,
        format!("{whose}; {cure} (it comes back when this resource is deleted){lost}"),
        Retry::OnChange,
    )
}
