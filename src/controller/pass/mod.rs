//! One pass over one resource: finalizer, reconcile or clean up, report. `several` has it in each of several Grafanas.

mod kind;
mod once;
#[cfg(feature = "cli")]
mod rehearsed;
mod report;
mod run;
mod several;

use std::time::Duration;

pub use kind::{Error, Reconcile, Report};
pub(super) use once::{Doubt, is_asked, is_told, leaving};
#[cfg(feature = "cli")]
pub(super) use rehearsed::rehearse;
pub use run::{after_error, run, without_finalizer};

/// How soon a resource is looked at again that has changed since it was seen, as the API server says, if its watch doesn't bring it sooner.
pub(super) const CHANGED: Duration = Duration::from_secs(1);
