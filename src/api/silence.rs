//! Silence: one silence in Grafana, its whole life.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Deserializer, Serialize};

use super::duration::Duration;
use super::matcher::MatcherText;
use super::reference::{At, DeletionPolicy};
use super::schema;
use crate::json::moment;

/// A silence: no notifications for what it covers, from its start to its end.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "Silence",
    plural = "silences",
    shortname = "sil",
    category = "alerting",
    namespaced,
    status = "SilenceStatus",
    derive = "PartialEq",
    doc = "A silence in Grafana: no notifications for what it covers, from its start to its end.",
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Ends", type_ = "string", json_path = ".status.endsAt"),
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
    printcolumn(name = "Rules", type_ = "integer", json_path = ".status.matchesRules"),
    printcolumn(name = "Alerts", type_ = "integer", json_path = ".status.matchesAlerts"),
    printcolumn(name = "Comment", type_ = "string", json_path = ".spec.comment", priority = 1),
    printcolumn(name = "ID", type_ = "string", json_path = ".status.id", priority = 1),
    printcolumn(name = "Drift", type_ = "string", json_path = ".status.drift", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    selectable = ".spec.instance",
    selectable = ".status.state"
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.endsAt) != has(self.duration)")
        .message("give exactly one of endsAt and duration"),
    validation = Rule::new("(has(self.matchers) && self.matchers.size() > 0) || has(self.alertRules)")
        .message("a silence needs matchers or alertRules"),
    validation = Rule::new("!has(self.endsAt) || !has(self.startsAt) || self.startsAt < self.endsAt")
        .message("endsAt must be after startsAt")
        .field_path(".endsAt")
)]
pub struct SilenceSpec {
    /// The GrafanaInstance that holds the silence. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// The GrafanaInstances that hold the silence, at most 16, where there are several, instead of `instance`. A name may be added, and one that is taken out is cleaned up there as `deletionPolicy` says. Default: the one that `instance` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253)))]
    pub instances: Option<Vec<String>>,
    /// What happens in Grafana when this resource is deleted: `Delete` (default, or as the instance says) expires the silence, `Orphan` leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// `true` leaves Grafana as it is, whatever changes here, until it is unset. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// Alertmanager matchers on the alerts' labels, all of which must hold: `severity!="critical"`, `team=~"web|api"`. Default: none; `alertRules` is
    /// given then.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = MOST_MATCHERS))]
    pub matchers: Vec<MatcherText>,
    /// The AlertRule resources of this namespace whose alerts are covered, also their NoData and Error alerts. Default: every rule that `matchers` reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_rules: Option<AlertRuleSelector>,
    /// When the silence starts, for example `2026-03-01T06:00:00Z`. Default: when the resource was created.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "time")]
    #[schemars(extend("pattern" = moment::PATTERN))]
    pub starts_at: Option<Time>,
    /// When it ends, for example `2026-03-01T08:00:00Z`; a later time lengthens the silence, one in the past ends it. Default: none; it or `duration` is given.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "time")]
    #[schemars(extend("pattern" = moment::PATTERN))]
    pub ends_at: Option<Time>,
    /// How long it lasts, instead of `endsAt`, for example `2h` or `1d12h`. Default: none; it or `endsAt` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Duration>,
    /// Why; people read it in Grafana. Default: names the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub comment: Option<String>,
    /// Deletes this resource so long after the silence has ended. Default: it stays. Under GitOps leave it unset: the resource would be created again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_after_expiry: Option<Duration>,
}

fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
    Ok(moment::optional(from)?.map(Time))
}

/// How many matchers a silence may have.
pub const MOST_MATCHERS: usize = 64;

/// How many AlertRules a silence may name.
pub const MOST_NAMES: usize = 256;

/// The state of a silence that Grafana holds and that has begun.
pub const ACTIVE: &str = "Active";

/// The state of a silence that Grafana holds and that has yet to begin.
pub const PENDING: &str = "Pending";

/// The state of a silence that is over, or that somebody has ended in Grafana.
pub const EXPIRED: &str = "Expired";

/// Which AlertRules of the namespace.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.names), has(self.matchLabels), has(self.all)].filter(x, x).size() == 1")
        .message("give exactly one of names, matchLabels and all"),
    validation = Rule::new("!has(self.all) || self.all").message("all can only be true; leave it out otherwise")
)]
pub struct AlertRuleSelector {
    /// AlertRule resources by name, for example `high-error-rate`; one that isn't there yet is covered as soon as it is. Default: none; one of
    /// `names`, `matchLabels` and `all` is given.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(min = 1, max = MOST_NAMES), inner(length(min = 1, max = 253)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub names: Vec<String>,
    /// AlertRule resources that carry all these labels on the resource. Default: none; one of `names`, `matchLabels` and `all` is given.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 16, "additionalProperties" = {"type": "string", "maxLength": 63}))]
    #[x_kube(
        validation = Rule::new("self.all(k, k.matches('^([a-z0-9]([-.a-z0-9]*[a-z0-9])?/)?[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?$') && self[k].matches('^([A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?)?$'))")
            .message("no object can have such a label: keys and values consist of letters, digits, dashes, dots and underscores, with a letter or digit at both ends; a key may have a domain and a slash in front")
    )]
    pub match_labels: BTreeMap<String, String>,
    /// `true` selects every AlertRule of the namespace. Default: none; one of `names`, `matchLabels` and `all` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
}

/// What became of the silence.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct SilenceStatus {
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
    /// The silence's id in Grafana. It stays while the matchers do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Pending, Active or Expired; Expired too where somebody has ended it in Grafana and `driftPolicy: Report` leaves that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// When it starts or has started.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "time")]
    pub starts_at: Option<Time>,
    /// When it ends or has ended.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "time")]
    pub ends_at: Option<Time>,
    /// How many AlertRules it covered when it was last written, or when the first of them came after it: of those that it selects, the ones whose own labels contradict no matcher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches_rules: Option<i64>,
    /// How many alerts it covered when it was last written or became active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches_alerts: Option<i64>,
    /// The matchers as Grafana holds them.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub matchers: Vec<String>,
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
