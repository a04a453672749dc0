//! The resources that are measured with.

use std::fmt;

use serde_json::{Value, json};

/// Group and version of our kinds.
pub(crate) const API_VERSION: &str = "alerting.letsrevel.io/v1alpha1";

/// What there is of each kind.
#[derive(Debug, Clone)]
pub(crate) struct Fleet {
    /// How many rules.
    pub(crate) rules: usize,
    group_size: usize,
    /// How many contact points, and one less routes of the root, one to each but the first.
    pub(crate) points: usize,
    silences: usize,
    /// How many namespaces beside, with a branch of the tree in each.
    pub(crate) branches: usize,
    paused: bool,
}

impl Fleet {
    /// Rules in groups of this size, with so many contact points and a tree that refers to all of them.
    pub(crate) fn rules(rules: usize, group_size: usize, points: usize) -> Self {
        Self {
            rules,
            group_size,
            points,
            silences: 0,
            branches: 0,
            paused: false,
        }
    }

    /// Silences, with a contact point and a tree.
    pub(crate) fn silences(silences: usize) -> Self {
        Self {
            silences,
            ..Self::rules(0, 1, 1)
        }
    }

    /// A root, and namespaces with a branch each.
    pub(crate) fn branches(branches: usize) -> Self {
        Self {
            branches,
            ..Self::rules(0, 1, 1)
        }
    }

    /// The same with rules that Grafana doesn't evaluate, which leaves the machine to what is measured.
    #[must_use]
    pub(crate) fn paused(mut self, paused: bool) -> Self {
        self.paused = paused;
        self
    }

    /// How many rules show a state.
    pub(crate) fn evaluated(&self) -> usize {
        if self.paused { 0 } else { self.rules }
    }

    /// How many groups the rules make.
    pub(crate) fn groups(&self) -> usize {
        self.rules.div_ceil(self.group_size)
    }

    /// How many resources are to be in sync: rules, contact points, silences, the tree and its branches.
    pub(crate) fn resources(&self) -> usize {
        self.rules + self.points + self.silences + self.branches + 1
    }

    /// Every resource of the namespace, and the Secrets of the contact points.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let contact_points = (0..self.points).flat_map(|i| [secret(i, 0), contact_point(i)]);
        let rules = (0..self.rules).map(|i| self.rule(i, 0));
        let silences = (0..self.silences).map(silence);
        let tree = std::iter::once(self.tree());
        contact_points.chain(tree).chain(silences).chain(rules).collect()
    }

    fn tree(&self) -> Value {
        let route = |i: usize| json!({"receiver": contact_point_name(i), "matchers": [format!("service=\"bench-{i}\"")]});
        // A policy takes 64 routes beside each other, and as many again below each of them.
        let routes: Vec<Value> = (1..self.points).map(route).collect();
        let routes: Vec<Value> = routes
            .chunks(10)
            .map(|routes| json!({"matchers": ["team=\"revel\""], "continue": true, "routes": routes}))
            .collect();
        shared(ours(
            "NotificationPolicy",
            "tree",
            &json!({"receiver": contact_point_name(0), "routes": routes}),
        ))
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
        if self.paused
            && let Some(spec) = spec.as_object_mut()
        {
            spec.insert("paused".to_owned(), json!(true));
        }
        ours("AlertRule", &rule_name(i), &spec)
    }
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paused = if self.paused { "paused " } else { "" };
        let (rules, groups, size) = (self.rules, self.groups(), self.group_size);
        if rules > 0 {
            write!(f, "{rules} {paused}rules in {groups} groups of {size}, ")?;
        }
        for (count, what) in [
            (self.silences, "silences"),
            (self.branches, "namespaces with a branch each"),
        ] {
            if count > 0 {
                write!(f, "{count} {what}, ")?;
            }
        }
        let points = self.points;
        write!(
            f,
            "{points} contact point{}, 1 policy tree",
            if points == 1 { "" } else { "s" }
        )
    }
}

/// Name of a rule.
pub(crate) fn rule_name(i: usize) -> String {
    format!("rule-{i:05}")
}

/// Name of a contact point.
pub(crate) fn contact_point_name(i: usize) -> String {
    format!("receiver-{i:03}")
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
    shared(ours(
        "ContactPoint",
        &contact_point_name(i),
        &json!({"integrations": [{"webhook": webhook}]}),
    ))
}

fn silence(i: usize) -> Value {
    ours(
        "Silence",
        &format!("silence-{i:04}"),
        &json!({"matchers": [format!("service=\"bench-{i}\"")], "duration": "6h", "comment": "Measured"}),
    )
}

/// The same for resources of all namespaces to refer to.
fn shared(mut object: Value) -> Value {
    if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        let all = json!({"alerting.letsrevel.io/shared-with": "*"});
        metadata.insert("annotations".to_owned(), all);
    }
    object
}

/// A branch of the tree in the namespace.
pub(crate) fn branch(namespace: &str, root: &str, round: usize) -> Value {
    let spec = json!({
        "parentRef": {"name": "tree", "namespace": root},
        "receiverRef": {"name": contact_point_name(0), "namespace": root},
        "matchers": ["severity=\"critical\""],
        "groupWait": format!("{}s", 10 + round),
    });
    let mut branch = ours("NotificationPolicy", &format!("branch-{namespace}"), &spec);
    if let Some(metadata) = branch.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.insert("namespace".to_owned(), json!(namespace));
    }
    branch
}

/// A Job of one pod that silences the namespace while it runs.
pub(crate) fn job(i: usize) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {
            "name": format!("migration-{i:03}"),
            "annotations": {"alerting.letsrevel.io/silence": "namespace"},
        },
        "spec": {"template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.com/main"}],
        }}},
    })
}

fn ours(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec})
}
