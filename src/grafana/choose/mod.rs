//! Which API each concern goes through: the newer one where Grafana serves it and lets it be used, else the older.

mod folders;
mod newer;

use std::sync::Arc;

use futures::FutureExt;

use super::api::{Answer, Api, Apis, Capabilities, Concern, Fallback, Grafana, Preference};
use super::transport::Transport;
use super::turns::Company;
use super::wire::Settings;
use super::{platform, provisioning};
use folders::Folders;

/// A client that begins with the older API, which every version serves.
pub(super) fn client(transport: Arc<Transport>, company: Company) -> Grafana {
    let older = provisioning::client(transport.clone(), company);
    let folders = Arc::new(Folders::new(older.clone()));
    Grafana {
        rules: older.clone(),
        states: older.clone(),
        folders: folders.clone(),
        contact_points: older.clone(),
        trees: older.clone(),
        time_intervals: older.clone(),
        templates: older.clone(),
        silences: older.clone(),
        server: older,
        apis: Arc::new(Chosen { transport, folders }),
    }
}

/// What is chosen.
struct Chosen {
    transport: Arc<Transport>,
    folders: Arc<Folders>,
}

impl Apis for Chosen {
    fn prefer(&self, preference: Preference) {
        let _ = preference;
    }

    fn choose<'a>(&'a self, settings: &'a Settings) -> Answer<'a, ()> {
        async move {
            // A version that doesn't say where its objects are has none that is worth it.
            let namespace = settings.namespace.as_deref();
            self.folders.look(&self.transport, namespace).await
        }
        .boxed()
    }

    fn is_stale(&self) -> bool {
        false
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        let folders = &self.folders.newer;
        let kinds = folders.open().map(|newer| vec![newer.kind().clone()]);
        capabilities.note(
            Concern::Folders,
            kinds.as_deref(),
            folders.refused().map(Fallback::Refused),
        );
        capabilities.note(Concern::Notifications, None, None);
        capabilities.note(Concern::Rules, None, None);
        capabilities
    }

    fn change(&self) {}
}

impl Capabilities {
    /// Notes the newer kinds of a concern, all of which can be watched or none, or why they aren't used.
    fn note(&mut self, concern: Concern, kinds: Option<&[platform::Kind]>, fallback: Option<Fallback>) {
        let api = match kinds.and_then(<[_]>::first) {
            Some(kind) => Api::Platform(kind.group_version()),
            None => Api::Provisioning,
        };
        self.apis.insert(concern, api);
        self.fallbacks
            .extend(fallback.map(|fallback| (concern, fallback)));
        if kinds.is_some_and(|kinds| kinds.iter().all(|kind| kind.is_watchable)) {
            self.watchable.insert(concern);
        }
    }
}

#[cfg(test)]
mod tests;
