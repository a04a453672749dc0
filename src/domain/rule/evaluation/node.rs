//! The queries and expressions of a rule, and what comes out of them at one moment.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::index::Index;
use super::threshold::Test;
use super::{Known, Labels, Outcome, Value, Values, Verdict, number};
use crate::domain::rule::data::math::Math;
use crate::domain::version::Version;
use crate::grafana::model::{AlertRule, Query};

/// From when on a reduction's mode counts for single numbers too (`grafana/grafana#74859`).
const MODES_ON_NUMBERS: Version = Version::new(10, 2, 0);
/// From when on a threshold can have an end of its own (`grafana/grafana#70998`).
const HYSTERESIS: Version = Version::new(10, 3, 0);
/// From when on nothing is above or below NaN; before a comparison with it was NaN, which fires (`grafana/grafana#86062`).
const NAN_IS_NOTHING: Version = Version::new(11, 1, 0);

/// The nodes of a rule, each behind those that it needs.
#[derive(Debug)]
pub struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    condition: &'a str,
    version: Version,
}

#[derive(Debug)]
struct Node<'a> {
    query: &'a Query,
    kind: Kind<'a>,
}

#[derive(Debug)]
enum Kind<'a> {
    /// What a data source is asked.
    Asked,
    Math(Math),
    Reduce(&'a str, Mode),
    Threshold {
        of: &'a str,
        begins: Test,
        ends: Option<Test>,
    },
}

/// What becomes of what is no number.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Strict,
    Drop,
    Replace(f64),
}

impl<'a> Graph<'a> {
    /// Puts the nodes in order; or says which of them can't be worked out here.
    pub fn of(rule: &'a AlertRule, version: Version) -> Result<Self, String> {
        let mut nodes = Vec::new();
        for query in &rule.data {
            let kind = kind(query, version).map_err(|why| format!("{}: {why}", query.ref_id))?;
            nodes.push(Node { query, kind });
        }
        let nodes = ordered(nodes)?;
        if !nodes.iter().any(|node| node.query.ref_id == rule.condition) {
            return Err(format!(
                "there is no entry {}, which is to decide",
                rule.condition
            ));
        }
        Ok(Self {
            nodes,
            condition: &rule.condition,
            version,
        })
    }

