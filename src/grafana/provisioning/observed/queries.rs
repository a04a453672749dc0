//! Questions to data sources: `/api/ds/query` as panels ask it, and `/api/v1/eval` and `/api/v1/rule/test/grafana` as the page of a rule does.

use futures::FutureExt;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::grafana::api::{Answer, Queries, Would};
use crate::grafana::model::{AlertRule, Query};
use crate::grafana::provisioning::Provisioning;
use crate::grafana::transport::Call;
use crate::grafana::wire::Answered;

impl Queries for Provisioning {
    fn over<'a>(&'a self, model: &'a Value, from: i64, to: i64) -> Answer<'a, Answered> {
        async move {
            let body = json!({"queries": [model], "from": from.to_string(), "to": to.to_string()});
            let call = Call::new("queries.over", Method::POST, "api/ds/query", &[]).reading();
            self.transport.fetch(call.json(&body)?).await
        }
        .boxed()
    }

    fn at<'a>(&'a self, rule: &'a AlertRule, moment: Timestamp) -> Answer<'a, Answered> {
        async move {
            let body = json!({"data": nodes(rule), "condition": rule.condition, "now": moment.to_string()});
            let call = Call::new("queries.at", Method::POST, "api/v1/eval", &[]).reading();
            self.transport.fetch(call.json(&body)?).await
        }
        .boxed()
    }

    fn alerts<'a>(&'a self, rule: &'a AlertRule, (uid, title): (&'a str, &'a str)) -> Answer<'a, Vec<Would>> {
        async move {
            let body = json!({
                "folderUid": uid, "folderTitle": title,
                "rule": {
                    "for": rule.r#for, "labels": rule.labels, "annotations": rule.annotations,
                    "grafana_alert": {
                        "title": rule.title, "condition": rule.condition, "data": nodes(rule), "no_data_state": rule.no_data_state,
                        "exec_err_state": rule.exec_err_state,
                    },
                },
            });
            let call = Call::new("queries.alerts", Method::POST, "api/v1/rule/test/grafana", &[]).reading();
            self.transport.fetch(call.json(&body)?).await
        }
        .boxed()
    }
}

/// The queries and expressions as these endpoints take them.
fn nodes(rule: &AlertRule) -> Vec<Value> {
    let node = |query: &Query| {
        json!({
            "refId": query.ref_id, "queryType": query.query_type, "datasourceUid": query.datasource_uid, "model": query.model,
            "relativeTimeRange": {"from": query.relative_time_range.from, "to": query.relative_time_range.to},
        })
    };
    rule.data.iter().map(node).collect()
}
