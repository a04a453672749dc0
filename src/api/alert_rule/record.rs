//! What a recording rule writes.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::super::reference::DatasourceRef;

/// Makes the rule a recording rule: what its query returns is written as a metric, and there are no alerts.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Name of the metric that is written, for example `job:http_requests:rate5m`.
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(
        validation = Rule::new("self.matches('^[a-zA-Z_:][a-zA-Z0-9_:]*$')")
            .message("a metric's name consists of letters, digits, underscores and colons, and doesn't start with a digit")
    )]
    pub metric: String,
    /// The refId in `data` whose values are written, for example `A`. Default: with `query`, its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub from: Option<String>,
    /// The data source that is written to, a Prometheus that takes remote writes (Grafana 12.0 or newer; before, Grafana's settings say where to).
    /// Default: the one that `query` asks, if it is a Prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_datasource: Option<DatasourceRef>,
}
