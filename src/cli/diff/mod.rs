//! `alertwright diff`: what would change in Grafana.

pub(super) mod asked;
mod gather;
mod json;
mod judge;
mod meaning;
mod patch;
mod sign;
mod suspended;
mod text;
mod trees;
mod written;

use std::fmt::Write;

use self::asked::Asked;
use self::gather::Wanted;
use self::judge::{Counts, Row, Sign};
use super::common::color::Colors;
use super::common::connect::{Cluster, Scope, ToGrafana, wait};
use super::common::exit::{self, Exit};
use super::common::files::Files;
use super::common::names;
use super::common::print::{note, print, wrong};
use super::common::terminal::Look;
use crate::controller::run::rehearsal::Name;
use crate::domain::ownership::Owner;

/// Say what would change in Grafana, field by field. Nothing is written, neither there nor in the cluster.
///
/// Without files it compares the cluster's resources with Grafana: what somebody has changed there. With files, what applying them would change. Either way the
/// operator's own passes are rehearsed, so it and this command can't disagree. It needs a token that may read Grafana's alerting: the GrafanaInstance's, or one of your own.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(after_help = format!("Examples:\n  alertwright diff -n revel\n  kustomize build . | alertwright diff -f - --summary\n  alertwright diff -n revel AlertRule/high-error-rate -o json\n  GRAFANA_URL=https://grafana.example.com alertwright diff -f alerting/ --grafana-token-file token --owner-id prod\n\n{}", exit::HELP_IN_PART))]
pub(super) struct Diff {
    /// Only these: a kind, or a kind and a name.
    #[arg(value_name = "KIND[/NAME]", value_parser = asked::named, add = names::of_any_kind())]
    only: Vec<(String, Option<String>)>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    grafana: ToGrafana,
    /// Only resources with these labels, such as team=payments,tier!=low.
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = asked::selector)]
    selector: Option<asked::Selector>,
    /// The operator's owner id. With files and the address of Grafana no cluster is asked then. Default: what the GrafanaInstance says.
    #[arg(long, value_name = "ID", value_parser = owner)]
    owner_id: Option<Owner>,
    /// The other way round: what would have to change in the manifests to be as Grafana is. With -o patch as patches to merge.
    #[arg(long)]
    reverse: bool,
    /// Nothing but how many there are of each.
    #[arg(long, conflicts_with = "show_equal")]
    summary: bool,
    /// Show what is equal too.
    #[arg(long)]
    show_equal: bool,
    /// Nothing but the differences: no notes and no counts.
    #[arg(short, long)]
    quiet: bool,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
}

/// How differences are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Lines for people.
    Text,
    /// One JSON document.
    Json,
    /// With --reverse: a patch in YAML for each manifest.
    Patch,
}

fn owner(text: &str) -> Result<Owner, String> {
    Owner::parse(text).ok_or_else(|| "use 1 to 40 of the characters a-z, 0-9 and -".into())
}

impl Diff {
    pub(super) fn execute(self) -> Result<Exit, String> {
        if self.output == Output::Patch && !self.reverse {
            wrong("patches are for manifests: say --reverse too");
        }
        if self.output != Output::Text && (self.summary || self.show_equal) {
            wrong(
                "--summary and --show-equal are for lines of text: -o json has the counts and what is equal anyway",
            );
        }
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let asked = Asked {
            only: &self.only,
            selector: self.selector.as_ref(),
        };
        let compared = compare(&Wanted {
            files: &self.files,
            cluster: &self.cluster,
            scope: &self.scope,
            grafana: &self.grafana,
            owner_id: self.owner_id.as_ref(),
            asked: &asked,
            adopts: false,
        })
        .await?;
        let (mut rows, grafana) = (compared.rows, compared.grafana);
        if self.reverse && self.output != Output::Patch {
            rows.iter_mut().for_each(Row::turn);
        }
        if !self.quiet {
            compared.notes.iter().for_each(|text| note(text));
        }
        let counts = counts(&rows);
        let (printed, beside) = self.told(&rows, &counts, &grafana)?;
        print(&printed)?;
        if let Some(beside) = beside {
            note(&beside);
        }
        Ok(exit(&counts))
    }

