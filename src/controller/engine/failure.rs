//! How a pass can end without the wish fulfilled, and what happens next.

use std::time::Duration;

use crate::api::condition::Reason;
use crate::cluster::answer::{chain, is_forbidden};
use crate::cluster::secrets;
use crate::domain::refusal::Refusal;
use crate::grafana::{self, Class};

/// How long a pass waits for something that isn't there, though a watch tells sooner.
const WAIT: Duration = Duration::from_secs(30);
/// How long a pass waits after Grafana refused the credentials.
const FORBIDDEN: Duration = Duration::from_secs(300);
/// How long a pass waits after a lost race.
const RACE: Duration = Duration::from_secs(1);

/// Why a pass didn't fulfil the wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The reason for `Ready=False`; `None` leaves the conditions as they are.
    pub reason: Option<Reason>,
    /// What is wrong and what helps.
    pub message: String,
    /// When to try again.
    pub retry: Retry,
}

/// When to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// After this object's own backoff.
    Backoff,
    /// After so long.
    After(Duration),
    /// When something that the object depends on changes.
    OnChange,
}

impl Failure {
    /// A failure with this reason.
    pub fn new(reason: Reason, message: impl Into<String>, retry: Retry) -> Self {
        Self {
            reason: Some(reason),
            message: message.into(),
            retry,
        }
    }

    /// Nothing is known yet: the pass is repeated as soon as there is.
    pub fn not_yet() -> Self {
        Self {
            reason: None,
            message: "not yet".into(),
            retry: Retry::OnChange,
        }
    }

    /// Something that this depends on can't be seen: nothing is changed until it can, since what isn't seen may be there.
    pub fn unseen(kind: &str) -> Self {
        Self::new(
            Reason::Unavailable,
            format!(
                "the operator may not list every {kind} that matters here; its log and the metric alertwright_unwatched name the namespace whose RoleBinding is missing"
            ),
            Retry::After(WAIT),
        )
    }

    /// The pass is repeated soon, and nothing is said of it.
    pub fn again(message: impl Into<String>) -> Self {
        Self {
            reason: None,
            message: message.into(),
            retry: Retry::After(RACE),
        }
    }

    /// Whether the trouble is the connection to Grafana rather than the object.
    pub fn is_of_the_connection(&self) -> bool {
        matches!(self.reason, Some(Reason::Unavailable | Reason::Unauthorized))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let retry = match refusal.reason {
            Reason::DependencyMissing => Retry::After(WAIT),
            _ => Retry::OnChange,
        };
        Self::new(refusal.reason, refusal.message, retry)
    }
}

impl From<grafana::Error> for Failure {
    fn from(error: grafana::Error) -> Self {
        let message = chain(&error);
        match error.class() {
            Class::Transient => Self::new(Reason::Unavailable, message, Retry::Backoff),
            Class::Throttled(after) => Self::new(
                Reason::Throttled,
                message,
                after.map_or(Retry::Backoff, Retry::After),
            ),
            Class::Rejected => Self::new(Reason::Invalid, message, Retry::OnChange),
            Class::Forbidden => Self::new(Reason::Unauthorized, message, Retry::After(FORBIDDEN)),
            Class::Conflict | Class::Missing => Self::again(message),
            Class::Foreign => Self::new(Reason::NotOwned, message, Retry::OnChange),
        }
    }
}

impl From<secrets::Error> for Failure {
    fn from(error: secrets::Error) -> Self {
        match &error {
            secrets::Error::NoSecret(..) | secrets::Error::NoKey(..) => {
                Self::new(Reason::DependencyMissing, error.to_string(), Retry::After(WAIT))
            }
            secrets::Error::NotText(..) => Self::new(Reason::Invalid, error.to_string(), Retry::OnChange),
            secrets::Error::Kube(_, cause) if is_forbidden(cause) => Self::new(
                Reason::Unauthorized,
                format!("{error}: the operator's role doesn't allow it"),
                Retry::After(FORBIDDEN),
            ),
            secrets::Error::Kube(..) => Self::new(Reason::Unavailable, chain(&error), Retry::Backoff),
        }
    }
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        Self {
            reason: None,
            message: format!("kubernetes: {}", chain(&error)),
            retry: Retry::Backoff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, message: &str) -> Failure {
        grafana::Error::Status {
            operation: "create rule",
            status,
            message: message.into(),
            message_id: None,
            retry_after: Some(Duration::from_secs(7)),
        }
        .into()
    }

    #[test]
    fn each_class_of_answer_has_its_reason_and_its_retry() {
        for (code, message, reason, retry) in [
            (400, "bad", Some(Reason::Invalid), Retry::OnChange),
            (401, "no", Some(Reason::Unauthorized), Retry::After(FORBIDDEN)),
            (403, "no", Some(Reason::Unauthorized), Retry::After(FORBIDDEN)),
            (409, "race", None, Retry::After(RACE)),
            (
                429,
                "slow",
                Some(Reason::Throttled),
                Retry::After(Duration::from_secs(7)),
            ),
            (500, "oops", Some(Reason::Unavailable), Retry::Backoff),
            (
                500,
                "could not find object using provided id and hash",
                None,
                Retry::After(RACE),
            ),
            (
                500,
                "cannot change provenance from 'file' to 'api'",
                Some(Reason::NotOwned),
                Retry::OnChange,
            ),
            (502, "gateway", Some(Reason::Unavailable), Retry::Backoff),
        ] {
            let failure = status(code, message);
            assert_eq!(
                (failure.reason, failure.retry),
                (reason, retry),
                "{code} {message}"
            );
        }
    }
}
