//! How JSON is read that others have written.

pub mod moment;
pub mod quotes;
pub mod shallow;
