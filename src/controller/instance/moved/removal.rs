//! Removing from a Grafana that was left what the resources of its GrafanaInstance have made there, as if they were deleted.

use std::sync::Arc;
use std::time::Duration;

use kube::runtime::reflector::ObjectRef;

use super::super::read::read;
use super::super::schedule::{Due, Round as Reads};
use super::comparison::Comparison;
use crate::api::condition::Reason;
use crate::api::reference::DeletionPolicy;
use crate::api::{
    AlertRule, ContactPoint, InhibitionRule, NotificationPolicy, NotificationTemplate, Silence, TimeInterval,
};
use crate::controller::connection::Instance;
use crate::controller::connection::former::Resources;
use crate::controller::context::Context;
use crate::controller::engine::by::Indexed;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::engine::store::Store;
use crate::controller::pass::Reconcile;
use crate::controller::silence;
use crate::deadline::{Late, within};
use crate::domain::changed::moved::Round;

/// How long removing one object may take, without the time that it waits for others.
const DEADLINE: Duration = Duration::from_secs(30);

/// What a round has come to so far.
#[derive(Default)]
struct Sum {
    kept: Vec<String>,
    in_use: Vec<String>,
    is_further: bool,
}

/// Why a round ends before all was looked at.
enum Break {
    /// There may be removed no more for now.
    NotAllowed,
    Failed(String),
}

/// Removes as much as may be removed: rules first, so that none is evaluated without what it notifies through, and what others refer to last.
pub(super) async fn round(comparison: &mut Comparison, context: &Context) -> Round {
    let mut sum = Sum::default();
    let result = all(comparison, context, &mut sum).await;
    let Sum {
        kept,
        in_use,
        is_further,
    } = sum;
    match result {
        Ok(()) => Round::Through {
            kept,
            in_use,
            is_further,
        },
        Err(_) if is_further => Round::Further,
        Err(Break::NotAllowed) => Round::Failed("the two can't be told apart any more".to_owned()),
        Err(Break::Failed(why)) => Round::Failed(why),
    }
}

async fn all(comparison: &mut Comparison, context: &Context, sum: &mut Sum) -> Result<(), Break> {
    let left = comparison.left.clone();
    let (old, stores) = (&left.instance, &context.stores);
    refresh(old, &left.resources).await.map_err(Break::Failed)?;
    let Resources {
        rules,
        silences,
        policies,
        inhibition_rules,
        contact_points,
        time_intervals,
        templates,
    } = &left.resources;
    remove(comparison, context, sum, rules, &stores.rules).await?;
    remove(comparison, context, sum, silences, &stores.silences).await?;
    remove(
        comparison,
        context,
        sum,
        inhibition_rules,
        &stores.inhibition_rules,
    )
    .await?;
    remove(comparison, context, sum, policies, &stores.policies).await?;
    remove(comparison, context, sum, contact_points, &stores.contact_points).await?;
    remove(comparison, context, sum, time_intervals, &stores.time_intervals).await?;
    remove(comparison, context, sum, templates, &stores.templates).await
}

/// Reads what is needed of a Grafana that no poller reads any more.
async fn refresh(old: &Instance, resources: &Resources) -> Result<(), String> {
    fn ask<K: Managed>(all: &[Arc<K>], old: &Instance) {
        if !all.is_empty() {
            old.suspicion.ask_for(K::NEEDS_TO_LEAVE);
        }
    }
    ask(&resources.time_intervals, old);
    ask(&resources.templates, old);
    ask(&resources.inhibition_rules, old);
    let due = Due {
        parts: old.suspicion.parts(),
        round: Reads::Whole,
        settings: false,
        settings_if_hidden: false,
        deliveries: false,
    };
    let found = read(old, &due).await;
    old.reads(|reads| {
        for (part, result) in found.results {
            reads.note(part, result);
        }
    });
    let needed: Vec<_> = due.parts.into_iter().collect();
    old.check(&needed).map_err(|failure| failure.message)
}

