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
use super::request::{resource, told, verb};
use crate::json::shallow::Shallow;
use crate::telemetry::spans;

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
    impatient(config, Guard::default(), STALLED)
}

/// Is told of each write: the type in the plural with its subresource, as in `alertrules/status`, and the verb.
pub type Count = Arc<dyn Fn(String, &'static str) + Send + Sync>;

/// A client that writes only while this process holds the Lease, and counts what it writes.
pub fn fenced(config: Config, term: Arc<Term>, count: Count) -> kube::Result<Client> {
    let guard = Guard {
        term: Some(term),
        count: Some(count),
        ..Guard::default()
    };
    impatient(config, guard, STALLED)
}

/// A client for watches of workloads and of what silences them: a connection that has gone silent is noticed soon after a watch should have ended, so a
/// rollout isn't overlooked for long.
pub fn attentive(mut config: Config) -> kube::Result<Client> {
    config.read_timeout = Some(SILENCE);
    impatient(config, Guard::default(), STALLED)
}

/// The longest that a connection may be silent counts where the configuration says nothing else.
fn impatient(mut config: Config, mut guard: Guard, silence: Duration) -> kube::Result<Client> {
    let url = &config.cluster_url;
    guard.server = url.host().map(|host| Arc::new((host.to_owned(), url.port_u16())));
    config.read_timeout.get_or_insert(silence);
    // The time that a connection was idle in the pool doesn't count.
    config.reset_reader_on_write = true;
    Ok(ClientBuilder::try_from(config)?.with_layer(&guard).build())
}

/// Stands before every request.
#[derive(Clone)]
struct Guard {
    answer: Duration,
    term: Option<Arc<Term>>,
    count: Option<Count>,
    /// The API server, by its host and port.
    server: Option<Arc<(String, Option<u16>)>>,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            answer: ANSWER,
            term: None,
            count: None,
            server: None,
        }
    }
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
        if !is_read && let Some(count) = &self.guard.count {
            count(resource(request.uri().path()), verb(&request));
        }
        let limit = self.guard.answer;
        let (method, uri, server) = (
            request.method().clone(),
            request.uri().clone(),
            self.guard.server.clone(),
        );
        let told = move || told(method, uri.path().to_owned(), server.as_deref().cloned());
        let answer = self.inner.call(request).map_err(Into::into);
        let answer = async move {
            match timeout(limit, answer).await {
                Ok(answer) => {
                    let answer = answer?;
                    spans::answered(answer.status().as_u16());
                    Ok(answer.map(shallow))
                }
                Err(_) => Err(Stopped::Late(limit).into()),
            }
        };
        spans::below(told, failed, answer).boxed()
    }
}

/// Why a request failed, in a word: by the status, where there is one.
fn failed<B>(answer: &Result<Response<B>, BoxError>) -> spans::Failed {
    match answer {
        Ok(answer) if answer.status().as_u16() < 400 => None,
        Ok(answer) => Some(answer.status().as_str().to_owned().into()),
        Err(error) if error.is::<Stopped>() => Some("timeout".into()),
        Err(_) => Some("transient".into()),
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
    use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
    use k8s_openapi::api::events::v1 as events;
    use kube::Api;
    use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
    use parking_lot::Mutex;
    use serde_json::json;
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
        let guard = Guard {
            answer: limit,
            term,
            ..Guard::default()
        };
        guarded(answer, &guard)
    }

    fn guarded(answer: Option<String>, guard: &Guard) -> Client {
        ClientBuilder::new(server(answer), "default")
            .with_layer(guard)
            .build()
    }

    fn client(is_silent: bool, answer: Duration, term: Option<Arc<Term>>) -> Api<ConfigMap> {
        let list = (!is_silent).then(|| EMPTY.to_owned());
        Api::default_namespaced(of(list, answer, term))
    }

    #[tokio::test]
    async fn every_write_is_counted_by_its_type_and_verb_and_no_read_is() {
        let counted = Arc::new(Mutex::new(Vec::new()));
        let count = {
            let counted = counted.clone();
            move |resource, verb| counted.lock().push(format!("{verb} {resource}"))
        };
        let guard = Guard {
            count: Some(Arc::new(count)),
            ..Guard::default()
        };
        // What is answered is of no type, which doesn't matter here.
        let client = guarded(Some("{}".to_owned()), &guard);
        let rules: Api<AlertRule> = Api::namespaced(client.clone(), "team");
        let ours = PatchParams::apply("test").force();
        let (any, plain) = (json!({}), PostParams::default());
        drop(rules.get("a").await);
        drop(rules.list(&ListParams::default()).await);
        drop(rules.patch_status("a", &ours, &Patch::Apply(&any)).await);
        drop(
            rules
                .patch("a", &PatchParams::default(), &Patch::Merge(&any))
                .await,
        );
        drop(rules.delete("a", &DeleteParams::default()).await);
        let events: Api<events::Event> = Api::namespaced(client.clone(), "team");
        drop(events.create(&plain, &events::Event::default()).await);
        let secrets: Api<Secret> = Api::namespaced(client.clone(), "namespaces");
        drop(secrets.replace("s", &plain, &Secret::default()).await);
        let namespaces: Api<Namespace> = Api::all(client);
        drop(namespaces.delete("team", &DeleteParams::default()).await);
        let expected = [
            "apply alertrules/status",
            "patch alertrules",
            "delete alertrules",
            "create events",
            "update secrets",
            "delete namespaces",
        ];
        assert_eq!(*counted.lock(), expected);
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
        let client =
            impatient(stalling().await, Guard::default(), Duration::from_millis(50)).expect("a client");
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
