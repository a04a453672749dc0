//! Where the alerts of rules go, and what silences them, by the resources of the cluster.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::state::parts;
use crate::api::silence::ACTIVE;
use crate::domain::lint::object::{Object, Typed};
use crate::domain::maintenance::generated;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::routing::alert;
use crate::domain::routing::answer::{Answer, Roads};
use crate::domain::routing::clock::Zones;
use crate::domain::routing::silenced::Silenced;
use crate::domain::routing::trees::{World, path};
use crate::domain::routing::walk::Labels;

/// Whoever the operator is. Where alerts go doesn't depend on it.
const OWNER: &str = "status";

/// Where the alert of a rule goes.
#[derive(Debug)]
pub(in super::super) struct Way {
    /// Who is told, by which routes; or why that isn't known.
    pub(in super::super) answer: Result<Answer, String>,
    /// The Silences that cover it and that Grafana holds.
    pub(in super::super) silenced: Vec<Quieted>,
    /// Labels whose values aren't known before it fires.
    pub(in super::super) unknown: Vec<String>,
}

/// A Silence that covers an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Quieted {
    /// The resource, as namespace and name.
    pub(in super::super) silence: String,
    /// When it ends.
    pub(in super::super) until: Timestamp,
    /// The rollout or run that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) maintenance: Option<String>,
    /// Why there is one.
    pub(in super::super) comment: String,
}

/// Where the alerts of these rules go in one Grafana, in this order.
pub(in super::super) fn ways(
    objects: &[Object],
    instance: &str,
    rules: &[&Object],
    now: Timestamp,
    zones: Zones<'_>,
) -> Result<Vec<Way>, String> {
    let owner = Owner::parse(OWNER).ok_or("the owner id is none")?;
    let world = World::new(objects, instance, Owners::new(owner, &[]));
    let (trees, _) = world.trees();
    let roads = Roads::new(&world, &trees, now, zones)?;
    let held = held(objects, instance);
    let way = |rule: &&Object| {
        let alert = match alert::of_rule(&world, rule, &Labels::new()) {
            Ok(alert) => alert,
            Err(refusal) => {
                return Way {
                    answer: Err(refusal.message),
                    silenced: Vec::new(),
                    unknown: Vec::new(),
                };
            }
        };
        let answer = roads.answer(&alert);
        let silenced = answer
            .as_ref()
            .map_or_else(|_| Vec::new(), |answer| quieted(&answer.silenced, &held));
        Way {
            answer,
            silenced,
            unknown: alert.unknown,
        }
    };
    Ok(rules.iter().map(way).collect())
}

/// The Silences that Grafana holds and that have begun, by how the walk names them.
fn held<'a>(objects: &'a [Object], instance: &str) -> BTreeMap<String, &'a Object> {
    let all = objects.iter().filter(|object| object.kind == "Silence");
    let is_held = |object: &&Object| {
        let mut parts = parts(object).into_iter();
        parts.any(|part| part.instance == Some(instance) && part.text("state") == Some(ACTIVE))
    };
    all.filter(is_held)
        .map(|object| {
            (
                format!("Silence {}", path(&object.namespace, &object.name)),
                object,
            )
        })
        .collect()
}

fn quieted(silenced: &[Silenced], held: &BTreeMap<String, &Object>) -> Vec<Quieted> {
    let mut all: Vec<Quieted> = silenced
        .iter()
        .filter_map(|silenced| {
            let object = held.get(&silenced.by)?;
            Some(Quieted {
                silence: path(&object.namespace, &object.name),
                until: silenced.until,
                maintenance: maintenance(object),
                comment: silenced.comment.clone(),
            })
        })
        .collect();
    // Whichever ends last says how long it is quiet.
    all.sort_by(|a, b| b.until.cmp(&a.until).then_with(|| a.silence.cmp(&b.silence)));
    all
}

/// The rollout or run that a Silence was made for.
fn maintenance(object: &Object) -> Option<String> {
    let Some(Typed::Silence(silence)) = &object.typed else {
        return None;
    };
    let uid = generated::workload_of(silence)?;
    let mut owners = silence.metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.uid == uid)?;
    let what = if owner.kind == "Job" { "run" } else { "rollout" };
    Some(format!("{what} of {}", owner.name))
}

/// Who is told, each once, and of whom nothing is sent at this time.
pub(in super::super) fn told(answer: &Answer) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for told in &answer.contact_points {
        let muted = if told.is_muted == Some(true) {
            " (muted)"
        } else {
            ""
        };
        let said = format!("{}{muted}", told.contact_point);
        if !all.contains(&said) {
            all.push(said);
        }
    }
    all
}
