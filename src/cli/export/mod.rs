//! `alertwright export`: a Grafana as resources.

pub(super) mod read;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;

use self::report::Report;
use super::common::connect::{Cluster, Connected, Scope, ToGrafana, wait};
use super::common::dns;
use super::common::exit::{self, Exit};
use super::common::telling::{Place, Telling};
use super::common::written::{self, Written};
use crate::api::{ContactPoint, DEFAULT_INSTANCE, condition};
use crate::controller::engine::managed::Managed;
use crate::domain::export::resource::Kind;
use crate::domain::export::{Asked, export};
use crate::domain::notification::contact_point;
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
    /// What to export. Default: all, or rules alone where --folder, --group or --rule choose some.
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
    #[arg(long, value_name = "NAMESPACE", value_parser = dns::namespace)]
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

/// The names in this Grafana of the contact points that these resources have there.
fn names_in(all: &[ContactPoint], instance: &str) -> BTreeSet<String> {
    let has = |point: &&ContactPoint| {
        let conditions = point.status.as_ref().map_or(&[][..], |status| &status.conditions);
        condition::ready(conditions).is_some_and(|ready| ready.status == "True")
            && point.wanted().contains(&instance)
    };
    let names = all.iter().filter(has);
    names
        .map(|point| contact_point::name(&point.spec, point.id()).to_owned())
        .collect()
}

impl Export {
    /// What is exported: of all kinds, where none is named and no rules are chosen.
    fn kinds(&self) -> BTreeSet<Kind> {
        let kinds: BTreeSet<Kind> = self.what.iter().flat_map(|what| what.kinds()).collect();
        let chooses = !(self.folder.is_empty() && self.group.is_empty() && self.rule.is_empty());
        if !kinds.is_empty() {
            kinds
        } else if chooses {
            BTreeSet::from([Kind::AlertRule])
        } else {
            BTreeSet::from(Kind::ALL)
        }
    }

    /// The contact points of the cluster's resources; none where they can't be read.
    async fn contact_points(&self, cluster: &Connected) -> BTreeSet<String> {
        let all = cluster.list::<ContactPoint>().await.unwrap_or_default();
        names_in(&all, self.grafana.instance())
    }

    pub(super) fn execute(self) -> Result<Exit, String> {
        let kinds = self.kinds();
        let (held, unread, spec, owner, home, contact_points_of_resources) = wait(async {
            let cluster = if self.grafana.is_given() {
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
            let of_resources = match &cluster {
                Some(cluster) if !self.include_ours => self.contact_points(cluster).await,
                _ => BTreeSet::new(),
            };
            Ok((
                held,
                unread,
                reached.spec,
                owner,
                cluster.map(|cluster| cluster.home),
                of_resources,
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
            contact_points_of_resources,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_chooses_rules_and_no_kind_means_rules() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            export: Export,
        }
        let kinds = |words: &[&str]| {
            let line = <Line as clap::Parser>::try_parse_from([&["x"], words].concat());
            line.unwrap_or_else(|error| panic!("{error}")).export.kinds()
        };
        let rules = BTreeSet::from([Kind::AlertRule]);
        assert_eq!(kinds(&["--rule", "Down"]), rules);
        assert_eq!(kinds(&["--folder", "Shop"]), rules);
        assert_eq!(kinds(&[]).len(), Kind::ALL.len());
        let timings = BTreeSet::from([Kind::TimeInterval]);
        assert_eq!(kinds(&["timings", "--rule", "Down"]), timings);
    }

    #[test]
    fn a_contact_point_that_a_resource_has_is_known_by_its_name_in_grafana() {
        let point = |name: &str, spec: serde_json::Value, ready: &str| -> ContactPoint {
            let object = json!({
                "metadata": {"namespace": "revel", "name": name}, "spec": spec,
                "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "r", "message": "", "lastTransitionTime": "2026-11-24T21:00:00Z"}]},
            });
            serde_json::from_value(object).unwrap()
        };
        let all = [
            point("a", json!({"name": "A by hand", "integrations": []}), "True"),
            point("b", json!({"integrations": []}), "False"),
            point("c", json!({"integrations": [], "instance": "other"}), "True"),
        ];
        let names = |instance: &str| names_in(&all, instance).into_iter().collect::<Vec<_>>();
        assert_eq!(names("default"), ["A by hand"]);
        assert_eq!(names("other"), ["c"]);
    }
}
