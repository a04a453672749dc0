//! Contact points.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{CONTACT_POINTS, Document, Notifications};
use crate::grafana::api::Answer;
use crate::grafana::api::notifications::{ContactPointWrite, ContactPoints, Sent};
use crate::grafana::api::watch::Listed;
use crate::grafana::choose::newer::{is_closed, is_unwritable, read};
use crate::grafana::error::Class;
use crate::grafana::model::{ContactPoint, Found};

/// Whoever may read none is shown none, and isn't refused; each organisation has one.
const NONE: &str = "it shows no contact point, though each organisation has one";

impl Notifications {
    /// The newer API, for what it has found itself: a write of what the older one has found would be one in whatever state it is.
    fn newer_for(&self, found: Option<&Found<ContactPoint>>) -> Option<Arc<Document>> {
        let is_bound = found.is_none_or(|found| found.revision.is_some());
        self.newer.to_write().filter(|_| is_bound)
    }

    /// Gives how far a write of the newer API came, or, where it doesn't let itself be written, one of the older API.
    async fn sent(&self, sent: Sent, older: impl Future<Output = Sent>) -> Sent {
        let refused = match &sent.failure {
            Some(refused) if is_unwritable(refused) => refused.clone(),
            Some(_) => return sent,
            None => {
                self.newer.took();
                return sent;
            }
        };
        let why = refused.without_words();
        let mut sent = older.await;
        match &sent.failure {
            None => self.newer.refused_to_write(why),
            Some(error) if error.class() == Class::Missing => sent.failure = Some(refused),
            Some(_) => {}
        }
        sent
    }
}

/// Whether the older API wasn't to be had for a write. What is beside ours and stays is left to it: the newer one has one provenance for all of a contact
/// point, so what is somebody else's would get ours, and could never again be edited in Grafana.
fn is_unserved(sent: &Sent) -> bool {
    sent.sent.is_empty() && sent.gone.is_empty() && sent.failure.as_ref().is_some_and(is_closed)
}

impl ContactPoints for Notifications {
    fn list(&self) -> Answer<'_, Listed<Found<ContactPoint>>> {
        async move {
            let Some(newer) = self.newer.to_list() else {
                return self.older.list().await;
            };
            let answer = newer.contact_points.list().await;
            if answer.as_ref().is_ok_and(|listed| listed.items.is_empty()) {
                let answer = self.older.list().await?;
                self.newer.give_up(NONE.to_owned());
                return Ok(answer);
            }
            self.newer.listed(CONTACT_POINTS, answer, self.older.list()).await
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<ContactPoint>>> {
        async move {
            let Some(newer) = self.newer.open() else {
                return self.older.get(name).await;
            };
            let answer = newer.contact_points.get(name).await;
            read(answer, self.older.get(name)).await
        }
        .boxed()
    }

    fn put<'a>(&'a self, write: ContactPointWrite<'a>) -> BoxFuture<'a, Sent> {
        async move {
            let Some(newer) = self.newer_for(write.found) else {
                return self.older.put(write).await;
            };
            if !write.kept.is_empty() {
                let sent = self.older.put(write).await;
                if !is_unserved(&sent) {
                    return sent;
                }
            }
            let sent = newer.contact_points.put(write).await;
            self.sent(sent, self.older.put(write)).await
        }
        .boxed()
    }

    fn remove<'a>(&'a self, found: &'a Found<ContactPoint>, uids: &'a [String]) -> BoxFuture<'a, Sent> {
        async move {
            let Some(newer) = self.newer_for(Some(found)) else {
                return self.older.remove(found, uids).await;
            };
            // What stays is somebody else's.
            if !found.object.uids().all(|uid| uids.contains(uid)) {
                let sent = self.older.remove(found, uids).await;
                if !is_unserved(&sent) {
                    return sent;
                }
            }
            let sent = newer.contact_points.remove(found, uids).await;
            self.sent(sent, self.older.remove(found, uids)).await
        }
        .boxed()
    }
}
