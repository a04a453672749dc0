//! Decisions, as functions of values: no I/O, no clock, nothing to wait for.

pub mod changed;
pub mod claims;
#[cfg(feature = "cli")]
pub mod export;
pub mod import;
pub mod lint;
pub mod maintenance;
pub mod notification;
pub mod ownership;
pub mod refusal;
#[cfg(feature = "cli")]
pub mod routing;
pub mod rule;
pub mod silence;
pub mod tenancy;
pub mod version;
