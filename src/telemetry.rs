//! Structured logs on standard error.

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

/// Starts logging. `filter` is a level for the operator's own lines, or directives such as `info,kube=debug`.
pub fn start(format: LogFormat, filter: &str) -> Result<(), String> {
    let is_level = !filter.contains(['=', ',']);
    let directives = if is_level {
        format!("warn,alertwright={filter}")
    } else {
        filter.to_owned()
    };
    let filter = EnvFilter::try_new(directives).map_err(|e| format!("--log-level: {e}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_target(false)
        .with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|e| e.to_string())
}
