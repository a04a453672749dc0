//! Silences: Alertmanager's API v2 as Grafana serves it.

use std::collections::BTreeMap;

use futures::FutureExt;
use http::Method;
use serde::Deserialize;

use super::Provisioning;
use crate::grafana::api::{Answer, Silences};
use crate::grafana::error::{Class, Result};
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
            .fetch(Call::get("silences.list", SILENCES, &[]).of_many())
            .boxed()
    }

    fn get<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Silence>> {
        async move {
            match self
                .transport
                .fetch(Call::get("silences.get", SILENCE, &[id]).of_one())
                .await
            {
                // While its Alertmanager isn't there Grafana says so of every silence.
                Err(error) if error.class() == Class::Missing => self.listed(id).await,
                other => other.map(Some),
            }
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
            let sent = self.transport.send(call).await;
            self.if_gone(sent, self.listed(id)).await
        }
        .boxed()
    }

    fn alerts<'a>(&'a self, filters: &'a [String]) -> Answer<'a, Vec<BTreeMap<String, String>>> {
        async move {
            let call = Call::get("silences.alerts", ALERTS, &[]).of_many();
            let call = filters
                .iter()
                .fold(call, |call, filter| call.query("filter", filter));
            let alerts: Vec<Alert> = self.transport.fetch(call).await?;
            Ok(alerts.into_iter().map(|alert| alert.labels).collect())
        }
        .boxed()
    }
}

impl Provisioning {
    /// One silence, from the list of all.
    async fn listed(&self, id: &str) -> Result<Option<Silence>> {
        let all = Silences::list(self).await?;
        Ok(all.into_iter().find(|silence| silence.id.as_deref() == Some(id)))
    }
}
