//! Grafana itself: `/api/health`, `/api/frontend/settings`, `/api/org` and `/api/datasources`.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt;
use serde::Deserialize;
use serde_json::Value;

use super::Provisioning;
use crate::grafana::api::{Answer, Server};
use crate::grafana::digest;
use crate::grafana::transport::Call;
use crate::grafana::wire::{DataSource, Deprecation, Health, Settings, Toggles};

/// The scheduler's base interval where Grafana does not tell.
const BASE_INTERVAL: Duration = Duration::from_secs(10);

/// First major version that has nested folders without a toggle.
const NESTED_FOLDERS_SINCE: u32 = 11;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct FrontendSettings {
    build_info: BuildInfo,
    unified_alerting: UnifiedAlerting,
    feature_toggles: BTreeMap<String, Value>,
    namespace: Option<String>,
}

#[derive(Deserialize)]
struct Organisation {
    id: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BuildInfo {
    #[serde(deserialize_with = "crate::grafana::wire::version")]
    version: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UnifiedAlerting {
    min_interval: Option<String>,
}

impl Server for Provisioning {
    fn health(&self) -> Answer<'_, Health> {
        self.transport
            .fetch(Call::get("server.health", "api/health", &[]).of_one())
            .boxed()
    }

    fn pause(&self) -> Option<Duration> {
        self.transport.pause()
    }

    fn deprecated(&self) -> BTreeMap<&'static str, Deprecation> {
        self.transport.deprecated()
    }

    fn settings(&self) -> Answer<'_, Settings> {
        async move {
            // They name each data source and each plugin, of which there may be thousands.
            let call = Call::get("server.settings", "api/frontend/settings", &[]);
            let found: FrontendSettings = self.transport.fetch(call).await?;
            let settings = Settings::from(found);
            self.together.learn(settings.version.as_deref());
            Ok(settings)
        }
        .boxed()
    }

    fn organisation(&self) -> Answer<'_, i64> {
        async move {
            let call = Call::get("server.organisation", "api/org", &[]).of_one();
            self.transport
                .fetch::<Organisation>(call)
                .await
                .map(|found| found.id)
        }
        .boxed()
    }

    fn data_sources(&self) -> Answer<'_, Vec<DataSource>> {
        self.transport
            .fetch(Call::get("server.data_sources", "api/datasources", &[]))
            .boxed()
    }

    // Source: `pkg/services/accesscontrol/api`, which every role may ask about itself.
    #[cfg(feature = "cli")]
    fn permissions(&self) -> Answer<'_, BTreeMap<String, Vec<String>>> {
        let call = Call::get("server.permissions", "api/access-control/user/permissions", &[]);
        self.transport.fetch(call).boxed()
    }
}

impl From<FrontendSettings> for Settings {
    fn from(found: FrontendSettings) -> Self {
        let version = found.build_info.version.filter(|version| !version.is_empty());
        let major = version
            .as_deref()
            .and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        let is_on = |toggle: &str| found.feature_toggles.get(toggle) == Some(&Value::Bool(true));
        let toggles = Toggles {
            simplified_routing: is_on("alertingSimplifiedRouting"),
            recording_rules: is_on("grafanaManagedRecordingRules"),
            several_trees: is_on("alertingMultiplePolicies"),
            nested_folders: is_on("nestedFolders"),
        };
        let min_interval = found.unified_alerting.min_interval;
        Self {
            min_interval: min_interval
                .and_then(|text| digest::duration(&text))
                .unwrap_or(BASE_INTERVAL),
            nested_folders: toggles.nested_folders
                || major.is_some_and(|major| major >= NESTED_FOLDERS_SINCE),
            toggles,
            version,
            namespace: found.namespace.filter(|namespace| !namespace.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(found: Value) -> Settings {
        serde_json::from_value::<FrontendSettings>(found).unwrap().into()
    }

    #[test]
    fn a_version_is_cut() {
        let long = "1".repeat(10_000);
        let settings = settings(json!({"buildInfo": {"version": long}}));
        let health: Health = serde_json::from_value(json!({"version": long})).unwrap();
        assert_eq!(settings.version, health.version);
        assert_eq!(health.version.unwrap().len(), 64);
    }

    #[test]
    fn settings_are_read_from_every_version() {
        let ten = settings(json!({
            "buildInfo": {"version": "10.0.0", "commit": "x"}, "unifiedAlerting": {"minInterval": "1m0s"},
            "featureToggles": {"topnav": true},
        }));
        assert_eq!(ten.version.as_deref(), Some("10.0.0"));
        assert_eq!(ten.min_interval, Duration::from_secs(60));
        assert!(!ten.nested_folders);
        assert!(
            settings(json!({"buildInfo": {"version": "10.4.2"}, "featureToggles": {"nestedFolders": true}}))
                .nested_folders
        );
        let routing = settings(json!({"featureToggles": {"alertingSimplifiedRouting": true}})).toggles;
        assert!(routing.simplified_routing && !routing.recording_rules);
        let recording = settings(json!({"featureToggles": {"grafanaManagedRecordingRules": true}})).toggles;
        assert!(recording.recording_rules && !recording.simplified_routing);
        let trees = settings(json!({"featureToggles": {"alertingMultiplePolicies": true}})).toggles;
        assert!(trees.several_trees && !trees.recording_rules);
        assert!(settings(json!({"buildInfo": {"version": "13.1.0-25926265225"}})).nested_folders);
    }

    #[test]
    fn what_settings_leave_out_has_grafanas_default() {
        let bare = settings(json!({"buildInfo": {"version": ""}}));
        assert_eq!(
            bare,
            Settings {
                version: None,
                min_interval: Duration::from_secs(10),
                nested_folders: false,
                toggles: Toggles::default(),
                namespace: None,
            }
        );
    }
}
