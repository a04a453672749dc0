//! What is found, and the rules that find it.

use std::fmt;

use super::path::Path;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth a thought.
    Info,
    /// Probably not what was meant, or bad for whoever is called at night.
    Warning,
    /// The API server, the operator or Grafana refuses it.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One rule: what `--list` and the documentation say of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, by which it is switched off.
    pub name: &'static str,
    /// How bad what it finds is, unless a finding says otherwise.
    pub level: Level,
    /// What it finds, in half a sentence.
    pub about: &'static str,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $constant:ident, $name:literal, $level:ident, $about:literal;)*) => {
        $($(#[$doc])* pub static $constant: Rule = Rule { name: $name, level: Level::$level, about: $about };)*

        /// Every rule, in the order in which they are listed.
        pub static RULES: &[&Rule] = &[$(&$constant),*];
    };
}

rules! {
    /// A file that isn't YAML.
    YAML, "yaml", Error, "a file that can't be read as YAML, or a key that is given twice";
    /// A template that nobody has rendered.
    HELM_BRACES, "helm-braces", Error, "Helm's {{ }} is left in a file: it has to be rendered first";
    /// What the schema doesn't allow.
    SCHEMA, "schema", Error, "an unknown or missing field, a wrong type, a value out of bounds";
    /// What a CEL rule of the schema doesn't allow.
    CEL, "cel", Error, "what the API server refuses by a rule of the resource's definition";
    /// A query that can't be taken apart.
    QUERY, "query", Error, "a query that isn't closed, yields lines or a range, or lacks a side of its comparison";
    /// A matcher that can't be read.
    MATCHER, "matcher", Error, "a matcher that Alertmanager would refuse";
    /// A template that isn't closed.
    TEMPLATE, "template", Error, "a template in which something is never closed";
    /// A duration that can't be read.
    DURATION, "duration", Error, "a text that is no duration";
    /// Anything else that the operator refuses.
    REFUSED, "refused", Error, "what the operator refuses though the API server takes it";
    /// Something that isn't there.
    REFERENCE, "reference", Error, "a reference to a resource that isn't among the files, which have others of its kind";
    /// Two that want to be one.
    DUPLICATE, "duplicate", Error, "two resources that want the same name, title, uid or policy tree";
    /// What a Grafana of that version lacks.
    UNSUPPORTED, "unsupported", Error, "what the Grafana of --grafana-version doesn't have";
    /// A severity that nobody routes.
    UNKNOWN_SEVERITY, "unknown-severity", Warning, "a severity that is none of critical, high, warning, info, and that no route matches";
    /// No severity.
    NO_SEVERITY, "no-severity", Warning, "a rule without a severity";
    /// Nobody knows what to do.
    NO_RUNBOOK, "no-runbook", Warning, "a critical or high rule without a runbook_url";
    /// Nobody knows what it is.
    NO_SUMMARY, "no-summary", Warning, "a rule without a summary";
    /// Nobody knows more.
    NO_DESCRIPTION, "no-description", Info, "a rule without a description";
    /// Fires at once.
    FOR_ZERO, "for-zero", Info, "a critical or high rule that fires at its first bad evaluation";
    /// One event.
    SINGLE_EVENT, "single-event", Warning, "a rule that fires for one single event";
    /// Nothing is compared.
    NO_COMPARISON, "no-comparison", Warning, "a query without a comparison, which fires whatever it measures";
    /// The value in a label.
    VALUE_IN_LABEL, "value-in-label", Warning, "a label that changes with the value, so that each change is another alert";
    /// Not Grafana's words.
    UNKNOWN_WORD, "unknown-word", Warning, "a function, field or variable that Grafana's templates don't have";
    /// How often.
    INTERVAL, "interval", Warning, "an interval that Grafana can't keep, or that doesn't fit for or the query's range";
    /// Never reached.
    UNREACHABLE_ROUTE, "unreachable-route", Warning, "a route that never gets an alert, because one before it takes all, or its parent lets none through";
    /// Nobody in particular.
    DEFAULT_ONLY, "default-only", Info, "a critical or high rule that no route takes: it goes to the default contact point alone";
    /// Everything is silent.
    BROAD_SILENCE, "broad-silence", Warning, "a silence that covers nearly everything, or lasts very long";
    /// Nobody uses it.
    UNUSED_CONTACT_POINT, "unused-contact-point", Warning, "a contact point that no policy and no rule refers to";
    /// A secret for everybody.
    SECRET_IN_CLEAR, "secret-in-clear", Warning, "a secret that stands in the resource for everybody to read";
    /// No such thing in Grafana.
    UNKNOWN_INTEGRATION, "unknown-integration", Warning, "an integration of type custom that no Grafana has";
    /// A lease that can't last.
    LEASE, "lease", Warning, "times of a maintenance policy that contradict each other";
    /// An expression that can't be worked out.
    EXPRESSION, "expression", Warning, "an expression in data that Grafana takes and can't work out, such as of an unknown function";
    /// A rule that isn't there is switched off.
    LINT_DISABLE, "lint-disable", Warning, "the annotation lint-disable names a rule that there isn't";
}

/// The rule of a name.
pub fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.name == name)
}

/// What of a field is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its name.
    Key,
    /// Its value.
    Value,
    /// A place within its text, in bytes.
    Byte(usize),
}

/// One thing that is wrong with a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that it breaks.
    pub rule: &'static Rule,
    /// How bad it is.
    pub level: Level,
    /// Which of the resources that were looked at.
    pub object: usize,
    /// The field.
    pub path: Path,
    /// What of the field.
    pub part: Part,
    /// What is wrong, and what helps.
    pub message: String,
    /// What is said at the very place, where that is shown.
    pub label: Option<String>,
}

impl Finding {
    /// What a rule has found at a field.
    pub fn new(rule: &'static Rule, object: usize, path: Path, message: impl Into<String>) -> Self {
        Self {
            rule,
            level: rule.level,
            object,
            path,
            part: Part::Value,
            message: message.into(),
            label: None,
        }
    }

    /// The same, of another part of the field.
    #[must_use]
    pub fn at(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// The same, of another level.
    #[must_use]
    pub fn of(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// The same, with a word at the very place.
    #[must_use]
    pub fn labelled(self, label: impl Into<String>) -> Self {
        Self {
            label: Some(label.into()),
            ..self
        }
    }
}

/// The byte of a text at a line and a column, both counted from 1, the column in characters.
pub fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text.get(start..).unwrap_or_default();
    let within = rest.char_indices().nth(column.saturating_sub(1));
    start + within.map_or(rest.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rules_have_names_of_their_own_that_can_be_written_in_a_list() {
        let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(names.len(), RULES.len());
        let is_plain = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(names.iter().all(|name| name.chars().all(is_plain)));
        assert_eq!(rule("schema").map(|rule| rule.level), Some(Level::Error));
        assert_eq!(rule("schemas"), None);
    }

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        let text = "aü\nb";
        assert_eq!(
            [(1, 1), (1, 3), (2, 1), (2, 2), (9, 9)].map(|(line, column)| byte_at(text, line, column)),
            [0, 3, 4, 5, 5]
        );
    }
}
