//! Grafana's version, as far as decisions depend on it.

pub mod links;

use std::fmt;

use crate::grafana::wire::Toggles;

/// The number of a Grafana release. Patch releases matter: several have changed what an endpoint takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
    /// Patch number.
    pub patch: u32,
}

/// Types of integrations, and fields of theirs, that came after [`Version::OLDEST`], below `integrations[]` of a ContactPoint. From the provider's
/// acceptance tests and the history of Grafana; where that knows no more than the month, the first release that it can have been.
pub const CONTACT_POINT_FIELDS: [(&str, Version); 20] = [
    ("oncall", Version::new(10, 2, 0)),
    ("telegram.disableWebPagePreview", Version::new(10, 2, 0)),
    ("telegram.protectContent", Version::new(10, 2, 0)),
    ("telegram.disableNotifications", Version::new(10, 2, 0)),
    ("telegram.messageThreadID", Version::new(10, 3, 0)),
    ("opsgenie.responders", Version::new(10, 3, 0)),
    ("pagerduty.url", Version::new(11, 0, 0)),
    ("sns", Version::new(11, 1, 0)),
    ("mqtt", Version::new(11, 2, 0)),
    ("webhook.tlsConfig", Version::new(11, 4, 0)),
    ("jira", Version::new(11, 6, 0)),
    ("slack.color", Version::new(11, 6, 0)),
    ("webhook.hmacConfig", Version::new(11, 6, 0)),
    ("webhook.headers", Version::new(12, 0, 0)),
    ("webhook.payload", Version::new(12, 0, 0)),
    ("webhook.httpConfig", Version::new(12, 1, 0)),
    ("googlechat.hideOpenButton", Version::new(12, 4, 0)),
    ("googlechat.hideVersionInfo", Version::new(12, 4, 0)),
    ("slack.footer", Version::new(12, 4, 0)),
    ("discord.useEmbedDescription", Version::new(13, 0, 0)),
];

impl Version {
    /// The oldest Grafana that is tolerated; taken where a server hides its version.
    pub const OLDEST: Self = Self::new(10, 0, 0);
    /// `KeepLast` for noDataState and execErrState.
    pub const KEEP_LAST: Self = Self::new(10, 4, 0);
    /// Nested folders without a feature toggle.
    pub const NESTED_FOLDERS: Self = Self::new(11, 0, 0);
    /// A rule's own notification settings, without a feature toggle.
    pub const NOTIFICATION_SETTINGS: Self = Self::new(11, 0, 0);
    /// The same with the feature toggle `alertingSimplifiedRouting`.
    pub const NOTIFICATION_SETTINGS_BY_TOGGLE: Self = Self::new(10, 4, 0);
    /// Recording rules, without a feature toggle, and the data source that they write to.
    pub const RECORDING_RULES: Self = Self::new(12, 0, 0);
    /// Recording rules with the feature toggle `grafanaManagedRecordingRules`, which write where Grafana's settings say.
    pub const RECORDING_RULES_BY_TOGGLE: Self = Self::new(11, 2, 0);
    /// `keepFiringFor` and `missingSeriesEvalsToResolve`.
    pub const KEEP_FIRING_FOR: Self = Self::new(12, 0, 0);
    /// Equal titles within a folder.
    pub const SAME_TITLES: Self = Self::new(12, 0, 0);

    /// Policy trees beside the default one, without a feature toggle (`grafana/grafana#126160`).
    pub const SEVERAL_TREES: Self = Self::new(13, 2, 0);
    /// The same with the feature toggle `alertingMultiplePolicies`. 12.4 has them in a version of the API that isn't used.
    pub const SEVERAL_TREES_BY_TOGGLE: Self = Self::new(13, 0, 0);
    /// Inhibition rules. They are heeded where there may be several policy trees.
    pub const INHIBITION_RULES: Self = Self::new(13, 0, 0);

    /// `active_time_intervals` of a route and of a rule's own settings. From 11.2 on a route keeps them, but none heeds them before
    /// (`grafana/grafana#104252`, `grafana/terraform-provider-grafana#2249`).
    pub const ACTIVE_INTERVALS: Self = Self::new(12, 1, 0);

