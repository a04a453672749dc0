//! A step that did not happen, and waiting for what should.

use std::{
    fmt,
    time::{Duration, Instant},
};

use tokio::time::sleep;

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(200);

/// What was expected and what was seen instead.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) expected: String,
    pub(crate) seen: String,
}

impl Failure {
    pub(crate) fn new(expected: impl Into<String>, seen: impl fmt::Display) -> Self {
        Self {
            expected: expected.into(),
            seen: seen.to_string(),
        }
    }
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// Fails unless the claim holds.
pub(crate) fn ensure(holds: bool, expected: &str, seen: impl FnOnce() -> String) -> Result<()> {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(expected, seen()))
    }
}

/// Looks until the look gives something; it says what it saw otherwise.
pub(crate) async fn until<T, E: fmt::Display>(
    expected: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(seen) if start.elapsed() > within => {
                let expected = format!("{expected} within {} s", within.as_secs());
                return Err(Failure::new(expected, seen));
            }
            Err(_) => sleep(POLL).await,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, saw {}", self.expected, self.seen)
    }
}
