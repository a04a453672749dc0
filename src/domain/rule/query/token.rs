//! The words of LogQL and PromQL.

use super::error::{Problem, QueryError};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword, or one of Grafana's variables such as `$__interval`.
    Word,
    /// A number or a duration: whatever begins with a digit.
    Number,
    /// A string, its quotes included.
    Text,
    /// An opening bracket.
    Open(char),
    /// A closing bracket.
    Close(char),
    /// An operator, or a character that is nothing else.
    Symbol,
}

/// One token, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Its first byte in the query.
    pub(super) at: usize,
    /// How many brackets are open around it; a bracket itself stands outside.
    pub(super) depth: usize,
    query: &'a str,
}

impl Token<'_> {
    /// Whether it is one of these words; case doesn't matter, as for PromQL's keywords.
    pub(super) fn is_word(&self, words: &[&str]) -> bool {
        self.kind == Kind::Word && words.iter().any(|word| self.text.eq_ignore_ascii_case(word))
    }
}

/// The part of the query that the tokens come from, word for word.
pub(super) fn source<'a>(tokens: &[Token<'a>]) -> &'a str {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first
            .query
            .get(first.at..last.at + last.text.len())
            .unwrap_or_default(),
        _ => "",
    }
}

/// Operators of two characters; those of one are whatever is left.
const LONG_SYMBOLS: [&str; 10] = ["==", "!=", ">=", "<=", "=~", "!~", "|=", "|~", "|>", "!>"];

/// Cuts a query into tokens, without space and comments, and checks that strings end and brackets balance.
pub(super) fn scan(query: &str) -> Result<Vec<Token<'_>>, QueryError> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut at = 0;
    while let Some(rest) = query.get(at..)
        && let Some(c) = rest.chars().next()
    {
        let fail = |problem| QueryError::at(query, at, problem);
        let (kind, length) = match c {
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            ' ' | '\t' | '\r' | '\n' => {
                at += 1;
                continue;
            }
            c if c.is_whitespace() => return Err(fail(Problem::OddSpace(c.into()))),
            '“' | '”' | '„' | '‘' | '’' | '‚' | '«' | '»' => {
                return Err(fail(Problem::TypographicQuote(c)));
            }
            '(' | '[' | '{' => (Kind::Open(c), 1),
            ')' | ']' | '}' => (Kind::Close(c), 1),
            '"' | '\'' | '`' => (
                Kind::Text,
                string(rest, c).ok_or_else(|| fail(Problem::Unterminated(c)))?,
            ),
            c if begins_number(rest, c) => (Kind::Number, number(rest)),
            c if is_word(c) => (Kind::Word, rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
            c => (
                Kind::Symbol,
                if LONG_SYMBOLS.iter().any(|s| rest.starts_with(s)) {
                    2
                } else {
                    c.len_utf8()
                },
            ),
        };
        if let Kind::Close(close) = kind {
            let (_, opened) = open.pop().ok_or_else(|| fail(Problem::Unopened(close)))?;
            if closing(opened) != close {
                return Err(fail(Problem::Mismatched { open: opened, close }));
            }
        }
        let text = rest.get(..length).unwrap_or(rest);
        tokens.push(Token {
            kind,
            text,
            at,
            depth: open.len(),
            query,
        });
        if let Kind::Open(bracket) = kind {
            open.push((at, bracket));
        }
        at += text.len();
    }
    match open.last() {
        Some((at, bracket)) => Err(QueryError::at(query, *at, Problem::Unclosed(*bracket))),
        None => Ok(tokens),
    }
}

fn closing(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// A colon is part of a recorded metric's name.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ':' | '$')
}

fn begins_number(rest: &str, first: char) -> bool {
    first.is_ascii_digit() || (first == '.' && rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()))
}

/// The length of a number: digits, letters (of hexadecimal digits, exponents and units), and the sign of a decimal exponent.
fn number(rest: &str) -> usize {
    let is_hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let mut previous = '0';
    rest.find(|c: char| {
        let is_exponent_sign = matches!(c, '+' | '-') && matches!(previous, 'e' | 'E') && !is_hexadecimal;
        previous = c;
        !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || is_exponent_sign)
    })
    .unwrap_or(rest.len())
}

/// The length of a string with its quotes; `None` if it never ends. Only one in backticks may go over several lines, and only in
/// the others is there an escape.
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
