//! grafana-operator's resources.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::alertmanager::{list, name, resource, take_interval, text};
use super::super::asked::{Import, meta};
use super::super::world::World;
use super::point::Given;
use super::routes::{self, From, Routes};
use super::rule::{Place, folder};
use super::take::{self, Branch};

/// All of its resources: folders are named by the rules of others.
#[derive(Default)]
pub(in super::super) struct Operator<'a> {
    all: Vec<&'a Value>,
    /// Folders, by the namespaces and names of their resources.
    folders: BTreeMap<Named, Folder>,
}

/// Namespace and name of a resource.
type Named = (String, String);

/// A folder as its resource has it.
struct Folder {
    title: String,
    uid: Option<String>,
    /// The one that it is in: the name of its resource, or its uid.
    parent: Option<Parent>,
}

enum Parent {
    Name(String),
    Uid(String),
}

impl<'a> Operator<'a> {
    /// Takes a resource.
    pub(in super::super) fn add(&mut self, value: &'a Value) {
        if kind(value) == "GrafanaFolder" {
            let spec = spec(value);
            let words = |field: &str| spec.get(field).map(text).filter(|text| !text.is_empty());
            let called = (namespace(value), metadata_name(value));
            let folder = Folder {
                title: words("title").unwrap_or_else(|| called.1.clone()),
                uid: words("uid"),
                parent: words("parentFolderRef")
                    .map(Parent::Name)
                    .or_else(|| words("parentFolderUID").map(Parent::Uid)),
            };
            self.folders.insert(called, folder);
        }
        self.all.push(value);
    }

    /// Takes all of them apart. Routes that no policy of them selects become branches of `parent`.
    pub(in super::super) fn take(&self, parent: &Value, world: &mut World, import: &mut Import) {
        let routes = Routes::of(&self.all);
        let policies = self.all.iter().copied();
        let policies: Vec<&Value> = policies
            .filter(|value| kind(value) == "GrafanaNotificationPolicy")
            .collect();
        for value in &self.all {
            let spec = spec(value);
            let own = name(spec).unwrap_or_else(|| metadata_name(value));
            match kind(value) {
                "GrafanaAlertRuleGroup" => self.group(value, own, world, import),
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
                    let route = routes::spec(value);
                    let namespace = namespace(value);
                    let whole = routes.root(route, From::policy(value, &namespace));
                    if selects(&resource::configuration(route)) && routes.is_empty() {
                        import.leave(
                            format!("policy {own}"),
                            "routeSelector: no GrafanaNotificationPolicyRoute is among what is read; name the files of those that it selects too",
                        );
                    }
                    take::policy(
                        &plain(&resource::configuration(&whole)),
                        &own,
                        None,
                        world,
                        import,
                    );
                }
                "GrafanaNotificationPolicyRoute" => {
                    let (branch, route) = match branch(value, parent, &policies, &routes) {
                        Ok(Some(made)) => made,
                        Ok(None) => continue,
                        Err(why) => {
                            import.leave(format!("route {own}"), why);
                            continue;
                        }
                    };
                    take::policy(
                        &plain(&resource::configuration(&route)),
                        &own,
                        Some(branch),
                        world,
                        import,
                    );
                }
                _ => {}
            }
        }
    }

    fn group(&self, value: &Value, own: String, world: &mut World, import: &mut Import) {
        let spec = spec(value);
        let words = |field: &str| spec.get(field).map(text).filter(|text| !text.is_empty());
        let by_name = words("folderRef").map(|called| self.path(&namespace(value), &called));
        let (path, lost) = by_name.map_or((None, None), |(path, lost)| (Some(path), lost));
        let place = Place {
            folder: match (path, words("folderUID")) {
                (Some(path), _) => folder(&path, world),
                (None, uid) => uid.unwrap_or_default(),
            },
            group: own,
            interval: words("interval").unwrap_or_default(),
        };
        let beside = |_| take::Beside {
            lost: lost.clone(),
            is_editable: spec.get("editable").and_then(Value::as_bool) == Some(true),
            ..take::Beside::default()
        };
        take::rules(spec, &place, &beside, world, import);
    }

    /// The folder that a resource of a namespace refers to by a name: the one there, or else the only one of that name, for files need not say the namespace.
    fn named(&self, namespace: &str, name: &str) -> Option<(&Named, &Folder)> {
        let own = (namespace.to_owned(), name.to_owned());
        let mut all = self.folders.iter().filter(|((_, called), _)| called == name);
        let only = all.next().filter(|_| all.next().is_none());
        self.folders.get_key_value(&own).or(only)
    }

    /// The path of a folder, which a resource of a namespace names, and what of it isn't known.
    fn path(&self, namespace: &str, called: &str) -> (String, Option<String>) {
        let mut titles = Vec::new();
        let mut seen = BTreeSet::new();
        let mut lost = None;
        let mut next = Some((namespace.to_owned(), called.to_owned()));
        while let Some((namespace, called)) = next.take() {
            let Some((place, own)) = self.named(&namespace, &called) else {
                // Of a rule's own folder the name says at least what it may be called.
                if titles.is_empty() {
                    titles.push(called);
                } else {
                    lost = Some(unknown(&format!("GrafanaFolder {called}")));
                }
                break;
            };
            if !seen.insert(place) {
                titles.truncate(1);
                lost = Some(format!("folder: GrafanaFolder {called} is in itself"));
                break;
            }
            titles.push(own.title.clone());
            next = match &own.parent {
                None => None,
                Some(Parent::Name(parent)) => Some((place.0.clone(), parent.clone())),
                Some(Parent::Uid(uid)) => {
                    let mut all = self.folders.iter();
                    let found = all.find(|(_, folder)| folder.uid.as_ref() == Some(uid));
                    if found.is_none() {
                        lost = Some(unknown(&format!("the folder with the uid {uid}")));
                    }
                    found.map(|(called, _)| called.clone())
                }
            };
        }
        let titles = titles.iter().rev();
        let titles = titles.map(|title| title.replace('\\', r"\\").replace('/', r"\/"));
        (titles.collect::<Vec<_>>().join("/"), lost)
    }
}

