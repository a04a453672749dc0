//! The clients for the API server.

use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt};
use http::header::{HeaderValue, USER_AGENT};
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use kube::client::{Body, ClientBuilder};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::time::timeout;
use tower::{BoxError, Layer, Service};

use super::leader::Term;
use crate::json::shallow::Shallow;

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
    Ok(named(Config::infer().await?))
}

/// The same from this kubeconfig, or those that the environment names, in this context, or the current one.
pub async fn config_of(kubeconfig: Option<&Path>, context: Option<&str>) -> Result<Config, KubeconfigError> {
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let config = match kubeconfig {
        Some(file) => Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &options).await?,
        None => Config::from_kubeconfig(&options).await?,
    };
    Ok(named(config))
}

fn named(mut config: Config) -> Config {
    // The API server takes from it who wrote what, where a write doesn't say so itself: the finalizer's.
    let agent = HeaderValue::from_static(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, agent));
    config
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
    B: BodyExt<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<UnsyncBoxBody<Bytes, BoxError>>;
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
                Ok(answer) => answer.map(|answer| answer.map(shallow)),
                Err(_) => Err(Stopped::Late(limit).into()),
            }
        }
        .boxed()
    }
}

/// An answer without what is nested too deep: a tenant's object mustn't keep all others of its kind from being read.
fn shallow<B>(body: B) -> UnsyncBoxBody<Bytes, BoxError>
where
    B: BodyExt<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let mut shallow = Shallow::default();
    body.map_frame(move |frame| frame.map_data(|data| shallow.pass(data)))
        .map_err(Into::into)
        .boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::AlertRule;
    use futures::{StreamExt, TryStreamExt};
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;
    use kube::api::{DeleteParams, ListParams, WatchEvent, WatchParams};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const EMPTY: &str = r#"{"kind":"ConfigMapList","apiVersion":"v1","metadata":{},"items":[]}"#;

    /// A server that answers every request with this, or never.
    fn server(
        answer: Option<String>,
    ) -> impl Service<
        Request<Body>,
        Response = Response<Body>,
        Error = BoxError,
        Future = BoxFuture<'static, Result<Response<Body>, BoxError>>,
    > + Clone
    + Send {
        tower::service_fn(move |_: Request<Body>| {
            let answer = answer.clone();
            async move {
                match answer {
                    Some(answer) => Ok(Response::new(Body::from(answer.into_bytes()))),
                    None => std::future::pending().await,
                }
            }
            .boxed()
        })
    }

    fn of(answer: Option<String>, limit: Duration, term: Option<Arc<Term>>) -> Client {
        ClientBuilder::new(server(answer), "default")
            .with_layer(&Guard { answer: limit, term })
            .build()
    }

    fn client(is_silent: bool, answer: Duration, term: Option<Arc<Term>>) -> Api<ConfigMap> {
        let list = (!is_silent).then(|| EMPTY.to_owned());
        Api::default_namespaced(of(list, answer, term))
    }

    /// An API server takes and shows ten thousand levels, in `metadata.managedFields` of any kind too.
    #[tokio::test]
    async fn an_object_that_is_nested_too_deep_keeps_no_other_from_being_read() {
        let nested = |levels: usize| format!("{}{{}}{}", r#"{"f:a":"#.repeat(levels), "}".repeat(levels));
        let fields = |levels| {
            format!(
                r#"[{{"manager":"x","operation":"Update","fieldsType":"FieldsV1","fieldsV1":{}}}]"#,
                nested(levels)
            )
        };
        let rule = |name: &str, levels| {
            let (fields, model) = (fields(levels), nested(levels));
            format!(
                r#"{{"apiVersion":"alerting.letsrevel.io/v1alpha1","kind":"AlertRule","metadata":{{"name":"{name}","resourceVersion":"1","managedFields":{fields}}},"spec":{{"condition":"A","data":[{{"refId":"A","datasourceUid":"x","model":{model}}}]}}}}"#
            )
        };
        let rules = [rule("one", 1), rule("deep", 5_000), rule("two", 64)];
        let list = format!(
            r#"{{"kind":"AlertRuleList","apiVersion":"alerting.letsrevel.io/v1alpha1","metadata":{{"resourceVersion":"1"}},"items":[{}]}}"#,
            rules.join(",")
        );
        let api: Api<AlertRule> = Api::default_namespaced(of(Some(list), ANSWER, None));
        let found = api.list(&ListParams::default()).await.expect("a list");
        let names: Vec<_> = found.iter().map(kube::ResourceExt::name_any).collect();
        assert_eq!(names, ["one", "deep", "two"]);
        let events = rules.map(|rule| format!("{{\"type\":\"ADDED\",\"object\":{rule}}}\n"));
        let api: Api<AlertRule> = Api::default_namespaced(of(Some(events.concat()), ANSWER, None));
        let watch = api.watch(&WatchParams::default(), "0").await.expect("a watch");
        let read: Vec<_> = watch
            .map_ok(|event| matches!(event, WatchEvent::Added(_)))
            .collect()
            .await;
        assert!(matches!(read[..], [Ok(true), Ok(true), Ok(true)]), "{read:?}");
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
