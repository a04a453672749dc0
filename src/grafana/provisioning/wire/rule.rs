//! Alert rules and their groups.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::grafana::api::OWNER_LABEL;
use crate::grafana::model;
use crate::grafana::wire::null_as_default;

/// What the name of a group begins with that stands for none: a rule that `/apis` has made is shown here in a group of its own, whose name
/// ends with its uid. It stays in it, and nothing joins it (`NoGroupRuleGroup` in Grafana's models; 12.0 and later).
const NO_GROUP: &str = "no_group_for_rule_";

/// The group of a rule that is shown here in the group of this name.
fn group_of(uid: &str, name: String) -> Option<String> {
    Some(name).filter(|name| name.strip_prefix(NO_GROUP) != Some(uid))
}

/// The name under which this API has the group of a rule.
pub(in super::super) fn name_of(uid: &str, group: Option<&str>) -> String {
    group.map_or_else(|| format!("{NO_GROUP}{uid}"), str::to_owned)
}

/// One alert rule (`ProvisionedAlertRule`). Fields that an old Grafana does not know are left out while they are `None`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Rule {
    pub(in super::super) uid: String,
    #[serde(rename = "folderUID")]
    pub(in super::super) folder_uid: String,
    #[serde(rename = "ruleGroup")]
    pub(in super::super) group: String,
    pub(in super::super) title: String,
    pub(in super::super) condition: String,
    #[serde(deserialize_with = "null_as_default")]
    pub(in super::super) data: Vec<Query>,
    pub(in super::super) no_data_state: String,
    pub(in super::super) exec_err_state: String,
    pub(in super::super) r#for: String,
    #[serde(rename = "keep_firing_for", skip_serializing_if = "Option::is_none")]
    pub(in super::super) keep_firing_for: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) missing_series_evals_to_resolve: Option<i64>,
    #[serde(deserialize_with = "null_as_default")]
    pub(in super::super) annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_as_default")]
    pub(in super::super) labels: BTreeMap<String, String>,
    pub(in super::super) is_paused: bool,
    #[serde(rename = "notification_settings", skip_serializing_if = "Option::is_none")]
    pub(in super::super) notification_settings: Option<NotificationSettings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) record: Option<Record>,
    /// Only read.
    #[serde(skip_serializing)]
    pub(in super::super) provenance: Option<String>,
}

impl Rule {
    /// The rule as it is sent into the group that has this name here.
    pub(in super::super) fn sent(rule: &model::AlertRule, group: String) -> Self {
        Self {
            uid: rule.uid.clone(),
            folder_uid: rule.folder_uid.clone(),
            group,
            title: rule.title.clone(),
            condition: rule.condition.clone(),
            data: rule.data.iter().map(Query::from).collect(),
            no_data_state: state(&rule.no_data_state, "NoData"),
            exec_err_state: state(&rule.exec_err_state, "Error"),
            r#for: rule.r#for.clone(),
            keep_firing_for: rule.keep_firing_for.clone(),
            missing_series_evals_to_resolve: rule.missing_series_evals_to_resolve,
            annotations: rule.annotations.clone(),
            labels: rule.labels.clone(),
            is_paused: rule.is_paused,
            notification_settings: rule.notification_settings.as_ref().map(Into::into),
            record: rule.record.as_ref().map(Into::into),
            provenance: None,
        }
    }

    /// The rule that was read, given the interval of its group.
    pub(in super::super) fn found(self, interval: Duration) -> model::AlertRule {
        model::AlertRule {
            group: group_of(&self.uid, self.group),
            uid: self.uid,
            folder_uid: self.folder_uid,
            interval,
            title: self.title,
            condition: self.condition,
            data: self.data.into_iter().map(Into::into).collect(),
            no_data_state: self.no_data_state,
            exec_err_state: self.exec_err_state,
            r#for: self.r#for,
            keep_firing_for: self.keep_firing_for,
            missing_series_evals_to_resolve: self.missing_series_evals_to_resolve,
            annotations: self.annotations,
            labels: self.labels,
            is_paused: self.is_paused,
            notification_settings: self.notification_settings.map(Into::into),
            record: self.record.map(Into::into),
            provenance: self.provenance,
        }
    }
}

