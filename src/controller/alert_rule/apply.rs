//! The calls that make a rule what is wished.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tracing::info;

use super::{mirrored, title};
use crate::api::AlertRule;
use crate::api::alert_rule::Drift;
use crate::api::condition::{self, Reason};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::failure::{Failure, Retry};
use crate::controller::engine::managed::Managed;
use crate::domain::changed::drift::DELETED;
use crate::domain::rule::Wish;
use crate::domain::rule::decision::{self, Decision};
use crate::grafana::api::{FoundRule, KeptInterval};
use crate::grafana::model;
use crate::grafana::turns::Turn;

/// What stands in Grafana after a pass.
pub(super) struct Applied {
    pub(super) stored: FoundRule,
    pub(super) kept: Option<KeptInterval>,
    pub(super) drift: Option<Drift>,
}

/// Makes the rule in Grafana what is wished.
pub(super) async fn apply(
    object: &AlertRule,
    context: &Context,
    instance: &Arc<Instance>,
    turn: &Turn,
    wish: &Wish,
    decision: &Decision,
    found: Option<&FoundRule>,
) -> Result<Applied, Failure> {
    let rule = &wish.rule;
    for double in mirrored::doubles(object, instance, &rule.uid) {
        info!(
            namespace = object.ns(),
            name = object.id(),
            uid = double,
            "double of a former owner id deleted"
        );
        if let Some(double) = mirrored::find(instance, &double).await? {
            mirrored::delete(instance, turn, double).await?;
        }
    }
    if *decision != Decision::NotOwned {
        title::free(object, context, instance, turn, rule, found).await?;
    }
    let is_only_interval = match (decision, found) {
        (Decision::Keep, Some(found)) => {
            return Ok(Applied {
                stored: found.clone(),
                kept: None,
                drift: None,
            });
        }
        (Decision::NotOwned, _) => {
            return Err(Failure::new(
                Reason::NotOwned,
                format!(
                    "spec.uid: Grafana has a rule with uid {} that this resource didn't make; choose another uid, or {}. {}{}",
                    rule.uid,
                    instance.how_to_adopt(object.ns()),
                    differs(&found.map_or_else(Vec::new, |found| decision::difference(rule, found))),
                    found
                        .and_then(|found| decision::lost(rule, found))
                        .map_or_else(String::new, |lost| format!(". Lost with that: {lost}"))
                ),
                Retry::OnChange,
            ));
        }
        (decision, _) => *decision == Decision::SetInterval,
    };
    let there = match found {
        Some(found) if decision::is_to_be_made_anew(rule, found) => {
            make_way(context, instance, turn, rule, decision, found).await?;
            None
        }
        found => found,
    };
    let mirrored::Written {
        found: stored,
        kept,
        failure,
    } = mirrored::put(context, instance, turn, rule, there, is_only_interval).await?;
    let lets_go = |found: &FoundRule| {
        found.receiver.is_some() && found.receiver != stored.receiver
            || found.tree.is_some() && found.tree != stored.tree
            || found
                .intervals
                .iter()
                .any(|interval| !stored.intervals.contains(interval))
    };
    if found.is_some_and(lets_go) {
        context.tell_waiting(&instance.name);
    }
    let drift = if is_only_interval {
        None
    } else {
        rewritten(object, context, instance, rule, decision, found).await
    };
    match failure {
        Some(failure) => Err(failure),
        None => Ok(Applied { stored, kept, drift }),
    }
}

/// In words, in which fields somebody else's rule is another one.
fn differs(fields: &[String]) -> String {
    if fields.is_empty() {
        "They differ in nothing but this resource's mark".to_owned()
    } else {
        format!("They differ in {}", fields.join(", "))
    }
}

/// Removes a rule that must be made anew. What else is new about it is written before: one that is refused must not cost the one that is there.
async fn make_way(
    context: &Context,
    instance: &Arc<Instance>,
    turn: &Turn,
    rule: &model::AlertRule,
    decision: &Decision,
    found: &FoundRule,
) -> Result<(), Failure> {
    let is_only_locked = matches!(decision, Decision::Update(fields) if decision::is_only_locked(fields));
    let found = if is_only_locked {
        found.clone()
    } else {
        let locked = model::AlertRule {
            provenance: found.provenance.clone(),
            ..rule.clone()
        };
        mirrored::put(context, instance, turn, &locked, Some(found), false)
            .await?
            .found
    };
    info!(uid = found.uid, "rule deleted, to be made anew and editable");
    mirrored::delete(instance, turn, found).await
}

/// Says of a rule that was written why it was, and returns the drift that was put right with it.
async fn rewritten(
    object: &AlertRule,
    context: &Context,
    instance: &Instance,
    rule: &model::AlertRule,
    decision: &Decision,
    found: Option<&FoundRule>,
) -> Option<Drift> {
    if let Some(found) =
        found.filter(|found| object.spec.uid.is_some() && !object.was_ours(Some(found), instance))
    {
        let what = format!("rule {} ({:?})", found.uid, found.title);
        context
            .adopted(object, &what, decision::lost(rule, found).as_deref())
            .await;
    }
    let fields: &[&str] = match decision {
        Decision::Update(fields) => fields,
        _ => &[DELETED],
    };
    let stored = object.status.as_ref().and_then(|status| status.stored.as_deref());
    let is_drift = was_in_grafana(object, &rule.uid) && decision::is_drift(stored, found);
    info!(
        namespace = object.ns(),
        name = object.id(),
        uid = rule.uid,
        ?decision,
        is_drift,
        "rule written"
    );
    is_drift.then(|| Drift {
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        corrected_at: Time(context.now()),
    })
}

/// Whether the rule has been in Grafana as this generation asks for it.
fn was_in_grafana(object: &AlertRule, uid: &str) -> bool {
    object.status.as_ref().is_some_and(|status| {
        status.uid.as_deref() == Some(uid)
            && condition::is_ready(&status.conditions, object.metadata.generation)
    })
}
