//! A control plane, Grafana, Loki and Prometheus for alertwright's tests, demo and benchmark.
//!
//! `tests/testbed/build` builds the servers from pinned Go modules; this crate starts them on free ports with their data
//! in a temporary folder, and makes sure that none outlives the process that started it. All are real but for Grafana, which a
//! double plays (`tests/testbed/grafana`) where somebody has no real one to run on, and for the store of Loki's lines. Faults are made by a
//! [`proxy::Proxy`] in front of Grafana and by a [`Relay`] in front of the API server, and what stands behind a contact point is played by the [`sink`]s.
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
pub mod picture;
pub mod ports;
pub mod process;
pub mod prometheus;
pub mod proxy;
mod relay;
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
pub use prometheus::Prometheus;
pub use proxy::Proxy;
pub use relay::Relay;
pub use scratch::Scratch;
pub use sink::{HttpSink, SmtpSink};
pub use usage::Usage;
