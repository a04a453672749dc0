//! How notifications were delivered.

use std::fmt;

use jiff::Timestamp;

use super::terms::Answer;

/// What became of notifications.
pub trait Deliveries: Send + Sync {
    /// The last attempt of each integration, as the replica that answers knows it: it forgets them when it starts.
    fn list(&self) -> Answer<'_, Vec<Delivery>>;
}

/// The last attempt of one integration to send a notification.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Name of the contact point.
    pub contact_point: String,
    /// Type of the integration.
    pub integration: String,
    /// Which one of the contact point's it is.
    pub place: usize,
    /// When it was; `None` before the first.
    pub at: Option<Timestamp>,
    /// Why it failed, in Grafana's words and cut to a safe length; may repeat what is secret. `None` where it didn't.
    pub error: Option<String>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("contact_point", &self.contact_point)
            .field("integration", &self.integration)
            .field("place", &self.place)
            .field("at", &self.at)
            .field("has_failed", &self.error.is_some())
            .finish()
    }
}
