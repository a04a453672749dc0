//! The functions, variables and fields that Grafana's templates of annotations and labels know.

use std::collections::BTreeSet;

use super::action::{Action, Kind};
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
    /// A field of the alert.
    #[error(
        "the alert has no field {0}, and Grafana shows the whole text as it is written; it has .Labels, .Values and .Value"
    )]
    Field(String),
}

/// What a text uses that Grafana's templates of annotations and labels don't have, each once. A text that isn't a template at
/// all is left to `check`.
pub fn unknown(text: &str) -> BTreeSet<Unknown> {
    let mut found = BTreeSet::new();
    let (mut declared, mut used) = (BTreeSet::new(), BTreeSet::new());
    let read = templates_of_alert(text).and_then(|of_alert| {
        walk(text, of_alert, |action, scopes| {
            found.extend(functions(action).chain(fields(action, scopes)));
            let body = scopes.body().start;
            for (i, token) in action.tokens.iter().enumerate() {
                if token.kind == Kind::Variable && action.declares(i) {
                    declared.insert((body, token.text));
                } else if token.kind == Kind::Variable {
                    used.insert((body, token.text));
                }
            }
        })
    });
    if read.is_err() {
        return BTreeSet::new();
    }
    let is_given = |(body, name): &(usize, &str)| *name == "$" || *body == 0 && VARIABLES.contains(name);
    let undeclared = used.difference(&declared).filter(|variable| !is_given(variable));
    found.extend(undeclared.map(|(_, name)| Unknown::Variable((*name).to_owned())));
    found
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
