//! TimeInterval: a recurring time that routes are muted in, or active in.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::super::reference::{At, DeletionPolicy};
use super::super::schema;

/// A time interval in Grafana.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "alerting.letsrevel.io",
    version = "v1alpha1",
    kind = "TimeInterval",
    plural = "timeintervals",
    shortname = "tinterval",
    category = "alerting",
    namespaced,
    status = "TimeIntervalStatus",
    derive = "PartialEq",
    doc = "A recurring time in Grafana: routes of a NotificationPolicy send nothing in it, or only in it.",
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
    printcolumn(
        name = "Grafana Name",
        type_ = "string",
        json_path = ".status.name",
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
pub struct TimeIntervalSpec {
    /// The GrafanaInstance that holds it. Default: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub instance: Option<String>,
    /// The GrafanaInstances that hold it, at most 16, where there are several, instead of `instance`. A name may be added, and one that is taken out is cleaned up there as `deletionPolicy` says. Default: the one that `instance` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 1, max = 253)))]
    pub instances: Option<Vec<String>>,
    /// What happens in Grafana when this resource is deleted: `Delete` (default, or as the instance says) removes it once nothing names it any more, `Orphan` leaves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// `true` leaves Grafana as it is, whatever changes here, until it is unset. Default: `false`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
    /// The name in Grafana. Default: the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    #[x_kube(
        validation = Rule::new("!(self in ['.', '..'])")
            .message("a name can't be . or .., which Grafana's API takes as a way through its paths")
    )]
    pub name: Option<String>,
    /// The times that make it up, at most 32 entries: the time interval is active while any one of them holds.
    #[schemars(length(min = 1, max = 32))]
    pub time_intervals: Vec<Period>,
}

/// One of the times that make up the interval, as Alertmanager's `time_intervals` have it: every field that is given must hold, each by one of its entries.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("(has(self.times) && self.times.size() > 0) || (has(self.weekdays) && self.weekdays.size() > 0) || (has(self.daysOfMonth) && self.daysOfMonth.size() > 0) || (has(self.months) && self.months.size() > 0) || (has(self.years) && self.years.size() > 0)")
        .message("say at least one of times, weekdays, daysOfMonth, months and years: without any it would always be the time")
)]
pub struct Period {
    /// Times of the day. Default: the whole day.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 16))]
    pub times: Vec<TimeRange>,
    /// Days of the week: `saturday`, `monday:friday`. Weeks begin on Sunday. Default: every day.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 7))]
    pub weekdays: Vec<Weekdays>,
    /// Days of the month, counted from its end where negative: `1:5`, `-3:-1`. Default: every day.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 31))]
    pub days_of_month: Vec<DaysOfMonth>,
    /// Months, by name or number: `december`, `1:3`. Default: every month.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 12))]
    pub months: Vec<Months>,
    /// Years: `2026`, `2026:2030`. Default: every year.
    #[serde(
        default,
        deserialize_with = "schema::or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    #[schemars(length(max = 16))]
    pub years: Vec<Years>,
    /// Whose clock is meant, by the IANA name of the time zone: `Europe/Berlin`; summer time is kept. Grafana says whether it knows it. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    #[x_kube(
        validation = Rule::new("self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$')")
            .message("a location is the IANA name of a time zone, such as Europe/Berlin or UTC")
    )]
    pub location: Option<String>,
}

/// From one time of the day to another.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.startTime < self.endTime")
        .message("endTime must be after startTime; what goes over midnight is two times, one until 24:00 and one from 00:00")
)]
pub struct TimeRange {
    /// When it begins, as `HH:MM`.
    #[schemars(length(max = 5))]
    #[x_kube(
        validation = Rule::new("self.matches('^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$')")
            .message("a time is HH:MM, from 00:00 to 24:00")
    )]
    pub start_time: String,
    /// When it is over, as `HH:MM`; `24:00` is the end of the day.
    #[schemars(length(max = 5))]
    #[x_kube(
        validation = Rule::new("self.matches('^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$')")
            .message("a time is HH:MM, from 00:00 to 24:00")
    )]
    pub end_time: String,
}

