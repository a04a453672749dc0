//! Grafana's own word, beside that of the resources.

use alertwright_testbed::http;
use reqwest::Method;
use serde_json::Value;

/// A Grafana and a token for it.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) url: String,
    pub(crate) token: String,
}

/// What is said of an alert in Grafana's Alertmanager.
#[derive(Debug)]
pub(crate) struct Alert {
    /// `active` or `suppressed`.
    pub(crate) state: String,
    /// The ids of the silences that hold it back.
    pub(crate) silenced_by: Vec<String>,
}

impl Api {
    /// Reads a path; else what went wrong.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        self.call(Method::GET, path, None).await
    }

    /// Calls a path; else what went wrong.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let mut request = http::client().request(method, &url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| format!("{url}: {error}"))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| format!("{url}: {error}"))?;
        if !status.is_success() {
            return Err(format!("{url} answers {status}: {text}"));
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// A silence by its id.
    pub(crate) async fn silence_state(&self, id: &str) -> Result<String, String> {
        let silence = self
            .get(&format!("/api/alertmanager/grafana/api/v2/silence/{id}"))
            .await?;
        Ok(text(&silence, "/status/state"))
    }

    /// The alerts of a rule, by its title and its folder.
    pub(crate) async fn alerts(&self, title: &str, folder: &str) -> Result<Vec<Alert>, String> {
        let alerts = self.get("/api/alertmanager/grafana/api/v2/alerts").await?;
        let alerts = alerts.as_array().cloned().unwrap_or_default();
        let own = alerts.iter().filter(|alert| {
            text(alert, "/labels/alertname") == title && text(alert, "/labels/grafana_folder") == folder
        });
        Ok(own
            .map(|alert| Alert {
                state: text(alert, "/status/state"),
                silenced_by: strings(alert, "/status/silencedBy"),
            })
            .collect())
    }

    /// The policy tree.
    pub(crate) async fn tree(&self) -> Result<Value, String> {
        self.get("/api/v1/provisioning/policies").await
    }

    /// Whether a route of the running Alertmanager leads to a receiver: it takes up what was stored at its next poll.
    pub(crate) async fn routes_to(&self, receiver: &str) -> Result<(), String> {
        let path = "/api/alertmanager/grafana/config/api/v1/receivers";
        let receivers = self.get(path).await?;
        let is_routed = |one: &Value| {
            text(one, "/name").ends_with(receiver) && one.get("active").and_then(Value::as_bool) == Some(true)
        };
        if receivers.as_array().into_iter().flatten().any(is_routed) {
            Ok(())
        } else {
            Err("the Alertmanager still runs with the routing it had before".to_owned())
        }
    }
}

/// The text at a JSON pointer, or nothing.
pub(crate) fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

fn strings(value: &Value, pointer: &str) -> Vec<String> {
    let found = value.pointer(pointer).and_then(Value::as_array);
    let items = found.into_iter().flatten().filter_map(Value::as_str);
    items.map(ToOwned::to_owned).collect()
}
