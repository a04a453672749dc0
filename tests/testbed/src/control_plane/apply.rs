//! Applying YAML of any kind.

use std::{path::Path, time::Duration};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    api::{DynamicObject, GroupVersionKind, Patch, PatchParams, TypeMeta},
    discovery::{self, Scope},
};
use serde_json::Value;

use super::{ControlPlane, FIELD_MANAGER};
use crate::{Error, Result, wait};

/// How long a new kind takes at most to be served.
const SERVED: Duration = Duration::from_secs(60);

impl ControlPlane {
    /// Applies all documents of a YAML text; those without a namespace go to the given one.
    pub async fn apply(&self, yaml: &str, namespace: &str) {
        let applied = self.try_apply(yaml, namespace).await;
        applied.unwrap_or_else(|error| panic!("{error:?}"));
    }

    /// Applies all documents of a YAML file; those without a namespace go to the given one.
    pub async fn apply_file(&self, path: impl AsRef<Path>, namespace: &str) {
        let path = path.as_ref();
        let yaml = std::fs::read_to_string(path);
        let yaml = yaml.unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        self.apply(&yaml, namespace).await;
    }

    /// Applies all documents of a YAML text, until the API server refuses one.
    ///
    /// Server-side, and strict: an unknown field is an error. Waits until a new custom resource is served.
    pub async fn try_apply(&self, yaml: &str, namespace: &str) -> Result<()> {
        let client = self.admin().await;
        for object in documents(yaml)? {
            apply(&client, &object, namespace).await?;
        }
        Ok(())
    }
}

/// The objects of a YAML text, without empty documents.
pub(super) fn documents(yaml: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(yaml).map_err(|error| Error::Yaml(error.to_string()))?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

/// Applies one object.
pub(super) async fn apply(client: &Client, object: &Value, namespace: &str) -> Result<()> {
    let object: DynamicObject =
        serde_json::from_value(object.clone()).map_err(|error| Error::Yaml(error.to_string()))?;
    let types = object.types.clone().unwrap_or_default();
    let name = object.metadata.name.clone().unwrap_or_default();
    let what = format!("{} {name}", types.kind);
    let api = api_of(
        client,
        &types,
        object.metadata.namespace.as_deref().unwrap_or(namespace),
    )
    .await?;
    let params = PatchParams::apply(FIELD_MANAGER).force().validation_strict();
    api.patch(&name, &params, &Patch::Apply(&object))
        .await
        .map_err(Error::kube(&what))?;
    if types.kind == "CustomResourceDefinition" {
        served(client, &name).await;
    }
    Ok(())
}

async fn api_of(client: &Client, types: &TypeMeta, namespace: &str) -> Result<Api<DynamicObject>> {
    let gvk = GroupVersionKind::try_from(types).map_err(|error| Error::Yaml(error.to_string()))?;
    let (resource, capabilities) = discovery::pinned_kind(client, &gvk)
        .await
        .map_err(Error::kube(format!("the kind {}", gvk.kind)))?;
    Ok(match capabilities.scope {
        Scope::Namespaced => Api::namespaced_with(client.clone(), namespace, &resource),
        Scope::Cluster => Api::all_with(client.clone(), &resource),
    })
}

/// Waits until a custom resource is served in all its versions.
async fn served(client: &Client, name: &str) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    wait::until(&format!("{name} is served"), SERVED, async || {
        let definition = api.get(name).await?;
        let conditions = definition
            .status
            .and_then(|status| status.conditions)
            .unwrap_or_default();
        if !conditions
            .iter()
            .any(|c| c.type_ == "Established" && c.status == "True")
        {
            return Ok(None);
        }
        // "Established" comes a moment before discovery lists the kind.
        for version in definition.spec.versions.iter().filter(|version| version.served) {
            let gvk =
                GroupVersionKind::gvk(&definition.spec.group, &version.name, &definition.spec.names.kind);
            discovery::pinned_kind(client, &gvk).await?;
        }
        Ok::<_, kube::Error>(Some(()))
    })
    .await;
}
