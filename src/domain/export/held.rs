//! What is read of a Grafana, and what is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::resource::Kind;
use crate::domain::version::Version;
use crate::grafana::model::{
    AlertRule, ContactPoint, Found, InhibitionRule, Route, Template, TimeInterval, TreeName,
};
use crate::grafana::wire::{DataSource, Folder, Silence, Toggles};

/// What a Grafana holds; only what was asked for needs to be there.
#[derive(Debug, Default)]
pub struct Holdings {
    /// Its folders.
    pub folders: Vec<Folder>,
    /// Its data sources.
    pub sources: Vec<DataSource>,
    /// Its rules.
    pub rules: Vec<AlertRule>,
    /// The names of those that can't be read, as their folder is gone or may not be seen.
    pub astray: Vec<AlertRule>,
    /// Its contact points.
    pub contact_points: Vec<Found<ContactPoint>>,
    /// Its policy trees.
    pub trees: Vec<(TreeName, Found<Route>)>,
    /// Its time intervals.
    pub time_intervals: Vec<Found<TimeInterval>>,
    /// Its template groups.
    pub templates: Vec<Found<Template>>,
    /// Its inhibition rules.
    pub inhibition_rules: Vec<Found<InhibitionRule>>,
    /// Its silences.
    pub silences: Vec<Silence>,
    /// What its version and feature toggles let it have.
    pub version: Option<Version>,
    /// See above.
    pub toggles: Toggles,
    /// The shortest interval that it evaluates at; zero where it doesn't tell.
    pub min_interval: Duration,
}

/// What is asked for.
#[derive(Debug, Default)]
pub struct Asked {
    /// Which kinds; none are all.
    pub kinds: BTreeSet<Kind>,
    /// Only rules in folders of these titles, paths or uids, if any is named.
    pub folders: Vec<String>,
    /// Only rules of these groups, if any is named.
    pub groups: Vec<String>,
    /// Only rules of these titles or uids, if any is named.
    pub rules: Vec<String>,
    /// The namespace that the resources are for, where one is named.
    pub namespace: Option<String>,
    /// The GrafanaInstance that they are for, where it isn't the default one.
    pub instance: Option<String>,
    /// What that puts before folders.
    pub folder_prefix: String,
    /// The labels that it adds to rules.
    pub labels: BTreeMap<String, String>,
    /// What names of resources begin with.
    pub prefix: String,
    /// The Secret that holds what Grafana hides.
    pub secret: String,
    /// Whether they are to take over what there is.
    pub adopts: bool,
    /// Contact points that resources have, by their names in Grafana: those that were taken over carry no mark.
    pub contact_points_of_resources: BTreeSet<String>,
    /// Also what alertwright has made.
    pub includes_ours: bool,
}

impl Asked {
    /// Whether a kind is asked for.
    pub(super) fn has(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}
