//! NotificationPolicy: a tree that routes alerts to contact points.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::super::duration::{Duration, MORE_THAN_0, MORE_THAN_0_SAID};
use super::super::matcher::MatcherText;
use super::super::reference::{At, DeletionPolicy, ReceiverRef, TimeIntervalRef};
use super::super::schema;
use super::nested;

pub use nested::MAX_DEPTH;

/// A notification policy tree of one Grafana, or a branch of one.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "NotificationPolicy",
    plural = "notificationpolicies",
    shortname = "npolicy",
    category = "alerting",
    namespaced,
    status = "NotificationPolicyStatus",
    derive = "PartialEq",
    doc = "A notification policy tree of one Grafana, or a branch of one: which alerts go to which contact points.",
    printcolumn(name = "Receiver", type_ = "string", json_path = ".status.receiver"),
    printcolumn(name = "Routes", type_ = "integer", json_path = ".status.routes"),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Tree", type_ = "string", json_path = ".spec.tree", priority = 1),
    printcolumn(name = "Root", type_ = "string", json_path = ".status.root", priority = 1),
    printcolumn(
        name = "Position",
        type_ = "integer",
        json_path = ".status.position",
        priority = 1
    ),
    printcolumn(
        name = "Branches",
        type_ = "integer",
        json_path = ".status.branches",
        priority = 1
    ),
    printcolumn(name = "Drift", type_ = "string", json_path = ".status.drift", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    selectable = ".spec.instance"
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.receiver) != has(self.receiverRef)")
        .message("give exactly one of receiver and receiverRef"),
    validation = Rule::new("has(self.parentRef) == has(oldSelf.parentRef)")
        .message("a root can't become a branch, nor a branch a root: delete the resource and create it anew")
        .field_path(".parentRef"),
    validation = Rule::new("!has(self.tree) || !has(self.parentRef)")
        .message("a branch stands in the tree of its root: leave tree out")
        .field_path(".tree"),
    validation = Rule::new("(has(self.tree) ? self.tree : '') == (has(oldSelf.tree) ? oldSelf.tree : '')")
        .message("tree is immutable: make another resource with the other tree, have the rules go through that, and delete this one")
        .field_path(".tree"),
    validation = Rule::new("has(self.parentRef) || !(has(self.priority) || has(self.exclusive) || (has(self.matchers) && self.matchers.size() > 0))")
        .message("matchers, priority and exclusive belong to a branch, which names its root in parentRef; a root takes every alert"),
    validation = Rule::new("has(self.parentRef) || (!has(self.muteTimeIntervals) || self.muteTimeIntervals.size() == 0) && (!has(self.muteTimeIntervalRefs) || self.muteTimeIntervalRefs.size() == 0) && (!has(self.activeTimeIntervals) || self.activeTimeIntervals.size() == 0) && (!has(self.activeTimeIntervalRefs) || self.activeTimeIntervalRefs.size() == 0)")
        .message("a root is always active: name time intervals in its routes, or in a branch, which names its root in parentRef")
)]
pub struct NotificationPolicySpec {
    /// The GrafanaInstance whose tree this is, or is a branch of. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// The GrafanaInstances whose trees this is, or is a branch of, at most 16, where there are several, instead of `instance`. A name may be added, and one that is taken out is cleaned up there as `deletionPolicy` says. Default: the one that `instance` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253)))]
    pub instances: Option<Vec<String>>,
    /// What happens in Grafana when this resource is deleted: `Delete` (default, or as the instance says) restores the tree that was there before, `Orphan` leaves this one. A branch goes with the next write of its tree either way; `Orphan` doesn't wait for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// `true` leaves Grafana as it is, whatever changes here, until it is unset. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The root whose branch this is, so that a team owns its own routes: they stand before those of the root, and get alerts of this namespace's AlertRules alone. Default: none, then this is a root: a policy tree of its instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_ref: Option<ParentRef>,
    /// Of a root: the policy tree of this name, beside the default one: the alerts of rules that name it go through it and past the default one. At most 40 characters, small letters, digits, `-` and `.`, as Grafana asks; it has several trees since 13.2, and since 13.0 with its feature toggle `alertingMultiplePolicies`. Immutable. Default: the default tree, which all other alerts go through.
    // The rule is that of `validateManagedRouteName` in `pkg/services/ngalert/notifier/legacy_storage/routes.go`, of 2026.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')")
            .message("a tree has small letters, digits, - and . in its name, and begins and ends each part with a letter or digit"),
        validation = Rule::new("!(self in ['user-defined', 'default'])")
            .message("this is what Grafana calls the default tree: leave tree out for that one")
    )]
    pub tree: Option<String>,
    /// Of a branch: Alertmanager matchers that its alerts must match, all of them: `severity="critical"`. Default: every alert of its namespace.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32))]
    pub matchers: Vec<MatcherText>,
    /// Of a branch: one with a higher priority stands before one with a lower one; those of the same stand by namespace, then by name. Default: `0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Of a branch: `true` keeps what it gets from the branches behind it and from the root's own routes. Default: `false`, they get it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
    /// The ContactPoint of this namespace that gets what no route takes. Default: none; it or `receiverRef` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub receiver: Option<String>,
    /// A ContactPoint of another namespace, or a contact point that isn't a resource, that gets what no route takes. Default: none; it or `receiver` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver_ref: Option<ReceiverRef>,
    /// Labels whose values make a notification of their own; `...` alone means all labels. Default: Grafana's own; of a branch: as its root.
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
    /// How long to wait for further alerts of a new group. Default: `30s`; of a branch: as its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<Duration>,
    /// How long to wait before news of a group are sent, more than 0. Default: `5m`; of a branch: as its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(MORE_THAN_0).message(MORE_THAN_0_SAID))]
    pub group_interval: Option<Duration>,
    /// When a notification is repeated, more than 0. Default: `4h`; of a branch: as its root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(MORE_THAN_0).message(MORE_THAN_0_SAID))]
    pub repeat_interval: Option<Duration>,
    /// Of a branch: TimeIntervals of this namespace in which nothing is sent. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)))]
    pub mute_time_intervals: Vec<String>,
    /// Of a branch: TimeIntervals of other namespaces, or time intervals that aren't resources, in which nothing is sent. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32))]
    pub mute_time_interval_refs: Vec<TimeIntervalRef>,
    /// Of a branch: TimeIntervals of this namespace outside of which nothing is sent; Grafana has them since 12.1. Default: none, so it is always sent.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32), inner(length(min = 1, max = 253)))]
    pub active_time_intervals: Vec<String>,
    /// Of a branch: TimeIntervals of other namespaces, or time intervals that aren't resources, outside of which nothing is sent; Grafana has them since 12.1. Default: none, so it is always sent.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32))]
    pub active_time_interval_refs: Vec<TimeIntervalRef>,
    /// Routes, tried in this order; the first that matches takes the alert unless it says `continue`. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "top_routes")]
    pub routes: Vec<Route>,
}

