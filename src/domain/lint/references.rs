//! References from one resource to another: whether what is meant is there, shared, and for the same Grafana.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::finding::{Finding, Level, REFERENCE, REFUSED};
use super::near::nearest;
use super::object::{Object, Typed};
use super::path::Path;
use crate::api::ANNOTATION_SHARED_WITH;
use crate::domain::notification::named::text::is_grafanas;
use crate::domain::rule::template::definitions;
use crate::domain::tenancy::{self, Tenant};

const POINT: &str = "ContactPoint";
const INTERVAL: &str = "TimeInterval";
const POLICY: &str = "NotificationPolicy";
const RULE: &str = "AlertRule";
const INSTANCE: &str = "GrafanaInstance";
/// One reference.
#[derive(Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where it is written.
    pub path: Path,
    /// The kind that is meant.
    pub kind: &'static str,
    /// The namespace, where one is written.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// All resources by kind and namespace.
pub struct Index<'a> {
    all: BTreeMap<(&'a str, &'a str), BTreeMap<&'a str, &'a Object>>,
    known: &'a BTreeSet<(String, Option<String>)>,
}

impl<'a> Index<'a> {
    /// The index of these resources, which are all that there are of the kinds that are known, each in a namespace or in all.
    pub fn of(objects: &'a [Object], known: &'a BTreeSet<(String, Option<String>)>) -> Self {
        let mut all: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for object in objects {
            let place = (object.kind.as_str(), object.namespace.as_str());
            all.entry(place).or_default().insert(object.name.as_str(), object);
        }
        Self { all, known }
    }

    fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&'a Object> {
        self.all.get(&(kind, namespace))?.get(name).copied()
    }

    fn names(&self, kind: &str, namespace: &str) -> Vec<&'a str> {
        let names = self.all.get(&(kind, namespace));
        names
            .into_iter()
            .flat_map(|names| names.keys().copied())
            .collect()
    }

    /// Whether it can be told what there is: all of it is known, or some is there. A policy that is referred to is a root, so branches say nothing of the others.
    fn can_tell(&self, kind: &str, namespace: &str, name: &str) -> bool {
        let is_known = |namespace: Option<&str>| {
            self.known
                .contains(&(kind.to_owned(), namespace.map(str::to_owned)))
        };
        let is_said = |there: &BTreeMap<&str, &Object>| {
            let is_root = |object: &&Object| object.spec().get("parentRef").is_none();
            kind != POLICY || there.contains_key(name) || there.values().any(is_root)
        };
        self.all.get(&(kind, namespace)).is_some_and(is_said) || is_known(None) || is_known(Some(namespace))
    }

    /// The GrafanaInstances by their names; of two of one name one is of another operator.
    fn instances(&self) -> BTreeMap<&'a str, Vec<&'a Object>> {
        let of_kind = self.all.iter().filter(|((kind, _), _)| *kind == INSTANCE);
        let mut known: BTreeMap<&str, Vec<&Object>> = BTreeMap::new();
        for (name, instance) in of_kind.flat_map(|(_, names)| names) {
            known.entry(*name).or_default().push(*instance);
        }
        known
    }

    /// Whether all GrafanaInstances are known.
    fn has_all_instances(&self) -> bool {
        self.known.iter().any(|(kind, _)| kind == INSTANCE)
    }
}

/// What is wrong with the references of all resources, and how many lead to kinds of which there is none among them in that namespace: nothing
/// can be said of these.
pub(super) fn check(objects: &[Object], index: &Index<'_>) -> (Vec<Finding>, usize) {
    let mut found = Vec::new();
    let mut unseen = BTreeSet::new();
    for (at, object) in objects.iter().enumerate() {
        for reference in of(object) {
            let namespace = reference.namespace.as_deref().unwrap_or(&object.namespace);
            if !index.can_tell(reference.kind, namespace, &reference.name) {
                unseen.insert((reference.kind, namespace.to_owned(), reference.name.clone()));
                continue;
            }
            found.extend(problem(at, object, &reference, namespace, index));
        }
        found.extend(instances(at, object, index));
        found.extend(of_grafana(at, object, index));
    }
    (found, unseen.len())
}

