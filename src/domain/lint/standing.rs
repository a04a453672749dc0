//! What stands in a cluster already, beside the resources of files.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::object::Object;

/// What only a cluster says of a resource: its age, by which it is older than others, and what the operator has told of it.
const KEPT: [&str; 3] = [
    "/metadata/uid",
    "/metadata/creationTimestamp",
    "/metadata/deletionTimestamp",
];

/// What stands in a cluster, as those who check files look at it.
#[derive(Debug, Default)]
pub struct Standing {
    /// Those in whose place no file puts another.
    pub(super) others: Vec<Object>,
    /// The others by the number of the resource that would take their place.
    before: BTreeMap<usize, Object>,
    /// Of which kinds all are known, each in a namespace or in all.
    pub(super) known: BTreeSet<(String, Option<String>)>,
}

impl Standing {
    /// What stands beside these resources. Of the kinds that are known, each in a namespace or in all, there are no others.
    pub fn new(
        written: &[Object],
        there: Vec<Object>,
        known: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Self {
        let mut files: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, object) in written.iter().enumerate() {
            files.entry(id(object)).or_default().push(at);
        }
        let (mut others, mut before) = (Vec::new(), BTreeMap::new());
        for object in there {
            match files.get(&id(&object)) {
                None => others.push(object),
                Some(places) => before.extend(places.iter().map(|at| (*at, object.clone()))),
            }
        }
        Self {
            others,
            before,
            known: known.into_iter().collect(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.others.len() + self.before.values().map(id).collect::<BTreeSet<_>>().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.others.is_empty() && self.before.is_empty()
    }

    /// What stands where this resource would.
    pub(super) fn before(&self, at: usize) -> Option<&Object> {
        self.before.get(&at)
    }

    /// What a resource has in a Grafana by its status in the cluster, as the operator has told of it: who has something keeps it, however old another one is.
    pub(super) fn has(
        &self,
        at: usize,
        object: &Object,
        files: usize,
        instance: &str,
        field: &str,
    ) -> Option<String> {
        let there = if at < files { self.before(at)? } else { object };
        let status = there.value.get("status")?;
        let places = status.get("instances").and_then(Value::as_array);
        let of = |place: &&Value| place.get("instance").and_then(Value::as_str) == Some(instance);
        let status = match places {
            Some(places) if !places.is_empty() => places.iter().find(of)?,
            _ => status,
        };
        let value = status.get(field)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// Since when a resource is in the cluster; one that is still to come is younger than all.
    pub(super) fn since(&self, at: usize, object: &Object, files: usize) -> Timestamp {
        let there = if at < files { self.before(at) } else { Some(object) };
        let created = there.and_then(|there| there.value.pointer("/metadata/creationTimestamp")?.as_str());
        let created = created.and_then(|created| created.parse().ok());
        created.unwrap_or(Timestamp::MAX)
    }
}

/// Kind, namespace and name.
fn id(object: &Object) -> (&str, &str, &str) {
    (&object.kind, &object.namespace, &object.name)
}

/// The resources as they would be with those of files applied. One that isn't in the cluster yet is as it is written.
pub fn applied(written: &[Object], there: &[Object]) -> Vec<Object> {
    let before: BTreeMap<_, &Object> = there.iter().map(|object| (id(object), object)).collect();
    let files: BTreeSet<_> = written.iter().map(id).collect();
    let others = there.iter().filter(|object| !files.contains(&id(object)));
    let files = written.iter().map(|object| match before.get(&id(object)) {
        Some(before) => in_place_of(object, before),
        None => object.clone(),
    });
    files.chain(others.cloned()).collect()
}

/// A resource as it would be in the place of the one that stands there.
fn in_place_of(written: &Object, before: &Object) -> Object {
    let mut value = written.value.clone();
    for at in KEPT {
        let field = at.rsplit('/').next().unwrap_or_default();
        let kept = before.value.pointer(at).cloned();
        if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            match kept {
                Some(kept) => meta.insert(field.to_owned(), kept),
                None => meta.remove(field),
            };
        }
    }
    if let Some(fields) = value.as_object_mut() {
        match before.value.get("status") {
            Some(status) => fields.insert("status".to_owned(), status.clone()),
            None => fields.remove("status"),
        };
    }
    Object::new(value, &written.namespace)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(name: &str, more: &Value) -> Object {
        let mut value = json!({"apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": "AlertRule", "metadata": {"name": name}});
        for (field, more) in more.as_object().cloned().into_iter().flatten() {
            value[field] = more;
        }
        Object::new(value, "revel")
    }

    #[test]
    fn what_is_written_takes_its_place_and_keeps_what_only_the_cluster_says() {
        let there = [
            object(
                "a",
                &json!({"metadata": {"name": "a", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}, "spec": {"query": "old"}, "status": {"state": "Firing"}}),
            ),
            object("b", &json!({"spec": {"query": "b"}})),
        ];
        let written = [
            object(
                "a",
                &json!({"spec": {"query": "new"}, "status": {"state": "Normal"}}),
            ),
            object("c", &json!({"spec": {"query": "c"}})),
        ];
        let all = applied(&written, &there);
        let names: Vec<&str> = all.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(names, ["a", "c", "b"]);
        let at = |at: &str| all[0].value.pointer(at).cloned().unwrap_or_default();
        assert_eq!(at("/spec/query"), "new");
        assert_eq!(at("/status/state"), "Firing");
        assert_eq!(
            (at("/metadata/uid"), at("/metadata/creationTimestamp")),
            (json!("u"), json!("2026-01-01T00:00:00Z"))
        );
        assert_eq!(all[1].value, written[1].value);
    }

    #[test]
    fn one_of_another_namespace_stays_beside_it() {
        let other = Object {
            namespace: "shop".to_owned(),
            ..object("a", &json!({}))
        };
        let all = applied(&[object("a", &json!({}))], &[other]);
        let namespaces: Vec<&str> = all.iter().map(|object| object.namespace.as_str()).collect();
        assert_eq!(namespaces, ["revel", "shop"]);
    }
}