/// The root of a branch.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Name of a NotificationPolicy without `parentRef`, for the same GrafanaInstance.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Its namespace; its owner allows that by the annotation `alerting.letsrevel.io/shared-with`. Default: this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub namespace: Option<String>,
}

/// One route.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!(has(self.receiver) && has(self.receiverRef))")
        .message("give receiver or receiverRef, not both")
)]
pub struct Route {
    /// Alertmanager matchers, all of which must hold: `severity="critical"`, `team=~"web|api"`. Default: every alert.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32))]
    pub matchers: Vec<MatcherText>,
    /// The ContactPoint of this namespace that gets the alerts. Default: as the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub receiver: Option<String>,
    /// A ContactPoint of another namespace, or a contact point that isn't a resource, that gets the alerts. Default: as the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver_ref: Option<ReceiverRef>,
    /// `true` goes on to the routes behind this one (never to the parent). Default: `false`.
    #[serde(default, rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continue_: Option<bool>,
    /// Labels whose values make a notification of their own; `...` alone means all labels. Default: as the parent.
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
    /// How long to wait for further alerts of a new group. Default: as the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<Duration>,
    /// How long to wait before news of a group are sent, more than 0. Default: as the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(MORE_THAN_0).message(MORE_THAN_0_SAID))]
    pub group_interval: Option<Duration>,
    /// When a notification is repeated, more than 0. Default: as the parent.
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
    /// TimeIntervals of other namespaces, or time intervals that aren't resources, outside of which nothing is sent; Grafana has them since 12.1. Default: none, so it is always sent.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 32))]
    pub active_time_interval_refs: Vec<TimeIntervalRef>,
    /// Routes below this one. Default: none.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "no_routes")]
    pub routes: Vec<Route>,
}

fn top_routes(generator: &mut SchemaGenerator) -> Schema {
    nested::routes::<Route>(generator, MAX_DEPTH)
}

fn no_routes(generator: &mut SchemaGenerator) -> Schema {
    nested::routes::<Route>(generator, 0)
}

/// What became of the policy.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct NotificationPolicyStatus {
    /// The generation of the specification that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of the annotation `alerting.letsrevel.io/reconcile-at` that was handled last: a pass has read Grafana for it, or found what is wrong with the resource. A request stands while Grafana can't be asked, and while the resource is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// Ready, and while they hold Reconciling and Stalled.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
    /// Name in Grafana of the contact point that gets what no route takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// How many routes it has, nested ones included; of a root: without its branches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<i64>,
    /// Of a root: how many branches its tree in Grafana has. Unset while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branches: Option<i64>,
    /// Of a branch: the root that holds it in Grafana, as `namespace/name`. Unset while none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Of a branch: its place among the branches of its root, from 1. Unset while no root holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Where to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Fingerprint of what was stored in Grafana last. It tells a change that is made there from another specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// What of it somebody has changed in Grafana, where the instance's `driftPolicy: Report` leaves that; `deleted` where it is gone from there.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub drift: Vec<String>,
    /// What became of it in each of its GrafanaInstances, where there are several, and in one that it leaves.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(schema_with = "schema::list_of_statuses")]
    pub instances: Vec<At<Self>>,
}
