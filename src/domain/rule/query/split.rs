//! Splits the comparison off an alert's query.
//!
//! People write `sum(rate(…)) > 5`. Grafana shows a value, and a state other than "no data", only if it is asked for
//! `sum(rate(…))` and does the comparison itself. LogQL and PromQL agree on everything that matters for this:
//! brackets, strings, comments, numbers, and that comparisons bind weaker than arithmetic and stronger than `and`,
//! `unless` and `or`. So one scanner serves both; what stands in brackets is only balanced, never understood.

use std::fmt;

use super::constant;
use super::error::{Problem, QueryError};
use super::token::{self, Kind, Token};

/// An alert's query, taken apart as far as it can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Split<'a> {
    /// The alert fires where the query's value compares so with the threshold.
    Comparison {
        /// The expression without the comparison, word for word.
        query: &'a str,
        /// How the value is compared.
        op: Comparison,
        /// What it is compared with; never infinite and never NaN.
        threshold: f64,
    },
    /// The alert fires where the query has a sample at all, whatever its value: Prometheus' own rule.
    Whole(&'a str, Obstacle),
}

/// How a value is compared with a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    Gt,
    /// `<`
    Lt,
    /// `>=`
    Ge,
    /// `<=`
    Le,
    /// `==`
    Eq,
    /// `!=`
    Ne,
}

impl Comparison {
    const ALL: [Self; 6] = [Self::Gt, Self::Lt, Self::Ge, Self::Le, Self::Eq, Self::Ne];

    /// The operator as LogQL, PromQL and Grafana's math write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gt => ">",
            Self::Lt => "<",
            Self::Ge => ">=",
            Self::Le => "<=",
            Self::Eq => "==",
            Self::Ne => "!=",
        }
    }

    /// The same comparison with its sides exchanged: `5 < x` is `x > 5`.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Gt => Self::Lt,
            Self::Lt => Self::Gt,
            Self::Ge => Self::Le,
            Self::Le => Self::Ge,
            same @ (Self::Eq | Self::Ne) => same,
        }
    }

    pub(super) fn of(token: &Token<'_>) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|op| token.kind == Kind::Symbol && token.text == op.as_str())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why no comparison was split off. None of these is a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Nothing is compared outside brackets.
    #[error("nothing is compared")]
    NoComparison,
    /// `and`, `or` or `unless` joins the last results.
    #[error("and, or or unless joins several results")]
    SetOperator,
    /// `a > 1 > 0`.
    #[error("there is more than one comparison")]
    Chain,
    /// `> bool` yields 0 or 1 instead of filtering.
    #[error("bool makes the comparison yield 0 or 1")]
    Bool,
    /// `> on(…)` or `> ignoring(…)` compares two vectors.
    #[error("the comparison matches two vectors")]
    VectorMatching,
    /// Neither side is a number that is known beforehand.
    #[error("neither side of the comparison is a fixed number")]
    NoNumber,
    /// Both sides are numbers.
    #[error("both sides of the comparison are fixed numbers")]
    OnlyNumbers,
    /// The number is infinite or NaN, which Grafana's thresholds can't hold.
    #[error("the number compared with is not finite")]
    NotFinite,
}

/// Takes a LogQL or PromQL query apart. Constant arithmetic beside the comparison is worked out: `x > 5 * 1024` has the threshold
/// 5120. A query that Loki and Prometheus would both refuse, for a reason that is visible here, is an error.
pub fn split(query: &str) -> Result<Split<'_>, QueryError> {
    let tokens = token::scan(query)?;
    let (inner, depth) = strip_parentheses(&tokens, 0);
    let top = top(inner, depth);
    refuse_selector(query, inner, &top)?;
    refuse_nonsense(query, &top)?;
    let (operand, op, threshold) = match comparison(inner, &top) {
        Ok(found) => found,
        Err(obstacle) => return Ok(Split::Whole(query.trim(), obstacle)),
    };
    // What is compared stands alone from here on, and may be in parentheses of its own.
    let (inner, depth) = strip_parentheses(operand, depth);
    refuse_nonsense(query, &self::top(inner, depth))?;
    Ok(Split::Comparison {
        query: token::source(operand),
        op,
        threshold,
    })
}

/// The tokens that stand in no parentheses but those so deep, with their places.
pub(super) fn top<'t, 'a>(tokens: &'t [Token<'a>], depth: usize) -> Vec<(usize, &'t Token<'a>)> {
    let all = tokens.iter().enumerate();
    all.filter(|(_, t)| t.depth == depth).collect()
}

