//! What math expressions come to over numbers (`pkg/expr/mathexp`).

use super::index::Index;
use super::{Known, Value, Values, number};
use crate::domain::rule::data::math::{Function, Math, Operator};

impl Math {
    /// The values at one moment.
    pub(super) fn eval(&self, known: &Known) -> Values {
        match self {
            Self::Constant(constant) => vec![Value::scalar(*constant)],
            Self::Node(name) => known.get(name).cloned().unwrap_or_default(),
            Self::Call(function, inner) => each(&inner.eval(known), |x| function.of(x)),
            // Not of NaN is NaN too.
            Self::Not(inner) => each(&inner.eval(known), |x| {
                x.map(|x| if x.is_nan() { x } else { number(x == 0.0) })
            }),
            Self::Minus(inner) => each(&inner.eval(known), |x| x.map(|x| -x)),
            Self::Binary(operator, left, right) => combine(*operator, &left.eval(known), &right.eval(known)),
        }
    }
}

fn each(values: &[Value], change: impl Fn(Option<f64>) -> Option<f64>) -> Values {
    values.iter().map(|value| value.map(&change)).collect()
}

/// Joins two sides by their labels: equal ones, one within the other, or the only ones on each side.
fn combine(operator: Operator, left: &[Value], right: &[Value]) -> Values {
    let pair = |a: &Value, b: &Value| Value {
        labels: if b.labels.len() > a.labels.len() {
            b.labels.clone()
        } else {
            a.labels.clone()
        },
        number: operator.of(a.number, b.number),
        is_scalar: a.is_scalar && b.is_scalar,
    };
    // A constant has no labels, and so goes with every value.
    let mut fitting = Index::joining(right);
    let mut joined = Vec::new();
    for a in left {
        joined.extend(fitting.find(&a.labels).into_iter().map(|b| pair(a, b)));
    }
    if let ([], [a], [b]) = (joined.as_slice(), left, right) {
        joined.push(pair(a, b));
    }
    joined
}

impl Function {
    fn of(self, x: Option<f64>) -> Option<f64> {
        match self {
            Self::IsNull => Some(number(x.is_none())),
            Self::IsNan => Some(number(x.is_some_and(f64::is_nan))),
            Self::IsInf => Some(number(x.is_some_and(f64::is_infinite))),
            Self::IsNumber => Some(number(x.is_some_and(f64::is_finite))),
            Self::Abs => x.map(f64::abs),
            Self::Log => x.map(f64::ln),
            Self::Ceil => x.map(f64::ceil),
            Self::Floor => x.map(f64::floor),
            Self::Round => x.map(f64::round),
        }
    }
}

impl Operator {
    #[expect(clippy::float_cmp, reason = "Grafana compares so")]
    fn of(self, a: Option<f64>, b: Option<f64>) -> Option<f64> {
        let (x, y) = (a?, b?);
        Some(match self {
            Self::Or if x != 0.0 => 1.0,
            Self::And if x == 0.0 => 0.0,
            _ if x.is_nan() || y.is_nan() => f64::NAN,
            Self::Or | Self::And => number(y != 0.0),
            Self::Eq => number(x == y),
            Self::Ne => number(x != y),
            Self::Ge => number(x >= y),
            Self::Le => number(x <= y),
            Self::Gt => number(x > y),
            Self::Lt => number(x < y),
            Self::Add => x + y,
            Self::Sub => x - y,
            Self::Power => x.powf(y),
            Self::Mul => x * y,
            Self::Div => x / y,
            Self::Rem => x % y,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, a: Option<f64>) -> Option<f64> {
        let known = Known::from([("A".to_owned(), vec![Value::of([].into(), a)])]);
        let values = Math::parse(text).unwrap().eval(&known);
        values.first().unwrap().number
    }

    #[test]
    fn a_comparison_holds_as_in_prometheus_also_for_what_is_no_number() {
        for (text, a, expected) in [
            ("is_number(1 / ($A > 5))", Some(6.0), 1.0),
            ("is_number(1 / ($A > 5))", Some(5.0), 0.0),
            ("is_number(1 / ($A > 5))", Some(f64::NAN), 0.0),
            ("is_number(1 / ($A > 5))", Some(f64::INFINITY), 1.0),
            ("!is_number(1 / ($A == 5))", Some(f64::NAN), 1.0),
            ("!is_null($A)", Some(0.0), 1.0),
            ("!is_null(${A})", None, 0.0),
            ("1 + 2 * -$A ** 2 - 1", Some(3.0), 18.0),
            ("abs($A) >= 1e2 || $A < -.5", Some(-1.0), 1.0),
            ("0 && nan()", Some(1.0), 0.0),
        ] {
            assert_eq!(at(text, a), Some(expected), "{text} of {a:?}");
        }
        assert!(at("1 && $A", Some(f64::NAN)).unwrap().is_nan());
        assert_eq!(at("$A + null()", Some(1.0)), None);
    }

    #[test]
    fn two_sides_go_together_by_their_labels() {
        let value = |labels: &[(&str, &str)], number| {
            let labels = labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Value::of(labels.collect(), Some(number))
        };
        let known = Known::from([
            (
                "A".to_owned(),
                vec![value(&[("a", "1"), ("b", "1")], 4.0), value(&[("a", "2")], 9.0)],
            ),
            (
                "B".to_owned(),
                vec![value(&[("a", "1")], 2.0), value(&[("a", "3")], 3.0)],
            ),
        ]);
        let joined = Math::parse("$A / $B").unwrap().eval(&known);
        assert_eq!(joined, [value(&[("a", "1"), ("b", "1")], 2.0)]);
        let none = Math::parse("$A / $C").unwrap().eval(&known);
        assert_eq!(none, []);
    }
}
