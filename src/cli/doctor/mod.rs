//! `alertwright doctor`: whether an installation, or a place for one, is well, and what to do where it isn't.

mod before;
mod cluster;
mod facts;
mod grafana;
mod print;
mod verdict;

use std::io;

use jiff::Timestamp;

use self::verdict::{Check, Verdict};
use super::common::color::Color;
use super::common::connect::{Cluster, Scope, ToGrafana, wait};
use super::common::document::as_yaml;
use super::common::exit::{self, Exit};
use super::common::print::print;

/// Say whether the installation is well, a line for each check, and what to do where it isn't.
///
/// It looks at the cluster, at the operator and at its Grafanas, as whoever calls it, and writes nothing. What may not be looked at is told as `!`, and so is
/// what works and deserves a look; `✗` is what doesn't work.
#[derive(clap::Args, Debug)]
#[expect(clippy::doc_markdown, reason = "these are what help says")]
#[command(after_help = format!("Examples:\n  alertwright doctor --pre\n  alertwright doctor\n  alertwright doctor -n revel -o json\n  GRAFANA_URL=https://grafana.example.com GRAFANA_TOKEN=$(cat token) alertwright doctor --pre\n\n{}", exit::HELP), mut_arg("instance", |argument| argument.help("The GrafanaInstance, and no other. Default: all. Its Secret is read unless there is a token of your own, in GRAFANA_TOKEN or --grafana-token-file")))]
pub(super) struct Doctor {
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    grafana: ToGrafana,
    /// Look at what an installation needs, before there is one: the cluster, your rights to install, and Grafana where GRAFANA_URL is set.
    #[arg(long)]
    pre: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// When there are colours.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
    /// Print only what isn't well.
    #[arg(short, long)]
    quiet: bool,
}

/// How checks are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each check.
    Text,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
}

impl Doctor {
    pub(super) fn execute(self) -> Result<Exit, String> {
        let mut checks = wait(self.checks())?;
        let is_bad = checks.iter().any(|check| check.verdict == Verdict::Bad);
        if self.quiet {
            checks.retain(|check| check.verdict != Verdict::Good);
        }
        print(&match self.output {
            Output::Text => print::text(&checks, self.color.is_on(&io::stdout())),
            Output::Json => print::json(&checks),
            Output::Yaml => as_yaml(&print::json(&checks))?,
        })?;
        Ok(if is_bad { Exit::No } else { Exit::Done })
    }

    async fn checks(&self) -> Result<Vec<Check>, String> {
        let connected = self.cluster.connect(&self.scope).await?;
        let namespace = (!self.scope.whole.all_namespaces).then(|| connected.namespace.clone());
        if self.pre {
            let facts = before::Facts {
                kubernetes: cluster::version(&connected.client).await?,
                rights: cluster::rights(&connected.client, before::needs(&connected.home)).await?,
                served: cluster::served(&connected.client).await,
                grafana: grafana::addressed(&self.grafana).await?,
            };
            return Ok(before::checks(&facts));
        }
        let mut facts = cluster::facts(&connected, namespace.as_deref(), Timestamp::now()).await?;
        facts.named.clone_from(&self.grafana.instance);
        grafana::ask(&mut facts, &self.grafana, &connected).await?;
        Ok(verdict::checks(&facts))
    }
}
