//! Releases of Grafana.

use std::{env, fmt, str::FromStr};

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

    /// `GRAFANA_VERSION`, or else [`Version::CURRENT`].
    ///
    /// # Panics
    ///
    /// If the variable holds something else than a release: another one must not be run in its place.
    pub fn chosen() -> Self {
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
