//! What the rest of the program knows of Grafana's objects, whichever of its APIs they come from or go to.

mod contact_point;
mod inhibition_rule;
mod route;
mod rule;
mod template;
mod time_interval;

pub use contact_point::{ContactPoint, Integration, REDACTED};
pub use inhibition_rule::InhibitionRule;
pub(in crate::grafana) use route::outlasting;
pub use route::{ObjectMatcher, Route, TreeName, object_matcher};
pub use rule::{AlertRule, EXPRESSION, NotificationSettings, Query, Record, RelativeTimeRange};
pub use template::Template;
pub use time_interval::{Period, TimeInterval, TimeRange};

/// What Grafana calls the state of one object, secrets included: it is another one when, and only when, somebody has stored another
/// content. Says nothing by itself. The provisioning API has none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revision(pub String);

/// An object that Grafana holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// What it is.
    pub object: T,
    /// Who provisioned it; `None` means nobody.
    pub provenance: Option<String>,
    /// In which state it is, where the API has a word for that.
    pub revision: Option<Revision>,
}

impl<T> Found<T> {
    /// What was found, with what is said of who provisioned it and of its state: an empty text says nothing.
    pub(in crate::grafana) fn of(object: T, provenance: Option<String>, revision: Option<String>) -> Self {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            object,
            provenance: said(provenance),
            revision: said(revision).map(Revision),
        }
    }

    /// Whether it was provisioned, so that it can't be edited by hand.
    pub fn is_provisioned(&self) -> bool {
        self.provenance.as_deref().is_some_and(|by| !by.is_empty())
    }
}
