use serde_json::{Value, json};

use super::trees::World;
use crate::domain::lint::object::Object;
use crate::domain::ownership::{Owner, Owners};

const OLD: &str = "2026-01-01T00:00:00Z";
const NEW: &str = "2026-02-01T00:00:00Z";

fn object(kind: &str, path: &str, created: &str, spec: Value) -> Object {
    let (namespace, name) = path.split_once('/').unwrap();
    let mut value = json!({
        "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind,
        "metadata": {"namespace": namespace, "name": name, "creationTimestamp": created},
    });
    value["spec"] = spec;
    Object::new(value, "")
}

fn interval(path: &str, created: &str, weekday: &str) -> Object {
    let spec = json!({"name": "always", "timeIntervals": [{"weekdays": [weekday]}]});
    object("TimeInterval", path, created, spec)
}

fn tree() -> Vec<Object> {
    let mut root = object("NotificationPolicy", "b/root", OLD, json!({"receiver": "mail"}));
    root.value["metadata"]["annotations"] = json!({"alerting.letsrevel.io/shared-with": "*"});
    let root = Object::new(root.value, "");
    let parent = json!({"name": "root", "namespace": "b"});
    let branch = |name: &str, spec: Value| {
        let mut whole = json!({"parentRef": parent});
        whole
            .as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        object("NotificationPolicy", name, OLD, whole)
    };
    vec![
        root,
        branch(
            "b/muted",
            json!({"receiver": "mail", "muteTimeIntervalRefs": [{"name": "mine"}]}),
        ),
        branch("b/pages", json!({"receiverRef": {"name": "pager"}})),
        interval("a/first", OLD, "monday"),
        interval("b/mine", NEW, "sunday"),
        object(
            "ContactPoint",
            "b/mail",
            OLD,
            json!({"integrations": [{"webhook": {"url": {"value": "http://hook"}}}]}),
        ),
        object(
            "ContactPoint",
            "b/pager",
            OLD,
            json!({"name": "Pager", "integrations": [{"webhook": {"url": {"value": "http://hook"}}}]}),
        ),
        object(
            "ContactPoint",
            "a/pager",
            NEW,
            json!({"name": "Pager", "integrations": [{"webhook": {"url": {"value": "http://hook"}}}]}),
        ),
    ]
}

/// What is left out, and the weekday of the interval that Grafana has.
fn left_out(objects: &[Object]) -> (Vec<String>, Vec<String>) {
    for object in objects {
        assert!(object.typed.is_some(), "{} {}", object.kind, object.name);
    }
    let world = World::new(objects, "default", Owners::new(Owner::parse("any").unwrap(), &[]));
    let (trees, out) = world.trees();
    assert_eq!(trees.len(), 1);
    let out = out.iter().map(|out| format!("{}: {}", out.policy.1, out.why));
    let always = serde_json::to_string(&world.intervals()["always"]).unwrap();
    let days = ["monday", "sunday"].iter().filter(|day| always.contains(**day));
    (out.collect(), days.map(|day| (*day).to_owned()).collect())
}

#[test]
fn what_has_lost_its_name_is_not_there_for_policies_that_refer_to_it() {
    let (out, days) = left_out(&tree());
    let why = "muted: spec.muteTimeIntervalRefs[0]: TimeInterval b/mine is not in Grafana: TimeInterval a/first has its name there";
    assert_eq!((out, days), (vec![why.to_owned()], vec!["monday".to_owned()]));
}

#[test]
fn who_has_a_name_keeps_it_however_old_others_are() {
    let mut objects = tree();
    let status = |object: &mut Object, status: Value| {
        object.value["status"] = status;
        *object = Object::new(object.value.clone(), "");
    };
    let digest = json!({"name": "always", "stored": "abc"});
    let stored = serde_json::from_value::<crate::api::TimeIntervalStatus>(digest.clone());
    assert!(stored.is_ok(), "{stored:?}");
    status(&mut objects[4], digest);
    status(&mut objects[7], json!({"name": "Pager", "types": "webhook"}));
    let (out, days) = left_out(&objects);
    let why = "pages: spec.receiverRef: ContactPoint b/pager is not in Grafana: ContactPoint a/pager has its name there";
    assert_eq!((out, days), (vec![why.to_owned()], vec!["sunday".to_owned()]));
}

#[test]
fn in_another_grafana_a_name_is_another_one() {
    let mut objects = tree();
    objects[3].value["spec"]["instance"] = json!("other");
    objects[3] = Object::new(objects[3].value.clone(), "");
    assert_eq!(left_out(&objects), (Vec::new(), vec!["sunday".to_owned()]));
}

#[test]
fn the_operators_own_namespace_uses_a_grafana_only_where_it_is_allowed_as_the_operator_has_it() {
    let instance = |allowed: Value| {
        let token = json!({"secretKeyRef": {"name": "a", "key": "b"}});
        let spec = json!({"url": "http://grafana", "auth": {"token": token}, "allowedNamespaces": allowed});
        object("GrafanaInstance", "b/default", OLD, spec)
    };
    let left_out = |allowed: Value| {
        let mut objects = tree();
        objects.push(instance(allowed));
        let world = World::new(
            &objects,
            "default",
            Owners::new(Owner::parse("any").unwrap(), &[]),
        );
        let (trees, left_out) = world.trees();
        let why = left_out.iter().find(|out| out.policy.1 == "root");
        (trees.len(), why.map(|out| out.why.clone()))
    };
    let why = "GrafanaInstance default doesn't let namespace b use it".to_owned();
    assert_eq!(left_out(json!({"names": ["shop"]})), (0, Some(why)));
    assert_eq!(left_out(json!({"names": ["shop", "b"]})), (1, None));
    assert_eq!(left_out(Value::Null), (1, None));
}
