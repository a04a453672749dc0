//! Releases of Grafana.

use std::{env, fmt, str::FromStr};

use serde_json::Value;

use super::Running;
use crate::{Error, Result, error::chain, http};

/// A release of Grafana, such as `13.3.0`; later ones are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
    patch: u16,
}

impl Version {
    /// The releases that tests run on, oldest first.
    pub const RELEASES: [Self; 6] = [
        Self::new(10, 0, 0),
        Self::new(10, 4, 0),
        Self::new(11, 6, 0),
        Self::new(12, 4, 0),
        Self::new(13, 0, 0),
        Self::CURRENT,
    ];

    /// The one that all tests run on unless they name others.
    pub const CURRENT: Self = Self::new(13, 3, 0);

    /// A release by its number.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// The release of the [trial](crate::trial) that runs here, or `GRAFANA_VERSION`, or else [`Version::CURRENT`].
    ///
    /// # Panics
    ///
    /// If the variable holds something else than a release: another one must not be run in its place.
    pub fn chosen() -> Self {
        crate::trial::release().unwrap_or_else(Self::of_environment)
    }

    fn of_environment() -> Self {
        match env::var("GRAFANA_VERSION") {
            Ok(text) if !text.is_empty() => text
                .parse()
                .unwrap_or_else(|error| panic!("GRAFANA_VERSION: {error}")),
            _ => Self::CURRENT,
        }
    }

    /// Whether this is that minor release or a later one.
    pub fn since(self, major: u16, minor: u16) -> bool {
        self >= Self::new(major, minor, 0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Why a text is no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a release of Grafana; write all of its number, such as 13.3.0")]
pub struct NotAVersion(String);

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads `MAJOR.MINOR.PATCH`; a suffix such as `-pre` or `+security-01` is let go.
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        let number = text.split(['-', '+']).next().unwrap_or_default();
        let parts: Result<Vec<u16>, _> = number.split('.').map(str::parse).collect();
        match parts.as_deref() {
            Ok(&[major, minor, patch]) => Ok(Self::new(major, minor, patch)),
            _ => Err(NotAVersion(text.to_owned())),
        }
    }
}

/// The release that a running Grafana says it is.
pub(crate) async fn asked(server: &Running) -> Result<Version> {
    let failed = |error: reqwest::Error| Error::Source(format!("{}: {}", server.url, chain(&error)));
    // The version may be hidden from those who haven't signed in, and health doesn't look who asks
    // (`auth.anonymous.hide_version`).
    for (path, pointer) in [
        ("/api/health", "/version"),
        ("/api/frontend/settings", "/buildInfo/version"),
    ] {
        let request = http::client().get(format!("{}{path}", server.url));
        let request = request.basic_auth(&server.user, Some(&server.password));
        let text = request
            .send()
            .await
            .map_err(failed)?
            .bytes()
            .await
            .map_err(failed)?;
        let answer: Value = serde_json::from_slice(&text).unwrap_or_default();
        if let Some(said) = answer
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|said| !said.is_empty())
        {
            return said
                .parse()
                .map_err(|error| Error::Source(format!("{}: {error}", server.url)));
        }
    }
    Err(Error::Source(format!(
        "{} doesn't say which release it is",
        server.url
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_releases_stand_in_their_order_and_end_with_the_current_one() {
        assert!(Version::RELEASES.is_sorted());
        assert_eq!(Version::RELEASES.last(), Some(&Version::CURRENT));
    }

    #[test]
    fn a_release_reads_as_it_is_written() {
        for version in Version::RELEASES {
            assert_eq!(version.to_string().parse(), Ok(version));
        }
        assert_eq!(
            "11.6.1+security-01".parse::<Version>(),
            Ok(Version::new(11, 6, 1))
        );
        assert_eq!("12.4".parse::<Version>(), Err(NotAVersion("12.4".to_owned())));
    }

    #[test]
    fn a_minor_release_holds_for_its_patches_and_what_comes_later() {
        let version = Version::new(10, 4, 2);
        assert!(version.since(10, 4) && version.since(9, 5));
        assert!(!version.since(10, 5) && !version.since(11, 0));
    }
}
