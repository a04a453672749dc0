//! Where something stands in a file, by line and column.

use std::ops::Range;

use super::document::{Content, Node};
use super::scalar;
use crate::domain::lint::finding::Part;
use crate::domain::lint::path::Path;

/// A file that was read.
#[derive(Debug)]
pub(in super::super::super) struct Source {
    /// Its path as it was given; `-` for standard input.
    pub(in super::super::super) name: String,
    /// What it holds.
    pub(in super::super::super) text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// A place in a file: bytes, and lines and columns from 1, columns in characters. The end is behind it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super::super) struct Spot {
    pub(in super::super::super) bytes: (usize, usize),
    pub(in super::super::super) start: (usize, usize),
    pub(in super::super::super) end: (usize, usize),
}

impl Source {
    pub(in super::super::super) fn new(name: &str, text: String) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self {
            // The same on every system, as in addresses.
            name: name.replace('\\', "/"),
            text,
            lines,
        }
    }

    fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(start..byte).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// A line without its break, with the byte that it begins at.
    pub(in super::super::super) fn line(&self, number: usize) -> (usize, &str) {
        let start = number.checked_sub(1).and_then(|i| self.lines.get(i)).copied();
        let start = start.unwrap_or(self.text.len());
        let end = self.lines.get(number).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(start..end.max(start)).unwrap_or_default();
        (start, line.trim_end_matches('\r'))
    }

    /// A range of bytes, on one line and of at least one character.
    pub(super) fn spot(&self, range: &Range<usize>) -> Spot {
        let start = self.boundary(range.start.min(self.text.len()));
        let (line, column) = self.line_and_column(start);
        let (begins, text) = self.line(line);
        let line_end = begins + text.len();
        let next = self
            .text
            .get(start..)
            .and_then(|rest| rest.chars().next())
            .map_or(start, |c| start + c.len_utf8());
        let end = self.boundary(range.end.max(next).min(line_end.max(start)));
        let width = self.text.get(start..end).unwrap_or_default().chars().count();
        Spot {
            bytes: (start, end),
            start: (line, column),
            end: (line, column + width.max(1)),
        }
    }

    fn boundary(&self, byte: usize) -> usize {
        (0..=byte)
            .rev()
            .find(|at| self.text.is_char_boundary(*at))
            .unwrap_or_default()
    }
}

/// Where a field of a document stands, or a part of it; the nearest that is there if it isn't there itself.
pub(super) fn locate(source: &Source, root: &Node, path: &Path, part: Part) -> Spot {
    let found = root.find(path);
    let of_key = found.key.map(|key| key.span.clone());
    let range = match (part, &found.node.content) {
        _ if !found.is_whole => of_key.unwrap_or_else(|| first_key(found.node)),
        (Part::Byte(byte), Content::Scalar { text, style, .. }) => {
            let at = scalar::place(&source.text, &found.node.span, *style, text, byte);
            at..at + word(source.text.get(at..found.node.span.end).unwrap_or_default())
        }
        (Part::Value, Content::Scalar { .. }) if !found.node.span.is_empty() => {
            first_line(source, &found.node.span)
        }
        (Part::Value | Part::Byte(_) | Part::Key, _) => of_key.unwrap_or_else(|| first_key(found.node)),
    };
    source.spot(&range)
}

/// The first key of a mapping, or what else it begins with.
fn first_key(node: &Node) -> Range<usize> {
    match &node.content {
        Content::Mapping(entries) => entries
            .first()
            .map_or_else(|| node.span.clone(), |(key, _)| key.span.clone()),
        _ => node.span.clone(),
    }
}

/// Of a text in several lines the first that says something.
fn first_line(source: &Source, span: &Range<usize>) -> Range<usize> {
    let text = source.text.get(span.clone()).unwrap_or_default();
    let end = text.find('\n').map_or(span.end, |at| span.start + at);
    let line = source.text.get(span.start..end).unwrap_or_default().trim_end();
    span.start..span.start + line.len().max(1)
}

/// How long the word is that a text begins with: a name, or else one character.
fn word(text: &str) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    if end > 0 {
        return end;
    }
    text.chars().next().map_or(1, char::len_utf8)
}
