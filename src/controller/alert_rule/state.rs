//! What the status says of a rule's state.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::{AlertRule, AlertRuleStatus};
use crate::domain::rule::states::SeenState;
use crate::grafana::api::AlertState;
use crate::grafana::error::steady;

/// Shows what was seen. Until Grafana has evaluated the rule, or while it can't say, the last state stands.
pub(super) fn show(status: &mut AlertRuleStatus, is_paused: bool, seen: Option<&SeenState>, now: Timestamp) {
    let (state, message) = if is_paused {
        (Some("Paused"), None)
    } else {
        let message = seen.and_then(|seen| seen.message.clone());
        (seen.and_then(|seen| word(seen.state)), message)
    };
    let Some(state) = state else { return };
    if status.state.as_deref() != Some(state) {
        status.state = Some(state.to_owned());
        status.state_since = Some(Time(now));
    }
    status.state_message = steady::kept(status.state_message.take(), message);
}

/// Whether the status says already what there is to say of this.
pub(in crate::controller) fn is_shown(rule: &AlertRule, seen: Option<&SeenState>) -> bool {
    let status = rule.status.clone().unwrap_or_default();
    let mut next = status.clone();
    // As a pass says it: of one that is only told of what somebody has changed, that is so.
    let is_changed = status.drift.iter().any(|field| field == "paused");
    let is_paused = rule.spec.paused.unwrap_or_default() ^ is_changed;
    show(&mut next, is_paused, seen, Timestamp::default());
    next == status
}

fn word(state: AlertState) -> Option<&'static str> {
    match state {
        AlertState::Unknown => None,
        AlertState::Normal => Some("Normal"),
        AlertState::Recovering => Some("Recovering"),
        AlertState::Pending => Some("Pending"),
        AlertState::NoData => Some("NoData"),
        AlertState::Error => Some("Error"),
        AlertState::Firing => Some("Firing"),
    }
}
