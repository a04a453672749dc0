//! Where the alerts of rules go, and what silences them, by the resources of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::state::{Part, parts};
use crate::api::condition::Reason;
use crate::api::silence::ACTIVE;
use crate::domain::lint::object::{Object, Typed};
use crate::domain::maintenance::generated;
use crate::domain::ownership::{Owner, Owners};
use crate::domain::routing::alert::{self, Alert};
use crate::domain::routing::answer::{Answer, Roads};
use crate::domain::routing::clock::Zones;
use crate::domain::routing::inhibited::Restraint;
use crate::domain::routing::silenced::Silenced;
use crate::domain::routing::trees::{LeftOut, World, path};
use crate::domain::routing::walk::Labels;
use crate::domain::version::Version;
use crate::grafana::wire::Toggles;

/// Whoever the operator is. Where alerts go doesn't depend on it.
const OWNER: &str = "status";

/// Where the alert of a rule goes.
#[derive(Debug)]
pub(in super::super) struct Way {
    /// Who is told, by which routes; or why that isn't known.
    pub(in super::super) answer: Result<Answer, String>,
    /// The Silences that cover it and that Grafana holds.
    pub(in super::super) silenced: Vec<Quieted>,
    /// Those of which it isn't known.
    pub(in super::super) perhaps: Vec<Perhaps>,
    /// What Grafana calls it, where that isn't the title of its rule.
    pub(in super::super) other_name: Option<&'static str>,
    /// The InhibitionRules that surely hold it back now.
    pub(in super::super) inhibited: Vec<HeldBack>,
    /// Labels whose values aren't known before it fires.
    pub(in super::super) unknown: Vec<String>,
    /// Which policies of its tree Grafana doesn't have as they are written, so that the answer may be another there.
    pub(in super::super) policies: Vec<String>,
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

/// A Silence that may cover an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Perhaps {
    /// The resource, as namespace and name.
    pub(in super::super) silence: String,
    /// What it depends on.
    pub(in super::super) on: String,
}

/// An InhibitionRule that holds an alert back, and for whose sake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct HeldBack {
    /// The resource, as namespace and name.
    pub(in super::super) inhibition_rule: String,
    /// The rule that fires.
    pub(in super::super) source: String,
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
    let (trees, left_out) = world.trees();
    let roads = Roads::new(&world, &trees, now, zones)?;
    let held = held(objects, instance);
    let restraints = Restraints::new(objects, &world, instance);
    let way = |rule: &&Object| {
        let other_name = other_name(rule, instance);
        let named = other_name.map(|name| ("alertname".to_owned(), name.to_owned()));
        let alert = match alert::of_rule(&world, rule, &Labels::from_iter(named)) {
            Ok(alert) => alert,
            Err(refusal) => {
                return Way {
                    answer: Err(refusal.message),
                    silenced: Vec::new(),
                    perhaps: Vec::new(),
                    other_name,
                    inhibited: Vec::new(),
                    unknown: Vec::new(),
                    policies: Vec::new(),
                };
            }
        };
        let answer = roads.answer(&alert);
        let covering = roads.silenced(&alert);
        let open = roads.perhaps_silenced(&alert);
        Way {
            silenced: quieted(&covering, &held),
            perhaps: perhaps(objects, instance, &covering, &open, &held),
            other_name,
            inhibited: restraints.holding(&alert),
            unknown: alert.unknown,
            policies: match answer.as_ref().map(|answer| &answer.tree) {
                Ok(Some(tree)) => as_written(objects, instance, Some(&tree.resource), &left_out),
                _ => Vec::new(),
            },
            answer,
        }
    };
    Ok(rules.iter().map(way).collect())
}

/// The policies in the trees of one Grafana, or in the one of this root, that Grafana doesn't have as they are written. Those that are left out of them are none.
pub(in super::super) fn as_written<'a>(
    objects: impl IntoIterator<Item = &'a Object>,
    instance: &str,
    root: Option<&str>,
    left_out: &[LeftOut],
) -> Vec<String> {
    let mut all = Vec::new();
    for object in objects {
        let Some(Typed::NotificationPolicy(policy)) = &object.typed else {
            continue;
        };
        let place = (object.namespace.clone(), object.name.clone());
        let called = format!("NotificationPolicy {}", path(&place.0, &place.1));
        let parent = policy.spec.parent_ref.as_ref().map(|parent| {
            let namespace = parent.namespace.as_deref().unwrap_or(&object.namespace);
            format!("NotificationPolicy {}", path(namespace, &parent.name))
        });
        let is_meant = root.is_none_or(|root| parent.as_deref().unwrap_or(&called) == root);
        if !is_meant || left_out.iter().any(|out| out.policy == place) {
            continue;
        }
        let mut parts = parts(object).into_iter();
        let here = parts.find(|part| part.instance == Some(instance));
        if let Some(said) = here.and_then(|part| part.as_written(object)) {
            all.push(format!("{called}: {said}"));
        }
    }
    all
}

/// The InhibitionRules that a Grafana holds and heeds, and what fires there.
struct Restraints {
    all: Vec<Restraint>,
    firing: Vec<Alert>,
}

