//! What is wished and what was found, made comparable.
//!
//! Grafana prints what it stores in another form than it was sent: defaults are added, durations rewritten, keys sorted. Both
//! sides are brought to one form, and only hashes of it are kept. They are the same in every process.

mod canonical;
mod integration;
mod route;
mod rule;
mod time_interval;

pub use canonical::duration;
pub use integration::IntegrationDigest;
pub use route::{Inherited, RouteDigest, matchers};
pub use rule::RuleDigest;
pub use time_interval::{DAYS, MONTHS, TimeIntervalDigest, said};
