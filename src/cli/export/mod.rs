//! `alertwright export`: a Grafana as resources.

pub(super) mod read;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use self::report::Report;
use super::common::connect::{Cluster, Scope, ToGrafana, wait};
use super::common::exit::{self, Exit};
use super::common::telling::{Place, Telling};
use super::common::written::{self, Written};
use crate::api::DEFAULT_INSTANCE;
use crate::domain::export::resource::Kind;
use crate::domain::export::{Asked, export};
use crate::domain::ownership::{Owner, Owners};

/// The Secret that holds what Grafana hides.
const SECRET: &str = "contact-points";

/// What is said above the Secret.
const HIDDEN: &str = "Grafana doesn't show these. A key without a value is refused, so fill in each of them.";

/// Whoever it may be: without rights on its Secret nobody knows the owner id, and it matters only for what is alertwright's already.
const SOMEBODY: &str = "export";

/// Write what a Grafana holds as resources.
///
/// Each resource is taken through the same functions as in the operator and compared with what was found, so that its first pass changes nothing but what is said here. Nothing is written
/// into Grafana or the cluster. What alertwright has made already is left out, and what no resource can say is told.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright export all -d alerting --target-namespace payments --adopt --secrets-file secrets.example.yaml\n  alertwright export rules --folder Payments --target-namespace payments > payments.yaml\n  GRAFANA_URL=https://grafana.example.com GRAFANA_TOKEN=$(cat token) alertwright export all | alertwright check -f -\n\n{}", exit::HELP_IN_PART_WITHOUT_NO))]
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
    #[command(flatten)]
    place: Place,
    /// Write a Secret with an empty value for each secret that Grafana hides into this file, to be filled in. Only its owner may read it, and it is never overwritten.
    #[arg(long, value_name = "FILE")]
    secrets_file: Option<PathBuf>,
    /// Have each resource take over what it is of, by an annotation.
    #[arg(long)]
    adopt: bool,
    /// Also export what alertwright has made.
    #[arg(long)]
    include_ours: bool,
    #[command(flatten)]
    telling: Telling,
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
        let (held, unread, spec, owner, home) = wait(async {
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
            let (held, unread) = read::all(&reached, &kinds).await?;
            Ok((
                held,
                unread,
                reached.spec,
                owner,
                cluster.map(|cluster| cluster.home),
            ))
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
            instance: self
                .grafana
                .instance
                .clone()
                .filter(|name| name != DEFAULT_INSTANCE),
            folder_prefix: spec.folder_prefix.clone().unwrap_or_default(),
            labels: spec.labels.clone(),
            prefix: String::new(),
            secret: SECRET.to_owned(),
            adopts: self.adopt,
            includes_ours: self.include_ours,
        };
        let owners = Owners::new(owner, &spec.previous_owner_ids);
        let export = export(&held, &asked, &owners, Timestamp::now());
        // Where not all can be read it may be there.
        if let Some(why) = export.unmet.as_ref().filter(|_| unread.is_empty()) {
            return Err(why.clone());
        }
        let left = export.left.iter();
        let left = left.map(|left| format!("{} {:?}: {}", left.kind, left.called, left.why));
        let written = Written::of(
            export.resources.iter(),
            left,
            self.place.directory.as_deref(),
            self.place.layout,
        )?;
        let secrets = match &self.secrets_file {
            Some(file) => {
                let references = export.resources.iter().flat_map(|resource| &resource.secrets);
                written::secrets(references, &BTreeMap::new(), asked.namespace.as_deref(), HIDDEN)?
                    .map(|text| (file.clone(), text))
            }
            None => None,
        };
        self.place.write(&written, secrets)?;
        let bound = report::bound(
            &export.resources,
            home.as_deref().zip(asked.namespace.as_deref()),
            &spec,
        );
        let report = Report {
            export: &export,
            bound: &bound,
            written: &written,
            unread: &unread,
        };
        self.telling.tell(&report, &written, &self.place)?;
        Ok(if export.is_whole() && unread.is_empty() && bound.is_none() {
            Exit::Done
        } else {
            Exit::InPart
        })
    }
}