    /// What data sources are asked.
    pub fn queries(&self) -> impl Iterator<Item = &'a Query> {
        let asked = self.nodes.iter().filter(|node| matches!(node.kind, Kind::Asked));
        asked.map(|node| node.query)
    }

    /// The node whose number says most to people: what the last comparison compares.
    pub fn shown(&self) -> &str {
        let mut shown = self.condition;
        loop {
            let node = self.nodes.iter().find(|node| node.query.ref_id == shown);
            let Some(node) = node else { return shown };
            match &node.kind {
                Kind::Threshold { of, .. } => shown = of,
                Kind::Math(math) => {
                    let mut needs = Vec::new();
                    math.needs(&mut needs);
                    let Some(one) = needs
                        .first()
                        .filter(|first| needs.iter().all(|name| name == *first))
                    else {
                        return shown;
                    };
                    match self.nodes.iter().find(|node| node.query.ref_id == *one) {
                        Some(node) => shown = &node.query.ref_id,
                        None => return shown,
                    }
                }
                Kind::Reduce(..) | Kind::Asked => return shown,
            }
        }
    }

    /// Whether it fires where values are low.
    pub fn looks_down(&self) -> bool {
        let node = self.nodes.iter().find(|node| node.query.ref_id == self.condition);
        node.is_some_and(|node| match &node.kind {
            Kind::Threshold { begins, .. } => matches!(begins.kind.as_str(), "lt" | "lte"),
            Kind::Math(math) => math.looks_down().unwrap_or(false),
            Kind::Reduce(..) | Kind::Asked => false,
        })
    }

    /// What an evaluation with these answers of the data sources says. `is_active` tells of which alerts, by the labels of the condition's values, that they
    /// are pending or fire.
    pub fn evaluate(&self, mut known: Known, is_active: &dyn Fn(&Labels) -> bool) -> Vec<Outcome> {
        for node in &self.nodes {
            let values = match &node.kind {
                Kind::Asked => continue,
                Kind::Math(math) => math.eval(&known),
                Kind::Reduce(of, mode) => self.reduce(known.get(*of), *mode),
                Kind::Threshold { of, begins, ends } => {
                    let values = known.get(*of).into_iter().flatten();
                    let ends = ends.as_ref();
                    let each = values.map(|value| self.compare(value, begins, ends, is_active));
                    each.collect()
                }
            };
            known.insert(node.query.ref_id.clone(), values);
        }
        let mut outcomes = outcomes(&known, self.condition);
        for outcome in &mut outcomes {
            if outcome.labels.is_none() && outcome.verdict == Verdict::NoData {
                outcome.blamed = Some(self.without_data(&known));
            }
        }
        outcomes
    }

    /// A single number stays what it is, but for a mode that counts for it too.
    fn reduce(&self, values: Option<&Values>, mode: Mode) -> Values {
        let values = values.into_iter().flatten();
        let is_number = |x: Option<f64>| x.is_some_and(f64::is_finite);
        let counts = self.version >= MODES_ON_NUMBERS;
        let kept = values.filter_map(|value| match mode {
            Mode::Drop if counts && !is_number(value.number) => None,
            Mode::Replace(other) if counts && !is_number(value.number) => {
                Some(Value::of(value.labels.clone(), Some(other)))
            }
            _ => Some(Value::of(value.labels.clone(), value.number)),
        });
        kept.collect()
    }

    fn compare(
        &self,
        value: &Value,
        begins: &Test,
        ends: Option<&Test>,
        is_active: &dyn Fn(&Labels) -> bool,
    ) -> Value {
        let test = |test: &Test, x: Option<f64>| {
            x.map(|x| {
                if x.is_nan() && self.version < NAN_IS_NOTHING {
                    f64::NAN
                } else {
                    number(test.holds(x))
                }
            })
        };
        match ends {
            Some(ends) if is_active(&value.labels) => value.map(|x| {
                let over = test(ends, x)?;
                Some(if over.is_nan() { over } else { number(over == 0.0) })
            }),
            _ => value.map(|x| test(begins, x)),
        }
    }

    /// The queries that have no data, and their data sources.
    fn without_data(&self, known: &Known) -> (String, String) {
        let mut ids = Vec::new();
        let mut sources: Vec<&str> = Vec::new();
        for query in self.queries() {
            if known.get(&query.ref_id).is_none_or(Vec::is_empty) {
                ids.push(query.ref_id.as_str());
                if !sources.contains(&query.datasource_uid.as_str()) {
                    sources.push(&query.datasource_uid);
                }
            }
        }
        ids.sort_unstable();
        (ids.join(","), sources.join(","))
    }
}

/// What the condition's values say, each of one alert.
pub fn outcomes(known: &Known, condition: &str) -> Vec<Outcome> {
    let none = |verdict, values| {
        vec![Outcome {
            labels: None,
            verdict,
            values,
            blamed: None,
        }]
    };
    let mut numbers = Numbers::of(known);
    let mut seen = BTreeSet::new();
    let mut outcomes = Vec::new();
    for value in known.get(condition).into_iter().flatten() {
        if !seen.insert(&value.labels) {
            let labels: Vec<String> = value
                .labels
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let why = format!("two results have the same labels {{{}}}", labels.join(", "));
            return none(Verdict::Error(why), BTreeMap::new());
        }
        outcomes.push(Outcome {
            labels: Some(value.labels.clone()),
            verdict: match value.number {
                None => Verdict::NoData,
                Some(0.0) => Verdict::Normal,
                Some(_) => Verdict::Alerting,
            },
            values: numbers.of_alert(&value.labels),
            blamed: None,
        });
    }
    if outcomes.is_empty() {
        let none_of_them = Labels::new();
        let values = Numbers::of(known).of_alert(&none_of_them);
        return none(Verdict::NoData, values);
    }
    outcomes
}

