//! Grafana itself: its version, its data sources, its APIs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Double;
use crate::grafana::api::{Answer, Apis, Capabilities, Preference, Server};
use crate::grafana::wire::{DataSource, Deprecation, Health, Settings};

impl Apis for Double {
    fn prefer(&self, preference: Preference) {
        self.hold(|held| held.preference = preference);
    }
    fn choose<'a>(&'a self, _: &'a Settings) -> Answer<'a, ()> {
        self.call("apis.kinds", |_| Ok(()))
    }
    fn is_stale(&self) -> bool {
        false
    }
    fn capabilities(&self) -> Capabilities {
        self.hold(|held| held.capabilities.clone())
    }
    fn told(&self, told: &Capabilities) {
        self.hold(|held| {
            if let (Some(_), Some(change)) = (&told.change, &mut held.capabilities.change) {
                change.is_made = true;
            }
        });
    }
}

impl Server for Double {
    fn pause(&self) -> Option<Duration> {
        None
    }
    fn deprecated(&self) -> BTreeMap<&'static str, Deprecation> {
        self.hold(|held| held.deprecated.clone())
    }
    fn health(&self) -> Answer<'_, Health> {
        self.call("server.health", |held| {
            Ok(Health {
                database: "ok".to_owned(),
                version: Some(held.version.clone()).filter(|_| !held.hides_version),
            })
        })
    }
    fn settings(&self) -> Answer<'_, Settings> {
        self.call("server.settings", |held| {
            Ok(Settings {
                version: Some(held.version.clone()),
                min_interval: Duration::from_secs(10),
                nested_folders: true,
                toggles: held.toggles,
                namespace: Some("default".to_owned()),
            })
        })
    }
    #[cfg(feature = "cli")]
    fn permissions(&self) -> Answer<'_, BTreeMap<String, Vec<String>>> {
        self.call("server.permissions", |_| Ok(BTreeMap::new()))
    }
    fn organisation(&self) -> Answer<'_, i64> {
        self.call("server.organisation", |_| Ok(1))
    }
    fn data_sources(&self) -> Answer<'_, Vec<DataSource>> {
        self.call("server.data_sources", |held| Ok(held.sources.clone()))
    }
}
