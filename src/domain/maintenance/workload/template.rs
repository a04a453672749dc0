//! Matchers with words of the workload, such as `service="{{ .labels.app }}"`.
//!
//! A word that the workload hasn't got makes no silence: a matcher with nothing in its place would cover what has no such label, or everything.

use std::collections::BTreeMap;
use std::fmt;

use kube::{Resource, ResourceExt};

use crate::api::maintenance_policy::WorkloadKind;
use crate::api::matcher::{Matcher, MatcherText, escape_regex};

/// The workload that a silence is for, as far as a policy asks for it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The `CronJob` that has made it.
    pub cron_job: Option<&'a str>,
    /// Its labels.
    pub labels: &'a BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: &'a BTreeMap<String, String>,
}

impl<'a> Subject<'a> {
    /// Of an object of this kind.
    pub fn of<K: Resource>(kind: WorkloadKind, object: &'a K) -> Self {
        let metadata = object.meta();
        let owners = metadata.owner_references.as_deref().unwrap_or_default();
        Self {
            kind,
            namespace: metadata.namespace.as_deref().unwrap_or_default(),
            name: metadata.name.as_deref().unwrap_or_default(),
            cron_job: owners
                .iter()
                .find(|owner| owner.kind == "CronJob")
                .map(|owner| owner.name.as_str()),
            labels: object.labels(),
            annotations: object.annotations(),
        }
    }
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }
}

/// What is wrong with a matcher that has words of the workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No end.
    #[error("{{{{ has no }}}} after it: write {{{{ .labels.app }}}}")]
    Open,
    /// Something else than a word.
    #[error(
        "{{{{ {0} }}}} is none of {{{{ .name }}}}, {{{{ .namespace }}}}, {{{{ .cronJob }}}} and {{{{ .labels.KEY }}}}, such as {{{{ .labels.app.kubernetes.io/name }}}}"
    )]
    Unknown(String),
    /// The workload hasn't got it.
    #[error(
        "{subject} has no {word}, which {{{{ {asked} }}}} asks for, and without it the silence would cover more than is meant: there is none. {cure}"
    )]
    Missing {
        /// The workload.
        subject: String,
        /// What is missing.
        word: String,
        /// How it was asked for.
        asked: String,
        /// What helps.
        cure: &'static str,
    },
    /// With the words in it, it isn't a matcher.
    #[error("{0}")]
    Invalid(String),
}

/// A piece of a matcher's value.
enum Piece<'a> {
    Text(&'a str),
    Word(Word<'a>),
}

/// A word of the workload.
enum Word<'a> {
    Name,
    Namespace,
    CronJob,
    Label(&'a str),
}

fn pieces(value: &str) -> Result<Vec<Piece<'_>>, Problem> {
    let mut pieces = Vec::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, behind) = after.split_once("}}").ok_or(Problem::Open)?;
        pieces.push(Piece::Text(before));
        pieces.push(Piece::Word(word(inner.trim())?));
        rest = behind;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

fn word(text: &str) -> Result<Word<'_>, Problem> {
    match text {
        ".name" => Ok(Word::Name),
        ".namespace" => Ok(Word::Namespace),
        ".cronJob" => Ok(Word::CronJob),
        _ => text
            .strip_prefix(".labels.")
            .filter(|key| !key.is_empty() && !key.contains(char::is_whitespace))
            .map(Word::Label)
            .ok_or_else(|| Problem::Unknown(text.to_owned())),
    }
}

impl Word<'_> {
    fn asked(&self) -> String {
        match self {
            Self::Name => ".name".to_owned(),
            Self::Namespace => ".namespace".to_owned(),
            Self::CronJob => ".cronJob".to_owned(),
            Self::Label(key) => format!(".labels.{key}"),
        }
    }

    fn of<'s>(&self, subject: &Subject<'s>) -> Result<&'s str, Problem> {
        let found = match self {
            Self::Name => Some(subject.name),
            Self::Namespace => Some(subject.namespace),
            Self::CronJob => subject.cron_job,
            Self::Label(key) => subject.labels.get(*key).map(String::as_str),
        };
        let (word, cure) = match self {
            Self::Label(key) => (
                format!("label {key}"),
                "Give it one, or narrow spec.targets to what has it",
            ),
            Self::Name | Self::Namespace | Self::CronJob => {
                ("CronJob as its owner".to_owned(), "Target the kind CronJob")
            }
        };
        found
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Problem::Missing {
                subject: subject.to_string(),
                word,
                asked: self.asked(),
                cure,
            })
    }
}

/// Whether a matcher has words of the workload.
fn is_template(text: &MatcherText) -> bool {
    text.as_str().contains("{{")
}

/// What is wrong with a matcher whatever the workload is.
pub fn check(text: &MatcherText) -> Result<(), Problem> {
    let matcher = Matcher::parse(text.as_str()).map_err(|e| Problem::Invalid(e.to_string()))?;
    if is_template(text) {
        pieces(&matcher.value)?;
        if matcher.label.contains("{{") {
            return Err(Problem::Invalid(
                "only the value of a matcher can have words of the workload".to_owned(),
            ));
        }
    }
    Ok(())
}

