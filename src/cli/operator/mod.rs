//! The commands that the operator's own Deployment runs.

pub(super) mod probe;
pub(super) mod remove_finalizers;
pub(super) mod run;
