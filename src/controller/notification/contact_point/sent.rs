//! What is remembered to have been sent of a contact point, and what somebody has changed of that.

use super::look::integrations;
use crate::api::ContactPoint;
use crate::cluster::memory::{Memory, Remembered};
use crate::controller::engine::managed::Managed;
use crate::domain::notification::contact_point::Integration;
use crate::domain::notification::contact_point::decision::{self, Plan};
use crate::grafana::model::{self, Found};

/// What somebody has changed of a contact point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Corrected {
    /// What Grafana hides.
    Hidden,
    /// What it shows.
    Shown,
}

/// What somebody has changed of what was sent as it is wished.
pub(super) fn changed(
    object: &ContactPoint,
    memory: &Memory,
    (name, wish): (&str, &[Integration]),
    found: Option<&Found<model::ContactPoint>>,
    plan: &Plan,
) -> Vec<String> {
    let is_as_sent = |memory: &Remembered| wish.iter().all(|integration| is_sent(memory, name, integration));
    if !object.is_stored() || !memory.read(is_as_sent) {
        return Vec::new();
    }
    decision::drift(wish, integrations(found), plan)
}

/// Which of the two was put right. What is hidden is sent again with all that is shown.
pub(super) fn corrected(is_hidden_changed: bool, is_shown_changed: bool) -> Option<Corrected> {
    if is_hidden_changed {
        return Some(Corrected::Hidden);
    }
    is_shown_changed.then_some(Corrected::Shown)
}

pub(super) fn is_sent(memory: &Remembered, name: &str, integration: &Integration) -> bool {
    memory.sent.get(&integration.sent.uid) == Some(&code(memory, name, integration))
}

/// How it is remembered that an integration was sent as it is.
pub(super) fn code(memory: &Remembered, name: &str, integration: &Integration) -> String {
    memory.code(&decision::message(name, integration))
}
