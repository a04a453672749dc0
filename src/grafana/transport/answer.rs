//! Answers: read within limits, and understood where they refuse.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use http::header::RETRY_AFTER;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::Response;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task;

use super::in_time::in_time;
use super::size::Share;
use crate::grafana::error::{Error, Result, certificate_problem, cut};
use crate::json::shallow::{self, Shallow};

/// An answer that is read while it arrives. `serde_json` takes it byte by byte, which is a call through `dyn` each unless it has the buffer itself.
pub(in crate::grafana) type Body<'a> = io::BufReader<&'a mut dyn Read>;

/// Turns the bytes of an answer into a value while they arrive.
pub(in crate::grafana) type Decode<T> = fn(Body<'_>) -> serde_json::Result<T>;

/// Most bytes of a refusal that are read.
const REFUSAL_LIMIT: usize = 64 << 10;

/// Chunks of an answer that may wait to be decoded.
const CHUNKS: usize = 4;

/// Reads a whole answer.
pub(super) async fn read(
    operation: &'static str,
    mut response: Response,
    share: &mut Share<'_>,
) -> Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = next_chunk(operation, &mut response, share).await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// All of a refusal; `None` where it is too large or doesn't come whole, and says nothing then.
async fn read_refusal(mut response: Response) -> Option<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > REFUSAL_LIMIT {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body.freeze())
}

/// Decodes an answer on a thread that may block, chunk by chunk.
pub(super) async fn decode<T: Send + 'static>(
    operation: &'static str,
    mut response: Response,
    share: &mut Share<'_>,
    decode: Decode<T>,
) -> Result<T> {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let decoder = task::spawn_blocking(move || {
        let mut chunks = Chunks {
            receiver,
            current: Bytes::new(),
            shallow: Shallow::default(),
        };
        decode(Body::with_capacity(32 << 10, &mut chunks))
    });
    while let Some(chunk) = next_chunk(operation, &mut response, share).await? {
        if sender.send(chunk).await.is_err() {
            break;
        }
    }
    drop(sender);
    match decoder.await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(undecodable(operation, &error)),
        Err(_) => Err(Error::Decode {
            operation,
            line: 0,
            column: 0,
        }),
    }
}

async fn next_chunk(
    operation: &'static str,
    response: &mut Response,
    share: &mut Share<'_>,
) -> Result<Option<Bytes>> {
    let next = async { response.chunk().await.map_err(|error| lost(operation, error)) };
    let chunk = in_time(operation, share.until, next).await?;
    if let Some(chunk) = &chunk {
        share.take(chunk).await?;
    }
    Ok(chunk)
}

/// The chunks of an answer as a blocking reader, without what is nested too deep. Ends early if the connection does; the other side then knows why.
struct Chunks {
    receiver: mpsc::Receiver<Bytes>,
    current: Bytes,
    shallow: Shallow,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.current = self.shallow.pass(chunk),
                None => return Ok(0),
            }
        }
        (&mut self.current).reader().read(buffer)
    }
}

/// An answer that did not come, or not whole.
pub(super) fn lost(operation: &'static str, error: reqwest::Error) -> Error {
    let source = error.without_url();
    if source.is_connect() {
        match certificate_problem(&source) {
            Some(problem) => Error::Certificate(cut(&problem)),
            None => Error::Connect(Arc::new(source)),
        }
    } else if source.is_timeout() {
        Error::Timeout { operation }
    } else {
        Error::Dropped {
            operation,
            source: Arc::new(source),
        }
    }
}

