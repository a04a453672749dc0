//! How a pass can end without the wish fulfilled, and what happens next.

use std::time::Duration;

use crate::api::condition::Reason;
use crate::cluster::answer::{chain, is_forbidden};
use crate::cluster::referenced;
use crate::domain::refusal::Refusal;
use crate::grafana::{self, Class};

/// How long a pass waits for something that isn't there, though a watch tells sooner.
const WAIT: Duration = Duration::from_secs(30);
/// How long a pass waits after Grafana refused the credentials.
const FORBIDDEN: Duration = Duration::from_secs(300);
/// How long what Grafana has refused isn't tried again as it is: it may have been refused for a passing reason.
pub const REFUSED: Duration = Duration::from_secs(600);

/// Why a pass didn't fulfil the wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The reason for `Ready=False`; `None` leaves the conditions as they are.
    pub reason: Option<Reason>,
    /// What is wrong and what helps.
    pub message: String,
    /// When to try again.
    pub retry: Retry,
    /// Whether the API server is the one to blame.
    pub is_of_kubernetes: bool,
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
    /// In a moment and without a word, for it looks like a lost race or what is missing is on its way; with its reason and after the backoff if that doesn't end it.
    Soon,
}

impl Failure {
    /// A failure with this reason.
    pub fn new(reason: Reason, message: impl Into<String>, retry: Retry) -> Self {
        Self {
            reason: Some(reason),
            message: message.into(),
            retry,
            is_of_kubernetes: false,
        }
    }

