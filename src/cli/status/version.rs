//! `alertwright version`: who is who.

use serde_json::{Value, json};

use super::super::common::color::Colors;
use super::super::common::connect::{Anywhere, wait};
use super::super::common::document::{as_json, as_yaml};
use super::super::common::exit::Exit;
use super::super::common::print::{API_VERSION, harmless, note, print};
use super::super::common::terminal::{Look, Paint};
use super::operator::{Operator, operator};
use super::state::Part;
use crate::domain::lint::object::Object;

/// Print the versions of this program, of the operator in the cluster and of each GrafanaInstance's Grafana.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  alertwright version\n  alertwright version --client\n  alertwright version --operator-namespace alertwright-system -o json\n\nExit codes: 0 done, 2 wrong arguments, 4 done in part."
)]
pub(in super::super) struct Version {
    #[command(flatten)]
    cluster: Anywhere,
    /// Only of this program; no cluster is asked.
    #[arg(long)]
    client: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// Nothing but the versions: no notes.
    #[arg(short, long)]
    quiet: bool,
}

/// How it is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Lines for people.
    Text,
    /// The same, however wide the terminal is.
    Wide,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
}

/// What is said of a version that nobody has told.
const UNKNOWN: &str = "not known";

/// What is known of the cluster.
struct Found {
    operator: Operator,
    grafanas: Vec<[String; 3]>,
    /// Whether one may not look for the operator's Deployment.
    is_unseen: bool,
}

impl Version {
    pub(in super::super) fn execute(self) -> Result<Exit, String> {
        if self.client {
            return print(&self.said(None)?).map(|()| Exit::Done);
        }
        let found = wait(async {
            let cluster = self.cluster.connect().await?;
            let read = cluster.at_home().await?;
            read.notes.iter().for_each(|text| self.note(text));
            let is_partial = read.is_partial();
            let mut found = found(&read.objects());
            found.is_unseen = read.is_blind_to("Deployment");
            let is_partial = is_partial || found.is_unseen;
            Ok((found, is_partial))
        });
        // What is known without a cluster is printed all the same.
        print(&self.said(found.as_ref().ok().map(|(found, _)| found))?)?;
        Ok(match found {
            Ok((_, false)) => Exit::Done,
            Ok((_, true)) => Exit::InPart,
            Err(why) => {
                self.note(&why);
                Exit::InPart
            }
        })
    }

    fn said(&self, found: Option<&Found>) -> Result<String, String> {
        Ok(match self.output {
            Output::Text | Output::Wide => {
                let look = Look::of_output(self.colors.color, self.output == Output::Wide);
                text(found, look)
            }
            Output::Json => json(found),
            Output::Yaml => as_yaml(&json(found))?,
        })
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            note(text);
        }
    }
}

fn found(objects: &[Object]) -> Found {
    let instances = objects.iter().filter(|object| object.kind == "GrafanaInstance");
    let grafana = |object: &Object| {
        let status = Part::whole(object);
        let url = status.text("url").or_else(|| object.spec().get("url")?.as_str());
        [
            object.name.as_str(),
            status.text("version").unwrap_or(UNKNOWN),
            url.unwrap_or_default(),
        ]
        .map(str::to_owned)
    };
    Found {
        operator: operator(objects),
        grafanas: instances.map(grafana).collect(),
        is_unseen: false,
    }
}

/// The commit that this program was built from, where its build says so: of a checkout, or of sources without git in `ALERTWRIGHT_COMMIT`.
fn commit() -> Option<&'static str> {
    option_env!("ALERTWRIGHT_COMMIT").filter(|commit| !commit.is_empty())
}

/// This program, as a line says it.
fn client(commit: Option<&str>) -> String {
    let commit = commit.map_or_else(String::new, |commit| format!(", commit {commit}"));
    format!("{} {}{commit}", env!("CARGO_PKG_VERSION"), platform())
}

fn platform() -> String {
    format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH)
}

fn text(found: Option<&Found>, look: Look) -> String {
    let mut out = format!("CLIENT    {}\n", client(commit()));
    let Some(found) = found else {
        return out;
    };
    let operator = match (&found.operator.deployment, &found.operator.version) {
        (None, _) if found.is_unseen => "not known, for its Deployment can't be read".to_owned(),
        (None, _) => "no Deployment of it is seen".to_owned(),
        (Some(deployment), None) => format!("version not known, Deployment {deployment}"),
        (Some(deployment), Some(version)) => format!("{version}, Deployment {deployment}"),
    };
    out.push_str(&harmless(&format!("OPERATOR  {operator}")));
    out.push('\n');
    if !found.grafanas.is_empty() {
        let rows: Vec<Vec<String>> = found.grafanas.iter().map(|row| row.to_vec()).collect();
        out.push('\n');
        let is_known = |row: usize| {
            found
                .grafanas
                .get(row)
                .is_none_or(|[_, version, _]| version != UNKNOWN)
        };
        let paint = |row: usize, column: usize| (column == 1 && !is_known(row)).then_some(Paint::Yellow);
        out.push_str(&look.table(&["INSTANCE", "GRAFANA", "ADDRESS"], &rows, true, &paint));
    }
    out
}

fn json(found: Option<&Found>) -> String {
    let grafana = |[instance, version, url]: &[String; 3]| json!({"instance": instance, "version": version, "url": url});
    let mut document = json!({
        "apiVersion": API_VERSION, "kind": "VersionReport",
        "client": {"version": env!("CARGO_PKG_VERSION"), "platform": platform(), "commit": commit()},
    });
    if let (Some(found), Some(document)) = (found, document.as_object_mut()) {
        document.insert(
            "operator".to_owned(),
            serde_json::to_value(&found.operator).unwrap_or_default(),
        );
        let grafanas: Vec<Value> = found.grafanas.iter().map(grafana).collect();
        document.insert("grafanas".to_owned(), grafanas.into());
    }
    as_json(&document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_looked_at_is_not_said_to_be_missing() {
        let said = |is_unseen| {
            let found = Found {
                is_unseen,
                ..found(&[])
            };
            text(Some(&found), Look::default())
        };
        assert!(said(true).contains("OPERATOR  not known, for its Deployment can't be read"));
        assert!(said(false).contains("OPERATOR  no Deployment of it is seen"));
    }

    #[test]
    fn the_commit_is_said_where_the_build_knows_it() {
        let plain = client(None);
        assert!(plain.ends_with(&platform()), "{plain}");
        assert_eq!(client(Some("0123abcd")), format!("{plain}, commit 0123abcd"));
    }
}
