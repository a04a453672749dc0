//! A policy tree out of its root and its branches.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::tree::{MARK, changed};
use crate::domain::changed::drift::DELETED;
use crate::domain::refusal::Refusal;
use crate::domain::tenancy;
use crate::grafana::digest::RouteDigest;
use crate::grafana::model::Route;

/// The resource that a branch is made from, as namespace and name.
pub type Resource = (String, String);

/// A branch that is to be in a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// Its resource.
    pub resource: Resource,
    /// Those with a higher one stand before those with a lower one.
    pub priority: i32,
    /// What it adds to the tree, with its mark.
    pub route: Route,
}

/// The root that a branch names.
#[derive(Debug)]
pub struct Root<'a> {
    /// Its namespace and name.
    pub place: (&'a str, &'a str),
    /// The root that it names itself, which none does.
    pub parent: Option<&'a str>,
    /// The GrafanaInstance that it is looked at for.
    pub instance: &'a str,
    /// All that it is for.
    pub instances: &'a [String],
    /// The namespaces that its owner shares it with.
    pub shared_with: Option<&'a str>,
    /// Whether it is being deleted.
    pub is_deleting: bool,
}

/// Fails where a policy of this namespace and for this GrafanaInstance can't be a branch of that root, whatever it says.
pub fn may_join((namespace, instance): (&str, &str), root: &Root<'_>) -> Result<(), Refusal> {
    let path = || format!("{}/{}", root.place.0, root.place.1);
    if let Some(own) = root.parent {
        return Err(Refusal::invalid(
            "spec.parentRef",
            format!(
                "NotificationPolicy {} is a branch itself; name the root of its tree, which may be {own}",
                path()
            ),
        ));
    }
    if root.instance != instance {
        return Err(Refusal::invalid(
            "spec.parentRef",
            format!(
                "NotificationPolicy {} is for GrafanaInstance {}, this one for {instance}",
                path(),
                root.instances.join(", ")
            ),
        ));
    }
    tenancy::refuse_unshared("NotificationPolicy", root.place, namespace, root.shared_with)
        .map_err(|refusal| refusal.at("spec.parentRef: "))?;
    if root.is_deleting {
        return Err(Refusal::missing(format!(
            "spec.parentRef: NotificationPolicy {} is being deleted",
            path()
        )));
    }
    Ok(())
}

/// The tree with its branches, which stand before the root's own routes: by priority, the highest first, then by namespace and name. So the
/// same branches make the same tree, whichever came first.
pub fn assemble(root: Route, mut branches: Vec<Branch>) -> Route {
    branches.sort_by(|a, b| {
        let place = |branch: &Branch| (Reverse(branch.priority), branch.resource.clone());
        place(a).cmp(&place(b))
    });
    let branches = branches.into_iter().map(|branch| branch.route);
    Route {
        routes: branches.chain(root.routes).collect(),
        ..root
    }
}

/// The route of a branch with a mark that says whose it is: `ownerID/namespace/name`. It asks that a label is not so which no alert has, so it
/// matches all that the route matches without it.
pub fn marked(mut route: Route, whose: &str) -> Route {
    route
        .object_matchers
        .push((MARK.to_owned(), "!=".to_owned(), whose.to_owned()));
    route
}

/// Whose a branch of a tree is by its mark; `None` for the mark of the tree itself, and for all that is no branch.
pub fn mark(route: &Route) -> Option<&str> {
    let mut marks = route.object_matchers.iter().filter(|(label, _, _)| label == MARK);
    match (marks.next(), marks.next()) {
        (Some((_, operator, whose)), None) if operator == "!=" => Some(whose),
        _ => None,
    }
}

/// Where a branch stands in a tree, and what it says there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its place among the branches, from 1.
    pub position: usize,
    /// What it does.
    pub digest: RouteDigest,
}

/// The branches of a tree, by their marks. Of two with one mark, as people may copy them, the first counts.
pub fn standings(tree: &Route) -> BTreeMap<&str, Standing> {
    let mut all = BTreeMap::new();
    let marked = tree.routes.iter().filter_map(|route| Some((mark(route)?, route)));
    for (at, (whose, route)) in marked.enumerate() {
        all.entry(whose).or_insert_with(|| Standing {
            position: at + 1,
            digest: digest(route),
        });
    }
    all
}

/// What a branch does, wished or found.
pub fn digest(route: &Route) -> RouteDigest {
    RouteDigest::of(route)
}

/// The route of the branch with this mark.
pub fn find<'a>(tree: &'a Route, whose: &str) -> Option<&'a Route> {
    tree.routes.iter().find(|route| mark(route) == Some(whose))
}

/// What somebody has changed of a branch that was stored as it is wished.
pub fn drift(wish: &Route, found: Option<&Route>) -> Vec<String> {
    found.map_or_else(|| vec![DELETED.to_owned()], |found| changed(wish, found))
}

#[cfg(test)]
#[path = "branches_tests.rs"]
mod tests;
