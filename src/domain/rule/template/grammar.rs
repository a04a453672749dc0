//! What Go's parser takes between `{{` and `}}` (`text/template/parse`), for texts that are handed to it as they are. Which functions there are is another matter.

use super::action::Action;
use super::error::Problem;
use super::lexer::{Mark, lex};

/// The names that variables have, and the blocks that are open, the outermost first.
pub(super) struct Grammar<'a> {
    variables: Vec<&'a str>,
    open: Vec<Open<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    If,
    With,
    Range,
    /// `define` and `block`: variables from outside don't exist in it.
    Template,
}

struct Open<'a> {
    block: Block,
    /// Whether its `else` has been.
    is_else: bool,
    /// The variables behind its end.
    behind: Vec<&'a str>,
}

type Result<T> = std::result::Result<T, Problem>;

impl<'a> Grammar<'a> {
    pub(super) fn new() -> Self {
        Self {
            variables: vec!["$"],
            open: Vec::new(),
        }
    }

    /// Takes the next action of a text; fails where Go's parser would.
    pub(super) fn note(&mut self, text: &'a str, action: &Action<'a>) -> Result<()> {
        let Some(inner) = inner(text, action) else {
            return Ok(());
        };
        if inner.trim_start().starts_with("/*") {
            return if is_comment(inner) {
                Ok(())
            } else {
                Err(Problem::Comment)
            };
        }
        let marks = lex(inner)?;
        let mut rest = Marks { all: &marks, at: 0 };
        rest.skip_space();
        match rest.peek() {
            Some(Mark::Word(word @ ("if" | "with" | "range"))) => {
                rest.next();
                let block = match word {
                    "if" => Block::If,
                    "with" => Block::With,
                    _ => Block::Range,
                };
                let behind = self.variables.clone();
                self.pipeline(&mut rest, block == Block::Range, false)?;
                self.open.push(Open {
                    block,
                    is_else: false,
                    behind,
                });
            }
            Some(Mark::Word("else")) => {
                rest.next();
                self.other(&mut rest)?;
            }
            Some(Mark::Word("end")) => {
                rest.next();
                rest.ends()?;
                if let Some(open) = self.open.pop() {
                    self.variables = open.behind;
                }
            }
            Some(Mark::Word("define")) => {
                rest.next();
                if !self.open.is_empty() {
                    return Err(Problem::Nested);
                }
                rest.string()?;
                rest.ends()?;
                self.enter();
            }
            Some(Mark::Word("block")) => {
                rest.next();
                rest.string()?;
                self.pipeline(&mut rest, false, false)?;
                self.enter();
            }
            Some(Mark::Word("template")) => {
                rest.next();
                rest.string()?;
                rest.skip_space();
                if rest.peek().is_some() {
                    self.pipeline(&mut rest, false, false)?;
                }
            }
            Some(Mark::Word("break" | "continue")) => {
                rest.next();
                rest.ends()?;
                let own = self.open.iter().rev();
                let mut own = own.take_while(|open| open.block != Block::Template);
                if !own.any(|open| open.block == Block::Range && !open.is_else) {
                    return Err(Problem::OutsideRange);
                }
            }
            _ => self.pipeline(&mut rest, false, false)?,
        }
        Ok(())
    }

    /// What stands behind an `else`.
    fn other(&mut self, rest: &mut Marks<'a, '_>) -> Result<()> {
        rest.skip_space();
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        if open.is_else || open.block == Block::Template {
            return Err(Problem::Else);
        }
        match (open.block, rest.peek()) {
            (Block::If, Some(Mark::Word("if"))) | (Block::With, Some(Mark::Word("with"))) => {
                rest.next();
                self.pipeline(rest, false, false)
            }
            (_, None) => {
                open.is_else = true;
                Ok(())
            }
            (_, Some(_)) => Err(Problem::Else),
        }
    }

    /// Begins a template of its own.
    fn enter(&mut self) {
        self.open.push(Open {
            block: Block::Template,
            is_else: false,
            behind: std::mem::replace(&mut self.variables, vec!["$"]),
        });
    }

    /// Commands with `|` between them, up to the end or to a `)`.
    fn pipeline(&mut self, rest: &mut Marks<'a, '_>, is_range: bool, is_within: bool) -> Result<()> {
        rest.skip_space();
        self.declarations(rest, is_range)?;
        let mut stage = 0;
        loop {
            rest.skip_space();
            match rest.peek() {
                None if is_within => return Err(Problem::Parenthesis),
                None | Some(Mark::Close) => break,
                Some(_) => {}
            }
            let may_run = self.command(rest)?;
            if stage > 0 && !may_run {
                return Err(Problem::Pipeline);
            }
            stage += 1;
        }
        match (stage, is_within, rest.peek()) {
            (0, ..) => Err(Problem::MissingValue),
            (_, true, Some(Mark::Close)) | (_, false, None) => Ok(()),
            _ => Err(Problem::Parenthesis),
        }
    }

