//! The functions, variables and fields that Grafana's templates of annotations and labels know.

use std::collections::BTreeSet;

use super::action::{Action, Kind};
use super::error::place;
use super::read::{field_at, templates_of_alert, walk};
use super::scope::Scopes;

/// Keywords, constants and functions of Go's `text/template` itself.
const GO: [&str; 32] = [
    "and", "block", "break", "call", "continue", "define", "else", "end", "eq", "false", "ge", "gt", "html",
    "if", "index", "js", "le", "len", "lt", "ne", "nil", "not", "or", "print", "printf", "println", "range",
    "slice", "template", "true", "urlquery", "with",
];

/// What Grafana adds: Prometheus' functions, as far as they need no data source, and its own for labels. From Grafana's template
/// reference, and from Prometheus' up to version 3, whose functions Grafana has as soon as it is built with it.
const GRAFANA: [&str; 28] = [
    "args",
    "externalURL",
    "filterLabels",
    "filterLabelsRe",
    "graphLink",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "match",
    "mergeLabelValues",
    "now",
    "parseDuration",
    "pathPrefix",
    "reReplaceAll",
    "removeLabels",
    "removeLabelsRe",
    "safeHtml",
    "stripDomain",
    "stripPort",
    "tableLink",
    "title",
    "toDuration",
    "toLower",
    "toTime",
    "toUpper",
    "urlQueryEscape",
];

/// Prometheus' functions that ask the data source again, or read its answer. Grafana has them, but nothing answers.
const OF_QUERIES: [&str; 6] = ["first", "label", "query", "sortByLabel", "strvalue", "value"];

/// Functions that rules have and notifications never had, of those that people take along. From Grafana's two template references.
const OF_RULES: [&str; 5] = [
    "humanize",
    "humanize1024",
    "humanizePercentage",
    "humanizeTimestamp",
    "query",
];

/// What notifications have beside Go's own: Alertmanager's functions and Grafana's, of any version up to 13.3. From Alertmanager's notification
/// template reference and Grafana's.
const NOTIFICATIONS: [&str; 30] = [
    "append",
    "args",
    "coll",
    "data",
    "date",
    "dict",
    "externalURL",
    "humanizeDuration",
    "join",
    "list",
    "match",
    "now",
    "pathPrefix",
    "reReplaceAll",
    "safeHtml",
    "safeUrl",
    "since",
    "stringSlice",
    "time",
    "title",
    "tmpl",
    "toDuration",
    "toJson",
    "toLower",
    "toTime",
    "toUpper",
    "trimSpace",
    "tz",
    "urlQueryEscape",
    "urlUnescape",
];

/// The variables that every text begins with.
const VARIABLES: [&str; 3] = ["$labels", "$value", "$values"];

/// The fields of an alert.
const FIELDS: [&str; 3] = [".Labels", ".Value", ".Values"];

/// What a text uses and Grafana doesn't have.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
    /// A function that asks the data source.
    #[error("{0} asks the data source again, which Grafana never does: it finds nothing")]
    Query(String),
    /// A function.
    #[error("Grafana has no function {0}, and shows the whole text as it is written")]
    Function(String),
    /// A variable that the text doesn't declare either.
    #[error(
        "Grafana has no variable {0}, and shows the whole text as it is written; it has $labels, $values and $value"
    )]
    Variable(String),
    /// A variable that Grafana has, within a template that the text defines, where none from outside is.
    #[error(
        "Grafana has no variable {0} within define, and shows the whole text as it is written; where the template is given the alert, write .Labels, .Values or .Value"
    )]
    Within(String),
    /// A field of the alert.
    #[error(
        "the alert has no field {0}, and Grafana shows the whole text as it is written; it has .Labels, .Values and .Value"
    )]
    Field(String),
    /// A name that Go's templates read no further than to its dash.
    #[error(
        "templates read no - in a name, and Grafana shows the whole text as it is written; write (index $labels \"{0}\")"
    )]
    Dash(String),
}

/// What the text of a notification uses and doesn't have.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfRules {
    /// A function.
    #[error(
        "a notification has no function {0}, and Grafana can't read the text; use it in an annotation of the rule, and show that by .Annotations"
    )]
    Function(String),
    /// A function that neither has, and where it stands.
    #[error(
        "line {1}, column {2}: notifications have no function {0} in any Grafana up to 13.3, which then can't read the text"
    )]
    Nowhere(String, usize, usize),
    /// A variable that the text doesn't declare either.
    #[error(
        "a notification has no variable {0}, and Grafana can't read the text; it has .CommonLabels and .CommonAnnotations, and within range .Alerts each alert's .Labels, .Annotations and .Values"
    )]
    Variable(String),
}

