//! What can go wrong with a call, and what it means for the caller.

mod certificate;
mod meaning;
mod redaction;
pub mod steady;

use std::sync::Arc;
use std::time::Duration;

pub(super) use certificate::problem as certificate_problem;
use meaning::Meaning;

/// Result of a call to Grafana.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Longest part of an answer's message that is kept, in bytes.
const MESSAGE_LIMIT: usize = 512;

/// What helps against too large an answer.
const TOO_MUCH: &str = ", which is the most that is read of one; see that the address is grafana's own, and that its organisation holds no more than it needs";

/// What Grafana says elsewhere than in a refusal, without the given secrets, should it have repeated one.
pub fn redacted(message: &str, secrets: &[&str]) -> String {
    redaction::without(message, secrets, &[])
}

/// A call that did not end well. Holds no request body, no credentials and no address. Several may have waited for one call, so it can be
/// cloned.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// No connection came about, so nothing was sent.
    #[error("cannot connect to grafana")]
    Connect(#[source] Arc<reqwest::Error>),
    /// The certificate isn't one to trust now or for this address, so nothing was sent. In the same words each time.
    #[error("cannot connect to grafana: {0}")]
    Certificate(String),
    /// The connection was lost before the whole answer was there.
    #[error("the connection to grafana was lost during {operation}")]
    Dropped {
        /// What was asked for.
        operation: &'static str,
        /// What the client saw.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// The answer did not come in time.
    #[error("grafana did not answer {operation} in time")]
    Timeout {
        /// What was asked for.
        operation: &'static str,
    },
    /// Grafana answered with a status other than 2xx, in the form that it gives its errors.
    #[error("grafana refused {operation} with status {status}: {message}")]
    Status {
        /// What was asked for.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// What Grafana says about it, cut to a safe length.
        message: String,
        /// Grafana's own name of the error, from about 10.4 on.
        message_id: Option<String>,
        /// How long Grafana wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Something answered with a status other than 2xx, and not as Grafana does: a proxy in front of it, or another server.
    #[error("{operation} was answered with status {status}, and not by grafana{}", hint(*status))]
    NotGrafana {
        /// What was asked for.
        operation: &'static str,
        /// HTTP status.
        status: u16,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// Grafana has asked for fewer requests and the time is not over, so nothing was sent.
    #[error("{operation} was not sent: grafana has asked for fewer requests")]
    Paused {
        /// What was asked for.
        operation: &'static str,
        /// How long it still wants to be left alone.
        left: Duration,
    },
    /// The answer is not the JSON that was expected. Says where, never what: it could be a secret.
    #[error("the answer to {operation} is not understood at line {line} column {column}")]
    Decode {
        /// What was asked for.
        operation: &'static str,
        /// Line of the answer.
        line: usize,
        /// Column of the answer.
        column: usize,
    },
    /// The answer is larger than this client reads.
    #[error("the answer to {operation} is larger than {limit} bytes{}", TOO_MUCH)]
    TooLarge {
        /// What was asked for.
        operation: &'static str,
        /// Most bytes that are read.
        limit: usize,
    },
    /// The answer has more values than this client reads.
    #[error("the answer to {operation} has more than {limit} values{}", TOO_MUCH)]
    TooMany {
        /// What was asked for.
        operation: &'static str,
        /// Most values that are read.
        limit: usize,
    },
    /// The pages of a list led back, or were gone before the last of them, twice.
    #[error("the pages of {operation} came to no end")]
    Unending {
        /// What was asked for.
        operation: &'static str,
    },
    /// It isn't settled which of Grafana's APIs this goes through. What one of them makes isn't what the other makes, so it waits until that is known
    /// and told.
    #[error(
        "{operation} waits until it is settled which of grafana's apis rules go through; spec.ruleAPI of the instance and its conditions say more"
    )]
    Unsettled {
        /// What was asked for.
        operation: &'static str,
    },
    /// This Grafana doesn't serve what is asked for, or what stands in front of it doesn't let it be seen. Nothing was sent.
    #[error("{operation} was not sent: grafana doesn't serve that, or it can't be seen below /apis")]
    NotServed {
        /// What was asked for.
        operation: &'static str,
    },
    /// Another process may be the one that writes by now, so nothing was sent.
    #[error("{operation} was not sent: this replica no longer holds the lease")]
    NotLeading {
        /// What was asked for.
        operation: &'static str,
    },
    /// What was asked for cannot be asked: a bad address, certificate, credential or name. What is wrong with a connection stands behind its
    /// part: `url`, `tls`, `tls.ca` or `auth`.
    #[error("{0}")]
    Configuration(String),
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// May well work later.
    Transient,
    /// Too many requests; how long to wait if Grafana said so.
    Throttled(Option<Duration>),
    /// Wrong by itself: only a change of what is sent helps.
    Rejected,
    /// Not allowed, or not logged in.
    Forbidden,
    /// What Grafana holds is not what the call took for granted: read again.
    Conflict,
    /// It is not there.
    Missing,
    /// It was provisioned by somebody else.
    Foreign,
}

impl Class {
    /// A name for metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled(_) => "throttled",
            Self::Rejected => "rejected",
            Self::Forbidden => "forbidden",
            Self::Conflict => "conflict",
            Self::Missing => "missing",
            Self::Foreign => "foreign",
        }
    }
}

