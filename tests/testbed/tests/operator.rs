//! The operator's process: how it is run, ended and run again. A shell script stands in for it.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::time::Duration;

use alertwright_testbed::{Operator, operator::Options, wait};

const SOON: Duration = Duration::from_secs(10);

async fn start() -> Operator {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand-in/operator");
    let options = Options::new(script, "/tmp/kubeconfig".as_ref())
        .arg("--owner-id=one")
        .env("TENANT", "two");
    let operator = options.without_wait().start().await.expect("an operator");
    wait::until("its first words", SOON, async || operator.log().contains("args:")).await;
    operator
}

#[tokio::test]
async fn the_operator_sees_what_it_is_given_and_nothing_of_the_test_s_environment() {
    let log = start().await.log();
    let expected = "args: run --owner-id=one --http-address 127.0.0.1:";
    assert!(log.starts_with(expected), "{log}");
    assert!(
        log.contains("kubeconfig: /tmp/kubeconfig tenant: two cargo: \n"),
        "{log}"
    );
}

#[tokio::test]
async fn the_operator_ends_in_order_when_terminated_and_without_a_word_when_killed() {
    let mut operator = start().await;
    assert!(operator.terminate().await.success());
    assert!(operator.log().contains("ended in order"));

    let mut operator = start().await;
    operator.kill();
    assert!(operator.ended().is_some_and(|status| !status.success()));
    assert!(!operator.log().contains("ended in order"));
}

#[tokio::test]
async fn an_operator_that_never_gets_ready_says_so_with_its_log() {
    let mut operator = start().await;
    operator.terminate().await;
    let error = format!("{:?}", operator.ready().await.expect_err("it has ended"));
    assert!(
        error.contains("alertwright ended while starting") && error.contains("args: run"),
        "{error}"
    );
}
