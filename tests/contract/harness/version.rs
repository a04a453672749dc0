//! Sets of Grafana's releases.

use std::fmt;

use alertwright_testbed::grafana::Version;

/// The first release that contracts are about.
pub const FIRST: Version = Version::new(10, 0, 0);

/// From one version on, and before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    from: Version,
    before: Option<Version>,
}

/// The versions that something holds for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions(Vec<Range>);

impl Versions {
    /// Whether a version is one of these.
    pub fn contains(&self, version: Version) -> bool {
        self.0
            .iter()
            .any(|range| range.from <= version && range.before.is_none_or(|before| version < before))
    }

    /// These and others: a fix that went into several lines.
    #[must_use]
    pub fn and(mut self, mut others: Self) -> Self {
        self.0.append(&mut others.0);
        self
    }

    /// Where these begin and end: a version on each side of every edge is all it takes to try them.
    pub fn edges(&self) -> impl Iterator<Item = Version> {
        self.0
            .iter()
            .flat_map(|range| [Some(range.from), range.before])
            .flatten()
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Range { from, before }) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match before {
                Some(before) => write!(f, "{from} to before {before}")?,
                None => write!(f, "{from} and later")?,
            }
        }
        Ok(())
    }
}

fn version(text: &str) -> Version {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// Every version.
pub fn always() -> Versions {
    Versions(vec![Range {
        from: FIRST,
        before: None,
    }])
}

/// A version and all later ones.
pub fn since(from: &str) -> Versions {
    Versions(vec![Range {
        from: version(from),
        before: None,
    }])
}

/// All versions before one.
pub fn before(end: &str) -> Versions {
    between("10.0.0", end)
}

/// From a version on, and before another.
pub fn between(from: &str, end: &str) -> Versions {
    Versions(vec![Range {
        from: version(from),
        before: Some(version(end)),
    }])
}