/// Takes any JSON for Grafana's word that a call was carried out, and no content where it says so. A page to log in on is none.
pub(super) fn acknowledged(status: StatusCode, body: Bytes) -> serde_json::Result<()> {
    if status == StatusCode::NO_CONTENT {
        return Ok(());
    }
    shallow::from_slice::<IgnoredAny>(body).map(drop)
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// Where an answer is not what was expected, without what is there instead.
pub(super) fn undecodable(operation: &'static str, error: &serde_json::Error) -> Error {
    Error::Decode {
        operation,
        line: error.line(),
        column: error.column(),
    }
}

/// The forms in which Grafana and its parts say what is wrong; below `/apis` it is Kubernetes' `Status`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Refusal {
    message: Option<String>,
    error: Option<String>,
    message_id: Option<String>,
    #[serde(deserialize_with = "details")]
    details: Details,
    /// What came of each query, where one of them is why.
    #[serde(deserialize_with = "results")]
    results: Vec<String>,
}

/// What a `Status` adds. Grafana's own errors have their name for a uid (`Error.Status` in `pkg/apimachinery/errutil/errors.go`).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    uid: Option<String>,
    causes: Vec<Cause>,
}

/// Other errors may have something else under this name.
fn details<'de, D: Deserializer<'de>>(from: D) -> Result<Details, D::Error> {
    let found = Value::deserialize(from)?;
    Ok(serde_json::from_value(found).unwrap_or_default())
}

/// What data sources said (`pkg/services/query/errors.go`). Other answers may have something else under this name.
fn results<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let found = Value::deserialize(from)?;
    let all = found.as_object().into_iter().flatten();
    let errors = all.filter_map(|(ref_id, node)| Some(format!("{ref_id}: {}", node.get("error")?.as_str()?)));
    Ok(errors.collect())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cause {
    field: String,
    message: String,
}

impl Refusal {
    fn of(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// What it says, with the fields that are wrong.
    fn said(&self) -> Option<String> {
        let message = self.message.as_deref().filter(|message| !message.is_empty());
        let message = message.or(self.error.as_deref()).unwrap_or_default();
        let causes = self.details.causes.iter();
        let new = causes.filter(|cause| !cause.message.is_empty() && !message.contains(&cause.message));
        let all: Vec<String> = std::iter::once(message.to_owned())
            .chain(self.results.iter().cloned())
            .chain(new.map(|cause| format!("{}: {}", cause.field, cause.message)))
            .filter(|part| !part.is_empty())
            .collect();
        Some(all.join("; ")).filter(|said| !said.is_empty())
    }
}

/// An answer with a status other than 2xx. Grafana's are JSON, but for a rule or group that is not there: that is an empty one
/// (`RouteGetAlertRule` and `RouteGetAlertRuleGroup` in `pkg/services/ngalert/api/api_provisioning.go`).
pub(super) async fn refusal(operation: &'static str, response: Response) -> Error {
    let status = response.status();
    let retry_after = retry_after(&response);
    let body = read_refusal(response).await;
    let is_empty_404 = body.as_ref().is_some_and(Bytes::is_empty) && status == StatusCode::NOT_FOUND;
    let body = Shallow::default().pass(body.unwrap_or_default());
    // What comes from a proxy is left out: it may be a page. Grafana's API redirects nobody.
    if status.is_redirection() || !(is_empty_404 || is_json(&body)) {
        return Error::NotGrafana {
            operation,
            status: status.as_u16(),
            retry_after,
        };
    }
    let refusal = Refusal::of(&body);
    let reason = || {
        status
            .canonical_reason()
            .unwrap_or("no reason given")
            .to_lowercase()
    };
    Error::Status {
        operation,
        status: status.as_u16(),
        message: refusal.said().map_or_else(reason, |said| cut(&said)),
        message_id: refusal.message_id.or(refusal.details.uid),
        retry_after,
    }
}

/// The least that a server is left alone for when it asks for it: 0 would be a loop at the network's speed.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// The most: nobody should stand still for a day because of one header.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How long the server wants to be left alone, given in seconds or as a date; within bounds.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = if let Ok(seconds) = value.parse() {
        Duration::from_secs(seconds)
    } else {
        let date = rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        Duration::try_from(date.duration_since(Timestamp::now())).unwrap_or_default()
    };
    Some(asked.clamp(SHORTEST_PAUSE, LONGEST_PAUSE))
}
