//! What there is to be said of rules and groups, as far as a status has room for it.

use crate::api::prometheus_rule_import::Remark;

/// How many remarks of one sort a status holds.
pub const MOST: usize = 32;
/// How many characters of a remark it holds.
const LONGEST: usize = 300;
/// How many characters of a name.
const LONGEST_NAME: usize = 190;

/// The group that is spoken of.
#[derive(Debug)]
pub(super) struct About<'a> {
    /// Its object, as [`super::source::Source::path`] has it.
    pub(super) source: String,
    /// Its name.
    pub(super) group: &'a str,
}

/// How many remarks there are, and the first of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// How many.
    pub count: usize,
    /// The first ones.
    pub first: Vec<Remark>,
    /// Whether these are all, word for word.
    is_in_full: bool,
}

impl Remarks {
    /// All that is said, however much it is.
    #[cfg(feature = "cli")]
    pub(super) fn in_full() -> Self {
        Self {
            is_in_full: true,
            ..Self::default()
        }
    }

    /// Says something of a whole object.
    pub(super) fn of_source(&mut self, source: String, message: &str) {
        self.add(source, None, None, message);
    }

    /// Says something of a group.
    pub(super) fn of_group(&mut self, about: &About<'_>, message: &str) {
        self.add(about.source.clone(), Some(about.group), None, message);
    }

    /// Says something of a rule.
    pub(super) fn of_rule(&mut self, about: &About<'_>, rule: &str, message: &str) {
        self.add(about.source.clone(), Some(about.group), Some(rule), message);
    }

    /// Adds a remark that is made elsewhere.
    pub fn push(&mut self, remark: Remark) {
        let Remark {
            source,
            group,
            rule,
            message,
        } = remark;
        self.add(source, group.as_deref(), rule.as_deref(), &message);
    }

    fn add(&mut self, source: String, group: Option<&str>, rule: Option<&str>, message: &str) {
        self.count += 1;
        if self.is_in_full {
            self.first.push(Remark {
                source,
                group: group.map(str::to_owned),
                rule: rule.map(str::to_owned),
                message: message.to_owned(),
            });
        } else if self.first.len() < MOST {
            self.first.push(Remark {
                source,
                group: group.map(|name| cut(name, LONGEST_NAME)),
                rule: rule.map(|name| cut(name, LONGEST_NAME)),
                message: cut(message, LONGEST),
            });
        }
    }
}

/// The beginning of a text, with a mark where it goes on.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