    /// What is printed, and what is said beside it: where the counts are all that is asked for, they are printed.
    fn told(&self, rows: &[Row], counts: &Counts, grafana: &str) -> Result<(String, Option<String>), String> {
        Ok(match self.output {
            Output::Json => (json::all(rows, counts, grafana), None),
            Output::Patch => (patch::all(rows)?, None),
            Output::Text if self.summary => (said(counts) + "\n", None),
            Output::Text => {
                let look = Look::of_output(self.colors.color, true);
                let beside = (!self.quiet).then(|| said(counts));
                (text::all(rows, self.show_equal, look), beside)
            }
        })
    }
}

/// What would become of resources, and what people should know of how that was found out.
struct Compared {
    rows: Vec<Row>,
    notes: Vec<String>,
    grafana: String,
}

async fn compare(wanted: &Wanted<'_>) -> Result<Compared, String> {
    let gathered = gather::gather(wanted).await?;
    let (selected, grafana) = (gathered.selected, gathered.play.instance.spec.url.clone());
    let (seen, owners) = (gathered.seen, gathered.owners);
    let prefix = gathered.play.instance.spec.folder_prefix.clone();
    let again = suspended::any(&gathered.cast).then(|| (gathered.play.clone(), gathered.cast.clone()));
    let performance = Box::pin(gathered.play.perform(gathered.cast)).await;
    if let Some(why) = performance.is_down() {
        let why = gathered.whose.in_own_words(&why);
        return Err(format!("cannot read Grafana at {grafana}: {why}"));
    }
    let known = judge::Known {
        selected: &selected,
        owners: &owners,
        seen: &seen,
        secrets: &gathered.secrets,
        by_uid: &gathered.by_uid,
        by_query: &gathered.by_query,
        prefix: &prefix.unwrap_or_default(),
    };
    let mut rows = judge::rows(&performance, &known);
    let suspended = suspended::of(&performance, &selected);
    if let Some((play, cast)) = again.filter(|_| !suspended.is_empty()) {
        let resumed = Box::pin(play.perform(suspended::resumed(cast, &suspended))).await;
        let known = judge::Known {
            selected: &suspended,
            ..known
        };
        suspended::told(&mut rows, judge::rows(&resumed, &known));
    }
    for message in rows.iter_mut().filter_map(|row| row.message.as_mut()) {
        *message = gathered.whose.in_own_words(message);
    }
    rows.extend(gathered.refused.into_iter().map(written::row));
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let mut notes = gathered.notes;
    notes.extend(judge::remarks(&seen, gathered.has_cluster));
    Ok(Compared { rows, notes, grafana })
}

/// What taking over would mean.
pub(super) struct Adoption {
    /// A line for each resource, and one for each field.
    pub(super) text: String,
    /// The same as values.
    pub(super) rows: serde_json::Value,
    /// What people should know of how it was found out.
    pub(super) notes: Vec<String>,
    /// The resources that could do it, each by its kind and name.
    pub(super) able: Vec<(&'static str, String)>,
    /// Those that would be made anew, for Grafana has nothing like them.
    new: Vec<Name>,
    rest: Vec<(Name, Option<String>)>,
}

impl Adoption {
    /// Why a resource couldn't do it, as far as that is known.
    pub(super) fn why_not(&self, kind: &str, name: &str) -> Option<&str> {
        let mut rest = self.rest.iter();
        let (_, why) = rest.find(|(own, _)| own.kind == kind && own.name == name)?;
        why.as_deref()
    }

