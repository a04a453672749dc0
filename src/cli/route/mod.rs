//! `alertwright route`: where an alert goes, and why.

pub(super) mod asked;
mod json;
mod text;
mod tree;

use std::collections::BTreeSet;

use jiff::Timestamp;

use self::asked::{Described, Resources, difference, doubt};
use super::common::color::Colors;
use super::common::dns;
use super::common::document::as_yaml;
use super::common::exit::{self, Exit};
use super::common::names;
use super::common::print::{note, print, wrong};
use super::common::terminal::Look;

/// Say where an alert goes, and why: which contact points are told, by which routes of which policies, and when.
///
/// The policy tree is put together as the operator does it, with its branches, and walked as Grafana's Alertmanager does: from files, which needs no
/// cluster, or without them from the resources of the cluster. No Grafana is asked. An alert is given by its labels, or by the AlertRule that it is of; then labels that are given are those that the rule's query adds.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(after_help = format!("Examples:\n  alertwright route -f alerting/ severity=critical team=payments\n  alertwright route -f alerting/ --rule high-error-rate --tree\n  alertwright route -f alerting/ --all-rules -o json\n  alertwright route -n revel severity=critical team=payments\n  alertwright route -n revel -f alerting/ --with-cluster --rule high-error-rate\n  kustomize build . | alertwright route -f - severity=critical --expect pagerduty-oncall\n\n{}", exit::HELP_IN_PART))]
pub(super) struct Route {
    /// The alert's labels.
    #[arg(value_name = "LABEL=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    #[command(flatten)]
    resources: Resources,
    /// The AlertRule whose alert it is: its name, or namespace/name. May be given more often.
    #[arg(long, value_name = "NAME", value_parser = dns::path, add = names::of("AlertRule"))]
    rule: Vec<String>,
    /// The alerts of all AlertRules: those of the files, or else of the namespace.
    #[arg(long, conflicts_with = "rule")]
    all_rules: bool,
    /// With --all-rules: those of all namespaces.
    #[arg(short = 'A', long, requires = "all_rules", conflicts_with_all = ["namespace", "filename"])]
    all_namespaces: bool,
    /// Draw the tree with what became of the alert at each route.
    #[arg(long)]
    tree: bool,
    /// The time, for Silences and time intervals, for example 2026-12-24T20:00:00Z. Default: now.
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<Timestamp>,
    /// The contact points that must be told, and no others, comma separated, in any order; `none` for nobody. Otherwise the exit code is 1. With --at
    /// what is muted or silenced at that time isn't told.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', add = names::of("ContactPoint"))]
    expect: Vec<String>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
    /// No titles above the columns.
    #[arg(long)]
    no_headers: bool,
}

/// How answers are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each contact point.
    Table,
    /// The same with the fields that routes are written in.
    Wide,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
}

/// A label of an alert as people write it: `severity=critical`, and no matcher.
pub(super) fn label(text: &str) -> Result<(String, String), String> {
    let pair = pair(text)?;
    let (name, value) = (&pair.0, written(text).map_or("", |(_, value)| value));
    // What picks several alerts is for routes and Silences.
    if value.starts_with('~') || value.starts_with('=') {
        return Err(format!(
            "{text:?} is a matcher, and an alert has labels: write {name}=VALUE with the one value that it has (in double quotes where that begins with = or ~)"
        ));
    }
    let is_whole = value.len() > 1 && value.starts_with('"') && value.ends_with('"');
    if !is_whole && (value.starts_with('"') || value.ends_with('"')) {
        return Err(format!(
            "{text:?} has a double quote at one end of its value alone: write {name}=VALUE, or {name}=\"VALUE\""
        ));
    }
    Ok(pair)
}

/// A name and a value: the value in double quotes or not, and the name in them where it isn't one of letters, digits and underscores.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let wrong = || {
        format!(
            "{text:?} is no label; write one such as severity=critical, and put an unusual name or value in double quotes"
        )
    };
    let (name, value) = written(text).ok_or_else(wrong)?;
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let begins_another = |part: &str| part.split_once('=').is_some_and(|(name, _)| is_plain(name));
    if quoted.is_none() && value.split(',').skip(1).any(begins_another) {
        return Err(format!(
            "{text:?} looks like several labels: give one argument for each, or put the value in double quotes"
        ));
    }
    Ok((name.to_owned(), quoted.unwrap_or(value).to_owned()))
}

/// The two as they are written.
fn written(text: &str) -> Option<(&str, &str)> {
    let found = match text.strip_prefix('"') {
        Some(rest) => rest.split_once("\"="),
        None => text.split_once('=').filter(|(name, _)| is_plain(name)),
    };
    found.filter(|(name, _)| !name.is_empty())
}

/// What a label is usually called; a dot, as OpenTelemetry has them, is no slip either.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.:".contains(c))
}

/// A time as RFC 3339 has it.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is no time; write one such as 2026-12-24T20:00:00Z"))
}

/// The name of a label that is given again.
fn twice(labels: &[(String, String)]) -> Option<&str> {
    let mut names = BTreeSet::new();
    let again = labels.iter().find(|(name, _)| !names.insert(name));
    again.map(|(name, _)| name.as_str())
}

