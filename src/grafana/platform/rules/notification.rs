//! Where the alerts of a rule go, past the policy tree: to a contact point, or through another tree.

use serde::{Deserialize, Serialize};

use crate::grafana::model::NotificationSettings;
use crate::grafana::wire::null_as_default;

/// That a contact point is named. `v0alpha1` may leave the type out then.
const SIMPLIFIED: &str = "SimplifiedRouting";

/// That a policy tree is named.
const NAMED_TREE: &str = "NamedRoutingTree";

/// Either of two; which, the type says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Notification {
    r#type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    receiver: String,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    group_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_wait: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_interval: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeat_interval: Option<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    mute_time_intervals: Vec<String>,
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    active_time_intervals: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    routing_tree: Option<String>,
}

impl Notification {
    /// Settings as they are sent.
    pub(super) fn of(settings: &NotificationSettings) -> Self {
        Self {
            r#type: if settings.policy.is_some() {
                NAMED_TREE
            } else {
                SIMPLIFIED
            }
            .to_owned(),
            receiver: settings.receiver.clone(),
            group_by: settings.group_by.clone(),
            group_wait: settings.group_wait.clone(),
            group_interval: settings.group_interval.clone(),
            repeat_interval: settings.repeat_interval.clone(),
            mute_time_intervals: settings.mute_time_intervals.clone(),
            active_time_intervals: settings.active_time_intervals.clone(),
            routing_tree: settings.policy.clone(),
        }
    }

    /// Settings that were read.
    pub(super) fn settings(self) -> NotificationSettings {
        NotificationSettings {
            receiver: self.receiver,
            group_by: self.group_by,
            group_wait: self.group_wait,
            group_interval: self.group_interval,
            repeat_interval: self.repeat_interval,
            mute_time_intervals: self.mute_time_intervals,
            active_time_intervals: self.active_time_intervals,
            policy: self.routing_tree,
        }
    }
}
