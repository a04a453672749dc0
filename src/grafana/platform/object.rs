//! What objects of every kind have in common.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grafana::api::Provenance;
use crate::grafana::model::{Found, Revision};
use crate::grafana::wire::null_as_default;

/// Annotation that names the folder that an object lies in; none at the root.
pub(super) const FOLDER: &str = "grafana.app/folder";

/// Annotation that says who provisioned an object.
pub(super) const PROVENANCE: &str = "grafana.com/provenance";

/// One object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Object<S> {
    pub(super) metadata: Metadata,
    pub(super) spec: S,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata {
    /// Unique within the namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    /// Another one after each change; says nothing by itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) resource_version: String,
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub(super) annotations: BTreeMap<String, String>,
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub(super) labels: BTreeMap<String, String>,
}

impl Metadata {
    /// Who provisioned the object, as the provisioning API would say it. Some versions say of nobody that it is `none`.
    pub(super) fn provenance(&self) -> Option<String> {
        let said = self.annotations.get(PROVENANCE);
        said.filter(|said| !matches!(said.as_str(), "" | "none")).cloned()
    }

    /// In which state the object is.
    pub(super) fn revision(&self) -> Option<Revision> {
        let version = &self.resource_version;
        (!version.is_empty()).then(|| Revision(version.clone()))
    }

    /// The same as a write with this provenance.
    pub(super) fn provided(mut self, provenance: Provenance) -> Self {
        if let Some(name) = provenance.name() {
            self.annotations.insert(PROVENANCE.to_owned(), name.to_owned());
        }
        self
    }
}

impl<S> Object<S> {
    /// What it says, with who provisioned it and the state that it is in.
    pub(super) fn found(self) -> Found<S> {
        Found {
            provenance: self.metadata.provenance(),
            revision: self.metadata.revision(),
            object: self.spec,
        }
    }
}

/// One page of a list.
#[derive(Debug, Deserialize)]
#[serde(bound = "S: Deserialize<'de>")]
pub(super) struct List<S> {
    #[serde(default)]
    pub(super) metadata: ListMetadata,
    #[serde(default = "Vec::new", deserialize_with = "null_as_default")]
    pub(super) items: Vec<Object<S>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListMetadata {
    /// From where a watch tells what isn't in the list; empty where the storage has none.
    pub(super) resource_version: String,
    /// Where the next page begins; empty on the last one.
    pub(super) r#continue: String,
}
