//! `alertwright import`: what is written for other programs as resources.

mod read;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::read::From;
use self::report::Report;
use super::common::dns;
use super::common::exit::{self, Exit};
use super::common::files::Files;
use super::common::names;
use super::common::print::wrong;
use super::common::telling::{Place, Telling};
use super::common::written::{self, Written};
use crate::api::DEFAULT_INSTANCE;
use crate::api::reference::{DatasourceRef, SecretKeyRef};
use crate::domain::export::foreign::{self, Asked};

/// The Secret that holds what mustn't be in resources.
const SECRET: &str = "contact-points";

/// What is said above it.
const EMPTY: &str = "Nothing of what was read is in here: a key without a value is refused, so fill in each of them. --keep-secrets would write what there is.";
const KEPT: &str = "What was read is in here: keep it out of git. A key without a value is refused, so fill in what is missing.";

/// Write what is written for other programs as resources.
///
/// Reads rules for Prometheus, Loki and VictoriaMetrics, Alertmanager's configuration, files that Grafana is provisioned with or has exported, and the resources of other operators. Nothing is written
/// into Grafana or a cluster, and none is needed. What can't be carried over is named with the reason, and hurts nothing beside it.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = format!("Examples:\n  helm template kps | alertwright import -f - -d alerting --datasource type=prometheus\n  alertwright import -f alertmanager.yaml --target-namespace monitoring --secrets-file secrets.yaml > policy.yaml\n  alertwright import -f rules/ -R --from loki --severity-label level | alertwright check -f -\n\n{}", exit::HELP_IN_PART))]
pub(super) struct Import {
    #[command(flatten)]
    files: Files,
    /// The same, without -f.
    #[arg(value_name = "FILE", id = "FILES")]
    others: Vec<PathBuf>,
    /// The format that is read. What is in another one is passed over.
    #[arg(long, value_enum, default_value_t = From::Auto)]
    from: From,
    /// The namespace that the resources get. Default: none, so that whoever applies them says it.
    #[arg(short = 'n', long, visible_alias = "namespace", value_name = "NAMESPACE", value_parser = dns::namespace)]
    target_namespace: Option<String>,
    /// The GrafanaInstance that they are for.
    #[arg(short, long, value_name = "NAME", default_value = DEFAULT_INSTANCE, value_parser = dns::name, add = names::of("GrafanaInstance"))]
    instance: String,
    /// What rules for Prometheus and Loki are asked of: name=NAME, uid=UID or type=TYPE. Default: rules for Loki of the one of type loki, others of the GrafanaInstance's.
    #[arg(long, value_name = "DATASOURCE", value_parser = datasource)]
    datasource: Option<DatasourceRef>,
    /// Carry over recording rules too, as AlertRules that record. Default: they are left out, and told.
    #[arg(long)]
    recording_rules: bool,
    /// The label of rules that holds their severity. Default: severity.
    #[arg(long, value_name = "LABEL")]
    severity_label: Option<String>,
    /// The folder of rules whose format has none. Default: the one that is called like their namespace.
    #[arg(long, value_name = "PATH")]
    folder: Option<String>,
    #[expect(clippy::doc_markdown, reason = "it is shown as it is")]
    /// The policy whose branches routes of AlertmanagerConfigs become: its name, or namespace and name.
    #[arg(
        long,
        value_name = "[NAMESPACE/]NAME",
        default_value = "alertwright-system/root",
        value_parser = dns::path
    )]
    parent: String,
    /// What the names of resources begin with. Default: nothing.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
    #[command(flatten)]
    place: Place,
    /// Write a Secret with an empty value for each password, token and secret address into this file, to be filled in. Only its owner may read it, and it is never overwritten.
    #[arg(long, value_name = "FILE")]
    secrets_file: Option<PathBuf>,
    /// Write the values that were read into the file of --secrets-file. Default: they are nowhere in what is written.
    #[arg(long, requires = "secrets_file")]
    keep_secrets: bool,
    /// Have each resource take over what is in Grafana by its name, by an annotation.
    #[arg(long)]
    adopt: bool,
    /// End with 1 where something can't be carried over. Default: 4.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    telling: Telling,
}

fn datasource(text: &str) -> Result<DatasourceRef, String> {
    let wanted = || format!("{text:?} names no data source; write name=NAME, uid=UID or type=TYPE");
    let (field, value) = text.split_once('=').ok_or_else(wanted)?;
    let value = Some(value.to_owned()).filter(|value| !value.is_empty());
    let mut found = DatasourceRef {
        name: None,
        uid: None,
        type_: None,
    };
    let place = match field {
        "name" => &mut found.name,
        "uid" => &mut found.uid,
        "type" => &mut found.type_,
        _ => return Err(wanted()),
    };
    *place = Some(value.ok_or_else(wanted)?);
    Ok(found)
}

impl Import {
    pub(super) fn execute(self) -> Result<Exit, String> {
        if !self.files.are_named() && self.others.is_empty() {
            wrong("no files are named: give some with -f, or - for standard input");
        }
        let found = read::all(&self.files.read(&self.others)?, self.from);
        if found.documents.is_empty() && found.unread.is_empty() {
            return Err(format!(
                "there is nothing to import: {} in the files, none of a format that is asked for",
                report::number(found.others, "document")
            ));
        }
        let asked = Asked {
            namespace: self.target_namespace.clone(),
            instance: Some(self.instance.clone()).filter(|name| name != DEFAULT_INSTANCE),
            datasource: self.datasource.clone(),
            records: self.recording_rules,
            severity_label: self.severity_label.clone(),
            folder: self.folder.clone(),
            prefix: self.prefix.clone(),
            parent: self.parent.clone(),
            secret: SECRET.to_owned(),
            adopts: self.adopt,
        };
        let mut import = foreign::import(&found.documents, &asked);
        import.left.splice(0..0, found.unread);
        let written = Written::of(
            import.made.iter().map(|made| &made.resource),
            import
                .left
                .iter()
                .map(|left| format!("{}: {}", left.source, left.why)),
            self.place.directory.as_deref(),
            self.place.layout,
        )?;
        self.place.write(&written, self.secrets(&import)?)?;
        let report = Report {
            import: &import,
            written: &written,
            others: found.others,
        };
        self.telling.tell(&report, &written, &self.place)?;
        Ok(match (import.is_whole(), self.strict) {
            (true, _) => Exit::Done,
            (false, true) => Exit::No,
            (false, false) => Exit::InPart,
        })
    }

    /// The Secrets that are to be filled in, in the namespace of those that refer to them.
    fn secrets(&self, import: &foreign::Import) -> Result<Option<(PathBuf, String)>, String> {
        let Some(file) = &self.secrets_file else {
            return Ok(None);
        };
        let mut by_namespace: BTreeMap<Option<&str>, Vec<&SecretKeyRef>> = BTreeMap::new();
        for made in &import.made {
            let own = made.resource.namespace.as_deref();
            by_namespace
                .entry(own)
                .or_default()
                .extend(&made.resource.secrets);
        }
        let none = BTreeMap::new();
        let (values, above) = if self.keep_secrets {
            (&import.values, KEPT)
        } else {
            (&none, EMPTY)
        };
        let mut all = String::new();
        for (namespace, references) in by_namespace {
            all.extend(written::secrets(
                references.into_iter(),
                values,
                namespace,
                above,
            )?);
        }
        Ok((!all.is_empty()).then(|| (file.clone(), all)))
    }
}
