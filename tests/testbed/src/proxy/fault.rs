//! What the proxy can do wrong.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde_json::json;

use super::record::class;

/// One way to misbehave, for the calls it matches: all, unless told otherwise.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: Kind,
    method: Option<Method>,
    path: String,
    class: Option<String>,
    text: String,
    /// How many matching calls go through first.
    skip: usize,
    /// How many it strikes after that.
    times: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Status {
        status: StatusCode,
        retry_after: Option<Duration>,
        body: String,
    },
    Delay(Duration),
    DropBefore,
    DropAfter,
    Garbage,
    Partial,
    Hold {
        happens: bool,
    },
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            method: None,
            path: String::new(),
            class: None,
            text: String::new(),
            skip: 0,
            times: usize::MAX,
        }
    }

    /// Answers with a status and Grafana's form of an error, and does not forward the call.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("an HTTP status");
        let body = json!({"message": "fault on demand", "traceID": ""}).to_string();
        Self::new(Kind::Status {
            status,
            retry_after: None,
            body,
        })
    }

    /// Forwards after a pause.
    pub fn delay(time: Duration) -> Self {
        Self::new(Kind::Delay(time))
    }

    /// Ends the connection instead of forwarding: the call never happened.
    pub fn drop_before() -> Self {
        Self::new(Kind::DropBefore)
    }

    /// Forwards, then ends the connection without an answer: the call happened, the caller cannot know.
    pub fn drop_after() -> Self {
        Self::new(Kind::DropAfter)
    }

    /// Forwards and replaces the body of the answer by something that is not JSON.
    pub fn garbage() -> Self {
        Self::new(Kind::Garbage)
    }

    /// Forwards, and ends the connection in the middle of the answer.
    pub fn partial() -> Self {
        Self::new(Kind::Partial)
    }

    /// Neither forwards nor answers, so that the caller can be killed before the call has happened, see `Proxy::held`.
    pub fn hold_before() -> Self {
        Self::new(Kind::Hold { happens: false })
    }

    /// Forwards and doesn't answer, so that the caller can be killed after the call has happened, see `Proxy::held`.
    pub fn hold_after() -> Self {
        Self::new(Kind::Hold { happens: true })
    }

    /// Adds a `Retry-After` header, in whole seconds, to a [`Fault::status`].
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        if let Kind::Status { retry_after, .. } = &mut self.kind {
            *retry_after = Some(time);
        }
        self
    }

    /// Replaces the body of a [`Fault::status`].
    #[must_use]
    pub fn body(mut self, text: impl Into<String>) -> Self {
        if let Kind::Status { body, .. } = &mut self.kind {
            *body = text.into();
        }
        self
    }

    /// Matches only calls of a method whose path and query contain the text.
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.parse().expect("an HTTP method"));
        path.clone_into(&mut self.path);
        self
    }

    /// Matches only calls whose path and query contain the text.
    #[must_use]
    pub fn on_path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Matches only calls of this [class](super::Call::class).
    #[must_use]
    pub fn of_class(mut self, class: &str) -> Self {
        self.class = Some(class.to_owned());
        self
    }

    /// Matches only calls whose body contains the text.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        text.clone_into(&mut self.text);
        self
    }

    /// Lets the first matching calls through.
    #[must_use]
    pub fn after(mut self, calls: usize) -> Self {
        self.skip = calls;
        self
    }

    /// Strikes only that many calls, then lets all through.
    #[must_use]
    pub fn times(mut self, calls: usize) -> Self {
        self.times = calls;
        self
    }

    /// What to do to a call; `None` leaves it alone.
    pub(super) fn take(&mut self, method: &Method, path: &str, body: &[u8]) -> Option<Kind> {
        let matches = self.method.as_ref().is_none_or(|own| own == method)
            && path.contains(&self.path)
            && self.class.as_ref().is_none_or(|own| *own == class(method, path))
            && (self.text.is_empty() || String::from_utf8_lossy(body).contains(&self.text));
        if !matches || self.times == 0 {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.kind.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_calls_it_names_and_no_others() {
        let mut fault = Fault::drop_before().on("PUT", "/policies").after(1).times(2);
        let mut strikes = |method: Method, path| fault.take(&method, path, b"").is_some();
        assert!(!strikes(Method::GET, "/policies"));
        assert!(!strikes(Method::PUT, "/contact-points"));
        assert_eq!(
            [(); 4].map(|()| strikes(Method::PUT, "/policies")),
            [false, true, true, false]
        );
        let group = "/api/v1/provisioning/folder/f/rule-groups/g";
        let mut fault = Fault::drop_before().of_class("PUT /api/v1/provisioning/folder/:id/rule-groups/:id");
        let mut strikes = |method: Method| fault.take(&method, group, b"").is_some();
        assert_eq!([strikes(Method::GET), strikes(Method::PUT)], [false, true]);
        let mut fault = Fault::drop_before().saying("bad");
        let mut strikes = |body: &[u8]| fault.take(&Method::PUT, "/", body).is_some();
        assert_eq!([strikes(b"a bad one"), strikes(b"a good one")], [true, false]);
    }
}
