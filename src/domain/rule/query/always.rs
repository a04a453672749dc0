//! Whether an alert's query yields values where it should yield a condition.
//!
//! A rule whose comparison can't be split off fires where its query has a sample, whatever its value: Prometheus' own rule. A query that
//! has one all the time then fires all the time, which hardly anybody means.

use super::language::{Language, sign};
use super::split::{Comparison, Obstacle, Split, is_set_operator, split, strip_parentheses, top};
use super::token::{self, Kind, Token};

/// What yields one value of many. `group` is left out: all that it says is that there is something.
const AGGREGATIONS: [&str; 11] = [
    "avg",
    "bottomk",
    "count",
    "count_values",
    "max",
    "min",
    "quantile",
    "stddev",
    "stdvar",
    "sum",
    "topk",
];

/// Functions that measure, beside all that end with `_over_time`.
const MEASURES: [&str; 10] = [
    "changes",
    "delta",
    "deriv",
    "histogram_quantile",
    "idelta",
    "increase",
    "irate",
    "predict_linear",
    "rate",
    "resets",
];

/// Words that make a condition of a query by themselves: there is a sample only where something is, or isn't, there.
const CONDITIONS: [&str; 7] = [
    "ALERTS",
    "ALERTS_FOR_STATE",
    "absent",
    "absent_over_time",
    "group",
    "last_over_time",
    "present_over_time",
];

/// Why a query has a sample whatever it measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Always {
    /// Nothing is compared.
    Uncompared,
    /// `bool` yields 0 where the comparison doesn't hold; where the word stands, in bytes.
    Bool(usize),
}

/// Whether a PromQL query has a sample whatever it measures, judged by what is outermost in it. Nothing is said of one that may be LogQL,
/// which has no sample where it has counted nothing.
pub fn always(query: &str) -> Option<Always> {
    let is_bool = match split(query).ok()? {
        Split::Whole(_, Obstacle::Bool) => true,
        Split::Whole(_, Obstacle::NoComparison) => false,
        _ => return None,
    };
    if sign(query)?.language != Language::PromQl {
        return None;
    }
    let tokens = token::scan(query).ok()?;
    if has_condition(&tokens) {
        return None;
    }
    let (inner, depth) = strip_parentheses(&tokens, 0);
    let top = top(inner, depth);
    if is_bool {
        let word = top.iter().find(|(_, token)| token.is_word(&["bool"]))?;
        return Some(Always::Bool(word.1.at));
    }
    (is_arithmetic(&top) || is_measured(&top)).then_some(Always::Uncompared)
}

/// Whether something within filters, so that there is a sample only where it holds.
fn has_condition(tokens: &[Token<'_>]) -> bool {
    let mut open = Vec::new();
    let mut before: Option<&Token<'_>> = None;
    for (i, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open(bracket) => open.push(bracket),
            Kind::Close(_) => drop(open.pop()),
            // The matchers of a selector compare texts.
            _ if open.contains(&'{') => {}
            Kind::Symbol if Comparison::of(token).is_some() => {
                let is_bool = tokens.get(i + 1).is_some_and(|next| next.is_word(&["bool"]));
                if !is_bool {
                    return true;
                }
            }
            Kind::Word => {
                let joins = before.is_some_and(|before| is_set_operator(before, token));
                if CONDITIONS.contains(&token.text) || joins && !token.is_word(&["or"]) {
                    return true;
                }
            }
            _ => {}
        }
        before = Some(token);
    }
    false
}

/// Whether what is outermost calculates. Two vectors that are matched by chosen labels have a sample only where both have one.
fn is_arithmetic(top: &[(usize, &Token<'_>)]) -> bool {
    let is_matched = top.iter().any(|(_, token)| token.is_word(&["on", "ignoring"]));
    let calculates = |(i, (_, token)): (usize, &(usize, &Token<'_>))| {
        // `offset -5m` has a sign, not a difference.
        let is_offset = i
            .checked_sub(1)
            .and_then(|i| top.get(i))
            .is_some_and(|(_, before)| before.is_word(&["offset"]) || before.text == "@");
        token.kind == Kind::Symbol && matches!(token.text, "+" | "-" | "*" | "/" | "%" | "^") && !is_offset
    };
    !is_matched && top.iter().enumerate().any(calculates)
}

/// Whether what is outermost is an aggregation or a function that measures.
fn is_measured(top: &[(usize, &Token<'_>)]) -> bool {
    let [(_, first), (_, next), ..] = top else {
        return false;
    };
    let is_call = next.kind == Kind::Open('(');
    let aggregates = first.is_word(&AGGREGATIONS) && (is_call || next.is_word(&["by", "without"]));
    aggregates || is_call && (MEASURES.contains(&first.text) || first.text.ends_with("_over_time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_sample_whatever_it_measures_is_told() {
        for query in [
            "sum(rate(x[5m]))",
            "sum by (job) (rate(x[5m]))",
            "SUM(x) without (pod)",
            "(avg(up))",
            "rate(x[5m])",
            "increase(x{code!=\"200\"}[1h] offset 1d)",
            "max_over_time(x[10m])",
            "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))",
            "a / b",
            "100 * (1 - a / b)",
            "sum(rate(x[5m]) or vector(0))",
            "sum(up == bool 0)",
        ] {
            assert_eq!(always(query), Some(Always::Uncompared), "{query}");
        }
        assert_eq!(always("up == bool 0"), Some(Always::Bool(6)));
        assert_eq!(always("(sum(rate(x[5m])) > bool 5)"), Some(Always::Bool(20)));
    }

    #[test]
    fn what_is_a_condition_by_itself_is_not_told() {
        for query in [
            "sum(rate(x[5m])) > 5",
            "x",
            "x offset -5m",
            "x @ -5",
            "ALERTS{alertstate=\"firing\"}",
            "count(ALERTS)",
            "absent(up)",
            "absent(up) * 5",
            "absent_over_time(up[5m])",
            "present_over_time(x[5m])",
            "group by (pod) (x)",
            "count(up == 0)",
            "(x > 5) * 100",
            "(x > 5) == bool 1",
            "sum(a and b)",
            "a and b",
            "a unless on (x) b",
            "a > b",
            "a > on (x) b",
            "a * on (pod) group_left b",
            "vector(1)",
            "1 + 1",
            // Loki counts nothing where there is nothing.
            "sum(count_over_time({app=\"a\"} |= \"x\" [5m]))",
            "sum(rate({app=\"a\"}[5m]))",
            // Nobody can read it.
            "sum(x",
            "",
        ] {
            assert_eq!(always(query), None, "{query}");
        }
    }
}
