//! What has changed in Grafana behind the operator's back: by hand, or because a backup was restored.

pub mod drift;
pub mod moved;
pub mod orphans;
pub mod restored;
