//! Reading YAML, and JSON as a part of it.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value};

use super::document::{Content, Key, Node, Style};
use super::scalar::{is_beyond_json, resolve};

/// How many values one document may have, those behind aliases counted each time.
const MOST: usize = 1_000_000;

/// Why a document can't be read, and where.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) at: usize,
    pub(super) message: String,
    /// Another document of the file is read all the same.
    pub(super) span: Range<usize>,
}

/// The documents of a file, each by itself: one that can't be read hurts no other.
pub(super) fn documents(text: &str) -> Vec<Result<Vec<Arc<Node>>, Unreadable>> {
    chunks(text)
        .into_iter()
        .map(|chunk| {
            read(text, &chunk).map_err(|(at, message)| Unreadable {
                at,
                message,
                span: chunk.clone(),
            })
        })
        .collect()
}

/// The parts of a file between the lines that begin a document. No text of a document can hold such a line.
fn chunks(text: &str) -> Vec<Range<usize>> {
    let mut chunks = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let is_start = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if is_start && at > start {
            chunks.push(start..at);
            start = at;
        }
        at += line.len();
    }
    chunks.push(start..text.len());
    chunks.retain(|chunk| !is_empty(text.get(chunk.clone()).unwrap_or_default()));
    chunks
}

fn is_empty(chunk: &str) -> bool {
    let mut lines = chunk.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line == "---" || line.starts_with(['#', '%']))
}

type Fault = (usize, String);

fn read(text: &str, chunk: &Range<usize>) -> Result<Vec<Arc<Node>>, Fault> {
    let part = text.get(chunk.clone()).unwrap_or_default();
    let mut options = granit_parser::options! {};
    options.set_emit_comments(false);
    let mut builder = Builder {
        offset: chunk.start,
        open: Vec::new(),
        anchors: HashMap::new(),
        done: Vec::new(),
        count: 0,
    };
    for event in Parser::new_from_str_with_options(part, options) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or_default().min(part.len());
            (chunk.start + at, error.info())
        })?;
        builder.take(event, span)?;
    }
    Ok(builder.done)
}

/// A list or a mapping that isn't over.
struct Open {
    start: usize,
    anchor: usize,
    items: Vec<Arc<Node>>,
    /// The keys of a mapping; `None` for a list.
    keys: Option<Vec<Key>>,
    /// Their names, so that each isn't looked for among all of them.
    named: HashSet<String>,
}

struct Builder {
    offset: usize,
    open: Vec<Open>,
    anchors: HashMap<usize, Arc<Node>>,
    done: Vec<Arc<Node>>,
    count: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        let range = span.byte_range().unwrap_or_default();
        let range = range.start + self.offset..range.end + self.offset;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                // A long text counts as several, or aliases of one could fill the memory.
                let size = 1 + text.len() / 64;
                let is_tagged = tag.is_some_and(|tag| tag.suffix() == "str");
                let node = Node {
                    content: Content::Scalar {
                        is_text: style != ScalarStyle::Plain || is_tagged,
                        style: match style {
                            ScalarStyle::Plain => Style::Plain,
                            ScalarStyle::SingleQuoted => Style::SingleQuoted,
                            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                        },
                        text: text.into_owned(),
                    },
                    span: range,
                    size,
                };
                self.add(node, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(range.start, anchor, None);
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                self.begin(range.start, anchor, Some(Vec::new()));
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range.end),
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id).cloned() else {
                    return Err((
                        range.start,
                        "this alias stands within what it stands for".to_owned(),
                    ));
                };
                self.put(node, range)
            }
            Event::DocumentStart(..) => {
                self.anchors.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, start: usize, anchor: usize, keys: Option<Vec<Key>>) {
        self.open.push(Open {
            start,
            anchor,
            items: Vec::new(),
            keys,
            named: HashSet::new(),
        });
    }

    fn end(&mut self, end: usize) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let size = open
            .items
            .iter()
            .fold(1_usize, |sum, item| sum.saturating_add(item.size));
        let content = match open.keys {
            None => Content::Sequence(open.items),
            Some(keys) => Content::Mapping(keys.into_iter().zip(open.items).collect()),
        };
        let node = Node {
            span: open.start..end,
            content,
            size,
        };
        self.add(node, open.anchor)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        let node = Arc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let span = node.span.clone();
        self.put(node, span)
    }

    /// Puts a value where one is expected: as a key, as a value, into a list, or as the whole document.
    fn put(&mut self, node: Arc<Node>, span: Range<usize>) -> Result<(), Fault> {
        self.count += 1;
        if self.count > MOST || node.size > MOST {
            let message =
                format!("a document may have at most {MOST} values, those of aliases counted each time");
            return Err((span.start, message));
        }
        let Some(open) = self.open.last_mut() else {
            self.done.push(node);
            return Ok(());
        };
        match &mut open.keys {
            Some(keys) if keys.len() == open.items.len() => {
                let Content::Scalar { text, .. } = &node.content else {
                    return Err((span.start, "a key is a text, not a list or a mapping".to_owned()));
                };
                if !open.named.insert(text.clone()) && text != MERGE {
                    return Err((span.start, format!("{text} is given twice in one mapping")));
                }
                keys.push(Key {
                    name: text.clone(),
                    span,
                });
            }
            _ => open.items.push(node),
        }
        Ok(())
    }
}

