//! Sending traces by OTLP, as the standard environment variables say: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.

use std::env;
use std::error::Error as StdError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue};
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use reqwest::{Certificate, Client, redirect};
use tokio::runtime::Handle;
use tracing::{info, warn};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use super::spans::TARGET;

/// How long the last traces may take. With all else that ends then, it is less than the time that a pod has.
const LAST: Duration = Duration::from_secs(5);
/// How long an answer may take where the environment doesn't say.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A layer that makes traces of spans.
pub(super) type Traced = OpenTelemetryLayer<Registry, SdkTracer>;

/// Traces on their way.
pub(super) struct Sending(SdkTracerProvider);

impl Sending {
    pub(super) fn end(self) {
        // What can't be sent has been told of.
        let _ = self.0.shutdown_with_timeout(LAST);
    }
}

/// What makes traces and sends them, if the environment says where to.
pub(super) fn of_environment() -> Result<Option<(Sending, Traced)>, String> {
    if !is_wanted(said) {
        return Ok(None);
    }
    let failed = |error: &dyn std::fmt::Display| format!("cannot send traces as OTEL_… say: {error}");
    // The only protocol there is here. It is settled below, for another one would be an error of the exporter's.
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_http_client(Sender::new(Handle::current())?)
        .build()
        .map_err(|error| failed(&error))?;
    let provider = SdkTracerProvider::builder()
        .with_resource(resource())
        .with_batch_exporter(exporter)
        .build();
    let layer = layer(&provider);
    Ok(Some((Sending(provider), layer)))
}

/// Starts logging, as JSON or as text, with this layer beside it.
pub(super) fn start(is_json: bool, filter: EnvFilter, layer: Traced) -> Result<(), String> {
    let told = layer.with_filter(filter_fn(|metadata| {
        metadata.is_span() && metadata.target() == TARGET
    }));
    let lines = tracing_subscriber::fmt::layer()
        .with_span_events(FmtSpan::NONE)
        .with_target(false)
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // A line of the log says what it is about by itself.
    let filter = filter.add_directive(
        format!("{TARGET}=off")
            .parse()
            .map_err(|e: ParseError| e.to_string())?,
    );
    let all = tracing_subscriber::registry().with(told);
    let started = if is_json {
        all.with(lines.json().flatten_event(true).with_filter(filter))
            .try_init()
    } else {
        all.with(lines.with_ansi(false).with_filter(filter)).try_init()
    };
    started.map_err(|e| e.to_string())?;
    let other = said("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| said("OTEL_EXPORTER_OTLP_PROTOCOL"));
    if let Some(protocol) = other.filter(|protocol| protocol != "http/protobuf") {
        warn!(
            protocol,
            "traces are sent by http/protobuf, the only protocol there is here"
        );
    } else {
        info!("traces are sent");
    }
    Ok(())
}

pub(super) fn layer(provider: &SdkTracerProvider) -> Traced {
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(env!("CARGO_PKG_NAME")))
        // Where in our sources a span begins, in which thread, and how long nothing was done, helps nobody.
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_level(false)
        .with_target(false)
}