impl Error {
    /// What to do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Connect(_)
            | Self::Certificate(_)
            | Self::Dropped { .. }
            | Self::Timeout { .. }
            | Self::Decode { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. }
            | Self::Unending { .. }
            | Self::Unsettled { .. }
            | Self::NotServed { .. } => Class::Transient,
            Self::Configuration(_) => Class::Rejected,
            Self::Paused { left, .. } => Class::Throttled(Some(*left)),
            Self::NotGrafana {
                status, retry_after, ..
            } => class_of_stranger(*status, *retry_after),
            // Whoever leads does it; this process is about to end.
            Self::NotLeading { .. } => Class::Conflict,
            Self::Status {
                status,
                message,
                message_id,
                retry_after,
                ..
            } => match Meaning::of(*status, message, message_id.as_deref()) {
                Some(Meaning::Provenance) => Class::Foreign,
                Some(
                    Meaning::TitleTaken
                    | Meaning::UidTaken
                    | Meaning::LostRace
                    | Meaning::InUse
                    | Meaning::NoGroup,
                ) => Class::Conflict,
                Some(Meaning::Quota | Meaning::Invalid | Meaning::OneTree | Meaning::TooDeep) => {
                    Class::Rejected
                }
                Some(Meaning::Missing | Meaning::FolderMissing) => Class::Missing,
                None => class_of_status(*status, *retry_after),
            },
        }
    }

    /// Whether a rule cannot have this title, because another rule of the folder has it. Grafana before 10.4 says the same of a
    /// taken uid.
    pub fn is_title_conflict(&self) -> bool {
        self.means(Meaning::TitleTaken)
    }

    /// Whether a rule cannot be stored because its folder is not there; 11.0 and later.
    pub fn is_folder_missing(&self) -> bool {
        self.means(Meaning::FolderMissing)
    }

    /// Whether Grafana holds the object in another state than the write was for.
    pub fn is_lost_race(&self) -> bool {
        self.means(Meaning::LostRace)
    }

    /// Whether there is but one policy tree, so that no other can be made.
    pub fn is_one_tree(&self) -> bool {
        self.means(Meaning::OneTree)
    }

    /// Whether a contact point, time interval or policy tree cannot go, because a policy or rule refers to it.
    pub fn is_in_use(&self) -> bool {
        self.means(Meaning::InUse)
    }

    /// Whether there are more folders above a new one than Grafana allows.
    pub fn is_too_deep(&self) -> bool {
        self.means(Meaning::TooDeep)
    }

    /// Whether there would be more objects of a kind than Grafana's administrator allows.
    pub fn is_quota(&self) -> bool {
        self.means(Meaning::Quota)
    }

    /// Whether a write that ended so may have been carried out all the same.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Connect(_)
            | Self::Certificate(_)
            | Self::NotLeading { .. }
            | Self::Unsettled { .. }
            | Self::NotServed { .. }
            | Self::Unending { .. }
            | Self::Paused { .. }
            | Self::Configuration(_) => false,
            Self::Dropped { .. }
            | Self::Timeout { .. }
            | Self::Decode { .. }
            | Self::TooLarge { .. }
            | Self::TooMany { .. } => true,
            Self::NotGrafana { .. } => self.class() == Class::Transient,
            Self::Status {
                status,
                message,
                message_id,
                ..
            } => *status >= 500 && Meaning::of(*status, message, message_id.as_deref()).is_none(),
        }
    }

    /// Whether Grafana says that it serves nothing under this address, and not that an object isn't there: it is what its router answers to what it
    /// doesn't know (`NotFoundHandler` in its `pkg/api`).
    pub fn is_no_address(&self) -> bool {
        matches!(self, Self::Status { status: 404, message, message_id: None, .. } if message == "Not found")
    }

    /// Whether a write that ended so has changed nothing, and says nothing new of the object: what was known of it stands.
    pub fn changed_nothing(&self) -> bool {
        match self {
            Self::Connect(_)
            | Self::Certificate(_)
            | Self::NotLeading { .. }
            | Self::Unsettled { .. }
            | Self::NotServed { .. }
            | Self::Paused { .. }
            | Self::Configuration(_) => true,
            Self::Status {
                status,
                message,
                message_id,
                ..
            } if let Some(meaning) = Meaning::of(*status, message, message_id.as_deref()) => !matches!(
                meaning,
                Meaning::UidTaken | Meaning::LostRace | Meaning::Missing | Meaning::NoGroup
            ),
            _ => matches!(
                self.class(),
                Class::Rejected | Class::Forbidden | Class::Foreign | Class::Throttled(_)
            ),
        }
    }

    /// The HTTP status of a refusal, whoever gave it.
    pub(in crate::grafana) fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } | Self::NotGrafana { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What went wrong with a write, without the words of the answer: they may repeat what was sent, and not all that is secret in it is known
    /// everywhere.
    pub(in crate::grafana) fn without_words(&self) -> String {
        match self {
            Self::Status {
                operation,
                status,
                message_id,
                ..
            } => {
                let name = message_id.as_deref().and_then(Meaning::name);
                let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
                format!("grafana refused {operation} with status {status}{name}")
            }
            error => error.to_string(),
        }
    }

    /// The same error without the given secrets, should Grafana have repeated one.
    #[must_use]
    pub fn redact(mut self, secrets: &[&str]) -> Self {
        if let Self::Status { message, .. } = &mut self {
            *message = redaction::without(message, secrets, &Meaning::words(message));
        }
        self
    }

    fn means(&self, meaning: Meaning) -> bool {
        match self {
            Self::Status {
                status,
                message,
                message_id,
                ..
            } => Meaning::of(*status, message, message_id.as_deref()) == Some(meaning),
            _ => false,
        }
    }
}

