//! What data sources say, asked through Grafana.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::terms::Answer;
use crate::grafana::model::AlertRule;
use crate::grafana::wire::Answered;

/// Questions to data sources. They change nothing.
pub trait Queries: Send + Sync {
    /// What one query yields over a stretch of time, in milliseconds since 1970. The model names its data source.
    fn over<'a>(&'a self, model: &'a Value, from: i64, to: i64) -> Answer<'a, Answered>;
    /// What all queries and expressions of a rule yield at one moment.
    fn at<'a>(&'a self, rule: &'a AlertRule, moment: Timestamp) -> Answer<'a, Answered>;
    /// The alerts that a rule would have now, were it new: with their labels and annotations as Grafana renders them. `Missing` or `Rejected` before 10.1.
    fn alerts<'a>(&'a self, rule: &'a AlertRule, folder: (&'a str, &'a str)) -> Answer<'a, Vec<Would>>;
}

/// An alert that there would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Would {
    /// All of its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, Grafana's own among them.
    pub annotations: BTreeMap<String, String>,
}
