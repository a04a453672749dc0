//! The API that Grafana 10 to 13 serve: `/api/v1/provisioning` and what it leaves to others.

mod contact_points;
mod folders;
mod groups;
mod intervals;
mod observed;
mod rules;
mod server;
mod silences;
mod templates;
mod time_intervals;
mod together;
mod trees;
mod wire;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::api::Provenance;
use super::error::Result;
use super::model::{Found, Revision};
use super::presence;
use super::transport::{Call, Transport};
use super::turns::Company;
use groups::queue::Together;

/// All traits at once: they differ in what they ask, not in how.
pub(super) struct Provisioning {
    transport: Arc<Transport>,
    company: Company,
    together: Together,
}

/// A client of this API.
pub(super) fn client(transport: Arc<Transport>, company: Company) -> Arc<Provisioning> {
    Arc::new(Provisioning {
        transport,
        company,
        together: Together::default(),
    })
}

impl Provisioning {
    /// Takes "it is not there" for an answer where Grafana is there.
    async fn if_present<T>(&self, result: Result<T>) -> Result<Option<T>> {
        presence::if_present(&self.transport, result).await
    }

    /// Takes "it is not there" for the end of a deletion where a look shows that it isn't there.
    async fn if_gone<T>(
        &self,
        result: Result<()>,
        look: impl Future<Output = Result<Option<T>>>,
    ) -> Result<()> {
        presence::if_gone(result, look).await
    }

    /// One object that an address has, read as `W`; `None` where Grafana is there and has none.
    async fn one<W, T>(&self, call: Call) -> Result<Option<Found<T>>>
    where
        W: DeserializeOwned + Send + 'static,
        Found<T>: From<W>,
    {
        let found = self.transport.fetch::<W>(call.of_one());
        Ok(self.if_present(found.await).await?.map(Found::from))
    }

    /// All objects that an address has, each read as `W`.
    async fn every<W, T>(&self, call: Call) -> Result<Vec<Found<T>>>
    where
        W: DeserializeOwned + Send + 'static,
        Found<T>: From<W>,
    {
        let all: Vec<W> = self.transport.fetch(call).await?;
        Ok(all.into_iter().map(Found::from).collect())
    }

    /// Deletes what was found, and nothing else: by whoever provisioned it, and in that state, where there is a word for it.
    async fn delete_found<T>(
        &self,
        call: Call,
        found: &Found<T>,
        look: impl Future<Output = Result<Option<Found<T>>>>,
    ) -> Result<()> {
        let by = if found.is_provisioned() {
            Provenance::Api
        } else {
            Provenance::None
        };
        let call = call.provenance(by);
        let call = match &found.revision {
            Some(Revision(version)) => call.query("version", version),
            None => call,
        };
        self.if_gone(self.transport.send(call).await, look).await
    }
}

#[cfg(test)]
mod tests;
