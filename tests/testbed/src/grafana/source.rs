//! Which Grafana tests run on: the double, or somebody's real one.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::Version;
use crate::{Error, Result};

/// Where a Grafana comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The double of [`super::Options::version`], a process of its own for each test.
    Double,
    /// A real Grafana that runs already: an organisation of its own for each test.
    Running(Running),
    /// A real Grafana of an image: a container of its own for each test.
    Image(Image),
}

/// A real Grafana, and the account of its server administrator.
#[derive(Clone, PartialEq, Eq)]
pub struct Running {
    /// Its address, without a slash at the end.
    pub url: String,
    /// The administrator's name.
    pub user: String,
    /// The administrator's password.
    pub password: String,
}

/// An image, and the program that runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The container engine, docker or podman.
    pub engine: PathBuf,
    /// The image, `grafana/grafana:12.4.0`.
    pub name: String,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("url", &self.url)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// What `GRAFANA_URL`, with `GRAFANA_USER` and `GRAFANA_PASSWORD`, or `GRAFANA_IMAGE` say; the double without them.
    ///
    /// # Errors
    ///
    /// If they contradict each other, or ask for a container where there is no engine: another Grafana must not be run in
    /// its place.
    pub fn chosen() -> Result<Self> {
        Self::of(|name| env::var_os(name))
    }

    /// The same without `GRAFANA_URL`: a Grafana of one's own, a container or the double.
    ///
    /// # Errors
    ///
    /// If a container is asked for where there is no engine.
    pub fn of_ones_own() -> Result<Self> {
        Self::of(|name| (name != "GRAFANA_URL").then(|| env::var_os(name)).flatten())
    }

    fn of(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let path = variable("PATH").unwrap_or_default();
        let text = |name: &str| {
            let text = variable(name)?.to_string_lossy().into_owned();
            (!text.is_empty()).then_some(text)
        };
        match (text("GRAFANA_URL"), text("GRAFANA_IMAGE")) {
            (None, None) => Ok(Self::Double),
            (Some(_), Some(_)) => Err(Error::Source(
                "GRAFANA_URL and GRAFANA_IMAGE name one Grafana each; unset one of them".to_owned(),
            )),
            (Some(url), None) => {
                let missing = || {
                    Error::Source(
                        "GRAFANA_URL needs GRAFANA_USER and GRAFANA_PASSWORD, its server administrator's: each test gets an \
                         organisation of its own"
                            .to_owned(),
                    )
                };
                Ok(Self::Running(Running {
                    url: url.trim_end_matches('/').to_owned(),
                    user: text("GRAFANA_USER").ok_or_else(missing)?,
                    password: text("GRAFANA_PASSWORD").ok_or_else(missing)?,
                }))
            }
            (None, Some(name)) => Ok(Self::Image(Image {
                engine: engine(&path)?,
                name,
            })),
        }
    }

    /// The release that the image's tag names.
    pub(crate) fn tagged(name: &str) -> Option<Version> {
        let (_, tag) = name.split('@').next()?.rsplit_once(':')?;
        tag.parse().ok()
    }
}

/// The first docker or podman on the search path.
fn engine(path: &OsString) -> Result<PathBuf> {
    let is_program = |file: &Path| file.metadata().is_ok_and(|metadata| metadata.is_file());
    let mut places = ["docker", "podman"]
        .into_iter()
        .flat_map(|name| env::split_paths(path).map(move |dir| dir.join(name)));
    places.find(|place| is_program(place)).ok_or_else(|| {
        Error::Source(
            "GRAFANA_IMAGE needs docker or podman, and neither is on PATH. Install one (Debian: apt install podman; \
             https://docs.docker.com/engine/install), or give GRAFANA_URL instead, or neither for the double"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)]) -> Result<Source> {
        Source::of(|name| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[track_caller]
    fn refused(variables: &[(&str, &str)], words: &[&str]) {
        let error = source(variables).expect_err("it is refused").to_string();
        for word in words {
            assert!(error.contains(word), "{word} in: {error}");
        }
    }

    #[test]
    fn without_a_variable_it_is_the_double() {
        assert_eq!(
            source(&[("GRAFANA_URL", ""), ("PATH", "/bin")]).expect("a source"),
            Source::Double
        );
    }

    #[test]
    fn an_address_comes_with_an_administrator_and_hides_the_password() {
        let variables = [
            ("GRAFANA_URL", "http://grafana:3000/"),
            ("GRAFANA_USER", "root"),
            ("GRAFANA_PASSWORD", "hunter2"),
        ];
        let running = source(&variables).expect("a source");
        assert_eq!(
            running,
            Source::Running(Running {
                url: "http://grafana:3000".to_owned(),
                user: "root".to_owned(),
                password: "hunter2".to_owned(),
            })
        );
        assert!(!format!("{running:?}").contains("hunter2"), "{running:?}");
        refused(&variables[..2], &["GRAFANA_PASSWORD", "organisation"]);
    }

    #[test]
    fn an_image_without_an_engine_says_how_to_get_one() {
        let nowhere = tempfile::tempdir().expect("a folder");
        let path = nowhere.path().to_string_lossy();
        refused(
            &[("GRAFANA_IMAGE", "grafana/grafana:12.4.0"), ("PATH", &path)],
            &["docker or podman", "apt install podman", "GRAFANA_URL"],
        );
        std::fs::write(nowhere.path().join("podman"), "").expect("a file");
        assert_eq!(
            source(&[("GRAFANA_IMAGE", "grafana/grafana:12.4.0"), ("PATH", &path)]).expect("a source"),
            Source::Image(Image {
                engine: nowhere.path().join("podman"),
                name: "grafana/grafana:12.4.0".to_owned(),
            })
        );
    }

    #[test]
    fn an_address_and_an_image_are_one_too_many() {
        refused(
            &[("GRAFANA_URL", "http://x"), ("GRAFANA_IMAGE", "y")],
            &["unset one"],
        );
    }

    #[test]
    fn a_tag_names_a_release() {
        let release = |name| Source::tagged(name).map(|version| version.to_string());
        assert_eq!(
            release("localhost:5000/grafana/grafana:12.4.0").as_deref(),
            Some("12.4.0")
        );
        assert_eq!(
            release("grafana/grafana-oss:11.6.1-ubuntu@sha256:00").as_deref(),
            Some("11.6.1")
        );
        assert_eq!(release("localhost:5000/grafana/grafana"), None);
        assert_eq!(release("grafana/grafana:latest"), None);
    }
}
