//! The query of an alert, in LogQL or PromQL.

#[cfg(feature = "cli")]
mod always;
mod constant;
mod error;
pub mod language;
mod split;
mod token;

#[cfg(feature = "cli")]
pub use always::{Always, always};
pub use error::{Problem, QueryError};
pub use split::{Comparison, Obstacle, Split, split};
