//! Where it is told, to whoever listens.

use futures::future::Either;
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::about::{Failed, Over, Request};

/// The target of all spans that are told, and of nothing else.
pub(crate) const TARGET: &str = "otlp";

/// How a pass ends that has come to its end.
const DONE: &str = "done";

/// Tells of a pass, and how it has ended.
pub(crate) fn pass<F: Future>(
    over: impl FnOnce() -> Over,
    outcome: fn(&F::Output) -> &'static str,
    pass: F,
) -> impl Future<Output = F::Output> {
    let span = info_span!(
        target: TARGET,
        "pass",
        otel.name = Empty,
        otel.kind = "internal",
        otel.status_code = Empty,
        alertwright.kind = Empty,
        alertwright.name = Empty,
        alertwright.outcome = Empty,
        alertwright.reason = Empty,
        k8s.namespace.name = Empty,
    );
    if !span.is_disabled() {
        let over = over();
        span.record("otel.name", format!("pass {}", over.kind));
        span.record("alertwright.kind", over.kind);
        span.record("alertwright.name", over.name);
        if let Some(namespace) = over.namespace {
            span.record("k8s.namespace.name", namespace);
        }
    }
    tell(span, pass, move |span, output| {
        let outcome = outcome(output);
        span.record("alertwright.outcome", outcome);
        if outcome != DONE {
            span.record("otel.status_code", "ERROR");
        }
    })
}

/// Work for another task that belongs to the pass of this one.
pub(crate) fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    work.in_current_span()
}

/// Notes what the pass has come to; once in a pass.
pub(crate) fn reason(reason: &'static str) {
    Span::current().record("alertwright.reason", reason);
}

/// Tells of a call, and how it has ended.
pub(crate) fn call<F: Future>(
    request: impl FnOnce() -> Request,
    failed: impl FnOnce(&F::Output) -> Failed,
    call: F,
) -> impl Future<Output = F::Output> {
    tell(of_call(request), call, |span, output| fail(span, failed(output)))
}

/// The same of a call that is told of only where it is part of a pass.
pub(crate) fn below<F: Future>(
    request: impl FnOnce() -> Request,
    failed: impl FnOnce(&F::Output) -> Failed,
    call: F,
) -> impl Future<Output = F::Output> {
    let above = Span::current();
    let is_told = above.metadata().is_some_and(|above| above.target() == TARGET);
    let span = if is_told { of_call(request) } else { Span::none() };
    tell(span, call, |span, output| fail(span, failed(output)))
}

/// Does this within a span, and notes there what has come of it. Where nobody wants to know it is nothing but this: a pass is large, and thousands may wait.
fn tell<F: Future>(
    span: Span,
    work: F,
    note: impl FnOnce(&Span, &F::Output),
) -> impl Future<Output = F::Output> {
    if span.is_disabled() {
        return Either::Left(work);
    }
    let told = async {
        let output = work.await;
        note(&Span::current(), &output);
        output
    };
    Either::Right(Box::pin(told).instrument(span))
}

/// Notes the status of the answer to the call.
pub(crate) fn answered(status: u16) {
    Span::current().record("http.response.status_code", i64::from(status));
}

fn of_call(request: impl FnOnce() -> Request) -> Span {
    let span = info_span!(
        target: TARGET,
        "call",
        otel.name = Empty,
        otel.kind = "client",
        otel.status_code = Empty,
        alertwright.operation = Empty,
        error.type = Empty,
        http.request.method = Empty,
        http.request.resend_count = Empty,
        http.response.status_code = Empty,
        server.address = Empty,
        server.port = Empty,
        url.path = Empty,
        url.template = Empty,
    );
    if !span.is_disabled() {
        describe(&span, request());
    }
    span
}

fn describe(span: &Span, request: Request) {
    let method = request.method.as_str();
    span.record("otel.name", format!("{method} {}", request.template));
    span.record("alertwright.operation", request.operation);
    span.record("http.request.method", method);
    span.record("url.path", request.path);
    span.record("url.template", request.template);
    if request.resent > 0 {
        span.record("http.request.resend_count", i64::from(request.resent));
    }
    if let Some((address, port)) = request.server {
        span.record("server.address", address);
        if let Some(port) = port {
            span.record("server.port", i64::from(port));
        }
    }
}

fn fail(span: &Span, failed: Failed) {
    if let Some(why) = failed {
        span.record("error.type", &*why);
        span.record("otel.status_code", "ERROR");
    }
}
