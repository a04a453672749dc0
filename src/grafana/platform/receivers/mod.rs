//! Contact points: `receivers` of `notifications.alerting.grafana.app`, each whole with its integrations. A write of one is all or nothing, and
//! says in which state it left it.

mod spec;
#[cfg(feature = "cli")]
mod testing;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::Kind;
use super::titled::ByTitle;
use crate::grafana::api::notifications::{ContactPointWrite, ContactPoints, Sent};
use crate::grafana::api::watch::Listed;
use crate::grafana::api::{Answer, Provenance};
use crate::grafana::error::{Error, Result};
use crate::grafana::model::{ContactPoint, Found};
use crate::grafana::transport::Transport;
use spec::Spec;

/// The contact points of an organisation.
pub(in crate::grafana) struct Receivers(ByTitle<Spec>);

impl Receivers {
    /// Where these are, and in which versions: the beta came with 13.0, and the alpha before it loses who provisioned a contact point.
    pub(in crate::grafana) const KIND: (&'static str, &'static str) =
        ("notifications.alerting.grafana.app", "receivers");
    pub(in crate::grafana) const VERSIONS: [&'static str; 1] = ["v1beta1"];

    /// Those of one namespace.
    pub(in crate::grafana) fn new(transport: Arc<Transport>, kind: Kind, namespace: String) -> Self {
        Self(ByTitle::new(transport, kind, namespace))
    }

    /// Which API this is.
    pub(in crate::grafana) fn kind(&self) -> &Kind {
        self.0.kind()
    }

    /// Stores the whole contact point in place of what was found, in the state in which it was found.
    async fn replace(&self, write: &ContactPointWrite<'_>) -> Result<Sent> {
        let ContactPointWrite {
            wish, found, kept, ..
        } = *write;
        let state = found.map(|found| (found.object.name.as_str(), found.revision.as_ref()));
        let mut whole = Spec::of(wish);
        // What is kept is sent back exactly as it is read, and keeps the secrets that are stored.
        if let Some((name, _)) = state.filter(|_| !kept.is_empty())
            && let Some(there) = self.0.get_whole(name).await?
        {
            whole = whole.beside(there.object, kept);
        }
        let stored = self.0.put(whole, state, write.provenance).await;
        // Grafana's validation repeats settings. A caller knows what is secret among them; this takes out whatever may be.
        let stored = stored.map_err(|error| error.redact(&wish.sensitive_values()))?;
        let sent: Vec<String> = wish.uids().cloned().collect();
        let before = found.into_iter().flat_map(|found| found.object.uids());
        Ok(Sent {
            gone: before
                .filter(|uid| !sent.contains(uid) && !kept.contains(uid))
                .cloned()
                .collect(),
            sent,
            revision: stored.revision,
            failure: None,
        })
    }

    async fn take_out(&self, found: &Found<ContactPoint>, uids: &[String]) -> Result<Sent> {
        let (name, state) = (found.object.name.as_str(), found.revision.as_ref());
        let gone = |revision| Sent {
            gone: uids.to_vec(),
            revision,
            ..Sent::default()
        };
        if found.object.uids().all(|uid| uids.contains(uid)) {
            return self.0.delete(name, state).await.map(|()| gone(None));
        }
        // What stays is sent back exactly as it is read, and keeps the secrets that are stored.
        let Some(there) = self.0.get_whole(name).await? else {
            return Ok(gone(None));
        };
        let provenance = there.provenance.map_or(Provenance::None, |_| Provenance::Api);
        let left = there.object.without(uids);
        let stored = self.0.put(left, Some((name, state)), provenance).await?;
        Ok(gone(stored.revision))
    }
}

fn read(found: Found<Spec>) -> Found<ContactPoint> {
    let Found {
        object,
        provenance,
        revision,
    } = found;
    Found {
        object: object.contact_point(provenance.as_ref()),
        provenance,
        revision,
    }
}

fn failed(error: Error) -> Sent {
    Sent {
        failure: Some(error),
        ..Sent::default()
    }
}

impl ContactPoints for Receivers {
    fn list(&self) -> Answer<'_, Listed<Found<ContactPoint>>> {
        async move {
            let listed = self.0.listed("contact_points.watch").await?;
            Ok(listed.map(read, |name| name))
        }
        .boxed()
    }

    fn get<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Found<ContactPoint>>> {
        async move { Ok(self.0.get(name).await?.map(read)) }.boxed()
    }

    fn put<'a>(&'a self, write: ContactPointWrite<'a>) -> BoxFuture<'a, Sent> {
        async move { self.replace(&write).await.unwrap_or_else(failed) }.boxed()
    }

    fn remove<'a>(&'a self, found: &'a Found<ContactPoint>, uids: &'a [String]) -> BoxFuture<'a, Sent> {
        async move { self.take_out(found, uids).await.unwrap_or_else(failed) }.boxed()
    }
}

#[cfg(test)]
mod tests;
