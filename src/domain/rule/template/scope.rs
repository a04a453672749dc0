//! What `.`, `$` and `$value` mean at a place of a template.

use std::collections::{BTreeMap, BTreeSet};

use super::action::{Action, Kind, Token};
use super::error::Problem;

/// Names of the templates within the text that are given nothing but the alert: `{{ template "x" . }}`.
pub(super) type OfAlert<'a> = BTreeSet<&'a str>;

/// The blocks that are open, the outermost first.
#[derive(Debug)]
pub(super) struct Scopes<'a> {
    of_alert: OfAlert<'a>,
    blocks: Vec<Block>,
    outside: Meaning,
    /// Whether the text has assigned to `$value` anywhere.
    is_assigned: bool,
}

/// What names mean within a block.
#[derive(Debug, Clone, Copy)]
struct Meaning {
    /// Whether `.` is the alert.
    dot: bool,
    /// Whether `$` is the alert.
    root: bool,
    /// Whether `$value` is Grafana's.
    value: bool,
    /// The text, or the template within it, that this is in.
    body: Body,
}

/// The text, or a template that it defines; variables from outside don't exist in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Body {
    /// Its first byte: behind the action that defines it.
    pub(super) start: usize,
    /// Whether that action takes blank space away from its beginning.
    pub(super) is_trimmed: bool,
}

impl Body {
    const TEXT: Self = Self {
        start: 0,
        is_trimmed: false,
    };

    /// How it reaches the values of all nodes, if its `$` is the alert.
    pub(super) fn values(self) -> &'static str {
        if self == Self::TEXT { "$values" } else { "$.Values" }
    }
}

#[derive(Debug)]
struct Block {
    /// First byte of the action that opens it.
    at: usize,
    within: Meaning,
    /// Whether the dot was the alert before it.
    was_alert: bool,
}

impl<'a> Scopes<'a> {
    /// Scopes at the beginning of a text.
    pub(super) fn new(of_alert: OfAlert<'a>) -> Self {
        let outside = Meaning {
            dot: true,
            root: true,
            value: true,
            body: Body::TEXT,
        };
        Self {
            of_alert,
            blocks: Vec::new(),
            outside,
            is_assigned: false,
        }
    }

    /// Applies what an action does before its operands are read.
    pub(super) fn enter(&mut self, action: &Action<'_>) -> Result<(), Problem> {
        match action.word(0) {
            "end" => {
                self.blocks.pop().ok_or(Problem::Stray)?;
            }
            "else" => {
                let block = self.blocks.last_mut().ok_or(Problem::Stray)?;
                block.within.dot = block.was_alert;
            }
            _ => {}
        }
        Ok(())
    }

    /// Applies what an action does for what follows it.
    pub(super) fn leave(&mut self, action: &Action<'_>) {
        let now = self.meaning();
        match action.word(0) {
            "if" => self.open(action, now),
            "range" => self.open(action, Meaning { dot: false, ..now }),
            "with" => {
                let dot = self.is_alert(action.tokens.get(1..).unwrap_or_default());
                self.open(action, Meaning { dot, ..now });
            }
            "define" | "block" => {
                let is_of_alert = name(action).is_some_and(|name| self.of_alert.contains(name));
                self.open(
                    action,
                    Meaning {
                        dot: is_of_alert,
                        root: is_of_alert,
                        value: false,
                        body: Body {
                            start: action.span.end,
                            is_trimmed: action.trims_right,
                        },
                    },
                );
            }
            "else" if matches!(action.word(1), "with" | "range") => {
                let is_with = action.word(1) == "with";
                let dot = is_with && self.is_alert(action.tokens.get(2..).unwrap_or_default());
                if let Some(block) = self.blocks.last_mut() {
                    block.within.dot = dot;
                }
            }
            _ => {}
        }
        self.note_assignments(action);
    }

    fn open(&mut self, action: &Action<'_>, within: Meaning) {
        self.blocks.push(Block {
            at: action.span.start,
            within,
            was_alert: self.dot_is_alert(),
        });
    }

    /// A declaration holds until the end of its block, an assignment for ever.
    fn note_assignments(&mut self, action: &Action<'_>) {
        for (i, token) in action.tokens.iter().enumerate() {
            if token.text != "$value" || !action.assigns(i) {
                continue;
            }
            if action.declares(i) {
                match self.blocks.last_mut() {
                    Some(block) => block.within.value = false,
                    None => self.outside.value = false,
                }
            } else {
                self.is_assigned = true;
            }
        }
    }

    /// Whether an argument is the alert: `.`, `$`, or `$x := .`.
    fn is_alert(&self, argument: &[Token<'_>]) -> bool {
        let value = match argument {
            [variable, assignment, value @ ..]
                if variable.kind == Kind::Variable && matches!(assignment.text, ":=" | "=") =>
            {
                value
            }
            value => value,
        };
        match value {
            [only] if only.text == "." => self.dot_is_alert(),
            [only] if only.text == "$" => self.root_is_alert(),
            _ => false,
        }
    }

    fn meaning(&self) -> Meaning {
        self.blocks.last().map_or(self.outside, |block| block.within)
    }

    /// Whether the dot is the alert.
    pub(super) fn dot_is_alert(&self) -> bool {
        self.meaning().dot
    }

    /// Whether `$` is the alert.
    pub(super) fn root_is_alert(&self) -> bool {
        self.meaning().root
    }

    /// Whether `$value` is Grafana's.
    pub(super) fn value_is_grafanas(&self) -> bool {
        self.meaning().value && !self.is_assigned
    }

    /// The text, or the template within it, that this is in.
    pub(super) fn body(&self) -> Body {
        self.meaning().body
    }

    /// Where the innermost block begins that is still open.
    pub(super) fn unclosed(&self) -> Option<usize> {
        self.blocks.last().map(|block| block.at)
    }
}

/// Which templates are called with the alert, and which with something else.
#[derive(Debug, Default)]
pub(super) struct Calls<'a>(BTreeMap<&'a str, bool>);

impl<'a> Calls<'a> {
    /// Notes the template that an action calls. Within a template it isn't known yet what the dot is.
    pub(super) fn note(&mut self, action: &Action<'a>, scopes: &Scopes<'_>) {
        if !matches!(action.word(0), "template" | "block") {
            return;
        }
        let is_alert = scopes.is_alert(action.tokens.get(2..).unwrap_or_default());
        if let Some(name) = name(action) {
            self.0
                .entry(name)
                .and_modify(|always| *always &= is_alert)
                .or_insert(is_alert);
        }
    }

    /// Those that are never called with anything but the alert.
    pub(super) fn of_alert(self) -> OfAlert<'a> {
        let always = self.0.into_iter().filter(|(_, always)| *always);
        always.map(|(name, _)| name).collect()
    }
}

/// The name in `define "x"`, `template "x" .` and `block "x" .`.
pub(super) fn name<'a>(action: &Action<'a>) -> Option<&'a str> {
    let quoted = action.tokens.get(1)?.text;
    quoted.get(1..quoted.len().checked_sub(1)?)
}
