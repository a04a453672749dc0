//! A change of resources that the operator then acts upon.

use super::objects::Which;
use super::told::Telling;
use crate::api::duration::Duration;

/// A change of resources that the operator then acts upon.
#[derive(clap::Args, Debug)]
pub(super) struct Change {
    #[command(flatten)]
    pub(super) which: Which,
    /// Say what would be done, as the API server would take it.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Wait until the operator has done it, and say what came of it.
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) wait: bool,
    /// How long to wait.
    #[arg(long, default_value = "1m", value_name = "DURATION", requires = "wait")]
    pub(super) timeout: Duration,
    #[command(flatten)]
    pub(super) telling: Telling,
}
