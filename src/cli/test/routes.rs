//! `alertwright test routes`: whether alerts go where somebody expects them to.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::super::common::color::Colors;
use super::super::common::document;
use super::super::common::exit::{self, Exit};
use super::super::common::print::{API_VERSION, escaped, harmless, note, print};
use super::super::common::terminal::{Look, Paint};
use super::super::route::asked::{Described, Known, Resources, difference, doubt};
use super::super::route::{held, unread};
use crate::domain::routing::answer::Answer;
use crate::domain::routing::walk::Labels;

/// Try whether alerts go to the contact points that files of expectations name.
///
/// A file is a list in YAML. Each entry has the alert's `labels`, or the `rule` that it is of with the labels that its query adds, the contact points that are
/// to be told as `expect` (in any order, and no others), and if need be the `namespace` of its rule and the time `at` which what is muted or silenced isn't told.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Examples:\n  alertwright test routes -f alerting/ routes.test.yaml\n  alertwright test routes -f alerting/ -R tests/*.yaml -o junit\n  kustomize build . | alertwright test routes -f - routes.test.yaml\n  alertwright test routes -n revel routes.test.yaml\n\n{}", exit::HELP_IN_PART))]
pub(in super::super) struct Routes {
    /// A file of expectations.
    #[arg(value_name = "FILE", required = true)]
    expectations: Vec<PathBuf>,
    #[command(flatten)]
    resources: Resources,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    colors: Colors,
}

/// How results are printed.
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    /// A line for each expectation.
    Text,
    /// One JSON document.
    Json,
    /// `JUnit`'s XML, a test for each expectation.
    Junit,
}

/// What somebody expects of one alert.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Expectation {
    /// What to call it.
    name: Option<String>,
    #[serde(default)]
    labels: Labels,
    rule: Option<String>,
    namespace: Option<String>,
    at: Option<Timestamp>,
    expect: Vec<String>,
}

/// What came of one.
struct Outcome {
    file: String,
    name: String,
    /// What is wrong.
    failure: Option<String>,
    /// Why it is met only as far as is known.
    doubt: Option<String>,
}

impl Routes {
    pub(super) fn execute(self) -> Result<Exit, String> {
        let files: Vec<(&PathBuf, Vec<Expectation>)> = self
            .expectations
            .iter()
            .map(|file| Ok((file, read(file)?)))
            .collect::<Result<_, String>>()?;
        let now = Timestamp::now();
        let (outcomes, is_partial) = self.resources.with(false, |known| {
            let mut outcomes = Vec::new();
            for (file, expectations) in &files {
                for expectation in expectations {
                    let outcome = expectation.compare(known, now);
                    let (failure, doubt) = match outcome {
                        Ok(doubt) => (None, doubt),
                        Err(failure) => (Some(failure), None),
                    };
                    outcomes.push(Outcome {
                        file: file.display().to_string(),
                        name: expectation.called(),
                        failure,
                        doubt,
                    });
                }
            }
            Ok(outcomes)
        })?;
        let failed = outcomes
            .iter()
            .filter(|outcome| outcome.failure.is_some())
            .count();
        print(&match self.output {
            Output::Text => text(&outcomes, Look::of_output(self.colors.color, true)),
            Output::Json => as_json(&outcomes),
            Output::Junit => junit(&outcomes, failed),
        })?;
        if !self.resources.quiet {
            let unread = if failed > 0 { unread(is_partial) } else { "" };
            note(&format!("{failed} of {} failed{unread}", outcomes.len()));
        }
        let is_doubtful = outcomes.iter().any(|outcome| outcome.doubt.is_some());
        Ok(held(failed > 0, is_doubtful, is_partial))
    }
}

fn read(file: &Path) -> Result<Vec<Expectation>, String> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let all = expectations(&text).map_err(|why| format!("{name}: {why}"))?;
    // No expectation at all would pass for all of them met.
    if all.is_empty() {
        return Err(format!("{name} expects nothing: it is an empty list"));
    }
    if let Some(at) = all
        .iter()
        .position(|one| one.labels.is_empty() && one.rule.is_none())
    {
        return Err(format!("{name}: entry {} has neither labels nor a rule", at + 1));
    }
    Ok(all)
}

