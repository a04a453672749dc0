//! Any integration, under Grafana's own names.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::SecretSource;
use super::super::schema;

/// An integration as Grafana's API takes it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Custom {
    /// Grafana's name of the integration, for example `opsgenie`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 63))]
    pub type_: String,
    /// Its settings under Grafana's own names, as its API takes them, nested at most 64 levels deep. What is secret belongs into `secureSettings`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::free_form_object")]
    pub settings: Option<serde_json::Value>,
    /// Settings that come from Secrets, by Grafana's own name of the field; a dot leads into a nested field. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("maxProperties" = 32))]
    pub secure_settings: BTreeMap<String, SecretSource>,
}
