//! A contact point for the alerts of one rule, or a policy tree, past the default tree.

use std::collections::BTreeSet;

use super::interval::{self, Interval};
use super::receiver::{self, Target};
use super::timing::{grouping, period};
use crate::api::alert_rule::{self, AlertRuleSpec};
use crate::api::condition::Reason;
use crate::api::reference::PolicyRef;
use crate::domain::refusal::Refusal;
use crate::domain::version::Version;
use crate::grafana::model::NotificationSettings;
use crate::grafana::wire::Toggles;

/// Where it stands in a specification.
pub const FIELD: &str = "spec.notificationSettings";

/// The labels that Grafana groups by whatever is named. Up to 12 it refuses settings that leave them out, later it adds them
/// (`models/notifications.go`).
const ALWAYS_GROUPED: [&str; 2] = ["grafana_folder", "alertname"];

/// All labels.
const ALL_LABELS: &str = "...";

/// A policy tree beside the default one, as a rule names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// That of a NotificationPolicy resource.
    Policy {
        /// Its namespace; `None` for the one of whoever refers to it.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// A tree of Grafana that isn't a resource.
    Grafana {
        /// Its name.
        name: String,
    },
}

/// Where the alerts go, by names in Grafana.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// To a contact point.
    Receiver(String),
    /// Through a policy tree.
    Tree(String),
}

/// The policy tree that the rule's own settings refer to; `None` where it has none.
pub fn tree(spec: &AlertRuleSpec) -> Option<Tree> {
    let settings = spec.notification_settings.as_ref()?;
    let PolicyRef {
        name,
        namespace,
        grafana_name,
    } = match &settings.policy {
        Some(name) => PolicyRef {
            name: Some(name.clone()),
            ..PolicyRef::default()
        },
        None => settings.policy_ref.clone()?,
    };
    match (name, grafana_name) {
        (Some(name), _) => Some(Tree::Policy { namespace, name }),
        (None, Some(name)) => Some(Tree::Grafana { name }),
        (None, None) => None,
    }
}

/// Where the policy tree is written.
pub fn place_of_policy(spec: &AlertRuleSpec) -> String {
    let settings = spec.notification_settings.as_ref();
    let is_name = settings.is_some_and(|settings| settings.policy.is_some());
    let field = if is_name { "policy" } else { "policyRef" };
    format!("{FIELD}.{field}")
}

/// Says of the policy tree that it can't be used where it is written.
pub fn at_policy(spec: &AlertRuleSpec, refusal: Refusal) -> Refusal {
    refusal.at(&format!("{}: ", place_of_policy(spec)))
}

/// Fails where this Grafana has no tree but the default one.
fn refuse_another_tree(spec: &AlertRuleSpec, version: Version, toggles: Toggles) -> Result<(), Refusal> {
    if tree(spec).is_none() || version.has_several_trees(toggles) {
        return Ok(());
    }
    let toggle = if version >= Version::SEVERAL_TREES_BY_TOGGLE {
        "turn on its feature toggle alertingMultiplePolicies, upgrade"
    } else {
        "upgrade"
    };
    let message = format!(
        "Grafana {version} has one policy tree, several since {}; {toggle}, or remove the field and route the alerts by a label in the default tree",
        Version::SEVERAL_TREES
    );
    Err(at_policy(spec, Refusal::new(Reason::Unsupported, message)))
}

/// The contact point that the rule's own settings refer to; `None` where it has none.
pub fn target(spec: &AlertRuleSpec) -> Option<Target> {
    let settings = spec.notification_settings.as_ref()?;
    receiver::target(settings.receiver.as_deref(), settings.receiver_ref.as_ref())
}

/// Every time interval that the rule's own settings refer to.
pub fn intervals(spec: &AlertRuleSpec) -> BTreeSet<Interval> {
    let settings = spec.notification_settings.iter();
    settings
        .flat_map(|settings| interval::all(&timings(settings)).collect::<Vec<_>>())
        .collect()
}