fn problem(
    at: usize,
    object: &Object,
    reference: &Reference,
    namespace: &str,
    index: &Index<'_>,
) -> Option<Finding> {
    let Reference { kind, name, .. } = reference;
    let say = |message: String| Finding::new(&REFERENCE, at, reference.path.clone(), message);
    let within = if namespace.is_empty() {
        String::new()
    } else {
        format!(" in namespace {namespace}")
    };
    let Some(target) = index.get(kind, namespace, name) else {
        let near = nearest(name, index.names(kind, namespace));
        let near = near.map_or_else(String::new, |near| format!("; there is {near:?}"));
        let finding = say(format!("no {kind} {name:?}{within}{near}"));
        // A Silence may name a rule that is still to come.
        return Some(if *kind == RULE {
            finding.of(Level::Warning)
        } else {
            finding
        });
    };
    if namespace != object.namespace && !is_shared(target, &object.namespace) {
        return Some(say(format!(
            "{kind} {namespace}/{name} isn't shared with namespace {}; its owner can, with the annotation {ANNOTATION_SHARED_WITH}",
            object.namespace
        )));
    }
    if *kind == POLICY && target.spec().get("parentRef").is_some() {
        return Some(say(format!(
            "{kind} {name:?} is a branch itself; name the root of its tree"
        )));
    }
    if *kind == POLICY && object.kind == RULE && target.spec().get("tree").is_none() {
        return Some(say(format!(
            "{kind} {name:?} has the default tree, which alerts go through anyway; name one that says tree, or leave notificationSettings out"
        )));
    }
    let theirs = target.instances();
    let missing = object
        .instances()
        .into_iter()
        .find(|instance| !theirs.contains(instance))?;
    let is_bound = *kind != RULE;
    is_bound.then(|| {
        say(format!(
            "{kind} {name:?} is for GrafanaInstance {}, and not for {missing}",
            theirs.join(", ")
        ))
    })
}

/// The GrafanaInstances that it is for, which are in the operator's namespace, whichever that is.
fn instances(at: usize, object: &Object, index: &Index<'_>) -> Vec<Finding> {
    let known = index.instances();
    let all = index.has_all_instances();
    if (known.is_empty() && !all) || object.kind == INSTANCE {
        return Vec::new();
    }
    let spec = Path::parse("spec");
    let is_several = object.spec().get("instances").is_some();
    // One that is left to the default may be elsewhere.
    let is_written = is_several || object.spec().get("instance").is_some();
    let mut found = Vec::new();
    for (i, name) in object.instances().into_iter().enumerate() {
        let path = if is_several {
            spec.field("instances").index(i)
        } else {
            spec.field("instance")
        };
        let say = |message| Finding::new(&REFERENCE, at, path.clone(), message);
        match known.get(name).map(Vec::as_slice) {
            None if is_written || all => {
                let near = nearest(name, known.keys().copied());
                let near = near.map_or_else(String::new, |near| format!("; there is {near:?}"));
                found.push(say(format!("no GrafanaInstance {name:?}{near}")));
            }
            // Of two of one name one is of another operator.
            Some([instance]) => found.extend(closed(object, instance).map(say)),
            None | Some(_) => {}
        }
    }
    found
}

/// Why a resource's namespace may not use an instance for it, as far as names say.
fn closed(object: &Object, instance: &Object) -> Option<String> {
    let Some(Typed::GrafanaInstance(known)) = &instance.typed else {
        return None;
    };
    let (spec, namespace) = (&known.spec, object.namespace.as_str());
    // Which labels namespaces have only a cluster knows.
    if namespace.is_empty() || tenancy::selector(spec).is_some() {
        return None;
    }
    let tenant = Tenant {
        name: namespace,
        labels: None,
    };
    let name = &instance.name;
    if !tenancy::may_use(spec, tenant) {
        return Some(format!(
            "GrafanaInstance {name:?} doesn't allow namespace {namespace}; its administrator can add it to spec.allowedNamespaces.names"
        ));
    }
    let is_root = object.kind == POLICY && object.spec().get("parentRef").is_none();
    (is_root && !tenancy::may_be_root(spec, namespace)).then(|| {
        format!(
            "GrafanaInstance {name:?} doesn't let namespace {namespace} hold a policy tree; its administrator can add it to spec.rootPolicyNamespaces.names"
        )
    })
}