/// Takes away parentheses around everything that stands so deep, and tells how deep what is left stands.
///
/// A pair encloses everything between if nothing there is as shallow as it is. The shallowest of all that isn't a
/// parenthesis in a pair from both ends says how many pairs do.
pub(super) fn strip_parentheses<'t, 'a>(tokens: &'t [Token<'a>], depth: usize) -> (&'t [Token<'a>], usize) {
    let is_pair = |(first, last): &(&Token<'a>, &Token<'a>)| {
        first.kind == Kind::Open('(') && last.kind == Kind::Close(')')
    };
    let pairs = tokens.iter().zip(tokens.iter().rev());
    let pairs = pairs.take(tokens.len() / 2).take_while(is_pair).count();
    let between = tokens.get(pairs..tokens.len() - pairs).unwrap_or_default();
    let shallowest = between.iter().map(|t| t.depth - depth).min();
    let enclosing = shallowest.unwrap_or(pairs).min(pairs);
    let inner = tokens.get(enclosing..tokens.len() - enclosing);
    (inner.unwrap_or_default(), depth + enclosing)
}

/// What is compared, how, and with which number.
type Compared<'t, 'a> = (&'t [Token<'a>], Comparison, f64);

fn comparison<'t, 'a>(
    inner: &'t [Token<'a>],
    top: &[(usize, &Token<'a>)],
) -> Result<Compared<'t, 'a>, Obstacle> {
    if top
        .windows(2)
        .any(|pair| matches!(pair, [(_, before), (_, t)] if is_set_operator(before, t)))
    {
        return Err(Obstacle::SetOperator);
    }
    let mut comparisons = top.iter().filter_map(|(at, t)| Some((*at, Comparison::of(t)?)));
    let (at, op) = comparisons.next().ok_or(Obstacle::NoComparison)?;
    if comparisons.next().is_some() {
        return Err(Obstacle::Chain);
    }
    let (left, right) = (
        inner.get(..at).unwrap_or_default(),
        inner.get(at + 1..).unwrap_or_default(),
    );
    match right {
        [word, _, ..] if word.is_word(&["bool"]) => return Err(Obstacle::Bool),
        [word, open, ..] if word.is_word(&["on", "ignoring"]) && open.kind == Kind::Open('(') => {
            return Err(Obstacle::VectorMatching);
        }
        _ => {}
    }
    let (query, op, threshold) = match (constant::value(left), constant::value(right)) {
        (None, Some(threshold)) => (left, op, threshold),
        (Some(threshold), None) => (right, op.mirrored(), threshold),
        (None, None) => return Err(Obstacle::NoNumber),
        (Some(_), Some(_)) => return Err(Obstacle::OnlyNumbers),
    };
    if !threshold.is_finite() {
        return Err(Obstacle::NotFinite);
    }
    Ok((query, op, threshold))
}

/// A metric may be called `or` too; an operator stands behind an operand.
pub(super) fn is_set_operator(before: &Token<'_>, token: &Token<'_>) -> bool {
    before.kind != Kind::Symbol && token.is_word(&["and", "or", "unless"])
}

/// A selector alone is a log query, unless it says that it names a metric.
fn refuse_selector(query: &str, inner: &[Token<'_>], top: &[(usize, &Token<'_>)]) -> Result<(), QueryError> {
    let selector = top.first().filter(|(_, first)| first.kind == Kind::Open('{'));
    let names_a_metric = || {
        let is_named = inner.iter().any(|t| t.is_word(&["__name__"]));
        is_named || inner.get(1).is_some_and(|t| t.kind == Kind::Text)
    };
    match selector {
        Some((_, first)) if top.len() == 2 && !names_a_metric() => {
            Err(QueryError::at(query, first.at, Problem::LogQuery))
        }
        _ => Ok(()),
    }
}

/// Names the mistakes that are visible without knowing the language.
fn refuse_nonsense(query: &str, top: &[(usize, &Token<'_>)]) -> Result<(), QueryError> {
    let fail = |t: &Token<'_>, problem| Err(QueryError::at(query, t.at, problem));
    let Some((_, first)) = top.first() else {
        return Err(QueryError::at(query, 0, Problem::Empty));
    };
    let selects_logs = first.kind == Kind::Open('{');
    let is_comparison = |t: &Token<'_>| Comparison::of(t).is_some();
    for (i, (_, t)) in top.iter().enumerate() {
        let next = top.get(i + 1).map(|(_, t)| *t);
        match t.kind {
            Kind::Text if selects_logs => return fail(t, Problem::LogQuery),
            Kind::Text => return fail(t, Problem::Quoted),
            Kind::Open('[') => return fail(t, Problem::Range),
            Kind::Symbol if is_comparison(t) => {
                let has_both_sides = i > 0 && next.is_some_and(|next| !is_comparison(next));
                if !has_both_sides {
                    return fail(t, Problem::OneSided(t.text.to_owned()));
                }
            }
            Kind::Symbol => match t.text {
                "|" | "|=" | "|~" | "|>" | "!~" | "!>" => return fail(t, Problem::LogQuery),
                "=" => return fail(t, Problem::SingleEquals),
                "+" | "-" | "*" | "/" | "%" | "^" | "@" if next.is_none() => {
                    return fail(t, Problem::OneSided(t.text.to_owned()));
                }
                "+" | "-" | "*" | "/" | "%" | "^" | "@" => {}
                other => return fail(t, Problem::Unexpected(other.to_owned())),
            },
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "split_tests.rs"]
pub(super) mod tests;
