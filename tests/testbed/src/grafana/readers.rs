//! What is in Grafana, for tests to compare with.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::Grafana;

impl Grafana {
    /// A rule by its uid, with its provenance (provisioning API).
    pub async fn rule(&self, uid: &str) -> Option<Value> {
        let answer = self.get(&format!("/api/v1/provisioning/alert-rules/{uid}")).await;
        (answer.status != StatusCode::NOT_FOUND).then(|| answer.ok())
    }

    /// All rules (ruler API), each with its `folder` (title), `group` and `interval` added; the rule proper is in
    /// `grafana_alert`.
    pub async fn rules(&self) -> Vec<Value> {
        let folders = self.get("/api/ruler/grafana/api/v1/rules").await.ok();
        let mut rules = Vec::new();
        for (folder, groups) in folders.as_object().into_iter().flatten() {
            for group in groups.as_array().into_iter().flatten() {
                for rule in group.get("rules").and_then(Value::as_array).into_iter().flatten() {
                    let mut rule = rule.clone();
                    if let Some(rule) = rule.as_object_mut() {
                        rule.insert("folder".to_owned(), json!(folder));
                        rule.insert("group".to_owned(), group.get("name").cloned().unwrap_or_default());
                        rule.insert(
                            "interval".to_owned(),
                            group.get("interval").cloned().unwrap_or_default(),
                        );
                    }
                    rules.push(rule);
                }
            }
        }
        rules
    }

    /// How the rules of a title are evaluated (Prometheus API): `state`, `health`, `alerts`.
    pub async fn evaluated(&self, title: &str) -> Option<Value> {
        let answer = self.get("/api/prometheus/grafana/api/v1/rules").await.ok();
        let groups = answer
            .pointer("/data/groups")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut rules = groups
            .filter_map(|group| group.get("rules")?.as_array())
            .flatten()
            .filter(|rule| named(rule, title));
        rules.next().cloned()
    }

    /// All contact points, one entry per integration.
    pub async fn contact_points(&self) -> Vec<Value> {
        self.list("/api/v1/provisioning/contact-points").await
    }

    /// The integrations of one contact point.
    pub async fn contact_point(&self, name: &str) -> Vec<Value> {
        self.contact_points()
            .await
            .into_iter()
            .filter(|point| named(point, name))
            .collect()
    }

    /// The notification policy tree.
    pub async fn policy_tree(&self) -> Value {
        self.get("/api/v1/provisioning/policies").await.ok()
    }

    /// All mute timings.
    pub async fn mute_timings(&self) -> Vec<Value> {
        self.list("/api/v1/provisioning/mute-timings").await
    }

    /// All notification templates.
    pub async fn templates(&self) -> Vec<Value> {
        self.list("/api/v1/provisioning/templates").await
    }

    /// All folders.
    pub async fn folders(&self) -> Vec<Value> {
        self.list("/api/folders").await
    }

    /// All silences, expired ones too; `status.state` tells.
    pub async fn silences(&self) -> Vec<Value> {
        self.list("/api/alertmanager/grafana/api/v2/silences").await
    }

    /// The silences that silence now.
    pub async fn active_silences(&self) -> Vec<Value> {
        let active = |silence: &Value| {
            silence
                .pointer("/status/state")
                .is_some_and(|state| state == "active")
        };
        self.silences().await.into_iter().filter(active).collect()
    }

    /// The alerts in the Alertmanager; `status.state` is `active` or `suppressed`, with `status.silencedBy`.
    pub async fn alerts(&self) -> Vec<Value> {
        self.list("/api/alertmanager/grafana/api/v2/alerts").await
    }

    async fn list(&self, path: &str) -> Vec<Value> {
        match self.get(path).await.ok() {
            Value::Array(items) => items,
            // Some lists are null when they are empty.
            Value::Null => Vec::new(),
            other => panic!("{path} is not a list: {other}"),
        }
    }
}

fn named(object: &Value, name: &str) -> bool {
    object.get("name").is_some_and(|own| own == name)
}
