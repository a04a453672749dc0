//! Decisions, as functions of values: no I/O, no clock, nothing to wait for.

pub mod claims;
pub mod contact;
pub mod contact_decision;
pub mod explore;
pub mod generated;
pub mod lease;
pub mod maintenance;
pub mod migration;
pub mod ownership;
mod pagerduty;
pub mod phase;
pub mod policy;
pub mod query;
#[cfg(test)]
mod recorded;
pub mod refusal;
pub mod rollout;
pub mod rule;
mod rule_data;
pub mod rule_decision;
pub mod silence;
pub mod template;
pub mod version;
pub mod window;
pub mod workload;
