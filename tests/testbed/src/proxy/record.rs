//! What the proxy saw.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use hyper::{HeaderMap, Method, body::Bytes};
use serde_json::Value;

/// Path segments that are followed by an identity, so that calls for different objects count as one class.
const COLLECTIONS: [&str; 18] = [
    "alert-rules",
    "contact-points",
    "mute-timings",
    "templates",
    "folder",
    "folders",
    "rule-groups",
    "silence",
    "uid",
    "name",
    "serviceaccounts",
    "namespaces",
    "alertrules",
    "receivers",
    "routingtrees",
    "timeintervals",
    "templategroups",
    "inhibitionrules",
];

/// One call through the proxy.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path with its query.
    pub path: String,
    /// The headers of the request.
    pub headers: HeaderMap,
    /// The body of the request.
    pub body: Bytes,
    /// The status of the answer that the caller got, if it got one.
    pub status: Option<u16>,
    /// How many bytes the body of the answer had; 0 where it goes on, as a watch does.
    pub answered: u64,
    /// Whether a fault struck it.
    pub faulty: bool,
    /// When it came.
    pub at: Instant,
    /// How long it took.
    pub took: Duration,
}

impl Call {
    pub(super) fn new(method: &Method, path: &str, headers: &HeaderMap, body: Bytes, at: Instant) -> Self {
        Self {
            method: method.clone(),
            path: path.to_owned(),
            headers: headers.clone(),
            body,
            status: None,
            answered: 0,
            faulty: false,
            at,
            took: Duration::ZERO,
        }
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether it can change something.
    pub fn is_write(&self) -> bool {
        self.method != Method::GET && self.method != Method::HEAD
    }

    /// How many rules it writes by the provisioning API: those of a group together, or one.
    pub fn rules_written(&self) -> usize {
        let is = |part| self.path.starts_with("/api/v1/provisioning/") && self.path.contains(part);
        match self.method {
            Method::PUT if is("/rule-groups/") => self
                .json()
                .pointer("/rules")
                .and_then(Value::as_array)
                .map_or(0, Vec::len),
            Method::POST | Method::PUT if is("/alert-rules") => 1,
            _ => 0,
        }
    }

    /// Method and path without identities and query: `PUT /api/v1/provisioning/folder/:id/rule-groups/:id`. Of an API server's objects the names
    /// stay: `PATCH /apis/alerting.letsrevel.io/v1alpha1/namespaces/:id/alertrules/errors/status`.
    pub fn class(&self) -> String {
        class(&self.method, &self.path)
    }
}

pub(super) fn class(method: &Method, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let names_stay = path.starts_with("/apis/alerting.letsrevel.io/");
    let mut previous = "";
    let segments = path.split('/').map(|segment| {
        let is_collection = COLLECTIONS.contains(&previous) && (!names_stay || previous == "namespaces");
        let identity = is_collection && segment != "export" && segment != "test";
        previous = if identity { "" } else { segment };
        if identity { ":id" } else { segment }
    });
    format!("{method} {}", segments.collect::<Vec<_>>().join("/"))
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self
            .status
            .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let faulty = if self.faulty { ", fault" } else { "" };
        write!(
            f,
            "{} {} -> {status}{faulty}, {:?}",
            self.method, self.path, self.took
        )
    }
}

/// Calls in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Calls(pub Vec<Call>);

impl Calls {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of a method whose path and query contain the text.
    #[must_use]
    pub fn of(&self, method: &str, path: &str) -> Self {
        self.filter(|call| call.method == method && call.path.contains(path))
    }

    /// Those that can change something.
    #[must_use]
    pub fn writes(&self) -> Self {
        self.filter(Call::is_write)
    }

    /// Those that only read.
    #[must_use]
    pub fn reads(&self) -> Self {
        self.filter(|call| !call.is_write())
    }

