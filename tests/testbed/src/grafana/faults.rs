//! What only a server can do on demand: asked for at the double's control door (`grafana/README.md`).
//!
//! All of it needs [`Need::Faults`]: a test on a real Grafana ends there as not run.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::Grafana;
use crate::trial::Need;

/// How Grafana's Alertmanager is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alertmanager {
    /// As usual.
    Ready,
    /// Not there yet, as after a start: 409.
    NotReady,
    /// Lost, as after a failed start: 404.
    Missing,
    /// Away, as what lies between says: 503.
    Unavailable,
    /// In trouble: 500.
    Failing,
}

/// What survives of a database that is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Organisations, users, service accounts and their tokens.
    Accounts,
    /// Data sources.
    Datasources,
}

impl Grafana {
    /// Lets the index of folders lag behind: `/api/search` sees them as they were so long ago. Zero ends it.
    pub async fn lag_the_index(&self, lag: Duration) {
        self.control(Method::PUT, "index", json!({"lag": go(lag)})).await;
    }

    /// Lets reads see an older state, as of a replica that lags; writes go through. Zero ends it.
    pub async fn lag_the_replica(&self, lag: Duration) {
        self.control(Method::PUT, "replica", json!({"lag": go(lag)}))
            .await;
    }

    /// Lets the Alertmanager's endpoints answer as it does in this state. Rules are evaluated and notifications sent as ever.
    pub async fn set_alertmanager(&self, state: Alertmanager) {
        let state = match state {
            Alertmanager::Ready => "ready",
            Alertmanager::NotReady => "notReady",
            Alertmanager::Missing => "missing",
            Alertmanager::Unavailable => "unavailable",
            Alertmanager::Failing => "failing",
        };
        self.control(Method::PUT, "alertmanager", json!({"state": state}))
            .await;
    }

    /// Ends all of these faults.
    pub async fn clear_faults(&self) {
        self.control(Method::DELETE, "faults", Value::Null).await;
    }

    /// Keeps the database under this name.
    pub async fn snapshot(&self, name: &str) {
        self.control(Method::PUT, &format!("database/snapshots/{name}"), Value::Null)
            .await;
    }

    /// Puts the database that was kept under this name in place of the present one, but for what is kept of that.
    pub async fn restore(&self, name: &str, keep: &[Kept]) {
        let body = json!({"snapshot": name, "keep": names(keep)});
        self.control(Method::POST, "database/restore", body).await;
    }

    /// Puts a new database in place of the present one, but for what is kept of that.
    pub async fn empty(&self, keep: &[Kept]) {
        self.control(Method::POST, "database/empty", json!({"keep": names(keep)}))
            .await;
    }

    async fn control(&self, method: Method, path: &str, body: Value) {
        self.needs(Need::Faults);
        let body = (!body.is_null()).then_some(body);
        self.call(method, &format!("/-/testbed/{path}"), body).await.ok();
    }
}

fn names(keep: &[Kept]) -> Vec<&'static str> {
    let name = |kept: &Kept| match kept {
        Kept::Accounts => "accounts",
        Kept::Datasources => "datasources",
    };
    keep.iter().map(name).collect()
}

fn go(time: Duration) -> String {
    format!("{}ms", time.as_millis())
}
