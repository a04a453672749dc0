//! What a rule depends on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::ownership::Owner;
use crate::domain::version::Version;
use crate::grafana::model::NotificationSettings;
use crate::grafana::wire::{DataSource, Toggles};

/// What a rule depends on besides its own specification.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Whose rule it is.
    pub owner: &'a Owner,
    /// The uid that the rule has or gets, as [`identity::uid`](super::identity::uid) tells.
    pub uid: &'a str,
    /// Namespace of the resource.
    pub namespace: &'a str,
    /// Name of the resource.
    pub name: &'a str,
    /// Labels that the instance adds to every rule.
    pub labels: &'a BTreeMap<String, String>,
    /// The data source that `query` and `debugQueries` are for; `None` where the rule needs none.
    pub source: Option<&'a DataSource>,
    /// The data source that `record.targetDatasource` names; `None` where it names none.
    pub target: Option<&'a DataSource>,
    /// What `notificationSettings` becomes in Grafana; `None` where there are none.
    pub notification: Option<&'a NotificationSettings>,
    /// Grafana's address for people.
    pub external_url: &'a str,
    /// Grafana's version.
    pub version: Version,
    /// Which feature toggles are on.
    pub toggles: Toggles,
    /// The shortest interval that the server evaluates at (`unified_alerting.min_interval`); zero where it doesn't tell.
    pub min_interval: Duration,
}
