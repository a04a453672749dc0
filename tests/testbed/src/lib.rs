//! A real control plane, Grafana and Loki for alertwright's tests, demo and benchmark.
//!
//! `tests/testbed/build` builds the servers from pinned Go modules; this crate starts them on free ports with their data
//! in a temporary folder, and makes sure that none outlives the process that started it. Only faults are simulated, by a
//! [`proxy::Proxy`] in front of the real Grafana, and what stands behind a contact point, by the [`sink`]s.
//!
//! Starting a server gives a [`Result`], because callers differ in what they do about a failure; everything after that
//! panics with what went wrong, because then a test has nothing left to show.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test support: what fails here must fail the test that relies on it"
)]

pub mod argocd;
pub mod control_plane;
mod error;
mod git;
pub mod grafana;
pub mod http;
mod log;
pub mod loki;
pub mod operator;
pub mod parts;
pub mod ports;
pub mod process;
pub mod proxy;
mod scratch;
mod serving;
pub mod sink;
pub mod trial;
mod usage;
pub mod wait;

pub use argocd::ArgoCd;
pub use control_plane::ControlPlane;
pub use error::{Error, Result};
pub use git::Repository;
pub use grafana::Grafana;
pub use loki::Loki;
pub use macro_rules_attribute::apply;
pub use operator::Operator;
pub use proxy::Proxy;
pub use scratch::Scratch;
pub use sink::{HttpSink, SmtpSink};
pub use usage::Usage;
