//! Writing a status, only when it differs.

use k8s_openapi::NamespaceResourceScope;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::{Api, Client, Resource, ResourceExt};
use serde::Serialize;
use serde_json::json;

use crate::api::FIELD_MANAGER;

/// Whether a status would change anything: compared as it is written, since a time is written in whole seconds.
pub fn differs<S: Serialize>(before: Option<&S>, after: &S) -> bool {
    match (before.map(serde_json::to_value), serde_json::to_value(after)) {
        (Some(Ok(before)), Ok(after)) => before != after,
        _ => true,
    }
}

/// Applies a status. All of it is the operator's own; fields that it leaves out go away. Where a version of the object is given, only to that
/// one. Returns the version that it has now.
pub async fn apply<K, S>(
    client: &Client,
    object: &K,
    status: &S,
    only: Option<&str>,
) -> kube::Result<Option<String>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    S: Serialize,
{
    let namespace = object.namespace().unwrap_or_default();
    // Its type may not be able to read what the answer shows.
    let api: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), &namespace, &ApiResource::erase::<K>(&()));
    let (api_version, kind) = (K::api_version(&()), K::kind(&()));
    let body = match only {
        Some(version) => {
            json!({ "apiVersion": api_version, "kind": kind, "metadata": {"resourceVersion": version}, "status": status })
        }
        None => json!({ "apiVersion": api_version, "kind": kind, "status": status }),
    };
    api.patch_status(
        &object.name_any(),
        &PatchParams::apply(FIELD_MANAGER).force(),
        &Patch::Apply(body),
    )
    .await
    .map(|applied| applied.resource_version())
}
