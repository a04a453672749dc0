//! Contact points.

use std::fmt;

use serde_json::{Map, Value};

/// A contact point with all its integrations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactPoint {
    /// Name, unique within the organisation.
    pub name: String,
    /// What it sends to, each by itself. None is legal from 12.4 on, where Grafana begins with `empty`.
    pub integrations: Vec<Integration>,
}

/// One thing that a contact point sends to.
#[derive(Clone, Default, PartialEq)]
pub struct Integration {
    /// Identity of the integration; the one Grafana ships with has none.
    pub uid: String,
    /// Kind of integration, `slack` for example.
    pub r#type: String,
    /// Settings of that kind, secrets included. What was found has `REDACTED` in the place of each that is stored and hidden.
    pub settings: Map<String, Value>,
    /// Sends nothing when an alert resolves.
    pub disable_resolve_message: bool,
    /// Who provisioned it; only found. `None` means nobody.
    pub provenance: Option<String>,
}

impl fmt::Debug for Integration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Integration")
            .field("uid", &self.uid)
            .field("type", &self.r#type)
            .field("settings", &self.settings.keys().collect::<Vec<_>>())
            .field("disable_resolve_message", &self.disable_resolve_message)
            .field("provenance", &self.provenance)
            .finish()
    }
}
