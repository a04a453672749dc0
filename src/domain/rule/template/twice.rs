//! Whether a text defines the same name twice.

use std::collections::HashSet;

use super::action::Action;
use super::scope::name;

/// What a text defines, and the blocks that are open. Of two templates of one name Go's parser refuses the second, but where one of them is empty.
#[derive(Default)]
pub(super) struct Defined<'a> {
    open: Vec<Open<'a>>,
    names: HashSet<&'a str>,
    /// The end of the last action.
    end: usize,
    /// Where the second of two begins.
    pub(super) twice: Option<usize>,
}

/// A block that is open.
struct Open<'a> {
    /// Of a `define` or `block`: its name, and where it begins.
    defines: Option<(&'a str, usize)>,
    is_empty: bool,
}

impl<'a> Defined<'a> {
    /// Notes the next action of the text.
    pub(super) fn note(&mut self, text: &'a str, action: &Action<'a>) {
        let between = text.get(self.end..action.span.start).unwrap_or_default();
        self.end = action.span.end;
        let word = action.word(0);
        let prints = !action.tokens.is_empty() && !matches!(word, "define" | "end");
        if (prints || !between.trim().is_empty())
            && let Some(open) = self.open.last_mut()
        {
            open.is_empty = false;
        }
        match word {
            "if" | "range" | "with" => self.open.push(Open {
                defines: None,
                is_empty: true,
            }),
            "define" | "block" => self.open.push(Open {
                defines: name(action).map(|name| (name, action.span.start)),
                is_empty: true,
            }),
            "end" => {
                if let Some(Open {
                    defines: Some((name, at)),
                    is_empty: false,
                }) = self.open.pop()
                    && !self.names.insert(name)
                {
                    self.twice.get_or_insert(at);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::rule::template::check;

    #[test]
    fn a_name_is_defined_once_where_it_is_not_empty() {
        for good in [
            r#"{{ define "a" }}x{{ end }}{{ define "b" }}{{ template "a" . }}{{ end }}"#,
            r#"{{ define "a" }}x{{ end }} {{ define "a" }} {{/* nothing */}} {{ end }}"#,
            r#"{{ define "a" }}{{ end }}{{ define "a" }}x{{ end }}"#,
            r#"{{ define "a" }}{{ if .X }}{{ end }}{{ end }}{{ if .Y }}{{ end }}"#,
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            r#"{{ define "a" }}x{{ end }}{{ define "a" }}y{{ end }}"#,
            r#"{{ define "a" }}{{ if .X }}{{ end }}{{ end }}{{ block `a` . }}y{{ end }}"#,
        ] {
            let error = check(bad).unwrap_err().to_string();
            assert!(error.contains("defined further up already"), "{error}");
        }
    }
}
