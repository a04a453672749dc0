//! The ruler's list of all rules, turned into digests one rule at a time.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::grafana::api::{DEFAULT_INTERVAL, FoundRule, Updated};
use crate::grafana::digest;
use crate::grafana::model::AlertRule;
use crate::grafana::provisioning::wire::{NotificationSettings, Query, Record, Rule};
use crate::grafana::transport::Body;

/// Most rules that are kept of a list. Of empty ones a list of the size that is read could have millions.
const MOST: usize = 100_000;

/// Reads `{"folder title": [{"name", "interval", "rules": [...]}]}`.
pub(super) fn decode(body: Body<'_>) -> serde_json::Result<Vec<FoundRule>> {
    let mut found = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_reader(body);
    (&mut deserializer).deserialize_map(Folders(&mut found))?;
    deserializer.end()?;
    Ok(found)
}

/// The same, each rule whole.
#[cfg(feature = "cli")]
pub(super) fn decode_whole(body: Body<'_>) -> serde_json::Result<Vec<AlertRule>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Group {
        interval: String,
        rules: Option<Vec<Node>>,
    }

    let folders: BTreeMap<String, Vec<Group>> = serde_json::from_reader(body)?;
    let groups = folders.into_values().flatten();
    let rules = groups.flat_map(|group| {
        let interval = digest::duration(&group.interval).unwrap_or(DEFAULT_INTERVAL);
        let nodes = group.rules.into_iter().flatten().filter_map(Node::rule);
        nodes.map(move |rule| AlertRule { interval, ..rule })
    });
    Ok(rules.collect())
}

/// Reads `[{"uid", "title", "folderUID", "ruleGroup", "labels"}]`, the provisioning API's own list, and nothing else of each rule.
#[cfg(feature = "cli")]
pub(super) fn decode_named(body: Body<'_>) -> serde_json::Result<Vec<AlertRule>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Named {
        uid: String,
        title: String,
        #[serde(rename = "folderUID")]
        folder_uid: String,
        #[serde(rename = "ruleGroup")]
        group: Option<String>,
        labels: Option<BTreeMap<String, String>>,
    }

    let all: Vec<Named> = serde_json::from_reader(body)?;
    let rules = all.into_iter().map(|named| AlertRule {
        uid: named.uid,
        title: named.title,
        folder_uid: named.folder_uid,
        group: named.group,
        labels: named.labels.unwrap_or_default(),
        ..AlertRule::default()
    });
    Ok(rules.collect())
}

/// One rule in the ruler's words.
#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    r#for: String,
    #[serde(default)]
    keep_firing_for: Option<String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    grafana_alert: Option<Alert>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Alert {
    uid: String,
    namespace_uid: String,
    rule_group: String,
    title: String,
    condition: String,
    data: Option<Vec<Query>>,
    no_data_state: String,
    exec_err_state: String,
    is_paused: bool,
    provenance: Option<String>,
    notification_settings: Option<NotificationSettings>,
    missing_series_evals_to_resolve: Option<i64>,
    record: Option<Record>,
    updated: Option<String>,
}

impl Node {
    /// A text that is no time says nothing.
    fn updated(&self) -> Updated {
        let text = self
            .grafana_alert
            .as_ref()
            .and_then(|alert| alert.updated.as_deref());
        Updated(text.and_then(|text| text.parse().ok()))
    }

    /// The rule, until the interval of its group is known.
    fn rule(self) -> Option<AlertRule> {
        let alert = self.grafana_alert?;
        let rule = Rule {
            uid: alert.uid,
            folder_uid: alert.namespace_uid,
            group: alert.rule_group,
            title: alert.title,
            condition: alert.condition,
            data: alert.data.unwrap_or_default(),
            no_data_state: alert.no_data_state,
            exec_err_state: alert.exec_err_state,
            r#for: self.r#for,
            keep_firing_for: self.keep_firing_for,
            missing_series_evals_to_resolve: alert.missing_series_evals_to_resolve,
            annotations: self.annotations.unwrap_or_default(),
            labels: self.labels.unwrap_or_default(),
            is_paused: alert.is_paused,
            notification_settings: alert.notification_settings,
            record: alert.record,
            provenance: alert.provenance,
        };
        Some(rule.found(DEFAULT_INTERVAL))
    }
}

/// The whole answer.
struct Folders<'a>(&'a mut Vec<FoundRule>);

impl<'de> Visitor<'de> for Folders<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("folders with their rule groups")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(Groups(self.0))?;
        }
        Ok(())
    }
}

/// The groups of one folder.
struct Groups<'a>(&'a mut Vec<FoundRule>);

