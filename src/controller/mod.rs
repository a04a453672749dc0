//! The controllers: one room per kind, each resolve, decide, apply, report.

pub mod alert_rule;
pub mod connection;
pub mod context;
pub mod engine;
pub mod instance;
pub mod maintenance;
mod news;
pub mod notification;
pub mod pass;
pub mod run;
pub mod silence;
mod tally;
#[cfg(test)]
mod tests;
pub mod workloads;
