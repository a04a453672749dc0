//! What pages of `docs/cli` show of a cluster, as `tests/e2e/docs` reads, compares and writes it. It is tested here, where no server is needed.

#[allow(dead_code, reason = "each test runs those of its own")]
pub mod documents;
pub mod fields;
pub mod masks;
pub mod pages;
#[allow(dead_code, reason = "each test looks at them in its own way")]
pub mod pictures;
