//! `alertwright check`: whether manifests are right, without a Grafana, and without a cluster unless somebody asks for one.

mod github;
mod json;
mod junit;
mod list;
mod quick;
mod report;
mod sarif;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use jiff::Timestamp;

use super::common::color::Color;
use super::common::connect::{Beside, wait};
use super::common::dns;
use super::common::exit::{self, Exit};
use super::common::files::zones;
use super::common::files::{self, Files};
use super::common::print::{note, print, wrong};
use crate::domain::lint::finding::{Finding, Level, RULES, rule};
use crate::domain::lint::near::nearest;
use crate::domain::lint::object::{Object, Typed};
use crate::domain::lint::options::Options;
use crate::domain::lint::schema::Schemas;
use crate::domain::lint::standing::Standing;
use crate::domain::lint::{across, each};
use crate::domain::version::Version;
use report::Report;

/// Check manifests: what the API server, the operator or Grafana would refuse, and what is probably not meant.
///
/// It needs no cluster and no Grafana; with --with-cluster the cluster's resources count too. Resources of other groups are passed over, so whatever is applied can be checked as it is. What it finds and
/// why is told in docs/lints.md; the annotation `alerting.letsrevel.io/lint-disable` of a resource switches rules off for it.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright check -f alerting/ -R\n  kustomize build . | alertwright check -f -\n  helm template . | alertwright check --grafana-version 11.6 -f -\n  alertwright check -f alerting/ --fail-on warning -o github\n  alertwright check -n revel -f alerting/ --with-cluster\n\n{}", exit::HELP_IN_PART))]
pub(super) struct Check {
    #[command(flatten)]
    files: Files,
    /// The same, without -f.
    #[arg(value_name = "FILE", id = "FILES")]
    others: Vec<PathBuf>,
    /// The namespace of resources that name none. Default: one without a name, in which all of them are; with --with-cluster that of the context.
    #[arg(short, long, value_parser = dns::namespace)]
    namespace: Option<String>,
    /// The cluster's resources count too: what the files refer to may be there, and what only one can have may be taken. Nothing is written, and no
    /// Secret is read.
    #[arg(long)]
    with_cluster: bool,
    #[command(flatten)]
    cluster: Beside,
    /// Which rules to look for besides errors: `all`, `none`, or their names, comma separated.
    #[arg(long, value_name = "RULES", default_value = "all", value_delimiter = ',')]
    lint: Vec<String>,
    /// A rule that isn't looked for. May be given more often, or comma separated.
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    disable: Vec<String>,
    /// From which level on what is found makes the exit code 1.
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Error)]
    fail_on: FailOn,
    /// The Grafana that the resources are for, for example 11.6. Default: the newest; with --with-cluster that of their GrafanaInstance.
    #[arg(long, value_name = "VERSION", value_parser = version)]
    grafana_version: Option<Version>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// When there are colours.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
    /// Nothing but what is found: no counts.
    #[arg(short, long)]
    quiet: bool,
    /// Print all rules with their levels, and check nothing.
    #[arg(long)]
    list: bool,
}

/// From which level on the answer is no.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum FailOn {
    Error,
    Warning,
    Info,
}

impl FailOn {
    const fn level(self) -> Level {
        match self {
            Self::Error => Level::Error,
            Self::Warning => Level::Warning,
            Self::Info => Level::Info,
        }
    }
}

/// How what is found is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// For people, with the lines that are meant.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, as code scanning reads it.
    Sarif,
    /// Commands of GitHub's workflows, which show each at its line.
    Github,
    /// `JUnit`'s XML, a test for each resource.
    Junit,
}

fn version(text: &str) -> Result<Version, String> {
    let wrong = || format!("{text:?} is no version; write one such as 11.6");
    let plain = text
        .trim_start_matches('v')
        .split(['-', '+'])
        .next()
        .unwrap_or_default();
    // Grafana's own parser of what servers say takes what begins like one.
    if plain.split('.').any(|part| part.parse::<u32>().is_err()) || plain.split('.').count() > 3 {
        return Err(wrong());
    }
    let version = Version::parse(text).ok_or_else(wrong)?;
    if version < Version::OLDEST {
        return Err(format!(
            "Grafana {text} is older than the oldest that is supported, {}",
            Version::OLDEST
        ));
    }
    Ok(version)
}