    /// `$x :=`, `$x =`, and of a range `$x, $y :=`.
    fn declarations(&mut self, rest: &mut Marks<'a, '_>, is_range: bool) -> Result<()> {
        let begin = rest.at;
        let mut names = Vec::new();
        while let Some(Mark::Variable(name)) = rest.peek() {
            rest.next();
            names.push(name);
            rest.skip_space();
            match rest.peek() {
                Some(Mark::Declare | Mark::Assign) => {
                    rest.next();
                    self.variables.extend(names);
                    return Ok(());
                }
                Some(Mark::Comma) if is_range && names.len() == 1 => {
                    rest.next();
                    rest.skip_space();
                    if !matches!(rest.peek(), Some(Mark::Variable(_))) {
                        return Err(Problem::Unexpected);
                    }
                }
                Some(Mark::Comma) => return Err(Problem::Declarations),
                // `range $x, $y` without anything is of older days, and whatever else follows is an operand.
                _ => break,
            }
        }
        rest.at = begin;
        Ok(())
    }

    /// One command, with the `|` behind it. Says whether it can take what is passed on to it.
    fn command(&mut self, rest: &mut Marks<'a, '_>) -> Result<bool> {
        let mut may_run = None;
        loop {
            rest.skip_space();
            let Some(first) = rest.peek() else { break };
            match first {
                Mark::Pipe | Mark::Close => {}
                Mark::Open => {
                    rest.next();
                    self.pipeline(rest, false, true)?;
                    rest.next();
                    rest.fields();
                    may_run.get_or_insert(true);
                }
                Mark::Variable(name) => {
                    rest.next();
                    if !self.variables.contains(&name) {
                        return Err(Problem::Undeclared);
                    }
                    rest.fields();
                    may_run.get_or_insert(true);
                }
                Mark::Field => {
                    rest.fields();
                    may_run.get_or_insert(true);
                }
                Mark::Word("true" | "false" | "nil") | Mark::Dot | Mark::Text | Mark::Number => {
                    rest.next();
                    if rest.peek() == Some(Mark::Field) {
                        return Err(Problem::Unexpected);
                    }
                    may_run.get_or_insert(false);
                }
                Mark::Word("if" | "with" | "range" | "else" | "end" | "define" | "block" | "template")
                | Mark::Declare
                | Mark::Assign
                | Mark::Comma
                | Mark::Space => {
                    return Err(Problem::Unexpected);
                }
                Mark::Word(_) => {
                    rest.next();
                    rest.fields();
                    may_run.get_or_insert(true);
                }
            }
            match rest.peek() {
                Some(Mark::Space) => {}
                Some(Mark::Pipe) => {
                    rest.next();
                    break;
                }
                None | Some(Mark::Close) => break,
                Some(_) => return Err(Problem::Unexpected),
            }
        }
        may_run.ok_or(Problem::MissingValue)
    }
}

/// Whether this is a comment as it must be: right behind the braces or the mark that trims, and right before them.
fn is_comment(inner: &str) -> bool {
    inner.strip_prefix("/*").is_some_and(|rest| rest.ends_with("*/"))
}

/// What stands between the braces, without the marks that trim and the space that belongs to each.
fn inner<'a>(text: &'a str, action: &Action<'_>) -> Option<&'a str> {
    let whole = text.get(action.span.clone())?;
    let inner = whole.strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = match inner.strip_prefix('-') {
        Some(rest) if rest.starts_with(is_space) => rest.get(1..)?,
        _ => inner,
    };
    Some(match inner.strip_suffix('-') {
        Some(rest) if rest.ends_with(is_space) => rest.get(..rest.len() - 1)?,
        _ => inner,
    })
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The marks that are still to be read.
struct Marks<'a, 'b> {
    all: &'b [Mark<'a>],
    at: usize,
}

impl<'a> Marks<'a, '_> {
    fn peek(&self) -> Option<Mark<'a>> {
        self.all.get(self.at).copied()
    }

    fn next(&mut self) {
        self.at += 1;
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(Mark::Space) {
            self.next();
        }
    }

    /// Fields right behind something.
    fn fields(&mut self) {
        while self.peek() == Some(Mark::Field) {
            self.next();
        }
    }

    fn string(&mut self) -> Result<()> {
        self.skip_space();
        match self.peek() {
            Some(Mark::Text) => {
                self.next();
                Ok(())
            }
            None => Err(Problem::MissingValue),
            Some(_) => Err(Problem::Unexpected),
        }
    }

    fn ends(&mut self) -> Result<()> {
        self.skip_space();
        self.peek().map_or(Ok(()), |_| Err(Problem::Unexpected))
    }
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod tests;
