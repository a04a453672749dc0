//! Where an alert goes, and why: an Alertmanager's walk over the policy trees that the operator would write.
//!
//! Trees are put together by the functions that the operator's passes ask, and walked as `Route.Match` of Prometheus' Alertmanager does, which
//! Grafana runs. A test compares the two (`tests/cli/engine.rs`).

pub mod alert;
pub mod answer;
pub mod clock;
pub mod difference;
pub mod inhibited;
mod names;
pub mod silenced;
pub mod trees;
pub mod walk;

#[cfg(test)]
mod names_tests;
#[cfg(test)]
mod tests;
