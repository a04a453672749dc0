//! A document as it is written: its values with their places in the file.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::lint::path::{Path, Step};

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Block,
}

/// One value, and where it is written.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) content: Content,
    /// How many values it consists of, those behind aliases counted each time.
    pub(super) size: usize,
}

#[derive(Debug)]
pub(super) enum Content {
    Scalar {
        text: String,
        style: Style,
        is_text: bool,
    },
    Sequence(Vec<Arc<Node>>),
    Mapping(Vec<(Key, Arc<Node>)>),
}

#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) span: Range<usize>,
}

/// The value at the end of a path, or the last one on the way that is there.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) node: &'a Node,
    /// The key that it has in what holds it.
    pub(super) key: Option<&'a Key>,
    /// The path was there to its end.
    pub(super) is_whole: bool,
}

impl Node {
    /// Follows a path as far as it goes.
    pub(super) fn find(&self, path: &Path) -> Found<'_> {
        let mut found = Found {
            node: self,
            key: None,
            is_whole: true,
        };
        for step in path.steps() {
            let next = match (step, &found.node.content) {
                (Step::Index(at), Content::Sequence(items)) => items.get(*at).map(|item| (None, item)),
                (Step::Field(name), Content::Mapping(entries)) => entries
                    .iter()
                    .find(|(key, _)| key.name == *name)
                    .map(|(key, value)| (Some(key), value)),
                _ => None,
            };
            let Some((key, node)) = next else {
                found.is_whole = false;
                return found;
            };
            found = Found {
                node,
                key,
                is_whole: true,
            };
        }
        found
    }
}
