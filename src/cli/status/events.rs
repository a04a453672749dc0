//! `alertwright events`: what happened lately to resources, and to workloads that have a maintenance.

use std::collections::BTreeSet;
use std::io;

use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, ResourceExt};
use serde_json::json;
use tokio::signal::ctrl_c;

use super::super::common::color::Colors;
use super::super::common::connect::{Cluster, Scope, Whole, kind, wait};
use super::super::common::dns;
use super::super::common::document::{as_json, as_yaml};
use super::super::common::exit::{self, Exit};
use super::super::common::moments::ago;
use super::super::common::names;
use super::super::common::print::{API_VERSION, note, print};
use super::super::common::terminal::{Look, Paint};
use super::view::{gone, handed};
use crate::api::{FIELD_MANAGER, GROUP};
use crate::cluster::answer::chain;

/// How many events are listed at a time.
const PAGE: u32 = 500;

/// Workloads by the short names that kubectl has for them.
const WORKLOADS: [(&str, &str); 5] = [
    ("deploy", "deployment"),
    ("sts", "statefulset"),
    ("ds", "daemonset"),
    ("cj", "cronjob"),
    ("ro", "rollout"),
];

/// Show what happened lately to alertwright's resources, and to workloads that have a maintenance, the newest last.
///
/// Of a workload that the operator has said something of lately, all events are shown: how the rollout went, and what was silenced for it.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright events -A --types Warning\n  alertwright events -n revel --for AlertRule/high-error-rate\n  alertwright events -n revel --for deployment/web -w\n\n{}, 130 interrupted.", exit::HELP_WITHOUT_NO.trim_end_matches('.')))]
pub(in super::super) struct Events {
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    whole: Whole,
    /// Only of this one: a resource, or a workload such as deployment/web.
    #[arg(long = "for", value_name = "KIND/NAME", value_parser = named, add = names::of_any_kind())]
    about: Option<(String, String)>,
    /// Only of these types: Normal, Warning.
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    types: Vec<String>,
    /// Go on, and print each as it happens.
    #[arg(short, long, conflicts_with = "output")]
    watch: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
    /// Nothing but the events: no notes.
    #[arg(short, long)]
    quiet: bool,
}

/// How events are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each.
    Table,
    /// The same, however wide the terminal is.
    Wide,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
}

/// A kind in lower case and a name, as people write them.
fn named(text: &str) -> Result<(String, String), String> {
    let Some((word, name)) = text.split_once('/').filter(|(_, name)| !name.is_empty()) else {
        return Err("write one such as AlertRule/high-error-rate or deployment/web".to_owned());
    };
    let plain = word.to_ascii_lowercase();
    let of_ours = kind(word)
        .ok()
        .map(|kind| kind.resource.kind.to_ascii_lowercase());
    let short = WORKLOADS
        .iter()
        .find(|(short, _)| *short == plain)
        .map(|(_, long)| (*long).to_owned());
    let plural = || plain.strip_suffix('s').unwrap_or(&plain).to_owned();
    Ok((of_ours.or(short).unwrap_or_else(plural), dns::name(name)?))
}

/// Of what events are asked for.
struct Asked<'a> {
    about: Option<&'a (String, String)>,
    types: &'a [String],
    /// What the operator has said something of.
    told: BTreeSet<(String, String, String)>,
}

fn regarding(event: &Event) -> (String, String, String) {
    let about = event.regarding.clone().unwrap_or_default();
    (
        about.namespace.or_else(|| event.namespace()).unwrap_or_default(),
        about.kind.unwrap_or_default().to_ascii_lowercase(),
        about.name.unwrap_or_default(),
    )
}

impl Asked<'_> {
    /// Learns what the operator speaks of.
    fn learn(&mut self, event: &Event) {
        if event.reporting_controller.as_deref() == Some(FIELD_MANAGER) {
            self.told.insert(regarding(event));
        }
    }

    /// Whether an event is asked for.
    fn has(&self, event: &Event) -> bool {
        let version = event
            .regarding
            .as_ref()
            .and_then(|about| about.api_version.as_deref());
        let is_ours = version.is_some_and(|version| version.split('/').next() == Some(GROUP));
        let about = regarding(event);
        let is_meant = self
            .about
            .is_none_or(|(kind, name)| *kind == about.1 && *name == about.2);
        let type_ = event.type_.as_deref().unwrap_or_default();
        let is_type =
            self.types.is_empty() || self.types.iter().any(|asked| asked.eq_ignore_ascii_case(type_));
        is_meant && is_type && (is_ours || self.told.contains(&about))
    }
}

