//! Requests to one Grafana: log in, limits, time-outs, and a count of how they ended.

mod answer;
mod call;
mod connection;
mod deprecation;
mod flow;
mod in_time;
mod lines;
mod pause;
mod size;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use parking_lot::Mutex;
use reqwest::{Client, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use url::Url;

use super::error::{Class, Error, Result};
use super::wire::Deprecation;
use crate::json::shallow;
use crate::telemetry::spans;
use answer::Decode;
use flow::Gate;
use in_time::in_time;
use pause::Pause;
use size::{BUDGET, Budget, FREE, Share, Size};

pub(super) use answer::Body;
pub(super) use call::Call;
pub use connection::{Auth, Connection, Proxy, Tls};
pub(super) use lines::Lines;

/// What a call may take.
#[derive(Clone, Copy)]
struct Limits {
    /// How long an answer may take, from the first byte sent to the last one read. What it waits for others to be read is left out.
    time: Duration,
    /// Most bytes of an answer that are read, whatever it is of.
    size: usize,
    /// How many of them are read beside other answers.
    free: usize,
}

const LIMITS: Limits = Limits {
    time: Duration::from_secs(20),
    size: Size::MANY.bytes,
    free: FREE,
};

/// How an answer becomes a value.
enum Take<T> {
    Whole(fn(StatusCode, Bytes) -> serde_json::Result<T>),
    Stream(Decode<T>),
}

impl<T> Clone for Take<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Take<T> {}

/// What stands above a client: lets it write, and counts what it does.
pub trait Supervisor: Send + Sync {
    /// Whether this process may change anything now. Asked right before each write is sent.
    fn may_write(&self) -> bool {
        true
    }

    /// A call ended: well, or with an error of this class. `took` includes waiting for one of the few connections.
    fn ended(&self, operation: &'static str, error: Option<Class>, took: Duration);

    /// Grafana said of an answer that what was asked for will go.
    fn deprecated(&self, _operation: &'static str) {}
}

/// Allows everything and counts nothing.
impl Supervisor for () {
    fn ended(&self, _: &'static str, _: Option<Class>, _: Duration) {}
}

/// Sends requests to one Grafana, at most eight at a time, over connections that stay open.
///
/// Where Grafana asks for fewer requests (429, or 503 with `Retry-After`) nothing is sent until the time is over: whoever calls then
/// learns how long that is. Where it fails or doesn't answer in time, fewer calls are under way at once, until it answers again.
///
/// Of each answer a little is read at once, and of one at a time all the rest, within limits that all Grafanas of the process share: what this costs
/// in memory doesn't grow with how many answers come.
///
/// A write is sent once. A read is sent again if the connection was lost, as a server may close an idle one at any time.
/// Everything else is left to the caller, who knows when to try again.
pub struct Transport {
    client: Client,
    base: Url,
    gate: Gate,
    /// Whose answer may be large now.
    large: Semaphore,
    /// What all answers that are large may be together, whosever they are.
    budget: &'static Budget,
    pause: Mutex<Pause>,
    deprecated: Mutex<BTreeMap<&'static str, Deprecation>>,
    limits: Limits,
    supervisor: Arc<dyn Supervisor>,
    secrets: Vec<SecretString>,
}

impl Transport {
    /// Prepares a client; the first request connects. A rustls provider must be installed in the process.
    pub fn new(connection: &Connection, supervisor: Arc<dyn Supervisor>) -> Result<Self> {
        Self::with_limits(connection, supervisor, LIMITS)
    }

    fn with_limits(connection: &Connection, supervisor: Arc<dyn Supervisor>, limits: Limits) -> Result<Self> {
        Ok(Self {
            client: connection.client()?,
            base: connection.base()?,
            gate: Gate::default(),
            large: Semaphore::new(1),
            budget: &BUDGET,
            pause: Mutex::default(),
            deprecated: Mutex::default(),
            limits,
            supervisor,
            secrets: connection.secrets(),
        })
    }

    /// How long Grafana still wants to be left alone.
    pub(super) fn pause(&self) -> Option<Duration> {
        self.pause.lock().left(Instant::now())
    }

    /// What Grafana has said that it will take away, by the operations that used it.
    pub(super) fn deprecated(&self) -> BTreeMap<&'static str, Deprecation> {
        self.deprecated.lock().clone()
    }

    /// Sends a call of whose answer only matters that it is Grafana's.
    pub(super) async fn send(&self, call: Call) -> Result<()> {
        self.exchange(&call, Take::Whole(answer::acknowledged)).await
    }

    /// Sends a call and reads its answer, what is nested too deep in it as empty.
    pub(super) async fn fetch<T: DeserializeOwned + Send + 'static>(&self, call: Call) -> Result<T> {
        self.exchange(&call, Take::Whole(|_, body| shallow::from_slice(body)))
            .await
    }

    /// Sends a call and reads an answer that is to be written again as it is.
    pub(super) async fn fetch_whole<T: DeserializeOwned + Send + 'static>(&self, call: Call) -> Result<T> {
        self.exchange(&call, Take::Whole(|_, body| shallow::whole_from_slice(body)))
            .await
    }

    /// Sends a call and reads a large answer without ever holding all of it.
    pub(super) async fn stream<T: Send + 'static>(&self, call: Call, decode: Decode<T>) -> Result<T> {
        self.exchange(&call, Take::Stream(decode)).await
    }

    /// Waits for a turn and makes the attempt.
    async fn exchange<T: Send + 'static>(&self, call: &Call, take: Take<T>) -> Result<T> {
        let started = Instant::now();
        let turn = self.gate.enter().await;
        let result = self.counted(call, started, || self.attempt(call, take)).await;
        if let Some(turn) = turn {
            self.gate.leave(turn, result.as_ref().err());
        }
        result
    }

    /// Makes an attempt, and a second one where that is harmless, unless Grafana wants to be left alone.
    async fn counted<T, F>(&self, call: &Call, started: Instant, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let operation = call.operation;
        if let Some(left) = self.pause() {
            return Err(Error::Paused { operation, left });
        }
        let mut result = self.told(call, 0, attempt()).await;
        if call.is_read && matches!(result, Err(Error::Dropped { .. })) {
            result = self.told(call, 1, attempt()).await;
        }
        if let Err(error) = &result
            && let Class::Throttled(asked) = error.class()
        {
            self.pause.lock().begin(Instant::now(), asked);
        }
        self.supervisor.ended(
            operation,
            result.as_ref().err().map(Error::class),
            started.elapsed(),
        );
        result
    }

    /// Tells of an attempt in a trace.
    fn told<T>(
        &self,
        call: &Call,
        resent: u32,
        attempt: impl Future<Output = Result<T>>,
    ) -> impl Future<Output = Result<T>> {
        let request = move || call.told(&self.base, &self.exposed(), resent);
        let failed = |result: &Result<T>| Some(result.as_ref().err()?.class().as_str().into());
        spans::call(request, failed, attempt)
    }

    fn exposed(&self) -> Vec<&str> {
        self.secrets.iter().map(ExposeSecret::expose_secret).collect()
    }

    async fn attempt<T: Send + 'static>(&self, call: &Call, take: Take<T>) -> Result<T> {
        let operation = call.operation;
        let until = Instant::now() + self.limits.time;
        let response = in_time(operation, until, self.respond(call)).await?;
        let most = Size {
            bytes: call.size.bytes.min(self.limits.size),
            ..call.size
        };
        let turns = (&self.large, self.budget);
        let mut share = Share::new(operation, most, self.limits.free, turns, until);
        match take {
            Take::Whole(decode) => {
                let status = response.status();
                let body = answer::read(operation, response, &mut share).await?;
                decode(status, body).map_err(|error| answer::undecodable(operation, &error))
            }
            Take::Stream(decode) => answer::decode(operation, response, &mut share, decode).await,
        }
    }

    /// The beginning of an answer that doesn't refuse.
    async fn respond(&self, call: &Call) -> Result<Response> {
        let operation = call.operation;
        let changes_nothing = call.is_read || call.is_harmless;
        if !changes_nothing && !self.supervisor.may_write() {
            return Err(Error::NotLeading { operation });
        }
        let request = call.request(&self.client, &self.base)?;
        let response = request.send().await;
        let response = response.map_err(|error| answer::lost(operation, error))?;
        if let Some(deprecation) = deprecation::deprecation(response.headers()) {
            self.supervisor.deprecated(operation);
            self.deprecated.lock().insert(operation, deprecation);
        }
        let status = response.status();
        spans::answered(status.as_u16());
        if !status.is_success() && !call.answers.contains(&status.as_u16()) {
            // Whoever refuses may repeat what it was sent.
            return Err(answer::refusal(operation, response).await.redact(&self.exposed()));
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