impl Restraints {
    fn new(objects: &[Object], world: &World<'_>, instance: &str) -> Self {
        let here = |object: &Object, is: &dyn Fn(&Part<'_>) -> bool| {
            let mut parts = parts(object).into_iter();
            parts.any(|part| part.instance == Some(instance) && is(&part))
        };
        let heeds = |version: Version| version.heeds_inhibition_rules(Toggles::default());
        let mut all = Vec::new();
        if world.version().is_some_and(heeds) {
            all = world.restraints();
        }
        // What isn't in sync may be another one there.
        let held: BTreeSet<String> = objects
            .iter()
            .filter(|object| object.kind == "InhibitionRule" && !all.is_empty())
            .filter(|object| here(object, &|part| part.why(object).is_none()))
            .map(|object| path(&object.namespace, &object.name))
            .collect();
        all.retain(|restraint| held.contains(rule_of(restraint)));
        let rules = objects
            .iter()
            .filter(|object| object.kind == "AlertRule" && !all.is_empty());
        let firing = rules.filter(|object| here(object, &|part| part.is_firing()));
        let firing = firing.filter_map(|object| alert::of_rule(world, object, &Labels::new()).ok());
        Self {
            firing: firing.collect(),
            all,
        }
    }

    /// Those that surely hold an alert back, each with the first rule for whose sake.
    fn holding(&self, target: &Alert) -> Vec<HeldBack> {
        let others = || self.firing.iter().filter(|source| source.name != target.name);
        let all = self.all.iter().filter_map(|restraint| {
            let mut sources = others();
            let source = sources.find(|source| restraint.surely_holds(&target.labels, &source.labels))?;
            Some(HeldBack {
                inhibition_rule: rule_of(restraint).to_owned(),
                source: source.name.clone(),
            })
        });
        all.collect()
    }
}

/// The InhibitionRule, as namespace and name.
fn rule_of(restraint: &Restraint) -> &str {
    let by = restraint.by();
    by.strip_prefix("InhibitionRule ").unwrap_or(by)
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

/// What Grafana calls the alert that a rule has now, where that isn't its title.
fn other_name(rule: &Object, instance: &str) -> Option<&'static str> {
    let Some(Typed::AlertRule(typed)) = &rule.typed else {
        return None;
    };
    let mut parts = parts(rule).into_iter();
    let part = parts.find(|part| part.instance == Some(instance))?;
    alert::in_state(&typed.spec, part.text("state"))
}

/// The Silences that may cover an alert: by labels that aren't known of it, or that Grafana doesn't hold since somebody else's is in their place.
fn perhaps(
    objects: &[Object],
    instance: &str,
    covering: &[Silenced],
    open: &[(Silenced, String)],
    held: &BTreeMap<String, &Object>,
) -> Vec<Perhaps> {
    let short = |by: &str| by.strip_prefix("Silence ").unwrap_or(by).to_owned();
    let open = open
        .iter()
        .filter(|(silenced, _)| held.contains_key(&silenced.by));
    let open = open.map(|(silenced, on)| Perhaps {
        silence: short(&silenced.by),
        on: on.clone(),
    });
    let is_anothers = |by: &str| {
        let here = |object: &Object| {
            let mut parts = parts(object).into_iter();
            let part = parts.find(|part| part.instance == Some(instance));
            part.and_then(|part| part.why(object))
        };
        let mut silences = objects.iter().filter(|object| object.kind == "Silence");
        let found = silences.find(|object| path(&object.namespace, &object.name) == by);
        found
            .and_then(here)
            .is_some_and(|why| why.reason == Reason::NotOwned.as_str())
    };
    let others = covering.iter().map(|silenced| short(&silenced.by));
    let others = others.filter(|by| is_anothers(by)).map(|silence| Perhaps {
        silence,
        on: "NotOwned: Grafana has somebody else's in its place".to_owned(),
    });
    open.chain(others).collect()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn policies_in_a_tree_that_grafana_has_otherwise_are_told_and_those_left_out_are_not() {
        let policy = |name: &str, spec: serde_json::Value| {
            let ready = json!({
                "type": "Ready", "status": "False", "reason": "Invalid", "message": "m", "lastTransitionTime": "2026-11-24T21:00:00Z",
            });
            let value = json!({
                "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "NotificationPolicy", "metadata": {"namespace": "shop", "name": name},
                "spec": spec, "status": {"conditions": [ready]},
            });
            Object::new(value, "")
        };
        let branch = json!({"parentRef": {"name": "root"}, "receiver": "a"});
        let objects = [
            policy("root", json!({"receiver": "a"})),
            policy("branch", branch.clone()),
            policy("lost", branch),
            policy("named", json!({"receiver": "a", "tree": "t"})),
        ];
        let lost = LeftOut {
            policy: ("shop".to_owned(), "lost".to_owned()),
            why: String::new(),
        };
        let told = |root: Option<&str>| {
            let all = as_written(&objects, "default", root, std::slice::from_ref(&lost));
            let names = all.iter().filter_map(|said| said.split(':').next());
            names
                .map(|name| name.replace("NotificationPolicy shop/", ""))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(Some("NotificationPolicy shop/root")), ["root", "branch"]);
        assert_eq!(told(None), ["root", "branch", "named"]);
        assert!(as_written(&objects, "other", None, &[]).is_empty());
    }
}