/// How a kind is taken out of a Grafana that was left.
trait Leaves: Reconcile + Indexed {
    /// Whether there is something to take out.
    fn is_there(&self, _: &Arc<Instance>, context: &Context) -> bool {
        self.may_be_stored(context)
    }

    /// Takes it out.
    fn take_out(
        &self,
        _: &Arc<Instance>,
        context: &Context,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        self.clean_up(context)
    }
}

impl Leaves for AlertRule {}
impl Leaves for TimeInterval {}
impl Leaves for NotificationTemplate {}
impl Leaves for InhibitionRule {}

impl Leaves for ContactPoint {
    // The memory has only those that have secrets.
    fn is_there(&self, old: &Arc<Instance>, _: &Context) -> bool {
        self.has_any(old)
    }
}

impl Leaves for Silence {
    fn is_there(&self, old: &Arc<Instance>, _: &Context) -> bool {
        silence::has_any(self, old)
    }

    // Nothing lingers: the rules that it was about are gone. One that somebody made by hand stays, whoever took it over.
    fn take_out(
        &self,
        old: &Arc<Instance>,
        context: &Context,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        silence::end_all(self, context, old)
    }
}

impl Leaves for NotificationPolicy {
    // A branch goes, or stays, with the tree that it is in.
    fn is_there(&self, old: &Arc<Instance>, _: &Context) -> bool {
        self.spec.parent_ref.is_none() && self.has_tree(old)
    }
}

async fn remove<K: Leaves>(
    comparison: &mut Comparison,
    context: &Context,
    sum: &mut Sum,
    all: &[Arc<K>],
    store: &Store<K>,
) -> Result<(), Break> {
    let left = comparison.left.clone();
    let old = &left.instance;
    for object in all {
        let part = object.only_in(&old.name, None);
        if !part.is_there(old, context) {
            continue;
        }
        let called = format!("{} {}/{}", K::KIND, part.ns(), part.id());
        if let Some(why) = stays(&**object, store, comparison) {
            sum.kept.push(format!("{called} {why}"));
            continue;
        }
        if !comparison.may_remove(context).await {
            return Err(Break::NotAllowed);
        }
        match within(DEADLINE, part.take_out(old, context)).await {
            // What can't go in a namespace that goes itself is left without an error.
            Ok(Ok(())) if part.is_there(old, context) => {
                sum.in_use.push(format!("{called} is still used there"));
            }
            Ok(Ok(())) => sum.is_further = true,
            Ok(Err(failure)) if failure.reason == Some(Reason::InUse) => {
                sum.in_use.push(format!("{called}: {}", failure.message));
            }
            Ok(Err(failure)) => return Err(Break::Failed(format!("{called}: {}", failure.message))),
            Err(Late) => {
                return Err(Break::Failed(format!(
                    "{called}: not removed within {} s",
                    DEADLINE.as_secs()
                )));
            }
        }
    }
    Ok(())
}

/// Why an object stays that a resource has made, if it does: as it would if the resource were deleted.
fn stays<K: Leaves>(then: &K, store: &Store<K>, comparison: &Comparison) -> Option<&'static str> {
    let reference = ObjectRef::new(then.id()).within(then.ns());
    let now = store.parts(&reference);
    let new = &comparison.instance;
    // Another instance may be for the very Grafana that was left.
    if now.iter().any(|part| part.instance() != new.name) {
        return Some("is for another GrafanaInstance too");
    }
    let mut all = now.iter().map(|part| &**part).chain([then]);
    if all.any(Managed::is_suspended) {
        return Some("is suspended");
    }
    let lets_go = |object: &K, instance: &Instance| {
        instance.deletion_policy(object.deletion_policy()) == DeletionPolicy::Orphan
    };
    let was_let_go = lets_go(then, &comparison.left.instance);
    (was_let_go || now.iter().any(|part| lets_go(part, new))).then_some("has deletionPolicy Orphan")
}
