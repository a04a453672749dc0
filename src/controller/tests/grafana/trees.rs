//! Its policy tree, which has a revision where it is told to have one.

use super::{Double, Held, refusal};
use crate::grafana::Result;
use crate::grafana::api::notifications::Trees;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::model::{Found, Revision, Route, TreeName};

impl Held {
    /// What a read of the tree finds.
    pub(super) fn tree(&self) -> Option<Found<Route>> {
        Some(Found {
            object: self.policy.clone()?,
            provenance: self.policy_by.clone(),
            revision: self.revision(),
        })
    }

    fn revision(&self) -> Option<Revision> {
        let content = || format!("{:?} {:?}", self.policy, self.policy_by);
        self.has_revisions.then(|| Revision(content()))
    }

    /// What a read of a tree beside it finds.
    fn other_tree(&self, name: &TreeName) -> Option<Found<Route>> {
        let root = self.other_trees.get(&name.0)?;
        let by = self.other_trees_by.get(&name.0);
        Some(Found {
            object: root.clone(),
            provenance: by.cloned(),
            revision: Some(Revision(format!("{root:?} {by:?}"))),
        })
    }

    /// What a read of the tree of this name finds.
    fn tree_of(&self, name: &TreeName) -> Option<Found<Route>> {
        if name.is_default() {
            self.tree()
        } else {
            self.other_tree(name)
        }
    }

    /// Whether a write in this state comes too late: of the default tree where it has revisions, and of any other.
    fn is_changed(&self, name: &TreeName, found: Option<&Revision>) -> Result<()> {
        let stored = self.tree_of(name);
        let revision = stored.as_ref().and_then(|stored| stored.revision.as_ref());
        let has_any = revision.is_some() || !name.is_default();
        if has_any && (stored.is_some() || !name.is_default()) && revision != found {
            return Err(refusal("policy.put", 409, "does not match current version"));
        }
        Ok(())
    }
}

fn groups_by(route: &Route, label: &str) -> bool {
    route.group_by.iter().any(|own| own == label) || route.routes.iter().any(|route| groups_by(route, label))
}

impl Trees for Double {
    fn knows_names(&self) -> bool {
        self.hold(|held| !held.hides_trees)
    }

    fn list(&self) -> Answer<'_, Listed<(TreeName, Found<Route>)>> {
        self.call("policy.get", |held| {
            let own = held.tree().map(|tree| (TreeName::default(), tree));
            let others = held.other_trees.keys().filter(|_| !held.hides_trees);
            let others = others.filter_map(|name| {
                let name = TreeName(name.clone());
                let tree = held.other_tree(&name)?;
                Some((name, tree))
            });
            let all = own.into_iter().chain(others).collect();
            Ok(held.telling.trees.listed(all))
        })
    }
    fn get<'a>(&'a self, name: &'a TreeName) -> Answer<'a, Option<Found<Route>>> {
        let name = name.clone();
        self.call("policy.get", move |held| Ok(held.tree_of(&name)))
    }
    fn put<'a>(
        &'a self,
        name: &'a TreeName,
        root: &'a Route,
        found: Option<&'a Revision>,
        provenance: Provenance,
    ) -> Answer<'a, Option<Revision>> {
        let (name, root, found) = (name.clone(), root.clone(), found.cloned());
        self.call("policy.put", move |held| {
            held.is_changed(&name, found.as_ref())?;
            if held.ungroupable.is_some_and(|label| groups_by(&root, label)) {
                return Err(refusal("policy.put", 400, "invalid label name"));
            }
            let by = provenance.name().map(str::to_owned);
            if name.is_default() {
                held.policy = Some(root);
                held.policy_by = by;
                return Ok(held.revision());
            }
            held.other_trees.insert(name.0.clone(), root);
            match by {
                Some(by) => held.other_trees_by.insert(name.0.clone(), by),
                None => held.other_trees_by.remove(&name.0),
            };
            Ok(held.other_tree(&name).and_then(|tree| tree.revision))
        })
    }
    fn remove<'a>(&'a self, name: &'a TreeName, found: Option<&'a Revision>) -> Answer<'a, ()> {
        let (name, found) = (name.clone(), found.cloned());
        self.call("policy.reset", move |held| {
            if found.is_some() {
                held.is_changed(&name, found.as_ref())?;
            }
            if !name.is_default() {
                held.other_trees.remove(&name.0);
                held.other_trees_by.remove(&name.0);
                return Ok(());
            }
            held.policy = Some(Route {
                receiver: Some("grafana-default-email".to_owned()),
                ..Route::default()
            });
            held.policy_by = None;
            Ok(())
        })
    }
}
