//! The clients for the API server.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use http::header::{HeaderValue, USER_AGENT};
use http::{Method, Request, Response};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use tokio::time::timeout;
use tower::{BoxError, Layer, Service};

use super::leader::Term;

/// How long the API server may take to begin an answer. A connection that is open but silent would otherwise hold whoever asked
/// for minutes: kube sets no limit.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a watch of workloads, or of what silences them, lasts before it is begun anew, in seconds.
pub const WORKLOAD_WATCH: u32 = 60;
/// How long a connection may be silent in the middle of an answer: a little longer than a watch lasts by default.
const STALLED: Duration = Duration::from_secs(320);
/// How long a connection for such watches may be silent: a little longer than a watch lasts.
const SILENCE: Duration = Duration::from_secs(WORKLOAD_WATCH as u64 + 10);

/// Why a request was not sent, or not waited for.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("nothing is written while another replica may hold the lease")]
    Fenced,
    #[error("the API server did not answer within {0:?}")]
    Late(Duration),
}

/// How to reach the API server, from the environment: kubeconfig, or the Pod's ServiceAccount.
pub async fn config() -> Result<Config, kube::config::InferConfigError> {
    let mut config = Config::infer().await?;
    // The API server takes from it who wrote what, where a write doesn't say so itself: the finalizer's.
    let agent = HeaderValue::from_static(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    Ok(config)
}

/// A client for everything that needs no Lease: each answer begins in time and doesn't stall for minutes, or the request fails.
pub fn plain(config: Config) -> kube::Result<Client> {
    guarded(config, None)
}

/// A client that writes only while this process holds the Lease.
pub fn fenced(config: Config, term: Arc<Term>) -> kube::Result<Client> {
    guarded(config, Some(term))
}

/// A client for watches of workloads and of what silences them: a connection that has gone silent is noticed soon after a watch should have ended, so a
/// rollout isn't overlooked for long.
pub fn attentive(mut config: Config) -> kube::Result<Client> {
    config.read_timeout = Some(SILENCE);
    guarded(config, None)
}

fn guarded(config: Config, term: Option<Arc<Term>>) -> kube::Result<Client> {
    impatient(config, term, STALLED)
}

/// The longest that a connection may be silent counts where the configuration says nothing else.
fn impatient(mut config: Config, term: Option<Arc<Term>>, silence: Duration) -> kube::Result<Client> {
    config.read_timeout.get_or_insert(silence);
    // The time that a connection was idle in the pool doesn't count.
    config.reset_reader_on_write = true;
    Ok(ClientBuilder::try_from(config)?
        .with_layer(&Guard { answer: ANSWER, term })
        .build())
}

/// Stands before every request.
#[derive(Clone)]
struct Guard {
    answer: Duration,
    term: Option<Arc<Term>>,
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            guard: self.clone(),
            inner,
        }
    }
}

#[derive(Clone)]
struct Guarded<S> {
    guard: Guard,
    inner: S,
}

impl<S, B> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Into<BoxError> + 'static,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if !is_read && self.guard.term.as_ref().is_some_and(|term| !term.holds()) {
            return std::future::ready(Err(Stopped::Fenced.into())).boxed();
        }
        let limit = self.guard.answer;
        let answer = self.inner.call(request).map_err(Into::into);
        async move {
            match timeout(limit, answer).await {
                Ok(answer) => answer,
                Err(_) => Err(Stopped::Late(limit).into()),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;
    use kube::api::{DeleteParams, ListParams};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A server that answers every request with an empty list, or never.
    fn server(
        is_silent: bool,
    ) -> impl Service<
        Request<Body>,
        Response = Response<Body>,
        Error = BoxError,
        Future = BoxFuture<'static, Result<Response<Body>, BoxError>>,
    > + Clone
    + Send {
        tower::service_fn(move |_: Request<Body>| {
            async move {
                if is_silent {
                    std::future::pending::<()>().await;
                }
                let list = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[]}"#;
                Ok(Response::new(Body::from(list.as_bytes().to_vec())))
            }
            .boxed()
        })
    }

    fn client(is_silent: bool, answer: Duration, term: Option<Arc<Term>>) -> Api<ConfigMap> {
        let client = ClientBuilder::new(server(is_silent), "default")
            .with_layer(&Guard { answer, term })
            .build();
        Api::default_namespaced(client)
    }

    #[tokio::test]
    async fn a_request_that_is_not_answered_fails() {
        let error = client(true, Duration::from_millis(10), None)
            .list(&ListParams::default())
            .await
            .unwrap_err();
        let text = super::super::answer::chain(&error);
        assert!(text.contains("did not answer within 10ms"), "{text}");
    }

    /// A server that begins an answer to whoever asks, and never goes on.
    async fn stalling() -> Config {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let begun = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
            let mut open = Vec::new();
            while let Ok((mut connection, _)) = listener.accept().await {
                // An answer before the question would be an error of its own.
                let _ = connection.read(&mut [0; 1024]).await;
                let _ = connection.write_all(begun).await;
                open.push(connection);
            }
        });
        Config::new(format!("http://{address}").parse().expect("a URL"))
    }

    #[tokio::test]
    async fn an_answer_that_stalls_ends() {
        let client = impatient(stalling().await, None, Duration::from_millis(50)).expect("a client");
        let maps: Api<ConfigMap> = Api::default_namespaced(client);
        let answer = timeout(ANSWER * 3, maps.get("any")).await;
        let error = answer.expect("it ends by itself").unwrap_err();
        let text = super::super::answer::chain(&error);
        assert!(text.contains("time"), "{text}");
        assert!(!text.contains("did not answer"), "the answer has begun: {text}");
    }

    #[tokio::test]
    async fn a_term_that_is_over_lets_reads_through_and_no_write() {
        let term = Arc::new(Term::default());
        let api = client(false, ANSWER, Some(term.clone()));
        api.delete_collection(&DeleteParams::default(), &ListParams::default())
            .await
            .expect("a write without an election");
        term.end();
        api.list(&ListParams::default()).await.expect("a read");
        let error = api
            .delete_collection(&DeleteParams::default(), &ListParams::default())
            .await
            .unwrap_err();
        let text = super::super::answer::chain(&error);
        assert!(text.contains("another replica may hold the lease"), "{text}");
    }
}