fn class_of_status(status: u16, retry_after: Option<Duration>) -> Class {
    match status {
        401 | 403 => Class::Forbidden,
        404 | 410 => Class::Missing,
        408 => Class::Transient,
        409 | 412 => Class::Conflict,
        429 => Class::Throttled(retry_after),
        503 if retry_after.is_some() => Class::Throttled(retry_after),
        400..=499 | 501 => Class::Rejected,
        _ => Class::Transient,
    }
}

/// What a status says that Grafana didn't give. Nobody but Grafana knows whether something is there, or wrong by itself.
fn class_of_stranger(status: u16, retry_after: Option<Duration>) -> Class {
    match class_of_status(status, retry_after) {
        Class::Missing | Class::Conflict | Class::Rejected => Class::Transient,
        class => class,
    }
}

/// What may help where something else answers.
fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": a redirect, which is not followed; give the address that grafana itself answers at",
        401 | 403 => ": something in front of it wants to be logged in to",
        404 => ": is its address complete, with the path that it is served from?",
        _ => "",
    }
}

/// Cuts what an answer says to the length that an error keeps, on a character boundary.
pub(super) fn cut(message: &str) -> String {
    message
        .chars()
        .scan(0, |length, c| {
            *length += c.len_utf8();
            (*length <= MESSAGE_LIMIT).then_some(if c.is_control() { ' ' } else { c })
        })
        .collect()
}

#[cfg(test)]
mod tests;
