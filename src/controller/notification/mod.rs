//! Who is told: contact points, and the policy tree that leads to them.

pub mod contact_point;
pub mod policy;
mod tree;
mod users;
