//! The proxy counts, records, and does each fault it is told.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::time::{Duration, Instant};

use alertwright_testbed::{HttpSink, Proxy, http, proxy::Fault};
use reqwest::{Client, Response};
use serde_json::{Value, json};

struct World {
    upstream: HttpSink,
    proxy: Proxy,
    client: Client,
}

impl World {
    async fn new() -> Self {
        let upstream = HttpSink::start().await;
        let proxy = Proxy::start(upstream.url()).await;
        // Unlike the testbed's own client it keeps its connection, as the operator does.
        let client = http::builder()
            .pool_max_idle_per_host(1)
            .build()
            .expect("a client");
        Self {
            upstream,
            proxy,
            client,
        }
    }

    async fn put(&self, path: &str) -> reqwest::Result<Response> {
        let body = json!({"title": path});
        self.client
            .put(format!("{}{path}", self.proxy.url()))
            .json(&body)
            .send()
            .await
    }

    fn arrived(&self) -> usize {
        self.upstream.received("/").len()
    }
}

#[tokio::test]
async fn calls_are_forwarded_counted_and_recorded() {
    let world = World::new().await;
    for path in ["/api/folders/a", "/api/folders/b?x=1"] {
        assert!(world.put(path).await.expect("an answer").status().is_success());
    }
    assert_eq!(
        world.upstream.received("/api/folders/b?x=1")[0].body,
        json!({"title": "/api/folders/b?x=1"})
    );
    let calls = world.proxy.requests();
    assert_eq!(calls.by_class(), [("PUT /api/folders/:id".to_owned(), 2)].into());
    assert_eq!(calls.0[0].json()["title"], "/api/folders/a");
    assert_eq!(calls.0[0].status, Some(200));
    assert_eq!((calls.writes().len(), calls.reads().len()), (2, 0));
    assert_eq!(world.proxy.connections(), 1, "the client keeps its connection");
    assert_eq!(world.proxy.open_at_most(), 1);
    assert_eq!(world.proxy.reset().len(), 2);
    assert!(world.proxy.requests().is_empty());
}

#[tokio::test]
async fn a_gateway_lets_nothing_else_through_whatever_faults_come_and_go() {
    let world = World::new().await;
    world.proxy.only("/api/");
    world.proxy.fault(Fault::delay(Duration::ZERO).on("PUT", "/apis"));
    world.proxy.clear_faults();
    let hidden = world.put("/apis/x").await.expect("an answer");
    assert_eq!(hidden.status(), 404);
    assert!(hidden.text().await.expect("a page").starts_with("<html>"));
    assert!(
        world
            .put("/api/x")
            .await
            .expect("an answer")
            .status()
            .is_success()
    );
    assert_eq!((world.arrived(), world.proxy.requests().len()), (1, 2));
    world.proxy.open();
    assert!(
        world
            .put("/apis/x")
            .await
            .expect("an answer")
            .status()
            .is_success()
    );
}

#[tokio::test]
async fn a_status_is_answered_so_often_and_nothing_arrives() {
    let world = World::new().await;
    world.proxy.fault(
        Fault::status(429)
            .retry_after(Duration::from_secs(7))
            .on("PUT", "/a")
            .times(1),
    );
    let refused = world.put("/a").await.expect("an answer");
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert_eq!(world.arrived(), 0);
    assert!(world.put("/a").await.expect("an answer").status().is_success());
    assert!(world.proxy.requests().0[0].faulty);
}

#[tokio::test]
async fn a_connection_is_dropped_before_or_after_the_call_happened() {
    let world = World::new().await;
    world.proxy.fault(Fault::drop_before());
    world.put("/a").await.expect_err("no answer");
    assert_eq!(world.arrived(), 0);
    world.proxy.clear_faults();
    world.proxy.fault(Fault::drop_after().times(1));
    world.put("/a").await.expect_err("no answer");
    assert_eq!(world.arrived(), 1);
    assert_eq!(world.proxy.requests().0[1].status, None);
    assert!(world.put("/a").await.expect("an answer").status().is_success());
}

#[tokio::test]
async fn an_answer_comes_late_or_is_no_json() {
    let world = World::new().await;
    let pause = Duration::from_millis(200);
    world.proxy.fault(Fault::delay(pause).on_path("/late"));
    let start = Instant::now();
    world.put("/late").await.expect("an answer");
    assert!(start.elapsed() >= pause);
    world.proxy.fault(Fault::garbage());
    world
        .put("/a")
        .await
        .expect("an answer")
        .json::<Value>()
        .await
        .expect_err("no JSON");
    assert_eq!(world.arrived(), 2);
}

#[tokio::test]
async fn a_server_that_is_down_gives_no_answer() {
    let world = World::new().await;
    let World {
        upstream,
        proxy,
        client,
    } = world;
    drop(upstream);
    client.get(proxy.url()).send().await.expect_err("no answer");
}