    /// Nothing is known yet: the pass is repeated as soon as there is.
    pub fn not_yet() -> Self {
        Self {
            reason: None,
            message: "not yet".into(),
            retry: Retry::OnChange,
            is_of_kubernetes: false,
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

    /// A lost race: the pass is repeated soon, and nothing is said of it unless it goes on.
    pub fn again(message: impl Into<String>) -> Self {
        Self::new(Reason::Conflict, message, Retry::Soon)
    }

    /// How long Grafana would refuse the same again, if it has refused it for what it is or for who asks.
    pub fn refused_for(&self) -> Option<Duration> {
        match (self.reason, self.retry) {
            (
                Some(Reason::Invalid | Reason::Unauthorized | Reason::NotOwned | Reason::Unsupported),
                Retry::After(delay),
            ) => Some(delay),
            // Of another kind than a lost race, which is run again soon.
            (Some(Reason::Conflict), Retry::After(REFUSED)) => Some(REFUSED),
            _ => None,
        }
    }

    /// Whether nothing was found out of the resource: who was to be asked couldn't be, or hasn't answered.
    pub fn is_unanswered(&self) -> bool {
        let unheard = [Reason::Unavailable, Reason::Unauthorized, Reason::Throttled];
        self.is_of_kubernetes || self.reason.is_none_or(|reason| unheard.contains(&reason))
    }

    /// Whether the trouble is the connection to Grafana rather than the object.
    pub fn is_of_the_connection(&self) -> bool {
        matches!(self.reason, Some(Reason::Unavailable | Reason::Unauthorized))
    }
}

/// Whether a message is of what is wrong with a GrafanaInstance, as those say it who wait for it.
pub fn is_of_instance(message: &str, instance: &str) -> bool {
    let rest = message
        .strip_prefix("GrafanaInstance ")
        .and_then(|rest| rest.strip_prefix(instance));
    rest.is_some_and(|rest| rest.starts_with([':', ' ']))
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let retry = match refusal.reason {
            _ if refusal.is_coming => Retry::Soon,
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
            // Whoever leads does it; this process is about to end.
            _ if matches!(error, grafana::Error::NotLeading { .. }) => Self {
                reason: None,
                ..Self::new(Reason::Unavailable, message, Retry::Backoff)
            },
            _ if error.is_quota() => Self::new(
                Reason::Invalid,
                format!(
                    "{message}; have the quota raised in Grafana's settings, or delete what isn't needed"
                ),
                Retry::After(REFUSED),
            ),
            // Released versions have it on, so only the write tells where somebody has turned it off.
            _ if error.is_one_tree() => Self::new(
                Reason::Unsupported,
                format!("{message}; turn it on, or leave spec.tree out for the default tree"),
                Retry::After(REFUSED),
            ),
            _ if error.is_in_use() => Self::new(Reason::InUse, message, Retry::Backoff),
            Class::Transient => Self::new(Reason::Unavailable, message, Retry::Backoff),
            Class::Throttled(after) => Self::new(
                Reason::Throttled,
                message,
                after.map_or(Retry::Backoff, Retry::After),
            ),
            Class::Rejected => Self::new(Reason::Invalid, message, Retry::After(REFUSED)),
            Class::Forbidden => Self::new(
                Reason::Unauthorized,
                format!("{message}{}", login(&error)),
                Retry::After(FORBIDDEN),
            ),
            Class::Conflict => Self::new(Reason::Conflict, message, Retry::Soon),
            Class::Missing => Self::new(Reason::Unavailable, message, Retry::Soon),
            Class::Foreign => Self::new(Reason::NotOwned, message, Retry::After(REFUSED)),
        }
    }
}

/// What helps where Grafana doesn't know the operator.
pub const RENEW: &str =
    "renew the token or password in the Secret that spec.auth of the GrafanaInstance names";
/// What helps where Grafana doesn't let the operator.
pub const RIGHTS: &str = "whom spec.auth of the GrafanaInstance names needs the role Admin in Grafana, or the rights that docs/grafana-versions.md lists for its version";
/// Why the operator can't read a Secret or ConfigMap that is there.
pub const NOT_ALLOWED: &str = "the operator's role doesn't allow it";

/// What helps where Grafana itself refuses who asks.
fn login(error: &grafana::Error) -> String {
    match error {
        grafana::Error::Status { status: 401, .. } => format!("; {RENEW}"),
        grafana::Error::Status { .. } => format!("; {RIGHTS}"),
        _ => String::new(),
    }
}

impl From<referenced::Error> for Failure {
    fn from(error: referenced::Error) -> Self {
        match &error {
            referenced::Error::NoObject(..) | referenced::Error::NoKey(..) | referenced::Error::Empty(..) => {
                Self::new(Reason::DependencyMissing, error.to_string(), Retry::After(WAIT))
            }
            referenced::Error::NotText(..) => Self::new(Reason::Invalid, error.to_string(), Retry::OnChange),
            referenced::Error::Kube(.., cause) if is_forbidden(cause) => Self::new(
                Reason::Unauthorized,
                format!("{error}: {NOT_ALLOWED}"),
                Retry::After(FORBIDDEN),
            ),
            referenced::Error::Kube(..) => Self::new(Reason::Unavailable, chain(&error), Retry::Backoff),
        }
    }
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        let message = format!("the API server: {}", chain(&error));
        Self {
            is_of_kubernetes: true,
            ..Self::new(Reason::Unavailable, message, Retry::Backoff)
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
            (400, "bad", Some(Reason::Invalid), Retry::After(REFUSED)),
            (401, "no", Some(Reason::Unauthorized), Retry::After(FORBIDDEN)),
            (403, "no", Some(Reason::Unauthorized), Retry::After(FORBIDDEN)),
            (404, "gone", Some(Reason::Unavailable), Retry::Soon),
            (409, "race", Some(Reason::Conflict), Retry::Soon),
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
                Some(Reason::Conflict),
                Retry::Soon,
            ),
            (
                500,
                "contact point 'x' is currently used in notification settings by one or many alert rules",
                Some(Reason::InUse),
                Retry::Backoff,
            ),
            (
                500,
                "cannot change provenance from 'file' to 'api'",
                Some(Reason::NotOwned),
                Retry::After(REFUSED),
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

    #[test]
    fn whom_grafana_refuses_is_told_what_helps() {
        for (code, cure) in [(401, "renew the token"), (403, "the role Admin")] {
            let message = status(code, "no").message;
            assert!(
                message.contains(cure) && message.contains("spec.auth"),
                "{message}"
            );
        }
        let proxy = grafana::Error::NotGrafana {
            operation: "rules.list",
            status: 403,
            retry_after: None,
        };
        assert!(!Failure::from(proxy).message.contains("spec.auth"));
    }

    #[test]
    fn a_quota_is_no_lack_of_rights_and_names_its_cure() {
        for (code, message) in [
            (403, "quota has been exceeded"),
            (500, "failed to commit: quota has been exceeded"),
            (403, "folder Quota reached"),
        ] {
            let failure = status(code, message);
            assert_eq!(
                (failure.reason, failure.retry),
                (Some(Reason::Invalid), Retry::After(REFUSED)),
                "{message}"
            );
            assert!(failure.message.contains(message), "{}", failure.message);
            assert!(
                failure.message.contains("have the quota raised"),
                "{}",
                failure.message
            );
        }
    }

    #[test]
    fn what_the_api_server_refuses_is_told_with_its_words() {
        let refused = kube::core::Status::failure("admission webhook denied the request", "Forbidden");
        let failure = Failure::from(kube::Error::Api(Box::new(refused)));
        assert_eq!(failure.reason, Some(Reason::Unavailable));
        assert_eq!(failure.retry, Retry::Backoff);
        assert!(
            failure.message.contains("admission webhook denied"),
            "{}",
            failure.message
        );
        assert!(failure.is_of_kubernetes);
    }

    #[test]
    fn a_replica_that_no_longer_leads_says_nothing() {
        let failure = Failure::from(grafana::Error::NotLeading { operation: "x" });
        assert_eq!(failure.reason, None);
    }
}
