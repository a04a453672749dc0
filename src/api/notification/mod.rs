//! What contact points and policies name: time intervals and templates.

pub mod template;
pub mod time_interval;
