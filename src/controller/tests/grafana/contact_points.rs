//! Its contact points, integration by integration.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Double, Held, refusal};
use crate::grafana::Result;
use crate::grafana::api::notifications::{ContactPointWrite, ContactPoints, Sent};
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Deliveries, Delivery};
use crate::grafana::model::{ContactPoint, Found, Integration, Revision};

/// One integration, with the name of its contact point.
#[derive(Debug, Clone, Default)]
pub(in crate::controller::tests) struct Point {
    pub(in crate::controller::tests) name: String,
    pub(in crate::controller::tests) uid: String,
    pub(in crate::controller::tests) r#type: String,
    pub(in crate::controller::tests) settings: Map<String, Value>,
}

impl Point {
    fn of(name: &str, integration: &Integration) -> Self {
        Self {
            name: name.to_owned(),
            uid: integration.uid.clone(),
            r#type: integration.r#type.clone(),
            settings: integration.settings.clone(),
        }
    }
}

impl Held {
    /// The contact point of this name, without what is hidden.
    pub(super) fn shown(&self, name: &str) -> Option<Found<ContactPoint>> {
        let points = self.points.iter().filter(|point| point.name == name);
        let integrations = points.map(|point| {
            let mut integration = Integration {
                uid: point.uid.clone(),
                r#type: point.r#type.clone(),
                settings: point.settings.clone(),
                ..Integration::default()
            };
            for hidden in self
                .hidden
                .iter()
                .filter(|path| point.settings.contains_key(**path))
            {
                integration.hide(hidden);
            }
            integration
        });
        let integrations: Vec<_> = integrations.collect();
        let is_empty = self.has_revisions && self.empty_points.contains(name);
        (is_empty || !integrations.is_empty()).then(|| Found {
            object: ContactPoint {
                name: name.to_owned(),
                integrations,
            },
            provenance: self.points_by.get(name).cloned(),
            revision: self.has_revisions.then(|| self.state_of(name)),
        })
    }

    /// Names all that is held of a contact point, secrets too, as this version does.
    fn state_of(&self, name: &str) -> Revision {
        let points = self.points.iter().filter(|point| point.name == name);
        let all: Vec<_> = points.map(|point| (&point.uid, &point.settings)).collect();
        Revision(format!("{} {all:?}", self.version))
    }
}

impl ContactPoints for Double {
    fn list(&self) -> Answer<'_, Listed<Found<ContactPoint>>> {
        self.call("contact_points.list", |held| {
            let points = held.points.iter().map(|point| &point.name);
            let mut names: Vec<_> = points.chain(&held.empty_points).collect();
            names.sort_unstable();
            names.dedup();
            let found = names.into_iter().filter_map(|name| held.shown(name)).collect();
            Ok(held.telling.contact_points.listed(found))
        })
    }
    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<ContactPoint>>> {
        let name = name.to_owned();
        self.call("contact_points.get", move |held| Ok(held.shown(&name)))
    }
    fn put<'a>(&'a self, write: ContactPointWrite<'a>) -> BoxFuture<'a, Sent> {
        async move {
            let mut sent = Sent::default();
            sent.failure = self.bring(&write, &mut sent).await.err();
            sent
        }
        .boxed()
    }
    fn remove<'a>(&'a self, _: &'a Found<ContactPoint>, uids: &'a [String]) -> BoxFuture<'a, Sent> {
        async move {
            let mut sent = Sent::default();
            sent.failure = self.take_out(uids, &mut sent).await.err();
            sent
        }
        .boxed()
    }
}

impl Double {
    /// Takes a contact point whole, as the API does that knows revisions.
    async fn replace(&self, write: &ContactPointWrite<'_>) -> Result<Sent> {
        let name = write.wish.name.clone();
        let found = write.found.and_then(|found| found.revision.clone());
        let points = write.wish.integrations.iter().map(|i| Point::of(&name, i));
        let points: Vec<_> = points.collect();
        let sent = points.iter().map(|point| point.uid.clone()).collect();
        let kept = write.kept.to_vec();
        let stored = self.call("contact_points.put", move |held| {
            if held.shown(&name).and_then(|found| found.revision) != found {
                return Err(refusal("contact_points.put", 409, "Provided version"));
            }
            held.empty_points.remove(&name);
            held.points
                .retain(|point| point.name != name || kept.contains(&point.uid));
            held.points.extend(points);
            let Revision(state) = held.state_of(&name);
            Ok(Revision(format!("{}{state}", held.states_of_writes)))
        });
        Ok(Sent {
            sent,
            revision: Some(stored.await?),
            ..Sent::default()
        })
    }

