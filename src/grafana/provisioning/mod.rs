//! The API that Grafana 10 to 13 serve: `/api/v1/provisioning` and what it leaves to others.

mod contact_points;
mod folders;
mod groups;
mod intervals;
mod rules;
mod server;
mod silences;
mod states;
mod templates;
mod time_intervals;
mod together;
mod trees;
mod wire;

use std::sync::Arc;

use super::error::Result;
use super::presence;
use super::transport::Transport;
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
}

#[cfg(test)]
mod tests;
