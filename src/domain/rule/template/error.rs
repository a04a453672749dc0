//! What can be wrong with a template, and where.

/// Why a text is not a template, with its place counted from 1.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
#[error("line {line}, column {column}: {problem}")]
pub struct TemplateError {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// What is wrong, and what helps.
    pub problem: Problem,
}

/// What is wrong with a template, and what helps.
#[derive(thiserror::Error, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// An action has no end.
    #[error("this {{{{ is never closed by }}}}; write {{{{ \"{{{{\" }}}} for braces that shall be printed")]
    UnclosedAction,
    /// A comment has no end.
    #[error("this comment is never closed by */}}}}")]
    UnclosedComment,
    /// A string is never closed, or not on its line.
    #[error("the string that starts here is never closed")]
    UnclosedString,
    /// An `if`, `range`, `with`, `define` or `block` has no end.
    #[error("this block is never closed: {{{{ end }}}} is missing")]
    MissingEnd,
    /// A keyword that needs a value has none.
    #[error("nothing stands behind this word, which needs a value")]
    MissingValue,
    /// A name is defined for the second time in one text.
    #[error("a template of this name is defined further up already; give one of the two another name")]
    Twice,
    /// An `end` or `else` stands outside every block.
    #[error("this belongs to no if, range, with, define or block")]
    Stray,
}

impl TemplateError {
    pub(super) fn at(text: &str, byte: usize, problem: Problem) -> Self {
        let (line, column) = place(text, byte);
        Self {
            line,
            column,
            problem,
        }
    }
}

/// Line and column of a byte, counted from 1.
pub(super) fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}
