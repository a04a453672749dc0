//! What can go wrong while a server of the testbed starts.

use std::{fmt, path::PathBuf, process::ExitStatus};

/// Why a part of the testbed could not be started or reached.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The binary has not been built.
    #[error("{part} is not in {}: run `make testbed`", dir.display())]
    Missing {
        /// The part's name, as `tests/testbed/build` knows it.
        part: String,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The folder of the binaries could not be found.
    #[error("cannot find the testbed's binaries: {0}; run `make testbed`")]
    NoParts(String),
    /// The operator's static binary has not been built.
    #[error("there is no {}: run `make static`", .0.display())]
    NotShipped(PathBuf),
    /// A file or process operation failed.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The program ended before it was ready.
    #[error("{program} ended while starting ({status}); its log ends with\n{tail}")]
    Ended {
        /// The program's name.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its log.
        tail: String,
    },
    /// The program was not ready in time.
    #[error("{program} is not ready after {seconds} s ({seen}); its log ends with\n{tail}")]
    NotReady {
        /// The program's name.
        program: String,
        /// How long it was given.
        seconds: u64,
        /// The last answer of the readiness check.
        seen: String,
        /// The last lines of its log.
        tail: String,
    },
    /// The API server refused a call.
    #[error("the API server refused {what}")]
    Kube {
        /// What was tried.
        what: String,
        /// Its answer.
        #[source]
        source: Box<kube::Error>,
    },
    /// The variables that say which Grafana to use can't be followed.
    #[error("{0}")]
    Source(String),
    /// A document could not be read as Kubernetes objects.
    #[error("not a Kubernetes object: {0}")]
    Yaml(String),
}

/// The result of starting something.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io {
            what: what.into(),
            source,
        }
    }

    pub(crate) fn kube(what: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        move |source| Self::Kube {
            what: what.into(),
            source: Box::new(source),
        }
    }

    /// Whether another process took the port between our choice and the program's bind.
    pub(crate) fn is_port_clash(&self) -> bool {
        matches!(self, Self::Ended { tail, .. } if tail.contains("address already in use"))
    }
}

/// The error and its causes as text: this is what `expect` prints, and a log's end is read by people.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

/// An error and its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
