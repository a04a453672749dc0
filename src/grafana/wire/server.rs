//! What Grafana says about itself.

use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

/// One data source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DataSource {
    /// Identity within the organisation.
    pub uid: String,
    /// Unique within the organisation.
    pub name: String,
    /// Plugin, `loki` for example.
    pub r#type: String,
    /// Whether panels use it when they name none.
    pub is_default: bool,
}

/// Answer of `/api/health`, which needs no log in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Health {
    /// `ok` unless the database is gone.
    pub database: String,
    /// Version, unless the administrator hides it from anonymous users.
    #[serde(deserialize_with = "version")]
    pub version: Option<String>,
}

/// Most characters of a version that are kept: it stands in a status and in metrics.
const VERSION_LIMIT: usize = 64;

/// A version, cut.
pub(in crate::grafana) fn version<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.map(|text| text.chars().take(VERSION_LIMIT).collect()))
}

/// What of the frontend's settings concerns alerting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Version, `10.0.0` for example.
    pub version: Option<String>,
    /// The base interval: intervals of rule groups must be multiples of it. 10 s where Grafana does not tell.
    pub min_interval: Duration,
    /// Whether folders may lie in folders: a feature toggle before 11.0.
    pub nested_folders: bool,
    /// Feature toggles that are on.
    pub toggles: Toggles,
    /// The organisation's namespace below `/apis`; from about 11.0 on.
    pub namespace: Option<String>,
}

/// The feature toggles that decide what Grafana can be told, and that a newer release needs no more.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Toggles {
    /// `alertingSimplifiedRouting`: without it rules of 10.4 name no contact point.
    pub simplified_routing: bool,
    /// `grafanaManagedRecordingRules`: without it there are no recording rules in 11.
    pub recording_rules: bool,
    /// `alertingMultiplePolicies`: without it there is one policy tree before 13.2.
    pub several_trees: bool,
    /// `nestedFolders`: without it there are no folders within folders before 11.0.
    pub nested_folders: bool,
}

impl Settings {
    /// The release that Grafana says it is, by its first number.
    pub(in crate::grafana) fn major(&self) -> Option<u32> {
        self.version.as_deref()?.split('.').next()?.parse().ok()
    }
}

/// That an endpoint will go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deprecation {
    /// Since when it is deprecated.
    pub since: Date,
    /// What is there in its place, if Grafana says so.
    pub replacement: Option<String>,
}
