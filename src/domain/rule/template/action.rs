//! The actions of a template, and their tokens.

use std::ops::Range;

use super::error::{Problem, TemplateError};

/// What a token of an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `$value`, or `$` alone.
    Variable,
    /// `.Value`
    Field,
    /// A keyword or a function.
    Word,
    /// Anything else: strings, numbers, punctuation.
    Other,
}

/// One token of an action.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Whether it is a field of what stands before it: the second half of `$x.Value` or `(f).Value`.
    pub(super) is_chained: bool,
    at: usize,
}

impl Token<'_> {
    /// Where it stands in the text.
    pub(super) fn span(&self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }
}

/// What stands between `{{` and `}}`. A comment is an action without tokens.
#[derive(Debug)]
pub(super) struct Action<'a> {
    /// Where it stands in the text, braces included.
    pub(super) span: Range<usize>,
    /// Whether it begins with `{{-`.
    pub(super) trims_left: bool,
    /// Whether it ends with `-}}`.
    pub(super) trims_right: bool,
    pub(super) tokens: Vec<Token<'a>>,
}

impl Action<'_> {
    /// The token's text if it is a keyword or a function, else nothing.
    pub(super) fn word(&self, i: usize) -> &str {
        self.tokens
            .get(i)
            .filter(|t| t.kind == Kind::Word)
            .map_or("", |t| t.text)
    }

    /// Whether the variable at a token is declared or assigned there: `$x :=`, `$x =`, and both variables of `$x, $y :=`.
    pub(super) fn assigns(&self, i: usize) -> bool {
        matches!(self.assignment(i), "=" | ":=")
    }

    /// Whether the variable at a token is declared there.
    pub(super) fn declares(&self, i: usize) -> bool {
        self.assignment(i) == ":="
    }

    /// What stands behind a variable, or behind the two of `$x, $y`.
    fn assignment(&self, i: usize) -> &str {
        let text = |i: usize| self.tokens.get(i).map_or("", |t| t.text);
        match text(i + 1) {
            "," => text(i + 3),
            other => other,
        }
    }
}

/// The actions of a text, in order. A mistake ends them.
pub(super) struct Actions<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Actions<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn read(&mut self) -> Result<Action<'a>, TemplateError> {
        let start = self.at;
        let fail = |problem| TemplateError::at(self.text, start, problem);
        self.at += 2;
        let trims_left = has_trim_marker(self.rest());
        if trims_left {
            self.at += 1;
        }
        if self.rest().trim_start().starts_with("/*") {
            let length = self
                .rest()
                .find("*/")
                .ok_or_else(|| fail(Problem::UnclosedComment))?;
            self.at += length + 2;
            let end = self
                .rest()
                .find("}}")
                .ok_or_else(|| fail(Problem::UnclosedComment))?;
            self.at += end + 2;
            return Ok(Action {
                span: start..self.at,
                trims_left,
                trims_right: false,
                tokens: Vec::new(),
            });
        }
        let mut tokens = Vec::new();
        loop {
            let rest = self.rest();
            let behind_space = rest.trim_start();
            let space = rest.len() - behind_space.len();
            self.at += space;
            let trims_right = space > 0 && behind_space.starts_with("-}}");
            if trims_right || behind_space.starts_with("}}") {
                self.at += if trims_right { 3 } else { 2 };
                return Ok(Action {
                    span: start..self.at,
                    trims_left,
                    trims_right,
                    tokens,
                });
            }
            if behind_space.is_empty() || behind_space.starts_with("{{") {
                return Err(TemplateError::at(self.text, start, Problem::UnclosedAction));
            }
            let token = self.token(behind_space, tokens.last())?;
            self.at += token.text.len();
            tokens.push(token);
        }
    }

    fn token(&self, rest: &'a str, before: Option<&Token<'a>>) -> Result<Token<'a>, TemplateError> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word = |skip: usize| {
            let body = rest.get(skip..).unwrap_or_default();
            skip + body.find(|c| !is_word(c)).unwrap_or(body.len())
        };
        let mut chars = rest.chars();
        let (first, second) = (chars.next().unwrap_or_default(), chars.next().unwrap_or_default());
        let (kind, length) = match first {
            '"' | '\'' | '`' => {
                let length = string(rest, first)
                    .ok_or_else(|| TemplateError::at(self.text, self.at, Problem::UnclosedString))?;
                (Kind::Other, length)
            }
            '$' => (Kind::Variable, word(1)),
            // A digit behind the dot makes it a number.
            '.' if is_word(second) && !second.is_ascii_digit() => (Kind::Field, word(1)),
            '.' if second.is_ascii_digit() => (Kind::Other, word(1)),
            c if c.is_ascii_digit() => (
                Kind::Other,
                rest.find(|c| !(is_word(c) || c == '.')).unwrap_or(rest.len()),
            ),
            c if is_word(c) => (Kind::Word, word(0)),
            ':' if second == '=' => (Kind::Other, 2),
            c => (Kind::Other, c.len_utf8()),
        };
        let touches = before.is_some_and(|b| {
            b.span().end == self.at && (b.kind != Kind::Other || matches!(b.text, ")" | "."))
        });
        let is_chained = kind == Kind::Field && touches && !before.is_some_and(is_keyword);
        Ok(Token {
            kind,
            text: rest.get(..length).unwrap_or(rest),
            is_chained,
            at: self.at,
        })
    }
}

impl<'a> Iterator for Actions<'a> {
    type Item = Result<Action<'a>, TemplateError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.at += self.rest().find("{{")?;
        let action = self.read();
        if action.is_err() {
            self.at = self.text.len();
        }
        Some(action)
    }
}

/// `{{if.Value}}` is legal: a keyword has no fields.
fn is_keyword(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && matches!(token.text, "if" | "with" | "range" | "else")
}

/// Go wants space between the minus and the action; `{{-1}}` is a number.
fn has_trim_marker(rest: &str) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some('-') && chars.next().is_some_and(char::is_whitespace)
}

/// The length of a string or character with its quotes; `None` if it never ends.
fn string(rest: &str, quote: char) -> Option<usize> {
    let is_raw = quote == '`';
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some(at + 1),
            '\n' if !is_raw => return None,
            '\\' if !is_raw => {
                chars.next();
            }
            _ => {}
        }
    }
    None
}
