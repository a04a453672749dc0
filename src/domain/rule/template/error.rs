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
    /// A comment isn't alone between its braces.
    #[error(
        "a comment begins right behind its braces and ends right before them, as {{{{/* this */}}}} and {{{{- /* this */ -}}}} do"
    )]
    Comment,
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
    /// A `break` or `continue` stands outside every `range`.
    #[error("this belongs into a range, and into none's else")]
    OutsideRange,
    /// An `else` stands where there is none.
    #[error("this else has no place here: a block has one, behind every else if, and define has none")]
    Else,
    /// A `define` stands within a block.
    #[error("define can't stand within another block; write it by itself")]
    Nested,
    /// A variable isn't declared here.
    #[error(
        "a variable here isn't declared; one that is declared within a block is gone behind its end, and a template that is defined has none from outside"
    )]
    Undeclared,
    /// A number, text or character isn't one.
    #[error("a number, text or character here is none that Go knows")]
    Literal,
    /// What a `|` passes on to can't take it.
    #[error("what stands behind | must be a function, and this is a value")]
    Pipeline,
    /// Two variables are declared at once outside `range`.
    #[error("only range declares two variables at once")]
    Declarations,
    /// A parenthesis isn't closed, or isn't open.
    #[error("a parenthesis isn't closed, or was never opened")]
    Parenthesis,
    /// Something can't stand where it does.
    #[error("something in this action can't stand where it does")]
    Unexpected,
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
