//! Silence while a workload is changed: its rollouts and runs, and the policies that ask for it.

pub mod argo;
pub mod jobs;
pub mod policy;
pub mod rolling;
pub mod selection;
pub mod watched;
pub mod workload;
mod write;