impl<'de> DeserializeSeed<'de> for Groups<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Groups<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rule groups")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut groups: A) -> Result<(), A::Error> {
        while groups.next_element_seed(Group(self.0))?.is_some() {}
        Ok(())
    }
}

/// One group.
struct Group<'a>(&'a mut Vec<FoundRule>);

impl<'de> DeserializeSeed<'de> for Group<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Group<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rule group")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let before = self.0.len();
        let mut interval = None;
        while let Some(field) = fields.next_key::<String>()? {
            match field.as_str() {
                "interval" => interval = digest::duration(&fields.next_value::<String>()?),
                "rules" => fields.next_value_seed(Rules(self.0))?,
                _ => drop(fields.next_value::<IgnoredAny>()?),
            }
        }
        if let Some(interval) = interval {
            self.0
                .iter_mut()
                .skip(before)
                .for_each(|rule| rule.interval = interval);
        }
        Ok(())
    }
}

/// The rules of one group.
struct Rules<'a>(&'a mut Vec<FoundRule>);

impl<'de> DeserializeSeed<'de> for Rules<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rules<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rules")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut nodes: A) -> Result<(), A::Error> {
        while let Some(node) = nodes.next_element::<Node>()? {
            if self.0.len() >= MOST {
                return Err(A::Error::custom("too many rules"));
            }
            let updated = node.updated();
            self.0.extend(node.rule().map(|rule| FoundRule {
                updated,
                ..FoundRule::of(&rule)
            }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::grafana::api::{OWNER_LABEL, Provenance};
    use crate::grafana::model;

    fn decode_json(body: &serde_json::Value) -> serde_json::Result<Vec<FoundRule>> {
        decode(Body::new(&mut body.to_string().as_bytes()))
    }

    fn node(uid: &str) -> serde_json::Value {
        json!({
            "expr": "", "for": "5m", "labels": {"severity": "high", OWNER_LABEL: "own/ns/name"}, "annotations": {"summary": "s"},
            "grafana_alert": {
                "id": 1, "orgId": 1, "title": "T", "condition": "A", "updated": "2026-01-01T00:00:00Z", "intervalSeconds": 60,
                "data": [{"refId": "A", "queryType": "", "relativeTimeRange": {"from": 600, "to": 0}, "datasourceUid": "loki",
                          "model": {"expr": "x", "intervalMs": 1000, "maxDataPoints": 43200}}],
                "version": 1, "uid": uid, "namespace_uid": "f", "namespace_id": 1, "rule_group": "g", "no_data_state": "OK",
                "exec_err_state": "Error", "provenance": "api", "is_paused": true,
            },
        })
    }

    #[test]
    fn a_listed_rule_equals_the_one_that_was_written() {
        let found =
            decode_json(&json!({"Folder": [{"name": "g", "interval": "1m30s", "rules": [node("aw-1")]}]}))
                .unwrap();
        let wish = AlertRule {
            uid: "aw-1".to_owned(),
            folder_uid: "f".to_owned(),
            group: Some("g".to_owned()),
            interval: Duration::from_secs(90),
            title: "T".to_owned(),
            condition: "A".to_owned(),
            data: vec![model::Query {
                ref_id: "A".to_owned(),
                relative_time_range: model::RelativeTimeRange { from: 600, to: 0 },
                datasource_uid: "loki".to_owned(),
                model: json!({"expr": "x"}),
                ..model::Query::default()
            }],
            no_data_state: "OK".to_owned(),
            exec_err_state: "Error".to_owned(),
            r#for: "300s".to_owned(),
            annotations: [("summary".to_owned(), "s".to_owned())].into(),
            labels: [("severity", "high"), (OWNER_LABEL, "own/ns/name")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
            is_paused: true,
            ..AlertRule::default()
        };
        assert_eq!(found, [FoundRule::written(&wish, Provenance::Api)]);
        assert_eq!(found[0].owner.as_deref(), Some("own/ns/name"));
    }

    #[test]
    fn a_list_of_more_rules_than_anybody_has_is_not_kept() {
        let rules = |count: usize| {
            let rules = vec![r#"{"grafana_alert":{}}"#; count].join(",");
            decode(Body::new(
                &mut format!(r#"{{"F":[{{"rules":[{rules}]}}]}}"#).as_bytes(),
            ))
        };
        assert_eq!(rules(MOST).unwrap().len(), MOST);
        assert!(rules(MOST + 1).is_err());
    }

    #[cfg(feature = "cli")]
    #[test]
    fn a_whole_rule_is_the_one_that_is_listed_with_the_interval_of_its_group() {
        let body = json!({"F": [{"rules": [node("aw-1"), node("aw-2")], "interval": "1m30s", "name": "g"}], "G": []});
        let whole = decode_whole(Body::new(&mut body.to_string().as_bytes())).unwrap();
        assert_eq!(
            whole.iter().map(FoundRule::of).collect::<Vec<_>>(),
            decode_json(&body).unwrap()
        );
        assert_eq!(whole[1].interval, Duration::from_secs(90));
        assert_eq!(whole[1].data[0].model["expr"], "x");
    }

    #[cfg(feature = "cli")]
    #[test]
    fn of_the_list_that_has_every_rule_names_and_labels_are_read() {
        let body = json!([
            {"uid": "u", "title": "T", "folderUID": "gone", "ruleGroup": "g", "labels": {"a": "b"}, "data": [{"refId": "A"}], "for": "5m"},
            {"uid": "v", "labels": null},
        ]);
        let all = decode_named(Body::new(&mut body.to_string().as_bytes())).unwrap();
        let first = AlertRule {
            uid: "u".to_owned(),
            title: "T".to_owned(),
            folder_uid: "gone".to_owned(),
            group: Some("g".to_owned()),
            labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            ..AlertRule::default()
        };
        assert_eq!((all.len(), &all[0], all[1].uid.as_str()), (2, &first, "v"));
    }

    #[test]
    fn a_rule_with_a_contact_point_of_its_own_says_which() {
        let mut node = node("aw-1");
        let listed = |node: &serde_json::Value| {
            let found =
                decode_json(&json!({"F": [{"name": "g", "interval": "1m", "rules": [node]}]})).unwrap();
            found[0].receiver.clone()
        };
        assert_eq!(listed(&node), None);
        node["grafana_alert"]["notification_settings"] = json!({"receiver": "team"});
        assert_eq!(listed(&node).as_deref(), Some("team"));
    }

    #[test]
    fn a_rule_without_a_group_is_shown_in_one_of_its_own_and_has_none() {
        let mut node = node("aw-1");
        let mut listed = |group: &str| {
            node["grafana_alert"]["rule_group"] = json!(group);
            let found =
                decode_json(&json!({"F": [{"name": group, "interval": "2m", "rules": [node]}]})).unwrap();
            (found[0].group.clone(), found[0].interval.as_secs())
        };
        assert_eq!(listed("no_group_for_rule_aw-1"), (None, 120));
        assert_eq!(listed("g"), (Some("g".to_owned()), 120));
    }

    #[test]
    fn a_recording_rule_says_what_it_writes() {
        let mut node = node("aw-1");
        node["grafana_alert"]["record"] = json!({"metric": "errors:sum", "from": "A"});
        let listing = json!({"F": [{"name": "g", "interval": "1m", "rules": [node]}]});
        let found = decode_json(&listing).unwrap();
        assert_eq!(found[0].metric.as_deref(), Some("errors:sum"));
    }

    #[test]
    fn a_listed_rule_says_when_it_was_last_changed_whatever_the_zone() {
        let mut node = node("aw-1");
        let mut listed = |text: serde_json::Value| {
            node["grafana_alert"]["updated"] = text;
            let found =
                decode_json(&json!({"F": [{"name": "g", "interval": "1m", "rules": [node]}]})).unwrap();
            found[0].updated.0.map(|updated| updated.to_string())
        };
        let noon = Some("2026-01-01T12:00:00Z".to_owned());
        assert_eq!(listed(json!("2026-01-01T12:00:00Z")), noon);
        assert_eq!(listed(json!("2026-01-01T14:00:00+02:00")), noon);
        assert_eq!(listed(json!("yesterday")), None);
        assert_eq!(listed(json!(null)), None);
    }

    #[test]
    fn every_group_gives_its_own_interval_to_its_rules() {
        let found = decode_json(&json!({
            "One": [{"rules": [node("a"), node("b")], "interval": "10s", "name": "g"}, {"name": "h", "rules": [node("c")]}],
            "Two": [{"name": "g", "interval": "2m", "rules": [node("d"), {"expr": "up", "alert": "not Grafana's"}]}],
            "Three": [],
        }))
        .unwrap();
        let intervals: Vec<_> = found
            .iter()
            .map(|rule| (rule.uid.as_str(), rule.interval.as_secs()))
            .collect();
        assert_eq!(intervals, [("a", 10), ("b", 10), ("c", 60), ("d", 120)]);
    }

    #[test]
    fn half_an_answer_is_no_answer() {
        let whole =
            json!({"One": [{"name": "g", "interval": "10s", "rules": [node("a"), node("b")]}]}).to_string();
        assert!(decode(Body::new(&mut whole.as_bytes())).is_ok());
        for length in 0..whole.len() {
            assert!(
                decode(Body::new(&mut &whole.as_bytes()[..length])).is_err(),
                "{length}"
            );
        }
    }
}
