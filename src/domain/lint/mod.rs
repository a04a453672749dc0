//! Whether manifests are right: what the API server, the operator and Grafana would refuse, and what is probably not meant.
//!
//! Nothing here decides anything anew: the schemas are those that are installed, and what the operator refuses is asked of the
//! same functions that its passes ask.

#[cfg(feature = "cli")]
mod advice;
#[cfg(feature = "cli")]
mod duplicates;
#[cfg(feature = "cli")]
pub mod finding;
pub mod mistakes;
#[cfg(feature = "cli")]
pub mod near;
#[cfg(feature = "cli")]
pub mod object;
#[cfg(feature = "cli")]
pub mod options;
#[cfg(feature = "cli")]
mod own;
#[cfg(feature = "cli")]
pub mod path;
#[cfg(feature = "cli")]
pub mod references;
#[cfg(feature = "cli")]
pub mod schema;
#[cfg(feature = "cli")]
pub mod standing;
#[cfg(feature = "cli")]
mod texts;

#[cfg(feature = "cli")]
pub use whole::{across, each};

#[cfg(feature = "cli")]
mod whole;