    /// The release of these numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads the leading `MAJOR.MINOR.PATCH` of a version string such as `12.1.0-91295`; what is missing is 0.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches('v').split(['.', '-', '+']);
        let major = parts.next()?.parse().ok()?;
        let mut next = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
        Some(Self::new(major, next(), next()))
    }

    /// Whether a rule may name its contact point.
    pub fn has_notification_settings(self, toggles: Toggles) -> bool {
        self >= Self::NOTIFICATION_SETTINGS
            || toggles.simplified_routing && self >= Self::NOTIFICATION_SETTINGS_BY_TOGGLE
    }

    /// Whether a rule may record.
    pub fn has_recording_rules(self, toggles: Toggles) -> bool {
        self >= Self::RECORDING_RULES || toggles.recording_rules && self >= Self::RECORDING_RULES_BY_TOGGLE
    }

    /// Whether there may be policy trees beside the default one.
    pub fn has_several_trees(self, toggles: Toggles) -> bool {
        self >= Self::SEVERAL_TREES || toggles.several_trees && self >= Self::SEVERAL_TREES_BY_TOGGLE
    }

    /// Whether inhibition rules hold back what they are to. Where they don't Grafana keeps them all the same (`grafana/grafana#124373`).
    pub fn heeds_inhibition_rules(self, toggles: Toggles) -> bool {
        self.has_several_trees(toggles)
    }

    /// The fields of our resources that this version lacks with these feature toggles.
    pub fn lacks(self, toggles: Toggles) -> Vec<String> {
        let by_toggle = |has: bool, since: Self| if has { Self::OLDEST } else { since };
        let settings = self.has_notification_settings(toggles);
        let recording = self.has_recording_rules(toggles);
        let trees = self.has_several_trees(toggles);
        [
            (
                "AlertRule.spec.notificationSettings",
                by_toggle(settings, Self::NOTIFICATION_SETTINGS),
            ),
            (
                "AlertRule.spec.record",
                by_toggle(recording, Self::RECORDING_RULES),
            ),
            ("AlertRule.spec.record.targetDatasource", Self::RECORDING_RULES),
            (
                "AlertRule.spec.folder: A/B",
                by_toggle(toggles.nested_folders, Self::NESTED_FOLDERS),
            ),
            ("AlertRule.spec.noDataState: KeepLast", Self::KEEP_LAST),
            ("AlertRule.spec.execErrState: KeepLast", Self::KEEP_LAST),
            ("AlertRule.spec.keepFiringFor", Self::KEEP_FIRING_FOR),
            (
                "AlertRule.spec.missingSeriesEvalsToResolve",
                Self::KEEP_FIRING_FOR,
            ),
            (
                "AlertRule.spec.notificationSettings.activeTimeIntervals",
                by_toggle(!settings, Self::ACTIVE_INTERVALS),
            ),
            (
                "AlertRule.spec.notificationSettings.policy",
                by_toggle(trees || !settings, Self::SEVERAL_TREES),
            ),
            (
                "NotificationPolicy.spec.activeTimeIntervals",
                Self::ACTIVE_INTERVALS,
            ),
            (
                "NotificationPolicy.spec.routes[].activeTimeIntervals",
                Self::ACTIVE_INTERVALS,
            ),
            ("InhibitionRule", Self::INHIBITION_RULES),
            (
                "NotificationPolicy.spec.tree",
                by_toggle(trees, Self::SEVERAL_TREES),
            ),
        ]
        .into_iter()
        .map(|(field, since)| (field.to_owned(), since))
        .chain(
            CONTACT_POINT_FIELDS
                .map(|(field, since)| (format!("ContactPoint.spec.integrations[].{field}"), since)),
        )
        .filter(|(_, since)| self < *since)
        .map(|(field, since)| format!("{field} (since {since})"))
        .collect()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.patch {
            0 => Ok(()),
            patch => write!(f, ".{patch}"),
        }
    }
}

/// How many fields a message names.
const MOST_NAMED: usize = 8;

