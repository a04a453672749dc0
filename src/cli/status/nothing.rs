//! What is said where no resource is shown: that all of none is in sync would be no answer.

use std::collections::BTreeSet;

use super::super::common::connect::{Connected, Read};
use super::screen::Shown;
use crate::domain::lint::object::{Object, is_ours};

/// Where nothing is shown, says so; fails where the GrafanaInstance or the namespace that is asked for isn't there.
pub(super) async fn told(
    cluster: &Connected,
    read: &Read,
    objects: &[Object],
    shown: &Shown<'_>,
) -> Result<String, String> {
    let knows_instances = read.known().any(|(kind, _)| kind == "GrafanaInstance");
    if let Some(name) = shown.instance.filter(|_| knows_instances) {
        is_instance(objects, name, &cluster.home)?;
    }
    if let Some(namespace) = shown.namespace {
        cluster.check_namespace(namespace).await?;
    }
    let said = said(objects, shown);
    Ok(if read.is_partial() {
        format!("{said}, as far as can be read")
    } else {
        said
    })
}

fn is_instance(objects: &[Object], name: &str, home: &str) -> Result<(), String> {
    let instances = objects.iter().filter(|object| object.kind == "GrafanaInstance");
    let names: Vec<&str> = instances.map(|object| object.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let there = match names.as_slice() {
        [] => String::new(),
        names => format!("; there is {}", names.join(", ")),
    };
    Err(format!(
        "there is no GrafanaInstance {name} in namespace {home}{there}"
    ))
}

fn said(objects: &[Object], shown: &Shown<'_>) -> String {
    let mut said = "there are no resources".to_owned();
    if shown.selector.is_some() {
        said.push_str(" with these labels");
    }
    if let Some(instance) = shown.instance {
        said = format!("{said} for GrafanaInstance {instance}");
    }
    let Some(namespace) = shown.namespace else {
        return said;
    };
    said = format!("{said} in namespace {namespace}");
    let others = objects
        .iter()
        .filter(|object| is_ours(&object.value) && object.kind != "GrafanaInstance");
    let others: BTreeSet<&str> = others.map(|object| object.namespace.as_str()).collect();
    if others.contains(namespace) || others.is_empty() {
        return said;
    }
    let others: Vec<&str> = others.into_iter().collect();
    format!("{said}; there are some in {}", others.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(kind: &str, namespace: &str, name: &str) -> Object {
        let value = json!({
            "apiVersion": "alerting.letsrevel.io/v1alpha1", "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": {},
        });
        Object::new(value, "")
    }

    #[test]
    fn an_instance_that_is_not_there_is_told_with_those_that_are() {
        let objects = [object("GrafanaInstance", "home", "default")];
        assert_eq!(is_instance(&objects, "default", "home"), Ok(()));
        let why = is_instance(&objects, "nope", "home").unwrap_err();
        assert_eq!(
            why,
            "there is no GrafanaInstance nope in namespace home; there is default"
        );
    }

    #[test]
    fn where_nothing_is_shown_it_is_said_where_there_is_something() {
        let objects = [
            object("GrafanaInstance", "home", "default"),
            object("AlertRule", "revel", "r"),
        ];
        let of = |namespace, instance| {
            said(
                &objects,
                &Shown {
                    namespace,
                    instance,
                    selector: None,
                    is_whole: true,
                    is_blind: false,
                },
            )
        };
        assert_eq!(
            of(Some("default"), None),
            "there are no resources in namespace default; there are some in revel"
        );
        assert_eq!(
            of(Some("revel"), Some("b")),
            "there are no resources for GrafanaInstance b in namespace revel"
        );
        assert_eq!(of(None, None), "there are no resources");
    }
}
