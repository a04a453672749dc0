//! Reading a template action by action, and finding the alert and its value in it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::action::{Action, Actions, Kind};
use super::error::{Problem, TemplateError};
use super::grammar::Grammar;
use super::scope::{Calls, OfAlert, Scopes, name};
use super::twice::Defined;

/// Fails unless every action, string and block of a text is closed, every keyword has what it needs, and no name is defined twice. Grafana's templates of
/// notifications are held to no more than that.
pub fn check(text: &str) -> Result<(), TemplateError> {
    let mut defined = Defined::default();
    walk(text, OfAlert::new(), |action, _| defined.note(text, action))?;
    let twice = defined
        .twice
        .map(|at| TemplateError::at(text, at, Problem::Twice));
    twice.map_or(Ok(()), Err)
}

/// Fails where Go's parser refuses a text, but for functions that there aren't.
pub fn check_for_go(text: &str) -> Result<(), TemplateError> {
    check(text)?;
    let mut grammar = Grammar::new();
    for action in Actions::of(text) {
        let action = action?;
        let noted = grammar.note(text, &action);
        noted.map_err(|problem| TemplateError::at(text, action.span.start, problem))?;
    }
    Ok(())
}

fn lacks_value(action: &Action<'_>) -> bool {
    let needs_value = |word| matches!(word, "if" | "with" | "range" | "define" | "block" | "template");
    match action.tokens.len() {
        1 => needs_value(action.word(0)),
        2 => action.word(0) == "else" && matches!(action.word(1), "if" | "with"),
        _ => false,
    }
}

/// Whether a text changes with the value: it uses `$value`, `$values`, or `.Value` and `.Values` of the alert.
pub fn mentions_value(text: &str) -> bool {
    let mut mentions = false;
    let read = templates_of_alert(text).and_then(|of_alert| {
        walk(text, of_alert, |action, scopes| {
            let is_values = |i| field_of_alert(action, i, scopes).is_some_and(|used| used.name == ".Values");
            mentions |= !uses(action, scopes).is_empty()
                || action.tokens.iter().any(|t| t.text == "$values")
                || (0..action.tokens.len()).any(is_values);
        })
    });
    mentions && read.is_ok()
}

/// Shows every action with what names mean at it. Fails where Go's parser would for want of an end or of what a keyword needs.
pub(super) fn walk<'a>(
    text: &'a str,
    of_alert: OfAlert<'a>,
    mut visit: impl FnMut(&Action<'a>, &Scopes<'a>),
) -> Result<(), TemplateError> {
    let mut scopes = Scopes::new(of_alert);
    let mut empty = None;
    for action in Actions::of(text) {
        let action = action?;
        if empty.is_none() && lacks_value(&action) {
            empty = Some(action.span.start);
        }
        scopes
            .enter(&action)
            .map_err(|problem| TemplateError::at(text, action.span.start, problem))?;
        visit(&action, &scopes);
        scopes.leave(&action);
    }
    let mistake = match (scopes.unclosed(), empty) {
        (None, None) => return Ok(()),
        (Some(byte), _) => (byte, Problem::MissingEnd),
        (None, Some(byte)) => (byte, Problem::MissingValue),
    };
    Err(TemplateError::at(text, mistake.0, mistake.1))
}

/// The templates that a text defines and calls with the alert alone.
pub(super) fn templates_of_alert(text: &str) -> Result<OfAlert<'_>, TemplateError> {
    if !text.contains("define") && !text.contains("block") {
        return Ok(OfAlert::new());
    }
    let mut calls = Calls::default();
    walk(text, OfAlert::new(), |action, scopes| calls.note(action, scopes))?;
    Ok(calls.of_alert())
}

/// A template that a text defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition<'a> {
    /// Its name, as it stands between the quotes.
    pub name: &'a str,
    /// Whether that isn't the name itself: it is written with a backslash in double quotes.
    pub is_escaped: bool,
    /// First byte of the action that defines it.
    pub at: usize,
    /// Whether it is a `block`, which is called where it is defined.
    pub is_block: bool,
}

/// The templates that a text defines, in order; none where it can't be read.
pub fn definitions(text: &str) -> Vec<Definition<'_>> {
    let mut all = Vec::new();
    let read = walk(text, OfAlert::new(), |action, _| {
        if matches!(action.word(0), "define" | "block")
            && let Some(name) = name(action)
        {
            let is_raw = action
                .tokens
                .get(1)
                .is_some_and(|token| token.text.starts_with('`'));
            all.push(Definition {
                name,
                is_escaped: !is_raw && name.contains('\\'),
                at: action.span.start,
                is_block: action.word(0) == "block",
            });
        }
    });
    if read.is_ok() { all } else { Vec::new() }
}

/// The templates that a text calls and doesn't define itself, as far as it can be read: by `template`, or by Grafana's function `tmpl.Exec`.
pub fn calls(text: &str) -> BTreeSet<&str> {
    let (mut called, mut own) = (BTreeSet::new(), BTreeSet::new());
    let read = walk(text, OfAlert::new(), |action, _| {
        match action.word(0) {
            "template" => called.extend(name(action)),
            "define" | "block" => own.extend(name(action)),
            _ => {}
        }
        let following = action.tokens.windows(3);
        called.extend(following.filter_map(|tokens| match tokens {
            [of, exec, name] if of.text == "tmpl" && exec.is_chained && exec.text == ".Exec" => {
                let quotes: &[char] = &['"', '`'];
                name.text.strip_prefix(quotes)?.strip_suffix(quotes)
            }
            _ => None,
        }));
    });
    // Behind a mistake nothing is called.
    drop(read);
    called.retain(|name| !own.contains(name));
    called
}

/// One place where the value is used.
pub(super) struct Use<'a> {
    pub(super) span: Range<usize>,
    /// How many tokens it consists of.
    pub(super) tokens: usize,
    pub(super) name: &'a str,
}

/// The places of an action where the value is used.
pub(super) fn uses<'a>(action: &Action<'a>, scopes: &Scopes<'_>) -> Vec<Use<'a>> {
    (0..action.tokens.len())
        .filter_map(|i| {
            let token = action.tokens.get(i)?;
            if token.kind == Kind::Variable {
                let is_ours = token.text == "$value" && scopes.value_is_grafanas() && !action.assigns(i);
                return is_ours.then(|| Use {
                    span: token.span(),
                    tokens: 1,
                    name: token.text,
                });
            }
            field_of_alert(action, i, scopes).filter(|used| used.name == ".Value")
        })
        .collect()
}

/// The field at a token, if it is one of the alert itself and nothing more: `.X` where the dot is the alert, or `$.X`; but not `.X.Y`.
fn field_of_alert<'a>(action: &Action<'a>, i: usize, scopes: &Scopes<'_>) -> Option<Use<'a>> {
    let is_followed = action.tokens.get(i + 1).is_some_and(|next| next.is_chained);
    field_at(action, i, scopes).filter(|_| !is_followed)
}

/// The same, whatever follows.
pub(super) fn field_at<'a>(action: &Action<'a>, i: usize, scopes: &Scopes<'_>) -> Option<Use<'a>> {
    let field = action.tokens.get(i).filter(|t| t.kind == Kind::Field)?;
    if !field.is_chained {
        return scopes.dot_is_alert().then(|| Use {
            span: field.span(),
            tokens: 1,
            name: field.text,
        });
    }
    let root = action.tokens.get(i.checked_sub(1)?).filter(|t| t.text == "$")?;
    scopes.root_is_alert().then(|| Use {
        span: root.span().start..field.span().end,
        tokens: 2,
        name: field.text,
    })
}
