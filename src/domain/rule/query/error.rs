//! What can be wrong with a query, and where.

/// A mistake in a query, with its place counted from 1.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
#[error("line {line}, column {column}: {problem}")]
pub struct QueryError {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// What is wrong, and what helps.
    pub problem: Problem,
}

/// What is wrong with a query, and what helps.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is nothing but space and comments.
    #[error("the query is empty")]
    Empty,
    /// A bracket is opened and never closed.
    #[error("this {0} is never closed")]
    Unclosed(char),
    /// A bracket is closed that was never opened.
    #[error("this {0} closes nothing")]
    Unopened(char),
    /// A bracket is closed by another kind of bracket.
    #[error("{close} can't close the {open} before it")]
    Mismatched {
        /// The bracket that is open.
        open: char,
        /// The bracket that was found.
        close: char,
    },
    /// A string is never closed, or not on its line.
    #[error("the string that starts with this {0} is never closed")]
    Unterminated(char),
    /// A quote as word processors and wikis set it.
    #[error("{0} is no quote here; write \", as on a keyboard")]
    TypographicQuote(char),
    /// A space that Loki and Prometheus don't take for one, such as wikis set against a line break.
    #[error("this looks like a space and is another character (U+{0:04X}); write a space in its place")]
    OddSpace(u32),
    /// It yields log lines.
    #[error(
        "this query yields log lines, and an alert needs a number: count them, such as count_over_time({{…}} |= \"…\" [5m])"
    )]
    LogQuery,
    /// It yields a range of samples.
    #[error(
        "a range yields many samples, and an alert needs one: put it into a function, such as rate(…[5m])"
    )]
    Range,
    /// A text stands where only a number can be.
    #[error("a text can't be compared: write a number without quotes")]
    Quoted,
    /// An operator lacks a side.
    #[error("{0} needs an expression on either side")]
    OneSided(String),
    /// `=` outside a selector.
    #[error("= belongs into a selector: equality is written ==")]
    SingleEquals,
    /// A character that means nothing here.
    #[error("unexpected {0:?}")]
    Unexpected(String),
}

impl QueryError {
    /// The problem at a byte of the query.
    pub(super) fn at(query: &str, byte: usize, problem: Problem) -> Self {
        let (line, column) = place(query, byte);
        Self {
            line,
            column,
            problem,
        }
    }
}

/// Line and column of a byte, counted from 1.
pub(super) fn place(query: &str, byte: usize) -> (usize, usize) {
    let before = query.get(..byte).unwrap_or(query);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}