/// What is to be said of fields, each with the version that brought it, where a Grafana is older; `None` where there are none.
pub fn too_new(fields: &[(String, Version)], version: Version) -> Option<String> {
    let named = fields.iter().take(MOST_NAMED);
    let mut named: Vec<String> = named
        .map(|(field, since)| format!("{field} needs Grafana {since} or newer"))
        .collect();
    let them = if named.len() == 1 { "it" } else { "them" };
    let more = fields.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        named.push(format!("and so on for {more} more"));
    }
    (!named.is_empty()).then(|| {
        let all = named.join(", ");
        format!("{all}; this one is {version}. Remove {them} or upgrade Grafana")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_strings_that_servers_give() {
        for (text, version) in [
            ("10.0.0", Version::new(10, 0, 0)),
            ("12.1.0-91295", Version::new(12, 1, 0)),
            ("11.6.17", Version::new(11, 6, 17)),
            ("13.0.4+security-01", Version::new(13, 0, 4)),
            ("13.1.0-25926265225", Version::new(13, 1, 0)),
            ("12.0.0-pre", Version::new(12, 0, 0)),
            ("v11.6", Version::new(11, 6, 0)),
        ] {
            assert_eq!(Version::parse(text), Some(version), "{text}");
        }
        assert!(Version::parse("11.5.2") > Version::parse("11.5.1"));
        assert_eq!(Version::parse("unknown"), None);
    }

    #[test]
    fn a_release_is_shown_as_people_call_it() {
        assert_eq!(Version::new(12, 0, 0).to_string(), "12.0");
        assert_eq!(Version::new(11, 5, 2).to_string(), "11.5.2");
    }

    #[test]
    fn names_what_an_old_server_lacks() {
        let lacks = |major, minor| Version::new(major, minor, 0).lacks(Toggles::default());
        assert_eq!(
            Version::OLDEST.lacks(Toggles::default()).len(),
            12 + CONTACT_POINT_FIELDS.len()
        );
        let of_rules = |version: &[String]| {
            version
                .iter()
                .filter(|field| field.starts_with("AlertRule"))
                .count()
        };
        assert_eq!(of_rules(&lacks(11, 6)), 6);
        assert_eq!(of_rules(&lacks(10, 4)), 6);
        assert!(lacks(10, 4).contains(&"AlertRule.spec.folder: A/B (since 11.0)".to_owned()));
        let toggles = Toggles {
            simplified_routing: true,
            recording_rules: true,
            several_trees: true,
            nested_folders: true,
        };
        assert_eq!(
            of_rules(&Version::new(10, 4, 0).lacks(toggles)),
            6,
            "by its toggle"
        );
        assert_eq!(
            of_rules(&Version::new(11, 2, 0).lacks(toggles)),
            5,
            "by its toggle"
        );
        assert_eq!(
            lacks(12, 0)[..4],
            [
                "AlertRule.spec.notificationSettings.activeTimeIntervals (since 12.1)",
                "AlertRule.spec.notificationSettings.policy (since 13.2)",
                "NotificationPolicy.spec.activeTimeIntervals (since 12.1)",
                "NotificationPolicy.spec.routes[].activeTimeIntervals (since 12.1)",
            ]
        );
        assert_eq!(of_rules(&lacks(12, 1)), 1);
        assert!(lacks(11, 5).contains(&"ContactPoint.spec.integrations[].jira (since 11.6)".to_owned()));
        assert!(lacks(12, 4).contains(&"InhibitionRule (since 13.0)".to_owned()));
        assert_eq!(
            lacks(13, 1),
            [
                "AlertRule.spec.notificationSettings.policy (since 13.2)",
                "NotificationPolicy.spec.tree (since 13.2)",
            ]
        );
        assert_eq!(Version::new(13, 0, 0).lacks(toggles), [""; 0], "by its toggle");
        assert!(lacks(13, 2).is_empty(), "{:?}", lacks(13, 2));
    }
    #[test]
    fn inhibition_rules_are_heeded_by_their_toggle_and_later_without_it() {
        let heeds = |minor, several_trees| {
            let toggles = Toggles {
                several_trees,
                ..Toggles::default()
            };
            Version::new(13, minor, 0).heeds_inhibition_rules(toggles)
        };
        assert_eq!(
            [heeds(0, false), heeds(1, false), heeds(2, false)],
            [false, false, true]
        );
        assert!(heeds(0, true));
    }
}
