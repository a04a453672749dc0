//! Clocks that are apart: Grafana's is ten minutes ahead of all others, or behind.

use std::net::SocketAddr;

use alertwright::api::{AlertRule, GrafanaInstance, Silence};
use alertwright_testbed::{Proxy, any_release, apply, http, wait};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::alarm::assert_rests;
use crate::rules::quiet;
use crate::silences::{A_WHILE, from_now, id, state};
use crate::workloads::{asking, deployment, ended, held, let_go, roll, silenced, silences_of};
use crate::world::{self, SOON, World};

const APART: SignedDuration = SignedDuration::from_mins(10);

/// A Grafana, as it is where its clock is ahead by so much. To its silences nothing is time but how their own times lie to its now, so these are moved on
/// the way there, and moved back on the way here.
#[derive(Clone)]
struct Moved {
    upstream: String,
    ahead: SignedDuration,
    client: &'static reqwest::Client,
}

async fn moved(grafana: String, ahead: SignedDuration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let moved = Moved {
        upstream: grafana,
        ahead,
        client: http::client(),
    };
    let router = Router::new().fallback(forwarded).with_state(moved);
    tokio::spawn(async move { drop(axum::serve(listener, router).await) });
    address
}

async fn forwarded(State(moved): State<Moved>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a request");
    let path = parts.uri.to_string();
    let is_moved = path.contains("/silence");
    let there = |body: &[u8], by| {
        if is_moved {
            shifted(body, by)
        } else {
            body.to_vec()
        }
    };
    let mut headers = parts.headers;
    for name in ["host", "content-length", "transfer-encoding", "connection"] {
        headers.remove(name);
    }
    let sent = moved
        .client
        .request(parts.method, format!("{}{path}", moved.upstream))
        .headers(headers)
        .body(there(&body, -moved.ahead))
        .send()
        .await;
    let Ok(answer) = sent else {
        return Response::builder()
            .status(502)
            .body(Body::empty())
            .expect("an answer");
    };
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if !["content-length", "transfer-encoding", "connection"].contains(&name.as_str()) {
            response = response.header(name, value);
        }
    }
    let body = if is_moved {
        let whole = answer.bytes().await.unwrap_or_default();
        Body::from(there(&whole, moved.ahead))
    } else {
        Body::from_stream(answer.bytes_stream())
    };
    response.body(body).expect("an answer")
}

/// JSON whose times of silences are moved; what is none stays as it is.
fn shifted(body: &[u8], by: SignedDuration) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return body.to_vec();
    };
    shift(&mut value, by);
    serde_json::to_vec(&value).expect("JSON")
}

fn shift(value: &mut Value, by: SignedDuration) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, by)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_time = ["startsAt", "endsAt", "updatedAt"].contains(&name.as_str());
                let time = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
                match time {
                    Some(time) if is_time => *value = json!(time + by),
                    _ => shift(value, by),
                }
            }
        }
        _ => {}
    }
}

/// A world whose Grafana's clock is ahead by so much, or behind.
async fn world_of(ahead: SignedDuration) -> World {
    let mut w = world::start().await;
    let address = moved(w.grafana.url(), ahead).await;
    w.proxy = Proxy::start(format!("http://{address}")).await;
    let token = w.grafana.token_with_role("Admin").await;
    world::connect(w.plane, &w.home, &w.proxy.url(), &token, json!({})).await;
    let instances: Api<GrafanaInstance> = Api::namespaced(w.client().await, &w.home);
    wait::until("it is connected to that", SOON, async || {
        let instance = instances.get("default").await.ok()?;
        let ready = instance
            .status?
            .conditions
            .into_iter()
            .find(|c| c.type_ == "Ready")?;
        let is_now = ready.observed_generation == instance.metadata.generation && ready.reason == "Synced";
        (is_now && !w.proxy.requests().0.is_empty()).then_some(())
    })
    .await;
    w
}

#[apply(any_release)]
async fn silences_begin_at_once_and_end_and_all_rests_where_grafanas_clock_is_ahead() {
    begins_ends_and_rests(APART).await;
}

#[apply(any_release)]
async fn silences_begin_at_once_and_end_and_all_rests_where_grafanas_clock_is_behind() {
    begins_ends_and_rests(-APART).await;
}

async fn begins_ends_and_rests(ahead: SignedDuration) {
    let w = world_of(ahead).await;
    w.put("AlertRule", "rule", quiet()).await;
    w.synced::<AlertRule>("rule").await;
    w.put("Silence", "now", json!({"matchers": ["a=b"], "duration": "1h"}))
        .await;
    let now = id(&w.synced::<Silence>("now").await);
    assert_eq!(state(&w, &now).await.as_deref(), Some("active"));
    let later = json!({"matchers": ["a=c"], "startsAt": from_now(3600), "duration": "1h"});
    w.put("Silence", "later", later).await;
    let later = id(&w.synced::<Silence>("later").await);
    assert_eq!(state(&w, &later).await.as_deref(), Some("pending"));
    let object = deployment("web", &asking("20m", "1s"), &json!({}));
    w.apply(&object.to_string()).await;
    let first = wait::until("the first rollout has a silence", SOON, async || {
        silences_of(&w, "web").await.first().map(ResourceExt::name_any)
    });
    is_over(&w, &first.await, ahead).await;
    roll(&w, "web", "2", &held(&w)).await;
    let rollout = silenced(&w, "web").await;
    assert_rests(&w).await;

    let_go(&w).await;
    is_over(&w, &rollout.name_any(), ahead).await;
    w.delete::<Silence>("now").await;
    crate::silences::becomes(&w, &now, "expired").await;
    assert_rests(&w).await;
}

/// Waits until the silence of a rollout has ended. Where Grafana is behind it goes on there until that is so by its own clock.
async fn is_over(w: &World, name: &str, ahead: SignedDuration) {
    ended(w, name, "Succeeded").await;
    let silence = w.reason::<Silence>(name, "Expired").await;
    if ahead.is_positive() {
        crate::silences::becomes(w, &id(&silence), "expired").await;
    }
}

#[apply(any_release)]
async fn a_silence_that_is_over_by_grafanas_clock_is_refused_and_it_is_said_why() {
    let w = world_of(APART).await;
    w.put("Silence", "short", json!({"matchers": ["a=b"], "duration": "5m"}))
        .await;
    w.reason::<Silence>("short", "Invalid").await;
    let message = w.message::<Silence>("short").await;
    assert!(message.contains("in the past"), "{message}");
    assert_rests(&w).await;
}

#[apply(any_release)]
async fn a_silence_that_is_over_by_our_clock_goes_on_in_a_grafana_that_is_behind() {
    let w = world_of(-APART).await;
    w.put("Silence", "short", json!({"matchers": ["a=b"], "duration": "5s"}))
        .await;
    let short = id(&w.synced::<Silence>("short").await);
    w.reason::<Silence>("short", "Expired").await;
    wait::never("it has ended", A_WHILE, async || {
        (state(&w, &short).await.as_deref() != Some("active")).then_some(())
    })
    .await;
}
