//! One call of an exchange, and what its answer must be.

use reqwest::Method;
use serde_json::Value;

use super::expect::Expect;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    /// An administrator of the organisation.
    Admin,
    /// A service account with the role Editor.
    Editor,
    /// A service account with the role Viewer.
    Viewer,
    /// A service account without a role.
    NoRole,
    /// An administrator of the server, in the organisation that it is signed in to.
    ServerAdmin,
    /// Nobody: no log-in at all.
    Nobody,
    /// Whoever has the token that was kept under this name.
    Token(&'static str),
    /// Whoever has this name and password.
    User(&'static str, &'static str),
}

/// What is sent as the body.
#[derive(Debug, Clone)]
pub enum Body {
    /// No body.
    None,
    /// JSON.
    Json(Value),
    /// Text that is sent as it is, as JSON.
    Text(String),
}

/// One call. In its path, its body and what is expected, `<name>` stands for a name of the contract's own, or for
/// what was kept under it from an earlier answer.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is done to the path.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// What is sent.
    pub body: Body,
    /// Headers that are sent besides.
    pub headers: Vec<(&'static str, String)>,
    /// Who calls.
    pub by: Caller,
    /// What must be true of the answer.
    pub expected: Vec<Expect>,
    /// What is kept of the answer: from where, and under which name.
    pub kept: Vec<(&'static str, &'static str)>,
    /// Whether it is asked again until the answer is as expected.
    pub eventually: bool,
    /// How many equal calls are made at once; each may then have any of the expected statuses. `<n>` is its number.
    pub times: usize,
}

fn call(method: Method, path: impl Into<String>) -> Call {
    Call {
        method,
        path: path.into(),
        body: Body::None,
        headers: Vec::new(),
        by: Caller::Admin,
        expected: Vec::new(),
        kept: Vec::new(),
        eventually: false,
        times: 1,
    }
}

/// Reads a path.
pub fn get(path: impl Into<String>) -> Call {
    call(Method::GET, path)
}

/// Posts to a path.
pub fn post(path: impl Into<String>, body: Value) -> Call {
    call(Method::POST, path).json(body)
}

/// Puts to a path.
pub fn put(path: impl Into<String>, body: Value) -> Call {
    call(Method::PUT, path).json(body)
}

/// Patches a path.
pub fn patch(path: impl Into<String>, body: Value) -> Call {
    call(Method::PATCH, path).json(body)
}

/// Deletes a path.
pub fn delete(path: impl Into<String>) -> Call {
    call(Method::DELETE, path)
}

impl Call {
    fn json(mut self, body: Value) -> Self {
        self.body = Body::Json(body);
        self
    }

    fn expect(mut self, expect: Expect) -> Self {
        self.expected.push(expect);
        self
    }

    /// Sends JSON.
    #[must_use]
    pub fn send(self, body: Value) -> Self {
        self.json(body)
    }

    /// Sends text in place of JSON.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.body = Body::Text(text.to_owned());
        self
    }

    /// Sends a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Writes as the web frontend does: what is written has no provenance.
    #[must_use]
    pub fn unprovisioned(self) -> Self {
        self.with("X-Disable-Provenance", "true")
    }

    /// Somebody else calls than the organisation's administrator.
    #[must_use]
    pub fn by(mut self, caller: Caller) -> Self {
        self.by = caller;
        self
    }

    /// The call is repeated until the answer is as expected, for at most a minute.
    #[must_use]
    pub fn eventually(mut self) -> Self {
        self.eventually = true;
        self
    }

    /// The call is made several times at once.
    #[must_use]
    pub fn at_once(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// The status. Without it, any success will do.
    #[must_use]
    pub fn is(self, status: u16) -> Self {
        self.expect(Expect::Status(vec![status]))
    }

    /// One of several statuses.
    #[must_use]
    pub fn either<const N: usize>(self, statuses: [u16; N]) -> Self {
        self.expect(Expect::Status(statuses.to_vec()))
    }

    /// The `messageId` of an error.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        self.expect(Expect::At("/messageId".into(), id.into()))
    }

    /// The `message` of an error contains a text.
    #[must_use]
    pub fn says(self, text: &str) -> Self {
        self.expect(Expect::Says(text.to_owned()))
    }

    /// A value in the body. The path is one of keys, indexes, `key=value` for the entry of a list that has it, or `*` for all entries.
    #[must_use]
    pub fn at(self, path: &str, value: impl Into<Value>) -> Self {
        self.expect(Expect::At(path.to_owned(), value.into()))
    }

    /// Something is at the path, and not this.
    #[must_use]
    pub fn differs(self, path: &str, value: impl Into<Value>) -> Self {
        self.expect(Expect::Differs(path.to_owned(), value.into()))
    }

    /// All values at a path, in their order.
    #[must_use]
    pub fn lists<T: Into<Value>>(self, path: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.expect(Expect::Lists(
            path.to_owned(),
            values.into_iter().map(Into::into).collect(),
        ))
    }

    /// The body contains this: objects may have more keys, lists are as long as this.
    #[must_use]
    pub fn has(self, body: Value) -> Self {
        self.expect(Expect::Has(body))
    }

    /// Something is at the path, whatever it is.
    #[must_use]
    pub fn there(self, path: &str) -> Self {
        self.expect(Expect::There(path.to_owned()))
    }

    /// Nothing is at the path.
    #[must_use]
    pub fn lacks(self, path: &str) -> Self {
        self.expect(Expect::Lacks(path.to_owned()))
    }

    /// How many values are at the path.
    #[must_use]
    pub fn counts(self, path: &str, number: usize) -> Self {
        self.expect(Expect::Counts(path.to_owned(), number))
    }

    /// The body is this text; `""` for none.
    #[must_use]
    pub fn body(self, text: &str) -> Self {
        self.expect(Expect::Body(text.to_owned()))
    }

    /// A header of the answer contains a text.
    #[must_use]
    pub fn header(self, name: &'static str, text: &str) -> Self {
        self.expect(Expect::Header(name, text.to_owned()))
    }

    /// The answer lacks a header.
    #[must_use]
    pub fn no_header(self, name: &'static str) -> Self {
        self.expect(Expect::NoHeader(name))
    }

    /// Keeps a value of the answer, under a name for later calls.
    #[must_use]
    pub fn keep(mut self, path: &'static str, name: &'static str) -> Self {
        self.kept.push((path, name));
        self
    }
}
