//! The Silences there are.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::common::color::Colors;
use super::super::common::connect::{Cluster, Scope, wait};
use super::super::common::document::{as_json, as_yaml};
use super::super::common::exit::{self, Exit};
use super::super::common::print::{API_VERSION, note, print};
use super::super::common::terminal::{Look, Paint};
use super::text;
use crate::api::Silence;
use crate::api::duration::Duration;
use crate::api::silence::{ACTIVE, EXPIRED, PENDING};
use crate::controller::engine::managed::Managed;

/// Show the Silences of the cluster, those that end first on top.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright silence list\n  alertwright silence list -A --within 8h\n  alertwright silence list -n revel --expired -o json\n\n{}", exit::HELP_WITHOUT_NO))]
pub(super) struct List {
    /// Only those that end within this time from now, such as 8h.
    #[arg(long, value_name = "DURATION")]
    within: Option<Duration>,
    /// Those that have ended too.
    #[arg(long)]
    expired: bool,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    scope: Scope,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
    /// Nothing but the Silences: no notes.
    #[arg(short, long)]
    quiet: bool,
}

/// How Silences are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each.
    Table,
    /// The same with when each began, and which alerts it is of.
    Wide,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
    /// Their names, as `kubectl delete` takes them.
    Name,
}

impl List {
    pub(super) fn execute(self) -> Result<Exit, String> {
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let within = self.within.as_ref().map(Duration::checked).transpose();
        let within = within.map_err(|e| e.to_string())?;
        let within = within.map(|length| SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX));
        let connected = self.cluster.connect(&self.scope).await?;
        let all = if self.scope.whole.all_namespaces {
            connected.list::<Silence>().await?
        } else {
            connected.list_in::<Silence>(&connected.namespace).await?
        };
        let now = Timestamp::now();
        let shown = chosen(all, self.expired, within, now);
        print(&match self.output {
            Output::Table | Output::Wide if shown.is_empty() => String::new(),
            Output::Table | Output::Wide => {
                let manner = Manner {
                    with_namespaces: self.scope.whole.all_namespaces,
                    is_wide: self.output == Output::Wide,
                    has_titles: !self.no_headers,
                    look: Look::of_output(self.colors.color, self.output == Output::Wide),
                };
                lines(&shown, manner, now)
            }
            Output::Name => {
                let names = shown.iter().map(|silence| format!("silence/{}\n", silence.id()));
                names.collect::<Vec<_>>().concat()
            }
            Output::Json => document(&shown),
            Output::Yaml => as_yaml(&document(&shown))?,
        })?;
        if shown.is_empty() && !self.scope.whole.all_namespaces {
            connected.check_namespace(&connected.namespace).await?;
        }
        if shown.is_empty() && matches!(self.output, Output::Table | Output::Wide) && !self.quiet {
            note(&none(
                (!self.scope.whole.all_namespaces).then_some(connected.namespace.as_str()),
            ));
        }
        Ok(Exit::Done)
    }
}

/// What is said where there is none.
fn none(namespace: Option<&str>) -> String {
    let within = namespace.map_or_else(String::new, |namespace| format!(" in namespace {namespace}"));
    format!("no Silences{within}; silences made in Grafana aren't looked at")
}

/// When one ends, as far as is known.
fn end(silence: &Silence) -> Option<Timestamp> {
    let told = silence.status.as_ref().and_then(|status| status.ends_at.as_ref());
    told.or(silence.spec.ends_at.as_ref()).map(|time| time.0)
}

/// Those that are asked for, those that end first on top.
fn chosen(
    all: Vec<Silence>,
    with_expired: bool,
    within: Option<SignedDuration>,
    now: Timestamp,
) -> Vec<Silence> {
    let is_over = |silence: &Silence| {
        let state = silence.status.as_ref().and_then(|status| status.state.as_deref());
        state == Some(EXPIRED) || end(silence).is_some_and(|end| end <= now)
    };
    let is_soon = |silence: &Silence| {
        let last = within.map(|within| now.saturating_add(within).unwrap_or(Timestamp::MAX));
        last.is_none_or(|last| end(silence).is_some_and(|end| end <= last))
    };
    let mut chosen: Vec<Silence> = all
        .into_iter()
        .filter(|silence| (with_expired || !is_over(silence)) && is_soon(silence))
        .collect();
    chosen.sort_by_key(|silence| {
        (
            end(silence).is_none(),
            end(silence),
            silence.ns().to_owned(),
            silence.id().to_owned(),
        )
    });
    chosen
}

fn document(shown: &[Silence]) -> String {
    let one = |silence: &Silence| {
        json!({
            "namespace": silence.ns(),
            "name": silence.id(),
            "spec": silence.spec,
            "status": silence.status,
        })
    };
    let silences: Vec<_> = shown.iter().map(one).collect();
    let document = json!({"apiVersion": API_VERSION, "kind": "SilenceList", "silences": silences});
    as_json(&document)
}

/// How lines are written.
#[derive(Debug, Clone, Copy)]
struct Manner {
    with_namespaces: bool,
    is_wide: bool,
    has_titles: bool,
    look: Look,
}

