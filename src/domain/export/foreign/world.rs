//! What was read, as if one Grafana held it, and the resources that an export would make of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::contact_point;
use super::super::export;
use super::super::held::{self, Holdings};
use super::super::policy;
use super::super::resource::{Kind, Resource, Spec};
use super::asked::{Asked, Import, Made};
use crate::api::reference::SecretKeyRef;
use crate::domain::lint::schema::Schemas;
use crate::domain::ownership::{Owner, Owners};
use crate::grafana::model::{AlertRule, ContactPoint, Found, Integration, Route, TreeName};

/// Whose resources they are; nothing that is written says it.
const NOBODY: &str = "import";

/// The longest name of a tree.
const LONGEST_TREE: usize = 40;

/// What the tree is called that isn't a branch.
const DEFAULT_TREE: &str = "root";

/// What is known of something that mustn't be in a resource.
#[derive(Clone)]
pub(super) enum Hidden {
    /// It was read.
    Value(String),
    /// It is somewhere else.
    Nowhere,
    /// A Secret holds it already.
    Reference(SecretKeyRef),
}

/// What is known of an object beside what a Grafana would hold.
#[derive(Debug, Default, Clone)]
pub(super) struct About {
    /// What it is called where it was read.
    pub(super) source: String,
    /// What of it no resource says.
    pub(super) lost: Vec<String>,
    /// What else there is to say.
    pub(super) remarks: Vec<String>,
    /// Whether it is for the alerts of its own namespace alone, as resources are.
    pub(super) is_of_namespace: bool,
    /// The namespace that it is of, where it is of one.
    pub(super) namespace: Option<String>,
    /// The namespace of the Secrets that it refers to, where the resource isn't left there by itself.
    pub(super) secrets_in: Option<String>,
    /// Of a rule: whether people may change it in Grafana.
    pub(super) is_editable: bool,
    /// Of a policy tree: of which it is to be a branch, as a resource says it.
    pub(super) branch: Option<Value>,
}

/// All that was read.
#[derive(Default)]
pub(super) struct World {
    pub(super) held: Holdings,
    about: BTreeMap<(Kind, String), About>,
    hidden: BTreeMap<(String, String), Hidden>,
    /// Uids of rules that have none.
    nameless: BTreeSet<String>,
    /// The namespace that all is of which is noted now.
    namespace: Option<String>,
    /// Contact points that were there, and aren't carried over.
    missing: BTreeSet<String>,
    /// The resources of time intervals, by what these are called.
    intervals: BTreeMap<String, String>,
    /// The resource of the default tree.
    root: Option<String>,
    /// The organisation that all is of which is noted now, where there are others.
    organisation: Option<String>,
}

impl World {
    /// Notes what is known of an object; fails where another one is called the same.
    pub(super) fn note(&mut self, kind: Kind, called: &str, mut about: About) -> Result<(), String> {
        let key = (kind, called.to_owned());
        if self.about.contains_key(&key) {
            let own = self.organisation.as_ref();
            let own = own.map_or_else(String::new, |own| format!("; this one is of orgId {own}"));
            return Err(format!("another {kind} is called {called:?} already{own}"));
        }
        if let Some(own) = &self.organisation {
            about.lost.push(format!(
                "orgId {own}: no resource says of which organisation it is"
            ));
        }
        about.namespace.clone_from(&self.namespace);
        self.about.insert(key, about);
        Ok(())
    }

    /// Says of which namespace all is that is noted from now on.
    pub(super) fn enter(&mut self, namespace: Option<String>) {
        self.namespace = namespace;
    }

    /// Says of which organisation all is that is noted from now on, where there are others.
    pub(super) fn enter_organisation(&mut self, organisation: Option<String>) {
        self.organisation = organisation;
    }

    /// Remembers a contact point that can't be carried over.
    pub(super) fn miss(&mut self, called: &str) {
        self.missing.insert(called.to_owned());
    }

