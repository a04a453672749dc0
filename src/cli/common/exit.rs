//! What the exit code says, the same for every command.

use std::process::ExitCode;

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "cli"),
    expect(dead_code, reason = "the operator's own commands have no answer that is no")
)]
pub(in super::super) enum Exit {
    /// Done; nothing to object to.
    Done,
    /// Done, and the answer is no: problems, differences, an expectation that isn't met.
    No,
    /// It could not be done: files, a cluster or a Grafana that can't be read, are away or refuse.
    Failed,
    /// It was done in part: some of several failed.
    InPart,
    /// Somebody has interrupted it.
    Interrupted,
}

/// What help says of them.
#[cfg(feature = "cli")]
pub(in super::super) const HELP: &str =
    "Exit codes: 0 done, 1 done and the answer is no, 2 wrong arguments, 3 could not be done.";

/// The same of a command that can be done in part.
#[cfg(feature = "cli")]
pub(in super::super) const HELP_IN_PART: &str = "Exit codes: 0 done, 1 done and the answer is no, 2 wrong arguments, 3 could not be done, 4 done in part.";

/// The same of a command whose answer can't be no.
#[cfg(feature = "cli")]
pub(in super::super) const HELP_WITHOUT_NO: &str =
    "Exit codes: 0 done, 2 wrong arguments, 3 could not be done.";

/// The same of such a command that can be done in part.
#[cfg(feature = "cli")]
pub(in super::super) const HELP_IN_PART_WITHOUT_NO: &str =
    "Exit codes: 0 done, 2 wrong arguments, 3 could not be done, 4 done in part.";

impl Exit {
    /// The number. 2 is the parser's of arguments, and 130 is what shells say of what is interrupted.
    pub(in super::super) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Failed => 3,
            Self::InPart => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
