//! Which of the two languages a query is surely written in.
//!
//! Most words are of both, and a query of these alone says nothing. What is looked for is what the other language has no place for: LogQL's
//! pipes and line filters, and the names of metrics, for which LogQL has selectors of log streams alone.

use std::fmt;

use super::error::place;
use super::token::{self, Kind, Token};

/// The languages that a comparison can be split off of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Loki's.
    LogQl,
    /// Prometheus'.
    PromQl,
}

impl Language {
    /// Judged by the type of a data source's plugin; managed Prometheus services have types of their own that hold the same word, and
    /// that of `VictoriaMetrics` takes the same query model.
    pub fn of_type(plugin: &str) -> Option<Self> {
        match plugin {
            "loki" => Some(Self::LogQl),
            other if other.contains("prometheus") => Some(Self::PromQl),
            "victoriametrics-metrics-datasource" | "victoriametrics-datasource" => Some(Self::PromQl),
            _ => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LogQl => "LogQL",
            Self::PromQl => "PromQL",
        })
    }
}

/// What only one of the languages can have, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign<'a> {
    /// That language.
    pub language: Language,
    /// Its word.
    pub word: &'a str,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// Words that are no names where they stand alone; those of `VictoriaMetrics` are none of LogQL's, but stand behind names.
const KEYWORDS: [&str; 16] = [
    "and",
    "or",
    "unless",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "offset",
    "inf",
    "nan",
    "of",
    "atan2",
    "ip",
];

/// What stands before a list of labels.
const GROUPINGS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Functions that are asked of metrics and that Loki doesn't have.
const OF_METRICS: [&str; 12] = [
    "absent",
    "delta",
    "deriv",
    "histogram_quantile",
    "holt_winters",
    "idelta",
    "increase",
    "irate",
    "label_join",
    "predict_linear",
    "resets",
    "timestamp",
];

/// Functions that are asked of log lines alone.
const OF_LOGS: [&str; 2] = ["bytes_over_time", "bytes_rate"];

/// What shows that a query can be only of one of the languages; `None` where it may be of either, or can't be read.
pub fn sign(query: &str) -> Option<Sign<'_>> {
    let tokens = token::scan(query).ok()?;
    let told = |language, token: &Token<'_>| {
        let (line, column) = place(query, token.at);
        let word = query.get(token.at..token.at + token.text.len())?;
        Some(Sign {
            language,
            word,
            line,
            column,
        })
    };
    if let Some(token) = of_logs(&tokens) {
        return told(Language::LogQl, token);
    }
    of_metrics(&tokens).and_then(|token| told(Language::PromQl, token))
}

/// The first token that PromQL has no place for.
fn of_logs<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<&'t Token<'a>> {
    let at = |i: usize| tokens.get(i);
    (0..tokens.len()).find_map(|i| {
        let token = at(i)?;
        let next = at(i + 1);
        let is_sign = match token.kind {
            Kind::Symbol => match token.text {
                "|" | "|=" | "|~" | "|>" | "!>" => true,
                // PromQL compares numbers; only in a selector is there a text.
                "!=" | "!~" => {
                    i.checked_sub(1)
                        .and_then(at)
                        .is_some_and(|t| t.kind == Kind::Close('}'))
                        && next.is_some_and(|t| t.kind == Kind::Text)
                }
                _ => false,
            },
            Kind::Word => token.is_word(&OF_LOGS) && next.is_some_and(is_call),
            _ => false,
        };
        is_sign.then_some(token)
    })
}

/// The first token that LogQL has no place for, in a query without pipes.
fn of_metrics<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<&'t Token<'a>> {
    // Whether the brackets that are open hold expressions.
    let mut open: Vec<bool> = Vec::new();
    let mut before: Option<&Token<'_>> = None;
    for (i, token) in tokens.iter().enumerate() {
        let next = tokens.get(i + 1);
        let is_expression = open.last().copied().unwrap_or(true);
        match token.kind {
            Kind::Open(bracket) => {
                let is_list = before.is_some_and(|t| t.is_word(&GROUPINGS));
                open.push(is_expression && bracket == '(' && !is_list);
                // A metric whose name is a text.
                let is_named = bracket == '{'
                    && next.is_some_and(|t| t.kind == Kind::Text)
                    && tokens
                        .get(i + 2)
                        .is_some_and(|t| t.kind == Kind::Close('}') || t.text == ",");
                if is_named && is_expression {
                    return next;
                }
            }
            Kind::Close(_) => drop(open.pop()),
            Kind::Word if is_expression => {
                // Grafana may put anything in the place of a variable.
                let is_variable = token.text.contains('$');
                // `sum by (x) (…)` is a call too.
                let is_called = next.is_some_and(|t| is_call(t) || t.is_word(&["by", "without"]));
                let is_name = !is_called && !token.is_word(&KEYWORDS);
                let is_function = next.is_some_and(is_call) && OF_METRICS.contains(&token.text);
                if !is_variable && (is_name || is_function) {
                    return Some(token);
                }
            }
            _ => {}
        }
        before = Some(token);
    }
    None
}

fn is_call(token: &Token<'_>) -> bool {
    token.kind == Kind::Open('(')
}

#[cfg(test)]
#[path = "language_tests.rs"]
mod tests;
