//! What receivers, routes and time intervals have in common.

use serde_json::{Value, json};

use super::receiver::text;
use crate::grafana::model::{Period, TimeRange, TreeName};

/// Where a configuration is from, and what becomes of its names.
pub(in super::super) struct Place {
    /// What stands before names of receivers and time intervals, as prometheus-operator puts it there.
    pub(in super::super) before: String,
    /// What its tree is called.
    pub(in super::super) tree: TreeName,
    /// Of which policy it is to be a branch, as a resource says it; nothing of a whole configuration.
    pub(in super::super) parent: Option<Value>,
    /// What the configuration is called.
    pub(in super::super) called: String,
}

/// A list; what is none is empty.
pub(in super::super) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value
        .get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// One of the times of an interval; AlertmanagerConfigs write days as a start and an end.
pub(super) fn period(given: &Value) -> Period {
    let texts = |field: &str| {
        let entries = list(given, field).iter();
        entries
            .map(|entry| match (entry.get("start"), entry.get("end")) {
                (Some(start), Some(end)) => format!("{}:{}", text(start), text(end)),
                (Some(start), None) => text(start),
                _ => text(entry),
            })
            .collect()
    };
    Period {
        times: list(given, "times")
            .iter()
            .map(|time| TimeRange {
                start_time: time.get("start_time").map(text).unwrap_or_default(),
                end_time: time.get("end_time").map(text).unwrap_or_default(),
            })
            .collect(),
        weekdays: texts("weekdays"),
        days_of_month: texts("days_of_month"),
        months: texts("months"),
        years: texts("years"),
        location: given.get("location").map(text),
    }
}

/// All the time, as a time interval.
pub(super) fn always() -> Period {
    period(&json!({"times": [{"start_time": "00:00", "end_time": "24:00"}]}))
}
