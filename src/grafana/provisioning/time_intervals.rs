//! Time intervals: `/api/v1/provisioning/mute-timings`. They have a revision from 11.2 on.

use futures::FutureExt;
use http::Method;
use serde::{Deserialize, Serialize};

use super::Provisioning;
use crate::grafana::api::notifications::TimeIntervals;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::error::Result;
use crate::grafana::model::{Found, Period, Revision, TimeInterval};
use crate::grafana::transport::Call;

const TIMINGS: &str = "api/v1/provisioning/mute-timings";

/// A time interval as it is read.
#[derive(Deserialize)]
struct Timing {
    #[serde(flatten)]
    interval: TimeInterval,
    #[serde(default)]
    provenance: Option<String>,
    #[serde(default)]
    version: Option<String>,
}

/// A time interval as it is sent.
#[derive(Serialize)]
struct Wish<'a> {
    name: &'a str,
    time_intervals: &'a [Period],
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
}

impl From<Timing> for Found<TimeInterval> {
    fn from(timing: Timing) -> Self {
        Self::of(timing.interval, timing.provenance, timing.version)
    }
}

impl Provisioning {
    async fn interval(&self, name: &str) -> Result<Option<Found<TimeInterval>>> {
        let call = Call::get("time_intervals.get", TIMINGS, &[name]);
        self.one::<Timing, _>(call).await
    }

    async fn create_interval(
        &self,
        wish: &TimeInterval,
        provenance: Provenance,
    ) -> Result<Found<TimeInterval>> {
        let call = Call::new("time_intervals.create", Method::POST, TIMINGS, &[]).json(&Wish {
            name: &wish.name,
            time_intervals: &wish.time_intervals,
            version: None,
        })?;
        let stored = self.transport.fetch::<Timing>(call.provenance(provenance));
        Ok(stored.await?.into())
    }

    async fn update_interval(
        &self,
        wish: &TimeInterval,
        found: &Found<TimeInterval>,
        provenance: Provenance,
    ) -> Result<Found<TimeInterval>> {
        let names = [found.object.name.as_str()];
        let call = Call::new("time_intervals.update", Method::PUT, TIMINGS, &names).json(&Wish {
            name: &wish.name,
            time_intervals: &wish.time_intervals,
            version: found.revision.as_ref().map(|Revision(version)| version.as_str()),
        })?;
        let stored = self
            .transport
            .fetch::<Timing>(call.provenance(provenance))
            .await?;
        if stored.interval.name == wish.name {
            return Ok(stored.into());
        }
        // Before 11.3 a name stays what it is.
        let renamed = self.create_interval(wish, provenance).await?;
        self.delete_interval(&stored.into()).await?;
        Ok(renamed)
    }

    async fn delete_interval(&self, found: &Found<TimeInterval>) -> Result<()> {
        let name = found.object.name.as_str();
        let call = Call::new("time_intervals.delete", Method::DELETE, TIMINGS, &[name]);
        self.delete_found(call, found, self.interval(name)).await
    }
}

impl TimeIntervals for Provisioning {
    fn list(&self) -> Answer<'_, Vec<Found<TimeInterval>>> {
        let call = Call::get("time_intervals.list", TIMINGS, &[]);
        self.every::<Timing, _>(call).boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<TimeInterval>>> {
        self.interval(name).boxed()
    }

    fn put<'a>(
        &'a self,
        wish: &'a TimeInterval,
        found: Option<&'a Found<TimeInterval>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<TimeInterval>> {
        async move {
            match found {
                Some(found) => self.update_interval(wish, found, provenance).await,
                None => self.create_interval(wish, provenance).await,
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a Found<TimeInterval>) -> Answer<'a, ()> {
        self.delete_interval(found).boxed()
    }
}
