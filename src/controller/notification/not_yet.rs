//! What another resource refers to and Grafana hasn't yet.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::condition::{self, Reason};
use crate::domain::refusal::Refusal;

/// Why something can't be referred to that is there as a resource and not in Grafana, by what the resource says of itself. One that has said nothing
/// so far has its first pass before it: whoever waits for it says nothing either, lest the first sync of a cluster be a storm of warnings.
pub(super) fn not_yet(what: &str, conditions: Option<&[Condition]>) -> Refusal {
    let message = format!("{what} is not in Grafana yet");
    let Some(ready) = condition::ready(conditions.unwrap_or_default()) else {
        return Refusal::coming(message);
    };
    if ready.reason == Reason::Synced.as_str() {
        return Refusal::missing(message);
    }
    Refusal::missing(format!("{message} ({})", ready.reason))
}
