//! A proxy in front of a Grafana that counts, records, and misbehaves on demand.

mod fault;
mod record;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::stream::unfold;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Body as _, Bytes, Frame, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, HOST, RETRY_AFTER, TRANSFER_ENCODING},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{net::TcpListener, sync::Notify, task::JoinSet, time::sleep};

pub use fault::Fault;
pub use record::{Call, Calls};

use crate::{ControlPlane, http, serving::Serving};
use fault::Kind;

/// How long a call is held at most: its caller is killed meanwhile.
const HELD: Duration = Duration::from_secs(60);

/// A recording reverse proxy. Where its Grafana refuses connections, it ends its own without an answer.
#[derive(Debug)]
pub struct Proxy {
    state: Arc<State>,
    serving: Serving,
}

#[derive(Debug)]
struct State {
    upstream: String,
    client: reqwest::Client,
    faults: Mutex<Vec<Fault>>,
    /// What paths must begin with, where it is a gateway that doesn't let all of them through.
    only: Mutex<Option<String>>,
    calls: Mutex<Vec<Call>>,
    connections: AtomicUsize,
    /// How many of them were open at once, at most.
    open: AtomicUsize,
    /// How many answers go on.
    streams: Arc<AtomicUsize>,
    /// Told when a call is held.
    held: Notify,
    /// How many calls were held.
    holds: AtomicUsize,
}

/// An answer, whole or as it comes.
type Body = UnsyncBoxBody<Bytes, Dropped>;

/// While it is there, an answer goes on.
struct Streaming(Arc<AtomicUsize>);

impl Streaming {
    fn begin(streams: &Arc<AtomicUsize>) -> Self {
        streams.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(streams))
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Ends the connection without an answer, or in the middle of one.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dropped on demand")
    }
}

impl std::error::Error for Dropped {}

impl Proxy {
    /// Starts a proxy on a free port in front of an address such as `http://127.0.0.1:3000`.
    pub async fn start(upstream: impl Into<String>) -> Self {
        Self::start_with(upstream.into(), http::builder()).await
    }

    /// Starts a proxy in front of the API server of a control plane, whose certificate is its own. Its clients speak plain HTTP to it.
    pub async fn of_api_server(plane: &ControlPlane) -> Self {
        let client = http::builder()
            .tls_danger_accept_invalid_certs(true)
            .http1_only()
            // A watch goes on for minutes.
            .timeout(Duration::from_secs(3600));
        Self::start_with(plane.url(), client).await
    }

    async fn start_with(upstream: String, client: reqwest::ClientBuilder) -> Self {
        let state = Arc::new(State {
            upstream,
            // Kept connections are fine here, for the proxy never leaves its runtime; and they cost less.
            client: client.pool_max_idle_per_host(16).build().expect("a plain client"),
            faults: Mutex::default(),
            only: Mutex::default(),
            calls: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            streams: Arc::default(),
            held: Notify::new(),
            holds: AtomicUsize::new(0),
        });
        let serving = Serving::start(|listener| serve(listener, Arc::clone(&state))).await;
        Self { state, serving }
    }

    /// The address to give to the operator.
    pub fn url(&self) -> String {
        format!("http://{}", self.serving.address())
    }

    /// Adds a fault. Of several that match a call, the first added acts.
    pub fn fault(&self, fault: Fault) {
        self.state.faults.lock().push(fault);
    }

    /// Plays a gateway: from now on only paths that begin so are let through, whatever faults there are. It answers all others by itself, with a
    /// page that says 404.
    pub fn only(&self, prefix: &str) {
        *self.state.only.lock() = Some(prefix.to_owned());
    }

    /// Lets all paths through again.
    pub fn open(&self) {
        *self.state.only.lock() = None;
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.state.faults.lock().clear();
    }

    /// Waits until a call is held by a [`Fault::hold_before`] or a [`Fault::hold_after`].
    pub async fn held(&self) {
        self.state.held.notified().await;
    }

    /// Whether a call was held since the start or the last [`Proxy::reset`].
    pub fn was_held(&self) -> bool {
        self.state.holds.load(Ordering::Relaxed) > 0
    }

    /// All calls since the start or the last [`Proxy::reset`].
    pub fn requests(&self) -> Calls {
        Calls(self.state.calls.lock().clone())
    }

    /// How many connections were accepted since the start or the last [`Proxy::reset`].
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// How many connections were open at most when one of those came.
    pub fn open_at_most(&self) -> usize {
        self.state.open.load(Ordering::Relaxed)
    }

    /// How many answers go on: those of watches, which are handed on line by line.
    pub fn streams(&self) -> usize {
        self.state.streams.load(Ordering::Relaxed)
    }

