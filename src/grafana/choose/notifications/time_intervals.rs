//! Time intervals.

use futures::FutureExt;

use super::{Notifications, found_by_newer};
use crate::grafana::api::notifications::TimeIntervals;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::choose::newer::read;
use crate::grafana::model::{Found, TimeInterval};

impl TimeIntervals for Notifications {
    fn list(&self) -> Answer<'_, Vec<Found<TimeInterval>>> {
        async move {
            let Some(newer) = self.newer.open() else {
                return self.older.list().await;
            };
            let answer = newer.time_intervals.list().await;
            read(answer, self.older.list()).await
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<TimeInterval>>> {
        async move {
            let Some(newer) = self.newer.open() else {
                return self.older.get(name).await;
            };
            let answer = newer.time_intervals.get(name).await;
            read(answer, self.older.get(name)).await
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        wish: &'a TimeInterval,
        found: Option<&'a Found<TimeInterval>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<TimeInterval>> {
        async move {
            let Some(newer) = self.newer.to_write() else {
                return self.older.put(wish, found, provenance).await;
            };
            let answer = newer.time_intervals.put(wish, found, provenance).await;
            let older = async {
                let found = found.map(found_by_newer);
                self.older.put(wish, found.as_ref(), provenance).await
            };
            self.newer.written(answer, older).await
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a Found<TimeInterval>) -> Answer<'a, ()> {
        async move {
            let Some(newer) = self.newer.to_write() else {
                return self.older.delete(found).await;
            };
            let answer = newer.time_intervals.delete(found).await;
            let older = async {
                let found = found_by_newer(found);
                self.older.delete(&found).await
            };
            self.newer.written(answer, older).await
        }
        .boxed()
    }
}
