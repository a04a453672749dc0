//! The tree that a root writes: its own part, and its branches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use kube::runtime::reflector::ObjectRef;

use super::branch::{self, Outlook, outlook, refused_as};
use crate::api::NotificationPolicy;
use crate::api::condition::{self, Reason};
use crate::controller::connection::Instance;
use crate::controller::context::Context;
use crate::controller::engine::by::{By, Named, named};
use crate::controller::engine::claim::Key;
use crate::controller::engine::failure::Failure;
use crate::controller::engine::managed::Managed;
use crate::controller::notification::tree::{self, Brought, Writer};
use crate::domain::notification::branches::{self, Branch, Standing};
use crate::domain::notification::tree as marks;
use crate::grafana::mirror::Lookup;
use crate::grafana::model::{Route, TreeName};

/// Most branches that are named in the status of their root.
const NAMED: usize = 3;

/// A tree with its branches.
pub(super) struct Tree {
    /// The root's own part.
    own: Route,
    /// Its name.
    name: TreeName,
    /// Its mark.
    mark: String,
    branches: Vec<Branch>,
    /// Which ones are left out, and why.
    left_out: Vec<(Named, Reason)>,
}

impl Tree {
    /// The tree as Grafana should hold it, mark included.
    pub(super) fn route(&self) -> Route {
        marks::marked(
            branches::assemble(self.own.clone(), self.branches.clone()),
            &self.mark,
        )
    }

    /// The same without branches that are to be tried again: those whose own status says that Grafana has refused them as they are.
    pub(super) fn without_refused(&self, context: &Context) -> Route {
        let was_refused = |branch: &&Branch| {
            let (namespace, name) = &branch.resource;
            let policy = context
                .stores
                .policies
                .get(&ObjectRef::new(name).within(namespace));
            policy.is_some_and(|policy| {
                let status = policy.status.as_ref();
                let ready = status.and_then(|status| condition::ready(&status.conditions));
                ready.is_some_and(|ready| {
                    ready.reason == Reason::Invalid.as_str()
                        && ready.observed_generation == policy.metadata.generation
                })
            })
        };
        let branches = self.branches.iter().filter(|branch| !was_refused(branch));
        let branches = branches.cloned().collect();
        marks::marked(branches::assemble(self.own.clone(), branches), &self.mark)
    }

    /// How many branches are in it.
    pub(super) fn count(&self) -> usize {
        self.branches.len()
    }

    /// What the owner of the root should know of branches that are left out.
    pub(super) fn warning(&self) -> Option<String> {
        let mut all: Vec<_> = self
            .left_out
            .iter()
            .map(|(branch, reason)| format!("{} ({reason})", branch.path()))
            .collect();
        all.sort();
        let count = all.len();
        let more = count.saturating_sub(NAMED);
        all.truncate(NAMED);
        let others = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        (count > 0).then(|| {
            format!(
                "branches are left out, whose own status says why: {}{others}",
                all.join(", ")
            )
        })
    }

    /// Takes out the branches that Grafana doesn't have like this.
    fn take_news(&mut self, instance: &Instance) -> Vec<Branch> {
        let there: BTreeMap<_, _> = in_grafana(&self.name, &self.mark, instance).into_iter().collect();
        let is_there = |branch: &Branch| {
            let found = there.get(&branch.resource);
            found.is_some_and(|found| branches::digest(found) == branches::digest(&branch.route))
        };
        let all = std::mem::take(&mut self.branches).into_iter();
        let (known, news) = all.partition(is_there);
        self.branches = known;
        news
    }
}

