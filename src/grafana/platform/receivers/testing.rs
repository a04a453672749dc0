//! Tests of contact points: the subresource `test` of a receiver, from 13.0 on.
//!
//! Source: `pkg/registry/apps/alerting/notifications/receiver` of 13: 200 also where the delivery failed. An integration that is stored is named by its uid alone, so
//! none of its settings leaves Grafana.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::Receivers;
use crate::grafana::api::testing::{TestAlert, Tested};
use crate::grafana::digest;
use crate::grafana::error::Result;
use crate::grafana::model::Integration;
use crate::grafana::platform::titled::name_of;
use crate::grafana::transport::{Call, Transport};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Outcome {
    status: String,
    duration: Option<String>,
    error: Option<String>,
}

impl Receivers {
    /// Sends an alert through one integration of a receiver.
    pub(in crate::grafana) async fn test(
        transport: &Transport,
        namespace: &str,
        point: &str,
        integration: &Integration,
        alert: &TestAlert,
    ) -> Result<Tested> {
        let (group, plural) = Self::KIND;
        let [version] = Self::VERSIONS;
        let path = ["apis", group, version, "namespaces"].join("/");
        let name = name_of(point);
        let body = json!({
            "integrationRef": {"uid": integration.uid},
            "alert": {"labels": alert.labels, "annotations": alert.annotations},
        });
        let call = Call::new(
            "testing.send",
            Method::POST,
            &path,
            &[namespace, plural, &name, "test"],
        );
        let outcome: Outcome = transport.fetch(call.harmless().json(&body)?).await?;
        let said = outcome.error.filter(|error| !error.is_empty());
        let failure = (outcome.status != "success").then(|| said.unwrap_or_else(|| "failed".to_owned()));
        let took: Option<Duration> = outcome.duration.as_deref().and_then(digest::duration);
        Ok(Tested { failure, took })
    }
}
