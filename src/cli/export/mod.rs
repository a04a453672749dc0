//! `alertwright export`: a Grafana as resources.

mod files;
mod read;
mod report;

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use self::files::{Layout, Written};
use self::report::Report;
use super::common::connect::{Cluster, Scope, ToGrafana, wait};
use super::common::exit::{self, Exit};
use super::common::print::{note, print};
use crate::api::DEFAULT_INSTANCE;
use crate::domain::export::resource::Kind;
use crate::domain::export::{Asked, export};
use crate::domain::ownership::{Owner, Owners};

/// The Secret that holds what Grafana hides.
const SECRET: &str = "contact-points";

/// Whoever it may be: without rights on its Secret nobody knows the owner id, and it matters only for what is alertwright's already.
const SOMEBODY: &str = "export";

/// Write what a Grafana holds as resources.
///
/// Each resource is taken through the same functions as in the operator and compared with what was found, so that its first pass changes nothing but what is said here. Nothing is written
/// into Grafana or the cluster. What alertwright has made already is left out, and what no resource can say is told.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright export all -d alerting --target-namespace payments --adopt --secrets-file secrets.example.yaml\n  alertwright export rules --folder Payments --target-namespace payments > payments.yaml\n  GRAFANA_URL=https://grafana.example.com GRAFANA_TOKEN=$(cat token) alertwright export all | alertwright check -f -\n\n{}", exit::HELP_IN_PART))]
pub(super) struct Export {
    /// What to export. Default: all.
    #[arg(value_name = "WHAT", value_enum)]
    what: Vec<What>,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    grafana: ToGrafana,
    /// Only rules in this folder: its title, path or uid. May be given more often.
    #[arg(long, value_name = "FOLDER")]
    folder: Vec<String>,
    /// Only rules of this group. May be given more often.
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// Only this rule: its title or uid. May be given more often.
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// The namespace that the resources get. Default: that of -n, else none, so that whoever applies them says it.
    #[arg(long, value_name = "NAMESPACE")]
    target_namespace: Option<String>,
    /// Write a file for each resource into this directory, and a kustomization.yaml. Default: all of them on standard output.
    #[arg(short, long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    /// How files are laid out in the directory.
    #[arg(long, value_enum, default_value_t = Layout::Kind, requires = "directory")]
    layout: Layout,
    /// Write a Secret with an empty value for each secret that Grafana hides into this file, to be filled in. Only its owner may read it, and it is never overwritten.
    #[arg(long, value_name = "FILE")]
    secrets_file: Option<PathBuf>,
    /// Have each resource take over what it is of, by an annotation.
    #[arg(long)]
    adopt: bool,
    /// Also export what alertwright has made.
    #[arg(long)]
    include_ours: bool,
    /// Overwrite files that are there, but not that of --secrets-file, in which somebody may have filled in what no Grafana shows.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    telling: Telling,
}

/// How it is told what was exported.
#[derive(clap::Args, Debug)]
struct Telling {
    /// How to report what was exported: on standard output with --directory, else on standard error.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
    /// Report nothing but errors.
    #[arg(short, long)]
    quiet: bool,
}

/// What is exported.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Everything.
    All,
    /// Alert rules and recording rules.
    Rules,
    /// Contact points.
    ContactPoints,
    /// Policy trees.
    Policy,
    /// Time intervals.
    Timings,
    /// Notification templates.
    Templates,
    /// Inhibition rules, where Grafana has them.
    Inhibitions,
    /// Silences that aren't over.
    Silences,
}

/// How the report is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each resource.
    Table,
    /// One JSON document.
    Json,
}

impl What {
    fn kinds(self) -> Vec<Kind> {
        vec![match self {
            Self::All => return Vec::from(Kind::ALL),
            Self::Rules => Kind::AlertRule,
            Self::ContactPoints => Kind::ContactPoint,
            Self::Policy => Kind::NotificationPolicy,
            Self::Timings => Kind::TimeInterval,
            Self::Templates => Kind::NotificationTemplate,
            Self::Inhibitions => Kind::InhibitionRule,
            Self::Silences => Kind::Silence,
        }]
    }
}

impl Export {
    pub(super) fn execute(self) -> Result<Exit, String> {
        let kinds: BTreeSet<Kind> = self.what.iter().flat_map(|what| what.kinds()).collect();
        let kinds = if kinds.is_empty() {
            BTreeSet::from(Kind::ALL)
        } else {
            kinds
        };
        let (held, unread, spec, owner) = wait(async {
            let cluster = if self.grafana.is_given()? {
                None
            } else {
                Some(self.cluster.connect(&Scope::default()).await?)
            };
            let reached = self.grafana.reach(cluster.as_ref(), None).await?;
            let owner = match &cluster {
                Some(cluster) if self.include_ours => cluster.owner().await?,
                _ => None,
            };
            let (held, unread) = read::all(&reached.grafana, &kinds).await?;
            Ok((held, unread, reached.spec, owner))
        })?;
        let somebody = || Owner::parse(SOMEBODY).ok_or_else(String::new);
        let owner = owner.map_or_else(somebody, Ok)?;
        let asked = Asked {
            kinds,
            folders: self.folder.clone(),
            groups: self.group.clone(),
            rules: self.rule.clone(),
            namespace: self
                .target_namespace
                .clone()
                .or_else(|| self.cluster.namespace.clone()),
            instance: Some(self.grafana.instance.clone()).filter(|name| name != DEFAULT_INSTANCE),
            folder_prefix: spec.folder_prefix.clone().unwrap_or_default(),
            labels: spec.labels.clone(),
            secret: SECRET.to_owned(),
            adopts: self.adopt,
            includes_ours: self.include_ours,
        };
        let owners = Owners::new(owner, &spec.previous_owner_ids);
        let export = export(&held, &asked, &owners, Timestamp::now());
        let written = Written::of(&export, self.directory.as_deref(), self.layout)?;
        let secrets = match &self.secrets_file {
            Some(file) => {
                files::secrets(&export, asked.namespace.as_deref())?.map(|text| (file.clone(), text))
            }
            None => None,
        };
        files::write(written.files(), secrets, self.force)?;
        let report = Report {
            export: &export,
            written: &written,
            unread: &unread,
        };
        self.tell(&report, &written)?;
        Ok(if export.is_whole() && unread.is_empty() {
            Exit::Done
        } else {
            Exit::InPart
        })
    }

    fn tell(&self, report: &Report<'_>, written: &Written) -> Result<(), String> {
        if self.directory.is_none() {
            print(&written.stream())?;
        }
        if self.telling.quiet {
            return Ok(());
        }
        let text = match self.telling.output {
            Output::Table => report.table(!self.telling.no_headers),
            Output::Json => report.json()?,
        };
        if self.directory.is_some() {
            print(&text)?;
        } else {
            text.lines().for_each(note);
        }
        if self.telling.output == Output::Table {
            report.sentences().iter().for_each(|sentence| note(sentence));
        }
        Ok(())
    }
}
