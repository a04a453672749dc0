//! `alertwright remove-finalizers`: what makes an uninstallation leave nothing that hangs.

use std::io::{self, Write};

use crate::api::duration::Duration;
use crate::app;
use crate::telemetry::{self, LogFormat};

/// Take the operator's finalizer off all resources, so that they can be deleted without it. What they made in Grafana stays.
///
/// It waits until no operator runs, and no operator with leader election starts to work while it runs: it holds the Lease meanwhile. An operator without
/// one shows by finalizers that are there again, which ends it with an error.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  alertwright remove-finalizers\n  alertwright remove-finalizers --operator-namespace alertwright-system --watch-namespaces revel,shop\n  alertwright remove-finalizers --timeout 5m\n  alertwright remove-finalizers --dry-run\n\nExit codes: 0 done, 2 wrong arguments, 3 could not be done."
)]
pub(crate) struct RemoveFinalizers {
    /// The namespace that the operator ran in.
    #[arg(long, env = "POD_NAMESPACE", default_value = "alertwright-system")]
    operator_namespace: String,
    /// The namespaces that it watched, comma separated. Default: all.
    #[arg(long, env = "WATCH_NAMESPACES", value_delimiter = ',')]
    watch_namespaces: Vec<String>,
    /// How long to wait for a running operator to end.
    #[arg(long, default_value = "60s")]
    timeout: Duration,
    /// Only say how many resources of each kind have it, whether or not an operator runs.
    #[arg(long)]
    dry_run: bool,
}

impl RemoveFinalizers {
    pub(crate) fn execute(self) -> Result<(), String> {
        telemetry::start(LogFormat::Text, "warn")?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| e.to_string())?;
        let namespaces: Vec<String> = self
            .watch_namespaces
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect();
        let timeout = self.timeout.checked().map_err(|e| e.to_string())?;
        let removed = runtime.block_on(async {
            if self.dry_run {
                app::count_finalizers(&namespaces).await
            } else {
                app::remove_finalizers(&self.operator_namespace, &namespaces, timeout).await
            }
        });
        let removed = removed.map_err(|e| e.to_string())?;
        let mut out = io::stdout().lock();
        for (kind, count) in removed {
            writeln!(out, "{kind:<20} {count}").map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}
