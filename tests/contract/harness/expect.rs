//! What must be true of an answer.

use std::fmt;

use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use super::{names::Names, path};

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON; null where it isn't any.
    pub json: Value,
}

/// One thing that must be true.
#[derive(Debug, Clone)]
pub enum Expect {
    /// One of these statuses.
    Status(Vec<u16>),
    /// The message contains a text.
    Says(String),
    /// The value at a path.
    At(String, Value),
    /// Something else than this is at a path.
    Differs(String, Value),
    /// All values at a path.
    Lists(String, Vec<Value>),
    /// The body contains this.
    Has(Value),
    /// Something is at a path.
    There(String),
    /// Nothing is at a path.
    Lacks(String),
    /// So many values are at a path.
    Counts(String, usize),
    /// The whole body.
    Body(String),
    /// A header contains a text.
    Header(&'static str, String),
    /// There is no such header.
    NoHeader(&'static str),
}

impl Expect {
    /// With the contract's names in place.
    pub fn filled(&self, names: &Names) -> Self {
        match self {
            Self::Says(text) => Self::Says(names.fill(text)),
            Self::At(path, value) => Self::At(names.fill(path), names.fill_json(value)),
            Self::Differs(path, value) => Self::Differs(names.fill(path), names.fill_json(value)),
            Self::Lists(path, values) => Self::Lists(
                names.fill(path),
                values.iter().map(|value| names.fill_json(value)).collect(),
            ),
            Self::Has(value) => Self::Has(names.fill_json(value)),
            Self::There(path) => Self::There(names.fill(path)),
            Self::Lacks(path) => Self::Lacks(names.fill(path)),
            Self::Counts(path, number) => Self::Counts(names.fill(path), *number),
            Self::Body(text) => Self::Body(names.fill(text)),
            Self::Header(name, text) => Self::Header(name, names.fill(text)),
            Self::Status(_) | Self::NoHeader(_) => self.clone(),
        }
    }

    /// What is there instead, if it isn't true of an answer.
    pub fn refuted_by(&self, answer: &Answer) -> Option<String> {
        let body = &answer.json;
        let (holds, instead) = match self {
            Self::Status(any) => {
                let status = answer.status.as_u16();
                (any.contains(&status), status.to_string())
            }
            Self::Says(text) => {
                let message = body
                    .get("message")
                    .and_then(Value::as_str)
                    .unwrap_or(&answer.text);
                (message.contains(text), format!("{message:?}"))
            }
            Self::At(path, value) => {
                let found = path::find(body, path);
                (found == [value], print(&found))
            }
            Self::Differs(path, value) => {
                let found = path::find(body, path);
                (!found.is_empty() && found != [value], print(&found))
            }
            Self::Lists(path, values) => {
                let found = path::find(body, path);
                (found == values.iter().collect::<Vec<_>>(), print(&found))
            }
            Self::Has(wanted) => (path::contains(body, wanted), "another body".to_owned()),
            Self::There(path) => (!path::find(body, path).is_empty(), "nothing".to_owned()),
            Self::Lacks(path) => {
                let found = path::find(body, path);
                (found.is_empty(), print(&found))
            }
            Self::Counts(path, number) => {
                let found = path::find(body, path).len();
                (found == *number, found.to_string())
            }
            Self::Body(text) => (answer.text.trim() == text.trim(), format!("{:?}", answer.text)),
            Self::Header(name, text) => {
                let value = answer.headers.get(*name).and_then(|value| value.to_str().ok());
                let holds = value.is_some_and(|value| value.contains(text));
                (
                    holds,
                    value.map_or_else(|| "no such header".to_owned(), ToOwned::to_owned),
                )
            }
            Self::NoHeader(name) => {
                let value = answer.headers.get(*name);
                (value.is_none(), format!("{value:?}"))
            }
        };
        (!holds).then_some(instead)
    }
}

fn print(found: &[&Value]) -> String {
    match found {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        all => all.iter().copied().cloned().collect::<Value>().to_string(),
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(any) => {
                let any: Vec<_> = any.iter().map(ToString::to_string).collect();
                f.write_str(&any.join(" or "))
            }
            Self::Says(text) => write!(f, "a message with {text:?}"),
            Self::At(path, value) => write!(f, "{path} is {value}"),
            Self::Differs(path, value) => write!(f, "{path} isn't {value}"),
            Self::Lists(path, values) => write!(f, "{path} are {}", Value::from_iter(values.clone())),
            Self::Has(value) => write!(f, "a body with {value}"),
            Self::There(path) => write!(f, "something at {path}"),
            Self::Lacks(path) => write!(f, "nothing at {path}"),
            Self::Counts(path, number) => write!(f, "{number} at {path}"),
            Self::Body(text) if text.is_empty() => f.write_str("no body"),
            Self::Body(text) => write!(f, "the body {text:?}"),
            Self::Header(name, text) => write!(f, "the header {name} with {text:?}"),
            Self::NoHeader(name) => write!(f, "no header {name}"),
        }
    }
}
