//! Makes `{{ $value }}` in an annotation mean the number, as in Prometheus.
//!
//! Grafana puts a dump of every node into `$value` and `.Value`; the numbers are in `$values`, by node. Where an action is nothing
//! but the value, it is printed from there, in plain digits; where the value is an operand (`printf "%.1f" $value`), the
//! annotation first gives `$value` the number. Nothing but actions, strings, and where the dot changes is understood of Go's templates.

mod action;
mod error;
mod scope;

use std::borrow::Cow;
use std::ops::Range;

use action::{Action, Actions, Kind};
use scope::Scopes;

pub use error::{Problem, TemplateError};

/// Rewrites an annotation so that `$value`, `.Value` and `$.Value` mean the number that the node `ref_id` yields. A text that uses
/// none of them is returned as it is. Without data a value alone prints nothing, and an operand is 0.
pub fn rewrite_annotation<'a>(text: &'a str, ref_id: &str) -> Result<Cow<'a, str>, TemplateError> {
    let mut edits = Edits::default();
    let mut scopes = Scopes::default();
    for action in Actions::of(text) {
        let action = action?;
        scopes
            .enter(&action)
            .map_err(|problem| TemplateError::at(text, action.span.start, problem))?;
        let uses = uses(&action, &scopes);
        match uses.as_slice() {
            [only] if only.tokens == action.tokens.len() => {
                edits.replace(action.span.clone(), alone(&action, ref_id));
            }
            _ => uses.iter().for_each(|used| edits.replace_operand(text, used)),
        }
        scopes.leave(&action);
    }
    if let Some(byte) = scopes.unclosed() {
        return Err(TemplateError::at(text, byte, Problem::MissingEnd));
    }
    Ok(edits.apply(text, ref_id))
}

/// Whether a text changes with the value: it uses `$value`, `$values`, or `.Value` and `.Values` of the alert.
pub fn mentions_value(text: &str) -> bool {
    let mut scopes = Scopes::default();
    for action in Actions::of(text) {
        let Ok(action) = action else { return false };
        if scopes.enter(&action).is_err() {
            return false;
        }
        let is_values = |i| field_of_alert(&action, i, &scopes).is_some_and(|used| used.name == ".Values");
        if !uses(&action, &scopes).is_empty()
            || action
                .tokens
                .iter()
                .any(|t| t.kind == Kind::Variable && t.text == "$values")
            || (0..action.tokens.len()).any(is_values)
        {
            return true;
        }
        scopes.leave(&action);
    }
    false
}

/// One place where the value is used.
struct Use<'a> {
    span: Range<usize>,
    /// How many tokens it consists of.
    tokens: usize,
    name: &'a str,
}

fn uses<'a>(action: &Action<'a>, scopes: &Scopes) -> Vec<Use<'a>> {
    if scopes.is_shadowed() {
        return Vec::new();
    }
    (0..action.tokens.len())
        .filter_map(|i| {
            let token = action.tokens.get(i)?;
            if token.kind == Kind::Variable {
                let is_ours = token.text == "$value" && !action.assigns(i);
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

/// The field at a token, if it is one of the alert itself: `.X` where the dot is the alert, or `$.X`; but not `.X.Y`.
fn field_of_alert<'a>(action: &Action<'a>, i: usize, scopes: &Scopes) -> Option<Use<'a>> {
    let field = action.tokens.get(i).filter(|t| t.kind == Kind::Field)?;
    if action.tokens.get(i + 1).is_some_and(|next| next.is_chained) {
        return None;
    }
    if !field.is_chained {
        return scopes.dot_is_alert().then(|| Use {
            span: field.span(),
            tokens: 1,
            name: field.text,
        });
    }
    let root = action.tokens.get(i.checked_sub(1)?).filter(|t| t.text == "$")?;
    Some(Use {
        span: root.span().start..field.span().end,
        tokens: 2,
        name: field.text,
    })
}

/// An action that prints the number in plain digits: `{{ $value }}` itself would print 1234567.5 as 1.2345675e+06.
fn alone(action: &Action<'_>, ref_id: &str) -> String {
    let left = if action.trims_left { "{{- " } else { "{{ " };
    let right = if action.trims_right { " -}}" } else { " }}" };
    format!("{left}with $values.{ref_id} }}}}{{{{ . }}}}{{{{ end{right}")
}

/// Gives `$value` the number of a node. A loop, because a node without data is not in `$values`.
fn definition(ref_id: &str) -> String {
    format!(
        "{{{{- $value := 0.0 -}}}}{{{{- range $k, $v := $values -}}}}{{{{- if eq $k \"{ref_id}\" -}}}}\
         {{{{- $value = $v.Value -}}}}{{{{- end -}}}}{{{{- end }}}}"
    )
}

#[derive(Default)]
struct Edits {
    replacements: Vec<(Range<usize>, Cow<'static, str>)>,
    needs_definition: bool,
}

impl Edits {
    fn replace(&mut self, span: Range<usize>, with: String) {
        self.replacements.push((span, with.into()));
    }

    fn replace_operand(&mut self, text: &str, used: &Use<'_>) {
        self.needs_definition = true;
        // A variable must not touch the keyword before it, as a field may: `{{if.Value}}`.
        let touches_word = text
            .get(..used.span.start)
            .is_some_and(|before| before.ends_with(char::is_alphanumeric));
        let variable = if touches_word { " $value" } else { "$value" };
        self.replacements.push((used.span.clone(), variable.into()));
    }

    fn apply<'a>(self, text: &'a str, ref_id: &str) -> Cow<'a, str> {
        if self.replacements.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut rewritten = if self.needs_definition {
            definition(ref_id)
        } else {
            String::new()
        };
        let mut copied = 0;
        for (span, with) in self.replacements {
            rewritten.push_str(text.get(copied..span.start).unwrap_or_default());
            rewritten.push_str(&with);
            copied = span.end;
        }
        rewritten.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(rewritten)
    }
}

#[cfg(test)]
mod tests;
