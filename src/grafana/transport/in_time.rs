//! Answers that must be there by a moment.

use std::time::Instant;

use tokio::time::timeout_at;

use crate::grafana::error::{Error, Result};

/// What comes before that moment.
pub(super) async fn in_time<T>(
    operation: &'static str,
    until: Instant,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let in_time = timeout_at(until.into(), work).await;
    in_time.unwrap_or(Err(Error::Timeout { operation }))
}
