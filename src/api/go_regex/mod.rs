//! Regular expressions as Grafana takes them: Go's syntax (`regexp/syntax` with its Perl flags, Go 1.22), which Rust's is close to and
//! not the same.
//!
//! [`Expression::parse`] accepts what Go accepts, but for what is too large, and writes it so that Rust's `regex` means the same: a brace that is no
//! repetition, a bracket within a class, `\Q..\E`, and `\d`, `\s`, `\w` and `\b` of ASCII alone. Some of what Go takes
//! has no translation that Rust compiles, and what takes long to be compiled isn't: any tenant may write `\pL{1000}`, which takes a second.
//! So whether the empty text is matched is read off the expression, and whoever wants to know more may have to go without.

mod group;
mod translator;

use regex::{Regex, RegexBuilder};
use translator::Translator;

/// How many characters an expression may ask for, all repetitions written out, beyond those that it is written with. Grafana keeps each of them
/// in memory and goes through them with every alert; no label value is as long.
const LARGEST: usize = 10_000;
/// How many of them what is compiled here may have.
const LARGEST_COMPILED: usize = 256;
/// How much memory that may take, in bytes. Compiling takes time in proportion.
const COMPILED_SIZE: usize = 64 << 10;

/// An expression that Go accepts.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    /// The same in Rust's syntax.
    rust: String,
    /// It matches the empty text.
    pub(super) matches_empty: bool,
    /// It is small, and of letters and classes that are quickly compiled.
    is_plain: bool,
}

impl Expression {
    /// Reads an expression, or says what is wrong with it for Go and what helps.
    pub(super) fn parse(go: &str) -> Result<Self, String> {
        let mut translator = Translator::new(go);
        translator.translate()?;
        let whole = translator.whole();
        if whole.size > LARGEST + go.len() {
            return Err(format!(
                "with its repetitions written out it asks for more than {LARGEST} characters; repeat less, or use * and +"
            ));
        }
        Ok(Self {
            is_plain: !translator.costs.are_high() && whole.size <= LARGEST_COMPILED,
            matches_empty: whole.matches_empty,
            rust: translator.rust,
        })
    }

    /// Compiles it so that it matches whole texts, as Alertmanager does; `None` where that would take long, or can't be.
    pub(super) fn compile(&self) -> Option<Regex> {
        let whole = || format!("^(?:{})$", self.rust);
        let compile = || RegexBuilder::new(&whole()).size_limit(COMPILED_SIZE).build().ok();
        self.is_plain.then(compile).flatten()
    }
}

#[cfg(test)]
#[path = "../go_regex_tests.rs"]
mod tests;
