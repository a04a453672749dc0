//! `alertwright test contact-point`: whether a contact point delivers.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use kube::Api;
use serde_json::json;

use super::super::common::color::Colors;
use super::super::common::connect::{Cluster, Connected, INSTANCE, Reached, Scope, ToGrafana, wait};
use super::super::common::dns;
use super::super::common::document;
use super::super::common::exit::{self, Exit};
use super::super::common::names;
use super::super::common::print::{API_VERSION, columns, harmless, note, padded, print, wrong};
use super::super::common::terminal::{Look, Paint};
use super::super::route::{label, pair, refuse_twice};
use super::lacking::{exit_code, lacking, unconnected};
use crate::api::ContactPoint;
use crate::cluster::answer::chain;
use crate::domain::notification::contact_point;
use crate::domain::ownership::Owner;
use crate::grafana::api::testing::TestAlert;
use crate::grafana::error::{redacted, steady};
use crate::grafana::model::Integration;
use crate::grafana::{Class, Error};

/// Send a test alert through a contact point, one integration after the other.
///
/// Grafana sends it, with the secrets that it holds: nobody needs the Secret. The alert says that it is a test and who sent it. Nothing in Grafana and the
/// cluster changes. It needs the right to test contact points, which Editors have.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright test contact-point -n revel pagerduty-oncall\n  alertwright test contact-point -n revel pagerduty-oncall --integration 2 --labels severity=critical,team=payments\n  alertwright test contact-point --in-grafana \"On call\" --dry-run\n\n{}", exit::HELP_IN_PART), mut_arg("instance", |argument| argument.help(INSTANCE)))]
pub(in super::super) struct TestContactPoint {
    /// The ContactPoint.
    #[arg(value_name = "NAME", add = names::of("ContactPoint"))]
    name: String,
    /// NAME is that of a contact point in Grafana, whoever made it, and not that of a resource.
    #[arg(long)]
    in_grafana: bool,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    grafana: ToGrafana,
    /// Labels of the alert, comma separated. Default: alertname=TestAlert, instance=Grafana.
    #[arg(long, value_name = "LABEL=VALUE", value_parser = label, value_delimiter = ',')]
    labels: Vec<(String, String)>,
    /// An annotation of the alert. May be given more often. Default: a summary that it is a test.
    #[arg(long, value_name = "NAME=TEXT", value_parser = pair)]
    annotation: Vec<(String, String)>,
    /// Only this integration, counted from 1 as the resource has them, or as Grafana lists them where there is none. Default: all.
    #[arg(long, value_name = "N")]
    integration: Option<usize>,
    /// Say what would be sent, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// Nothing but what became of each.
    #[arg(short, long)]
    quiet: bool,
}

/// How results are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each integration.
    Text,
    /// One JSON document.
    Json,
}

/// What became of one integration.
struct Outcome {
    place: usize,
    kind: String,
    /// `None` where nothing was sent.
    sent: Option<Sent>,
}

struct Sent {
    took: Duration,
    failure: Option<String>,
}

/// What became of all of them.
struct Tested {
    point: String,
    alert: TestAlert,
    outcomes: Vec<Outcome>,
    /// Why there is nothing to say of those that aren't among them.
    ended: Option<String>,
}

impl TestContactPoint {
    pub(super) fn execute(self) -> Result<Exit, String> {
        if self.integration == Some(0) {
            wrong("integrations are counted from 1");
        }
        dns::insist(&self.name, self.in_grafana);
        refuse_twice(&self.labels);
        let Tested {
            point,
            alert,
            outcomes,
            ended,
        } = wait(self.run())?;
        let failed = |one: &Outcome| one.sent.as_ref().is_some_and(|sent| sent.failure.is_some());
        let failures = outcomes.iter().filter(|one| failed(one)).count();
        print(&match self.output {
            Output::Text => text(&outcomes, Look::of_output(self.colors.color, true)),
            Output::Json => as_json(&point, &alert, &outcomes),
        })?;
        if !self.quiet {
            note(&if self.dry_run {
                format!("{}: nothing was sent", summary(&alert))
            } else {
                match (failures, ended.is_some()) {
                    (0, false) => format!("{point}: delivered"),
                    _ => format!("{point}: {failures} of {} failed", outcomes.len()),
                }
            });
        }
        if let Some(why) = &ended {
            note(why);
        }
        Ok(exit_code(failures, ended.is_some()))
    }