    /// Takes a contact point, unless another one is called the same.
    pub(super) fn contact_point(
        &mut self,
        called: &str,
        integrations: Vec<Integration>,
        about: About,
    ) -> Result<(), String> {
        self.note(Kind::ContactPoint, called, about)?;
        self.held.contact_points.push(found(ContactPoint {
            name: called.to_owned(),
            integrations,
        }));
        Ok(())
    }

    /// Whether an object is called so already.
    pub(super) fn has(&self, kind: Kind, called: &str) -> bool {
        self.about.contains_key(&(kind, called.to_owned()))
    }

    /// Takes a rule, unless another one has its uid. One that has none gets that of its resource.
    pub(super) fn rule(&mut self, mut rule: AlertRule, about: About) -> Result<(), String> {
        if rule.uid.is_empty() {
            rule.uid = format!("import-{}", self.held.rules.len());
            self.nameless.insert(rule.uid.clone());
        }
        self.note(Kind::AlertRule, &rule.uid, about)?;
        self.held.rules.push(rule);
        Ok(())
    }

    /// Remembers what a setting of an integration holds that is hidden there.
    pub(super) fn hide(&mut self, uid: &str, field: &str, value: Hidden) {
        self.hidden.insert((uid.to_owned(), field.to_owned()), value);
    }

    /// A name for a tree that is to be a branch, which its resource gets: the one that is wished, or the first free one that begins like it.
    pub(super) fn branch(&self, wished: &str) -> TreeName {
        let short = |nth: String| {
            let begin: String = wished.chars().take(LONGEST_TREE - nth.len()).collect();
            format!("{}{nth}", begin.trim_end_matches(['-', '.']))
        };
        let mut called = short(String::new());
        let mut nth = 2;
        while self.has(Kind::NotificationPolicy, &called) || called == DEFAULT_TREE {
            called = short(format!("-{nth}"));
            nth += 1;
        }
        TreeName(called)
    }

    /// Takes a policy tree, unless another one is called the same.
    pub(super) fn tree(&mut self, called: TreeName, route: Route, about: About) -> Result<(), String> {
        self.note(Kind::NotificationPolicy, name_of(&called), about)?;
        // What a file says somebody has written, also where it is as plain as the tree that Grafana begins with.
        let written = Found {
            provenance: Some("file".to_owned()),
            ..found(route)
        };
        self.held.trees.push((called, written));
        Ok(())
    }

    /// The resources of all of it.
    pub(super) fn resources(mut self, asked: &Asked, schemas: &Schemas, import: &mut Import) {
        let Some(owner) = Owner::parse(NOBODY) else {
            return;
        };
        let wanted = held::Asked {
            namespace: asked.namespace.clone(),
            instance: asked.instance.clone(),
            secret: asked.secret.clone(),
            adopts: asked.adopts,
            prefix: asked.prefix.clone(),
            ..held::Asked::default()
        };
        // There are no silences, so it doesn't matter what time it is.
        let export = export(
            &self.held,
            &wanted,
            &Owners::new(owner, &[]),
            jiff::Timestamp::UNIX_EPOCH,
        );
        let intervals = export.resources.iter();
        let intervals = intervals.filter(|made| made.spec.kind() == Kind::TimeInterval);
        self.intervals = intervals
            .map(|made| (made.called.clone(), made.name.clone()))
            .collect();
        let mut policies = export.resources.iter();
        let root =
            policies.find(|made| made.spec.kind() == Kind::NotificationPolicy && made.called == DEFAULT_TREE);
        self.root = root.map(|made| made.name.clone());
        for left in export.left {
            if left.kind == Kind::ContactPoint {
                self.miss(&left.called);
            }
            let rule = self.held.rules.iter().find(|rule| rule.title == left.called);
            let called = match (left.kind, rule) {
                (Kind::AlertRule, Some(rule)) => &rule.uid,
                _ => &left.called,
            };
            let about = self.about(left.kind, called);
            import.leave(about.source, left.why);
        }
        for resource in export.resources {
            let called = match &resource.spec {
                Spec::AlertRule(spec) => spec.uid.as_ref().unwrap_or(&resource.called),
                _ => &resource.called,
            };
            let about = self.about(resource.spec.kind(), called);
            let source = about.source.clone();
            let point = (resource.spec.kind() == Kind::ContactPoint).then(|| resource.called.clone());
            match self.finished(resource, about, asked, import).checked(schemas) {
                Ok(resource) => import.made.push(Made { source, resource }),
                Err(why) => {
                    import.leave(source, why);
                    // Contact points are the first, and policies are told.
                    self.missing.extend(point);
                }
            }
        }
    }

