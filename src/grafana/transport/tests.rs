//! The transport against small servers that answer as Grafana does, and as it should not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::any;
use futures::FutureExt;
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use super::connection::CONNECTIONS;
use super::*;
use crate::deadline;
use crate::grafana::api::Provenance;

mod certificates;
mod hostile;
mod redirects;
mod refusals;
mod strangers;
mod ways;

#[derive(Default)]
struct Ended(Mutex<Vec<(&'static str, Option<Class>)>>, AtomicUsize);

impl Supervisor for Ended {
    fn ended(&self, operation: &'static str, error: Option<Class>, _: Duration) {
        self.0.lock().push((operation, error));
    }

    fn deprecated(&self, _: &'static str) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

fn connection(url: &str) -> Connection {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Connection {
        url: url.parse().unwrap(),
        auth: Auth::Token("glsa_secret\n".into()),
        org_id: None,
        tls: Tls::default(),
        headers: Vec::new(),
        proxy: None,
        user_agent: "test".to_owned(),
    }
}

fn transport(url: &str) -> Transport {
    let limits = Limits {
        time: Duration::from_secs(5),
        size: 10_000,
        free: 1000,
    };
    Transport::with_limits(&connection(url), Arc::new(()), limits).unwrap()
}

/// Serves a router and returns its address.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    format!("http://{address}")
}

async fn serve_always(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> String {
    serve(Router::new().fallback(any(async move || answer.clone()))).await
}

/// Closes every connection after `answer`, and counts them.
async fn serve_bytes(answer: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    (format!("http://{address}"), connections)
}

fn read() -> Call {
    Call::get("test.read", "api/x", &[])
}

fn write() -> Call {
    Call::new("test.write", Method::POST, "api/x", &[])
        .json(&json!({"secret": "s3cr3t"}))
        .unwrap()
}

async fn refusal(status: u16, headers: HeaderMap, body: impl Into<String>) -> Error {
    let body = body.into();
    let url = serve_always((StatusCode::from_u16(status).unwrap(), headers, body)).await;
    transport(&url).fetch::<Value>(read()).await.unwrap_err()
}

#[tokio::test]
async fn a_request_carries_credentials_path_query_body_and_provenance() {
    let seen = Arc::new(Mutex::new(None));
    let recorder = seen.clone();
    let router = Router::new().fallback(any(async move |request: Request| {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1000).await.unwrap();
        *recorder.lock() = Some((parts, body));
        "{}"
    }));
    let url = format!("{}/grafana/", serve(router).await);
    let call = Call::new("test.write", Method::PUT, "api/v1", &["a/b c?ü"])
        .query("name", "x&y")
        .json(&json!([1]));
    let connection = Connection {
        org_id: Some(3),
        ..connection(&url)
    };
    let transport = Transport::new(&connection, Arc::new(())).unwrap();
    transport
        .send(call.unwrap().provenance(Provenance::None))
        .await
        .unwrap();

    let (parts, body) = seen.lock().take().unwrap();
    assert_eq!(parts.method, Method::PUT);
    assert_eq!(
        parts.uri.to_string(),
        "/grafana/api/v1/a%2Fb%20c%3F%C3%BC?name=x%26y"
    );
    assert_eq!(parts.headers["authorization"], "Bearer glsa_secret");
    assert_eq!(parts.headers["x-grafana-org-id"], "3");
    assert_eq!(parts.headers["content-type"], "application/json");
    assert!(parts.headers.contains_key("x-disable-provenance"));
    assert_eq!(&body[..], b"[1]");
}

#[tokio::test]
async fn a_name_is_one_segment_of_the_path_whatever_is_in_it() {
    let router = Router::new().fallback(any(async |request: Request| {
        json!(request.uri().path()).to_string()
    }));
    let url = format!("{}/grafana/", serve(router).await);
    let transport = transport(&url);
    let every: String = (0..=0xff).map(char::from).collect();
    for name in [
        "a\tc", "a\nc", "a\rc", "\tac", "ac\n", "a\0c", "a/c", "a\\c", "%2e%2e", "a%09c", "a;c", "...", " ",
        &every,
    ] {
        let call = Call::new("test.read", Method::GET, "api/v1", &[name]);
        let answer = transport.fetch::<String>(call).await.unwrap();
        let segment = answer.strip_prefix("/grafana/api/v1/").unwrap();
        assert!(!segment.contains('/'), "{name:?}: {answer}");
        let read = percent_encoding::percent_decode_str(segment)
            .decode_utf8()
            .unwrap();
        assert_eq!(read, name, "{answer}");
    }
}

#[tokio::test]
async fn a_write_with_provenance_does_not_name_the_header_at_all() {
    let router = Router::new().fallback(any(async |headers: HeaderMap| {
        json!(headers.contains_key("x-disable-provenance")).to_string()
    }));
    let url = serve(router).await;
    assert!(
        !transport(&url)
            .fetch::<bool>(write().provenance(Provenance::Api))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_throttled_call_knows_how_long_to_wait() {
    let after = |value: &str| HeaderMap::from_iter([(http::header::RETRY_AFTER, value.parse().unwrap())]);
    assert_eq!(
        refusal(429, after("7"), "").await.class(),
        Class::Throttled(Some(Duration::from_secs(7)))
    );
    assert_eq!(
        refusal(429, after("soon"), "").await.class(),
        Class::Throttled(None)
    );
    for (asked, seconds) in [
        ("0", 1),
        ("86400", 300),
        ("9223372036854775807", 300),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 300),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 1),
    ] {
        assert_eq!(
            refusal(429, after(asked), "").await.class(),
            Class::Throttled(Some(Duration::from_secs(seconds))),
            "{asked}"
        );
    }
    assert_eq!(
        refusal(503, after("7"), "").await.class(),
        Class::Throttled(Some(Duration::from_secs(7)))
    );
}

#[tokio::test]
async fn garbage_is_reported_by_its_place_and_not_repeated() {
    let url = serve_always("{\"password\": \"hunter2\"}").await;
    let error = transport(&url).fetch::<Vec<u8>>(read()).await.unwrap_err();
    assert!(matches!(error, Error::Decode { line: 1, .. }));
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_answer_larger_than_the_limit_is_not_read() {
    let url = serve_always(format!("\"{}\"", "x".repeat(20_000))).await;
    let transport = transport(&url);
    let too_large = |error| matches!(error, Error::TooLarge { limit: 10_000, .. });
    assert!(too_large(transport.fetch::<String>(read()).await.unwrap_err()));
    assert!(too_large(
        transport
            .stream::<String>(read(), |body| serde_json::from_reader(body))
            .await
            .unwrap_err()
    ));
}

#[tokio::test]
async fn a_streamed_answer_is_decoded_across_its_chunks() {
    let text = "ü".repeat(4000);
    let url = serve_always(json!(text).to_string()).await;
    let decoded = transport(&url)
        .stream::<String>(read(), |body| serde_json::from_reader(body))
        .await;
    assert_eq!(decoded.unwrap(), text);
}

#[tokio::test]
async fn a_server_that_does_not_answer_in_time_leaves_the_outcome_unknown() {
    let router = Router::new().fallback(any(std::future::pending::<()>));
    let url = serve(router).await;
    let limits = Limits {
        time: Duration::from_millis(50),
        ..LIMITS
    };
    let transport = Transport::with_limits(&connection(&url), Arc::new(()), limits).unwrap();
    let error = transport.send(write()).await.unwrap_err();
    assert!(matches!(
        error,
        Error::Timeout {
            operation: "test.write"
        }
    ));
    assert!(error.outcome_unknown());
}

#[tokio::test]
async fn a_server_that_is_not_there_was_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/?", listener.local_addr().unwrap()).replace("/?", "");
    drop(listener);
    let error = transport(&url).send(write()).await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)));
    assert_eq!(error.class(), Class::Transient);
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn a_read_is_sent_again_after_a_lost_connection_and_a_write_is_not() {
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"] {
        let (url, connections) = serve_bytes(answer).await;
        let error = transport(&url).fetch::<Value>(write()).await.unwrap_err();
        assert!(matches!(error, Error::Dropped { .. }), "{error:?}");
        assert!(error.outcome_unknown());
        assert_eq!(connections.swap(0, Ordering::Relaxed), 1);

        let error = transport(&url).fetch::<Value>(read()).await.unwrap_err();
        assert!(matches!(error, Error::Dropped { .. }), "{error:?}");
        assert_eq!(connections.swap(0, Ordering::Relaxed), 2);

        let streamed = transport(&url)
            .stream::<Value>(read(), |body| serde_json::from_reader(body))
            .await;
        assert!(matches!(streamed, Err(Error::Dropped { .. })));
    }
}