    async fn run(&self) -> Result<Tested, String> {
        // Grafana's own name of a contact point needs no cluster where Grafana is given.
        let cluster = if self.in_grafana && self.grafana.is_given() {
            None
        } else {
            let is_given = !self.in_grafana && self.grafana.is_given();
            let connected = self.cluster.connect(&Scope::default()).await;
            Some(connected.map_err(|why| unconnected(why, is_given))?)
        };
        let resource = match &cluster {
            Some(cluster) if !self.in_grafana => Some(self.declared(cluster).await?),
            _ => None,
        };
        let title = resource
            .as_ref()
            .map_or(self.name.as_str(), |point| {
                contact_point::name(&point.spec, &self.name)
            })
            .to_owned();
        let other = resource.as_ref().and_then(|point| {
            let first = point.spec.instances.iter().flatten().next();
            point.spec.instance.as_ref().or(first).cloned()
        });
        let other = other.filter(|_| self.grafana.instance.is_none());
        let reached = match other.map(|name| self.grafana.with_instance(&name)) {
            Some(to) => to.reach(cluster.as_ref(), None).await?,
            None => self.grafana.reach(cluster.as_ref(), None).await?,
        };
        let found = reached.grafana.contact_points.get(&title).await;
        let found =
            found.map_err(|e| format!("cannot read contact point {title}: {}", reached.whose.why(&e)))?;
        let Some(found) = found else {
            return Err(format!("Grafana has no contact point {title}"));
        };
        let mut integrations: Vec<&Integration> = found.object.integrations.iter().collect();
        // The older API lists them in an order of its own.
        if let (Some(point), Some(owner)) = (&resource, owner(&reached)) {
            let namespace = point.metadata.namespace.as_deref().unwrap_or_default();
            let uids = contact_point::decision::uids(&point.spec, &owner, namespace, &self.name);
            let place = |uid: &str| uids.iter().position(|own| own == uid).unwrap_or(usize::MAX);
            integrations.sort_by_key(|integration| place(&integration.uid));
        }
        let all: Vec<(usize, &Integration)> = (1..).zip(integrations).collect();
        let asked: Vec<_> = all
            .iter()
            .filter(|(place, _)| self.integration.is_none_or(|wished| wished == *place))
            .collect();
        if asked.is_empty() {
            return Err(lacking(&title, all.len(), self.integration));
        }
        let alert = self.alert(&title, &sender());
        let mut outcomes = Vec::new();
        let mut ended = None;
        for (place, integration) in asked {
            let sent = if self.dry_run {
                None
            } else {
                match send(&reached, &title, integration, &alert).await {
                    Ok(sent) => Some(sent),
                    Err(why) if outcomes.is_empty() => return Err(why),
                    // Somebody was told of those before: that must be known.
                    Err(why) => {
                        ended = Some(format!(
                            "{why}; nothing is known of integration {place}, and none behind it was tried"
                        ));
                        break;
                    }
                }
            };
            let kind = integration.r#type.clone();
            outcomes.push(Outcome {
                place: *place,
                kind,
                sent,
            });
        }
        Ok(Tested {
            point: title,
            alert,
            outcomes,
            ended,
        })
    }

    /// The resource.
    async fn declared(&self, cluster: &Connected) -> Result<ContactPoint, String> {
        let (namespace, name) = (&cluster.namespace, &self.name);
        let api: Api<ContactPoint> = Api::namespaced(cluster.client.clone(), namespace);
        let found = api.get_opt(name).await;
        let found =
            found.map_err(|e| format!("cannot read ContactPoint {namespace}/{name}: {}", chain(&e)))?;
        found.ok_or_else(|| {
            format!(
                "there is no ContactPoint {name} in namespace {namespace}; a contact point that somebody made in Grafana is meant with --in-grafana"
            )
        })
    }

    fn alert(&self, title: &str, sender: &str) -> TestAlert {
        let or = |given: &[(String, String)], usual: &[(&str, String)]| -> BTreeMap<String, String> {
            let usual = usual
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()));
            usual.chain(given.iter().cloned()).collect()
        };
        let labels = [
            ("alertname", "TestAlert".to_owned()),
            ("instance", "Grafana".to_owned()),
        ];
        let texts = [
            ("summary", format!("This is a test of contact point {title}")),
            (
                "description",
                format!("Sent by {sender} with alertwright test contact-point. Nothing is wrong."),
            ),
        ];
        let mut annotations = or(&self.annotation, &texts);
        // Whatever else is said.
        annotations.insert(
            "alertwright_test".to_owned(),
            format!("This is a test, sent by {sender}"),
        );
        TestAlert {
            labels: or(&self.labels, &labels),
            annotations,
        }
    }
}

/// Who has made the integrations of a resource.
fn owner(reached: &Reached) -> Option<Owner> {
    let status = reached.declared.as_ref()?.status.as_ref()?;
    Owner::parse(status.owner_id.as_deref()?)
}

/// Who sends it, as the machine knows them.
fn sender() -> String {
    let named = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .filter_map(|name| std::env::var(name).ok());
    let mut named = named.filter(|name| !name.is_empty());
    named.next().unwrap_or_else(|| "somebody".to_owned())
}

fn summary(alert: &TestAlert) -> String {
    let labels = alert.labels.iter().map(|(name, value)| format!("{name}={value}"));
    labels.collect::<Vec<_>>().join(" ")
}

