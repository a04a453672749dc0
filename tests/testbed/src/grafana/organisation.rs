//! An organisation of one's own in a real Grafana that others use too.

use std::{
    io::Write,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::Running;
use crate::{Error, Result, error::chain, http};

/// An organisation; removed with all that is in it when this value is dropped.
///
/// A process that is killed leaves it behind: its name begins with `alertwright-`.
#[derive(Debug)]
pub(super) struct Organisation {
    pub(super) server: Running,
    pub(super) id: i64,
}

impl Organisation {
    /// Makes one; the administrator becomes its member.
    pub(super) async fn new(server: &Running) -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!(
            "alertwright-{}-{}-{}",
            now.as_secs(),
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let (status, answer) = call(server, Method::POST, "/api/orgs", Some(json!({"name": name}))).await?;
        let id = answer.get("orgId").and_then(Value::as_i64);
        match id {
            Some(id) if status.is_success() => Ok(Self {
                server: server.clone(),
                id,
            }),
            _ => Err(Error::Source(format!(
                "{} makes no organisation ({status}: {answer}); GRAFANA_USER must be its server administrator",
                server.url
            ))),
        }
    }
}

impl Drop for Organisation {
    fn drop(&mut self) {
        let (server, id) = (self.server.clone(), self.id);
        // A thread of its own: here may be a runtime, which must not be blocked on.
        let removed = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let path = format!("/api/orgs/{id}");
            let removed = runtime.block_on(call(&server, Method::DELETE, &path, None));
            match removed {
                Ok((status, _)) if status.is_success() => Ok(()),
                other => Err(std::io::Error::other(format!("{other:?}"))),
            }
        });
        if let Ok(Err(error)) = removed.join() {
            // Its name tells whose it was.
            let _ = writeln!(
                std::io::stderr(),
                "organisation {} stays in {}: {error}",
                self.id,
                self.server.url
            );
        }
    }
}

async fn call(
    server: &Running,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Result<(StatusCode, Value)> {
    let request = http::client()
        .request(method, format!("{}{path}", server.url))
        .basic_auth(&server.user, Some(&server.password));
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let failed =
        |error: reqwest::Error| Error::Source(format!("{} doesn't answer: {}", server.url, chain(&error)));
    let answer = request.send().await.map_err(failed)?;
    let status = answer.status();
    let text = answer.bytes().await.map_err(failed)?;
    Ok((status, serde_json::from_slice(&text).unwrap_or_default()))
}
