//! Lines against servers that send them in pieces, without end, or never.

use std::sync::Arc;

use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::*;
use crate::grafana::error::Class;
use crate::grafana::transport::connection::CONNECTIONS;
use crate::grafana::transport::{Auth, Connection, Limits, Tls};

const LONG: Duration = Duration::from_secs(60);

fn transport(url: &str, time: Duration) -> Transport {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let connection = Connection {
        url: url.parse().unwrap(),
        auth: Auth::Token("token".into()),
        org_id: None,
        tls: Tls::default(),
        headers: Vec::new(),
        proxy: None,
        user_agent: "test".to_owned(),
    };
    Transport::with_limits(
        &connection,
        Arc::new(()),
        Limits {
            time,
            size: 500,
            free: 500,
        },
    )
    .unwrap()
}

fn call() -> Call {
    Call::get("things.watch", "things", &[])
}

/// Sends what it is given to whoever is connected, and tells when they are gone.
async fn server() -> (String, UnboundedSender<&'static str>, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (pieces, mut given) = unbounded_channel::<&'static str>();
    let serving = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let _ = socket.read(&mut buffer).await.unwrap();
        let (mut reading, mut writing) = socket.split();
        loop {
            tokio::select! {
                piece = given.recv() => match piece {
                    Some(piece) => writing.write_all(piece.as_bytes()).await.unwrap(),
                    None => return,
                },
                read = reading.read(&mut buffer) => if matches!(read, Ok(0) | Err(_)) { return },
            }
        }
    });
    (url, pieces, serving)
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn each_line_comes_when_it_is_whole_however_it_was_sent() {
    let (url, pieces, _serving) = server().await;
    for piece in [HEAD, "{\"a\":1}\n{\"b\"", ":2"] {
        pieces.send(piece).unwrap();
    }
    let transport = transport(&url, LONG);
    let mut lines = transport.lines(call(), LONG).await.unwrap();
    assert_eq!(lines.next().await.unwrap().unwrap(), "{\"a\":1}");
    assert!(lines.next().now_or_never().is_none(), "it isn't whole");
    for piece in ["}\n\n\r\n", "\"last\""] {
        pieces.send(piece).unwrap();
    }
    assert_eq!(lines.next().await.unwrap().unwrap(), "{\"b\":2}");
    drop(pieces);
    assert_eq!(lines.next().await.unwrap().unwrap(), "\"last\"");
    assert_eq!(lines.next().await.unwrap(), None);
}

#[tokio::test]
async fn lines_take_no_turn_and_outlast_what_other_calls_may_take() {
    let time = Duration::from_millis(200);
    let (url, pieces, _serving) = server().await;
    pieces.send(HEAD).unwrap();
    let transport = transport(&url, time);
    let mut lines = transport.lines(call(), LONG).await.unwrap();
    assert_eq!(transport.gate.free(), CONNECTIONS);
    let next = tokio::time::timeout(2 * time, lines.next()).await;
    assert!(next.is_err(), "it is still open: {next:?}");
    pieces.send("1\n").unwrap();
    assert_eq!(lines.next().await.unwrap().unwrap(), "1");
}

#[tokio::test]
async fn an_answer_must_begin_in_time_and_end_after_the_longest() {
    let time = Duration::from_millis(100);
    let (url, _pieces, _serving) = server().await;
    let never = transport(&url, time).lines(call(), LONG).await;
    assert!(matches!(never, Err(Error::Timeout { .. })), "{:?}", never.err());
    let (url, pieces, _serving) = server().await;
    pieces.send(HEAD).unwrap();
    let mut endless = transport(&url, LONG).lines(call(), time).await.unwrap();
    let end = endless.next().await;
    assert!(matches!(end, Err(Error::Timeout { .. })), "{end:?}");
}

#[tokio::test]
async fn a_line_without_end_is_given_up() {
    let (url, pieces, _serving) = server().await;
    let transport = transport(&url, LONG);
    pieces.send(HEAD).unwrap();
    for _ in 0..60 {
        pieces.send("0123456789").unwrap();
    }
    let mut lines = transport.lines(call(), LONG).await.unwrap();
    let end = lines.next().await;
    assert!(matches!(end, Err(Error::TooLarge { limit: 500, .. })), "{end:?}");
}

#[tokio::test]
async fn dropped_lines_close_their_connection() {
    let (url, pieces, serving) = server().await;
    pieces.send(HEAD).unwrap();
    let lines = transport(&url, LONG).lines(call(), LONG).await.unwrap();
    assert!(!serving.is_finished());
    drop(lines);
    tokio::time::timeout(LONG, serving)
        .await
        .expect("closed")
        .unwrap();
}

#[tokio::test]
async fn a_refusal_is_told_as_of_any_call() {
    let (url, pieces, _serving) = server().await;
    pieces
        .send("HTTP/1.1 410 Gone\r\ncontent-length: 40\r\n\r\n{\"code\":410,\"message\":\"too old version\"}")
        .unwrap();
    let refused = transport(&url, LONG).lines(call(), LONG).await;
    let error = refused.err().expect("refused");
    assert_eq!(error.class(), Class::Missing);
    assert!(error.to_string().contains("too old version"), "{error}");
}