/// The numbers of all nodes, by their labels.
struct Numbers<'a>(Vec<(&'a String, Index<'a>)>);

impl<'a> Numbers<'a> {
    fn of(known: &'a Known) -> Self {
        let each = known.iter().map(|(id, values)| (id, Index::within(values)));
        Self(each.collect())
    }

    /// Those that belong to an alert of these labels; of several of a node that with the most labels.
    fn of_alert(&mut self, labels: &'a Labels) -> BTreeMap<String, f64> {
        let each = self.0.iter_mut().filter_map(|(id, values)| {
            let fitting = values.find(labels).into_iter();
            let best = fitting.reduce(|best, next| {
                if next.labels.len() > best.labels.len() {
                    next
                } else {
                    best
                }
            })?;
            Some((id.clone(), best.number?))
        });
        each.collect()
    }
}

fn kind(query: &Query, version: Version) -> Result<Kind<'_>, String> {
    if !query.is_expression() {
        return Ok(Kind::Asked);
    }
    let text = |field: &str| query.model.get(field).and_then(Json::as_str).unwrap_or_default();
    match text("type") {
        "math" => Math::parse(text("expression"))
            .map(Kind::Math)
            .map_err(|why| why.to_string()),
        "reduce" => {
            let settings = query.model.get("settings");
            let mode = settings
                .and_then(|settings| settings.get("mode"))
                .and_then(Json::as_str);
            let mode = match mode.unwrap_or_default() {
                "" => Mode::Strict,
                "dropNN" => Mode::Drop,
                "replaceNN" => {
                    let other = settings.and_then(|settings| settings.get("replaceWithValue"));
                    Mode::Replace(other.and_then(Json::as_f64).unwrap_or_default())
                }
                other => return Err(format!("there is no mode {other} of a reduction")),
            };
            Ok(Kind::Reduce(named(text("expression")), mode))
        }
        "threshold" => {
            let conditions = query.model.get("conditions").and_then(Json::as_array);
            let Some([condition]) = conditions.map(Vec::as_slice) else {
                return Err("a threshold has one condition".to_owned());
            };
            let ends = condition.get("unloadEvaluator").filter(|_| version >= HYSTERESIS);
            Ok(Kind::Threshold {
                of: named(text("expression")),
                begins: Test::of(condition.get("evaluator"))?,
                ends: ends.map(|ends| Test::of(Some(ends))).transpose()?,
            })
        }
        "classic_conditions" => Err(
            "model.type is classic_conditions, which count over whole ranges of samples, and those of the past aren't known; write reduce and threshold, which do the same for one series each"
                .to_owned(),
        ),
        other => Err(format!(
            "model.type: expressions of type {other} aren't worked out here; math, reduce and threshold are"
        )),
    }
}

/// What an expression is of: `A`, `$A` or `${A}`.
fn named(text: &str) -> &str {
    text.trim().trim_matches(['$', '{', '}'])
}

/// The nodes in an order in which each comes behind those that it needs.
fn ordered(mut waiting: Vec<Node<'_>>) -> Result<Vec<Node<'_>>, String> {
    let mut ordered: Vec<Node<'_>> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |node: &Node<'_>| {
            node.needs()
                .iter()
                .all(|name| ordered.iter().any(|before| before.query.ref_id == *name))
        };
        let Some(at) = waiting.iter().position(is_ready) else {
            let left: Vec<&str> = waiting.iter().map(|node| node.query.ref_id.as_str()).collect();
            return Err(format!(
                "{} need each other, or an entry that there isn't",
                left.join(", ")
            ));
        };
        ordered.push(waiting.remove(at));
    }
    Ok(ordered)
}

impl Node<'_> {
    fn needs(&self) -> Vec<String> {
        match &self.kind {
            Kind::Asked => Vec::new(),
            Kind::Math(math) => {
                let mut names = Vec::new();
                math.needs(&mut names);
                names
            }
            Kind::Reduce(of, _) | Kind::Threshold { of, .. } => vec![(*of).to_owned()],
        }
    }
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
