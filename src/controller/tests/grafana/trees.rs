//! Its policy tree, which has a revision where it is told to have one.

use super::{Double, Held, refusal};
use crate::grafana::Result;
use crate::grafana::api::notifications::{TreeName, Trees};
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::model::{Found, Revision, Route};

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

    /// Whether a write in this state comes too late.
    fn is_changed(&self, found: Option<&Revision>) -> Result<()> {
        if self.has_revisions && self.policy.is_some() && self.revision().as_ref() != found {
            return Err(refusal("policy.put", 409, "does not match current version"));
        }
        Ok(())
    }
}

fn groups_by(route: &Route, label: &str) -> bool {
    route.group_by.iter().any(|own| own == label) || route.routes.iter().any(|route| groups_by(route, label))
}

impl Trees for Double {
    fn list(&self) -> Answer<'_, Listed<(TreeName, Found<Route>)>> {
        self.call("policy.get", |held| {
            let own = held.tree().map(|tree| (TreeName::default(), tree));
            let others = held.other_trees.iter().map(|(name, root)| {
                let tree = Found {
                    object: root.clone(),
                    provenance: None,
                    revision: None,
                };
                (TreeName(name.clone()), tree)
            });
            let all = own.into_iter().chain(others).collect();
            Ok(held.telling.trees.listed(all))
        })
    }
    fn get<'a>(&'a self, _: &'a TreeName) -> Answer<'a, Option<Found<Route>>> {
        self.call("policy.get", |held| Ok(held.tree()))
    }
    fn put<'a>(
        &'a self,
        name: &'a TreeName,
        root: &'a Route,
        found: Option<&'a Revision>,
        provenance: Provenance,
    ) -> Answer<'a, Option<Revision>> {
        assert!(name.is_default(), "{name:?} is somebody else's");
        let (root, found) = (root.clone(), found.cloned());
        self.call("policy.put", move |held| {
            held.is_changed(found.as_ref())?;
            if held.ungroupable.is_some_and(|label| groups_by(&root, label)) {
                return Err(refusal("policy.put", 400, "invalid label name"));
            }
            held.policy = Some(root);
            held.policy_by = provenance.name().map(str::to_owned);
            Ok(held.revision())
        })
    }
    fn remove<'a>(&'a self, name: &'a TreeName, found: Option<&'a Revision>) -> Answer<'a, ()> {
        assert!(name.is_default(), "{name:?} is somebody else's");
        let found = found.cloned();
        self.call("policy.reset", move |held| {
            if found.is_some() {
                held.is_changed(found.as_ref())?;
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
