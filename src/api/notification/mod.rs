//! Who is told, and when: policies, and the time intervals and templates that they and contact points name.

pub mod inhibition_rule;
mod nested;
pub mod policy;
pub mod template;
pub mod time_interval;
