//! Notification templates.

use futures::FutureExt;

use super::{Notifications, found_by_newer};
use crate::grafana::api::notifications::Templates;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::choose::newer::read;
use crate::grafana::model::{Found, Template};

impl Templates for Notifications {
    fn list(&self) -> Answer<'_, Vec<Found<Template>>> {
        async move {
            let Some(newer) = self.newer.open() else {
                return self.older.list().await;
            };
            let answer = newer.templates.list().await;
            read(answer, self.older.list()).await
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<Template>>> {
        async move {
            let Some(newer) = self.newer.open() else {
                return self.older.get(name).await;
            };
            let answer = newer.templates.get(name).await;
            read(answer, self.older.get(name)).await
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        wish: &'a Template,
        found: Option<&'a Found<Template>>,
        provenance: Provenance,
    ) -> Answer<'a, Found<Template>> {
        async move {
            let Some(newer) = self.newer.to_write() else {
                return self.older.put(wish, found, provenance).await;
            };
            let answer = newer.templates.put(wish, found, provenance).await;
            let older = async {
                let found = found.map(found_by_newer);
                self.older.put(wish, found.as_ref(), provenance).await
            };
            self.newer.written(answer, older).await
        }
        .boxed()
    }

    fn delete<'a>(&'a self, found: &'a Found<Template>) -> Answer<'a, ()> {
        async move {
            let Some(newer) = self.newer.to_write() else {
                return self.older.delete(found).await;
            };
            let answer = newer.templates.delete(found).await;
            let older = async {
                let found = found_by_newer(found);
                self.older.delete(&found).await
            };
            self.newer.written(answer, older).await
        }
        .boxed()
    }
}
