//! What is said of a resource that is in several Grafanas: one status of what became of it in each.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use crate::api::condition::{self, Reason};
use crate::api::{
    AlertRuleStatus, ContactPointStatus, InhibitionRuleStatus, NotificationPolicyStatus,
    NotificationTemplateStatus, SilenceStatus, TimeIntervalStatus,
};
use crate::controller::engine::failure::is_of_instance;
use crate::domain::notification::delivery::DELIVERED;

/// The states of a rule, the worst first.
const STATES: [&str; 7] = [
    "Firing",
    "Error",
    "NoData",
    "Pending",
    "Recovering",
    "Normal",
    "Paused",
];

/// The states of a silence, those that matter most first.
const SILENCED: [&str; 3] = ["Active", "Pending", "Expired"];

/// What became of a resource in one Grafana, as far as it is known.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The GrafanaInstance.
    pub instance: &'a str,
    /// Its conditions.
    pub conditions: &'a [Condition],
}

/// The reason and the message of `Ready`. The resource is ready where it is so in all of its Grafanas, and what it leaves is cleaned up. `None` while
/// of one of them nothing is known of this generation, and the others are well: what was said before stands until then.
pub fn verdict(parts: &[Part<'_>], generation: Option<i64>) -> Option<(Reason, String)> {
    let mut told = Vec::new();
    for part in parts {
        let ready = condition::ready(part.conditions);
        let ready = ready.filter(|ready| ready.observed_generation == generation);
        let known = ready.and_then(|ready| Some((part.instance, Reason::of(&ready.reason)?, &ready.message)));
        told.push(known);
    }
    let known = || told.iter().flatten();
    let mut failing: Vec<_> = known().filter(|(_, reason, _)| !reason.is_ready()).collect();
    if failing.is_empty() && told.iter().any(Option::is_none) {
        return None;
    }
    // What nobody but a person can end comes first.
    failing.sort_by_key(|(_, reason, _)| !reason.is_stalled());
    let decisive: Vec<_> = if failing.is_empty() {
        known().collect()
    } else {
        failing
    };
    let is_one_word = parts.len() > 1
        && decisive.len() == parts.len()
        && decisive
            .iter()
            .all(|one| decisive.first().is_some_and(|first| first.2 == one.2));
    let message = if is_one_word {
        decisive.first().map(|(_, _, message)| (*message).clone())?
    } else {
        let each = decisive
            .iter()
            .map(|(instance, _, message)| says(instance, message));
        each.collect::<Vec<_>>().join("; ")
    };
    let reason = [Reason::Drifted, Reason::Synced]
        .into_iter()
        .find(|of_all| decisive.iter().any(|(_, reason, _)| reason == of_all))
        .or_else(|| decisive.first().map(|(_, reason, _)| *reason))?;
    Some((reason, message))
}

/// A message that says which instance it is of.
pub fn says(instance: &str, message: &str) -> String {
    if is_of_instance(message, instance) {
        return message.to_owned();
    }
    format!("GrafanaInstance {instance}: {message}")
}

type Parts<'a, S> = &'a [(&'a str, &'a S)];

/// An AlertRule's.
pub fn rule(parts: Parts<'_, AlertRuleStatus>) -> AlertRuleStatus {
    let state = worst(parts, &STATES, |status| status.state.as_deref());
    let in_it = || parts.iter().filter(|(_, status)| status.state == state);
    AlertRuleStatus {
        uid: agreed(parts, |status| &status.uid),
        folder: agreed(parts, |status| &status.folder),
        folder_uid: agreed(parts, |status| &status.folder_uid),
        group: agreed(parts, |status| &status.group),
        url: agreed(parts, |status| &status.url),
        state_message: in_it().find_map(|(_, status)| status.state_message.clone()),
        state_since: earliest(in_it().filter_map(|(_, status)| status.state_since.as_ref())),
        drift: drift(parts, |status| &status.drift),
        state,
        ..AlertRuleStatus::default()
    }
}

/// A ContactPoint's.
pub fn contact_point(parts: Parts<'_, ContactPointStatus>) -> ContactPointStatus {
    let sent = || parts.iter().filter(|(_, status)| status.delivery.is_some());
    let is_failing = |status: &ContactPointStatus| status.delivery.as_deref() != Some(DELIVERED);
    let failing = sent().find(|(_, status)| is_failing(status));
    let told =
        failing.or_else(|| sent().max_by_key(|(_, status)| status.last_sent.as_ref().map(|sent| sent.0)));
    ContactPointStatus {
        name: agreed(parts, |status| &status.name),
        types: agreed(parts, |status| &status.types),
        url: agreed(parts, |status| &status.url),
        resent: agreed(parts, |status| &status.resent),
        delivery: told.and_then(|(instance, status)| {
            let delivery = status.delivery.as_deref()?;
            let is_one = failing.is_none();
            Some(if is_one {
                delivery.to_owned()
            } else {
                says(instance, delivery)
            })
        }),
        last_sent: told.and_then(|(_, status)| status.last_sent.clone()),
        drift: drift(parts, |status| &status.drift),
        ..ContactPointStatus::default()
    }
}

/// A NotificationPolicy's.
pub fn policy(parts: Parts<'_, NotificationPolicyStatus>) -> NotificationPolicyStatus {
    NotificationPolicyStatus {
        receiver: agreed(parts, |status| &status.receiver),
        routes: agreed(parts, |status| &status.routes),
        branches: agreed(parts, |status| &status.branches),
        root: agreed(parts, |status| &status.root),
        position: agreed(parts, |status| &status.position),
        url: agreed(parts, |status| &status.url),
        drift: drift(parts, |status| &status.drift),
        ..NotificationPolicyStatus::default()
    }
}

/// A TimeInterval's.
pub fn time_interval(parts: Parts<'_, TimeIntervalStatus>) -> TimeIntervalStatus {
    TimeIntervalStatus {
        name: agreed(parts, |status| &status.name),
        url: agreed(parts, |status| &status.url),
        drift: drift(parts, |status| &status.drift),
        ..TimeIntervalStatus::default()
    }
}

/// A NotificationTemplate's.
pub fn template(parts: Parts<'_, NotificationTemplateStatus>) -> NotificationTemplateStatus {
    NotificationTemplateStatus {
        name: agreed(parts, |status| &status.name),
        url: agreed(parts, |status| &status.url),
        drift: drift(parts, |status| &status.drift),
        ..NotificationTemplateStatus::default()
    }
}

/// An InhibitionRule's.
pub fn inhibition_rule(parts: Parts<'_, InhibitionRuleStatus>) -> InhibitionRuleStatus {
    InhibitionRuleStatus {
        name: agreed(parts, |status| &status.name),
        drift: drift(parts, |status| &status.drift),
        ..InhibitionRuleStatus::default()
    }
}

/// A Silence's: from when it begins anywhere to when it has ended everywhere, with the alerts of all.
pub fn silence(parts: Parts<'_, SilenceStatus>) -> SilenceStatus {
    let all = || parts.iter().map(|(_, status)| *status);
    let alerts: Vec<i64> = all().filter_map(|status| status.matches_alerts).collect();
    SilenceStatus {
        id: agreed(parts, |status| &status.id),
        state: worst(parts, &SILENCED, |status| status.state.as_deref()),
        starts_at: earliest(all().filter_map(|status| status.starts_at.as_ref())),
        ends_at: all()
            .filter_map(|status| status.ends_at.clone())
            .max_by_key(|time| time.0),
        matches_rules: all().filter_map(|status| status.matches_rules).max(),
        matches_alerts: (!alerts.is_empty()).then(|| alerts.iter().sum()),
        matchers: agreed(parts, |status| &status.matchers),
        drift: drift(parts, |status| &status.drift),
        ..SilenceStatus::default()
    }
}

/// What all of them say who say something; nothing where they differ.
fn agreed<S, T: Clone + Default + PartialEq>(parts: Parts<'_, S>, of: impl Fn(&S) -> &T) -> T {
    let nothing = T::default();
    let mut said = parts
        .iter()
        .map(|(_, status)| of(status))
        .filter(|said| **said != nothing);
    let first = said.next().cloned().unwrap_or_default();
    if said.all(|other| *other == first) {
        first
    } else {
        nothing
    }
}

fn worst<S>(parts: Parts<'_, S>, order: &[&str], state: impl Fn(&S) -> Option<&str>) -> Option<String> {
    let is_there = |word: &&&str| parts.iter().any(|(_, status)| state(status) == Some(**word));
    order.iter().find(is_there).map(|word| (*word).to_owned())
}

fn earliest<'a>(times: impl Iterator<Item = &'a Time>) -> Option<Time> {
    times.min_by_key(|time| time.0).cloned()
}

/// What has drifted in which Grafana.
fn drift<S>(parts: Parts<'_, S>, of: impl Fn(&S) -> &Vec<String>) -> Vec<String> {
    let each = parts.iter().flat_map(|(instance, status)| {
        let fields = of(status).iter();
        fields.map(move |field| format!("{instance}: {field}"))
    });
    each.collect()
}

#[cfg(test)]
#[path = "together_tests.rs"]
mod tests;
