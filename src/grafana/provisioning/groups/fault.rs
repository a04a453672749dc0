//! What an error of a group as a whole means for its rules.

use crate::grafana::error::{Class, Error};

/// What a read or write of a group that failed says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::grafana::provisioning) enum Fault {
    /// Nothing can be sent now, whatever it is.
    Everything,
    /// The folder is missing, for all of its rules.
    Folder,
    /// One of the rules at least isn't as it should be, or they are too much at once.
    Rules,
    /// Nothing of single rules.
    Group,
    /// Nothing: it may have been carried out.
    Unknown,
}

impl Fault {
    /// That of a write that ended so.
    pub(in crate::grafana::provisioning) fn of(error: &Error) -> Self {
        let class = error.class();
        match error {
            Error::Connect(_) | Error::Certificate(_) | Error::NotLeading { .. } | Error::Paused { .. } => {
                Self::Everything
            }
            _ if matches!(class, Class::Throttled(_)) => Self::Everything,
            _ if error.is_folder_missing() => Self::Folder,
            // Whatever stands in front of Grafana: a body that is too large goes no further, whoever says so.
            Error::NotGrafana { status: 413, .. } => Self::Rules,
            Error::Status { .. }
                if matches!(
                    class,
                    Class::Rejected | Class::Conflict | Class::Foreign | Class::Missing
                ) =>
            {
                Self::Rules
            }
            _ if error.changed_nothing() => Self::Group,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const OPERATION: &str = "rules.put_group";

    fn status(status: u16, message: &str, retry_after: Option<Duration>) -> Error {
        Error::Status {
            operation: OPERATION,
            status,
            message: message.to_owned(),
            message_id: None,
            retry_after,
        }
    }

    fn stranger(status: u16) -> Error {
        Error::NotGrafana {
            operation: OPERATION,
            status,
            retry_after: None,
        }
    }

    #[test]
    fn only_what_is_said_of_rules_is_of_rules_and_what_nobody_knows_is_told_apart() {
        let operation = OPERATION;
        let soon = Duration::from_secs(1);
        for (error, expected) in [
            (
                Error::Paused {
                    operation,
                    left: soon,
                },
                Fault::Everything,
            ),
            (Error::NotLeading { operation }, Fault::Everything),
            (status(429, "", None), Fault::Everything),
            // Grafana asks for fewer calls, so it isn't broken by this one.
            (status(503, "", Some(soon)), Fault::Everything),
            (status(400, "folder does not exist", None), Fault::Folder),
            (status(400, "invalid alert rule", None), Fault::Rules),
            (status(409, "", None), Fault::Rules),
            (status(413, "", None), Fault::Rules),
            (stranger(413), Fault::Rules),
            (status(403, "", None), Fault::Group),
            (stranger(403), Fault::Group),
            (Error::Configuration("a name".to_owned()), Fault::Group),
            (Error::Timeout { operation }, Fault::Unknown),
            (status(500, "", None), Fault::Unknown),
            (status(408, "", None), Fault::Unknown),
            (stranger(404), Fault::Unknown),
            (stranger(405), Fault::Unknown),
            (stranger(502), Fault::Unknown),
            (Error::TooLarge { operation, limit: 1 }, Fault::Unknown),
            (
                Error::Decode {
                    operation,
                    line: 1,
                    column: 1,
                },
                Fault::Unknown,
            ),
        ] {
            assert_eq!(Fault::of(&error), expected, "{error}");
        }
    }
}
