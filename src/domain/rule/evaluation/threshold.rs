//! Thresholds: what a rule compares its value with.

use serde_json::Value as Json;

use crate::domain::rule::data::words;
use crate::grafana::model::{AlertRule, Query};

/// The number that values are compared with, where there is just one.
pub fn of(rule: &AlertRule) -> Option<f64> {
    let node = rule
        .data
        .iter()
        .find(|node| node.ref_id == rule.condition && node.is_expression())?;
    let text = |field: &str| node.model.get(field).and_then(Json::as_str);
    match text("type")? {
        "threshold" => match node
            .model
            .pointer("/conditions/0/evaluator/params")?
            .as_array()?
            .as_slice()
        {
            [only] => only.as_f64(),
            _ => None,
        },
        "math" => rewritten(text("expression")?, 0.0).map(|(_, old)| old),
        _ => None,
    }
}

/// The same with another number in the place of the one that is compared; fails where there isn't just one.
pub fn replaced(rule: &AlertRule, threshold: f64) -> Result<AlertRule, String> {
    let mut other = rule.clone();
    let none = || {
        "--threshold takes the place of one number that a value is compared with, and this rule has none such or several".to_owned()
    };
    let text = |model: &Json, field: &str| {
        model
            .get(field)
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    // "Any value at all" compares with a constant that nobody has written.
    let mut all = rule.data.iter();
    let is_written = !all.any(|node| text(&node.model, "expression").starts_with("!is_null("));
    let is_condition = |node: &&mut Query| node.ref_id == rule.condition && node.is_expression();
    let Some(decides) = other.data.iter_mut().find(is_condition) else {
        return Err(none());
    };
    match text(&decides.model, "type").as_str() {
        "threshold" => {
            // With a second number, for the way back, the one in question isn't alone.
            let unloads = decides.model.pointer("/conditions/0/unloadEvaluator");
            if unloads.is_some_and(|evaluator| !evaluator.is_null()) {
                return Err(none());
            }
            let params = decides.model.pointer_mut("/conditions/0/evaluator/params");
            match params.and_then(Json::as_array_mut).map(Vec::as_mut_slice) {
                Some([only]) if is_written => *only = threshold.into(),
                _ => return Err(none()),
            }
        }
        "math" => {
            let text = text(&decides.model, "expression");
            let (changed, _) = rewritten(&text, threshold).ok_or_else(none)?;
            if let Some(expression) = decides.model.get_mut("expression") {
                *expression = changed.into();
            }
        }
        _ => return Err(none()),
    }
    Ok(other)
}

/// A comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Test {
    pub(super) kind: String,
    low: f64,
    high: f64,
}

impl Test {
    /// Reads an evaluator; says what is wrong with it.
    pub(super) fn of(evaluator: Option<&Json>) -> Result<Self, String> {
        let kind = evaluator
            .and_then(|evaluator| evaluator.get("type"))
            .and_then(Json::as_str);
        let params = evaluator
            .and_then(|evaluator| evaluator.get("params"))
            .and_then(Json::as_array);
        let params: Vec<f64> = params.into_iter().flatten().filter_map(Json::as_f64).collect();
        let kind = kind.unwrap_or_default();
        let needed = words::numbers(kind).ok_or_else(|| format!("a threshold can't be {kind:?}"))?;
        match (params.first(), params.get(1)) {
            (Some(low), high) if params.len() >= needed => Ok(Self {
                kind: kind.to_owned(),
                low: *low,
                high: high.copied().unwrap_or_default(),
            }),
            _ => Err(format!("the threshold {kind} lacks a number")),
        }
    }

    #[expect(clippy::float_cmp, reason = "Grafana compares so")]
    /// Whether it holds.
    pub(super) fn holds(&self, x: f64) -> bool {
        let (low, high) = (self.low, self.high);
        match self.kind.as_str() {
            "gt" => x > low,
            "lt" => x < low,
            "eq" => x == low,
            "ne" => x != low,
            "gte" => x >= low,
            "lte" => x <= low,
            "within_range" => x > low && x < high,
            "within_range_included" => x >= low && x <= high,
            "outside_range_included" => x <= low || x >= high,
            _ => x < low || x > high,
        }
    }
}

/// A math expression with another number behind its only comparison, and the one that is there.
fn rewritten(text: &str, threshold: f64) -> Option<(String, f64)> {
    let is_operator = |c: char| matches!(c, '<' | '>' | '=');
    let at = text.rfind(is_operator)? + 1;
    let (before, rest) = text.split_at_checked(at)?;
    // `>=` is one comparison.
    let others = before.trim_end_matches(|c| is_operator(c) || c == '!');
    if others.contains(is_operator) {
        return None;
    }
    let number = rest.trim_start();
    let end = number.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+')));
    let (old, behind) = number.split_at_checked(end.unwrap_or(number.len()))?;
    // In `$A > 0.9 * $B` it is but a part of what is compared with.
    if behind.contains(|c: char| c != ')' && !c.is_whitespace()) {
        return None;
    }
    let old = old.parse().ok()?;
    let space = rest.get(..rest.len() - number.len())?;
    Some((format!("{before}{space}{threshold}{behind}"), old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_behind_the_only_comparison_is_another_one() {
        for (text, said) in [
            ("$B >= -1e3", Some(("$B >= 2", -1000.0))),
            ("is_number(1 / ($B > 5))", Some(("is_number(1 / ($B > 2))", 5.0))),
            ("$B > 5 && $B < 9", None),
            ("$B > $A", None),
            ("$A > 0.9 * $B", None),
            ("($A > 5 ) ", Some(("($A > 2 ) ", 5.0))),
            ("$B", None),
        ] {
            let rewritten = rewritten(text, 2.0);
            let rewritten = rewritten.as_ref().map(|(text, old)| (text.as_str(), *old));
            assert_eq!(rewritten, said, "{text}");
        }
    }
}