/// Why kubectl refuses a document that can be read all the same.
pub(super) fn refused(node: &Node) -> Option<Unreadable> {
    let (text, at) = beyond_json(node)?;
    Some(Unreadable {
        at,
        message: format!(
            "{text} is a number that JSON doesn't have, so kubectl refuses it; put it in quotes"
        ),
        span: node.span.clone(),
    })
}

/// The first number that JSON has none for, and where it is.
fn beyond_json(node: &Node) -> Option<(&str, usize)> {
    match &node.content {
        Content::Scalar { text, is_text, .. } => {
            (!is_text && is_beyond_json(text)).then_some((text.as_str(), node.span.start))
        }
        Content::Sequence(items) => items.iter().find_map(|item| beyond_json(item)),
        Content::Mapping(entries) => entries.iter().find_map(|(_, value)| beyond_json(value)),
    }
}

/// The key whose value's fields are taken over.
const MERGE: &str = "<<";

/// The value as JSON.
pub(super) fn to_json(node: &Node) -> Value {
    value(node, &resolve)
}

/// The same with every text as it is written, whatever kubectl takes it for.
pub(super) fn as_written(node: &Node) -> Value {
    value(node, &|text| match resolve(text) {
        Value::Null => Value::Null,
        _ => Value::String(text.to_owned()),
    })
}

fn value(node: &Node, plain: &dyn Fn(&str) -> Value) -> Value {
    match &node.content {
        Content::Scalar { text, is_text, .. } => {
            if *is_text {
                Value::String(text.clone())
            } else {
                plain(text)
            }
        }
        Content::Sequence(items) => items.iter().map(|item| value(item, plain)).collect(),
        Content::Mapping(entries) => {
            let mut fields = Map::new();
            for (key, own) in entries {
                if key.name == MERGE {
                    merge(own, &mut fields, plain);
                } else {
                    fields.insert(key.name.clone(), value(own, plain));
                }
            }
            Value::Object(fields)
        }
    }
}

/// Takes over what isn't there yet; what is written itself comes after and replaces it.
fn merge(from: &Node, fields: &mut Map<String, Value>, plain: &dyn Fn(&str) -> Value) {
    match &from.content {
        Content::Mapping(_) => {
            if let Value::Object(theirs) = value(from, plain) {
                for (key, value) in theirs {
                    fields.entry(key).or_insert(value);
                }
            }
        }
        Content::Sequence(items) => items.iter().for_each(|item| merge(item, fields, plain)),
        Content::Scalar { .. } => {}
    }
}
