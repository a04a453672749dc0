//! The least time that Grafana needs for the rules, whoever sends them.

use std::time::Instant;

use alertwright_testbed::{
    Proxy, http,
    proxy::{Call, Calls},
};
use futures::{StreamExt, stream};

use crate::{
    samples::time,
    table::{Row, Table},
    world::start_grafana,
};

/// As many connections as the operator has.
const CONNECTIONS: usize = 8;

/// Sends the same folders and rules to a new Grafana, through a proxy too, with nothing else going on.
pub(crate) async fn measure(sent: &Calls, table: &mut Table) {
    let grafana = start_grafana().await;
    let token = grafana.token().await;
    let proxy = Proxy::start(grafana.url()).await;
    let client = http::builder()
        .pool_max_idle_per_host(CONNECTIONS)
        .build()
        .expect("a plain client");
    let post = async |call: &Call| {
        let url = format!("{}{}", proxy.url(), call.path);
        let request = client
            .post(url)
            .bearer_auth(&token)
            .header("Content-Type", "application/json");
        let answer = request
            .body(call.body.clone())
            .send()
            .await
            .expect("an answer of Grafana");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer of Grafana");
        assert!(status.is_success(), "{status}: {text}");
    };
    for folder in &sent.of("POST", "/api/folders").0 {
        post(folder).await;
    }
    let rules = sent.of("POST", "/api/v1/provisioning/alert-rules").0;
    let begun = Instant::now();
    stream::iter(&rules).for_each_concurrent(CONNECTIONS, post).await;
    let what = format!(
        "first sync: a bare client's {} POSTs of the same rules on 8 connections",
        rules.len()
    );
    table.push(Row::new(what, time(begun.elapsed())));
}
