//! A server that takes webhooks.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::{serving::Serving, wait};

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method, as a rule POST.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; a string where it is not JSON, null where it is empty.
    pub body: Value,
    /// When it came.
    pub at: Instant,
}

type Records = Arc<Mutex<Vec<Received>>>;

/// The beginnings of the paths that are refused.
type Refused = Arc<Mutex<Vec<String>>>;

/// A server that takes requests on any path, records them, and answers as the service would that the path begins with:
/// `/slack`, `/discord`, `/pagerduty`, or else a webhook.
#[derive(Debug)]
pub struct HttpSink {
    received: Records,
    refused: Refused,
    serving: Serving,
}

impl HttpSink {
    /// Starts one on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_on(Ipv4Addr::LOCALHOST.into()).await
    }

    /// Starts one on a free port of this address: 0.0.0.0 to be reached from other machines.
    pub async fn start_on(address: IpAddr) -> Self {
        let received = Records::default();
        let refused = Refused::default();
        let router = Router::new()
            .fallback(take)
            .with_state((Arc::clone(&received), Arc::clone(&refused)));
        let serving = Serving::start_on(address, |listener| async move {
            // It ends only with its task.
            let _ = axum::serve(listener, router).await;
        });
        Self {
            received,
            refused,
            serving: serving.await,
        }
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.serving.port()
    }

    /// The address on this machine, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.serving.address())
    }

    /// Refuses what comes to paths with this prefix from now on, as a service does whose token is no longer good.
    pub fn refuse(&self, path_prefix: &str) {
        self.refused.lock().push(path_prefix.to_owned());
    }

    /// Refuses nothing any more.
    pub fn refuse_nothing(&self) {
        self.refused.lock().clear();
    }

    /// What came to paths with this prefix, in order.
    pub fn received(&self, path_prefix: &str) -> Vec<Received> {
        self.received
            .lock()
            .iter()
            .filter(|request| request.path.starts_with(path_prefix))
            .cloned()
            .collect()
    }

    /// Waits for the first request to such a path that fits.
    pub async fn wait_for(
        &self,
        path_prefix: &str,
        timeout: Duration,
        fits: impl Fn(&Received) -> bool,
    ) -> Received {
        wait::until(&format!("a request to {path_prefix}"), timeout, async || {
            let received = self.received(path_prefix);
            let found = received.iter().find(|request| fits(request)).cloned();
            found.map_or_else(|| wait::not_yet(&received), wait::Seen::Yes)
        })
        .await
    }
}

async fn take(
    State((received, refused)): State<(Records, Refused)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = || Value::from(String::from_utf8_lossy(&body).into_owned());
    let path = uri.to_string();
    let is_refused = refused.lock().iter().any(|prefix| path.starts_with(prefix));
    let answer = if is_refused {
        (StatusCode::FORBIDDEN, "invalid_token").into_response()
    } else {
        answer(&path)
    };
    received.lock().push(Received {
        method: method.to_string(),
        path,
        headers,
        body: if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).unwrap_or_else(|_| text())
        },
        at: Instant::now(),
    });
    answer
}

/// What each service says when all is well.
fn answer(path: &str) -> Response {
    match path.split(['/', '?']).nth(1) {
        Some("slack") => "ok".into_response(),
        Some("discord") => StatusCode::NO_CONTENT.into_response(),
        Some("pagerduty") => {
            let processed =
                json!({"status": "success", "message": "Event processed", "dedup_key": "testbed"});
            (StatusCode::ACCEPTED, Json(processed)).into_response()
        }
        _ => Json(json!({})).into_response(),
    }
}
