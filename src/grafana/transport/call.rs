//! One request, before it is sent.

use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::{Client, RequestBuilder};
use serde::Serialize;
use url::Url;

use super::size::Size;
use crate::grafana::api::Provenance;
use crate::grafana::error::{Error, Result, redacted};
use crate::telemetry::spans;

/// Grafana looks at whether it is there, never at its value.
const DISABLE_PROVENANCE: HeaderName = HeaderName::from_static("x-disable-provenance");

/// What can't stand for itself in a segment of a path: the set of the URL standard (<https://url.spec.whatwg.org/#path-percent-encode-set>), with what divides
/// or escapes.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// A request to Grafana.
pub(crate) struct Call {
    /// Name in errors and metrics.
    pub(in crate::grafana) operation: &'static str,
    pub(super) method: Method,
    path: Vec<String>,
    /// How many segments of the path are the same in every call of the operation; names follow.
    fixed: usize,
    query: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
    provenance: Provenance,
    /// Whether it changes nothing, though it has a body.
    pub(super) is_read: bool,
    accept: Option<&'static str>,
    /// Whether it changes nothing in Grafana, but may have effects elsewhere.
    pub(super) is_harmless: bool,
    /// The most that its answer may have.
    pub(super) size: Size,
    /// Statuses that aren't refusals.
    pub(super) answers: &'static [u16],
}

impl Call {
    /// A request of `/{path}/{names}`, where the names are escaped.
    pub(crate) fn new(operation: &'static str, method: Method, path: &str, names: &[&str]) -> Self {
        let fixed = path.split('/').count();
        let path = path
            .split('/')
            .chain(names.iter().copied())
            .map(str::to_owned)
            .collect();
        Self {
            operation,
            is_read: method == Method::GET,
            size: if method == Method::GET {
                Size::LIST
            } else {
                Size::OBJECT
            },
            method,
            path,
            fixed,
            query: Vec::new(),
            body: None,
            provenance: Provenance::Api,
            accept: None,
            is_harmless: false,
            answers: &[],
        }
    }

    /// A read.
    pub(crate) fn get(operation: &'static str, path: &str, names: &[&str]) -> Self {
        Self::new(operation, Method::GET, path, names)
    }

    /// The same with one more query parameter.
    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// The same for one whose answer is of one object, and can't be as large as a list.
    pub(crate) fn of_one(mut self) -> Self {
        self.size = Size::OBJECT;
        self
    }

    /// The same for an answer of what there may be most of: rules, their states and history, alerts, silences.
    pub(crate) fn of_many(mut self) -> Self {
        self.size = Size::MANY;
        self
    }

    /// The same for an answer in one of these media types, the best first; any JSON without.
    pub(crate) fn accepting(mut self, types: &'static str) -> Self {
        self.accept = Some(types);
        self
    }

    /// The same for one that changes nothing in Grafana, and may have effects elsewhere: unlike what only reads, it isn't sent again.
    #[cfg(feature = "cli")]
    pub(crate) fn harmless(mut self) -> Self {
        self.is_harmless = true;
        self
    }

    /// The same where these statuses aren't refusals, but have an answer in the usual form.
    #[cfg(feature = "cli")]
    pub(crate) fn answering(mut self, statuses: &'static [u16]) -> Self {
        self.answers = statuses;
        self
    }

    /// The same with a body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|_| unsendable("a body"))?;
        self.body = Some(body);
        Ok(self)
    }

    /// The same for a question that changes nothing, whatever its method says.
    #[cfg(feature = "cli")]
    pub(crate) fn reading(mut self) -> Self {
        self.is_read = true;
        self.size = Size::QUESTION;
        self
    }

    /// The same as a write with this provenance.
    pub(crate) fn provenance(mut self, provenance: Provenance) -> Self {
        self.provenance = provenance;
        self
    }

    pub(super) fn request(&self, client: &Client, base: &Url) -> Result<RequestBuilder> {
        let mut request = client.request(self.method.clone(), self.url(base)?);
        if let Some(body) = &self.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        if let Some(types) = self.accept {
            request = request.header(ACCEPT, HeaderValue::from_static(types));
        }
        if self.provenance == Provenance::None {
            request = request.header(DISABLE_PROVENANCE, HeaderValue::from_static("true"));
        }
        Ok(request)
    }

    /// What may be told of it in a trace: neither query nor body, and of the path nothing that is one of these secrets.
    pub(super) fn told(&self, base: &Url, secrets: &[&str], resent: u32) -> spans::Request {
        let segments = (self.path.iter().enumerate()).map(|(i, segment)| {
            if i < self.fixed {
                segment.as_str()
            } else {
                "{name}"
            }
        });
        let template = segments.fold(base.path().trim_end_matches('/').to_owned(), |path, segment| {
            format!("{path}/{segment}")
        });
        let url = self.url(base).ok();
        spans::Request {
            operation: self.operation.to_owned(),
            method: self.method.clone(),
            path: url.map_or_else(|| template.clone(), |url| redacted(url.path(), secrets)),
            template,
            server: base
                .host_str()
                .map(|host| (host.to_owned(), base.port_or_known_default())),
            resent,
        }
    }

    fn url(&self, base: &Url) -> Result<Url> {
        // An empty or dot segment would make this the address of something else.
        if self
            .path
            .iter()
            .any(|segment| matches!(segment.as_str(), "" | "." | ".."))
        {
            return Err(unsendable("a name"));
        }
        let mut url = base.clone();
        if url.cannot_be_a_base() {
            return Err(unsendable("an address"));
        }
        // Encoded here: the crate `url` leaves out tabs and line breaks of a segment, which makes it that of another object.
        let segments = self
            .path
            .iter()
            .map(|segment| utf8_percent_encode(segment, SEGMENT));
        let path = segments.fold(url.path().trim_end_matches('/').to_owned(), |path, segment| {
            format!("{path}/{segment}")
        });
        url.set_path(&path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

fn unsendable(what: &str) -> Error {
    Error::Configuration(format!("{what} cannot be part of a request"))
}
