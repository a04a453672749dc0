//! The command line and the environment.

use std::path::PathBuf;

/// Tells alertwright's story: each line is a fact that was just observed.
///
/// Without further settings everything is started here, with a double of Grafana: of GRAFANA_VERSION, 13.3.0 by default. With
/// GRAFANA_IMAGE it is a real Grafana in a container. With KUBECONFIG, GRAFANA_URL and GRAFANA_TOKEN it happens on your
/// own cluster and Grafana; what it makes there is removed at the end.
#[derive(Debug, clap::Parser)]
#[allow(clippy::doc_markdown, reason = "it is printed as help")]
#[command(name = "demo")]
pub(crate) struct Arguments {
    /// The operator's binary.
    #[arg(long)]
    pub(crate) operator: PathBuf,
    /// Leave everything running until Ctrl-C, and say how to look around.
    #[arg(long, env = "KEEP", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) keep: bool,
    #[command(flatten)]
    pub(crate) own: Own,
}

/// Where your own servers are.
#[derive(Debug, clap::Args)]
pub(crate) struct Own {
    /// Your cluster; used only if the two below are set too.
    #[arg(long, env = "KUBECONFIG")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Your Grafana, as this machine reaches it.
    #[arg(long, env = "GRAFANA_URL")]
    pub(crate) grafana_url: Option<String>,
    /// A token of a service account of your Grafana with the role Admin.
    #[arg(long, env = "GRAFANA_TOKEN", hide_env_values = true)]
    pub(crate) grafana_token: Option<String>,
    /// Your Loki: log lines are pushed to it, and Grafana gets a data source for it.
    #[arg(long, env = "LOKI_URL")]
    pub(crate) loki_url: Option<String>,
    /// This machine, as your Grafana reaches it.
    #[arg(long, env = "SINK_HOST", default_value = "127.0.0.1")]
    pub(crate) sink_host: String,
    /// Take over a policy tree that isn't the shipped default, and put it back at the end.
    #[arg(long, env = "DEMO_REPLACE_TREE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) replace_tree: bool,
}

impl Own {
    /// Whether your own servers are meant: a KUBECONFIG alone is set on most machines.
    pub(crate) fn is_complete(&self) -> bool {
        self.kubeconfig.is_some() && self.grafana_url.is_some() && self.grafana_token.is_some()
    }
}