/// A state as it is sent. A recording rule has none, and a group's write takes an empty one for the one that was there.
fn state(own: &str, otherwise: &str) -> String {
    if own.is_empty() { otherwise } else { own }.to_owned()
}

/// What a recording rule writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct Record {
    metric: String,
    from: String,
    /// 12.0 and later.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_datasource_uid: Option<String>,
}

impl From<&model::Record> for Record {
    fn from(record: &model::Record) -> Self {
        Self {
            metric: record.metric.clone(),
            from: record.from.clone(),
            target_datasource_uid: record.target.clone(),
        }
    }
}

impl From<Record> for model::Record {
    fn from(record: Record) -> Self {
        let target = record.target_datasource_uid;
        Self {
            metric: record.metric,
            from: record.from,
            target: target.filter(|uid| !uid.is_empty()),
        }
    }
}

/// Where the alerts of one rule go, past the policy tree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct NotificationSettings {
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
    policy: Option<String>,
}

impl From<&model::NotificationSettings> for NotificationSettings {
    fn from(settings: &model::NotificationSettings) -> Self {
        Self {
            receiver: settings.receiver.clone(),
            group_by: settings.group_by.clone(),
            group_wait: settings.group_wait.clone(),
            group_interval: settings.group_interval.clone(),
            repeat_interval: settings.repeat_interval.clone(),
            mute_time_intervals: settings.mute_time_intervals.clone(),
            active_time_intervals: settings.active_time_intervals.clone(),
            policy: settings.policy.clone(),
        }
    }
}

impl From<NotificationSettings> for model::NotificationSettings {
    fn from(settings: NotificationSettings) -> Self {
        Self {
            receiver: settings.receiver,
            group_by: settings.group_by,
            group_wait: settings.group_wait,
            group_interval: settings.group_interval,
            repeat_interval: settings.repeat_interval,
            mute_time_intervals: settings.mute_time_intervals,
            active_time_intervals: settings.active_time_intervals,
            policy: settings.policy,
        }
    }
}

/// One query or expression of a rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in super::super) struct Query {
    ref_id: String,
    #[serde(rename = "queryType")]
    kind: String,
    relative_time_range: RelativeTimeRange,
    datasource_uid: String,
    model: Value,
}

/// A span of time before now, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct RelativeTimeRange {
    from: i64,
    to: i64,
}

impl From<&model::Query> for Query {
    fn from(query: &model::Query) -> Self {
        let model::RelativeTimeRange { from, to } = query.relative_time_range;
        Self {
            ref_id: query.ref_id.clone(),
            kind: query.query_type.clone(),
            relative_time_range: RelativeTimeRange { from, to },
            datasource_uid: query.datasource_uid.clone(),
            model: query.model.clone(),
        }
    }
}

impl From<Query> for model::Query {
    fn from(query: Query) -> Self {
        let RelativeTimeRange { from, to } = query.relative_time_range;
        Self {
            ref_id: query.ref_id,
            query_type: query.kind,
            relative_time_range: model::RelativeTimeRange { from, to },
            datasource_uid: query.datasource_uid,
            model: query.model,
        }
    }
}

/// A group as it is read: what its rules say beyond this is left unread.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct RuleGroup {
    /// Seconds between evaluations.
    pub(in super::super) interval: u64,
    #[serde(deserialize_with = "null_as_default")]
    pub(in super::super) rules: Vec<Member>,
}

/// A rule of a group.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Member {
    pub(in super::super) uid: String,
    #[serde(deserialize_with = "null_as_default")]
    labels: BTreeMap<String, String>,
}

