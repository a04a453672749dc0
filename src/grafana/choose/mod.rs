//! Which API each concern goes through: the newer one where Grafana serves it and lets it be used, else the older.

mod folders;
mod newer;
mod notifications;
mod rules;
#[cfg(feature = "cli")]
mod testing;
mod turnover;

use std::sync::Arc;

use futures::{FutureExt, join};

use super::api::{Answer, Api, Apis, Capabilities, Concern, Fallback, Grafana, Preference};
use super::platform::{Discovery, Kind};
use super::provisioning;
use super::transport::Transport;
use super::turns::Company;
use super::wire::Settings;
use folders::Folders;
use notifications::{Inhibitions, Notifications};
use rules::Rules;

/// A client that begins with the older API, which every version serves.
pub(super) fn client(transport: Arc<Transport>, company: Company) -> Grafana {
    let older = provisioning::client(transport.clone(), company.clone());
    let folders = Arc::new(Folders::new(older.clone()));
    let notifications = Arc::new(Notifications::new(older.clone()));
    let inhibitions = Arc::new(Inhibitions::default());
    let rules = Arc::new(Rules::new(older.clone(), company));
    Grafana {
        rules: rules.clone(),
        states: older.clone(),
        folders: folders.clone(),
        contact_points: notifications.clone(),
        trees: notifications.clone(),
        time_intervals: notifications.clone(),
        templates: notifications.clone(),
        inhibition_rules: inhibitions.clone(),
        deliveries: older.clone(),
        #[cfg(feature = "cli")]
        queries: older.clone(),
        #[cfg(feature = "cli")]
        history: older.clone(),
        #[cfg(feature = "cli")]
        testing: Arc::new(testing::Tests {
            transport: transport.clone(),
            older: older.clone(),
        }),
        silences: older.clone(),
        server: older,
        apis: Arc::new(Chosen {
            transport,
            folders,
            notifications,
            inhibitions,
            rules,
        }),
    }
}

/// What is chosen.
struct Chosen {
    transport: Arc<Transport>,
    folders: Arc<Folders>,
    notifications: Arc<Notifications>,
    inhibitions: Arc<Inhibitions>,
    rules: Arc<Rules>,
}

impl Apis for Chosen {
    fn prefer(&self, preference: Preference) {
        self.rules.prefer(preference);
    }

    fn choose<'a>(&'a self, settings: &'a Settings) -> Answer<'a, ()> {
        async move {
            // A version that doesn't say where its objects are has none that is worth it.
            let namespace = settings.namespace.as_deref().filter(|_| is_worth_it(settings));
            let may_be_since = |first| namespace.is_some() && settings.major().is_none_or(|own| own >= first);
            let (transport, discovery) = (&self.transport, Discovery::new(&self.transport));
            // Each is looked for whatever became of the others.
            let (folders, notifications, inhibitions, rules) = join!(
                self.folders
                    .look(transport, &discovery, namespace, may_be_since(12)),
                self.notifications
                    .look(transport, &discovery, namespace, may_be_since(13)),
                self.inhibitions
                    .look(transport, &discovery, namespace, may_be_since(13)),
                self.rules.look(transport, &discovery, settings),
            );
            folders.and(notifications).and(inhibitions).and(rules)
        }
        .boxed()
    }

    fn is_stale(&self) -> bool {
        self.rules.is_stale()
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        let (folders, notifications) = (&self.folders.newer, &self.notifications.newer);
        capabilities.is_improvable = folders.is_improvable() || notifications.is_improvable();
        let kinds = folders.open().map(|newer| vec![newer.kind().clone()]);
        capabilities.note(Concern::Folders, kinds.as_deref(), folders.fallback());
        let kinds = notifications.open().map(|newer| newer.kinds().map(Kind::clone));
        capabilities.note(
            Concern::Notifications,
            kinds.as_ref().map(<[_; 4]>::as_slice),
            notifications.fallback(),
        );
        self.rules.describe(&mut capabilities);
        capabilities.is_improvable |= !capabilities.fallbacks.is_empty();
        capabilities
    }

    fn told(&self, capabilities: &Capabilities) {
        self.rules.told(capabilities);
    }
}

/// Whether this release may have something below `/apis` that is chosen by itself: folders came with 12.0 (what's new in 12.0), notifications with
/// 13.0. One that hides its version may.
fn is_worth_it(settings: &Settings) -> bool {
    settings.major().is_none_or(|major| major >= 12)
}

impl Capabilities {
    /// Notes the newer kinds of a concern, all of which can be watched or none, or why they aren't used.
    fn note(&mut self, concern: Concern, kinds: Option<&[Kind]>, fallback: Option<Fallback>) {
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
