//! What all concerns have in common.

use std::time::Duration;

use futures::future::BoxFuture;

use crate::grafana::error::Result;

/// Label that says which resource a rule belongs to: `ownerID/namespace/name`. Grafana shows it to nobody, and policies and
/// silences may refer to it.
pub const OWNER_LABEL: &str = "__alertwright__";

/// Label that has an alert go through the policy tree of this name, and past the default one. Grafana gives it to the alerts of a rule whose settings
/// name a tree; before they could, people gave it to the rule (`NamedRouteMatcher` in `pkg/services/ngalert/notifier/legacy_storage`).
pub const TREE_LABEL: &str = "__grafana_managed_route__";

/// Interval that Grafana gives to a group which begins with a single rule.
pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(60);

/// Answer of a call.
pub type Answer<'a, T> = BoxFuture<'a, Result<T>>;

/// Who a write says has provisioned the object. Must stay the same for the life of an object: Grafana refuses a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Provenance {
    /// `api`: not editable in Grafana's UI.
    #[default]
    Api,
    /// Nobody: editable in Grafana's UI.
    None,
}

impl Provenance {
    /// The one of this name, as a read shows it; whatever isn't nobody is sent as `api`.
    pub fn named(name: Option<&str>) -> Self {
        if name.is_some() { Self::Api } else { Self::None }
    }

    /// The name under which a read shows it.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Api => Some("api"),
            Self::None => None,
        }
    }
}