    /// Whether Grafana has nothing that this one could take over.
    pub(super) fn is_new(&self, kind: &str, name: &str) -> bool {
        self.new.iter().any(|own| own.kind == kind && own.name == name)
    }
}

/// What would change in Grafana if these resources of the namespace took over what somebody else has made there.
pub(super) async fn adoption(
    only: &[(String, Option<String>)],
    cluster: &Cluster,
    scope: &Scope,
    grafana: &ToGrafana,
) -> Result<Adoption, String> {
    let compared = compare(&Wanted {
        files: &Files::default(),
        cluster,
        scope,
        grafana,
        owner_id: None,
        asked: &Asked { only, selector: None },
        adopts: true,
    })
    .await?;
    let (able, rest): (Vec<&Row>, Vec<&Row>) = compared
        .rows
        .iter()
        .partition(|row| !matches!(row.sign, Sign::Refused | Sign::Unknown));
    let new = able.iter().filter(|row| row.sign == Sign::Create);
    let new = new.map(|row| row.name.clone()).collect();
    let able = able.into_iter().map(|row| (row.name.kind, row.name.name.clone()));
    let rest = rest
        .into_iter()
        .map(|row| (row.name.clone(), row.message.clone()));
    Ok(Adoption {
        able: able.collect(),
        new,
        rest: rest.collect(),
        text: text::all(&compared.rows, true, Look::default()),
        rows: serde_json::to_value(&compared.rows).unwrap_or_default(),
        notes: compared.notes,
    })
}

fn counts(rows: &[Row]) -> Counts {
    let mut counts = Counts::new();
    for row in rows {
        *counts.entry(row.sign).or_default() += 1;
    }
    counts
}

fn said(counts: &Counts) -> String {
    let of = |sign| counts.get(&sign).copied().unwrap_or_default();
    let mut text = format!(
        "{} to create, {} to change, {} to delete, {} refused, {} equal",
        of(Sign::Create),
        of(Sign::Change),
        of(Sign::Delete),
        of(Sign::Refused),
        of(Sign::Equal)
    );
    let suspended = of(Sign::Suspended);
    if suspended > 0 {
        let _ = write!(text, ", {suspended} suspended and not equal");
    }
    let unknown = of(Sign::Unknown);
    if unknown > 0 {
        let _ = write!(text, ", {unknown} not known");
    }
    text + ". Nothing was written."
}

/// Where nothing could be found out about some, it was done in part; about none, not at all.
fn exit(counts: &Counts) -> Exit {
    let has = |sign| counts.contains_key(&sign);
    let (unknown, all) = (has(Sign::Unknown), counts.len());
    if unknown && all == 1 {
        Exit::Failed
    } else if unknown {
        Exit::InPart
    } else if [
        Sign::Create,
        Sign::Change,
        Sign::Delete,
        Sign::Refused,
        Sign::Suspended,
    ]
    .into_iter()
    .any(has)
    {
        Exit::No
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_one_could_not_take_over_is_known_of_itself() {
        let named = |name: &str| Name {
            kind: "ContactPoint",
            namespace: "revel".to_owned(),
            name: name.to_owned(),
        };
        let found = Adoption {
            text: String::new(),
            rows: serde_json::Value::Null,
            notes: Vec::new(),
            able: Vec::new(),
            new: vec![named("c")],
            rest: vec![(named("a"), Some("no key".to_owned())), (named("b"), None)],
        };
        assert_eq!(found.why_not("ContactPoint", "a"), Some("no key"));
        assert_eq!(found.why_not("ContactPoint", "b"), None);
        assert_eq!(found.why_not("Silence", "a"), None);
        assert!(found.is_new("ContactPoint", "c") && !found.is_new("ContactPoint", "a"));
    }

    #[test]
    fn counts_are_printed_where_they_are_all_that_is_asked_for_and_else_said_beside() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            diff: Diff,
        }
        let told = |words: &[&str]| {
            let line = <Line as clap::Parser>::try_parse_from([&["x"], words].concat());
            let diff = line.unwrap_or_else(|error| panic!("{error}")).diff;
            diff.told(&[], &Counts::new(), "http://grafana").unwrap()
        };
        let counts = said(&Counts::new());
        assert_eq!(told(&["--summary"]), (format!("{counts}\n"), None));
        assert_eq!(told(&["--summary", "-q"]), (format!("{counts}\n"), None));
        assert_eq!(told(&[]), (String::new(), Some(counts)));
        assert_eq!(told(&["-q"]), (String::new(), None));
        assert_eq!(told(&["-o", "json"]).1, None);
    }

    #[test]
    fn the_exit_code_says_what_became_of_it() {
        let of = |signs: &[Sign]| exit(&signs.iter().map(|sign| (*sign, 1)).collect());
        assert_eq!(of(&[]), Exit::Done);
        assert_eq!(of(&[Sign::Equal]), Exit::Done);
        for other in [
            Sign::Create,
            Sign::Change,
            Sign::Delete,
            Sign::Refused,
            Sign::Suspended,
        ] {
            assert_eq!(of(&[Sign::Equal, other]), Exit::No);
            assert_eq!(of(&[Sign::Unknown, other]), Exit::InPart);
        }
        assert_eq!(of(&[Sign::Unknown, Sign::Equal]), Exit::InPart);
        assert_eq!(of(&[Sign::Unknown]), Exit::Failed);
    }
}
