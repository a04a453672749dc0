//! alertwright: Grafana alerting as Kubernetes resources.
//!
//! A pass over one resource is four steps: *resolve* what it refers to, *decide* what Grafana should hold (pure functions in
//! [`domain`]), *apply* the difference through [`grafana`], *report* the outcome in the resource's status.
//! `docs/architecture.md` tells the whole story.

pub mod api;
pub mod app;
pub mod cli;
pub mod cluster;
pub mod controller;
mod deadline;
pub mod domain;
pub mod grafana;
mod held;
pub mod json;
pub mod metrics;
pub mod server;
pub mod telemetry;
