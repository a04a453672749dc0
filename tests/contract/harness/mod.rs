//! What contracts are made of, and how they are tried.

pub mod call;
pub mod contract;
mod exchange;
mod expect;
mod names;
mod path;
pub mod report;
mod server;
mod suite;
mod sweep;
pub mod version;

pub use suite::Suite;
