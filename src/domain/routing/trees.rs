//! The policy trees that resources make in one Grafana.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{self, Names, claimant};
use crate::api::condition::Reason;
use crate::api::{ANNOTATION_SHARED_WITH, GrafanaInstanceSpec, NotificationPolicy};
use crate::domain::claims::Claimant;
use crate::domain::lint::object::{Object, Typed};
use crate::domain::notification::branches::{self, Branch};
use crate::domain::notification::interval::Interval;
use crate::domain::notification::receiver::Target;
use crate::domain::notification::{named, policy, settings, tree as marks};
use crate::domain::ownership::Owners;
use crate::domain::refusal::Refusal;
use crate::domain::tenancy::{self, Tenant};
use crate::domain::version::Version;
use crate::grafana::model::{self, Route, TreeName};

pub use super::names::path;

/// Namespace and name of a resource.
pub type Place = (String, String);

/// All resources, as one Grafana sees them.
pub struct World<'a> {
    pub(super) objects: Vec<&'a Object>,
    by_name: BTreeMap<(&'a str, &'a str, &'a str), &'a Object>,
    /// Of which kinds there are any in which namespaces: of the others nothing is known.
    known: BTreeSet<(&'a str, &'a str)>,
    pub(super) instance: &'a str,
    pub(super) spec: Option<&'a GrafanaInstanceSpec>,
    home: Option<&'a str>,
    names: Names,
    /// By which marks rules are told from each other. Nothing depends on who the operator is.
    pub owners: Owners,
}

/// One policy tree.
#[derive(Debug)]
pub struct Tree {
    /// Its name in Grafana.
    pub name: TreeName,
    /// The root that makes it.
    pub root: Place,
    /// The tree as Grafana holds it.
    pub route: Route,
}

/// A policy that is in no tree.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which one.
    pub policy: Place,
    /// Why.
    pub why: String,
}

