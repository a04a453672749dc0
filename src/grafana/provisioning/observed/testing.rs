//! Tests of contact points: `/api/alertmanager/grafana/config/api/v1/receivers/test`, up to 12.4.
//!
//! Source: `pkg/services/ngalert/api/api_alertmanager.go` (`RoutePostTestGrafanaReceivers`) of 10 to 12: 200 where all were delivered, 207 where some were or
//! none, 400 where all are invalid, 408 where all took too long; the body is the same. What is omitted of an integration's secrets is taken from what is
//! stored under its uid.

use futures::FutureExt;
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::grafana::api::Answer;
use crate::grafana::api::testing::{TestAlert, Tested, Testing};
use crate::grafana::model::{Integration, REDACTED};
use crate::grafana::provisioning::Provisioning;
use crate::grafana::transport::Call;

#[derive(Deserialize)]
struct Results {
    #[serde(default)]
    receivers: Vec<Receiver>,
}

#[derive(Deserialize)]
struct Receiver {
    #[serde(default, rename = "grafana_managed_receiver_configs")]
    integrations: Vec<Outcome>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Outcome {
    status: String,
    error: Option<String>,
}

impl Testing for Provisioning {
    fn send<'a>(
        &'a self,
        point: &'a str,
        integration: &'a Integration,
        alert: &'a TestAlert,
    ) -> Answer<'a, Tested> {
        let path = "api/alertmanager/grafana/config/api/v1/receivers/test";
        async move {
            let body = json!({
                "alert": {"labels": alert.labels, "annotations": alert.annotations},
                "receivers": [{"name": point, "grafana_managed_receiver_configs": [{
                    "uid": integration.uid, "name": point, "type": integration.r#type,
                    "disableResolveMessage": integration.disable_resolve_message,
                    "settings": shown(&integration.settings), "secureSettings": {},
                }]}],
            });
            let call = Call::new("testing.send", Method::POST, path, &[])
                .harmless()
                .answering(&[400, 408]);
            let results: Results = self.transport.fetch(call.json(&body)?).await?;
            let outcome = results
                .receivers
                .into_iter()
                .flat_map(|one| one.integrations)
                .next();
            let outcome = outcome.unwrap_or_default();
            let said = outcome.error.filter(|error| !error.is_empty());
            let failure = (outcome.status != "ok").then(|| said.unwrap_or_else(|| "failed".to_owned()));
            Ok(Tested { failure, took: None })
        }
        .boxed()
    }
}

/// What isn't hidden: the rest Grafana takes from what it has stored.
fn shown(settings: &Map<String, Value>) -> Map<String, Value> {
    let fields = settings
        .iter()
        .filter(|(_, value)| value.as_str() != Some(REDACTED));
    let field = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Object(inner) => Value::Object(shown(inner)),
            other => other.clone(),
        };
        (name.clone(), value)
    };
    fields.map(field).collect()
}