/// What is wrong with a template that is one of Grafana's own: an error where it is known that its namespace may not define these.
fn of_grafana(at: usize, object: &Object, index: &Index<'_>) -> Option<Finding> {
    let Some(Typed::NotificationTemplate(template)) = &object.typed else {
        return None;
    };
    let names = definitions(template.spec.template.as_deref()?);
    let own = names.iter().find(|own| is_grafanas(own.name))?;
    let instances = index.instances();
    let may = |name: &str| match instances.get(name).map(Vec::as_slice) {
        Some([instance]) => match &instance.typed {
            // It is in the operator's own namespace.
            Some(Typed::GrafanaInstance(known)) if !object.namespace.is_empty() => Some(
                tenancy::is_unrestricted(&known.spec, &object.namespace, &instance.namespace),
            ),
            _ => None,
        },
        _ => None,
    };
    let answers: BTreeSet<Option<bool>> = object.instances().into_iter().map(may).collect();
    let level = if answers.contains(&Some(false)) {
        Level::Error
    } else if answers.contains(&None) {
        Level::Warning
    } else {
        return None;
    };
    let message = format!(
        "the texts of everybody's notifications are made of Grafana's own template {}, so only namespaces in spec.unrestrictedNamespaces of the GrafanaInstance may define it; choose another name",
        own.name
    );
    Some(Finding::new(&REFUSED, at, Path::parse("spec.template"), message).of(level))
}

fn is_shared(object: &Object, namespace: &str) -> bool {
    tenancy::is_shared_with(object.annotation(ANNOTATION_SHARED_WITH), namespace)
}

/// All references of a resource to others of our kinds, but that to its instance.
pub fn of(object: &Object) -> Vec<Reference> {
    let mut found = Vec::new();
    let spec = Path::parse("spec");
    match object.kind.as_str() {
        POLICY => {
            of_route(object.spec(), &spec, &mut found);
            one(
                object.spec().get("parentRef"),
                &spec.field("parentRef"),
                POLICY,
                &mut found,
            );
        }
        RULE => {
            if let Some(settings) = object.spec().get("notificationSettings") {
                let path = spec.field("notificationSettings");
                of_route(settings, &path, &mut found);
                name(settings.get("policy"), path.field("policy"), POLICY, &mut found);
                one(
                    settings.get("policyRef"),
                    &path.field("policyRef"),
                    POLICY,
                    &mut found,
                );
            }
        }
        "Silence" => of_rules(object.spec(), &spec, &mut found),
        "MaintenancePolicy" => {
            if let Some(silence) = object.spec().get("silence") {
                of_rules(silence, &spec.field("silence"), &mut found);
            }
        }
        _ => {}
    }
    found
}

/// What a route refers to, and those below it.
fn of_route(route: &Value, path: &Path, found: &mut Vec<Reference>) {
    name(route.get("receiver"), path.field("receiver"), POINT, found);
    one(route.get("receiverRef"), &path.field("receiverRef"), POINT, found);
    for (names, references) in [
        ("muteTimeIntervals", "muteTimeIntervalRefs"),
        ("activeTimeIntervals", "activeTimeIntervalRefs"),
    ] {
        for (i, entry) in items(route, names) {
            name(Some(entry), path.field(names).index(i), INTERVAL, found);
        }
        for (i, entry) in items(route, references) {
            one(Some(entry), &path.field(references).index(i), INTERVAL, found);
        }
    }
    for (i, below) in items(route, "routes") {
        of_route(below, &path.field("routes").index(i), found);
    }
}

fn of_rules(silence: &Value, path: &Path, found: &mut Vec<Reference>) {
    let Some(rules) = silence.get("alertRules") else {
        return;
    };
    for (i, entry) in items(rules, "names") {
        name(
            Some(entry),
            path.field("alertRules").field("names").index(i),
            RULE,
            found,
        );
    }
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = (usize, &'a Value)> + use<'a> {
    let list = value.get(field).and_then(Value::as_array);
    list.into_iter().flatten().enumerate()
}

fn name(value: Option<&Value>, path: Path, kind: &'static str, found: &mut Vec<Reference>) {
    if let Some(Value::String(name)) = value {
        found.push(Reference {
            path,
            kind,
            namespace: None,
            name: name.clone(),
        });
    }
}

/// A reference by name and namespace; one to what only Grafana knows is none.
fn one(value: Option<&Value>, path: &Path, kind: &'static str, found: &mut Vec<Reference>) {
    let text = |field: &str| value?.get(field)?.as_str().map(str::to_owned);
    if let Some(name) = text("name") {
        found.push(Reference {
            path: path.field("name"),
            kind,
            namespace: text("namespace"),
            name,
        });
    }
}
