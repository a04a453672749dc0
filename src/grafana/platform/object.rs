//! What objects of every kind have in common.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::grafana::wire::null_as_default;

/// Annotation that names the folder that an object lies in; none at the root.
pub(super) const FOLDER: &str = "grafana.app/folder";

/// One object.
#[derive(Debug, Deserialize)]
pub(super) struct Object<S> {
    pub(super) metadata: Metadata,
    pub(super) spec: S,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    /// Unique within the namespace.
    pub(super) name: String,
    #[serde(deserialize_with = "null_as_default")]
    pub(super) annotations: BTreeMap<String, String>,
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
#[serde(default)]
pub(super) struct ListMetadata {
    /// Where the next page begins; empty on the last one.
    pub(super) r#continue: String,
}
