//! What every pass is made of, whatever it is about: failures and when to try again, watches and the stores that they fill, triggers,
//! and who claims what.

pub mod backoff;
pub mod by;
pub mod claim;
pub mod failure;
pub mod health;
pub mod managed;
pub mod readiness;
pub mod refused;
pub mod sources;
pub mod store;
pub mod trigger;
pub mod turns;
pub mod unwatched;
pub mod watch;