fn expectations(text: &str) -> Result<Vec<Expectation>, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let is_list = serde_saphyr::from_str::<serde_json::Value>(text).map(|all| all.is_array());
        match is_list {
            Ok(false) => "it is no list: write each expectation as an entry, such as\n- labels: {severity: critical}\n  expect: [pagerduty-oncall]".to_owned(),
            _ => error.without_snippet().to_string(),
        }
    })
}

impl Expectation {
    fn called(&self) -> String {
        let labels = self
            .labels
            .iter()
            .map(|(label, value)| format!("{label}={value}"));
        let parts: Vec<String> = self.rule.iter().cloned().chain(labels).collect();
        self.name.clone().unwrap_or_else(|| parts.join(" "))
    }

    /// Why it is met only as far as is known, if so. Fails where the alert goes elsewhere, or where can't be told.
    fn compare(&self, known: &Known<'_>, now: Timestamp) -> Result<Option<String>, String> {
        let described = Described {
            labels: self.labels.clone(),
            rule: self.rule.clone(),
            namespace: self.namespace.clone(),
        };
        let answer = known.answer(&described, &known.roads(self.at.unwrap_or(now))?)?;
        match difference(&answer, &self.expect, self.at.is_some()) {
            None => Ok(doubt(&answer, self.at.is_some())),
            Some(difference) => Err(format!("{difference}{}", why(&answer, &self.expect))),
        }
    }
}

/// By which routes those are told that aren't expected.
fn why(answer: &Answer, expected: &[String]) -> String {
    let unexpected = answer
        .contact_points
        .iter()
        .filter(|told| !expected.contains(&told.contact_point));
    let by: Vec<String> = unexpected
        .map(|told| {
            let matchers: Vec<&str> = told.matchers.iter().flatten().map(String::as_str).collect();
            let matchers = if matchers.is_empty() {
                String::new()
            } else {
                format!("{}, ", matchers.join(", "))
            };
            format!(
                "{} by {matchers}{} {}",
                told.contact_point, told.by.resource, told.by.field
            )
        })
        .collect();
    let silenced = answer
        .silenced
        .iter()
        .map(|silenced| format!("{} covers it", silenced.by));
    let all: Vec<String> = by.into_iter().chain(silenced).collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(" ({})", all.join("; "))
    }
}

fn text(outcomes: &[Outcome], look: Look) -> String {
    let mut out = String::new();
    for Outcome {
        name, failure, doubt, ..
    } in outcomes
    {
        let (word, paint, line) = match (failure, doubt) {
            (None, None) => ("ok", Paint::Green, name.clone()),
            (None, Some(doubt)) => ("ok", Paint::Yellow, format!("{name}: {doubt}")),
            (Some(failure), _) => ("FAIL", Paint::Red, format!("{name}: {failure}")),
        };
        let word = look.painted(&format!("{word:4}"), paint);
        let _ = writeln!(out, "{word}  {}", harmless(&line.replace('\n', " ")));
    }
    out
}

fn as_json(outcomes: &[Outcome]) -> String {
    let all: Vec<_> = outcomes
        .iter()
        .map(|one| json!({"file": one.file, "name": one.name, "passed": one.failure.is_none(), "failure": one.failure, "doubt": one.doubt}))
        .collect();
    document::as_json(&json!({"apiVersion": API_VERSION, "kind": "RouteTestReport", "tests": all}))
}

fn junit(outcomes: &[Outcome], failed: usize) -> String {
    let mut cases = String::new();
    for Outcome {
        file, name, failure, ..
    } in outcomes
    {
        let _ = write!(
            cases,
            "    <testcase classname=\"{}\" name=\"{}\"",
            escaped(file),
            escaped(name)
        );
        let _ = match failure {
            None => writeln!(cases, "/>"),
            Some(failure) => writeln!(
                cases,
                ">\n      <failure message=\"{}\"/>\n    </testcase>",
                escaped(failure)
            ),
        };
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"alertwright test routes\" tests=\"{}\" failures=\"{failed}\" errors=\"0\">\n{cases}  </testsuite>\n</testsuites>\n",
        outcomes.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_list_of_expectations_is_told_as_such() {
        let why = |text: &str| expectations(text).err().unwrap_or_default();
        assert!(why("labels: {a: b}\n").starts_with("it is no list: "));
        let slip = why("- labls: {a: b}\n  expect: [x]\n");
        assert!(slip.contains("labls") && !slip.contains("<input>"), "{slip}");
        assert_eq!(why("- labels: {a: b}\n  expect: [x]\n"), "");
    }
}
