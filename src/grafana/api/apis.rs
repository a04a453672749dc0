//! Which of Grafana's APIs each concern goes through.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::terms::Answer;
use crate::grafana::wire::Settings;

/// Which of Grafana's APIs is used.
pub trait Apis: Send + Sync {
    /// Notes what is wished of the choice; before the first one.
    fn prefer(&self, preference: Preference);
    /// Looks which APIs there are and takes the best for each concern. What was chosen before stands where it can't be seen.
    fn choose<'a>(&'a self, settings: &'a Settings) -> Answer<'a, ()>;
    /// Whether calls have shown since the last choice that it is to be made anew.
    fn is_stale(&self) -> bool;
    /// What is chosen.
    fn capabilities(&self) -> Capabilities;
    /// Notes that these were told: what they say is due goes on from now on.
    fn told(&self, capabilities: &Capabilities);
}

/// What is wished of the choice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preference {
    /// Whether rules are to go through the newer API where it is there, and not only where the older one isn't.
    pub platform_rules: bool,
    /// The API that rules went through the last time; `None` the first time.
    pub rules_before: Option<Api>,
}

/// What goes through one API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Concern {
    /// Folders.
    Folders,
    /// Contact points and the policy tree.
    Notifications,
    /// Alert rules.
    Rules,
}

impl Concern {
    /// A name for status and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Folders => "folders",
            Self::Notifications => "notifications",
            Self::Rules => "rules",
        }
    }
}

/// One of Grafana's APIs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Api {
    /// `/api`: the provisioning API and its neighbours.
    Provisioning,
    /// `/apis`, with group and version.
    Platform(String),
}

impl From<&str> for Api {
    /// What [`Display`](fmt::Display) has made.
    fn from(text: &str) -> Self {
        match text {
            "provisioning" => Self::Provisioning,
            group_version => Self::Platform(group_version.to_owned()),
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provisioning => f.write_str("provisioning"),
            Self::Platform(group_version) => f.write_str(group_version),
        }
    }
}

/// Why a concern doesn't go through the newer API though it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fallback {
    /// It is there, and refused; in Grafana's words.
    Refused(String),
    /// It is there and can be read, and has refused a write.
    WritesRefused(String),
    /// It was asked for or used, and isn't there.
    NotServed,
    /// Neither is the older one.
    Neither,
}

/// Why rules change to another API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The newer one is asked for.
    Asked,
    /// The newer one isn't asked for, and the older one is there.
    NotAsked,
    /// The older one isn't there any more.
    Gone,
    /// The newer one, which is asked for, isn't there any more or not for these credentials.
    Unusable,
}

/// That rules change to another API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The API that they go through afterwards.
    pub to: Api,
    /// Why.
    pub why: Why,
    /// Whether they go through it already, and haven't been read through it yet. Before that it is due, and waits until it was [`told`](Apis::told).
    pub is_made: bool,
}

/// What this Grafana lets its APIs be used for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// The API that each concern is read through, and written through unless `fallbacks` say otherwise. Lacks rules while it isn't known for the first time.
    pub apis: BTreeMap<Concern, Api>,
    /// Why a concern doesn't go through the newer API though it should.
    pub fallbacks: BTreeMap<Concern, Fallback>,
    /// Whether a concern goes through the older API though this version has, or may have, the newer one, so that another look is worth it.
    pub is_improvable: bool,
    /// Which change of the API of rules is due or has just been made. Rules that one API makes aren't what the other makes, so it is told before.
    pub change: Option<Change>,
    /// What could be watched.
    pub watchable: BTreeSet<Concern>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_read_as_it_is_written() {
        for api in [
            Api::Provisioning,
            Api::Platform("rules.alerting.grafana.app/v1beta1".to_owned()),
        ] {
            assert_eq!(Api::from(api.to_string().as_str()), api);
        }
    }
}
