//! Which contact point is meant where one is named.

use crate::api::reference::ReceiverRef;
use crate::domain::refusal::Refusal;

/// What a receiver refers to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A ContactPoint resource.
    ContactPoint {
        /// Its namespace; `None` for the one of whoever refers to it.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// A contact point of Grafana that isn't a resource.
    Grafana {
        /// Its name.
        name: String,
    },
}

/// What `receiver` and `receiverRef` say together, of which one is given at most.
pub fn target(name: Option<&str>, reference: Option<&ReceiverRef>) -> Option<Target> {
    match (name, reference) {
        (Some(name), _) => Some(Target::ContactPoint {
            namespace: None,
            name: name.to_owned(),
        }),
        (
            None,
            Some(ReceiverRef {
                name: Some(name),
                namespace,
                ..
            }),
        ) => Some(Target::ContactPoint {
            namespace: namespace.clone(),
            name: name.clone(),
        }),
        (
            None,
            Some(ReceiverRef {
                grafana_name: Some(name),
                ..
            }),
        ) => Some(Target::Grafana { name: name.clone() }),
        _ => None,
    }
}

/// Says of a receiver that can't be used where it is written.
pub fn at_receiver(refusal: Refusal, parent: &str, is_name: bool) -> Refusal {
    let field = if is_name { "receiver" } else { "receiverRef" };
    refusal.at(&format!("{parent}.{field}: "))
}