fn timings(settings: &alert_rule::NotificationSettings) -> interval::Timings<'_> {
    interval::timings(
        (&settings.mute_time_intervals, &settings.mute_time_interval_refs),
        (
            &settings.active_time_intervals,
            &settings.active_time_interval_refs,
        ),
    )
}

/// Says of the contact point that it can't be used where it is written.
pub fn at_receiver(spec: &AlertRuleSpec, refusal: Refusal) -> Refusal {
    let settings = spec.notification_settings.as_ref();
    let is_name = settings.is_some_and(|settings| settings.receiver.is_some());
    receiver::at_receiver(refusal, FIELD, is_name)
}

/// Fails where this Grafana has no such settings. In 10.4 they need the feature toggle `alertingSimplifiedRouting`, and without it they are dropped
/// unsaid, as are the time intervals outside of which nothing is sent before 12.1.
pub fn refuse_what_is_too_new(
    spec: &AlertRuleSpec,
    version: Version,
    toggles: Toggles,
) -> Result<(), Refusal> {
    let Some(settings) = &spec.notification_settings else {
        return Ok(());
    };
    if version.has_notification_settings(toggles) {
        refuse_another_tree(spec, version, toggles)?;
        let field = interval::field_of_active(&timings(settings));
        return match field.filter(|_| version < Version::ACTIVE_INTERVALS) {
            Some(field) => Err(interval::too_new(&format!("{FIELD}.{field}"), version)),
            None => Ok(()),
        };
    }
    Err(Refusal::new(
        Reason::Unsupported,
        format!(
            "{FIELD} needs Grafana {since}, or {toggled} with the feature toggle alertingSimplifiedRouting; this one is {version}. Remove the field and route the alerts by a label in a NotificationPolicy, or upgrade Grafana",
            since = Version::NOTIFICATION_SETTINGS,
            toggled = Version::NOTIFICATION_SETTINGS_BY_TOGGLE
        ),
    ))
}

/// The settings as Grafana takes them, with where the alerts go by its name in Grafana. `interval_of` gives a time interval's name there, or says why it
/// can't be used.
pub fn settings(
    spec: &AlertRuleSpec,
    way: Option<Way>,
    mut interval_of: impl FnMut(&Interval) -> Result<String, Refusal>,
) -> Result<Option<NotificationSettings>, Refusal> {
    let Some(settings) = &spec.notification_settings else {
        return Ok(None);
    };
    let receiver = match way {
        None => {
            let message = "give exactly one of receiver, receiverRef, policy and policyRef";
            return Err(Refusal::invalid(FIELD, message));
        }
        // The tree says all else, so Grafana takes nothing beside it.
        Some(Way::Tree(policy)) => {
            return Ok(Some(NotificationSettings {
                policy: Some(policy),
                ..NotificationSettings::default()
            }));
        }
        Some(Way::Receiver(receiver)) => receiver,
    };
    let mut group_by = grouping(&settings.group_by, FIELD)?;
    if !group_by.is_empty() && !group_by.iter().any(|label| label == ALL_LABELS) {
        let missing = ALWAYS_GROUPED.map(str::to_owned);
        let missing = missing
            .into_iter()
            .filter(|label| !settings.group_by.contains(label));
        group_by.extend(missing);
    }
    let field = |name: &str| format!("{FIELD}.{name}");
    let [mute_time_intervals, active_time_intervals] =
        interval::named(FIELD, timings(settings), &mut interval_of)?;
    Ok(Some(NotificationSettings {
        receiver,
        group_by,
        group_wait: period(settings.group_wait.as_ref(), &field("groupWait"), true)?,
        group_interval: period(settings.group_interval.as_ref(), &field("groupInterval"), false)?,
        repeat_interval: period(settings.repeat_interval.as_ref(), &field("repeatInterval"), false)?,
        mute_time_intervals,
        active_time_intervals,
        policy: None,
    }))
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
