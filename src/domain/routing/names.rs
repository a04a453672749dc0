//! Who has a name in one Grafana that several resources ask for: what the others hold isn't there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::{ContactPointSpec, TimeIntervalSpec};
use crate::domain::claims::{Claimant, Claims};
use crate::domain::lint::object::{Object, Typed};
use crate::domain::notification::contact_point;
use crate::domain::refusal::Refusal;

/// The names that resources ask for in one Grafana, by their kind: two resources of different kinds may be called the same.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, Claims<String, ()>>);

impl Names {
    /// `admits`: whether a namespace may use that Grafana.
    pub(super) fn of(objects: &[Object], instance: &str, admits: impl Fn(&str) -> bool) -> Self {
        let mut names = Self::default();
        for object in objects {
            let Some((name, stored)) = name(object) else {
                continue;
            };
            if !object.instances().contains(&instance) || !admits(&object.namespace) {
                continue;
            }
            let has = |name: &String| has(object, instance, name, stored);
            let claims = names.0.entry(object.kind.clone()).or_default();
            claims.update(claimant(object, instance), vec![(name.to_owned(), ())], has);
        }
        names
    }

    /// Who has the name of a resource in its place.
    pub(super) fn holder(&self, object: &Object) -> Option<&Claimant> {
        let name = name(object)?.0.to_owned();
        let claims = self.0.get(&object.kind)?;
        let ahead = claims.ahead_of(&name, &object.namespace, &object.name);
        ahead.map(|(holder, ())| holder)
    }

    /// Fails where another resource has its name, for then what this one describes isn't in Grafana.
    pub(super) fn refuse_beaten(&self, object: &Object) -> Result<(), Refusal> {
        let Some(holder) = self.holder(object) else {
            return Ok(());
        };
        let kind = &object.kind;
        Err(Refusal::missing(format!(
            "{kind} {} is not in Grafana: {kind} {} has its name there",
            path(&object.namespace, &object.name),
            path(&holder.namespace, &holder.name)
        )))
    }
}

/// What a resource is called in Grafana that a policy or a rule may name, and the field of its status that is there once it was stored.
fn name(object: &Object) -> Option<(&str, &'static str)> {
    match object.typed.as_ref()? {
        Typed::ContactPoint(point) => Some((of_point(&point.spec, &object.name), "types")),
        Typed::TimeInterval(interval) => Some((of_interval(&interval.spec, &object.name), "stored")),
        _ => None,
    }
}

pub(super) fn of_point<'a>(spec: &'a ContactPointSpec, name: &'a str) -> &'a str {
    contact_point::name(spec, name)
}

pub(super) fn of_interval<'a>(spec: &'a TimeIntervalSpec, name: &'a str) -> &'a str {
    spec.name.as_deref().unwrap_or(name)
}

/// Whether the operator has told of a resource that it is in this Grafana by this name: then it keeps it, however old others are.
fn has(object: &Object, instance: &str, name: &str, stored: &str) -> bool {
    let Some(status) = object.value.get("status") else {
        return false;
    };
    let places = status.get("instances").and_then(Value::as_array);
    let of = |place: &&Value| place.get("instance").and_then(Value::as_str) == Some(instance);
    let here = match places {
        Some(places) if !places.is_empty() => places.iter().find(of),
        _ => Some(status),
    };
    here.is_some_and(|status| {
        status.get(stored).is_some_and(|value| !value.is_null())
            && status.get("name").and_then(Value::as_str) == Some(name)
    })
}

/// Who was first; what was never in a cluster comes after all that was.
pub(super) fn claimant(object: &Object, instance: &str) -> Claimant {
    let created = object.value.pointer("/metadata/creationTimestamp");
    let created = created.and_then(|created| created.as_str()?.parse().ok());
    Claimant {
        created: created.unwrap_or(jiff::Timestamp::MAX),
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        instance: instance.to_owned(),
    }
}

/// A resource as messages name it.
pub fn path(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
}
