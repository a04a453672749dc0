//! Whether what Grafana holds of a contact point delivers, tried with an alert that nobody has.

use std::collections::BTreeMap;
use std::time::Duration;

use super::terms::Answer;
use crate::grafana::model::Integration;

/// Tests of contact points. Nothing in Grafana changes by them, but a notification is sent.
pub trait Testing: Send + Sync {
    /// Sends an alert through one integration of a contact point, as Grafana holds it with its secrets. What it is refused for is an outcome; an error is that it
    /// wasn't tried.
    fn send<'a>(
        &'a self,
        point: &'a str,
        integration: &'a Integration,
        alert: &'a TestAlert,
    ) -> Answer<'a, Tested>;
}

/// The alert that a test sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestAlert {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// How a test ended.
#[derive(Clone, PartialEq, Eq)]
pub struct Tested {
    /// Why it wasn't delivered, in Grafana's words, which may repeat what is secret. `None` where it was.
    pub failure: Option<String>,
    /// How long it took, where Grafana says so.
    pub took: Option<Duration>,
}
