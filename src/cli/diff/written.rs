//! What files say, which of it an API server would refuse, and what the rest would be in the cluster.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

use super::super::common::files::Files;
use super::asked::{Asked, kinds};
use super::judge::Row;
use super::sign::Sign;
use crate::controller::engine::managed::Managed;
use crate::controller::run::rehearsal::Name;
use crate::domain::lint::object::Object;

/// What files say.
pub(super) struct Written {
    pub(super) objects: Vec<Object>,
    pub(super) others: BTreeMap<String, Value>,
    /// Those that an API server would refuse, and why. Nothing would become of them.
    pub(super) refused: Vec<(Name, String)>,
}

/// Reads the files.
pub(super) fn read(
    files: &Files,
    (asked, instance): (&Asked<'_>, &str),
    namespace: &str,
) -> Result<Written, String> {
    let read = files.judged(namespace)?;
    let others = read.values.into_iter().filter_map(|value| {
        let text = |at: &str| value.pointer(at).and_then(Value::as_str);
        let plural = match text("/kind")? {
            "Secret" => "secrets",
            "ConfigMap" => "configmaps",
            _ => return None,
        };
        let within = text("/metadata/namespace").unwrap_or(namespace);
        let path = format!("namespaces/{within}/{plural}/{}", text("/metadata/name")?);
        Some((path, value))
    });
    Ok(Written {
        others: others.collect(),
        objects: read.objects,
        refused: refused(read.refused, asked, instance)?,
    })
}

/// Those that are asked for and are for that Grafana. It fails for one of a kind that isn't compared, without which nothing follows.
fn refused(
    all: Vec<(Object, String)>,
    asked: &Asked<'_>,
    instance: &str,
) -> Result<Vec<(Name, String)>, String> {
    let mut found = Vec::new();
    for (object, why) in all {
        let Some(kind) = kinds().find(|kind| *kind == object.kind) else {
            return Err(why);
        };
        if asked.is_meant(kind, &object.name, &object.labels()) && object.instances().contains(&instance) {
            let name = Name {
                kind,
                namespace: object.namespace,
                name: object.name,
            };
            found.push((name, why));
        }
    }
    Ok(found)
}

/// The line of one that an API server would refuse.
pub(super) fn row((name, why): (Name, String)) -> Row {
    Row {
        name,
        sign: Sign::Refused,
        place: None,
        differences: Vec::new(),
        message: Some(why),
        routing: Vec::new(),
        folder: None,
    }
}

/// A resource of a file as it would be in the cluster.
pub(super) fn applied<K: Managed>(mut written: K, there: Option<&K>) -> K {
    let spec = |object: &K| {
        let value = serde_json::to_value(object).unwrap_or_default();
        value.get("spec").cloned()
    };
    let Some(there) = there else {
        let meta = written.meta_mut();
        meta.generation = Some(1);
        meta.creation_timestamp = Some(Time(Timestamp::now()));
        return written;
    };
    let is_same = spec(&written) == spec(there);
    // What is in Grafana is remembered in the status, whatever files say.
    let mut value = serde_json::to_value(&written).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert(
            "status".to_owned(),
            serde_json::to_value(there.status()).unwrap_or_default(),
        );
    }
    let mut applied: K = serde_json::from_value(value).unwrap_or(written);
    let (meta, before) = (applied.meta_mut(), there.meta());
    meta.uid.clone_from(&before.uid);
    meta.creation_timestamp.clone_from(&before.creation_timestamp);
    meta.generation = before
        .generation
        .map(|generation| generation + i64::from(!is_same));
    applied
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &str, name: &str, spec: &Value) -> (Object, String) {
        let value = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"namespace": "n", "name": name}, "spec": spec,
        });
        (Object::new(value, ""), format!("f.yaml:3: {name}"))
    }

    #[test]
    fn what_an_api_server_refuses_is_told_where_it_is_asked_for() {
        let all = vec![
            object("AlertRule", "a", &json!({"sevrity": "high"})),
            object("AlertRule", "other", &json!({"instance": "b"})),
            object("TimeInterval", "t", &json!({})),
        ];
        let only = [("AlertRule".to_owned(), None)];
        let asked = Asked {
            only: &only,
            selector: None,
        };
        let found = refused(all, &asked, "default").unwrap();
        assert_eq!(found.len(), 1);
        let row = row(found.into_iter().next().unwrap());
        assert_eq!((row.name.name.as_str(), row.sign), ("a", Sign::Refused));
        assert_eq!(row.message.as_deref(), Some("f.yaml:3: a"));
        let instance = vec![object("GrafanaInstance", "default", &json!({}))];
        assert!(refused(instance, &asked, "default").is_err());
    }
}
