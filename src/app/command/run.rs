//! `alertwright run`: the operator.

use std::net::SocketAddr;

use tracing::error;

use crate::api::reference::SecretKeyRef;
use crate::app::{self, Settings};
use crate::domain::ownership::Owner;
use crate::telemetry::{self, LogFormat};

/// Run the operator.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  alertwright run --operator-namespace alertwright-system\n  alertwright run --watch-namespaces revel,shop --owner-id prod\n  alertwright run --grafana-url http://grafana.monitoring --grafana-token-secret alertwright-grafana/token\n\nExit codes: 0 done, 2 wrong arguments, 3 could not be done."
)]
pub(crate) struct Run {
    /// The operator's own namespace, which holds GrafanaInstances and their Secrets.
    #[arg(long, env = "POD_NAMESPACE", default_value = "alertwright-system")]
    operator_namespace: String,
    /// The namespaces to watch, comma separated. Default: all.
    #[arg(long, env = "WATCH_NAMESPACES", value_delimiter = ',')]
    watch_namespaces: Vec<String>,
    /// Tells this installation's objects in a Grafana from another's: [a-z0-9-], at most 40 characters. Default: generated once
    /// and kept in a Secret.
    #[arg(long, env = "OWNER_ID", value_parser = owner)]
    owner_id: Option<Owner>,
    /// Where /healthz, /readyz and /metrics are served.
    #[arg(long, env = "HTTP_ADDRESS", default_value = "0.0.0.0:8080")]
    http_address: SocketAddr,
    /// How log lines look.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
    /// What is logged: a level (error, warn, info, debug), or directives such as warn,alertwright=debug,kube=info.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    log_level: String,
    /// Whether changes of Secrets are watched; without it they take effect at the next resync.
    #[arg(long, env = "WATCH_SECRETS", default_value_t = true, action = clap::ArgAction::Set)]
    watch_secrets: bool,
    /// Whether to wait for the Lease `alertwright` before writing anything, so that of several replicas one works.
    #[arg(long, env = "LEADER_ELECT", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    leader_elect: bool,
    /// Creates the GrafanaInstance `default` with this address if there is none.
    #[arg(
        long,
        env = "GRAFANA_URL",
        hide_env_values = true,
        requires = "grafana_token_secret"
    )]
    grafana_url: Option<String>,
    /// The Secret of its token, as NAME/KEY.
    #[arg(long, env = "GRAFANA_TOKEN_SECRET", hide_env_values = true, value_parser = secret)]
    grafana_token_secret: Option<SecretKeyRef>,
}

fn owner(text: &str) -> Result<Owner, String> {
    Owner::parse(text).ok_or_else(|| "use 1 to 40 of the characters a-z, 0-9 and -".into())
}

fn secret(text: &str) -> Result<SecretKeyRef, String> {
    match text.split_once('/') {
        Some((name, key)) if !name.is_empty() && !key.is_empty() => Ok(SecretKeyRef {
            name: name.to_owned(),
            key: key.to_owned(),
        }),
        _ => Err("write it as NAME/KEY".into()),
    }
}

impl Run {
    pub(crate) fn execute(self) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            // Few threads, few heaps: what each has freed it keeps.
            .max_blocking_threads(4)
            .enable_all()
            .build()
            .map_err(|e| e.to_string())?;
        let traces = {
            let _within = runtime.enter();
            telemetry::start_traced(self.log_format, &self.log_level)?
        };
        let settings = Settings {
            namespace: self.operator_namespace,
            watch_namespaces: self
                .watch_namespaces
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect(),
            owner: self.owner_id,
            http_address: self.http_address,
            watch_secrets: self.watch_secrets,
            leader_elect: self.leader_elect,
            default_instance: self.grafana_url.zip(self.grafana_token_secret),
        };
        let ran = runtime.block_on(app::run(settings)).map_err(|e| e.to_string());
        traces.end();
        match (ran, self.log_format) {
            // Whoever reads JSON reads the last line as JSON too; it is the one that says why.
            (Err(error), LogFormat::Json) => {
                error!(error, "ended");
                Err(String::new())
            }
            (ran, _) => ran,
        }
    }
}
