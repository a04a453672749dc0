//! Traces: a span for each pass, below it its calls, and no secret anywhere.

use std::sync::Arc;
use std::time::Duration;

use alertwright::api::{AlertRule, ContactPoint};
use alertwright_testbed::{any_release, apply, wait};
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use prost::Message;
use serde_json::json;
use tokio::net::TcpListener;

use crate::alarm::secret;
use crate::world::{self, SOON, World};

/// What a collector was sent: paths, log-ins, bodies.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, String, Bytes)>>>);

impl Collector {
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let records = collector.0.clone();
        let router = Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let login = headers.get("authorization").and_then(|login| login.to_str().ok());
            let login = login.unwrap_or_default().to_owned();
            records.lock().push((uri.path().to_owned(), login, body));
        });
        tokio::spawn(async { axum::serve(listener, router).await });
        (collector, url)
    }

    fn requests(&self) -> Vec<(String, String, Bytes)> {
        self.0.lock().clone()
    }

    fn decoded(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.requests().into_iter().map(|(_, _, body)| body);
        bodies
            .map(|body| ExportTraceServiceRequest::decode(body).expect("protobuf"))
            .collect()
    }

    fn spans(&self) -> Vec<Span> {
        let all = self
            .decoded()
            .into_iter()
            .flat_map(|request| request.resource_spans);
        let all = all.flat_map(|of_resource| of_resource.scope_spans);
        all.flat_map(|of_scope| of_scope.spans).collect()
    }
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()?.value) {
        Some(Any::StringValue(text)) => text,
        Some(Any::IntValue(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// One of the attributes of a span.
fn of(span: &Span, key: &str) -> String {
    text(&span.attributes, key)
}

/// The operator anew, which sends traces there, and gathers them for so long before.
async fn restart_traced(w: &mut World, collector: &str, gathered_for: Duration) {
    w.operator.terminate().await;
    w.proxy.reset();
    w.operator = world::operator(&w.home, &w.ns, &w.kubeconfig)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector)
        .env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20canary-of-the-collector",
        )
        .env("OTEL_SERVICE_NAME", "alerting")
        .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        .env("OTEL_BSP_SCHEDULE_DELAY", gathered_for.as_millis().to_string())
        .start()
        .await
        .expect("the operator starts");
}

/// How many passes over a kind have ended, as the metrics say.
async fn passes(w: &World, kind: &str) -> usize {
    let metrics = w.operator.metrics().await;
    let of_kind = |line: &&str| {
        line.starts_with("alertwright_reconciles_total{") && line.contains(&format!("kind=\"{kind}\""))
    };
    let counts = metrics.lines().filter(of_kind);
    let counts = counts.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
    counts.sum()
}

/// Whether a pass came when something was known of its Grafana. One that did not has no call and nothing to say, and is counted by nobody.
fn has_begun(pass: &Span, spans: &[Span]) -> bool {
    !of(pass, "alertwright.reason").is_empty() || spans.iter().any(|span| span.parent_span_id == pass.span_id)
}

#[apply(any_release)]
async fn each_pass_is_a_span_with_its_calls_below_it_and_no_secret_is_in_any() {
    let mut w = world::start().await;
    let (collector, url) = Collector::start().await;
    restart_traced(&mut w, &url, Duration::from_millis(100)).await;
    secret(&w, "keys", json!({"token": "canary-of-the-contact-point"})).await;
    let credentials = json!({"secretKeyRef": {"name": "keys", "key": "token"}});
    let hook = json!({"url": {"value": "http://127.0.0.1:9/canary-of-the-url"}, "authorizationCredentials": credentials});
    w.put(
        "ContactPoint",
        "hook",
        json!({"integrations": [{"webhook": hook}]}),
    )
    .await;
    let query = "sum(count_over_time({app=\"a\"} [5m])) > 1";
    w.put("AlertRule", "a", json!({"query": query})).await;
    w.synced::<ContactPoint>("hook").await;
    w.synced::<AlertRule>("a").await;
    for kind in ["ContactPoint", "AlertRule"] {
        wait::until(&format!("a span of each pass over {kind}"), SOON, async || {
            let counted = passes(&w, kind).await;
            let spans = collector.spans();
            let told = spans.iter().filter(|span| span.name == format!("pass {kind}"));
            let told = told.filter(|span| has_begun(span, &spans)).count();
            if told == counted && counted > 0 {
                wait::Seen::Yes(())
            } else {
                wait::not_yet(format!("{told} spans of {counted} passes"))
            }
        })
        .await;
    }

    w.operator.terminate().await;
    let (spans, calls) = (collector.spans(), w.proxy.requests());
    let token = calls.0[0].headers["authorization"].to_str().expect("a token");
    let token = token.strip_prefix("Bearer ").expect("a token").to_owned();
    let pass = |span: &Span| {
        let above = spans.iter().find(|other| other.span_id == span.parent_span_id)?;
        assert_eq!(above.trace_id, span.trace_id);
        Some(above.clone())
    };
    let all = |method: &str, template: &str, of_pass: &str| {
        let here = spans.iter().filter(|span| {
            of(span, "http.request.method") == method && of(span, "url.template").ends_with(template)
        });
        let here = here.filter(|span| pass(span).is_some_and(|pass| pass.name == of_pass));
        here.cloned().collect::<Vec<_>>()
    };
    for (kind, plural, name) in [
        ("ContactPoint", "contactpoints", "hook"),
        ("AlertRule", "alertrules", "a"),
    ] {
        let template = format!("/namespaces/{{namespace}}/{plural}/{{name}}/status");
        let written = all("PATCH", &template, &format!("pass {kind}"));
        assert!(!written.is_empty(), "{kind}: {spans:#?}");
        for call in &written {
            assert_eq!(of(call, "http.response.status_code"), "200");
            assert!(of(call, "url.path").ends_with(&format!("/{plural}/{name}/status")));
            let pass = pass(call).expect("a pass");
            assert_eq!(of(&pass, "alertwright.name"), name);
            assert_eq!(of(&pass, "k8s.namespace.name"), w.ns);
            assert_eq!(of(&pass, "alertwright.outcome"), "done");
            assert_eq!(of(&pass, "alertwright.reason"), "Synced");
        }
    }

    // Each write that Grafana saw is a call below a pass.
    let port = w.proxy.url().rsplit(':').next().expect("a port").to_owned();
    let is_write = |span: &&Span| !matches!(&*of(span, "http.request.method"), "GET" | "");
    let mut told: Vec<String> = (spans.iter())
        .filter(|span| of(span, "server.port") == port)
        .filter(is_write)
        .map(|span| {
            assert!(
                pass(span).is_some_and(|pass| pass.name.starts_with("pass ")),
                "{span:#?}"
            );
            format!(
                "{} {} {}",
                of(span, "http.request.method"),
                of(span, "url.path"),
                of(span, "http.response.status_code")
            )
        })
        .collect();
    let seen = calls.filter(|call| call.method != "GET").0.into_iter();
    let mut seen: Vec<String> = seen
        .map(|call| {
            let path = call.path.split('?').next().unwrap_or_default().to_owned();
            format!("{} {path} {}", call.method, call.status.unwrap_or_default())
        })
        .collect();
    told.sort();
    seen.sort();
    assert!(!seen.is_empty());
    assert_eq!(told, seen);

    let resources = collector
        .decoded()
        .into_iter()
        .flat_map(|request| request.resource_spans);
    for resource in resources {
        let attributes = resource.resource.expect("a resource").attributes;
        assert_eq!(text(&attributes, "service.name"), "alerting");
        assert_eq!(text(&attributes, "deployment.environment.name"), "test");
    }
    for (path, login, body) in collector.requests() {
        assert_eq!(
            (&*path, &*login),
            ("/v1/traces", "Bearer canary-of-the-collector")
        );
        let body = String::from_utf8_lossy(&body);
        for canary in ["canary", &token] {
            assert!(!body.contains(canary), "{canary} in {body}");
        }
    }
    for canary in ["canary", &token] {
        assert!(!w.operator.log().contains(canary), "{canary} in the log");
    }
}

#[apply(any_release)]
async fn what_was_gathered_when_the_operator_is_asked_to_stop_is_sent_before_it_ends() {
    let mut w = world::start().await;
    let (collector, url) = Collector::start().await;
    restart_traced(&mut w, &url, Duration::from_secs(3600)).await;
    let mail = json!({"integrations": [{"email": {"addresses": ["a@example.com"]}}]});
    w.put("ContactPoint", "mail", mail).await;
    w.synced::<ContactPoint>("mail").await;
    assert!(collector.spans().is_empty(), "sent before");
    w.operator.terminate().await;
    let spans = collector.spans();
    let passes = spans.iter().filter(|span| span.name == "pass ContactPoint");
    let synced = passes.filter(|pass| of(pass, "alertwright.reason") == "Synced");
    assert!(synced.count() > 0, "{spans:#?}");
}
