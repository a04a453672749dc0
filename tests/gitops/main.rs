//! GitOps: the Applications that are shipped, deployed by the real Argo CD from a git repository, with the operator under the
//! ServiceAccount that it gets by them, a real API server, Grafana's double or a real Grafana, and Loki's query engine.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failure must fail the test"
)]
#![allow(
    unreachable_pub,
    reason = "the modules of a test binary share what is public in them"
)]

mod actions;
mod changes;
mod health;
mod helm;
mod kstatus;
mod links;
mod rest;
mod site;
