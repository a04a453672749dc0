//! The last that `alertwright run` says when it can't work: why.
#![allow(clippy::expect_used, reason = "a failure must fail the test")]

use std::time::Duration;

use alertwright_testbed::Scratch;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

/// Whoever waits for the API server waits for ever.
const LONGEST: Duration = Duration::from_secs(60);

/// What an operator whose address is taken writes to its log.
async fn log(format: &str) -> (String, String) {
    let taken = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let scratch = Scratch::new("last-word").expect("a folder");
    let kubeconfig = scratch.join("kubeconfig");
    let context = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], "users": [{"name": "u", "user": {}}],
    });
    std::fs::write(&kubeconfig, context.to_string()).expect("a kubeconfig");
    let ended = Command::new(env!("CARGO_BIN_EXE_alertwright"))
        .args(["run", "--http-address", &address, "--log-format", format])
        .env("KUBECONFIG", &kubeconfig)
        .kill_on_drop(true)
        .output();
    // The API server that it would wait for otherwise never answers.
    let output = timeout(LONGEST, ended)
        .await
        .expect("it ends")
        .expect("alertwright runs");
    assert_eq!(output.status.code(), Some(3));
    (address, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn an_address_that_is_taken_ends_it_at_once_and_is_named() {
    let (address, log) = log("text").await;
    let last = log.lines().last().unwrap_or_default();
    for part in [
        &format!("cannot serve health and metrics on {address}"),
        "--http-address",
    ] {
        assert!(last.contains(part), "{part} is not in {log}");
    }
}

#[tokio::test]
async fn whoever_reads_json_reads_the_last_line_as_json_too() {
    let (address, log) = log("json").await;
    assert!(!log.is_empty());
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["level"].is_string(), "{line}");
    }
    let last: Value = serde_json::from_str(log.lines().last().unwrap_or_default()).expect("JSON");
    assert_eq!(last["level"], "ERROR");
    let error = last["error"].as_str().unwrap_or_default();
    assert!(error.contains(&address), "{last}");
}