#[tokio::test]
async fn many_calls_share_eight_connections_and_later_ones_open_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let opened = Arc::new(AtomicUsize::new(0));
    let counted = opened.clone();
    // Answers only when eight requests are there, so that fewer connections would never be answered.
    let together = Arc::new(Barrier::new(CONNECTIONS));
    let router = Router::new().fallback(any(async move || {
        together.wait().await;
        "1"
    }));
    let listener = axum::serve::ListenerExt::tap_io(listener, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    tokio::spawn(axum::serve(listener, router).into_future());

    let transport = transport(&url);
    for _ in 0..2 {
        let calls = (0..5 * CONNECTIONS).map(|_| transport.fetch::<u8>(read()));
        assert!(
            futures::future::join_all(calls)
                .await
                .into_iter()
                .all(|answer| answer.is_ok())
        );
    }
    assert_eq!(opened.load(Ordering::Relaxed), CONNECTIONS);
}

#[tokio::test]
async fn waiting_for_a_connection_uses_up_no_deadline() {
    let limit = Duration::from_secs(30);
    let (arrived, served) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (arriving, serving) = (arrived.clone(), served.clone());
    let router = Router::new().fallback(any(async move || {
        arriving.add_permits(1);
        serving.acquire().await.unwrap().forget();
        "1"
    }));
    let transport = transport(&serve(router).await);
    let mut calls: Vec<_> = (0..=CONNECTIONS)
        .map(|_| Box::pin(deadline::within(limit, transport.fetch::<u8>(read()))))
        .collect();
    let mut last = calls.pop().unwrap();
    let mut first = std::pin::pin!(futures::future::join_all(calls));
    tokio::select! {
        _ = first.as_mut() => panic!("nothing is served yet"),
        _ = arrived.acquire_many(u32::try_from(CONNECTIONS).unwrap()) => {}
    }
    assert!(futures::poll!(last.as_mut()).is_pending());
    deadline::time::pass(limit);
    let first = first.now_or_never().expect("the deadline is over");
    let late = first.iter().filter(|ended| ended.is_err()).count();
    assert_eq!(late, CONNECTIONS, "those that Grafana keeps waiting are late");
    served.add_permits(CONNECTIONS + 1);
    let answer = last.await.expect("the one that waited for them isn't");
    assert_eq!(answer.unwrap(), 1);
}

