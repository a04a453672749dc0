//! A contract: what Grafana does, in which versions, and who says so.

use alertwright_testbed::grafana::Version;

use super::{
    call::Call,
    version::{FIRST, Versions},
};

/// Who says that Grafana behaves like this, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Its source, which was read: the file.
    Code(&'static str),
    /// Its documentation, its `OpenAPI` description, an issue or a pull request: the page or the number.
    Documentation(&'static str),
    /// A real Grafana 10.0.0, which did it: says nothing of later versions.
    Recording(&'static str),
    /// Nobody yet: what it was guessed from.
    Unconfirmed(&'static str),
}

/// How well it is known what a version does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confirmed {
    /// A real one of this version did it.
    Recorded,
    /// Its source says so.
    ByCode,
    /// Its documentation says so.
    ByDocumentation,
    /// Nobody says so.
    No,
}

impl Source {
    fn confirms(self, version: Version) -> Confirmed {
        match self {
            Self::Recording(_) if version == FIRST => Confirmed::Recorded,
            Self::Code(_) => Confirmed::ByCode,
            Self::Documentation(_) => Confirmed::ByDocumentation,
            Self::Recording(_) | Self::Unconfirmed(_) => Confirmed::No,
        }
    }
}

/// One source or several.
#[derive(Debug, Clone)]
pub struct Sources(Vec<Source>);

impl From<Source> for Sources {
    fn from(source: Source) -> Self {
        Self(vec![source])
    }
}

impl<const N: usize> From<[Source; N]> for Sources {
    fn from(sources: [Source; N]) -> Self {
        Self(sources.to_vec())
    }
}

/// What some versions do.
#[derive(Debug, Clone)]
pub struct Case {
    /// The end of the sentence that the contract's subject begins.
    pub outcome: &'static str,
    /// The versions that do it.
    pub versions: Versions,
    /// The calls of the exchange, in their order.
    pub calls: Vec<Call>,
    sources: Sources,
}

impl Case {
    /// How well it is known that this version does it: by the best of the sources.
    pub fn confirmed(&self, version: Version) -> Confirmed {
        let all = self.sources.0.iter().map(|source| source.confirms(version));
        all.min().unwrap_or(Confirmed::No)
    }

    /// Who says so, for the report.
    pub fn sources(&self) -> String {
        let all: Vec<_> = self
            .sources
            .0
            .iter()
            .map(|source| format!("{source:?}"))
            .collect();
        all.join(", ")
    }
}

/// How the server is set up that a contract needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Setup {
    /// Rules are evaluated each second instead of every ten. A real server can't, and takes its time.
    pub quick: bool,
    /// Settings that aren't the default, `section.key=value`. Only a server that is started for the tests has them.
    pub settings: Vec<&'static str>,
}

/// How Grafana behaves, said once for all versions.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The beginning of the sentence: what is done.
    pub subject: &'static str,
    /// What every case begins with.
    pub given: Vec<Call>,
    /// What is known; no two cases share a version.
    pub cases: Vec<Case>,
    /// The versions of which nothing is known.
    pub unknown: Vec<Versions>,
    /// The versions that don't have what it is about.
    pub absent: Vec<Versions>,
    /// The server that it needs.
    pub setup: Setup,
}

/// A contract about a subject: the beginning of a sentence that each case ends.
pub fn contract(subject: &'static str) -> Contract {
    Contract {
        subject,
        given: Vec::new(),
        cases: Vec::new(),
        unknown: Vec::new(),
        absent: Vec::new(),
        setup: Setup::default(),
    }
}

impl Contract {
    /// What must be there first. These calls must succeed.
    #[must_use]
    pub fn given(mut self, calls: impl IntoIterator<Item = Call>) -> Self {
        self.given.extend(calls);
        self
    }

    /// What some versions do. The sources say how that is known.
    #[must_use]
    pub fn case(
        mut self,
        versions: Versions,
        outcome: &'static str,
        sources: impl Into<Sources>,
        calls: impl IntoIterator<Item = Call>,
    ) -> Self {
        self.cases.push(Case {
            outcome,
            versions,
            sources: sources.into(),
            calls: calls.into_iter().collect(),
        });
        self
    }

    /// Versions of which nobody knows.
    #[must_use]
    pub fn unknown(mut self, versions: Versions) -> Self {
        self.unknown.push(versions);
        self
    }

    /// Versions that don't have what it is about at all, which a contract of its own says.
    #[must_use]
    pub fn absent(mut self, versions: Versions) -> Self {
        self.absent.push(versions);
        self
    }

    /// Needs rules that are evaluated soon.
    #[must_use]
    pub fn quick(mut self) -> Self {
        self.setup.quick = true;
        self
    }

    /// Needs a server with a setting that isn't the default, `section.key=value`.
    #[must_use]
    pub fn setting(mut self, setting: &'static str) -> Self {
        self.setup.settings.push(setting);
        self
    }

    /// The case of a version; `None` where nothing is known.
    pub fn of(&self, version: Version) -> Option<&Case> {
        self.cases.iter().find(|case| case.versions.contains(version))
    }

    /// What is wrong with the contract itself: every version needs one case, or to be called unknown or absent.
    pub fn mistakes(&self) -> Vec<String> {
        let unknown = || self.unknown.iter().chain(&self.absent);
        let edges = self
            .cases
            .iter()
            .map(|case| &case.versions)
            .chain(unknown())
            .flat_map(Versions::edges);
        let mut versions: Vec<_> = edges.chain([FIRST]).collect();
        versions.sort();
        versions.dedup();
        let mut mistakes = Vec::new();
        for version in versions {
            let cases = self
                .cases
                .iter()
                .filter(|case| case.versions.contains(version))
                .count();
            let unknown = unknown().filter(|versions| versions.contains(version)).count();
            if cases + unknown != 1 {
                mistakes.push(format!(
                    "\"{}\" has {cases} cases for {version}, and is unknown or absent there {unknown} times",
                    self.subject
                ));
            }
        }
        mistakes
    }
}