/// What a text uses that Grafana's templates of annotations and labels don't have, each once. A text that isn't a template at
/// all is left to `check`.
pub fn unknown(text: &str) -> BTreeSet<Unknown> {
    let mut found = BTreeSet::new();
    let undeclared = undeclared(text, &VARIABLES, |action, scopes| {
        found.extend(
            functions(action)
                .chain(fields(action, scopes))
                .chain(dashes(action)),
        );
    });
    let Some(undeclared) = undeclared else {
        return BTreeSet::new();
    };
    found.extend(undeclared.into_iter().map(|name| {
        // Outside it is declared.
        if VARIABLES.contains(&name.as_str()) {
            Unknown::Within(name)
        } else {
            Unknown::Variable(name)
        }
    }));
    if found.iter().any(|unknown| matches!(unknown, Unknown::Dash(..))) {
        // What stands behind a dash is no word of its own.
        found.retain(|unknown| matches!(unknown, Unknown::Dash(..)));
    }
    found
}

/// What a text of a notification uses that it doesn't have, each once. A newer Grafana may have more functions, so this is a warning.
pub fn unknown_to_notifications(text: &str) -> BTreeSet<OfRules> {
    let (mut found, mut nowhere) = (BTreeSet::new(), BTreeSet::new());
    let undeclared = undeclared(text, &[], |action, _| {
        let words = action.tokens.iter().filter(|token| token.kind == Kind::Word);
        for token in words {
            if OF_RULES.contains(&token.text) {
                found.insert(OfRules::Function(token.text.to_owned()));
            } else if !GO.contains(&token.text)
                && !NOTIFICATIONS.contains(&token.text)
                && nowhere.insert(token.text)
            {
                let (line, column) = place(text, token.span().start);
                found.insert(OfRules::Nowhere(token.text.to_owned(), line, column));
            }
        }
    });
    let Some(undeclared) = undeclared else {
        return BTreeSet::new();
    };
    found.extend(undeclared.into_iter().map(OfRules::Variable));
    found
}

/// The variables that a text uses and neither declares nor is given, after each of its actions was shown; `None` for what isn't a
/// template at all.
fn undeclared<'a>(
    text: &'a str,
    given: &[&str],
    mut visit: impl FnMut(&Action<'a>, &Scopes<'a>),
) -> Option<BTreeSet<String>> {
    let (mut declared, mut used) = (BTreeSet::new(), BTreeSet::new());
    let of_alert = templates_of_alert(text).ok()?;
    walk(text, of_alert, |action, scopes| {
        visit(action, scopes);
        let body = scopes.body().start;
        for (i, token) in action.tokens.iter().enumerate() {
            if token.kind == Kind::Variable && action.declares(i) {
                declared.insert((body, token.text));
            } else if token.kind == Kind::Variable {
                used.insert((body, token.text));
            }
        }
    })
    .ok()?;
    let is_given = |(body, name): &(usize, &str)| *name == "$" || *body == 0 && given.contains(name);
    let undeclared = used.difference(&declared).filter(|variable| !is_given(variable));
    Some(undeclared.map(|(_, name)| (*name).to_owned()).collect())
}

/// Fields whose name goes on with a dash, which Go's templates don't read: `$labels.my-label`.
fn dashes<'a>(action: &'a Action<'_>) -> impl Iterator<Item = Unknown> + 'a {
    let fields = action.tokens.iter().enumerate();
    let fields = fields.filter(|(_, token)| token.kind == Kind::Field);
    fields.filter_map(|(i, field)| {
        let (mut name, mut end) = (field.text.trim_start_matches('.').to_owned(), field.span().end);
        for next in action.tokens.iter().skip(i + 1) {
            let is_part =
                next.text == "-" || next.text.starts_with(|c: char| c == '_' || c.is_alphanumeric());
            if next.span().start != end || !is_part {
                break;
            }
            name.push_str(next.text);
            end = next.span().end;
        }
        name.contains('-').then_some(Unknown::Dash(name))
    })
}

fn functions<'a>(action: &'a Action<'_>) -> impl Iterator<Item = Unknown> + 'a {
    let words = action.tokens.iter().filter(|token| token.kind == Kind::Word);
    words.filter_map(|token| match token.text {
        known if GO.contains(&known) || GRAFANA.contains(&known) => None,
        of_queries if OF_QUERIES.contains(&of_queries) => Some(Unknown::Query(of_queries.to_owned())),
        other => Some(Unknown::Function(other.to_owned())),
    })
}

fn fields<'a>(action: &'a Action<'_>, scopes: &'a Scopes<'_>) -> impl Iterator<Item = Unknown> + 'a {
    (0..action.tokens.len()).filter_map(|i| {
        let field = field_at(action, i, scopes)?;
        (!FIELDS.contains(&field.name)).then(|| Unknown::Field(field.name.to_owned()))
    })
}