/// When something happened last.
fn last(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().map(|series| series.last_observed_time.0);
    let once = event.event_time.as_ref().map(|time| time.0);
    let older = event.deprecated_last_timestamp.as_ref().map(|time| time.0);
    let made = event.metadata.creation_timestamp.as_ref().map(|time| time.0);
    series.or(once).or(older).or(made)
}

/// Those that are asked for, the newest last.
fn chosen<'a>(all: &'a [Event], asked: &mut Asked<'_>) -> Vec<&'a Event> {
    for event in all {
        asked.learn(event);
    }
    let mut chosen: Vec<&Event> = all.iter().filter(|event| asked.has(event)).collect();
    chosen.sort_by_key(|event| (last(event), event.name_any()));
    chosen
}

impl Events {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let cluster = self.cluster.connect(&Scope::default()).await?;
        let api: Api<Event> = if self.whole.all_namespaces {
            Api::all(cluster.client.clone())
        } else {
            Api::namespaced(cluster.client.clone(), &cluster.namespace)
        };
        let mut asked = Asked {
            about: self.about.as_ref(),
            types: &self.types,
            told: BTreeSet::new(),
        };
        if self.watch {
            return self.follow(api, &mut asked).await;
        }
        let all = list(&api).await?;
        let chosen = chosen(&all, &mut asked);
        if chosen.is_empty() && !self.whole.all_namespaces {
            cluster.check_namespace(&cluster.namespace).await?;
        }
        match self.output {
            Output::Json => return print(&json(&chosen)).map(|()| Exit::Done),
            Output::Yaml => return print(&as_yaml(&json(&chosen))?).map(|()| Exit::Done),
            Output::Table | Output::Wide => {}
        }
        if chosen.is_empty() {
            self.note(
                "there are no such events: the API server keeps them for an hour, if nothing else is set",
            );
            return Ok(Exit::Done);
        }
        let rows: Vec<Vec<String>> = chosen
            .iter()
            .map(|event| self.row(event, Timestamp::now()))
            .collect();
        let mut titles = vec!["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        if self.whole.all_namespaces {
            titles.insert(0, "NAMESPACE");
        }
        let look = Look::of_output(self.colors.color, self.output == Output::Wide);
        let paint = |row: usize, column: usize| rows.get(row).and_then(|row| paint(row, column));
        print(&look.table(&titles, &rows, !self.no_headers, &paint))?;
        Ok(Exit::Done)
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            note(text);
        }
    }

    fn row(&self, event: &Event, now: Timestamp) -> Vec<String> {
        let (namespace, kind, name) = regarding(event);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let message = text(&event.note);
        let mut row = vec![
            ago(last(event), now),
            text(&event.type_),
            text(&event.reason),
            format!("{kind}/{name}"),
            message.split_whitespace().collect::<Vec<_>>().join(" "),
        ];
        if self.whole.all_namespaces {
            row.insert(0, namespace);
        }
        row
    }

    /// Prints what there is, and then each as it happens.
    async fn follow(&self, api: Api<Event>, asked: &mut Asked<'_>) -> Result<Exit, String> {
        let mut news = watcher(api, watcher::Config::default()).default_backoff().boxed();
        let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
        let mut listed = Vec::new();
        let mut interrupted = std::pin::pin!(ctrl_c());
        let mut gone = std::pin::pin!(gone(io::stdout()));
        loop {
            let told = tokio::select! {
                _ = &mut interrupted => return Ok(Exit::Interrupted),
                () = &mut gone => return Ok(Exit::Done),
                Some(told) = news.next() => told,
            };
            let new = match told {
                Ok(watcher::Event::Init) => {
                    listed.clear();
                    continue;
                }
                Ok(watcher::Event::InitApply(event)) => {
                    listed.push(event);
                    continue;
                }
                Ok(watcher::Event::InitDone) => std::mem::take(&mut listed),
                Ok(watcher::Event::Apply(event)) => vec![event],
                Ok(watcher::Event::Delete(_)) => continue,
                Err(error) => {
                    self.note(&format!(
                        "events can't be watched for the moment: {}",
                        chain(&error)
                    ));
                    continue;
                }
            };
            for event in chosen(&new, asked) {
                let version = event.resource_version().unwrap_or_default();
                let line = self.line(event, Timestamp::now());
                // Nobody reads what comes after that which nobody has read.
                if seen.insert((event.uid().unwrap_or_default(), version))
                    && !handed(&mut io::stdout().lock(), &line)?
                {
                    return Ok(Exit::Done);
                }
            }
        }
    }

    /// An event of which it isn't known how wide the next one will be.
    fn line(&self, event: &Event, now: Timestamp) -> String {
        let row = self.row(event, now);
        let widths: &[usize] = if self.whole.all_namespaces {
            &[16, 9, 7, 18, 36]
        } else {
            &[9, 7, 18, 36]
        };
        Look::of_output(self.colors.color, true).row(&row, widths, &|column| paint(&row, column))
    }
}