impl Member {
    /// Whose it is, as its label says.
    pub(in super::super) fn mark(&self) -> Option<&str> {
        self.labels.get(OWNER_LABEL).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_reads_as_it_was_sent_but_for_what_only_grafana_says() {
        let rule = model::AlertRule {
            uid: "aw-1".to_owned(),
            folder_uid: "f".to_owned(),
            group: Some("g".to_owned()),
            interval: Duration::from_secs(90),
            title: "T".to_owned(),
            condition: "A".to_owned(),
            data: vec![model::Query {
                ref_id: "A".to_owned(),
                query_type: "instant".to_owned(),
                relative_time_range: model::RelativeTimeRange { from: 600, to: 60 },
                datasource_uid: "loki".to_owned(),
                model: json!({"expr": "x"}),
            }],
            no_data_state: "OK".to_owned(),
            exec_err_state: "Error".to_owned(),
            r#for: "5m".to_owned(),
            keep_firing_for: Some("1m".to_owned()),
            missing_series_evals_to_resolve: Some(3),
            annotations: [("summary".to_owned(), "s".to_owned())].into(),
            labels: [("team".to_owned(), "web".to_owned())].into(),
            is_paused: true,
            notification_settings: Some(model::NotificationSettings {
                receiver: "pager".to_owned(),
                group_by: vec!["team".to_owned()],
                group_wait: Some("1s".to_owned()),
                group_interval: Some("2s".to_owned()),
                repeat_interval: Some("3s".to_owned()),
                mute_time_intervals: vec!["nights".to_owned()],
                active_time_intervals: vec!["days".to_owned()],
                policy: None,
            }),
            record: Some(model::Record {
                metric: "m".to_owned(),
                from: "A".to_owned(),
                target: Some("prom".to_owned()),
            }),
            provenance: None,
        };
        let sent = serde_json::to_value(Rule::sent(&rule, "g".to_owned())).unwrap();
        assert_eq!(
            sent,
            json!({
                "uid": "aw-1", "folderUID": "f", "ruleGroup": "g", "title": "T", "condition": "A", "noDataState": "OK",
                "execErrState": "Error", "for": "5m", "keep_firing_for": "1m", "missingSeriesEvalsToResolve": 3, "isPaused": true,
                "annotations": {"summary": "s"}, "labels": {"team": "web"},
                "data": [{
                    "refId": "A", "queryType": "instant", "relativeTimeRange": {"from": 600, "to": 60}, "datasourceUid": "loki",
                    "model": {"expr": "x"},
                }],
                "notification_settings": {
                    "receiver": "pager", "group_by": ["team"], "group_wait": "1s", "group_interval": "2s", "repeat_interval": "3s",
                    "mute_time_intervals": ["nights"], "active_time_intervals": ["days"],
                },
                "record": {"metric": "m", "from": "A", "target_datasource_uid": "prom"},
            })
        );
        let read: Rule = serde_json::from_value(sent).unwrap();
        assert_eq!(read.found(rule.interval), rule);
    }

    #[test]
    fn a_policy_tree_is_sent_by_its_name_and_without_a_contact_point() {
        let settings = model::NotificationSettings {
            policy: Some("other".to_owned()),
            ..model::NotificationSettings::default()
        };
        let sent = serde_json::to_value(NotificationSettings::from(&settings)).unwrap();
        assert_eq!(sent, json!({"receiver": "", "policy": "other"}));
        let read: NotificationSettings = serde_json::from_value(sent).unwrap();
        assert_eq!(model::NotificationSettings::from(read), settings);
    }

    #[test]
    fn the_group_that_stands_for_none_is_none_and_only_that_of_the_rule_itself() {
        let group = |uid: &str, name: &str| group_of(uid, name.to_owned());
        assert_eq!(group("a", "no_group_for_rule_a"), None);
        assert_eq!(name_of("a", None), "no_group_for_rule_a");
        for other in ["no_group_for_rule_b", "no_group_for_rule_", "a", "g"] {
            assert_eq!(group("a", other).as_deref(), Some(other));
            assert_eq!(name_of("a", Some(other)), other);
        }
    }
}
