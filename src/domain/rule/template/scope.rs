//! What `.` and `$value` mean at a place of a template.

use super::action::{Action, Kind};
use super::error::Problem;

/// The blocks that are open, the outermost first.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    blocks: Vec<Block>,
    /// Whether the text has made `$value` its own outside every block, or assigned to it anywhere.
    is_shadowed: bool,
}

#[derive(Debug)]
struct Block {
    /// First byte of the action that opens it.
    at: usize,
    /// Whether the dot is the alert within it, and was before it.
    is_alert: bool,
    was_alert: bool,
    /// Whether `$value` is another one within it.
    is_shadowed: bool,
}

impl Scopes {
    /// Applies what an action does before its operands are read.
    pub(super) fn enter(&mut self, action: &Action<'_>) -> Result<(), Problem> {
        match action.word(0) {
            "end" => {
                self.blocks.pop().ok_or(Problem::Stray)?;
            }
            "else" => {
                let block = self.blocks.last_mut().ok_or(Problem::Stray)?;
                block.is_alert = block.was_alert;
            }
            _ => {}
        }
        Ok(())
    }

    /// Applies what an action does for what follows it.
    pub(super) fn leave(&mut self, action: &Action<'_>) {
        match action.word(0) {
            "if" => self.open(action, self.dot_is_alert(), false),
            "with" | "range" => self.open(action, false, false),
            // A template of its own: variables from outside don't exist in it.
            "define" | "block" => self.open(action, false, true),
            "else" if matches!(action.word(1), "with" | "range") => {
                if let Some(block) = self.blocks.last_mut() {
                    block.is_alert = false;
                }
            }
            _ => {}
        }
        self.note_assignments(action);
    }

    fn open(&mut self, action: &Action<'_>, is_alert: bool, is_shadowed: bool) {
        let (at, was_alert) = (action.span.start, self.dot_is_alert());
        self.blocks.push(Block {
            at,
            is_alert,
            was_alert,
            is_shadowed,
        });
    }

    /// A declaration holds until the end of its block, an assignment for ever.
    fn note_assignments(&mut self, action: &Action<'_>) {
        for (i, token) in action.tokens.iter().enumerate() {
            if token.kind != Kind::Variable || token.text != "$value" || !action.assigns(i) {
                continue;
            }
            let declares = action
                .tokens
                .iter()
                .skip(i)
                .find(|t| t.text.ends_with('='))
                .is_some_and(|t| t.text == ":=");
            match self.blocks.last_mut() {
                Some(block) if declares => block.is_shadowed = true,
                _ => self.is_shadowed = true,
            }
        }
    }

    /// Whether the dot is the alert.
    pub(super) fn dot_is_alert(&self) -> bool {
        self.blocks.last().is_none_or(|block| block.is_alert)
    }

    /// Whether `$value` isn't Grafana's.
    pub(super) fn is_shadowed(&self) -> bool {
        self.is_shadowed || self.blocks.iter().any(|block| block.is_shadowed)
    }

    /// Where the innermost block begins that is still open.
    pub(super) fn unclosed(&self) -> Option<usize> {
        self.blocks.last().map(|block| block.at)
    }
}
