//! Names of a contract's own: `<folder>` in a path or a body.

use std::{collections::HashMap, fmt::Write as _};

use serde_json::Value;

/// What `<name>` stands for.
#[derive(Debug, Clone)]
pub struct Names {
    prefix: String,
    kept: HashMap<String, Value>,
}

impl Names {
    /// Names that begin with a prefix, so that nobody else's are like them.
    pub fn new(prefix: String) -> Self {
        Self {
            prefix,
            kept: HashMap::new(),
        }
    }

    /// What all of them begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// From now on a name stands for this.
    pub fn keep(&mut self, name: &str, value: Value) {
        self.kept.insert(name.to_owned(), value);
    }

    fn value(&self, name: &str) -> Value {
        let own = || Value::String(format!("{}-{name}", self.prefix));
        self.kept.get(name).cloned().unwrap_or_else(own)
    }

    /// What a name stands for, as text.
    pub fn text(&self, name: &str) -> String {
        let value = self.value(name);
        value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned)
    }

    /// Puts names into a text.
    pub fn fill(&self, text: &str) -> String {
        self.replace(text, |value| value)
    }

    /// Puts names into a path, escaped.
    pub fn fill_path(&self, path: &str) -> String {
        self.replace(path, |value| escape(&value))
    }

    fn replace(&self, text: &str, each: impl Fn(String) -> String) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after, name)) = next(rest) {
            filled.push_str(before);
            filled.push_str(&each(self.text(name)));
            rest = after;
        }
        filled + rest
    }

    /// Puts names into every text of a body; a text that is nothing but a name becomes what it stands for, be it a
    /// number or a list.
    pub fn fill_json(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match next(text) {
                Some(("", "", name)) => self.value(name),
                _ => self.fill(text).into(),
            },
            Value::Array(list) => list.iter().map(|value| self.fill_json(value)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (self.fill(key), self.fill_json(value)))
                .collect(),
            _ => value.clone(),
        }
    }
}

/// What is before the first name, what is after it, and the name.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(start) = text[from..].find('<').map(|at| from + at) {
        let after = &text[start + 1..];
        let length = after
            .find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
            .unwrap_or(after.len());
        if length > 0 && after[length..].starts_with('>') {
            return Some((&text[..start], &after[length + 1..], &after[..length]));
        }
        from = start + 1;
    }
    None
}

/// A text as one segment of a path.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a text can't fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
