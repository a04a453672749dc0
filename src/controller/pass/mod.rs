//! One pass over one resource: finalizer, reconcile or clean up, report. `several` has it in each of several Grafanas.

mod kind;
mod once;
mod report;
mod run;
mod several;

pub use kind::{Error, Reconcile, Report};
pub(super) use once::{is_told, leaving};
pub use run::{after_error, run, without_finalizer};