/// Ends where a label is given twice.
pub(super) fn refuse_twice(labels: &[(String, String)]) {
    if let Some(name) = twice(labels) {
        wrong(&format!(
            "the label {name} is given twice, and an alert has it once: ask for each value by itself"
        ));
    }
}

impl Route {
    pub(super) fn execute(self) -> Result<Exit, String> {
        refuse_twice(&self.labels);
        if self.labels.is_empty() && self.rule.is_empty() && !self.all_rules {
            wrong("no alert is named: give its labels, such as severity=critical, or --rule or --all-rules");
        }
        let at = self.at.unwrap_or_else(Timestamp::now);
        let (answers, is_partial) = self.resources.with(self.all_namespaces, |known| {
            let roads = known.roads(at)?;
            let rules: Vec<Option<String>> = if self.all_rules {
                known.rules().map(Some).collect()
            } else if self.rule.is_empty() {
                vec![None]
            } else {
                self.rule.iter().cloned().map(Some).collect()
            };
            let describe = |rule| Described {
                labels: self.labels.iter().cloned().collect(),
                rule,
                namespace: None,
            };
            rules
                .into_iter()
                .map(|rule| known.answer(&describe(rule), &roads))
                .collect::<Result<Vec<_>, _>>()
        })?;
        print(&match self.output {
            Output::Json => json::all(&answers),
            Output::Yaml => as_yaml(&json::all(&answers))?,
            _ if self.tree => tree::all(&answers, Look::of_output(self.colors.color, true)),
            output => {
                let is_wide = output == Output::Wide;
                let look = Look::of_output(self.colors.color, is_wide);
                text::all(&answers, is_wide, !self.no_headers, look)
            }
        })?;
        if answers.is_empty() {
            note("there is no AlertRule to tell this of");
        }
        if self.expect.is_empty() {
            return Ok(Exit::Done);
        }
        // What is expected of nothing is met by nothing: a folder or namespace was meant that isn't this one.
        if answers.is_empty() {
            return Ok(held(true, false, is_partial));
        }
        let expected = if self.expect == ["none"] {
            &[][..]
        } else {
            &self.expect
        };
        let (mut differs, mut is_doubtful) = (false, false);
        for answer in &answers {
            if let Some(difference) = difference(answer, expected, self.at.is_some()) {
                note(&format!("{}: {difference}{}", answer.alert, unread(is_partial)));
                differs = true;
            } else if let Some(doubt) = doubt(answer, self.at.is_some()) {
                note(&format!("{}: as expected, {doubt}", answer.alert));
                is_doubtful = true;
            }
        }
        Ok(held(differs, is_doubtful, is_partial))
    }
}

/// How an expectation ends. What may not be read may send an alert elsewhere, or keep it: that explains a difference as well as it puts none in doubt.
pub(super) const fn held(differs: bool, is_doubtful: bool, is_partial: bool) -> Exit {
    match (differs, is_doubtful) {
        _ if is_partial => Exit::InPart,
        (true, _) => Exit::No,
        (false, true) => Exit::InPart,
        (false, false) => Exit::Done,
    }
}

/// What is said of a difference where not all may be read.
pub(super) const fn unread(is_partial: bool) -> &'static str {
    if is_partial {
        ", as far as may be read: what may not could explain it"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_read_leaves_a_difference_and_a_match_open() {
        assert_eq!(held(false, false, false), Exit::Done);
        assert_eq!(held(false, true, false), Exit::InPart);
        assert_eq!(held(true, true, false), Exit::No);
        for (differs, is_doubtful) in [(false, false), (true, false), (true, true)] {
            assert_eq!(held(differs, is_doubtful, true), Exit::InPart);
        }
        assert!(unread(true).contains("could explain") && unread(false).is_empty());
    }

    #[test]
    fn a_label_is_one_and_has_a_name() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(label("severity=critical"), pair("severity", "critical"));
        assert_eq!(label("path=\"a,b=c\""), pair("path", "a,b=c"));
        assert_eq!(label("hosts=a,b"), pair("hosts", "a,b"));
        assert_eq!(label("\"my label\"=x"), pair("my label", "x"));
        assert_eq!(label("service.name=x"), pair("service.name", "x"));
        for matcher in [
            "severity=~\"crit.*\"",
            "severity==\"critical\"",
            "severity=~crit.*",
            "a==b",
        ] {
            assert!(
                label(matcher).is_err_and(|why| why.contains("is a matcher")),
                "{matcher}"
            );
        }
        for half in ["severity=\"critical", "severity=critical\"", "severity=\""] {
            assert!(label(half).is_err_and(|why| why.contains("at one end")), "{half}");
        }
        assert_eq!(label("a=\"=~b\""), pair("a", "=~b"));
        let labels = ["a=b", "b=c", "a=c"].map(|text| label(text).unwrap());
        assert_eq!((twice(&labels), twice(&labels[..2])), (Some("a"), None));
        assert!(label("severity=critical,team=x").is_err_and(|why| why.contains("one argument for each")));
        for text in [
            "sev erity=x",
            "foo~=bar",
            "foo!=bar",
            "=x",
            "severity",
            "\"\"=x",
            "1=x",
        ] {
            assert!(
                label(text).is_err_and(|why| why.contains("is no label")),
                "{text}"
            );
        }
    }
}
