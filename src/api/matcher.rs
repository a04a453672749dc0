//! Matchers as Alertmanager writes them: `severity="critical"`, `team=~"a|b"`, `env!=dev`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::go_regex::Expression;

/// What the API server lets through by a CEL rule where it can afford one: a name, an operator and a value, in quotes where it holds spaces or punctuation.
pub const PATTERN: &str = concat!(
    r#"^\s*([^\s{}!=~,\\"'`]+|"([^"\\]|\\[^\n])+")"#,
    r"\s*(=~|!~|!=|=)\s*",
    r#"([^\s{}!=~,\\"'`]+|"([^"\\]|\\[^\n])*")\s*$"#
);

/// The same in short, for where an API server can't afford all of it: a name, an operator and something behind that, or a name in quotes.
pub const SHORT_PATTERN: &str = r#"^[^=!~{]+(=~?|![=~])\s*[^\s=~]|^\s*""#;

/// How many characters a matcher may have.
pub const LONGEST: usize = 1024;

/// What to write instead.
pub const SYNTAX: &str = "write one matcher an entry, as a label, one of the operators =, !=, =~ and !~ (a single = for equality) and a \
    value, without braces around it; quote a value that holds spaces or punctuation: severity=\"critical\"";

/// Why the ownership label is no label to silence by.
const RESERVED: &str = "__alertwright__ is the operator's own label; match labels of the alerts, and where there is a field alertRules choose rules by that";

/// A matcher in a specification, kept as it was written. Reading never fails; [`MatcherText::parse`] tells what it means.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct MatcherText(String);

impl MatcherText {
    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The matcher that the text means.
    pub fn parse(&self) -> Result<Matcher, InvalidMatcher> {
        Matcher::parse(&self.0)
    }
}

impl From<&Matcher> for MatcherText {
    fn from(matcher: &Matcher) -> Self {
        Self(matcher.to_string())
    }
}

impl JsonSchema for MatcherText {
    fn schema_name() -> Cow<'static, str> {
        "MatcherText".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": LONGEST,
            "x-kubernetes-validations": [
                { "rule": format!("self.matches(r'''{PATTERN}''')"), "message": SYNTAX },
                { "rule": "!self.contains('__alertwright__')", "message": RESERVED },
            ],
        })
    }
}

/// How a matcher compares a label with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`: the label is the value.
    Equal,
    /// `!=`: it is not.
    NotEqual,
    /// `=~`: the value, as a regular expression, matches the whole label.
    Regex,
    /// `!~`: it does not.
    NotRegex,
}

impl MatchOp {
    /// Longest first, so that `=~` isn't taken for `=`.
    const ALL: [Self; 4] = [Self::Regex, Self::NotRegex, Self::NotEqual, Self::Equal];

    /// The operator as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }

    /// The operator that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }

    /// Whether the value is a regular expression.
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::Regex | Self::NotRegex)
    }

    /// Whether it holds where the value fits; false for the two negations.
    pub const fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::Regex)
    }
}

/// One condition on one label of an alert.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// The label's name.
    pub label: String,
    /// How it is compared.
    pub op: MatchOp,
    /// What it is compared with.
    pub value: String,
    /// How labels are compared with the value.
    pattern: Pattern,
}

#[derive(Clone, Debug)]
enum Pattern {
    /// The label is the value.
    Text,
    /// The value matches the whole label. Compiled when a label is first looked at; `None` where that can't be.
    Regex(Expression, OnceLock<Option<Regex>>),
}

/// Why a text is not a matcher.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
pub enum InvalidMatcher {
    /// Something else was expected at a place, counted in characters from 1.
    #[error("{text:?} is not a matcher: at character {position}, {problem}")]
    Syntax {
        /// The text.
        text: String,
        /// Where it goes wrong, in characters from 1.
        position: usize,
        /// What is wrong there and what helps.
        problem: &'static str,
    },
    /// The value is not a regular expression.
    #[error("the value of {label} is not a regular expression: {problem}")]
    Regex {
        /// The label whose value it is.
        label: String,
        /// What is wrong and what helps.
        problem: String,
    },
}

impl InvalidMatcher {
    /// Where it goes wrong, in characters from 1; `None` where that isn't known.
    pub fn position(&self) -> Option<usize> {
        match self {
            Self::Syntax { position, .. } => Some(*position),
            Self::Regex { .. } => None,
        }
    }
}

impl Matcher {
    /// A matcher of these parts.
    pub fn new(
        label: impl Into<String>,
        op: MatchOp,
        value: impl Into<String>,
    ) -> Result<Self, InvalidMatcher> {
        let (label, value) = (label.into(), value.into());
        let pattern = if op.is_regex() {
            let expression = Expression::parse(&value).map_err(|problem| InvalidMatcher::Regex {
                label: label.clone(),
                problem,
            })?;
            Pattern::Regex(expression, OnceLock::new())
        } else {
            Pattern::Text
        };
        Ok(Self {
            label,
            op,
            value,
            pattern,
        })
    }

