//! What is read from and written to the API server besides watching.

pub mod answer;
pub mod client;
pub mod events;
pub mod finalizers;
pub mod identity;
pub mod leader;
#[cfg(test)]
pub(crate) mod logged_tests;
pub mod memory;
pub mod namespace;
pub mod prometheus;
pub mod referenced;
#[cfg(feature = "cli")]
pub mod rehearsed;
mod request;
pub mod status;