/// Writes a tree. If Grafana refuses it, the branches that are new to it are tried one by one, and those that it refuses are left out: none of
/// them is in the way of the others. What was refused isn't tried again for a while.
pub(super) async fn bring(
    root: &NotificationPolicy,
    tree: &mut Tree,
    instance: &Arc<Instance>,
    context: &Context,
) -> Result<Brought, Failure> {
    let refusal = match write(root, tree, instance, context).await {
        Err(failure) if is_refused(&failure) => failure,
        result => return result,
    };
    let news = tree.take_news(instance);
    if news.is_empty() {
        return Err(refusal);
    }
    let mut brought = match write(root, tree, instance, context).await {
        // It isn't for the branches, or not for them alone.
        Err(failure) if is_refused(&failure) => return Err(failure),
        result => result?,
    };
    for branch in news {
        let (namespace, name) = branch.resource.clone();
        let subject = refused_as(&named(&namespace, &name));
        let Ok(attempt) = instance.refused.attempt(subject, &branch.route, Instant::now()) else {
            continue;
        };
        tree.branches.push(branch);
        let written = write(root, tree, instance, context).await;
        match attempt.ended(written, Instant::now()) {
            Ok(more) => {
                brought.is_written |= more.is_written;
                brought.is_taken_over |= more.is_taken_over;
            }
            Err(failure) if is_refused(&failure) => {
                tree.branches.pop();
                tree.left_out.push((named(&namespace, &name), Reason::Invalid));
                context.triggers.policies.one(&namespace, &name);
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(brought)
}

/// Whether Grafana has refused what was sent for what it says.
fn is_refused(failure: &Failure) -> bool {
    failure.reason == Some(Reason::Invalid) && failure.refused_for().is_some()
}

async fn write(
    root: &NotificationPolicy,
    tree: &Tree,
    instance: &Arc<Instance>,
    context: &Context,
) -> Result<Brought, Failure> {
    tree::bring(
        instance,
        &tree.name,
        &tree.route(),
        |mark| writer(mark, root, context, instance),
        instance.adoption(root),
        &instance.how_to_adopt(root.ns()),
    )
    .await
}

/// Puts the branches of a root before its own routes. One that can't be there is left out, and hurts no other.
pub(super) async fn assemble(
    root: &NotificationPolicy,
    own: Route,
    instance: &Arc<Instance>,
    context: &Context,
) -> Result<Tree, Failure> {
    let (name, mark) = (root.tree(), branch::mark(root, instance));
    let all = context
        .stores
        .policies
        .by(&By::Branch(named(root.ns(), root.id())));
    let sees_all = context.unwatched.sees_all(NotificationPolicy::KIND);
    let mut wished = BTreeMap::new();
    let mut kept = BTreeMap::new();
    let mut left_out = Vec::new();
    for branch in all.iter().filter(|branch| !branch.is_deleting()) {
        if is_of_another(branch, root, context) {
            continue;
        }
        let resource = (branch.ns().to_owned(), branch.id().to_owned());
        let priority = branch.spec.priority.unwrap_or(0);
        match outlook(branch, root, context, instance) {
            Outlook::In(route) => {
                let branch = Branch {
                    resource,
                    priority,
                    route: *route,
                };
                wished.insert(branch.resource.clone(), branch);
            }
            // Where that can't be read it stands where it stands.
            Outlook::AsItIs if branch.is_unread_in("priority") => {}
            Outlook::AsItIs => {
                kept.insert(resource, priority);
            }
            Outlook::Out(failure) => {
                let reason = failure.reason.unwrap_or(Reason::Invalid);
                left_out.push((named(branch.ns(), branch.id()), reason));
            }
        }
    }
    // Whose root, or place, can't be read is among none of its branches.
    let is_unread = |(namespace, name): &branches::Resource| {
        let place = ObjectRef::new(name).within(namespace);
        let branch = context.stores.policies.get(&place);
        branch.is_some_and(|branch| branch.is_unread_in("parentRef") || branch.is_unread_in("priority"))
    };
    let has_unread = context.stores.policies.count(&By::Unread) > 0;
    if !kept.is_empty() || !sees_all || has_unread {
        // A write of the tree may have ended without an answer.
        let is_unknown = instance.mirror.read(|held| held.trees.lookup(&name).is_unknown());
        if is_unknown {
            let _turn = instance.rights.notifications.lock().await;
            tree::know(instance, &name).await?;
        }
        let mut last = i32::MAX;
        for (resource, route) in in_grafana(&name, &mark, instance) {
            if let Some(branch) = wished.get(&resource) {
                last = branch.priority;
                continue;
            }
            let (namespace, name) = &resource;
            let place = ObjectRef::new(name).within(namespace);
            // What can't be seen may be there all the same. Its priority is that of what it stands behind now.
            let is_unseen = !context.unwatched.sees(NotificationPolicy::KIND, namespace)
                && context.stores.policies.get(&place).is_none();
            let stays = is_unseen || is_unread(&resource);
            let priority = kept.get(&resource).copied().or(stays.then_some(last));
            if let Some(priority) = priority {
                last = priority;
                let branch = Branch {
                    resource,
                    priority,
                    route,
                };
                wished.insert(branch.resource.clone(), branch);
            }
        }
    }
    Ok(Tree {
        own,
        name,
        mark,
        branches: wished.into_values().collect(),
        left_out,
    })
}

/// Whether a branch stands in the root's tree of another Grafana, or what it is in this one does, where either is for several.
fn is_of_another(branch: &NotificationPolicy, root: &NotificationPolicy, context: &Context) -> bool {
    let is_for = |policy: &NotificationPolicy, instance: &str| {
        let place = ObjectRef::new(policy.id()).within(policy.ns());
        context.stores.policies.at(&place, instance).is_some()
    };
    branch.instance() != root.instance()
        && (is_for(branch, root.instance()) || is_for(root, branch.instance()))
}

/// Branches as Grafana has them, in order, if its tree of this name is the one with this mark.
fn in_grafana(name: &TreeName, root: &str, instance: &Instance) -> Vec<(branches::Resource, Route)> {
    instance.mirror.read(|held| {
        let found = held.trees.lookup(name).present();
        let tree = found.filter(|tree| marks::mark(&tree.object) == Some(root));
        let routes = tree.into_iter().flat_map(|tree| &tree.object.routes);
        let found = routes.filter_map(|route| {
            let (namespace, name) = instance.owners.resource(branches::mark(route)?)?;
            Some(((namespace.to_owned(), name.to_owned()), route.clone()))
        });
        found.collect()
    })
}

/// The branches that Grafana's tree of this name has, by their marks; `None` while nothing is known of it.
pub(super) fn known(name: &TreeName, instance: &Instance) -> Option<BTreeMap<String, Standing>> {
    instance.mirror.read(|held| match held.trees.lookup(name) {
        Lookup::Unknown => None,
        Lookup::Absent => Some(BTreeMap::new()),
        Lookup::Present(tree) => {
            let all = branches::standings(&tree.object).into_iter();
            Some(all.map(|(mark, standing)| (mark.to_owned(), standing)).collect())
        }
    })
}

/// Asks for a pass over each branch that stands in the tree now and not before, or otherwise, or no more.
pub(super) fn trigger_moved(
    root: &NotificationPolicy,
    before: Option<&BTreeMap<String, Standing>>,
    now: &Route,
    instance: &Instance,
    context: &Context,
) {
    let triggers = &context.triggers.policies;
    let Some(before) = before else {
        let all = By::Branch(named(root.ns(), root.id()));
        triggers.all_by(&context.stores.policies, &all);
        return;
    };
    let now = branches::standings(now);
    let trigger = |mark: &str| {
        if let Some((namespace, name)) = instance.owners.resource(mark) {
            triggers.one(namespace, name);
        }
    };
    for (mark, standing) in &now {
        if before.get(*mark) != Some(standing) {
            trigger(mark);
        }
    }
    for mark in before.keys().filter(|mark| !now.contains_key(mark.as_str())) {
        trigger(mark);
    }
}

/// Who writes a root's tree that carries this mark. It is the root's where the resource of the mark isn't there any more, goes, or doesn't ask for
/// the tree here any more. One that has the tree through another GrafanaInstance keeps it: their addresses or logins differ, so nothing else tells that
/// both are for one Grafana.
pub(super) fn writer(
    mark: &str,
    root: &NotificationPolicy,
    context: &Context,
    instance: &Instance,
) -> Writer {
    let name = root.tree();
    let Some((namespace, holder)) = instance.owners.resource(mark) else {
        return Writer::Nobody;
    };
    let is_own = (namespace, holder) == (root.ns(), root.id());
    let asks = |key: &Key| {
        let claims = &context.claims;
        claims.is_claimed_by::<NotificationPolicy>(key, namespace, holder)
    };
    let holder = ObjectRef::new(holder).within(namespace);
    let parts = context.stores.policies.parts(&holder);
    let place = |name: &str| context.claims.place(name);
    let is_here = |holder: &&Arc<NotificationPolicy>| place(holder.instance()) == place(instance.declared());
    match parts.iter().find(is_here).or(parts.first()) {
        None => Writer::Us,
        // What people have copied carries the mark too.
        Some(holder) if holder.tree() != name => Writer::Nobody,
        Some(holder) if is_here(&holder) => {
            let has_it = !is_own && !holder.is_deleting();
            if has_it && asks(&Key::Tree(place(&instance.name), name)) {
                Writer::Rival
            } else {
                Writer::Us
            }
        }
        Some(_) => Writer::Sibling,
    }
}
