//! Letting go of resources without a look at Grafana, so that they can be deleted when no operator runs.

use kube::api::{ListParams, PartialObjectMeta, Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::answer::{is_conflict, is_missing};
use crate::api::{FIELD_MANAGER, FINALIZER};

/// Takes our finalizer off all resources of a kind in these namespaces, or in all if none is given; returns how many had it.
///
/// A kind that isn't installed has none.
pub async fn remove<K>(client: &Client, namespaces: &[String]) -> kube::Result<usize>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let mut apis: Vec<Api<K>> = (namespaces.iter())
        .map(|namespace| Api::namespaced(client.clone(), namespace))
        .collect();
    if apis.is_empty() {
        apis.push(Api::all(client.clone()));
    }
    let mut removed = 0;
    for api in apis {
        while let Some(held) = held(&api).await? {
            for object in held {
                removed += usize::from(let_go(client, &object).await?);
            }
        }
    }
    Ok(removed)
}

/// The resources that have our finalizer, if any has.
async fn held<K>(api: &Api<K>) -> kube::Result<Option<Vec<PartialObjectMeta<K>>>>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    match api.list_metadata(&ListParams::default()).await {
        Ok(mut list) => {
            list.items
                .retain(|object| object.finalizers().iter().any(|f| f == FINALIZER));
            Ok(Some(list.items).filter(|items| !items.is_empty()))
        }
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns `false` where the resource has changed meanwhile, or is gone.
async fn let_go<K>(client: &Client, object: &PartialObjectMeta<K>) -> kube::Result<bool>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let others: Vec<&String> = object
        .finalizers()
        .iter()
        .filter(|finalizer| *finalizer != FINALIZER)
        .collect();
    // With the resourceVersion that was read, so that nobody else's finalizer is lost.
    let patch = json!({"metadata": {"resourceVersion": object.resource_version(), "finalizers": others}});
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    match api
        .patch_metadata(&object.name_any(), &params, &Patch::Merge(patch))
        .await
    {
        Ok(_) => Ok(true),
        Err(error) if is_conflict(&error) || is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
