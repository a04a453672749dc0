//! Grafana's version, as far as decisions depend on it.

use std::fmt;

/// Major and minor number of a Grafana release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
}

impl Version {
    /// The oldest Grafana that is tolerated; taken where a server hides its version.
    pub const OLDEST: Self = Self { major: 10, minor: 0 };
    /// `KeepLast` for noDataState and execErrState.
    pub const KEEP_LAST: Self = Self { major: 10, minor: 4 };
    /// Nested folders without a feature toggle.
    pub const NESTED_FOLDERS: Self = Self { major: 11, minor: 0 };
    /// `keepFiringFor` and `missingSeriesEvalsToResolve`.
    pub const KEEP_FIRING_FOR: Self = Self { major: 12, minor: 0 };
    /// Equal titles within a folder.
    pub const SAME_TITLES: Self = Self { major: 12, minor: 0 };

    /// Reads the leading `MAJOR.MINOR` of a version string such as `12.1.0-91295`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches('v').split(['.', '-', '+']);
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next().and_then(|minor| minor.parse().ok()).unwrap_or(0);
        Some(Self { major, minor })
    }

    /// The fields of our resources that this version lacks.
    pub fn lacks(self) -> Vec<String> {
        [
            ("AlertRule.spec.noDataState: KeepLast", Self::KEEP_LAST),
            ("AlertRule.spec.execErrState: KeepLast", Self::KEEP_LAST),
            ("AlertRule.spec.keepFiringFor", Self::KEEP_FIRING_FOR),
            (
                "AlertRule.spec.missingSeriesEvalsToResolve",
                Self::KEEP_FIRING_FOR,
            ),
        ]
        .into_iter()
        .filter(|(_, since)| self < *since)
        .map(|(field, since)| format!("{field} (since {since})"))
        .collect()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_strings_that_servers_give() {
        for (text, major, minor) in [
            ("10.0.0", 10, 0),
            ("12.1.0-91295", 12, 1),
            ("13.1.0-25926265225", 13, 1),
            ("v11.6", 11, 6),
        ] {
            assert_eq!(Version::parse(text), Some(Version { major, minor }), "{text}");
        }
        assert_eq!(Version::parse("unknown"), None);
    }

    #[test]
    fn names_what_an_old_server_lacks() {
        assert_eq!(Version::OLDEST.lacks().len(), 4);
        assert_eq!(Version { major: 11, minor: 6 }.lacks().len(), 2);
        assert!(Version { major: 12, minor: 0 }.lacks().is_empty());
    }
}
