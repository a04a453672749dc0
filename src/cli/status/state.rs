//! What statuses say, whichever kind they are of.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use serde::Serialize;
use serde_json::Value;

use crate::api::condition::{self, Reason};
use crate::domain::lint::object::Object;

/// What a resource says of itself in one of its Grafanas.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Part<'a> {
    /// The GrafanaInstance; none for what is in no Grafana.
    pub(in super::super) instance: Option<&'a str>,
    status: &'a Value,
}

/// Why a resource isn't as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct Why {
    /// The reason of `Ready`.
    pub(in super::super) reason: String,
    /// Since when, where that is known.
    pub(in super::super) since: Option<Timestamp>,
    /// In words.
    pub(in super::super) message: String,
    /// Whether it counts as ready all the same: what somebody has changed in Grafana, where that is left.
    pub(in super::super) is_ready: bool,
}

/// A resource in each of its Grafanas, as far as its status says.
pub(in super::super) fn parts(object: &Object) -> Vec<Part<'_>> {
    let status = object.value.get("status").unwrap_or(&Value::Null);
    let several = status.get("instances").and_then(Value::as_array);
    let several: Vec<Part<'_>> = several
        .into_iter()
        .flatten()
        .filter_map(|status| {
            let instance = status.get("instance")?.as_str()?;
            Some(Part {
                instance: Some(instance),
                status,
            })
        })
        .collect();
    if !several.is_empty() {
        return several;
    }
    let instances = match object.kind.as_str() {
        "GrafanaInstance" => vec![Some(object.name.as_str())],
        "MaintenancePolicy" => vec![None],
        _ => object.instances().into_iter().map(Some).collect(),
    };
    instances
        .into_iter()
        .map(|instance| Part { instance, status })
        .collect()
}

impl<'a> Part<'a> {
    /// All that the resource says of itself, wherever it is.
    pub(in super::super) fn whole(object: &'a Object) -> Self {
        Self {
            instance: None,
            status: object.value.get("status").unwrap_or(&Value::Null),
        }
    }

    /// A text of the status.
    pub(in super::super) fn text(&self, field: &str) -> Option<&'a str> {
        self.status.get(field)?.as_str()
    }

    /// A number of the status.
    pub(in super::super) fn number(&self, field: &str) -> Option<i64> {
        self.status.get(field)?.as_i64()
    }

    /// Whether something is so.
    pub(in super::super) fn is(&self, field: &str) -> Option<bool> {
        self.status.get(field)?.as_bool()
    }

    /// A moment of the status.
    pub(in super::super) fn moment(&self, field: &str) -> Option<Timestamp> {
        self.text(field)?.parse().ok()
    }

    /// Whether alerts of the rule fire.
    pub(in super::super) fn is_firing(&self) -> bool {
        matches!(self.text("state"), Some("Firing" | "Recovering"))
    }

    /// That what follows from the specification is of one that Grafana doesn't have, where that is so.
    pub(in super::super) fn as_written(&self, object: &Object) -> Option<String> {
        let why = self.why(object).filter(|why| !why.is_ready)?;
        // While Grafana is away nobody knows whether it took the last change.
        let is_away = matches!(why.reason.as_str(), "Unavailable" | "Unauthorized" | "Throttled");
        let there = match self.text("stored") {
            Some(_) if is_away => "Grafana may have what was stored before",
            Some(_) => "Grafana still has what was stored before",
            None if why.reason == Reason::NotOwned.as_str() => "Grafana has somebody else's in its place",
            None => "Grafana doesn't have it",
        };
        Some(format!("as written here ({}); {there}", why.reason))
    }

    fn ready(&self) -> Option<Condition> {
        let all = self.status.get("conditions")?;
        let all: Vec<Condition> = serde_json::from_value(all.clone()).ok()?;
        condition::ready(&all).cloned()
    }

    /// Since when it is in sync, if it is.
    pub(in super::super) fn in_sync_since(&self) -> Option<Timestamp> {
        let ready = self.ready()?;
        (ready.status == "True").then_some(ready.last_transition_time.0)
    }

    /// Why the resource isn't as it should be here; nothing where it is.
    pub(in super::super) fn why(&self, object: &Object) -> Option<Why> {
        let meta = |field: &str| object.value.get("metadata")?.get(field);
        let Some(ready) = self.ready() else {
            return Some(Why {
                reason: "Unseen".to_owned(),
                since: meta("creationTimestamp").and_then(|time| time.as_str()?.parse().ok()),
                message: "the operator hasn't looked at it yet".to_owned(),
                is_ready: false,
            });
        };
        let generation = meta("generation").and_then(Value::as_i64);
        if generation.is_some()
            && ready.observed_generation.is_some()
            && ready.observed_generation != generation
        {
            return Some(Why {
                reason: "Outdated".to_owned(),
                since: None,
                message: format!(
                    "the operator hasn't looked at its last change yet; before that: {}",
                    ready.reason
                ),
                is_ready: false,
            });
        }
        let is_ready = ready.status == "True";
        let is_drifted = ready.reason == Reason::Drifted.as_str();
        (!is_ready || is_drifted).then_some(Why {
            reason: ready.reason,
            // What has drifted stays ready, so its condition says since when it was that.
            since: (!is_ready || !is_drifted).then_some(ready.last_transition_time.0),
            message: ready.message,
            is_ready,
        })
    }
}
