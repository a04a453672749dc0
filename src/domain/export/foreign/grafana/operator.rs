//! grafana-operator's resources.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::alertmanager::{list, name, resource, take_interval, text};
use super::super::asked::{Import, meta};
use super::super::world::World;
use super::point::Given;
use super::rule::{Place, folder};
use super::take;

/// All of its resources: folders are named by the rules of others.
#[derive(Default)]
pub(in super::super) struct Operator<'a> {
    all: Vec<&'a Value>,
    /// What folders are called, by the names of their resources.
    folders: BTreeMap<String, String>,
}

impl<'a> Operator<'a> {
    /// Takes a resource.
    pub(in super::super) fn add(&mut self, value: &'a Value) {
        if kind(value) == "GrafanaFolder" {
            let spec = spec(value);
            let title = spec.get("title").map(text).filter(|title| !title.is_empty());
            let called = metadata_name(value);
            self.folders.insert(called.clone(), title.unwrap_or(called));
        }
        self.all.push(value);
    }

    /// Takes all of them apart. Routes of namespaces become branches of `parent`.
    pub(in super::super) fn take(&self, parent: &Value, world: &mut World, import: &mut Import) {
        for value in &self.all {
            let spec = spec(value);
            let own = name(spec).unwrap_or_else(|| metadata_name(value));
            match kind(value) {
                "GrafanaAlertRuleGroup" => self.group(spec, own, world, import),
                "GrafanaContactPoint" => {
                    let several = list(spec, "receivers");
                    let given: Vec<Given<'_>> = if several.is_empty() {
                        vec![Given::of(spec)]
                    } else {
                        several.iter().map(Given::of).collect()
                    };
                    let beside = take::Beside {
                        secrets_in: meta(value).namespace,
                        ..take::Beside::default()
                    };
                    take::point(&own, &given, beside, world, import);
                }
                "GrafanaMuteTiming" => {
                    let mut given = spec.clone();
                    set(&mut given, "name", own);
                    take_interval(&given, "", world, import);
                }
                "GrafanaNotificationTemplate" => {
                    let mut given = spec.clone();
                    set(&mut given, "name", own);
                    take::template(&given, world, import);
                }
                "GrafanaNotificationPolicy" => {
                    let route = spec.get("route").map(resource::configuration).unwrap_or_default();
                    take::policy(&plain(&route), &own, None, world, import);
                }
                "GrafanaNotificationPolicyRoute" => {
                    let route = spec.get("route").unwrap_or(spec);
                    take::policy(
                        &plain(&resource::configuration(route)),
                        &own,
                        Some(json!({"parentRef": parent})),
                        world,
                        import,
                    );
                }
                _ => {}
            }
        }
    }

    fn group(&self, spec: &Value, own: String, world: &mut World, import: &mut Import) {
        let words = |field: &str| spec.get(field).map(text).filter(|text| !text.is_empty());
        let by_name = words("folderRef").map(|called| self.folders.get(&called).cloned().unwrap_or(called));
        let place = Place {
            folder: match (by_name, words("folderUID")) {
                (Some(title), _) => folder(&title.replace('\\', r"\\").replace('/', r"\/"), world),
                (None, uid) => uid.unwrap_or_default(),
            },
            group: own,
            interval: words("interval").unwrap_or_default(),
        };
        take::rules(spec, &place, &|_| take::Beside::default(), world, import);
    }
}

fn kind(value: &Value) -> &str {
    value.get("kind").and_then(Value::as_str).unwrap_or_default()
}

fn spec(value: &Value) -> &Value {
    value.get("spec").unwrap_or(&Value::Null)
}

fn metadata_name(value: &Value) -> String {
    value.pointer("/metadata/name").map(text).unwrap_or_default()
}

fn set(value: &mut Value, field: &str, text: String) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(field.to_owned(), text.into());
    }
}

/// A route without what says which other resources are merged into it: those that are read with it are branches.
fn plain(route: &Value) -> Value {
    let mut route = route.clone();
    if let Some(fields) = route.as_object_mut() {
        for field in [
            "route_selector",
            "instance_selector",
            "allow_cross_namespace_import",
            "resync_period",
            "editable",
        ] {
            fields.remove(field);
        }
    }
    route
}