    async fn bring(&self, write: &ContactPointWrite<'_>, sent: &mut Sent) -> Result<()> {
        if self.hold(|held| held.has_revisions) {
            *sent = self.replace(write).await?;
            return Ok(());
        }
        let found = write.found.map_or(&[][..], |found| &found.object.integrations);
        let wished = &write.wish.integrations;
        for integration in wished.iter().filter(|i| write.changed.contains(&i.uid)) {
            let is_there = found.iter().any(|found| found.uid == integration.uid);
            let point = Point::of(&write.wish.name, integration);
            let operation = if is_there {
                "contact_points.update"
            } else {
                "contact_points.create"
            };
            let stored = self.call(operation, move |held| {
                held.points.retain(|known| known.uid != point.uid);
                held.points.push(point);
                Ok(())
            });
            stored.await?;
            sent.sent.push(integration.uid.clone());
        }
        let surplus = found
            .iter()
            .filter(|found| wished.iter().all(|i| i.uid != found.uid))
            .filter(|found| !write.kept.contains(&found.uid));
        let surplus: Vec<_> = surplus.map(|found| found.uid.clone()).collect();
        self.take_out(&surplus, sent).await
    }

    async fn take_out(&self, uids: &[String], sent: &mut Sent) -> Result<()> {
        for uid in uids {
            let gone = uid.clone();
            let deleted = self.call("contact_points.delete", move |held| {
                held.points.retain(|point| point.uid != gone);
                Ok(())
            });
            deleted.await?;
            sent.gone.push(uid.clone());
        }
        Ok(())
    }
}

impl Deliveries for Double {
    fn list(&self) -> Answer<'_, Vec<Delivery>> {
        self.call("contact_points.deliveries", |held| Ok(held.deliveries.clone()))
    }
}

/// Passes ask no data source.
#[cfg(feature = "cli")]
impl crate::grafana::api::Queries for Double {
    fn over<'a>(
        &'a self,
        _: &'a serde_json::Value,
        _: i64,
        _: i64,
    ) -> Answer<'a, crate::grafana::wire::Answered> {
        async { Ok(crate::grafana::wire::Answered::default()) }.boxed()
    }

    fn at<'a>(
        &'a self,
        _: &'a crate::grafana::model::AlertRule,
        _: jiff::Timestamp,
    ) -> Answer<'a, crate::grafana::wire::Answered> {
        async { Ok(crate::grafana::wire::Answered::default()) }.boxed()
    }

    fn alerts<'a>(
        &'a self,
        _: &'a crate::grafana::model::AlertRule,
        _: (&'a str, &'a str),
    ) -> Answer<'a, Vec<crate::grafana::api::Would>> {
        async { Ok(Vec::new()) }.boxed()
    }
}

#[cfg(feature = "cli")]
impl crate::grafana::api::testing::Testing for Double {
    fn send<'a>(
        &'a self,
        _: &'a str,
        _: &'a Integration,
        _: &'a crate::grafana::api::testing::TestAlert,
    ) -> Answer<'a, crate::grafana::api::testing::Tested> {
        self.call("testing.send", |_| {
            Ok(crate::grafana::api::testing::Tested {
                failure: None,
                took: None,
            })
        })
    }
}

#[cfg(feature = "cli")]
impl crate::grafana::api::history::History for Double {
    fn changes(
        &self,
        _: jiff::Timestamp,
        _: jiff::Timestamp,
    ) -> Answer<'_, crate::grafana::api::history::Past> {
        self.call("history.changes", |_| {
            Ok(crate::grafana::api::history::Past {
                kept_in: crate::grafana::api::history::KeptIn::Loki,
                changes: Vec::new(),
                is_cut: false,
                failed: None,
            })
        })
    }
}
