//! That a namespace isn't there.

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;

use super::Connected;
use crate::cluster::answer::is_missing;

impl Connected {
    /// Fails where there is no such namespace. Who may not look at namespaces isn't told.
    pub(in super::super::super) async fn check_namespace(&self, namespace: &str) -> Result<(), String> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        match api.get_metadata(namespace).await {
            Err(error) if is_missing(&error) => Err(format!("there is no namespace {namespace}")),
            _ => Ok(()),
        }
    }
}