    /// Gives the calls so far and begins to count anew.
    pub fn reset(&self) -> Calls {
        self.state.connections.store(0, Ordering::Relaxed);
        self.state.open.store(0, Ordering::Relaxed);
        self.state.holds.store(0, Ordering::Relaxed);
        Calls(std::mem::take(&mut self.state.calls.lock()))
    }
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    // Dropped with the task, and its connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        state.connections.fetch_add(1, Ordering::Relaxed);
        // Small answers in two writes would otherwise wait for each other.
        let _ = stream.set_nodelay(true);
        let answering = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&answering);
            async move { answer(&state, request).await }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        while connections.try_join_next().is_some() {}
        state.open.fetch_max(connections.len(), Ordering::Relaxed);
    }
}

async fn answer(state: &State, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", hyper::http::uri::PathAndQuery::as_str);
    let index = {
        let mut calls = state.calls.lock();
        calls.push(Call::new(
            &parts.method,
            path,
            &parts.headers,
            body.clone(),
            started,
        ));
        calls.len() - 1
    };
    let is_let_through = {
        let only = state.only.lock();
        only.as_ref()
            .is_none_or(|prefix| path.starts_with(prefix.as_str()))
    };
    let fault = {
        let mut faults = state.faults.lock();
        faults
            .iter_mut()
            .find_map(|fault| fault.take(&parts.method, path, &body))
    };
    let forward = async || {
        let mut headers = parts.headers.clone();
        for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let url = format!("{}{path}", state.upstream);
        let request = state.client.request(parts.method.clone(), url).headers(headers);
        let request = request.body(body.clone());
        let goes_on = path.contains("watch=true").then_some(&state.streams);
        forwarded(request, goes_on).await.map_err(|_| Dropped)
    };
    let faulty = fault.is_some();
    let answer = match fault {
        _ if !is_let_through => Ok(refusal(
            StatusCode::NOT_FOUND,
            None,
            "<html>no such page</html>".to_owned(),
        )),
        None => forward().await,
        Some(Kind::Delay(time)) => {
            sleep(time).await;
            forward().await
        }
        Some(Kind::Status {
            status,
            retry_after,
            body,
        }) => Ok(refusal(status, retry_after, body)),
        Some(Kind::DropBefore) => Err(Dropped),
        Some(Kind::DropAfter) => {
            forward().await?;
            Err(Dropped)
        }
        Some(Kind::Garbage) => forward().await.map(|answer| answer.map(|_| whole("<html>oops"))),
        Some(Kind::Partial) => partial(forward().await?).await,
        Some(Kind::Hold { happens }) => {
            let answer = if happens { Some(forward().await) } else { None };
            state.holds.fetch_add(1, Ordering::Relaxed);
            state.held.notify_one();
            sleep(HELD).await;
            drop(answer);
            Err(Dropped)
        }
    };
    // Another test step may have begun to count anew meanwhile.
    if let Some(call) = state
        .calls
        .lock()
        .get_mut(index)
        .filter(|call| call.at == started)
    {
        call.status = answer.as_ref().ok().map(|answer| answer.status().as_u16());
        let length = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.body().size_hint().exact());
        call.answered = length.unwrap_or_default();
        call.took = started.elapsed();
        call.faulty = faulty;
    }
    answer
}

/// Sends a request on and gives the whole answer, or what comes of it where it goes on.
async fn forwarded(
    request: reqwest::RequestBuilder,
    goes_on: Option<&Arc<AtomicUsize>>,
) -> reqwest::Result<Response<Body>> {
    let answer = request.send().await?;
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        response.headers_mut().remove(name);
    }
    *response.body_mut() = match goes_on {
        Some(streams) => as_it_comes(answer, Streaming::begin(streams)),
        None => whole(answer.bytes().await?),
    };
    Ok(response)
}

/// The first half of an answer that promises the whole.
async fn partial(answer: Response<Body>) -> Result<Response<Body>, Dropped> {
    let (mut head, body) = answer.into_parts();
    let goes_on = body.size_hint().exact().is_none();
    // Of what goes on nothing at all comes.
    let (promised, half) = if goes_on {
        (None, Bytes::new())
    } else {
        let whole = body.collect().await?.to_bytes();
        (Some(whole.len()), whole.slice(..whole.len() / 2))
    };
    if let Some(promised) = promised {
        head.headers.insert(CONTENT_LENGTH, promised.into());
    }
    let frames = [Ok(Frame::data(half)), Err(Dropped)];
    let body = StreamBody::new(futures::stream::iter(frames)).boxed_unsync();
    Ok(Response::from_parts(head, body))
}

fn whole(text: impl Into<Bytes>) -> Body {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

fn as_it_comes(answer: reqwest::Response, streaming: Streaming) -> Body {
    let chunks = unfold((answer, streaming), async |(mut answer, streaming)| {
        let frame = match answer.chunk().await {
            Ok(chunk) => Ok(Frame::data(chunk?)),
            Err(_) => Err(Dropped),
        };
        Some((frame, (answer, streaming)))
    });
    StreamBody::new(chunks).boxed_unsync()
}

fn refusal(status: StatusCode, retry_after: Option<Duration>, body: String) -> Response<Body> {
    let mut response = Response::new(whole(body));
    *response.status_mut() = status;
    if let Some(time) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, time.as_secs().into());
    }
    response
}
