//! Policy trees: `routingtrees` of `notifications.alerting.grafana.app`. The one that every organisation has is `user-defined`; others stand
//! beside it from 13.2 on, those of imported configurations among them, which nobody may write.

mod spec;

use std::sync::Arc;

use futures::FutureExt;

use super::Kind;
use super::object::{Metadata, Object};
use super::place::Place;
use crate::grafana::api::notifications;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::error::{Error, Result};
use crate::grafana::model::{Found, Revision, Route, TreeName};
use crate::grafana::presence;
use crate::grafana::transport::Transport;
use spec::{Spec, Unsayable};

/// As `kind` has it.
const KIND: &str = "RoutingTree";

/// Most trees that one page has. Up to 13.3 they come all at once.
const PAGE: usize = 500;

/// What Grafana means to call the default tree one day. It answers to both names already, and lists say one of them
/// (`pkg/services/ngalert/models`, of 2026).
const ALIAS: &str = "default";

/// The policy trees of an organisation.
pub(in crate::grafana) struct Trees(Place);

impl Trees {
    /// Where these are, in the versions of [`Receivers`](super::Receivers): all of them are one document.
    pub(in crate::grafana) const KIND: (&'static str, &'static str) =
        ("notifications.alerting.grafana.app", "routingtrees");

    /// Those of one namespace.
    pub(in crate::grafana) fn new(transport: Arc<Transport>, kind: Kind, namespace: String) -> Self {
        Self(Place {
            transport,
            kind,
            namespace,
        })
    }

    /// Which API this is.
    pub(in crate::grafana) fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// Whether this API has words for all that a tree says. What it has none for goes through the older one, which keeps it as it is.
    pub(in crate::grafana) fn can_say(root: &Route) -> bool {
        Spec::of(root).is_ok()
    }

    /// The same tree with its older matchers in this API's words.
    pub(in crate::grafana) fn in_own_words(root: &Route) -> Route {
        spec::in_own_words(root)
    }

    async fn all(&self) -> Result<Listed<(TreeName, Found<Route>)>> {
        let named = |tree: Object<Spec>| (TreeName(tree.metadata.name.clone()), found(tree));
        let all = self
            .0
            .listed(("policy.list", "policy.watch"), PAGE, named)
            .await?;
        if all.items.iter().any(|(name, _)| name.is_default()) {
            return Ok(all);
        }
        if all.items.iter().any(|(TreeName(name), _)| name == ALIAS) {
            let renamed = |(TreeName(name), tree)| (TreeName(own_name(name)), tree);
            return Ok(all.map(renamed, own_name));
        }
        // A list leaves out what the credentials may not see, and a watch too. Every organisation has this one, so the look says why.
        let own = TreeName::default();
        let tree = self.one(&own).await?;
        let mut all = all.items;
        all.extend(tree.map(|tree| (own, tree)));
        Ok(all.into())
    }

    async fn one(&self, name: &TreeName) -> Result<Option<Found<Route>>> {
        let tree = self.0.get_whole::<Spec>("policy.get", &name.0).await.map(found);
        if name.is_default() {
            // It is always there. Without it this API isn't, and says nothing of a tree that somebody may have made.
            return tree.map(Some);
        }
        presence::if_present(&self.0.transport, tree).await
    }

    async fn replace(
        &self,
        name: &TreeName,
        root: &Route,
        state: Option<&Revision>,
        provenance: Provenance,
    ) -> Result<Option<Revision>> {
        let metadata = Metadata {
            name: name.0.clone(),
            resource_version: state.map(|Revision(version)| version.clone()).unwrap_or_default(),
            ..Metadata::default()
        };
        let tree = Object {
            metadata: metadata.provided(provenance),
            spec: Spec::of(root).map_err(no_words)?,
        };
        // The default tree is always there, and without a version it is refused.
        let stored = if name.is_default() || state.is_some() {
            self.0.replace("policy.put", KIND, &name.0, &tree).await?
        } else {
            self.0.create("policy.put", KIND, &tree).await?
        };
        Ok(stored.metadata.revision())
    }
}

/// What a tree of this name is called here, where the default one has its other name.
fn own_name(name: String) -> String {
    if name == ALIAS {
        return TreeName::DEFAULT.to_owned();
    }
    name
}

fn found(tree: Object<Spec>) -> Found<Route> {
    let Found {
        object,
        provenance,
        revision,
    } = tree.found();
    Found {
        object: object.into(),
        provenance,
        revision,
    }
}

fn no_words(Unsayable(what): Unsayable) -> Error {
    Error::Configuration(format!("the API of routing trees has no words for {what}"))
}

impl notifications::Trees for Trees {
    fn knows_names(&self) -> bool {
        true
    }

    fn list(&self) -> Answer<'_, Listed<(TreeName, Found<Route>)>> {
        self.all().boxed()
    }

    fn get<'a>(&'a self, name: &'a TreeName) -> Answer<'a, Option<Found<Route>>> {
        self.one(name).boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a TreeName,
        root: &'a Route,
        found: Option<&'a Revision>,
        provenance: Provenance,
    ) -> Answer<'a, Option<Revision>> {
        self.replace(name, root, found, provenance).boxed()
    }

    fn remove<'a>(&'a self, name: &'a TreeName, found: Option<&'a Revision>) -> Answer<'a, ()> {
        let version = found.map(|Revision(version)| version.as_str());
        self.0.delete("policy.reset", &name.0, version).boxed()
    }
}

#[cfg(test)]
mod tests;
