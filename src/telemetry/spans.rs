//! What is told in traces: a span for each pass, and below it one for each call of Grafana and of the API server.
//!
//! Without the feature `otlp` nothing is told, and what stands here is nothing but the future that it was given.

mod about;
#[cfg(feature = "otlp")]
mod told;
#[cfg(not(feature = "otlp"))]
mod untold;

pub(crate) use about::{Failed, Over, Request};
#[cfg(feature = "otlp")]
pub(crate) use told::{TARGET, answered, below, call, carried, pass, reason};
#[cfg(not(feature = "otlp"))]
pub(crate) use untold::{answered, below, call, carried, pass, reason};

#[cfg(all(test, feature = "otlp"))]
mod tests;
