//! Grafana's HTTP API and a mirror of what it holds. Knows no Kubernetes.
//!
//! [`api`] has one trait per concern; [`provisioning`] implements them with the API that Grafana 10 to 13 serve, `platform` what the
//! newer one does better, and `choose` says which is used. [`wire`] has
//! the bodies exactly as sent, [`digest`] makes what is wished and what was found comparable, and [`mirror`] remembers what
//! was found. [`transport`] is the only place that does I/O.

pub mod api;
pub mod approach;
mod choose;
pub mod digest;
pub mod error;
pub mod mirror;
pub mod model;
mod platform;
mod presence;
pub mod provisioning;
pub mod transport;
pub mod turns;
pub mod wire;

use std::sync::Arc;

pub use api::Grafana;
pub use error::{Class, Error, Result};
use transport::{Connection, Supervisor, Transport};
pub use turns::Company;

impl Grafana {
    /// A client of one Grafana and organisation. Sends nothing yet.
    pub fn connect(
        connection: &Connection,
        supervisor: Arc<dyn Supervisor>,
        company: Company,
    ) -> Result<Self> {
        let transport = Transport::new(connection, supervisor)?;
        Ok(choose::client(Arc::new(transport), company))
    }
}
