//! One rule, as Grafana writes it in files and grafana-operator in its resources.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::super::alertmanager::{is_nothing, list, text};
use super::super::world::World;
use crate::grafana::digest;
use crate::grafana::model::{AlertRule, NotificationSettings, Query, Record, RelativeTimeRange};
use crate::grafana::wire::{DataSource, Folder};

/// Where a rule is.
pub(super) struct Place {
    /// The uid of its folder.
    pub(super) folder: String,
    pub(super) group: String,
    pub(super) interval: String,
}

/// The fields of a rule that are read.
const KNOWN: [&str; 22] = [
    "annotations",
    "condition",
    "dashboardUid",
    "data",
    "execErrState",
    "for",
    "isPaused",
    "keepFiringFor",
    "keep_firing_for",
    "labels",
    "missingSeriesEvalsToResolve",
    "missing_series_evals_to_resolve",
    "noDataState",
    "notificationSettings",
    "notification_settings",
    "orgId",
    "panelId",
    "record",
    "title",
    "uid",
    "id",
    "updated",
];

/// A rule, and what of it isn't known; or why it can't be read.
pub(super) fn rule(given: &Value, place: &Place) -> Result<(AlertRule, Vec<String>), String> {
    let fields = given.as_object().ok_or("it is no mapping")?;
    let words = |field: &str| fields.get(field).map(text).unwrap_or_default();
    let either = |field: &str, other: &str| {
        fields
            .get(field)
            .or_else(|| fields.get(other))
            .filter(|value| !is_nothing(value))
    };
    let title = words("title");
    if title.is_empty() {
        return Err("it has no title".to_owned());
    }
    let mut annotations = texts(fields.get("annotations"));
    for (field, annotation) in [("dashboardUid", "__dashboardUid__"), ("panelId", "__panelId__")] {
        if fields.get(field).is_some_and(|value| !is_nothing(value)) {
            annotations.insert(annotation.to_owned(), words(field));
        }
    }
    let interval = digest::duration(&place.interval);
    let record = fields.get("record").filter(|record| !is_nothing(record));
    let or = |field: &str, usual: &str| {
        Some(words(field))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| usual.to_owned())
    };
    let made = AlertRule {
        uid: words("uid"),
        folder_uid: place.folder.clone(),
        group: Some(place.group.clone()).filter(|group| !group.is_empty()),
        interval: interval
            .filter(|interval| !interval.is_zero())
            .unwrap_or(Duration::from_secs(60)),
        title,
        condition: words("condition"),
        data: list(given, "data").iter().map(query).collect(),
        no_data_state: or("noDataState", "NoData"),
        // Unlike a rule that is made by hand: `pkg/services/provisioning/alerting/rules_types.go`.
        exec_err_state: or("execErrState", "Alerting"),
        r#for: or("for", "0s"),
        keep_firing_for: either("keepFiringFor", "keep_firing_for").map(text),
        missing_series_evals_to_resolve: either(
            "missingSeriesEvalsToResolve",
            "missing_series_evals_to_resolve",
        )
        .and_then(Value::as_i64),
        annotations,
        labels: texts(fields.get("labels")),
        is_paused: fields
            .get("isPaused")
            .and_then(Value::as_bool)
            .unwrap_or_default(),
        notification_settings: either("notificationSettings", "notification_settings").map(settings),
        record: record.map(|record| {
            let words = |field: &str| record.get(field).map(text).unwrap_or_default();
            let target = [
                "target_datasource_uid",
                "targetDatasourceUid",
                "targetDatasourceUID",
            ]
            .into_iter()
            .map(words)
            .find(|uid| !uid.is_empty());
            Record {
                metric: words("metric"),
                from: words("from"),
                target,
            }
        }),
        provenance: None,
    };
    let lost = fields
        .iter()
        .filter(|(field, value)| !KNOWN.contains(&field.as_str()) && !is_nothing(value));
    Ok((
        made,
        lost.map(|(field, _)| format!("{field}: there is no field for it"))
            .collect(),
    ))
}

fn texts(value: Option<&Value>) -> BTreeMap<String, String> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), text(value))).collect()
}

fn query(given: &Value) -> Query {
    let words = |field: &str| given.get(field).map(text).unwrap_or_default();
    let at = |field: &str| {
        let range = given.get("relativeTimeRange").and_then(|range| range.get(field));
        range.and_then(Value::as_i64).unwrap_or_default()
    };
    let model = given
        .get("model")
        .cloned()
        .unwrap_or_else(|| Value::Object(Map::new()));
    let query_type = model.get("queryType").map(text).filter(|own| !own.is_empty());
    Query {
        ref_id: words("refId"),
        query_type: query_type.unwrap_or_else(|| words("queryType")),
        relative_time_range: RelativeTimeRange {
            from: at("from"),
            to: at("to"),
        },
        datasource_uid: words("datasourceUid"),
        model,
    }
}

fn settings(given: &Value) -> NotificationSettings {
    let words = |field: &str| given.get(field).map(text).filter(|text| !text.is_empty());
    let texts = |field: &str| list(given, field).iter().map(text).collect();
    NotificationSettings {
        receiver: words("receiver").unwrap_or_default(),
        group_by: texts("group_by"),
        group_wait: words("group_wait"),
        group_interval: words("group_interval"),
        repeat_interval: words("repeat_interval"),
        mute_time_intervals: texts("mute_time_intervals"),
        active_time_intervals: texts("active_time_intervals"),
        policy: None,
    }
}

/// What the nodes of a rule say of their data sources: without its type nobody knows whether a query can be compared.
pub(super) fn sources(rule: &AlertRule, world: &mut World) {
    for node in rule.data.iter().filter(|node| !node.is_expression()) {
        let said = node
            .model
            .get("datasource")
            .and_then(|source| source.get("type"))
            .map(text);
        let uid = &node.datasource_uid;
        let (Some(type_), false) = (said, world.held.sources.iter().any(|source| source.uid == *uid)) else {
            continue;
        };
        world.held.sources.push(DataSource {
            uid: uid.clone(),
            name: uid.clone(),
            r#type: type_,
            is_default: false,
        });
    }
}

/// The uid of a folder that is named by its path; its own is nobody's business here.
pub(super) fn folder(path: &str, world: &mut World) -> String {
    let mut above: Option<String> = None;
    let mut title = String::new();
    let mut parts = Vec::new();
    let mut characters = path.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => title.extend(characters.next()),
            '/' => parts.push(std::mem::take(&mut title)),
            c => title.push(c),
        }
    }
    parts.push(title);
    for title in parts.into_iter().filter(|title| !title.is_empty()) {
        let uid = above
            .iter()
            .map(String::as_str)
            .chain([title.as_str()])
            .collect::<Vec<_>>()
            .join("/");
        if !world.held.folders.iter().any(|folder| folder.uid == uid) {
            world.held.folders.push(Folder {
                uid: uid.clone(),
                title,
                parent_uid: above,
            });
        }
        above = Some(uid);
    }
    above.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_that_says_nothing_of_errors_fires_for_them_as_in_grafana() {
        let place = Place {
            folder: String::new(),
            group: String::new(),
            interval: String::new(),
        };
        let (made, lost) = rule(&json!({"title": "Up"}), &place).unwrap();
        assert_eq!(
            (made.exec_err_state.as_str(), made.no_data_state.as_str()),
            ("Alerting", "NoData")
        );
        assert!(lost.is_empty(), "{lost:?}");
    }
}