/// Which alerts one is of: those of its rules, and with its matchers.
fn of(silence: &Silence) -> String {
    let spec = &silence.spec;
    let rules = spec.alert_rules.as_ref().map(|rules| {
        let labels = rules.match_labels.iter();
        let labels = labels.map(|(label, value)| format!("rules with {label}={value}"));
        let all = rules.all.map(|_| "all rules".to_owned());
        let each = rules.names.iter().cloned().chain(labels).chain(all);
        each.collect::<Vec<_>>().join(", ")
    });
    let matchers = spec.matchers.iter().map(|matcher| matcher.as_str().to_owned());
    let all: Vec<String> = rules.into_iter().chain(matchers).collect();
    all.join(", ")
}

fn lines(shown: &[Silence], manner: Manner, now: Timestamp) -> String {
    let count = |count: Option<i64>| count.map_or_else(|| "–".to_owned(), |count| count.to_string());
    let rows: Vec<Vec<String>> = shown
        .iter()
        .map(|silence| {
            let status = silence.status.clone().unwrap_or_default();
            let name = if manner.with_namespaces {
                format!("{}/{}", silence.ns(), silence.id())
            } else {
                silence.id().to_owned()
            };
            let moment =
                |moment: Option<Timestamp>| moment.map_or_else(|| "–".to_owned(), |at| text::moment(at, now));
            let mut row = vec![
                name,
                silence.instance().to_owned(),
                status.state.unwrap_or_else(|| "–".to_owned()),
                moment(end(silence)),
                count(status.matches_rules),
                count(status.matches_alerts),
                silence.spec.comment.clone().unwrap_or_default(),
            ];
            if manner.is_wide {
                let begin = status.starts_at.as_ref().or(silence.spec.starts_at.as_ref());
                row.insert(3, moment(begin.map(|time| time.0)));
                row.insert(7, of(silence));
            }
            row
        })
        .collect();
    let mut titles = vec!["NAME", "INSTANCE", "STATE", "ENDS", "RULES", "ALERTS", "COMMENT"];
    if manner.is_wide {
        titles.insert(3, "STARTS");
        titles.insert(7, "OF");
    }
    let paint = |row: usize, column: usize| match rows.get(row)?.get(column)?.as_str() {
        _ if column != 2 => None,
        ACTIVE => Some(Paint::Green),
        PENDING => Some(Paint::Yellow),
        _ => Some(Paint::Dim),
    };
    manner.look.table(&titles, &rows, manner.has_titles, &paint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(name: &str, state: &str, ends: &str) -> Silence {
        let object = json!({
            "metadata": {"name": name, "namespace": "revel"}, "spec": {"comment": "a\u{1b}[31m"},
            "status": {"state": state, "endsAt": ends},
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn where_there_is_none_it_is_said_where_and_of_what() {
        assert_eq!(
            none(None),
            "no Silences; silences made in Grafana aren't looked at"
        );
        assert!(none(Some("revel")).starts_with("no Silences in namespace revel; "));
    }

    #[test]
    fn those_that_end_first_are_on_top_and_those_that_have_ended_only_where_they_are_asked_for() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let all = || {
            vec![
                silence("late", "Active", "2026-11-28T12:00:00Z"),
                silence("soon", "Pending", "2026-11-27T13:00:00Z"),
                silence("ended", "Expired", "2026-11-27T13:00:00Z"),
                silence("over", "Active", "2026-11-27T11:00:00Z"),
            ]
        };
        let names = |expired, within: Option<i64>| {
            let within = within.map(SignedDuration::from_hours);
            let chosen = chosen(all(), expired, within, now);
            chosen
                .iter()
                .map(|silence| silence.id().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(false, None), ["soon", "late"]);
        assert_eq!(names(false, Some(8)), ["soon"]);
        assert_eq!(names(true, None), ["over", "ended", "soon", "late"]);
    }

    #[test]
    fn no_comment_can_send_commands_to_a_terminal_and_each_grafana_is_named() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let mut of_stage = silence("t", "Active", "2026-11-27T13:00:00Z");
        of_stage.spec.instance = Some("stage".to_owned());
        let all = [silence("s", "Active", "2026-11-27T13:00:00Z"), of_stage];
        let manner = Manner {
            with_namespaces: false,
            is_wide: false,
            has_titles: true,
            look: Look::default(),
        };
        let text = lines(&all, manner, now);
        assert_eq!(
            text,
            "NAME  INSTANCE  STATE   ENDS       RULES  ALERTS  COMMENT\ns     default   Active  13:00 UTC  –      –       a\u{fffd}[31m\nt     stage     Active  13:00 UTC  –      –       a\u{fffd}[31m\n"
        );
    }

    #[test]
    fn widely_it_is_said_when_one_begins_and_of_which_alerts_it_is() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let object = json!({
            "metadata": {"name": "s", "namespace": "revel"},
            "spec": {"alertRules": {"names": ["a", "b"]}, "matchers": ["team=web"], "startsAt": "2026-11-27T11:00:00Z", "comment": "why"},
            "status": {"state": "Active", "endsAt": "2026-11-27T13:00:00Z", "matchesRules": 2},
        });
        let manner = Manner {
            with_namespaces: true,
            is_wide: true,
            has_titles: true,
            look: Look::default(),
        };
        assert_eq!(
            lines(&[serde_json::from_value(object).unwrap()], manner, now),
            "NAME     INSTANCE  STATE   STARTS     ENDS       RULES  ALERTS  OF              COMMENT\nrevel/s  default   Active  11:00 UTC  13:00 UTC  2      –       a, b, team=web  why\n"
        );
    }
}