async fn send(
    reached: &Reached,
    title: &str,
    integration: &Integration,
    alert: &TestAlert,
) -> Result<Sent, String> {
    let started = Instant::now();
    let tested = reached.grafana.testing.send(title, integration, alert).await;
    let waited = started.elapsed();
    let secrets = integration.sensitive_values();
    match tested {
        Ok(tested) => Ok(Sent {
            took: tested.took.unwrap_or(waited),
            failure: tested.failure.map(|said| told(&said, &secrets)),
        }),
        // Grafana refuses this integration; others may do.
        Err(error) if error.class() == Class::Rejected => Ok(Sent {
            took: waited,
            failure: Some(told(&said(&error), &secrets)),
        }),
        Err(error) => Err(format!(
            "cannot test contact point {title}: {}",
            told(&reached.whose.why(&error), &secrets)
        )),
    }
}

fn said(error: &Error) -> String {
    match error {
        Error::Status { status, message, .. } => format!("{status} {message}"),
        other => chain(other),
    }
}

/// Grafana's words without what may be secret: of an address its host is left.
fn told(said: &str, secrets: &[&str]) -> String {
    let hosts = steady::hosts_alone(said);
    hosts.map_or_else(|| "failed".to_owned(), |said| redacted(&said, secrets))
}

fn text(outcomes: &[Outcome], look: Look) -> String {
    let width = outcomes
        .iter()
        .map(|one| columns(&one.kind))
        .max()
        .unwrap_or_default();
    let mut out = String::new();
    for Outcome { kind, sent, .. } in outcomes {
        let (mark, paint, what) = match sent {
            None => ("–", Paint::Dim, "not sent".to_owned()),
            Some(Sent { failure: None, took }) => {
                ("✓", Paint::Green, format!("delivered in {}ms", took.as_millis()))
            }
            Some(Sent {
                failure: Some(why), ..
            }) => ("✗", Paint::Red, why.replace('\n', " ")),
        };
        let line = harmless(&format!("{}  {what}", padded(kind, width)));
        let _ = writeln!(out, "{} {line}", look.painted(mark, paint));
    }
    out
}

fn as_json(point: &str, alert: &TestAlert, outcomes: &[Outcome]) -> String {
    let all = outcomes.iter().map(|Outcome { place, kind, sent }| {
        json!({
            "integration": place, "type": kind, "sent": sent.is_some(),
            "delivered": sent.as_ref().map(|sent| sent.failure.is_none()),
            "milliseconds": sent.as_ref().map(|sent| u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX)),
            "failure": sent.as_ref().and_then(|sent| sent.failure.as_deref()),
        })
    });
    let all: Vec<_> = all.collect();
    document::as_json(&json!({
        "apiVersion": API_VERSION, "kind": "ContactPointTestReport", "contactPoint": point,
        "alert": {"labels": alert.labels, "annotations": alert.annotations}, "integrations": all,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(kind: &str, failure: Option<&str>) -> Outcome {
        Outcome {
            place: 1,
            kind: kind.to_owned(),
            sent: Some(Sent {
                took: Duration::from_millis(412),
                failure: failure.map(str::to_owned),
            }),
        }
    }

    #[test]
    fn each_integration_has_a_line_and_no_text_of_theirs_makes_another() {
        let outcomes = [
            outcome("slack", None),
            outcome("pagerduty", Some("400 invalid routing key\n\u{1b}[2J")),
            Outcome {
                place: 3,
                kind: "email".to_owned(),
                sent: None,
            },
        ];
        let expected = "✓ slack      delivered in 412ms\n✗ pagerduty  400 invalid routing key \u{fffd}[2J\n– email      not sent\n";
        assert_eq!(text(&outcomes, Look::default()), expected);
    }

    #[test]
    fn a_test_that_ends_before_all_were_tried_is_done_in_part() {
        assert!(matches!(exit_code(0, false), Exit::Done));
        assert!(matches!(exit_code(1, false), Exit::No));
        assert!(matches!(exit_code(0, true), Exit::InPart));
        assert!(matches!(exit_code(1, true), Exit::InPart));
    }

    #[test]
    fn what_grafana_repeats_of_addresses_and_settings_is_not_told() {
        let said = "Post \"https://hooks.slack.com/services/T0/B0/hunter2\": token-of-mine refused";
        let told = told(said, &["token-of-mine"]);
        assert!(
            told.contains("https://hooks.slack.com") && told.contains("refused"),
            "{told}"
        );
        assert!(
            !told.contains("hunter2") && !told.contains("token-of-mine"),
            "{told}"
        );
    }

    #[test]
    fn the_alert_says_that_it_is_a_test_and_who_sent_it_whatever_else_is_said() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            test: TestContactPoint,
        }
        let line = [
            "x",
            "team",
            "--labels",
            "severity=high,team=web",
            "--annotation",
            "summary=a, b",
        ];
        let test = <Line as clap::Parser>::parse_from(line).test;
        let alert = test.alert("Team", "ada");
        let labels = [
            ("alertname", "TestAlert"),
            ("instance", "Grafana"),
            ("severity", "high"),
            ("team", "web"),
        ];
        assert_eq!(
            alert.labels,
            labels
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        );
        assert_eq!(alert.annotations["summary"], "a, b");
        assert!(alert.annotations["alertwright_test"].contains("test, sent by ada"));
    }
}
