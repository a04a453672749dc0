//! Rewriting a text so that the value is the number.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::action::Action;
use super::error::TemplateError;
use super::read::{Use, templates_of_alert, uses, walk};
use super::scope::Body;

/// The variable that holds the number where it is an operand. A name of ours, so that a text may use `$value` for its own ends.
const NUMBER: &str = "$__aw";

/// Rewrites a text so that `$value`, `.Value` and `$.Value` mean the number that the node `ref_id` yields. A text that uses
/// none of them is returned as it is. Without data a value alone prints nothing, and an operand is 0.
pub fn rewrite<'a>(text: &'a str, ref_id: &str) -> Result<Cow<'a, str>, TemplateError> {
    let mut edits = Edits::new(ref_id);
    walk(text, templates_of_alert(text)?, |action, scopes| {
        let uses = uses(action, scopes);
        match uses.as_slice() {
            [only] if only.tokens == action.tokens.len() => edits.print(action, scopes.body()),
            _ => uses
                .iter()
                .for_each(|used| edits.replace_operand(text, used, scopes.body())),
        }
    })?;
    Ok(edits.apply(text))
}

/// What a text is changed to.
struct Edits<'r> {
    ref_id: &'r str,
    /// What gives the number to our variable, by the place where it has to stand.
    definitions: BTreeMap<usize, String>,
    replacements: Vec<(Range<usize>, String)>,
}

impl<'r> Edits<'r> {
    fn new(ref_id: &'r str) -> Self {
        Self {
            ref_id,
            definitions: BTreeMap::new(),
            replacements: Vec::new(),
        }
    }

    /// Prints the number in plain digits: `{{ $value }}` itself would print 1234567.5 as 1.2345675e+06.
    fn print(&mut self, action: &Action<'_>, body: Body) {
        let left = if action.trims_left { "{{- " } else { "{{ " };
        let right = if action.trims_right { " -}}" } else { " }}" };
        let (values, ref_id) = (body.values(), self.ref_id);
        self.replacements.push((
            action.span.clone(),
            format!("{left}with {values}.{ref_id} }}}}{{{{ . }}}}{{{{ end{right}"),
        ));
    }

    fn replace_operand(&mut self, text: &str, used: &Use<'_>, body: Body) {
        self.definitions
            .entry(body.start)
            .or_insert_with(|| definition(self.ref_id, body));
        // A variable must not touch the keyword before it, as a field may: `{{if.Value}}`.
        let touches_word = text
            .get(..used.span.start)
            .is_some_and(|before| before.ends_with(char::is_alphanumeric));
        let space = if touches_word { " " } else { "" };
        self.replacements
            .push((used.span.clone(), format!("{space}{NUMBER}")));
    }

    fn apply(self, text: &str) -> Cow<'_, str> {
        if self.replacements.is_empty() {
            return Cow::Borrowed(text);
        }
        let definitions = self.definitions.into_iter().map(|(at, with)| (at..at, with));
        let mut edits: Vec<_> = definitions.chain(self.replacements).collect();
        edits.sort_by_key(|(span, _)| span.start);
        let mut rewritten = String::with_capacity(text.len());
        let mut copied = 0;
        for (span, with) in edits {
            rewritten.push_str(text.get(copied..span.start).unwrap_or_default());
            rewritten.push_str(&with);
            copied = span.end;
        }
        rewritten.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(rewritten)
    }
}

/// Gives the number of a node to our variable. A loop, because a node without data is not among the values.
fn definition(ref_id: &str, body: Body) -> String {
    let values = body.values();
    let end = if body.is_trimmed { " -}}" } else { " }}" };
    format!(
        "{{{{- {NUMBER} := 0.0 -}}}}{{{{- range $k, $v := {values} -}}}}{{{{- if eq $k \"{ref_id}\" -}}}}\
         {{{{- {NUMBER} = $v.Value -}}}}{{{{- end -}}}}{{{{- end{end}"
    )
}
