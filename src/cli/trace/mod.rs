//! `alertwright trace`: the life of one rule.

mod life;
mod text;

#[cfg(test)]
mod life_tests;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::life::Life;
use super::common::color::Colors;
use super::common::connect::{Cluster, Scope, Watched, kind, wait};
use super::common::dns;
use super::common::document::{as_json, as_yaml};
use super::common::exit::{self, Exit};
use super::common::files::zones::zone;
use super::common::moments::place;
use super::common::names;
use super::common::print::{API_VERSION, note, print, wrong};
use super::common::terminal::Look;

/// Follow one rule from its resource to the last notification: its query, where it is in Grafana, its state and why, who is told, what silences it, and what became
/// of the last notifications.
///
/// It reads the cluster's resources and nothing else. Who is told is worked out by the functions that `route` asks, for the labels that all alerts of the rule have.
/// The last notifications are those of the contact points, whichever alert they were of.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright trace rule high-error-rate -n revel\n  alertwright trace AlertRule/high-error-rate -n revel -o json\n  alertwright trace rule high-error-rate -n revel -i staging\n\n{}", exit::HELP_WITHOUT_NO))]
pub(super) struct Trace {
    /// The rule: `rule NAME`, `AlertRule/NAME` or its name.
    #[arg(value_name = "RULE", required = true, num_args = 1..=2, value_parser = dns::behind_kind, add = names::of("AlertRule"))]
    rule: Vec<String>,
    #[command(flatten)]
    cluster: Cluster,
    #[command(flatten)]
    watched: Watched,
    /// The GrafanaInstance in which it is followed. Default: each that it is for.
    #[arg(short, long, value_name = "NAME", value_parser = dns::name, add = names::of("GrafanaInstance"))]
    instance: Option<String>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// Nothing but the answer: no notes.
    #[arg(short, long)]
    quiet: bool,
}

/// How it is printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// Lines for people.
    Text,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
}

/// The name of the rule that is meant.
fn name(words: &[String]) -> Result<&str, String> {
    let (word, name) = match words {
        [word, name] => (Some(word.as_str()), name.as_str()),
        [one] => match one.split_once('/') {
            Some((word, name)) => (Some(word), name),
            None => (None, one.as_str()),
        },
        _ => return Err("name one rule".to_owned()),
    };
    match word {
        Some("rule") | None => {}
        Some(word) => {
            let found = kind(word)?.resource.kind;
            if found != "AlertRule" {
                return Err(format!("only rules can be traced, and {word} is a {found}"));
            }
        }
    }
    if name.is_empty() {
        return Err("name one rule".to_owned());
    }
    Ok(name)
}

impl Trace {
    pub(super) fn execute(self) -> Result<Exit, String> {
        wait(self.run())
    }

    async fn run(&self) -> Result<Exit, String> {
        let name = name(&self.rule).unwrap_or_else(|why| wrong(&why));
        let scope = Scope::of(&self.watched);
        let cluster = self.cluster.connect(&scope).await?;
        let read = cluster.objects(Some(&cluster.namespace)).await?;
        if !self.quiet {
            for text in &read.notes {
                note(text);
            }
        }
        let objects = read.objects();
        let rule = life::find(&objects, &cluster.namespace, name);
        let rule = rule.map_err(|why| read.unseen("AlertRule", name, &cluster.namespace).unwrap_or(why))?;
        let now = Timestamp::now();
        let life = Life::new(&objects, rule, self.instance.as_deref(), now, &zone)?;
        print(&match self.output {
            Output::Text => text::all(&life, now, &place(), Look::of_output(self.colors.color, true)),
            Output::Json => json(&life),
            Output::Yaml => as_yaml(&json(&life))?,
        })?;
        Ok(Exit::Done)
    }
}

fn json(life: &Life) -> String {
    let mut document = json!({"apiVersion": API_VERSION, "kind": "RuleTrace"});
    if let (Some(document), Ok(Value::Object(life))) = (document.as_object_mut(), serde_json::to_value(life))
    {
        document.extend(life);
    }
    as_json(&document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_named_in_several_ways() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            name(&words).map(str::to_owned)
        };
        for words in [
            &["rule", "r"][..],
            &["AlertRule/r"],
            &["arule/r"],
            &["alertrules", "r"],
            &["rule/r"],
            &["r"],
        ] {
            assert_eq!(of(words), Ok("r".to_owned()));
        }
        assert!(of(&["Silence/s"]).is_err_and(|why| why.contains("only rules")));
        assert!(of(&["rule/"]).is_err());
    }
}
