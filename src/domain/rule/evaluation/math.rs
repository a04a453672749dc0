//! Grafana's math expressions over numbers: `$A`, `${A}`, constants, functions and operators (`pkg/expr/mathexp`).

use super::index::Index;
use super::{Known, Value, Values, number};

/// How deep brackets and signs may go. Nobody writes such, and each level takes stack.
const DEEPEST: usize = 64;

/// An expression that is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Math {
    Constant(Option<f64>),
    Node(String),
    Call(Function, Box<Self>),
    Not(Box<Self>),
    Minus(Box<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Log,
    Ceil,
    Floor,
    Round,
    IsNan,
    IsInf,
    IsNull,
    IsNumber,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Eq,
    Ne,
    Ge,
    Le,
    Gt,
    Lt,
    Add,
    Sub,
    Power,
    Mul,
    Div,
    Rem,
}

/// How operators are written, and how strongly they bind; those that others begin with come later.
const OPERATORS: [(&str, Operator, u8); 14] = [
    ("||", Operator::Or, 1),
    ("&&", Operator::And, 2),
    ("==", Operator::Eq, 3),
    ("!=", Operator::Ne, 3),
    (">=", Operator::Ge, 3),
    ("<=", Operator::Le, 3),
    (">", Operator::Gt, 3),
    ("<", Operator::Lt, 3),
    ("+", Operator::Add, 4),
    ("-", Operator::Sub, 4),
    ("**", Operator::Power, 6),
    ("*", Operator::Mul, 5),
    ("/", Operator::Div, 5),
    ("%", Operator::Rem, 5),
];

impl Math {
    /// Reads an expression; says what can't be read of it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text, deep: 0 };
        let read = parser.binary(1)?;
        parser.space();
        if parser.rest.is_empty() {
            Ok(read)
        } else {
            Err(format!("{:?} isn't understood", parser.rest))
        }
    }

    /// The nodes that it names.
    pub(super) fn needs(&self, into: &mut Vec<String>) {
        match self {
            Self::Constant(_) => {}
            Self::Node(name) => into.push(name.clone()),
            Self::Call(_, inner) | Self::Not(inner) | Self::Minus(inner) => inner.needs(into),
            Self::Binary(_, left, right) => {
                left.needs(into);
                right.needs(into);
            }
        }
    }

    /// Which way its first comparison looks: whether lower values are what it fires at.
    pub(super) fn looks_down(&self) -> Option<bool> {
        match self {
            Self::Constant(_) | Self::Node(_) => None,
            Self::Call(_, inner) | Self::Not(inner) | Self::Minus(inner) => inner.looks_down(),
            Self::Binary(operator, left, right) => {
                // A constant on the left turns it around.
                let is_turned = matches!(**left, Self::Constant(_));
                match operator {
                    Operator::Gt | Operator::Ge => Some(is_turned),
                    Operator::Lt | Operator::Le => Some(!is_turned),
                    _ => left.looks_down().or_else(|| right.looks_down()),
                }
            }
        }
    }

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
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "abs" => Self::Abs,
            "log" => Self::Log,
            "ceil" => Self::Ceil,
            "floor" => Self::Floor,
            "round" => Self::Round,
            "is_nan" => Self::IsNan,
            "is_inf" => Self::IsInf,
            "is_null" => Self::IsNull,
            "is_number" => Self::IsNumber,
            _ => return None,
        })
    }

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

struct Parser<'a> {
    rest: &'a str,
    deep: usize,
}

impl<'a> Parser<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn takes(&mut self, text: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.takes(text) {
            Ok(())
        } else {
            Err(format!("{text:?} is missing before {:?}", self.rest))
        }
    }

    fn taken_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn binary(&mut self, least: u8) -> Result<Math, String> {
        let mut left = self.unary()?;
        loop {
            self.space();
            let next = OPERATORS
                .iter()
                .find(|(text, ..)| self.rest.starts_with(text))
                .filter(|(.., binding)| *binding >= least);
            let Some((text, operator, binding)) = next else {
                return Ok(left);
            };
            self.expect(text)?;
            let right = self.binary(binding + 1)?;
            left = Math::Binary(*operator, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Math, String> {
        self.deep += 1;
        if self.deep > DEEPEST {
            return Err(format!("it is deeper than {DEEPEST} levels"));
        }
        let read = if self.takes("!") {
            Math::Not(Box::new(self.unary()?))
        } else if self.takes("-") {
            Math::Minus(Box::new(self.unary()?))
        } else {
            self.primary()?
        };
        self.deep -= 1;
        Ok(read)
    }

    fn primary(&mut self) -> Result<Math, String> {
        if self.takes("(") {
            let inner = self.binary(1)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.takes("$") {
            return self.node().map(Math::Node);
        }
        match self.rest.chars().next() {
            Some(c) if c.is_ascii_digit() || c == '.' => self.constant(),
            Some(c) if is_word(c) => self.call(),
            Some(_) => Err(format!("{:?} isn't understood", self.rest)),
            None => Err("it ends too early".to_owned()),
        }
    }

    fn node(&mut self) -> Result<String, String> {
        if let Some(rest) = self.rest.strip_prefix('{') {
            let (name, rest) = rest.split_once('}').ok_or("a variable never ends")?;
            self.rest = rest;
            return Ok(name.to_owned());
        }
        match self.taken_while(is_word) {
            "" => Err("a variable has no name".to_owned()),
            name => Ok(name.to_owned()),
        }
    }

    fn constant(&mut self) -> Result<Math, String> {
        let start = self.rest;
        self.taken_while(|c| c.is_ascii_digit() || c == '.');
        if let Some(rest) = self.rest.strip_prefix(['e', 'E']) {
            self.rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            self.taken_while(|c| c.is_ascii_digit());
        }
        let text = start.get(..start.len() - self.rest.len()).unwrap_or_default();
        let constant = text.parse();
        constant
            .map(|constant| Math::Constant(Some(constant)))
            .map_err(|_| format!("{text:?} is no number"))
    }

    fn call(&mut self) -> Result<Math, String> {
        let name = self.taken_while(is_word);
        let constant = match name {
            "null" => Some(None),
            "nan" => Some(Some(f64::NAN)),
            "inf" => Some(Some(f64::INFINITY)),
            "infn" => Some(Some(f64::NEG_INFINITY)),
            _ => None,
        };
        if let Some(constant) = constant {
            self.expect("(")?;
            self.expect(")")?;
            return Ok(Math::Constant(constant));
        }
        let function =
            Function::named(name).ok_or_else(|| format!("{name:?} is no function that is known"))?;
        self.expect("(")?;
        let inner = self.binary(1)?;
        self.expect(")")?;
        Ok(Math::Call(function, Box::new(inner)))
    }
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
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
    fn what_is_not_understood_is_said() {
        for text in [
            "",
            "$",
            "$A +",
            "$A > 5)",
            "sum($A)",
            "abs $A",
            "1..2",
            "${A",
            &"(".repeat(9000),
        ] {
            assert!(Math::parse(text).is_err(), "{text}");
        }
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
