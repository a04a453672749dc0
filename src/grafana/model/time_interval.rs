//! Time intervals.

use serde::{Deserialize, Serialize};

use crate::grafana::wire::null_as_default;

/// A time interval, which policies and rules name: in it they send nothing, or nothing outside of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimeInterval {
    /// Name, unique within the organisation.
    pub name: String,
    /// It is the time when it is for one of these.
    #[serde(deserialize_with = "null_as_default")]
    pub time_intervals: Vec<Period>,
}

/// When it is the time, as Alertmanager's `time_intervals` have it: all that is said must hold, each by one of its entries. Grafana gives
/// all of it back as it prints it, months as numbers for example.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Period {
    /// Times of the day.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<TimeRange>,
    /// Days of the week: `sunday`, `monday:friday`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<String>,
    /// Days of the month, from its end where negative: `1:5`, `-3:-1`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub days_of_month: Vec<String>,
    /// Months: `12`, `january:march`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub months: Vec<String>,
    /// Years: `2026`, `2026:2030`.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub years: Vec<String>,
    /// Whose clock is meant, as IANA names places: `Europe/Berlin`; unset is UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// From one time of the day to another, as `HH:MM`; `24:00` is the end of the day.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TimeRange {
    /// When it begins.
    pub start_time: String,
    /// When it is over.
    pub end_time: String,
}