/// What says that something is wrong stands out.
fn paint(row: &[String], column: usize) -> Option<Paint> {
    let is_warning = row.get(column).is_some_and(|cell| cell == "Warning");
    is_warning.then_some(Paint::Yellow)
}

async fn list(api: &Api<Event>) -> Result<Vec<Event>, String> {
    let mut parameters = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = api.list(&parameters).await;
        let page = page.map_err(|e| format!("cannot list events: {}", chain(&e)))?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => parameters = parameters.continue_token(&token),
            None => return Ok(all),
        }
    }
}

fn json(all: &[&Event]) -> String {
    let one = |event: &&Event| {
        let (namespace, kind, name) = regarding(event);
        json!({
            "lastSeen": last(event), "type": event.type_, "reason": event.reason, "message": event.note,
            "namespace": namespace, "kind": kind, "name": name, "by": event.reporting_controller,
        })
    };
    let events: Vec<_> = all.iter().map(one).collect();
    let document = json!({"apiVersion": API_VERSION, "kind": "EventList", "events": events});
    as_json(&document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(by: &str, version: &str, about: &str, at: u32, type_: &str) -> Event {
        let (kind, name) = about.split_once('/').unwrap();
        serde_json::from_value(json!({
            "metadata": {"namespace": "revel", "name": format!("{name}.{at}")}, "type": type_, "reason": "R", "note": about, "reportingController": by,
            "eventTime": format!("2026-11-27T21:00:{at:02}.000000Z"),
            "regarding": {"apiVersion": version, "kind": kind, "name": name, "namespace": "revel"},
        }))
        .unwrap()
    }

    #[allow(clippy::needless_pass_by_value, reason = "tests read better so")]
    fn notes(about: Option<(String, String)>, types: &[&str]) -> Vec<String> {
        let ours = "alerting.letsrevel.io/v1alpha1";
        let all = [
            event("alertwright", "apps/v1", "Deployment/web", 9, "Normal"),
            event("deployment-controller", "apps/v1", "Deployment/web", 3, "Normal"),
            event(
                "deployment-controller",
                "apps/v1",
                "Deployment/other",
                4,
                "Warning",
            ),
            event("somebody", ours, "AlertRule/web", 1, "Warning"),
        ];
        let types: Vec<String> = types.iter().map(|type_| (*type_).to_owned()).collect();
        let mut asked = Asked {
            about: about.as_ref(),
            types: &types,
            told: BTreeSet::new(),
        };
        let chosen = chosen(&all, &mut asked);
        chosen
            .iter()
            .map(|event| format!("{} {}", event.note.as_deref().unwrap(), last(event).unwrap()))
            .collect()
    }

    #[test]
    fn events_are_those_of_our_kinds_and_of_workloads_that_the_operator_speaks_of() {
        let at = |about: &str, second: u32| format!("{about} 2026-11-27T21:00:0{second}Z");
        let (rule, began, silenced) = (
            at("AlertRule/web", 1),
            at("Deployment/web", 3),
            at("Deployment/web", 9),
        );
        assert_eq!(notes(None, &[]), [rule.clone(), began.clone(), silenced.clone()]);
        assert_eq!(notes(None, &["warning"]), std::slice::from_ref(&rule));
        assert_eq!(notes(named("deploy/web").ok(), &[]), [began, silenced]);
        assert_eq!(notes(named("arule/web").ok(), &[]), [rule]);
        assert!(
            named("deployments/web") == Ok(("deployment".to_owned(), "web".to_owned()))
                && named("web").is_err()
        );
    }
}
