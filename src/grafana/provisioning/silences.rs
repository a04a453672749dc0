//! Silences: Alertmanager's API v2 as Grafana serves it.

use std::collections::BTreeMap;

use futures::FutureExt;
use http::Method;
use serde::Deserialize;

use super::{Provisioning, if_present};
use crate::grafana::api::{Answer, Silences};
use crate::grafana::transport::Call;
use crate::grafana::wire::Silence;

const SILENCES: &str = "api/alertmanager/grafana/api/v2/silences";
const SILENCE: &str = "api/alertmanager/grafana/api/v2/silence";
const ALERTS: &str = "api/alertmanager/grafana/api/v2/alerts";

#[derive(Deserialize)]
struct Stored {
    #[serde(rename = "silenceID")]
    silence_id: String,
}

#[derive(Deserialize)]
struct Alert {
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Silences for Provisioning {
    fn list(&self) -> Answer<'_, Vec<Silence>> {
        self.transport
            .fetch(Call::get("silences.list", SILENCES, &[]))
            .boxed()
    }

    fn get<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Silence>> {
        async move {
            if_present(
                self.transport
                    .fetch(Call::get("silences.get", SILENCE, &[id]))
                    .await,
            )
        }
        .boxed()
    }

    fn put<'a>(&'a self, silence: &'a Silence) -> Answer<'a, String> {
        async move {
            let call = Call::new("silences.put", Method::POST, SILENCES, &[]).json(silence)?;
            self.transport
                .fetch(call)
                .await
                .map(|Stored { silence_id }| silence_id)
        }
        .boxed()
    }

    fn expire<'a>(&'a self, id: &'a str) -> Answer<'a, ()> {
        async move {
            let call = Call::new("silences.expire", Method::DELETE, SILENCE, &[id]);
            if_present(self.transport.send(call).await).map(drop)
        }
        .boxed()
    }

    fn alerts<'a>(&'a self, filters: &'a [String]) -> Answer<'a, Vec<BTreeMap<String, String>>> {
        async move {
            let call = Call::get("silences.alerts", ALERTS, &[]);
            let call = filters
                .iter()
                .fold(call, |call, filter| call.query("filter", filter));
            let alerts: Vec<Alert> = self.transport.fetch(call).await?;
            Ok(alerts.into_iter().map(|alert| alert.labels).collect())
        }
        .boxed()
    }
}