#[tokio::test]
async fn every_call_is_counted_once_with_how_it_ended() {
    let (url, _) = serve_bytes(b"").await;
    let ended = Arc::new(Ended::default());
    let transport = Transport::new(&connection(&url), ended.clone()).unwrap();
    let _ = transport.fetch::<Value>(read()).await;
    assert_eq!(*ended.0.lock(), [("test.read", Some(Class::Transient))]);

    let url = serve_always("{}").await;
    let transport = Transport::new(&connection(&url), ended.clone()).unwrap();
    transport.send(write()).await.unwrap();
    assert_eq!(ended.0.lock().last(), Some(&("test.write", None)));
}

#[tokio::test]
async fn a_name_that_would_change_the_path_is_not_sent() {
    let (url, connections) = serve_bytes(b"").await;
    for name in ["", ".", ".."] {
        let error = transport(&url)
            .send(Call::get("test.read", "api/x", &[name]))
            .await
            .unwrap_err();
        assert_eq!(error.class(), Class::Rejected);
    }
    assert_eq!(connections.load(Ordering::Relaxed), 0);
}

#[test]
fn a_connection_that_cannot_work_is_refused_without_its_secrets() {
    let good = connection("https://grafana.example/sub");
    let wrong = [
        Connection {
            url: "ftp://grafana.example".parse().unwrap(),
            ..good.clone()
        },
        Connection {
            url: "https://user:s3cr3t@grafana.example".parse().unwrap(),
            ..good.clone()
        },
        Connection {
            url: "https://grafana.example?token=s3cr3t".parse().unwrap(),
            ..good.clone()
        },
        Connection {
            auth: Auth::Token("s3cr3t\nX-Other: y".into()),
            ..good.clone()
        },
        Connection {
            tls: Tls {
                ca_pem: Some("s3cr3t".to_owned()),
                ..Tls::default()
            },
            ..good.clone()
        },
        Connection {
            tls: Tls {
                client_key_pem: Some("s3cr3t".into()),
                ..Tls::default()
            },
            ..good.clone()
        },
        Connection {
            tls: Tls {
                client_cert_pem: Some("s3cr3t".to_owned()),
                client_key_pem: Some("s3cr3t".into()),
                ..Tls::default()
            },
            ..good.clone()
        },
    ];
    for connection in wrong {
        let error = Transport::new(&connection, Arc::new(()))
            .err()
            .expect("must be refused");
        assert_eq!(error.class(), Class::Rejected);
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }
    assert!(Transport::new(&good, Arc::new(())).is_ok());
    assert!(!format!("{good:?}").contains("glsa_secret"));
}
