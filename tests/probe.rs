//! `alertwright probe`, as a person or `helm test` runs it.
#![allow(clippy::expect_used, reason = "a failure must fail the test")]

use std::process::Output;

use alertwright_testbed::ports;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::process::Command;

async fn probe(url: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_alertwright"))
        .args(["probe", url])
        .output()
        .await
        .expect("alertwright runs")
}

/// A server with one page that is well and one that is not.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/healthz", get(async || "ok\n")).route(
        "/readyz",
        get(async || (StatusCode::SERVICE_UNAVAILABLE, "not yet\n")),
    );
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_the_answer_of_a_server_that_is_well() {
    let output = probe(&format!("{}/healthz", server().await)).await;
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_fails_and_says_why_if_the_answer_is_no_success_or_there_is_none() {
    let url = server().await;
    let gone = ports::free();
    for (url, reason) in [
        (format!("{url}/readyz"), "503"),
        (format!("http://127.0.0.1:{gone}/"), "refused"),
    ] {
        let output = probe(&url).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(&url) && said.contains(reason), "{said}");
        assert!(output.stdout.is_empty());
    }
}