fn said(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

/// Whether the environment wants traces, and says where to.
fn is_wanted(said: impl Fn(&str) -> Option<String>) -> bool {
    let is = |variable, value: &str| said(variable).is_some_and(|is| is.eq_ignore_ascii_case(value));
    let has_place = [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
    ]
    .into_iter()
    .any(|variable| said(variable).is_some());
    has_place && !is("OTEL_SDK_DISABLED", "true") && !is("OTEL_TRACES_EXPORTER", "none")
}

/// What the environment says of this process, under our name where it says none.
fn resource() -> Resource {
    let found = Resource::builder().build();
    let name = found.get(&Key::from_static_str("service.name"));
    let is_named = name.is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let ours = Resource::builder().with_attribute(version);
    if is_named {
        ours.build()
    } else {
        ours.with_service_name(env!("CARGO_PKG_NAME")).build()
    }
}

/// Sends for a thread that has no runtime, by ours.
#[derive(Debug)]
struct Sender {
    client: Client,
    runtime: Handle,
    /// Whether the last attempt failed, so that it is told once.
    fails: AtomicBool,
}

impl Sender {
    fn new(runtime: Handle) -> Result<Self, String> {
        let mut client = Client::builder()
            // A redirect would take the headers, which may log us in, elsewhere.
            .redirect(redirect::Policy::none())
            .timeout(timeout(said));
        let file =
            said("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE").or_else(|| said("OTEL_EXPORTER_OTLP_CERTIFICATE"));
        if let Some(file) = file {
            let pem = std::fs::read(&file)
                .map_err(|error| format!("OTEL_EXPORTER_OTLP_CERTIFICATE: {file}: {error}"))?;
            let trusted = Certificate::from_pem_bundle(&pem)
                .map_err(|_| format!("OTEL_EXPORTER_OTLP_CERTIFICATE: {file}: is no certificate in PEM"))?;
            client = client.tls_certs_merge(trusted);
        }
        let client = client.build().map_err(|error| error.to_string())?;
        Ok(Self {
            client,
            runtime,
            fails: AtomicBool::new(false),
        })
    }

    /// Tells of the first of several failures, and of their end. The answer itself may be anything.
    fn tell(&self, failure: Option<String>) {
        let before = self.fails.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(error) if !before => warn!(error, "traces cannot be sent, and are dropped"),
            None if before => info!("traces are sent again"),
            _ => {}
        }
    }
}

/// How long an answer may take: the environment says it in milliseconds.
fn timeout(said: impl Fn(&str) -> Option<String>) -> Duration {
    let found = said("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT").or_else(|| said("OTEL_EXPORTER_OTLP_TIMEOUT"));
    let found = found.and_then(|millis| millis.parse().ok());
    found.map_or(TIMEOUT, Duration::from_millis)
}

/// An error with what it came of.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let exchange = async move {
            let response = client.execute(request.try_into()?).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut answer = Response::new(response.bytes().await?);
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            Ok::<_, reqwest::Error>(answer)
        };
        let answer = self
            .runtime
            .spawn(exchange)
            .await?
            .map_err(reqwest::Error::without_url);
        let failure = match &answer {
            Err(error) => Some(chain(error)),
            Ok(answer) if !answer.status().is_success() => Some(format!("answered {}", answer.status())),
            Ok(_) => None,
        };
        self.tell(failure);
        Ok(answer?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::logged_tests::Lines;

    fn of(set: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |variable| {
            let found = set.iter().find(|(name, _)| *name == variable);
            found.map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn nothing_is_sent_where_no_place_is_named_or_the_environment_turns_it_off() {
        let place = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let traces = (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://collector:4318/v1/traces",
        );
        for (set, expected) in [
            (&[][..], false),
            (&[("OTEL_SERVICE_NAME", "x")], false),
            (&[place], true),
            (&[traces], true),
            (&[place, ("OTEL_SDK_DISABLED", "true")], false),
            (&[place, ("OTEL_SDK_DISABLED", "false")], true),
            (&[traces, ("OTEL_TRACES_EXPORTER", "none")], false),
            (&[traces, ("OTEL_TRACES_EXPORTER", "otlp")], true),
        ] {
            assert_eq!(is_wanted(of(set)), expected, "{set:?}");
        }
    }

    #[test]
    fn an_answer_may_take_as_long_as_the_environment_says() {
        let all = ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000");
        assert_eq!(timeout(of(&[])), TIMEOUT);
        assert_eq!(timeout(of(&[all])), Duration::from_secs(2));
        let both = [all, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "500")];
        assert_eq!(timeout(of(&both)), Duration::from_millis(500));
    }

    #[tokio::test]
    async fn a_collector_that_is_away_is_told_of_once_and_without_what_it_was_asked() {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let sender = Sender::new(Handle::current()).unwrap();
        let (lines, _guard) = Lines::of(EnvFilter::new("info"));
        for _ in 0..2 {
            let request = Request::post(format!("http://{address}/v1/traces?key=canary"));
            let sent = sender.send_bytes(request.body(Bytes::new()).unwrap()).await;
            sent.unwrap_err();
        }
        let log = lines.text();
        assert_eq!(log.matches("traces cannot be sent").count(), 1, "{log}");
        assert!(!log.contains("canary"), "{log}");
    }
}