    /// Reads one matcher. Quotes are needed only around spaces and punctuation; within them `\"`, `\\` and `\n` are escapes
    /// and any other backslash stays, as in Alertmanager, so that `"\d+"` is what it looks like.
    pub fn parse(text: &str) -> Result<Self, InvalidMatcher> {
        let mut reader = Reader { text, rest: text };
        reader.skip_space();
        if reader.rest.starts_with('{') {
            return Err(reader.fail("leave the braces out and give every matcher an entry of its own"));
        }
        let label = reader.name()?;
        reader.skip_space();
        let op = reader.op()?;
        reader.skip_space();
        let value = reader.value()?;
        reader.skip_space();
        if reader.rest.is_empty() {
            Self::new(label, op, value)
        } else {
            Err(reader.fail(LEFT_OVER))
        }
    }

    /// Whether an alert with these labels is matched; a label that is missing counts as empty. `None` if that can't be told here:
    /// the value is a regular expression that Grafana takes, and that can't be compiled here, or not soon enough.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> Option<bool> {
        let Some(label) = labels.get(&self.label).filter(|label| !label.is_empty()) else {
            return Some(self.matches_empty());
        };
        let fits = match &self.pattern {
            Pattern::Text => *label == self.value,
            Pattern::Regex(expression, compiled) => compiled
                .get_or_init(|| expression.compile())
                .as_ref()?
                .is_match(label),
        };
        Some(fits == self.op.is_equal())
    }

    /// Whether an alert without the label is matched.
    pub fn matches_empty(&self) -> bool {
        let fits = match &self.pattern {
            Pattern::Text => self.value.is_empty(),
            Pattern::Regex(expression, _) => expression.matches_empty,
        };
        fits == self.op.is_equal()
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.label, self.op, &self.value) == (&other.label, other.op, &other.value)
    }
}

impl Eq for Matcher {}

impl FromStr for Matcher {
    type Err = InvalidMatcher;

    fn from_str(text: &str) -> Result<Self, InvalidMatcher> {
        Self::parse(text)
    }
}

/// The canonical text: the value always in quotes, the name only where it must be.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.label.is_empty() || self.label.contains(is_reserved) {
            write_quoted(f, &self.label)?;
        } else {
            f.write_str(&self.label)?;
        }
        f.write_str(self.op.as_str())?;
        write_quoted(f, &self.value)
    }
}

/// Escapes what has a meaning in a regular expression, in Alertmanager's dialect and in ours.
pub fn escape_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

const LEFT_OVER: &str = "the matcher is over; quote a value with spaces or punctuation, and give every matcher an entry of its own";

/// What must be quoted, by Alertmanager's rule.
fn is_reserved(c: char) -> bool {
    c.is_whitespace() || r#"{}!=~,\"'`"#.contains(c)
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("\"")
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn fail(&self, problem: &'static str) -> InvalidMatcher {
        let read = self.text.chars().count() - self.rest.chars().count();
        InvalidMatcher::Syntax {
            text: self.text.to_owned(),
            position: read + 1,
            problem,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn name(&mut self) -> Result<String, InvalidMatcher> {
        let start = self.rest;
        let name = if start.starts_with('"') {
            self.quoted()?
        } else {
            self.bare().to_owned()
        };
        if name.is_empty() {
            self.rest = start;
            return Err(self.fail("a label name is missing; write it like severity=\"critical\""));
        }
        Ok(name)
    }

    fn op(&mut self) -> Result<MatchOp, InvalidMatcher> {
        let op = MatchOp::ALL
            .into_iter()
            .find_map(|op| Some((op, self.rest.strip_prefix(op.as_str())?)));
        let (op, rest) = op.ok_or_else(|| self.fail("one of = != =~ !~ is missing"))?;
        self.rest = rest;
        Ok(op)
    }

    fn value(&mut self) -> Result<String, InvalidMatcher> {
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        if self.rest.starts_with('=') {
            return Err(self.fail("the operator is over; equality is a single ="));
        }
        if self.rest.starts_with(['\'', '`']) {
            return Err(self.fail("only double quotes are understood"));
        }
        match self.bare() {
            "" => Err(self.fail("a value is missing; the empty value is written \"\"")),
            value => Ok(value.to_owned()),
        }
    }

    fn bare(&mut self) -> &str {
        let (bare, rest) = self
            .rest
            .split_at(self.rest.find(is_reserved).unwrap_or(self.rest.len()));
        self.rest = rest;
        bare
    }

    fn quoted(&mut self) -> Result<String, InvalidMatcher> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Ok(value);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                    Some((_, other)) => value.extend(['\\', other]),
                    None => break,
                },
                other => value.push(other),
            }
        }
        Err(self.fail("this quote is never closed; a quote within the value is written \\\""))
    }
}

#[cfg(test)]
#[path = "matcher_tests.rs"]
mod tests;
