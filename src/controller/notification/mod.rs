//! Who is told: contact points, and the policy tree that leads to them.

pub mod contact_point;
pub(in crate::controller) mod interval;
pub(in crate::controller) mod known;
mod maker;
mod named;
mod not_yet;
pub mod policy;
pub(in crate::controller) mod receiver;
pub(in crate::controller) mod rule_tree;
mod tree;
mod users;