    fn about(&self, kind: Kind, called: &str) -> About {
        let about = self.about.get(&(kind, called.to_owned()));
        about.cloned().unwrap_or_else(|| About {
            source: called.to_owned(),
            ..About::default()
        })
    }

    fn finished(&self, mut resource: Resource, about: About, asked: &Asked, import: &mut Import) -> Resource {
        resource.lost.extend(about.lost);
        if about.is_of_namespace {
            // What an export says of alerts of every namespace.
            resource.remarks.clear();
        }
        resource.remarks.extend(about.remarks);
        // There is nothing in Grafana that a first pass could change.
        resource.changes = Vec::new();
        let mut refers = BTreeSet::new();
        if let Spec::ContactPoint(spec) = &resource.spec {
            let mut spec = serde_json::to_value(spec).unwrap_or_default();
            let own = self.held.contact_points.iter().map(|found| &found.object);
            let own = own.filter(|point| point.name == resource.called);
            for (uid, field, key) in own.flat_map(|point| contact_point::keys(point, &resource.name)) {
                let reference = SecretKeyRef {
                    name: asked.secret.clone(),
                    key,
                };
                match self.hidden.get(&(uid, field)) {
                    Some(Hidden::Value(value)) => {
                        import.values.insert(reference, value.clone());
                    }
                    Some(Hidden::Reference(there)) => {
                        refers.insert(there.name.clone());
                        resource.secrets.retain(|own| *own != reference);
                        refer(&mut spec, &reference, there);
                    }
                    Some(Hidden::Nowhere) | None => {}
                }
            }
            resource.form = contact_point::to_fill_in(&resource.form, resource.secrets.len());
            if let Ok(spec) = serde_json::from_value(spec) {
                resource.spec = Spec::ContactPoint(spec);
            }
        }
        if let Spec::AlertRule(spec) = &mut resource.spec {
            spec.uid = spec.uid.take().filter(|uid| !self.nameless.contains(uid));
            spec.editable = about.is_editable.then_some(true);
        }
        if resource.spec.kind() == Kind::NotificationPolicy {
            self.finish_policy(&mut resource, about.branch);
        }
        if let Some(own) = about.namespace {
            settle(&mut resource, own, !refers.is_empty());
        } else if let (Some(own), false) = (about.secrets_in, refers.is_empty()) {
            stay_with(&mut resource, &own, &refers);
        }
        resource
    }

