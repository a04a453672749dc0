//! Prometheus, for the samples that rules are evaluated on: the real server. Samples come by remote write (version 1.0 of its
//! specification) or by scraping.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    Error, Result, Scratch, http, parts, ports,
    process::{Process, Program},
};

const START: Duration = Duration::from_secs(60);

/// When a sample was taken that is written now.
pub const NOW: Duration = Duration::ZERO;

/// The value that ends a series: from its time on queries don't find it. It is one of the many NaNs.
pub const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// A running Prometheus without authentication. It scrapes every second what [`Prometheus::scrape`] names.
#[derive(Debug)]
pub struct Prometheus {
    url: String,
    process: Process,
    // Last, so that the folder goes after the program that writes to it.
    scratch: Scratch,
}

impl Prometheus {
    /// The Prometheus of this test binary, started by the first test that asks. Tests keep apart by their labels.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Result<Prometheus, String>> = OnceCell::const_new();
        let started = SHARED
            .get_or_init(async || Self::start().await.map_err(|error| format!("{error:?}")))
            .await;
        started
            .as_ref()
            .unwrap_or_else(|error| panic!("no Prometheus: {error}"))
    }

    /// Starts a Prometheus of one's own and waits until it takes samples.
    pub async fn start() -> Result<Self> {
        loop {
            match Self::start_once().await {
                Err(error) if error.is_port_clash() => {}
                done => return done,
            }
        }
    }

    async fn start_once() -> Result<Self> {
        let scratch = Scratch::new("prometheus")?;
        let targets = scratch.join("targets");
        std::fs::create_dir(&targets).map_err(Error::io(format!("cannot make {}", targets.display())))?;
        let port = ports::free();
        let config = scratch.write("prometheus.yaml", config(&scratch).to_string())?;
        let process = Program::new("prometheus", parts::path("prometheus")?)
            .flag("--config.file", config)
            .flag("--storage.tsdb.path", scratch.join("data"))
            .flag("--web.listen-address", format!("127.0.0.1:{port}"))
            .flag("--log.level", "warn")
            .arg("--web.enable-remote-write-receiver")
            .spawn(&scratch.join("prometheus.log"))?;
        let mut prometheus = Self {
            url: format!("http://127.0.0.1:{port}"),
            process,
            scratch,
        };
        let ready = format!("{}/-/ready", prometheus.url);
        prometheus
            .process
            .ready(START, async || http::answers(http::client(), &ready).await)
            .await?;
        Ok(prometheus)
    }

    /// Prometheus' address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Writes samples of a series: how long ago each was taken (an hour at most, in any order), and its value, which may be NaN,
    /// infinite or [`STALE`]. A query for the present finds a sample for five minutes.
    pub async fn write(&self, name: &str, labels: &[(&str, &str)], samples: &[(Duration, f64)]) {
        let url = format!("{}/api/v1/write", self.url);
        let request = http::client()
            .post(&url)
            .header("Content-Type", "application/x-protobuf")
            .header("Content-Encoding", "snappy")
            .header("X-Prometheus-Remote-Write-Version", "0.1.0")
            .body(body(name, labels, samples));
        let answer = request.send().await.expect("an answer of Prometheus");
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "{url} answers {status}: {text}");
    }

    /// From now on scrapes `/metrics` at this address, `HOST:PORT`, every second; its series have the label `job`.
    pub fn scrape(&self, job: &str, address: &str) -> Result<()> {
        let targets = json!([{"targets": [address], "labels": {"job": job}}]);
        // Renamed into place, so that half a file is never read.
        let written = self.scratch.write(&format!("{job}.new"), targets.to_string())?;
        let place = self.scratch.join("targets").join(format!("{job}.json"));
        std::fs::rename(written, &place).map_err(Error::io(format!("cannot write {}", place.display())))
    }

    /// The result of a query for the present: a list of series with their labels (`metric`) and a time and number (`value`).
    pub async fn query(&self, query: &str) -> Vec<Value> {
        let url = format!("{}/api/v1/query", self.url);
        let answer = http::client().get(&url).query(&[("query", query)]).send().await;
        let answer: Value = match answer {
            Ok(answer) => answer.json().await.expect("JSON of Prometheus"),
            Err(error) => panic!("{url}: {}", crate::error::chain(&error)),
        };
        let status = answer.get("status").and_then(Value::as_str);
        assert_eq!(status, Some("success"), "{query}: {answer}");
        let result = answer.pointer("/data/result").and_then(Value::as_array);
        result.cloned().unwrap_or_default()
    }
}

/// JSON is YAML.
fn config(scratch: &Scratch) -> Value {
    json!({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{
            "job_name": "files",
            "file_sd_configs": [{"files": [scratch.join("targets/*.json")]}],
        }],
        "storage": {"tsdb": {"out_of_order_time_window": "1h"}},
    })
}

/// The body of a remote write.
fn body(name: &str, labels: &[(&str, &str)], samples: &[(Duration, f64)]) -> Vec<u8> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock past 1970");
    let mut labels: Vec<_> = [("__name__", name)]
        .iter()
        .chain(labels)
        .map(|&(name, value)| Label {
            name: name.to_owned(),
            value: value.to_owned(),
        })
        .collect();
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    let mut samples: Vec<_> = samples
        .iter()
        .map(|&(ago, value)| Sample {
            value,
            timestamp: i64::try_from(now.saturating_sub(ago).as_millis())
                .expect("a time before the year 292278994"),
        })
        .collect();
    samples.sort_by_key(|sample| sample.timestamp);
    let request = WriteRequest {
        timeseries: vec![TimeSeries { labels, samples }],
    };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .expect("a request of less than 4 GiB")
}

/// What of `prometheus.WriteRequest` is needed here; fields are known by their numbers.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    timestamp: i64,
}
