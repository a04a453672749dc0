//! Structured logs on standard error, and traces for whoever collects them.

#[cfg(feature = "otlp")]
mod otlp;
pub(crate) mod spans;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What kube says of a request that failed it hands to us as well, and we tell it in one line. It would say so a second time, with Rust's debug
/// form of the whole answer, and whole answers that it can't decode, be they Secrets. Directives that name these targets count instead.
const TOLD_BY_US: &str = "kube_runtime::watcher=error,kube_client::client=off,kube_client::client::tls=warn";

/// Starts logging. `filter` is a level for the operator's own lines, or directives such as `info,kube=debug`.
pub fn start(format: LogFormat, filter: &str) -> Result<(), String> {
    let filter = self::filter(filter)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_target(false)
        // It would say on standard error that a line could not be written there, and panic of that.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|e| e.to_string())
}

/// Starts logging, and tracing where this build can and the environment says where to send it. Traces are sent by the runtime that this is called in.
pub fn start_traced(format: LogFormat, filter: &str) -> Result<Traces, String> {
    #[cfg(feature = "otlp")]
    if let Some((traces, layer)) = otlp::of_environment()? {
        otlp::start(format == LogFormat::Json, self::filter(filter)?, layer)?;
        return Ok(Traces(Some(traces)));
    }
    start(format, filter)?;
    Ok(Traces::default())
}

/// Traces on their way.
#[derive(Default)]
pub struct Traces(#[cfg(feature = "otlp")] Option<otlp::Sending>);

impl Traces {
    /// Sends what is left, for at most as long as that may take. Not for a thread of the runtime.
    pub fn end(self) {
        #[cfg(feature = "otlp")]
        if let Some(sending) = self.0 {
            sending.end();
        }
    }
}

fn filter(filter: &str) -> Result<EnvFilter, String> {
    let is_level = !filter.contains(['=', ',']);
    let own = if is_level {
        format!("warn,alertwright={filter}")
    } else {
        filter.to_owned()
    };
    EnvFilter::try_new(format!("{TOLD_BY_US},{own}")).map_err(|e| format!("--log-level: {e}"))
}

#[cfg(test)]
mod tests {
    use tracing::{error, info, warn};

    use super::*;
    use crate::cluster::logged_tests::Lines;

    fn say() {
        warn!(target: "kube_runtime::watcher", "watch list error with 403: Api(Status {{ code: 403 }})");
        error!(target: "kube_runtime::watcher", "a bug");
        error!(target: "kube_client::client::builder", "failed with error client error (Connect)");
        warn!(target: "kube_client::client", "{{\"kind\": \"Secret\", \"data\": \"hunter2\"}}, Error(..)");
        warn!(target: "kube_client::client::tls", "stale roots");
        info!(target: "kube_client::config", "quiet");
        info!(target: "alertwright::app", "ours");
    }

    #[test]
    fn what_we_tell_ourselves_kube_does_not_log_a_second_time_nor_answers_whole() {
        for level in ["info", "info,kube=debug", "debug"] {
            let (lines, guard) = Lines::of(filter(level).unwrap());
            say();
            drop(guard);
            let log = lines.text();
            for part in ["Status {", "hunter2", "(Connect)"] {
                assert!(!log.contains(part), "{level}: {part} in {log}");
            }
            for part in ["a bug", "stale roots", "ours"] {
                assert!(log.contains(part), "{level}: {part} is not in {log}");
            }
        }
        let (lines, _guard) = Lines::of(filter("warn,kube_client::client=warn").unwrap());
        say();
        let log = lines.text();
        assert!(
            log.contains("hunter2") && !log.contains("ours"),
            "whoever asks for it has it: {log}"
        );
    }
}