    /// What of a policy an export doesn't know: that it may be a branch, and what its routes name in vain.
    fn finish_policy(&self, resource: &mut Resource, branch: Option<Value>) {
        let mut trees = self.held.trees.iter();
        let Some((_, found)) = trees.find(|(tree, _)| name_of(tree) == resource.called) else {
            return;
        };
        let mut named = BTreeSet::new();
        receivers(&found.object, &mut named);
        for name in named.intersection(&self.missing) {
            resource.lost.push(format!(
                "routes name receiver {name}, which isn't carried over: the policy isn't written until a contact point {name} is there"
            ));
        }
        let (Spec::NotificationPolicy(spec), Some(Value::Object(mut branch))) = (&resource.spec, branch)
        else {
            return;
        };
        if branch.get("parentRef").is_some_and(Value::is_null) {
            // The root that is imported with it is where the branch is.
            let name = self.root.as_deref().unwrap_or(DEFAULT_TREE);
            branch.insert("parentRef".to_owned(), json!({"name": name}));
        }
        let mut spec = serde_json::to_value(spec).unwrap_or_default();
        if let Some(fields) = spec.as_object_mut() {
            fields.remove("tree");
            for (field, called) in [
                ("muteTimeInterval", &found.object.mute_time_intervals),
                ("activeTimeInterval", &found.object.active_time_intervals),
            ] {
                let read: Vec<&String> = called
                    .iter()
                    .filter_map(|called| self.intervals.get(called))
                    .collect();
                let others = called
                    .iter()
                    .filter(|called| !self.intervals.contains_key(*called));
                let others: Vec<Value> = others.map(|called| json!({"grafanaName": called})).collect();
                for (field, value) in [
                    (format!("{field}s"), json!(read)),
                    (format!("{field}Refs"), json!(others)),
                ] {
                    if value != json!([]) {
                        fields.insert(field, value);
                    }
                }
            }
            // An export leaves out what a root groups by anyway; a branch without groupBy groups as its root.
            if !found.object.group_by.is_empty() {
                fields.insert("groupBy".to_owned(), found.object.group_by.clone().into());
            }
            fields.extend(branch);
        }
        resource.lost.retain(|lost| lost != policy::UNGROUPED);
        if let Ok(spec) = serde_json::from_value(spec) {
            resource.spec = Spec::NotificationPolicy(spec);
        }
    }
}

/// Leaves a resource in its own namespace, unless another one is asked for; then what that changes is told. `refers` is whether it refers to Secrets that are there.
fn settle(resource: &mut Resource, own: String, refers: bool) {
    let Some(other) = resource.namespace.as_ref().filter(|asked| **asked != own) else {
        resource.namespace = Some(own);
        return;
    };
    let why = match resource.spec.kind() {
        Kind::NotificationPolicy | Kind::InhibitionRule => {
            format!("it was for the alerts of namespace {own}, and is for those of {other} here")
        }
        Kind::ContactPoint if refers => {
            format!("it has the Secrets of namespace {own}: they must be in {other} too")
        }
        _ => return,
    };
    resource.lost.push(why);
}

/// A resource can refer to Secrets of its own namespace alone, and these are of another one, or of none that is known here.
fn stay_with(resource: &mut Resource, own: &str, secrets: &BTreeSet<String>) {
    let names: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let names = names.join(", ");
    match resource.namespace.as_deref() {
        Some(there) if there == own => {}
        Some(other) => resource.lost.push(format!(
            "it has the Secrets of namespace {own}: copy {names} into {other}"
        )),
        None => resource.remarks.push(format!(
            "It refers to Secrets of namespace {own}: apply it there, or copy {names} to where it is"
        )),
    }
}

/// All receivers that a route and those below it name.
fn receivers(route: &Route, named: &mut BTreeSet<String>) {
    named.extend(route.receiver.clone());
    for below in &route.routes {
        receivers(below, named);
    }
}

/// What an export calls a tree.
fn name_of(tree: &TreeName) -> &str {
    if tree.is_default() { DEFAULT_TREE } else { &tree.0 }
}

/// Something that Grafana would hold.
pub(super) fn found<T>(object: T) -> Found<T> {
    Found {
        object,
        provenance: None,
        revision: None,
    }
}

/// Puts another reference to a Secret in the place of one.
fn refer(value: &mut Value, from: &SecretKeyRef, to: &SecretKeyRef) {
    match value {
        Value::Object(fields) => {
            let is = |field: &str, text: &str| fields.get(field).and_then(Value::as_str) == Some(text);
            if fields.len() == 2 && is("name", &from.name) && is("key", &from.key) {
                fields.insert("name".to_owned(), to.name.clone().into());
                fields.insert("key".to_owned(), to.key.clone().into());
                return;
            }
            fields.values_mut().for_each(|value| refer(value, from, to));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| refer(value, from, to)),
        _ => {}
    }
}
