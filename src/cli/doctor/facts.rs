//! What is known of an installation. What couldn't be read says why.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

use crate::api::reference::DatasourceRef;
use crate::grafana::wire::{DataSource, Toggles};

/// What was read, or why it wasn't.
pub(super) type Read<T> = Result<T, String>;

/// An installation as it was found.
pub(super) struct Facts {
    pub(super) now: Timestamp,
    /// The operator's namespace.
    pub(super) home: String,
    /// The API server's version, as it says it.
    pub(super) kubernetes: String,
    pub(super) types: Read<Vec<Type>>,
    pub(super) rights: Vec<Right>,
    pub(super) deployments: Read<Vec<Deployed>>,
    pub(super) lease: Read<Option<Held>>,
    pub(super) instances: Read<Vec<Instance>>,
    /// The one of them that is asked for, where it isn't all.
    pub(super) named: Option<String>,
    /// Kubernetes' own roles into which ours are taken up.
    pub(super) aggregated: Read<BTreeSet<String>>,
    pub(super) served: Read<Vec<Served>>,
    /// The kinds whose health Argo CD knows; `None` without an Argo CD.
    pub(super) argo: Read<Option<BTreeSet<String>>>,
}

impl Facts {
    /// How long ago the status of a GrafanaInstance was last written.
    pub(super) fn last_written(&self) -> Option<SignedDuration> {
        let instances = self.instances.as_deref().unwrap_or_default();
        let last = instances.iter().filter_map(|instance| instance.written).max()?;
        let age = self.now.duration_since(last).max(SignedDuration::ZERO);
        Some(age.round(Unit::Second).unwrap_or(age))
    }
}

/// One of our types.
pub(super) struct Type {
    pub(super) kind: String,
    pub(super) state: State,
}

/// What the cluster has of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Missing,
    /// Of another version: its schema, columns or names are others.
    Differs,
    Same,
}

/// A right, what it is for, and whether whoever asks has it.
#[derive(Clone)]
pub(super) struct Right {
    /// The check that it is part of.
    pub(super) of: &'static str,
    pub(super) verb: &'static str,
    pub(super) group: &'static str,
    pub(super) resource: String,
    /// `None` is all of them, or none where what is meant is in none.
    pub(super) namespace: Option<String>,
    pub(super) is_allowed: bool,
}

/// The operator's Deployment.
pub(super) struct Deployed {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) wished: i32,
    pub(super) ready: i32,
    /// Whether its replicas wait for the Lease.
    pub(super) elects: bool,
}

/// The Lease, as its holder left it.
pub(super) struct Held {
    pub(super) holder: String,
    pub(super) renewed: Option<Timestamp>,
    /// How long it holds without being renewed.
    pub(super) lasts: Duration,
}

/// A GrafanaInstance, and its Grafana where that was asked.
pub(super) struct Instance {
    pub(super) name: String,
    /// Whether the cluster has it; else it is but a name for the Grafana of `GRAFANA_URL`.
    pub(super) is_declared: bool,
    pub(super) url: String,
    /// Status, reason and message of its condition Ready; `None` before the operator's first word.
    pub(super) ready: Option<(String, String, String)>,
    /// When somebody last wrote its status.
    pub(super) written: Option<Timestamp>,
    /// How its rules find their data source.
    pub(super) default: Option<DatasourceRef>,
    /// `None` where it wasn't asked.
    pub(super) grafana: Option<Read<Asked>>,
}

/// What a Grafana says of itself.
pub(super) struct Asked {
    pub(super) version: Option<String>,
    pub(super) toggles: Toggles,
    pub(super) min_interval: Duration,
    pub(super) permissions: Read<BTreeMap<String, Vec<String>>>,
    pub(super) sources: Read<Vec<DataSource>>,
    /// Whether it was asked with a person's token and not with the instance's.
    pub(super) is_own_token: bool,
}

/// A resource that the API server serves, by all its names.
pub(super) struct Served {
    pub(super) group: String,
    pub(super) plural: String,
    pub(super) names: BTreeSet<String>,
}