    /// All but the reads of alert states, which have an interval of their own.
    #[must_use]
    pub fn without_states(&self) -> Self {
        self.filter(|call| !call.path.contains("/api/prometheus/"))
    }

    /// How many bytes the bodies of requests and answers had.
    pub fn bytes(&self) -> u64 {
        let bytes = |call: &Call| call.body.len() as u64 + call.answered;
        self.0.iter().map(bytes).sum()
    }

    /// How often all rules were listed, whatever the API and however many pages.
    pub fn rule_lists(&self) -> usize {
        let lists = self.reads().filter(|call| {
            let path = call.path.split('?').next().unwrap_or_default();
            path.ends_with("/api/ruler/grafana/api/v1/rules")
                || path.ends_with("/alertrules") && !call.path.contains("continue=")
        });
        lists.len()
    }

    /// How many calls of each class.
    pub fn by_class(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.0 {
            *counts.entry(call.class()).or_default() += 1;
        }
        counts
    }

    /// Those that are to be kept.
    #[must_use]
    pub fn filter(&self, keep: impl Fn(&Call) -> bool) -> Self {
        Self(self.0.iter().filter(|call| keep(call)).cloned().collect())
    }
}

/// One line for each call, for the messages of assertions.
impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|call| writeln!(f, "{call}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(path: &str) -> String {
        Call::new(
            &Method::GET,
            path,
            &HeaderMap::new(),
            Bytes::new(),
            Instant::now(),
        )
        .class()
    }

    #[test]
    fn a_write_of_a_group_writes_as_many_rules_as_it_has() {
        let call = |method, path, body: &'static str| {
            let body = Bytes::from_static(body.as_bytes());
            Call::new(&method, path, &HeaderMap::new(), body, Instant::now()).rules_written()
        };
        let rules = "/api/v1/provisioning/alert-rules";
        let group = "/api/v1/provisioning/folder/f/rule-groups/g";
        assert_eq!(call(Method::POST, rules, "{}"), 1);
        assert_eq!(call(Method::PUT, group, r#"{"rules": [{}, {}]}"#), 2);
        assert_eq!(call(Method::GET, rules, ""), 0);
        assert_eq!(call(Method::PUT, "/api/v1/provisioning/policies", "{}"), 0);
    }

    #[test]
    fn a_list_of_rules_counts_once_by_either_api_and_with_all_of_its_pages() {
        let paths = [
            "/api/ruler/grafana/api/v1/rules",
            "/apis/rules.alerting.grafana.app/v1beta1/namespaces/default/alertrules?limit=500",
            "/apis/rules.alerting.grafana.app/v1beta1/namespaces/default/alertrules?limit=500&continue=x",
            "/apis/rules.alerting.grafana.app/v1beta1/namespaces/default/alertrules/a",
            "/api/prometheus/grafana/api/v1/rules",
        ];
        let call = |path| {
            Call::new(
                &Method::GET,
                path,
                &HeaderMap::new(),
                Bytes::new(),
                Instant::now(),
            )
        };
        let calls = Calls(paths.map(call).to_vec());
        assert_eq!(calls.rule_lists(), 2);
        assert_eq!(calls.without_states().len(), 4);
    }

    #[test]
    fn a_class_has_no_identities() {
        let group = class("/api/v1/provisioning/folder/f1/rule-groups/folder?x=1");
        assert_eq!(group, "GET /api/v1/provisioning/folder/:id/rule-groups/:id");
        assert_eq!(
            class("/apis/alerting.letsrevel.io/v1alpha1/namespaces/team/alertrules/errors/status"),
            "GET /apis/alerting.letsrevel.io/v1alpha1/namespaces/:id/alertrules/errors/status"
        );
        assert_eq!(
            class("/api/v1/provisioning/alert-rules"),
            "GET /api/v1/provisioning/alert-rules"
        );
        assert_eq!(
            class("/api/v1/provisioning/alert-rules/a-1"),
            "GET /api/v1/provisioning/alert-rules/:id"
        );
    }
}
