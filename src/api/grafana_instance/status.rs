//! What is told of a GrafanaInstance.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::super::schema;

/// What is known of the Grafana.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaInstanceStatus {
    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// `Ready`, and while they hold `Reconciling`, `Stalled`, `APIFallback`, `RuleAPIChange`, `Deprecated` and `LeftBehind`.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// The address of the Grafana that it is connected to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The number of the organisation there that the credentials are for.
    #[serde(default, rename = "orgID", skip_serializing_if = "Option::is_none")]
    pub org_id: Option<i64>,
    /// Grafanas that it was connected to before, and what it made in each that may still be there, the last one at the end. The condition `LeftBehind`
    /// says what becomes of it.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub left_behind: Vec<String>,
    /// Grafana's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether Grafana answers. It may, and yet refuse a part of what is read; the condition says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reachable: Option<bool>,
    /// What of Grafana couldn't be read the last time, each with why: what needs it waits, and all else goes on. Empty while all can be read, and while
    /// nothing can.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub unread: BTreeMap<String, String>,
    /// What marks this operator's objects in Grafana.
    #[serde(default, rename = "ownerID", skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<String>,
    /// The value of the annotation `alerting.letsrevel.io/resend` that was last acted upon: what Grafana hides of the contact points is sent
    /// again, by a pass of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<String>,
    /// How many resources are in sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_sync: Option<i64>,
    /// How many aren't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_in_sync: Option<i64>,
    /// How many of these have which reason of `Ready`: `DependencyMissing: 3`.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub waiting: BTreeMap<String, i64>,
    /// How many of those that are in sync somebody has changed in Grafana, where `driftPolicy: Report` leaves that; unset where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drifted: Option<i64>,
    /// How many rules and silences in Grafana carry the operator's mark and have no resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orphans: Option<i64>,
    /// The first ten of them.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub orphan_names: Vec<String>,
    /// Fields of our resources that this version of Grafana lacks.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub unsupported: Vec<String>,
    /// Which of Grafana's APIs is used, by concern: `provisioning`, or group and version of a newer one. `, watched` after it says that Grafana
    /// tells of changes as they happen.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub apis: BTreeMap<String, String>,
    /// What of Grafana's APIs is used here and will go, as Grafana says: each with the date since which it is deprecated. It works as before
    /// until then.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub deprecated: Vec<String>,
}
