//! What a collector gets of passes and calls.

use std::sync::Arc;

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use parking_lot::Mutex;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

use http::Method;

use super::*;
use crate::telemetry::otlp;

#[derive(Clone, Debug, Default)]
struct Sent(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Sent {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().extend(batch);
        Ok(())
    }
}

impl Sent {
    /// What is told in this thread until the guard is dropped.
    fn here() -> (Self, DefaultGuard) {
        let sent = Self::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(sent.clone())
            .build();
        let subscriber = tracing_subscriber::registry().with(otlp::layer(&provider));
        (sent, tracing::subscriber::set_default(subscriber))
    }

    fn all(&self) -> Vec<SpanData> {
        self.0.lock().clone()
    }
}

fn attributes(span: &SpanData) -> Vec<String> {
    let mut all: Vec<_> = (span.attributes.iter())
        .map(|attribute| format!("{}={}", attribute.key, attribute.value))
        .collect();
    all.sort();
    all
}

fn request() -> Request {
    Request {
        operation: "rules.get".to_owned(),
        method: Method::GET,
        template: "/api/v1/provisioning/alert-rules/{name}".to_owned(),
        path: "/api/v1/provisioning/alert-rules/a".to_owned(),
        server: Some(("grafana.example.com".to_owned(), Some(443))),
        resent: 0,
    }
}

fn over() -> Over {
    Over {
        kind: "AlertRule".to_owned(),
        namespace: Some("team".to_owned()),
        name: "a".to_owned(),
    }
}

fn fails(ended: &Result<(), &'static str>) -> Failed {
    ended.err().map(Into::into)
}

#[tokio::test]
async fn a_pass_is_a_span_with_the_calls_below_it() {
    let (sent, guard) = Sent::here();
    let ended = pass(over, |()| "done", async {
        let answer = async {
            answered(200);
            Ok(())
        };
        call(request, fails, answer).await.unwrap();
        below(request, fails, async { Ok(()) }).await.unwrap();
        reason("Synced");
    });
    ended.await;
    drop(guard);
    let [call, below, pass] = &sent.all()[..] else {
        panic!("{:?}", sent.all());
    };
    assert_eq!(
        (&*pass.name, pass.parent_span_id),
        ("pass AlertRule", SpanId::INVALID)
    );
    for call in [call, below] {
        assert_eq!(call.parent_span_id, pass.span_context.span_id());
        assert_eq!(call.span_context.trace_id(), pass.span_context.trace_id());
        assert_eq!(call.name, "GET /api/v1/provisioning/alert-rules/{name}");
        assert_eq!(
            (&call.span_kind, &call.status),
            (&SpanKind::Client, &Status::Unset)
        );
    }
    assert_eq!(
        attributes(pass),
        [
            "alertwright.kind=AlertRule",
            "alertwright.name=a",
            "alertwright.outcome=done",
            "alertwright.reason=Synced",
            "k8s.namespace.name=team",
        ]
    );
    assert_eq!(
        attributes(call),
        [
            "alertwright.operation=rules.get",
            "http.request.method=GET",
            "http.response.status_code=200",
            "server.address=grafana.example.com",
            "server.port=443",
            "url.path=/api/v1/provisioning/alert-rules/a",
            "url.template=/api/v1/provisioning/alert-rules/{name}",
        ]
    );
}

#[tokio::test]
async fn what_fails_says_so() {
    let (sent, guard) = Sent::here();
    let again = || Request {
        resent: 1,
        ..request()
    };
    let ended = pass(over, |&outcome| outcome, async {
        call(again, fails, async { Err("rejected") }).await.unwrap_err();
        "late"
    });
    ended.await;
    drop(guard);
    let [call, pass] = &sent.all()[..] else {
        panic!("{:?}", sent.all());
    };
    for span in [call, pass] {
        assert!(matches!(span.status, Status::Error { .. }), "{span:?}");
    }
    let told = attributes(call);
    for attribute in ["error.type=rejected", "http.request.resend_count=1"] {
        assert!(
            told.iter().any(|told| told == attribute),
            "{attribute} in {told:?}"
        );
    }
    assert!(
        attributes(pass)
            .iter()
            .any(|told| told == "alertwright.outcome=late")
    );
}

#[tokio::test]
async fn watches_and_renewals_that_belong_to_no_pass_are_not_told() {
    let (sent, guard) = Sent::here();
    below(request, fails, async { Ok(()) }).await.unwrap();
    let other = tracing::info_span!("other");
    tracing::Instrument::instrument(below(request, fails, async { Ok(()) }), other.clone())
        .await
        .unwrap();
    drop((other, guard));
    let names: Vec<_> = sent.all().iter().map(|span| span.name.clone()).collect();
    assert_eq!(names, ["other"]);
}