/// What a route is a branch of, and the route with all that stands below it; nothing where it stands below another one, or nobody selects it.
fn branch(
    value: &Value,
    parent: &Value,
    policies: &[&Value],
    routes: &Routes<'_>,
) -> Result<Option<(Branch, Value)>, String> {
    let is_it = |found: Vec<&Value>| found.iter().any(|found| std::ptr::eq(*found, value));
    let own = routes::spec(value);
    let made = |parent: Option<Value>, from: From<'_>| {
        let branch = Branch {
            parent,
            is_exclusive: own.get("continue").and_then(Value::as_bool) != Some(true),
        };
        Ok(Some((branch, routes.whole(own, from, &[value]))))
    };
    let place = namespace(value);
    let Some((root, others)) = policies.split_first() else {
        // The policy is somewhere else.
        let from = From::everywhere(&place);
        let mut others = routes.iter().filter(|other| !std::ptr::eq(*other, value));
        if others.any(|other| is_it(routes.within(routes::spec(other), from))) {
            return Ok(None);
        }
        return made(Some(parent.clone()), from);
    };
    let of = namespace(root);
    let from = From::policy(root, &of);
    if is_it(routes.selected(routes::spec(root), from)) {
        return made(None, from);
    }
    if is_it(routes.reached(routes::spec(root), from)) {
        return Ok(None);
    }
    let other = others.iter().find(|policy| {
        let of = namespace(policy);
        is_it(routes.reached(routes::spec(policy), From::policy(policy, &of)))
    });
    Err(match other {
        Some(other) => format!(
            "policy {}, which selects it, isn't carried over",
            metadata_name(other)
        ),
        None => {
            "no policy that is read selects it, so no alert goes by it; name the file of the one that does"
                .to_owned()
        }
    })
}

/// What is said of a rule whose folder is in one that isn't read.
fn unknown(parent: &str) -> String {
    format!("folder: it is in {parent}, which isn't among what is read: put the path before it")
}

fn kind(value: &Value) -> &str {
    value.get("kind").and_then(Value::as_str).unwrap_or_default()
}

fn spec(value: &Value) -> &Value {
    value.get("spec").unwrap_or(&Value::Null)
}

fn namespace(value: &Value) -> String {
    meta(value).namespace.unwrap_or_default()
}

fn metadata_name(value: &Value) -> String {
    value.pointer("/metadata/name").map(text).unwrap_or_default()
}

fn set(value: &mut Value, field: &str, text: String) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(field.to_owned(), text.into());
    }
}

/// Whether routes of other resources are merged into a route, or into one below it.
fn selects(route: &Value) -> bool {
    let own = route.get("route_selector");
    own.is_some_and(|selector| !selector.is_null()) || list(route, "routes").iter().any(selects)
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
