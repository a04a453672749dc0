//! What only a server can do on demand, asked of the double.

#![allow(clippy::expect_used, reason = "a failure of the set-up fails the test")]

use std::time::Duration;

use alertwright_testbed::{
    Grafana, Loki,
    grafana::{Alertmanager, Kept, Options, Source},
    wait,
};
use serde_json::json;

const SOON: Duration = Duration::from_secs(30);
/// Longer than the test takes.
const LONG: Duration = Duration::from_secs(600);
const SILENCES: &str = "/api/alertmanager/grafana/api/v2/silences";

async fn double() -> Grafana {
    let options = Options {
        source: Some(Source::Double),
        ..Options::default()
    };
    Grafana::start(options).await.expect("a Grafana")
}

async fn folder(grafana: &Grafana, uid: &str) {
    grafana
        .post("/api/folders", json!({"uid": uid, "title": uid}))
        .await
        .ok();
}

/// The folders that the index knows.
async fn found(grafana: &Grafana) -> usize {
    let found = grafana.get("/api/search?type=dash-folder").await.ok();
    found.as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_slow_index_misses_a_folder_that_is_there_until_it_has_caught_up() {
    let grafana = double().await;
    folder(&grafana, "old").await;
    grafana.lag_the_index(LONG).await;
    folder(&grafana, "new").await;
    assert!(grafana.get("/api/folders/new").await.status.is_success());
    assert!(found(&grafana).await < 2);
    grafana.lag_the_index(Duration::ZERO).await;
    assert_eq!(found(&grafana).await, 2);
}

#[tokio::test]
async fn a_replica_that_lags_takes_writes_and_shows_them_later() {
    let grafana = double().await;
    grafana.lag_the_replica(LONG).await;
    folder(&grafana, "new").await;
    assert!(grafana.folders().await.is_empty());
    grafana.lag_the_replica(Duration::from_millis(300)).await;
    wait::until("it has caught up", SOON, async || {
        grafana.folders().await.len() == 1
    })
    .await;
}

#[tokio::test]
async fn an_alertmanager_in_trouble_answers_so_until_the_faults_are_cleared() {
    let grafana = double().await;
    for (state, status) in [
        (Alertmanager::NotReady, 409),
        (Alertmanager::Missing, 404),
        (Alertmanager::Unavailable, 503),
        (Alertmanager::Failing, 500),
        (Alertmanager::Ready, 200),
        (Alertmanager::Missing, 404),
    ] {
        grafana.set_alertmanager(state).await;
        let answer = grafana.get(SILENCES).await;
        assert_eq!(answer.status, status, "{state:?}: {}", answer.body);
    }
    grafana.clear_faults().await;
    assert!(grafana.silences().await.is_empty());
}

#[tokio::test]
async fn a_restored_database_knows_nothing_of_what_came_later() {
    let grafana = double().await;
    folder(&grafana, "before").await;
    grafana.snapshot("monday").await;
    let token = grafana.token().await;
    folder(&grafana, "after").await;
    grafana.restore("monday", &[Kept::Accounts]).await;
    let folders = grafana.folders().await;
    assert_eq!(folders.len(), 1, "{folders:?}");
    assert_eq!(folders[0]["uid"], "before");
    let is_known = async |token: &str| {
        let request = reqwest::Client::new()
            .get(format!("{}/api/folders", grafana.url()))
            .bearer_auth(token);
        request.send().await.expect("an answer").status().is_success()
    };
    assert!(is_known(&token).await, "accounts were kept");
    grafana.restore("monday", &[]).await;
    assert!(!is_known(&token).await, "and now they weren't");
}

#[tokio::test]
async fn an_emptied_database_has_only_what_was_kept() {
    let grafana = double().await;
    grafana
        .add_loki_datasource(Loki::shared().await, "logs", "Logs", true)
        .await;
    folder(&grafana, "gone").await;
    grafana.empty(&[Kept::Datasources]).await;
    assert!(grafana.folders().await.is_empty());
    assert!(grafana.get("/api/datasources/uid/logs").await.status.is_success());
    grafana.empty(&[]).await;
    assert_eq!(grafana.get("/api/datasources/uid/logs").await.status, 404);
}
