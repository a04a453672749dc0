//! What stands behind contact points: servers that record what Grafana sends.

mod http;
mod smtp;

pub use http::{HttpSink, Received};
pub use smtp::{Mail, SmtpSink};
