//! The API that Grafana 10 to 13 serve: `/api/v1/provisioning` and what it leaves to others.

mod folders;
mod listing;
mod notifications;
mod rules;
mod server;
mod silences;
mod states;

use std::sync::Arc;

use super::api::Grafana;
use super::error::{Class, Result};
use super::transport::Transport;

/// All traits at once: they differ in what they ask, not in how.
struct Provisioning {
    transport: Arc<Transport>,
}

/// A client of this API.
pub fn client(transport: Arc<Transport>) -> Grafana {
    let client = Arc::new(Provisioning { transport });
    Grafana {
        rules: client.clone(),
        folders: client.clone(),
        notifications: client.clone(),
        silences: client.clone(),
        server: client,
    }
}

/// Takes "it is not there" for an answer.
fn if_present<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.class() == Class::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