/// The matcher with the workload's words in it; in a regular expression they stand for themselves.
pub fn fill(text: &MatcherText, subject: &Subject<'_>) -> Result<MatcherText, Problem> {
    if !is_template(text) {
        return Ok(text.clone());
    }
    let matcher = Matcher::parse(text.as_str()).map_err(|e| Problem::Invalid(e.to_string()))?;
    let mut value = String::new();
    for piece in pieces(&matcher.value)? {
        match piece {
            Piece::Text(text) => value.push_str(text),
            Piece::Word(word) if matcher.op.is_regex() => value.push_str(&escape_regex(word.of(subject)?)),
            Piece::Word(word) => value.push_str(word.of(subject)?),
        }
    }
    Matcher::new(matcher.label, matcher.op, value)
        .map(|filled| MatcherText::from(&filled))
        .map_err(|e| Problem::Invalid(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(matcher: &str) -> MatcherText {
        serde_json::from_value(matcher.into()).unwrap()
    }

    fn filled(matcher: &str, labels: &[(&str, &str)], cron_job: Option<&str>) -> Result<String, String> {
        let labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let subject = Subject {
            kind: WorkloadKind::Deployment,
            namespace: "shop",
            name: "web-2.0",
            cron_job,
            labels: &labels,
            annotations: &BTreeMap::new(),
        };
        let text = text(matcher);
        let filled = check(&text).and_then(|()| fill(&text, &subject));
        filled
            .map(|matcher| matcher.as_str().to_owned())
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn whatever_stands_in_a_word_it_makes_no_other_matcher() {
        for word in [
            "x\"",
            "x\",y=\"z",
            ".*",
            "x|.*",
            "(?i)x",
            "x\ny",
            "\\",
            "x\\\"",
            "{{ .name }}",
            "$^",
        ] {
            for op in ["=", "!=", "=~", "!~"] {
                let asked = format!(r#"a{op}"{{{{ .labels.app }}}}""#);
                let filled = filled(&asked, &[("app", word)], None).unwrap();
                let read = Matcher::parse(&filled).unwrap();
                let is_regex = op.ends_with('~');
                let op = Matcher::parse(&format!("a{op}b")).unwrap().op;
                assert_eq!((read.label.as_str(), read.op), ("a", op), "{filled}");
                if is_regex {
                    let pattern = regex::Regex::new(&format!("^(?:{})$", read.value)).unwrap();
                    assert!(pattern.is_match(word), "{filled}");
                    let others = ["", "x", "X", "other", "z"];
                    assert!(!others.iter().any(|other| pattern.is_match(other)), "{filled}");
                } else {
                    assert_eq!(read.value, word, "{filled}");
                }
            }
        }
    }

    #[test]
    fn words_of_the_workload_stand_for_themselves() {
        let labels = [
            ("app", "web"),
            ("app.kubernetes.io/name", "web.shop"),
            ("v", "1.2-x_y"),
        ];
        for (matcher, expected) in [
            (r#"service="{{ .labels.app }}""#, r#"service="web""#),
            (r#"service = "{{.labels.app}}""#, r#"service="web""#),
            (
                r#"service!="{{ .labels.app }}-{{ .namespace }}""#,
                r#"service!="web-shop""#,
            ),
            (r#"pod=~"{{ .name }}-.*""#, r#"pod=~"web-2\\.0-.*""#),
            (
                r#"a=~"x|{{ .labels.app.kubernetes.io/name }}""#,
                r#"a=~"x|web\\.shop""#,
            ),
            (r#"a!~"{{ .labels.v }}""#, r#"a!~"1\\.2-x_y""#),
            (r#"a="{{ .cronJob }}""#, r#"a="nightly""#),
            // As it was written, where there is nothing to fill in.
            ("severity != critical", "severity != critical"),
        ] {
            assert_eq!(
                filled(matcher, &labels, Some("nightly")).as_deref(),
                Ok(expected),
                "{matcher}"
            );
        }
    }

    #[test]
    fn a_word_that_is_missing_or_empty_is_named_and_makes_no_matcher() {
        for (matcher, words) in [
            (
                r#"a="{{ .labels.team }}""#,
                "Deployment shop/web-2.0 has no label team, which {{ .labels.team }} asks for",
            ),
            (r#"a!="{{ .labels.empty }}""#, "has no label empty"),
            (r#"a=~".*{{ .labels.team }}.*""#, "has no label team"),
            (r#"a="x{{ .cronJob }}""#, "has no CronJob as its owner"),
        ] {
            let problem = filled(matcher, &[("empty", "")], None).unwrap_err();
            assert!(problem.contains(words), "{matcher}: {problem}");
        }
    }

    #[test]
    fn what_is_no_word_is_told_with_the_words_that_are() {
        for (matcher, words) in [
            (r#"a="{{ .labels.app""#, "{{ has no }} after it"),
            (
                r#"a="{{ .spec.replicas }}""#,
                "{{ .spec.replicas }} is none of {{ .name }}",
            ),
            (r#"a="{{ labels.app }}""#, "is none of"),
            (r#"a="{{ .labels. }}""#, "is none of"),
            (r#"a="{{ .labels.app | upper }}""#, "is none of"),
            (r#"a="{{}}""#, "is none of"),
            (r#""{{ .name }}"="x""#, "only the value"),
        ] {
            let problem = filled(matcher, &[("app", "web")], None).unwrap_err();
            assert!(problem.contains(words), "{matcher}: {problem}");
        }
    }
}
