//! What a command connects to: a cluster as kubectl does, and a Grafana as a person or as its GrafanaInstance says.

mod absent;
mod cluster;
mod grafana;
pub(in super::super) mod names;
mod objects;
mod way;
mod whose;

pub(in super::super) use absent::hint;
pub(in super::super) use cluster::{Anywhere, Beside, Cluster, Connected, Scope, Watched, Whole};
pub(in super::super) use grafana::{INSTANCE, Reached, ToGrafana};
pub(in super::super) use objects::{Read, Source, kind};
pub(in super::super) use whose::Whose;

/// Runs a command that waits for servers.
pub(in super::super) fn wait<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    runtime.block_on(work)
}
