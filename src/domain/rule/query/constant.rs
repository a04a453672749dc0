//! Arithmetic on plain numbers, such as the `7 * 24 * 3600` in `age > 7 * 24 * 3600`.

use super::token::{Kind, Token};
use crate::api::duration::Duration;

/// The value of an expression of numbers; `None` if it is anything else, or if LogQL and PromQL disagree about it.
pub(super) fn value(tokens: &[Token<'_>]) -> Option<f64> {
    let mut reader = Reader { tokens, depth: 0 };
    let value = reader.sum()?;
    reader.tokens.is_empty().then_some(value)
}

/// Parentheses and signs deeper than this are no arithmetic that a person wrote.
const DEEPEST: usize = 64;

struct Reader<'t, 'a> {
    tokens: &'t [Token<'a>],
    depth: usize,
}

impl<'a> Reader<'_, 'a> {
    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product()?;
        while let Some(op) = self.symbol(&["+", "-"]) {
            let right = self.product()?;
            value = if op == "+" { value + right } else { value - right };
        }
        Some(value)
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.signed()?;
        while let Some(op) = self.symbol(&["*", "/", "%"]) {
            let right = self.signed()?;
            value = match op {
                "*" => value * right,
                "/" => value / right,
                _ => value % right,
            };
        }
        Some(value)
    }

    fn signed(&mut self) -> Option<f64> {
        let Some(sign) = self.symbol(&["+", "-"]) else {
            return self.power();
        };
        let operand = self.nested(Self::signed_operand)?;
        Some(if sign == "-" { -operand } else { operand })
    }

    /// A power behind a sign is given up on: `-2 ^ 2` is 4 in LogQL and -4 in PromQL.
    fn signed_operand(&mut self) -> Option<f64> {
        let is_sign = |t: &Token<'_>| t.kind == Kind::Symbol && matches!(t.text, "+" | "-");
        let operand = if self.tokens.first().is_some_and(is_sign) {
            self.signed()?
        } else {
            self.atom()?
        };
        self.symbol(&["^"]).is_none().then_some(operand)
    }

    fn power(&mut self) -> Option<f64> {
        let base = self.atom()?;
        match self.symbol(&["^"]) {
            Some(_) => Some(base.powf(self.nested(Self::signed)?)),
            None => Some(base),
        }
    }

    fn atom(&mut self) -> Option<f64> {
        let (token, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        match token.kind {
            Kind::Number => number(token.text),
            Kind::Word if token.is_word(&["inf"]) => Some(f64::INFINITY),
            Kind::Word if token.is_word(&["nan"]) => Some(f64::NAN),
            Kind::Open('(') => {
                let value = self.nested(Self::sum)?;
                let (close, rest) = self.tokens.split_first()?;
                self.tokens = rest;
                (close.kind == Kind::Close(')')).then_some(value)
            }
            _ => None,
        }
    }

    fn nested(&mut self, read: impl Fn(&mut Self) -> Option<f64>) -> Option<f64> {
        if self.depth == DEEPEST {
            return None;
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn symbol(&mut self, symbols: &[&str]) -> Option<&'a str> {
        let (token, rest) = self.tokens.split_first()?;
        if token.kind != Kind::Symbol || !symbols.contains(&token.text) {
            return None;
        }
        self.tokens = rest;
        Some(token.text)
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a threshold beyond 2^53 is a float in Loki and Prometheus too"
)]
fn number(text: &str) -> Option<f64> {
    let digits = text.replace('_', "");
    if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return u64::from_str_radix(hexadecimal, 16).ok().map(|n| n as f64);
    }
    // 010 is 8 in PromQL and 10 in LogQL.
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().or_else(|| duration(text))
}

/// Prometheus reads a duration as its seconds.
fn duration(text: &str) -> Option<f64> {
    Some(Duration::parse(text).ok()?.checked().ok()?.as_secs_f64())
}