impl Check {
    pub(super) fn execute(self) -> Result<Exit, String> {
        if self.list {
            return print(&list::rules()).map(|()| Exit::Done);
        }
        if !self.files.are_named() && self.others.is_empty() {
            wrong("no files are named: give some with -f, or - for standard input");
        }
        if !self.with_cluster && self.cluster.is_named() {
            wrong("--kubeconfig and --context are for the cluster, which is asked with --with-cluster alone");
        }
        let mut options = self.options();
        let sources = self.files.read(&self.others)?;
        let of = |namespace: &str| files::resources(&sources, namespace);
        let mut quick_ones = BTreeSet::new();
        let (read, standing, is_blind) = if self.with_cluster {
            wait(self.beside(of, &mut options, &mut quick_ones))?
        } else {
            let read = of(self.namespace.as_deref().unwrap_or_default());
            (read, Standing::default(), false)
        };
        let (mut findings, unseen) = check(&read.objects, &standing, &options);
        findings.retain(|finding| !quick::is_proved_wrong(finding, &read.objects, &quick_ones));
        let beside = self.with_cluster.then(|| standing.len());
        let report = Report::new(&sources, &read, findings, (unseen, beside), &options);
        let color = self.color.is_on(&io::stdout());
        print(&match self.output {
            Output::Text => text::all(&report, color),
            Output::Json => json::all(&report),
            Output::Sarif => sarif::all(&report),
            Output::Github => github::all(&report),
            Output::Junit => junit::all(&report, self.fail_on.level()),
        })?;
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{}", report.counts());
        }
        let is_bad = report.worst().is_some_and(|worst| worst >= self.fail_on.level());
        Ok(match is_bad {
            true => Exit::No,
            // What may not be read may not be there.
            false if is_blind || self.with_cluster && unseen > 0 => Exit::InPart,
            false => Exit::Done,
        })
    }

    /// The resources, read by their namespace, and what stands in the cluster beside them, with the Grafanas that it has. Whether these can't be read.
    async fn beside(
        &self,
        read: impl FnOnce(&str) -> files::Resources,
        options: &mut Options,
        quick_ones: &mut BTreeSet<String>,
    ) -> Result<(files::Resources, Standing, bool), String> {
        let cluster = self.cluster.connect(self.namespace.as_deref()).await?;
        let there = cluster.resources(Some(&cluster.namespace)).await?;
        if !self.quiet {
            there.notes.iter().for_each(|text| note(text));
        }
        // What is said by hand isn't asked of them.
        let is_blind = self.grafana_version.is_none() && there.lacks("GrafanaInstance");
        if is_blind && !self.quiet {
            note(
                "which Grafanas there are isn't known, so what their versions lack isn't looked for: name one with --grafana-version",
            );
        }
        let objects = there.objects();
        options.versions = versions(&objects);
        *quick_ones = quick::instances(&objects);
        let read = read(&cluster.namespace);
        let standing = Standing::new(&read.objects, objects, there.known());
        Ok((read, standing, is_blind))
    }

    fn options(&self) -> Options {
        let asked = match self.lint.as_slice() {
            [all] if all == "all" => None,
            [none] if none == "none" => Some(BTreeSet::new()),
            names => Some(named(names)),
        };
        Options {
            version: self.grafana_version,
            versions: BTreeMap::new(),
            asked,
            disabled: named(&self.disable),
            now: Timestamp::now(),
            zones: zones::names(),
        }
    }
}

/// The rules of these names, which people may have written wrong.
fn named(names: &[String]) -> BTreeSet<&'static str> {
    names
        .iter()
        .map(|name| {
            let Some(rule) = rule(name) else {
                let near = nearest(name, RULES.iter().map(|rule| rule.name));
                let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                wrong(&format!("there is no rule {name}{near} (--list prints them all)"));
            };
            rule.name
        })
        .collect()
}

/// The Grafana of each GrafanaInstance, as its status says.
fn versions(objects: &[Object]) -> BTreeMap<String, Version> {
    let version = |object: &Object| match &object.typed {
        Some(Typed::GrafanaInstance(instance)) => {
            let version = instance.status.as_ref()?.version.as_deref()?;
            Some((object.name.clone(), Version::parse(version)?))
        }
        _ => None,
    };
    objects.iter().filter_map(version).collect()
}

/// Checks all resources, each by itself and all together, on as many processors as there are.
fn check(objects: &[Object], standing: &Standing, options: &Options) -> (Vec<Finding>, usize) {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    // Schemas and their rules are read for each worker.
    let size = objects.len().div_ceil(workers).max(200);
    let of_part = |(part, objects): (usize, &[Object])| {
        let schemas = Schemas::default();
        let each = objects.iter().enumerate();
        let found = each.flat_map(|(i, object)| self::each(part * size + i, object, &schemas, options));
        found.collect::<Vec<_>>()
    };
    let mut found = Vec::new();
    thread::scope(|scope| {
        let mut parts = objects.chunks(size).enumerate();
        let own = parts.next();
        let others: Vec<_> = parts.map(|part| scope.spawn(move || of_part(part))).collect();
        found.extend(own.into_iter().flat_map(of_part));
        for other in others {
            match other.join() {
                Ok(part) => found.extend(part),
                // What wasn't looked at mustn't pass for right.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    let (between, unseen) = across(objects, standing, options);
    found.extend(between);
    (found, unseen)
}
