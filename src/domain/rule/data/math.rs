//! Grafana's math expressions as they are written: `$A`, `${A}`, constants, functions and operators (`pkg/expr/mathexp/parse`).

use std::fmt;

/// How deep brackets and signs may go. Nobody writes such, and each level takes stack.
const DEEPEST: usize = 64;

/// An expression that is read.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Math {
    /// A number; `None` is null.
    Constant(Option<f64>),
    /// The values of an entry.
    Node(String),
    /// A function of them.
    Call(Function, Box<Self>),
    /// 1 for 0, and 0 for any other number.
    Not(Box<Self>),
    /// With the other sign.
    Minus(Box<Self>),
    /// Two that are joined.
    Binary(Operator, Box<Self>, Box<Self>),
}

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Function {
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

/// What joins two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Operator {
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

/// The functions, as messages list them.
const FUNCTIONS: [&str; 13] = [
    "abs",
    "log",
    "ceil",
    "floor",
    "round",
    "is_nan",
    "is_inf",
    "is_null",
    "is_number",
    "null",
    "nan",
    "inf",
    "infn",
];

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

/// Why an expression can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Unread {
    /// It is no expression.
    Wrong(String),
    /// It may be one, and has more levels than anybody writes.
    Deep,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(why) => f.write_str(why),
            Self::Deep => write!(f, "it is deeper than {DEEPEST} levels"),
        }
    }
}

impl From<String> for Unread {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

impl Math {
    /// Reads an expression; says what can't be read of it.
    pub(in super::super) fn parse(text: &str) -> Result<Self, Unread> {
        let mut parser = Parser { rest: text, deep: 0 };
        let read = parser.binary(1)?;
        parser.space();
        if parser.rest.is_empty() {
            Ok(read)
        } else {
            Err(format!("{:?} isn't understood", parser.rest).into())
        }
    }

    /// The nodes that it names.
    #[cfg(feature = "cli")]
    pub(in super::super) fn needs(&self, into: &mut Vec<String>) {
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
    #[cfg(feature = "cli")]
    pub(in super::super) fn looks_down(&self) -> Option<bool> {
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

    fn expect(&mut self, text: &str) -> Result<(), Unread> {
        if self.takes(text) {
            Ok(())
        } else {
            Err(format!("{text:?} is missing before {:?}", self.rest).into())
        }
    }

    fn taken_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn binary(&mut self, least: u8) -> Result<Math, Unread> {
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

    fn unary(&mut self) -> Result<Math, Unread> {
        self.deep += 1;
        if self.deep > DEEPEST {
            return Err(Unread::Deep);
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

    fn primary(&mut self) -> Result<Math, Unread> {
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
            Some(_) => Err(format!("{:?} isn't understood", self.rest).into()),
            None => Err("it ends too early".to_owned().into()),
        }
    }

    fn node(&mut self) -> Result<String, Unread> {
        if let Some(rest) = self.rest.strip_prefix('{') {
            let (name, rest) = rest
                .split_once('}')
                .ok_or_else(|| "a variable never ends".to_owned())?;
            self.rest = rest;
            return Ok(name.to_owned());
        }
        match self.taken_while(|c| c == '_' || c.is_alphanumeric()) {
            "" => Err("a variable has no name".to_owned().into()),
            name => Ok(name.to_owned()),
        }
    }

    fn constant(&mut self) -> Result<Math, Unread> {
        let start = self.rest;
        if let Some(rest) = start.strip_prefix("0x").or_else(|| start.strip_prefix("0X")) {
            self.rest = rest;
            let digits = self.taken_while(|c| c.is_ascii_hexdigit());
            let whole = u32::from_str_radix(digits, 16);
            return whole
                .map(|whole| Math::Constant(Some(f64::from(whole))))
                .map_err(|_| format!("0x{digits} is no number").into());
        }
        self.taken_while(|c| c.is_ascii_digit() || c == '.');
        if let Some(rest) = self.rest.strip_prefix(['e', 'E']) {
            self.rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            self.taken_while(|c| c.is_ascii_digit());
        }
        let text = start.get(..start.len() - self.rest.len()).unwrap_or_default();
        let constant = text.parse();
        constant
            .map(|constant| Math::Constant(Some(constant)))
            .map_err(|_| format!("{text:?} is no number").into())
    }

    fn call(&mut self) -> Result<Math, Unread> {
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
        let function = Function::named(name)
            .ok_or_else(|| format!("{name:?} is no function; there are {}", FUNCTIONS.join(", ")))?;
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

    #[test]
    fn what_is_not_understood_is_said() {
        for text in [
            "", "$", "$A +", "$A > 5)", "sum($A)", "abs $A", "1..2", "0x", "${A", "abs()", "nan(1)",
        ] {
            assert!(matches!(Math::parse(text), Err(Unread::Wrong(_))), "{text}");
        }
        // Whether Grafana reads it isn't known.
        assert_eq!(Math::parse(&"(".repeat(9000)), Err(Unread::Deep));
    }

    #[test]
    fn what_grafana_reads_is_read() {
        for text in [
            "$Ä_1 > 0x1F",
            "${an entry} * 1. + .5",
            " - ( 1 )",
            "!is_null($A)",
            "infn() < $A",
        ] {
            assert!(Math::parse(text).is_ok(), "{text}");
        }
    }
}
