//! What isn't there, and what only can't be reached: "not found" is Grafana's word only if Grafana is there to say it.

use super::error::{Class, Error, Result};
use super::transport::{Call, Transport};
use super::wire::Health;

/// Takes "it is not there" for an answer where Grafana is there, and serves such objects. A proxy without a route says the same, and its words can't be told
/// from an empty answer of Grafana's; so the server is asked for what only Grafana has.
pub(super) async fn if_present<T>(transport: &Transport, result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.class() == Class::Missing && !error.is_no_address() => {
            let health = transport.fetch::<Health>(Call::get("server.health", "api/health", &[]).of_one());
            match health.await {
                Ok(health) if !health.database.is_empty() => Ok(None),
                Err(other) if other.class() != Class::Missing => Err(other),
                Ok(_) | Err(_) => Err(elsewhere(error)),
            }
        }
        Err(error) => Err(error),
    }
}

/// Takes "it is not there" for the end of a deletion where a look shows that it isn't there. Grafana answers most deletions of what
/// isn't there with success.
pub(super) async fn if_gone<T>(
    result: Result<()>,
    look: impl Future<Output = Result<Option<T>>>,
) -> Result<()> {
    match result {
        Err(error) if error.class() == Class::Missing && !error.is_no_address() => match look.await? {
            None => Ok(()),
            Some(_) => Err(elsewhere(error)),
        },
        other => other,
    }
}

/// A refusal that Grafana can't have meant.
fn elsewhere(error: Error) -> Error {
    match error {
        Error::Status {
            operation,
            status,
            retry_after,
            ..
        } => Error::NotGrafana {
            operation,
            status,
            retry_after,
        },
        other => other,
    }
}
