//! The resources that are measured with.

use std::fmt;

use serde_json::{Value, json};

/// Group and version of our kinds.
pub(crate) const API_VERSION: &str = "alerting.letsrevel.io/v1alpha1";

/// How many contact points there are.
const CONTACT_POINTS: usize = 20;

/// A number of rules in groups of a size, with contact points and a tree that refers to all of them.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// How many rules.
    pub(crate) rules: usize,
    group_size: usize,
}

impl Fleet {
    /// Rules in groups of this size.
    pub(crate) fn new(rules: usize, group_size: usize) -> Self {
        Self { rules, group_size }
    }

    /// How many groups the rules make.
    pub(crate) fn groups(&self) -> usize {
        self.rules.div_ceil(self.group_size)
    }

    /// How many resources are to be in sync: rules, contact points, the tree.
    pub(crate) fn resources(&self) -> usize {
        self.rules + CONTACT_POINTS + 1
    }

    /// Every resource, and the Secrets of the contact points.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let contact_points = (0..CONTACT_POINTS).flat_map(|i| [secret(i, 0), contact_point(i)]);
        let rules = (0..self.rules).map(|i| self.rule(i, 0));
        contact_points.chain([tree()]).chain(rules).collect()
    }

    /// A rule. Another round is another query.
    pub(crate) fn rule(&self, i: usize, round: usize) -> Value {
        let threshold = 100 + round;
        let query = format!(
            r#"sum by (instance) (count_over_time({{service="bench-{}"}} |= "error" | json | level = "error" [5m])) > {threshold}"#,
            i % 50
        );
        let mut spec = json!({
            "query": query,
            "for": "5m",
            "severity": "high",
            "labels": {"service": format!("bench-{}", i % 50), "team": "revel"},
            "annotations": {
                "summary": format!("Service bench-{} logs many errors: {{{{ $value }}}} in 5 minutes", i % 50),
                "runbook_url": format!("https://runbooks.example.com/{}", rule_name(i)),
            },
            "noDataState": "OK",
        });
        if self.group_size > 1
            && let Some(spec) = spec.as_object_mut()
        {
            spec.insert(
                "group".to_owned(),
                json!(format!("group-{:04}", i / self.group_size)),
            );
        }
        ours("AlertRule", &rule_name(i), &spec)
    }
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rules, groups, size) = (self.rules, self.groups(), self.group_size);
        write!(
            f,
            "{rules} rules in {groups} groups of {size}, {CONTACT_POINTS} contact points, 1 policy tree"
        )
    }
}

/// Name of a rule.
pub(crate) fn rule_name(i: usize) -> String {
    format!("rule-{i:05}")
}

/// Name of a contact point.
pub(crate) fn contact_point_name(i: usize) -> String {
    format!("receiver-{:02}", i % CONTACT_POINTS)
}

/// The Secret of a contact point. Another round is another password.
pub(crate) fn secret(i: usize, round: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": contact_point_name(i)},
        "stringData": {"password": format!("secret-{round}")},
    })
}

/// A Deployment of one pod whose rollouts silence the namespace. Another round is another template.
pub(crate) fn deployment(i: usize, round: usize) -> Value {
    let labels = json!({"app": format!("workload-{i:03}")});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": format!("workload-{i:03}"),
            "annotations": {"alerting.letsrevel.io/silence": "namespace"},
        },
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"example.com/round": round.to_string()}},
                "spec": {"containers": [{"name": "main", "image": "example.com/main"}]},
            },
        },
    })
}

fn contact_point(i: usize) -> Value {
    let password = json!({"secretKeyRef": {"name": contact_point_name(i), "key": "password"}});
    let webhook = json!({
        "url": {"value": format!("http://127.0.0.1:9/{i}")},
        "username": "grafana",
        "password": password,
    });
    ours(
        "ContactPoint",
        &contact_point_name(i),
        &json!({"integrations": [{"webhook": webhook}]}),
    )
}

fn tree() -> Value {
    let route =
        |i: usize| json!({"receiver": contact_point_name(i), "matchers": [format!("service=\"bench-{i}\"")]});
    let routes: Vec<Value> = (1..CONTACT_POINTS).map(route).collect();
    ours(
        "NotificationPolicy",
        "tree",
        &json!({"receiver": contact_point_name(0), "routes": routes}),
    )
}

fn ours(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec})
}
