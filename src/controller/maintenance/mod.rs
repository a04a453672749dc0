//! Silence while a workload is changed: its rollouts and runs, and the policies that ask for it.

pub mod policy;
pub mod workload;
