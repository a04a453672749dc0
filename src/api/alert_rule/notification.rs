//! Where the alerts of one rule go, past the default policy tree.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::super::duration::{Duration, MORE_THAN_0, MORE_THAN_0_SAID};
use super::super::reference::{PolicyRef, ReceiverRef, TimeIntervalRef};
use super::super::schema;

/// Where the alerts of this rule go, past the default policy tree: to a contact point, or through another tree. Exactly one of `receiver`, `receiverRef`,
/// `policy` and `policyRef`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.receiver), has(self.receiverRef), has(self.policy), has(self.policyRef)].filter(x, x).size() == 1")
        .message("give exactly one of receiver, receiverRef, policy and policyRef"),
    validation = Rule::new("!(has(self.policy) || has(self.policyRef)) || !(has(self.groupWait) || has(self.groupInterval) || has(self.repeatInterval) || (has(self.groupBy) && self.groupBy.size() > 0) || (has(self.muteTimeIntervals) && self.muteTimeIntervals.size() > 0) || (has(self.muteTimeIntervalRefs) && self.muteTimeIntervalRefs.size() > 0) || (has(self.activeTimeIntervals) && self.activeTimeIntervals.size() > 0) || (has(self.activeTimeIntervalRefs) && self.activeTimeIntervalRefs.size() > 0))")
        .message("a policy tree says itself how and when it notifies: policy and policyRef go without groupBy, groupWait, groupInterval, repeatInterval and time intervals")
)]
pub struct NotificationSettings {
    /// The ContactPoint of this namespace that gets the rule's alerts. Default: none; one of `receiver`, `receiverRef`, `policy` and `policyRef` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub receiver: Option<String>,
    /// A ContactPoint of another namespace, or a contact point that isn't a resource, that gets the rule's alerts. Default: none; one of `receiver`, `receiverRef`,
    /// `policy` and `policyRef` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver_ref: Option<ReceiverRef>,
    /// The NotificationPolicy of this namespace whose tree the rule's alerts go through instead of the default one: a root with `tree`. It says itself how and
    /// when it notifies, so it goes with none of the fields below (Grafana 13.2 or newer, or 13.0 with the feature toggle `alertingMultiplePolicies`). Default: none;
    /// one of `receiver`, `receiverRef`, `policy` and `policyRef` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub policy: Option<String>,
    /// A NotificationPolicy of another namespace, or a policy tree that isn't a resource, whose tree the rule's alerts go through, as with `policy`. Default: none;
    /// one of `receiver`, `receiverRef`, `policy` and `policyRef` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_ref: Option<PolicyRef>,
    /// Labels whose values make a notification of their own, besides `alertname` and `grafana_folder`, which always do; `...` alone means all
    /// labels. Default: `[alertname, grafana_folder]`, whatever the root of the policy tree says.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32), inner(length(min = 1, max = 190)))]
    #[x_kube(
        merge_strategy = ListMerge::Set,
        validation = Rule::new("!('...' in self) || self.size() == 1")
            .message("... means all labels and must stand alone")
    )]
    pub group_by: Vec<String>,
    /// How long to wait for further alerts of a new group. Default: as the root of the policy tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<Duration>,
    /// How long to wait before news of a group are sent, more than 0. Default: as the root of the policy tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(MORE_THAN_0).message(MORE_THAN_0_SAID))]
    pub group_interval: Option<Duration>,
    /// When a notification is repeated, more than 0. Default: as the root of the policy tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(MORE_THAN_0).message(MORE_THAN_0_SAID))]
    pub repeat_interval: Option<Duration>,
    /// TimeIntervals of this namespace in which nothing is sent. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)))]
    pub mute_time_intervals: Vec<String>,
    /// TimeIntervals of other namespaces, or time intervals that aren't resources, in which nothing is sent. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32))]
    pub mute_time_interval_refs: Vec<TimeIntervalRef>,
    /// TimeIntervals of this namespace outside of which nothing is sent; Grafana has them since 12.1. Default: none, so it is always sent.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)))]
    pub active_time_intervals: Vec<String>,
    /// TimeIntervals of other namespaces, or time intervals that aren't resources, outside of which nothing is sent; Grafana has them since 12.1.
    /// Default: none, so it is always sent.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32))]
    pub active_time_interval_refs: Vec<TimeIntervalRef>,
}
