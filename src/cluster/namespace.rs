//! Whether a namespace is on its way out.

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};

use super::answer::is_forbidden;

/// Whether a namespace is being deleted. Without the right to read it, it counts as staying.
pub async fn is_terminating(client: &Client, name: &str) -> kube::Result<bool> {
    match Api::<Namespace>::all(client.clone()).get_metadata_opt(name).await {
        Ok(found) => Ok(found.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some())),
        Err(error) if is_forbidden(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
