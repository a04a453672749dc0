//! Silences, in the form of Alertmanager's API v2.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::json::moment;

/// One silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Silence {
    /// Given by Grafana. With it a write updates; Grafana gives a new one if the matchers changed or it had expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What an alert must match, all of it. At least one must not match the empty string.
    pub matchers: Vec<SilenceMatcher>,
    /// When it begins; Grafana moves a begin in the past to now.
    #[serde(deserialize_with = "moment::deserialize")]
    pub starts_at: Timestamp,
    /// When it ends; must not be in the past.
    #[serde(deserialize_with = "moment::deserialize")]
    pub ends_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// When it last changed; only read.
    #[serde(default, skip_serializing, deserialize_with = "moment::optional")]
    pub updated_at: Option<Timestamp>,
    /// Whether it is in force; only read.
    #[serde(default, skip_serializing)]
    pub status: Option<SilenceStatus>,
}

impl Silence {
    /// The state that Grafana answered, if this was read from it.
    pub fn state(&self) -> Option<SilenceState> {
        self.status.as_ref().map(|status| status.state)
    }
}

/// One matcher of a silence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SilenceMatcher {
    /// Label name.
    pub name: String,
    /// Value, or anchored regular expression.
    pub value: String,
    /// Whether `value` is a regular expression.
    pub is_regex: bool,
    /// False for `!=` and `!~`.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

/// The part of a silence that Grafana works out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SilenceStatus {
    /// Whether it is in force.
    pub state: SilenceState,
}

/// Whether a silence is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    /// Not begun.
    Pending,
    /// In force.
    Active,
    /// Over; kept by Grafana for five days.
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_for_ever_is_read_like_any_other() {
        let body = r#"{"id":"1","matchers":[],"startsAt":"2026-11-23T22:00:00Z","endsAt":"9999-12-31T23:59:59.000Z",
            "createdBy":"somebody","comment":"for ever","updatedAt":"2026-11-23T22:00:00Z","status":{"state":"active"}}"#;
        let silence: Silence = serde_json::from_str(body).unwrap();
        assert_eq!(silence.ends_at.to_string(), "9999-12-30T22:00:00Z");
    }
}