impl<'a> World<'a> {
    /// The resources as this GrafanaInstance has them.
    pub fn new(objects: &'a [Object], instance: &'a str, owners: Owners) -> Self {
        let of_instance = objects.iter().find_map(|object| match &object.typed {
            Some(Typed::GrafanaInstance(found)) if object.name == instance => Some((object, &found.spec)),
            _ => None,
        });
        let place = |object: &&'a Object| {
            (
                object.kind.as_str(),
                object.namespace.as_str(),
                object.name.as_str(),
            )
        };
        let all: Vec<&Object> = objects.iter().collect();
        let mut world = Self {
            by_name: all.iter().map(|object| (place(object), *object)).collect(),
            known: all
                .iter()
                .map(|object| (object.kind.as_str(), object.namespace.as_str()))
                .collect(),
            objects: all,
            instance,
            spec: of_instance.map(|(_, spec)| spec),
            home: of_instance.map(|(object, _)| object.namespace.as_str()),
            names: Names::default(),
            owners,
        };
        world.names = Names::of(objects, instance, |namespace| world.admit(namespace).is_ok());
        world
    }

    /// Grafana's version, as far as its GrafanaInstance's status says it.
    pub fn version(&self) -> Option<Version> {
        self.objects.iter().find_map(|object| match &object.typed {
            Some(Typed::GrafanaInstance(found)) if object.name == self.instance => {
                Version::parse(found.status.as_ref()?.version.as_deref()?)
            }
            _ => None,
        })
    }

    /// Whether the Silences and branches of a namespace get alerts of others too.
    pub fn is_unrestricted(&self, namespace: &str) -> bool {
        match (self.spec, self.home) {
            (Some(spec), Some(home)) => tenancy::is_unrestricted(spec, namespace, home),
            // Which namespace the operator's own is, isn't known.
            _ => false,
        }
    }

    /// The pattern of the rules whose alerts a namespace's Silences and branches get; `None` for those of all.
    pub(super) fn tenant(&self, namespace: &str) -> Option<String> {
        (!self.is_unrestricted(namespace)).then(|| self.owners.namespace_pattern(namespace))
    }

    /// The resources of a kind that are for this Grafana.
    pub(super) fn here<K>(&self, kind: impl Fn(&'a Typed) -> Option<&'a K>) -> Vec<(&'a Object, &'a K)> {
        let here = self.objects.iter().copied();
        here.filter(|object| object.instances().contains(&self.instance))
            .filter_map(|object| Some((object, kind(object.typed.as_ref()?)?)))
            .collect()
    }

    /// The other Grafanas that roots of policy trees are for.
    pub(super) fn instances_with_trees(&self) -> Vec<&'a str> {
        let is_root = |object: &&&Object| match &object.typed {
            Some(Typed::NotificationPolicy(policy)) => policy.spec.parent_ref.is_none(),
            _ => false,
        };
        let roots = self.objects.iter().filter(is_root);
        let all: BTreeSet<&str> = roots.flat_map(|root| root.instances()).collect();
        all.into_iter().filter(|name| *name != self.instance).collect()
    }

    /// Finds what is referred to from a namespace; `None` where nothing is known of such resources.
    fn referred(
        &self,
        kind: &'static str,
        (namespace, name): (&str, &str),
        from: &str,
    ) -> Result<Option<&'a Object>, Refusal> {
        let Some(found) = self.by_name.get(&(kind, namespace, name)) else {
            if self.known.contains(&(kind, namespace)) {
                return Err(Refusal::missing(format!(
                    "{kind} {} is not there",
                    path(namespace, name)
                )));
            }
            return Ok(None);
        };
        let shared_with = found.annotation(ANNOTATION_SHARED_WITH);
        tenancy::refuse_unshared(kind, (namespace, name), from, shared_with)?;
        tenancy::refuse_other_instance(kind, (namespace, name), &found.instances(), self.instance)?;
        self.names.refuse_beaten(found)?;
        Ok(Some(found))
    }

    /// The name in Grafana of what a receiver refers to, for a resource of the namespace `from`.
    pub(super) fn point(&self, target: &Target, from: &str) -> Result<String, Refusal> {
        let (namespace, name) = match target {
            Target::Grafana { name } => return Ok(name.clone()),
            Target::ContactPoint { namespace, name } => (namespace.as_deref().unwrap_or(from), name),
        };
        let found = self.referred("ContactPoint", (namespace, name), from)?;
        Ok(match found.and_then(|found| found.typed.as_ref()) {
            Some(Typed::ContactPoint(point)) => names::of_point(&point.spec, name).to_owned(),
            _ => name.clone(),
        })
    }

    /// The name in Grafana of a policy tree that a rule of the namespace `from` refers to.
    pub(super) fn named_tree(&self, tree: &settings::Tree, from: &str) -> Result<String, Refusal> {
        let (namespace, name) = match tree {
            settings::Tree::Grafana { name } => return Ok(name.clone()),
            settings::Tree::Policy { namespace, name } => (namespace.as_deref().unwrap_or(from), name),
        };
        let found = self.referred("NotificationPolicy", (namespace, name), from)?;
        match found.and_then(|found| found.typed.as_ref()) {
            Some(Typed::NotificationPolicy(policy)) => policy.spec.tree.clone().ok_or_else(|| {
                let path = path(namespace, name);
                let message = format!("NotificationPolicy {path} has no tree of its own");
                Refusal::new(Reason::Invalid, message)
            }),
            _ => Ok(name.clone()),
        }
    }

    /// The name in Grafana of a time interval that a resource of the namespace `from` refers to.
    pub(super) fn interval(&self, interval: &Interval, from: &str) -> Result<String, Refusal> {
        let (namespace, name) = match interval {
            Interval::Grafana { name } => return Ok(name.clone()),
            Interval::Resource { namespace, name } => (namespace.as_deref().unwrap_or(from), name),
        };
        let found = self.referred("TimeInterval", (namespace, name), from)?;
        Ok(match found.and_then(|found| found.typed.as_ref()) {
            Some(Typed::TimeInterval(interval)) => names::of_interval(&interval.spec, name).to_owned(),
            _ => name.clone(),
        })
    }

    /// The trees, the default one first, and the policies that are in none.
    pub fn trees(&self) -> (Vec<Tree>, Vec<LeftOut>) {
        let policies = self.here(|typed| match typed {
            Typed::NotificationPolicy(policy) => Some(&**policy),
            _ => None,
        });
        let (roots, branches): (Vec<_>, Vec<_>) = policies
            .into_iter()
            .partition(|(_, policy)| policy.spec.parent_ref.is_none());
        let mut left_out = Vec::new();
        let mut trees: BTreeMap<TreeName, ((bool, Claimant), Tree)> = BTreeMap::new();
        for (object, policy) in &roots {
            let name = policy.spec.tree.clone().map(TreeName).unwrap_or_default();
            // Who has the tree by its status keeps it, as the operator has it; else it is the oldest one's.
            let claimant = (!has_tree(policy, self.instance), claimant(object, self.instance));
            let tree = self.own(object, policy, &name, &branches, &mut left_out);
            match tree {
                Err(refusal) => left_out.push(LeftOut::new(object, refusal.message)),
                Ok(tree) => {
                    let (older, younger) = match trees.remove(&name) {
                        None => ((claimant, tree), None),
                        Some(other) if other.0 < claimant => (other, Some(tree)),
                        Some(other) => ((claimant, tree), Some(other.1)),
                    };
                    if let Some(younger) = younger {
                        let root = path(&older.1.root.0, &older.1.root.1);
                        left_out.push(LeftOut {
                            policy: younger.root,
                            why: format!(
                                "NotificationPolicy {root} has the same policy tree, or stands before it"
                            ),
                        });
                    }
                    trees.insert(name, older);
                }
            }
        }
        for (object, policy) in &branches {
            if let Err(refusal) = self.root_of(object, policy, &roots) {
                left_out.push(LeftOut::new(object, refusal.message));
            }
        }
        let mut trees: Vec<Tree> = trees.into_values().map(|(_, tree)| tree).collect();
        trees.sort_by_key(|tree| !tree.name.is_default());
        (trees, left_out)
    }

    /// The tree of one root, with its branches.
    fn own(
        &self,
        object: &Object,
        root: &NotificationPolicy,
        name: &TreeName,
        branches: &[(&'a Object, &'a NotificationPolicy)],
        left_out: &mut Vec<LeftOut>,
    ) -> Result<Tree, Refusal> {
        let namespace = object.namespace.as_str();
        self.admit(namespace)?;
        if let Some(spec) = self.spec
            && !tenancy::may_be_root(spec, namespace)
        {
            return Err(Refusal::missing(format!(
                "GrafanaInstance {} doesn't let namespace {namespace} hold a policy tree",
                self.instance
            )));
        }
        let own = policy::tree(
            &root.spec,
            |target| self.point(target, namespace),
            |interval| self.interval(interval, namespace),
        )?;
        let mut inside = Vec::new();
        for (branch, policy) in branches
            .iter()
            .filter(|(branch, policy)| is_below(branch, policy, object))
        {
            match self.branch(branch, policy, object) {
                Ok(branch) => inside.push(branch),
                Err(refusal) => left_out.push(LeftOut::new(branch, refusal.message)),
            }
        }
        let mark = self.owners.now().label(namespace, &object.name);
        Ok(Tree {
            name: name.clone(),
            root: (namespace.to_owned(), object.name.clone()),
            route: marks::marked(branches::assemble(own, inside), &mark),
        })
    }

    fn branch(&self, object: &Object, policy: &NotificationPolicy, root: &Object) -> Result<Branch, Refusal> {
        let namespace = object.namespace.as_str();
        self.may_join(object, root)?;
        self.admit(namespace)?;
        let route = policy::branch(
            &policy.spec,
            self.tenant(namespace).as_deref(),
            |target| self.point(target, namespace),
            |interval| self.interval(interval, namespace),
        )?;
        let mark = self.owners.now().label(namespace, &object.name);
        Ok(Branch {
            resource: (namespace.to_owned(), object.name.clone()),
            priority: policy.spec.priority.unwrap_or(0),
            route: branches::marked(route, &mark),
        })
    }

    /// Fails where the root of a branch isn't there, or is none.
    fn root_of(
        &self,
        object: &Object,
        policy: &NotificationPolicy,
        roots: &[(&'a Object, &'a NotificationPolicy)],
    ) -> Result<(), Refusal> {
        if roots.iter().any(|(root, _)| is_below(object, policy, root)) {
            return Ok(());
        }
        let Some(parent) = &policy.spec.parent_ref else {
            return Ok(());
        };
        let namespace = parent.namespace.as_deref().unwrap_or(&object.namespace);
        let Some(root) = self.by_name.get(&("NotificationPolicy", namespace, &parent.name)) else {
            return Err(Refusal::missing(format!(
                "spec.parentRef: NotificationPolicy {} is not there",
                path(namespace, &parent.name)
            )));
        };
        // It is a branch, or for another Grafana, which is why it isn't among the roots.
        self.may_join(object, root)
    }

    /// Fails where a policy can't be a branch of that one.
    fn may_join(&self, branch: &Object, root: &Object) -> Result<(), Refusal> {
        let parent = match &root.typed {
            Some(Typed::NotificationPolicy(root)) => root.spec.parent_ref.as_ref(),
            _ => None,
        };
        let parent = parent.map(|parent| {
            path(
                parent.namespace.as_deref().unwrap_or(&root.namespace),
                &parent.name,
            )
        });
        let instances: Vec<String> = root.instances().into_iter().map(str::to_owned).collect();
        let is_here = instances.iter().any(|instance| instance == self.instance);
        let other = instances.first().map_or("", String::as_str);
        branches::may_join(
            (&branch.namespace, self.instance),
            &branches::Root {
                place: (&root.namespace, &root.name),
                parent: parent.as_deref(),
                instance: if is_here { self.instance } else { other },
                instances: &instances,
                shared_with: root.annotation(ANNOTATION_SHARED_WITH),
                is_deleting: is_deleting(root),
            },
        )
    }

    /// Fails where a namespace may not use the instance. Where a selector chooses those, it can't be told, and all may.
    pub fn admit(&self, namespace: &str) -> Result<(), Refusal> {
        let Some(spec) = self.spec else { return Ok(()) };
        let is_open = tenancy::selector(spec).is_some();
        let tenant = Tenant {
            name: namespace,
            labels: None,
        };
        if is_open || tenancy::may_use(spec, tenant) {
            return Ok(());
        }
        Err(Refusal::missing(format!(
            "GrafanaInstance {} doesn't let namespace {namespace} use it",
            self.instance
        )))
    }

    /// Every time interval that there is, by its name in Grafana.
    pub fn intervals(&self) -> BTreeMap<String, model::TimeInterval> {
        let all = self.here(|typed| match typed {
            Typed::TimeInterval(interval) => Some(&**interval),
            _ => None,
        });
        all.into_iter()
            .filter(|(object, _)| self.names.holder(object).is_none())
            .map(|(object, interval)| {
                let name = names::of_interval(&interval.spec, &object.name);
                (name.to_owned(), named::time_interval(&interval.spec, name))
            })
            .collect()
    }
}

impl LeftOut {
    fn new(object: &Object, why: String) -> Self {
        Self {
            policy: (object.namespace.clone(), object.name.clone()),
            why,
        }
    }
}

fn is_deleting(object: &Object) -> bool {
    object.value.pointer("/metadata/deletionTimestamp").is_some()
}

/// Whether the operator has told of a root that its tree is in this Grafana.
fn has_tree(policy: &NotificationPolicy, instance: &str) -> bool {
    let Some(status) = &policy.status else {
        return false;
    };
    let here = match status.instances.as_slice() {
        [] => Some(status),
        places => places
            .iter()
            .find(|at| at.instance == instance)
            .map(|at| &at.status),
    };
    here.is_some_and(|status| status.routes.is_some() && status.root.is_none())
}

/// Whether a branch names this root.
fn is_below(branch: &Object, policy: &NotificationPolicy, root: &Object) -> bool {
    policy.spec.parent_ref.as_ref().is_some_and(|parent| {
        let namespace = parent.namespace.as_deref().unwrap_or(&branch.namespace);
        (namespace, parent.name.as_str()) == (root.namespace.as_str(), root.name.as_str())
    })
}
