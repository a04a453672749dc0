//! What a rule comes to at a moment: its expressions over the values of its queries, as Grafana's own engine (`pkg/expr`) works them out, and from
//! evaluation to evaluation the states of its alerts (`pkg/services/ngalert/state`). For people alone: the operator leaves evaluating to Grafana.

mod index;
pub mod machine;
mod math;
pub mod node;
pub mod past;
pub mod plan;
pub mod threshold;

use std::collections::BTreeMap;

/// The labels of a value, or of an alert.
pub type Labels = BTreeMap<String, String>;

/// One number that a node yields.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Its labels.
    pub labels: Labels,
    /// The number; `None` is null.
    pub number: Option<f64>,
    /// Whether it comes from constants alone: such a one goes with any other.
    is_scalar: bool,
}

impl Value {
    /// A value of a query.
    pub const fn of(labels: Labels, number: Option<f64>) -> Self {
        Self {
            labels,
            number,
            is_scalar: false,
        }
    }

    const fn scalar(number: Option<f64>) -> Self {
        Self {
            labels: Labels::new(),
            number,
            is_scalar: true,
        }
    }

    fn map(&self, change: impl Fn(Option<f64>) -> Option<f64>) -> Self {
        Self {
            number: change(self.number),
            ..self.clone()
        }
    }
}

/// What a node yields at one moment. None at all is "no data".
pub type Values = Vec<Value>;

/// The values of all nodes at one moment, by their refId.
pub type Known = BTreeMap<String, Values>;

/// What an evaluation says of one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The labels of the condition's value; `None` where it has no value at all, or failed.
    pub labels: Option<Labels>,
    /// What it says.
    pub verdict: Verdict,
    /// The numbers of all nodes that belong to it, as templates have them.
    pub values: BTreeMap<String, f64>,
    /// The queries that had no data or failed, and their data sources, where there are such.
    pub blamed: Option<(String, String)>,
}

/// What an evaluation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The condition doesn't hold.
    Normal,
    /// The condition holds.
    Alerting,
    /// There is nothing to compare.
    NoData,
    /// It failed, for this.
    Error(String),
}

const fn number(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
