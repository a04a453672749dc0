//! Loki, for the logs that rules are evaluated on: the LogQL engine of Loki 2.2.1, the last release under the Apache License
//! 2.0, over a store in memory. `tests/testbed/loki` says which LogQL it knows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use crate::{
    Result, Scratch, http, parts, ports,
    process::{Process, Program},
};

const START: Duration = Duration::from_secs(60);

/// A running Loki without authentication.
#[derive(Debug)]
pub struct Loki {
    url: String,
    process: Process,
    // Last, so that the folder goes after the program that writes to it.
    _scratch: Scratch,
}

impl Loki {
    /// The Loki of this test binary, started by the first test that asks. Tests keep apart by their labels.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Result<Loki, String>> = OnceCell::const_new();
        let started = SHARED
            .get_or_init(async || Self::start().await.map_err(|error| format!("{error:?}")))
            .await;
        started
            .as_ref()
            .unwrap_or_else(|error| panic!("no Loki: {error}"))
    }

    /// Starts a Loki of one's own and waits until it takes logs.
    pub async fn start() -> Result<Self> {
        loop {
            match Self::start_once().await {
                Err(error) if error.is_port_clash() => {}
                done => return done,
            }
        }
    }

    async fn start_once() -> Result<Self> {
        let scratch = Scratch::new("loki")?;
        let port = ports::free();
        let process = Program::new("loki", parts::path("loki")?)
            .flag("-addr", format!("127.0.0.1:{port}"))
            .spawn(&scratch.join("loki.log"))?;
        let mut loki = Self {
            url: format!("http://127.0.0.1:{port}"),
            process,
            _scratch: scratch,
        };
        let ready = format!("{}/ready", loki.url);
        loki.process
            .ready(START, async || http::answers(http::client(), &ready).await)
            .await?;
        Ok(loki)
    }

    /// Loki's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Pushes lines into the stream of these labels, with the present time.
    pub async fn push(&self, labels: &[(&str, &str)], lines: &[impl AsRef<str>]) {
        let pushed = push(&self.url, labels, lines).await;
        pushed.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Pushes lines to any Loki without authentication; else what went wrong.
pub async fn push(url: &str, labels: &[(&str, &str)], lines: &[impl AsRef<str>]) -> Result<(), String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock past 1970")
        .as_nanos();
    // A nanosecond apart, because Loki keeps only one of two equal lines of one time.
    let values = (now..)
        .zip(lines)
        .map(|(time, line)| json!([time.to_string(), line.as_ref()]));
    let values: Vec<_> = values.collect();
    let stream: Map<_, _> = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect();
    let body = json!({"streams": [{"stream": stream, "values": values}]});
    let url = format!("{}/loki/api/v1/push", url.trim_end_matches('/'));
    let answer = http::client().post(&url).json(&body).send().await;
    let answer = answer.map_err(|error| crate::error::chain(&error))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let text = answer.text().await.unwrap_or_default();
    Err(format!("{url} answers {status}: {text}"))
}
