//! The policy tree: `/api/v1/provisioning/policies`. There is one, and it has no revision.

use futures::FutureExt;
use http::Method;
use serde::Deserialize;

use super::Provisioning;
use crate::grafana::api::notifications::Trees;
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::error::{Error, Result};
use crate::grafana::model::{Found, Revision, Route, TreeName, outlasting};
use crate::grafana::transport::Call;

const POLICIES: &str = "api/v1/provisioning/policies";

/// The tree as it is read: the root says who provisioned it.
#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    provenance: Option<String>,
    #[serde(flatten)]
    route: Route,
}

impl From<Root> for Found<Route> {
    fn from(root: Root) -> Self {
        Self::of(root.route, root.provenance, None)
    }
}

impl Provisioning {
    async fn tree(&self) -> Result<Option<Found<Route>>> {
        let found = self
            .transport
            .fetch_whole::<Root>(Call::get("policy.get", POLICIES, &[]));
        let found = self.if_present(found.await).await?;
        Ok(found.map(Found::from))
    }
}

impl Trees for Provisioning {
    fn knows_names(&self) -> bool {
        false
    }

    fn list(&self) -> Answer<'_, Listed<(TreeName, Found<Route>)>> {
        async move {
            let own = self.tree().await?;
            let own = own.map(|tree| (TreeName::default(), tree));
            Ok(Vec::from_iter(own).into())
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a TreeName) -> Answer<'a, Option<Found<Route>>> {
        async move {
            if name.is_default() {
                self.tree().await
            } else {
                Ok(None)
            }
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        name: &'a TreeName,
        root: &'a Route,
        _: Option<&'a Revision>,
        provenance: Provenance,
    ) -> Answer<'a, Option<Revision>> {
        async move {
            only_one(name)?;
            let call = Call::new("policy.put", Method::PUT, POLICIES, &[]).json(&outlasting_both(root))?;
            self.transport.send(call.provenance(provenance)).await?;
            Ok(None)
        }
        .boxed()
    }

    fn remove<'a>(&'a self, name: &'a TreeName, _: Option<&'a Revision>) -> Answer<'a, ()> {
        async move {
            only_one(name)?;
            self.transport
                .send(Call::new("policy.reset", Method::DELETE, POLICIES, &[]))
                .await
        }
        .boxed()
    }
}

/// A tree whose values are what they are after they have been read twice: as they are sent, and from the database.
fn outlasting_both(route: &Route) -> Route {
    let matchers = route.object_matchers.iter();
    Route {
        object_matchers: matchers
            .map(|(label, operator, value)| (label.clone(), operator.clone(), outlasting(&outlasting(value))))
            .collect(),
        routes: route.routes.iter().map(outlasting_both).collect(),
        ..route.clone()
    }
}

/// Fails for any tree but the one that this API knows, lest that be written in its place.
fn only_one(name: &TreeName) -> Result<()> {
    if name.is_default() {
        return Ok(());
    }
    Err(Error::Configuration(format!(
        "the provisioning API has no policy tree {}; it has {}",
        name.0,
        TreeName::DEFAULT
    )))
}
