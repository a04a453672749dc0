//! What would become of an object, in a sign.

use serde::Serialize;

/// What would become of a resource's object in Grafana.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Sign {
    Create,
    Change,
    Delete,
    /// Nothing, for it can't be as the resource asks for it.
    Refused,
    /// Nothing, for it is suspended; Grafana has it otherwise, or it would be refused.
    Suspended,
    /// Nobody knows, for Grafana or the cluster doesn't say.
    Unknown,
    Equal,
}

impl Sign {
    /// How a line begins.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Change => "~",
            Self::Delete => "-",
            Self::Refused => "!",
            Self::Suspended => "|",
            Self::Unknown => "?",
            Self::Equal => "=",
        }
    }
}