/// Defines a text of the form `from:to`, or only one of them, that is kept as it was written. Grafana reads it as Alertmanager does, which these
/// rules follow (`timeinterval/timeinterval.go`, 0.27): letters in either case, weeks from Sunday on, and no range that goes backwards.
macro_rules! range {
    ($(#[$doc:meta])* $name:ident, at most $longest:literal, $($rule:expr => $message:expr),+) => {
        $(#[$doc])*
        #[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "maxLength": $longest,
                    "x-kubernetes-validations": [$({"rule": $rule, "message": $message}),+],
                })
            }
        }
    };
}

range!(
    /// A day of the week, or several that follow each other.
    Weekdays, at most 19,
    form(&WEEKDAYS)
        => "a weekday is sunday, monday and so on, or from one to another as monday:friday",
    format!("!{} || {}", form(&WEEKDAYS), forwards(&WEEKDAYS))
        => "the first day must not be after the last one, and weeks begin on Sunday: for friday:monday write friday:saturday and sunday:monday"
);

range!(
    /// A day of the month, or several that follow each other.
    DaysOfMonth, at most 7,
    "self.matches('^-?(0?[1-9]|[12][0-9]|3[01])(:-?(0?[1-9]|[12][0-9]|3[01]))?$')"
        => "a day of the month is 1 to 31, or -1 to -31 from its end, or from one to another as 1:5 or -3:-1",
    format!(
        "!self.matches('^-?[0-9]{{1,2}}:-?[0-9]{{1,2}}$') || ((!self.startsWith('-') || self.contains(':-')) && ({FIRST} < 0 ? 28 : 0) + {FIRST} <= ({LAST} < 0 ? 28 : 0) + {LAST})"
    )
        => "the first day must not be after the last one, be it in a month of 28 days, nor count from the end where the last one doesn't"
);

range!(
    /// A month, or several that follow each other.
    Months, at most 19,
    form(&MONTHS)
        => "a month is january, february and so on, or 1 to 12, or from one to another as january:march",
    format!("!{} || {}", form(&MONTHS), forwards(&MONTHS))
        => "the first month must not be after the last one: for november:february write november:december and january:february"
);

range!(
    /// A year, or several that follow each other.
    Years, at most 9,
    "self.matches('^[0-9]{4}(:[0-9]{4})?$')"
        => "a year has four digits, or is from one to another as 2026:2030",
    format!("!self.matches('^[0-9]{{4}}:[0-9]{{4}}$') || {FIRST} <= {LAST}")
        => "the first year must not be after the last one"
);

/// Both ends of a range of numbers, as a rule has them.
const FIRST: &str = "int(self.substring(0, self.indexOf(':')))";
const LAST: &str = "int(self.substring(self.indexOf(':') + 1))";

/// What stands for each day of the week, in order.
const WEEKDAYS: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

/// What stands for each month, in order.
const MONTHS: [&str; 12] = [
    "0?1|january",
    "0?2|february",
    "0?3|march",
    "0?4|april",
    "0?5|may",
    "0?6|june",
    "0?7|july",
    "0?8|august",
    "0?9|september",
    "10|october",
    "11|november",
    "12|december",
];

/// The rule that a text is one of these, or from one to another.
fn form(members: &[&str]) -> String {
    let any = members.join("|");
    format!("self.matches('^(?i:({any})(:({any}))?)$')")
}

/// The rule that it doesn't go backwards. Written out, for an API server takes the worst of what splits a text or walks through a list.
fn forwards(members: &[&str]) -> String {
    let ranges = members.iter().enumerate().map(|(i, first)| {
        let rest: Vec<&str> = members.iter().skip(i).copied().collect();
        format!("({first})(:({}))?", rest.join("|"))
    });
    let all: Vec<String> = ranges.collect();
    format!("self.matches('^(?i:{})$')", all.join("|"))
}

/// What became of the time interval.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct TimeIntervalStatus {
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
    /// Its name in Grafana.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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
