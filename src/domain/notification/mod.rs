//! Who is told: contact points, and the policy tree that leads to them.

pub mod branches;
pub mod contact_point;
pub mod delivery;
pub mod interval;
mod losses;
pub mod named;
pub mod policy;
pub mod receiver;
pub mod settings;
pub mod timing;
pub mod tree;
